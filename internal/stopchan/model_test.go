package stopchan

import (
	"fmt"
	"slices"
	"testing/synctest"
)

// A player is a sharer, with what really happens to it. A channel cannot know all of that.
type player struct {
	Sharer
	executing bool
	told      bool // to stop, and that was not withdrawn
	spared    bool // it was told, but that was withdrawn
	took      int  // nils that this execution has taken
	listens   bool // it has failed, untold
	calm      bool // no nil that was taken can be mistaken for one of this execution's
	robbed    bool // it has a nil, but another that had none was taken for the one that has it
	closed    bool // it cannot but find the channel closed
	left      bool // it shares the channel no more
}

func (p *player) concerned() bool { return p.executing && (p.told || p.spared) }

// A scene is a channel with its players, and others who take from it and put values there.
type scene struct {
	set     Set
	stop    chan interface{}
	nils    bool // what others put there are nils, too
	players []*player
	foreign []interface{} // what others have put there, and nobody has received
	stolen  int           // nils received, in all
	given   int           // nils that others have put there

	heard  int  // nils that were taken by who listens after a failure
	loose  int  // those of them that may yet be mistaken for one of an execution's
	parted int  // those that have left off listening, while others may have had their nil
	murky  bool // a nil was taken by somebody it was not meant for, or the wrong one was taken for the one that has it
	strays bool // a nil was taken that nobody executing has
	robs   int  // nils taken by somebody who was not told, since somebody was
	masked bool // a nil that was taken may have been mistaken for a value of others
	closed bool
	wrong  string
}

func newScene(n, capacity int, nils bool) *scene {
	s := &scene{stop: make(chan interface{}, capacity), nils: nils}
	for range n {
		p := new(player)
		s.set.Join(&p.Sharer, s.stop)
		s.players = append(s.players, p)
	}
	return s
}

func (s *scene) fail(format string, args ...any) {
	if s.wrong == "" {
		s.wrong = fmt.Sprintf(format, args...)
	}
}

func (s *scene) count(is func(p *player) bool) (n int) {
	for _, p := range s.players {
		if is(p) {
			n++
		}
	}
	return n
}

func (s *scene) held() int      { return s.count(func(p *player) bool { return p.executing && p.took > 0 }) }
func (s *scene) listening() int { return s.count(func(p *player) bool { return p.listens }) }
func (s *scene) concerned() int { return s.count((*player).concerned) }

// alarm notes that a nil was taken, or written off: any execution may be thought to have taken it.
func (s *scene) alarm() {
	for _, p := range s.players {
		p.calm = false
	}
}

func (s *scene) begin(p *player) {
	s.hush(p)
	if s.concerned() == 0 && s.loose > 0 {
		s.alarm()
		s.loose = 0
	}
	p.Begin()
	*p = player{Sharer: p.Sharer, executing: true, calm: !s.murky && s.held() == 0 && s.loose == 0}
}

func (s *scene) tell(p *player) {
	s.toldAnew(p)
	p.Tell()
}

func (s *scene) toldAnew(p *player) {
	if !p.told {
		s.robs = s.count(func(p *player) bool { return p.executing && p.took > 0 && !p.told })
		p.closed = s.closed && !p.spared
	}
	p.told, p.spared = true, false
}

func (s *scene) untell(players ...*player) {
	var sharers []*Sharer
	for _, p := range players {
		sharers = append(sharers, &p.Sharer)
		s.spare(p)
	}
	Untell(slices.Values(sharers))
}

func (s *scene) spare(p *player) {
	s.hush(p)
	p.spared = p.spared || p.told
	p.told, p.closed = false, false
}

// hush ends a player's listening. It is the one that has heard a nil, if one has: that is why it leaves.
func (s *scene) hush(p *player) {
	if p.listens && s.heard > 0 {
		s.heard--
		s.alarm()
	}
	if p.listens && s.concerned() > 0 {
		s.parted++
	} else if p.listens && s.loose > s.heard {
		s.loose--
	}
	p.listens = false
}

