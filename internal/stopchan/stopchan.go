// Package stopchan tells listeners on stop channels to stop, with one nil each, and keeps account of the nils where
// several share a channel. It knows channels and counts, but not who shares them, or why.
package stopchan

import "iter"

// A Set is a set of channels and their sharers. The zero Set is empty and ready to use. A Set and its Sharers must
// not be used by several goroutines at once: one mutex of their owner's guards them all. Other locks may be held,
// too: nothing here waits, except for a goroutine that acquires none and waits for nobody.
type Set struct {
	channels map[chan interface{}]*channel
}

// A Sharer is one of the listeners on a channel. The zero Sharer has no channel, and is told nothing.
type Sharer struct {
	channel *channel
	claim   claim
	doubts  uint64 // the channel's when its execution began
	retired bool
}

// A claim is a sharer's part in the nils on its channel:
//
//	none -> open        it executes, and is told
//	open -> withdrawn   it is no longer told, but executes and may have taken a nil
//	withdrawn -> open   it is told again
//	none -> listening   its execution has failed without being told
//	any -> none         its execution has ended, or another begins, or it listens no longer
type claim uint8

const (
	claimNone claim = iota
	claimOpen
	claimWithdrawn
	claimListening
	claimKinds
)

// Join makes a zero Sharer share a channel with all others of the set that joined with the same.
func (set *Set) Join(s *Sharer, stop chan interface{}) {
	c := set.channels[stop]
	if c == nil {
		c = &channel{stop: stop}
		if set.channels == nil {
			set.channels = make(map[chan interface{}]*channel)
		}
		set.channels[stop] = c
	}
	s.channel = c
	c.sharers[s.claim]++
}

// Leave removes a sharer that has retired and does not execute from the set (rule 9). It does not touch the channel
// itself, unless others still wait there for their nils.
func (set *Set) Leave(s *Sharer) {
	c := s.channel
	if c == nil {
		return
	}
	c.sharers[s.claim]--
	c.renewed = 0
	switch {
	case c.sharers == [claimKinds]int{}:
		delete(set.channels, c.stop)
	case c.missing() > 0:
		c.balance()
	}
}

// Begin is called before an execution of the sharer begins (rules 4, 7 and 8). A retired one begins none.
func (s *Sharer) Begin() {
	c := s.channel
	if c == nil || s.retired {
		return
	}
	c.withdraw(s)
	if c.waiting() > 0 { // else those that were told account for all that were taken
		c.halt()
		c.writeOff(c.heard())
	}
	c.balance()
	s.doubts = c.doubts
}

// Tell has a nil put on the channel for a sharer that is executing, unless that was done (rules 1, 6 and 9).
func (s *Sharer) Tell() {
	c := s.channel
	if c == nil {
		return
	}
	c.move(s, claimOpen)
	c.renewed = 0
	c.put(c.missing())
}

// Untell takes back what was put for the sharers and nobody has taken (rules 5 and 6). It is given all at once, so
// that it looks at each channel once. They are iterated over twice.
func Untell(sharers iter.Seq[*Sharer]) {
	for s := range sharers {
		if s.channel != nil {
			s.channel.withdraw(s)
		}
	}
	for s := range sharers {
		if s.channel != nil {
			s.channel.balance()
		}
	}
}

// Retire tells a sharer for the last time: to stop, if it is executing, and otherwise nothing (rules 1 and 4). If it
// was told nothing before either, its channel is left alone: it may belong to a synctest bubble that is over.
func (s *Sharer) Retire(executing bool) {
	s.retired = true
	if executing {
		s.Tell()
	} else if s.claim != claimNone {
		s.channel.withdraw(s)
		s.channel.balance()
	}
}

// End accounts for an ended execution of the sharer: whether it failed, and whether it had another reason to end. It
// returns whether it was told on the channel (rules 2, 3, 4 and 10).
func (s *Sharer) End(failed, excused bool) (told bool) {
	c := s.channel
	if c == nil {
		return false
	}
	claim := s.claim
	c.move(s, claimNone)
	if c.halt(); c.taken == 0 {
		c.takeBack() // among others' values, only this shows whether it was taken
	}
	doubtful := s.doubts < c.doubts
	switch {
	case c.taken > 0:
		told = true
		c.taken--
		if failed || excused || doubtful {
			c.doubts++
		}
	case excused:
	case c.closed && claim != claimNone || !failed && doubtful:
		told = true
	case failed && !s.retired:
		c.move(s, claimListening)
		c.put(1)
	}
	c.balance()
	return told
}