func (s *scene) retire(p *player) {
	if p.executing {
		s.toldAnew(p)
	} else {
		s.hush(p)
	}
	p.Retire(p.executing)
}

func (s *scene) leave(p *player) {
	p.left = true
	s.robs = s.count(func(p *player) bool { return p.executing && p.took > 0 && !p.told })
	s.set.Leave(&p.Sharer)
}

// end lets an execution end, and says whether the answer can be right.
func (s *scene) end(p *player, failed, excused bool) {
	p.executing = false
	others, held := s.concerned(), s.held()
	told := p.End(failed, excused)
	switch {
	case excused:
	case p.took > 0 && !failed && !told && !p.robbed && !s.hidden():
		s.fail("one that obeyed was not told")
	case p.took > 0 && failed && !told && !s.murky && !s.hidden():
		s.fail("one that failed as it obeyed was not told")
	case p.calm && p.took == 0 && told && !s.closed && !s.hidden():
		s.fail("one was told by nobody")
	case failed && p.took == 0 && told && held == 0 && s.loose == 0 && !s.murky && !s.closed && !s.hidden():
		s.fail("one that failed by itself was told")
	case p.closed && !told:
		s.fail("one was not told by the closing")
	}
	if p.took == 0 && (held > 0 || s.loose > 0) || excused && p.took > 0 && others > 0 {
		s.murky = true
	}
	if told && !failed && !excused && (p.took == 0 || p.robbed) {
		for _, other := range s.players {
			other.robbed = other.robbed || other.executing && other.took > 0
		}
		s.strays = s.strays || held > 0
	}
	if p.took > 0 && (failed || excused) {
		s.alarm()
	}
	listens := failed && !excused && !told && !p.retired && !s.closed
	*p = player{Sharer: p.Sharer, listens: listens}
	s.calmDown()
}

// calmDown: when nothing is going on, nothing of what was can be left.
func (s *scene) calmDown() {
	if s.count(func(p *player) bool { return p.executing || p.listens }) == 0 {
		s.masked = s.masked && len(s.foreign) > 0
		s.heard, s.loose, s.parted, s.murky, s.strays, s.robs = 0, 0, 0, false, false, 0
	}
}

// hidden says whether values of others may have looked like nils that were not taken.
func (s *scene) hidden() bool { return s.nils || s.masked }

// receive takes what the channel has to give.
func (s *scene) receive() (isNil bool) {
	synctest.Wait() // until the offering offers
	select {
	case value, ok := <-s.stop:
		if value != nil || s.nils && len(s.foreign) > 0 {
			s.foreign = s.foreign[1:]
		}
		if isNil = ok && value == nil; isNil {
			s.stolen++
		}
	default:
	}
	return isNil
}

// take is a player's receiving from the channel.
func (s *scene) take(p *player) {
	if !s.receive() || s.closed { // a closed channel gives nils for ever
		return
	}
	if !p.told || p.took > 0 {
		s.murky = true
		s.robs++
	}
	s.strays = s.strays || p.took > 0
	p.took++
	for _, other := range s.players {
		other.calm = other.calm && other == p
	}
}

// takeOutside is somebody else's, who listens after a failure, or instead of a player.
func (s *scene) takeOutside() {
	if !s.receive() {
		return
	}
	s.alarm()
	if s.concerned() == 0 && s.listening() > s.heard {
		s.heard++
		s.loose++
	} else {
		s.murky, s.strays = true, true
	}
}

// put is somebody else's putting a value on the channel.
func (s *scene) put() {
	var value interface{}
	if !s.nils {
		value = fmt.Sprint("value ", len(s.foreign))
	}
	synctest.Wait()
	select {
	case s.stop <- value:
		s.foreign = append(s.foreign, value)
		s.given++
		s.masked = len(s.players) > 1
	default:
	}
}

func (s *scene) close() {
	synctest.Wait()
	for _, p := range s.players {
		p.closed = p.told && p.took == 0 && cap(s.stop) == 0 && !s.murky
	}
	s.closed = true
	close(s.stop)
}
