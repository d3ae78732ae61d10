package stopchan

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

var soak = flag.Bool("soak", false, "try longer sequences")

// An act is one thing that can happen in a scene.
type act struct {
	name string
	who  int // -1: nobody in particular
	can  func(s *scene, p *player) bool
	do   func(s *scene, p *player)
}

func (a act) String() string {
	if a.who < 0 {
		return a.name
	}
	return fmt.Sprint(a.name, " ", a.who)
}

func (a act) player(s *scene) *player {
	if a.who < 0 {
		return nil
	}
	return s.players[a.who]
}

// acts returns all that can happen with n players.
func acts(n int) (all []act) {
	executing := func(_ *scene, p *player) bool { return p.executing }
	concerned := func(_ *scene, p *player) bool { return p.concerned() }
	for i := range n {
		all = append(all,
			act{"begin", i, func(_ *scene, p *player) bool { return !p.executing && !p.retired }, (*scene).begin},
			act{"tell", i, func(_ *scene, p *player) bool { return p.executing && !p.retired }, (*scene).tell},
			act{"untell", i, func(_ *scene, p *player) bool { return !p.retired }, func(s *scene, p *player) { s.untell(p) }},
			act{"take", i, executing, (*scene).take},
			act{"end", i, executing, func(s *scene, p *player) { s.end(p, false, false) }},
			act{"fail", i, executing, func(s *scene, p *player) { s.end(p, true, false) }},
			act{"end excused", i, concerned, func(s *scene, p *player) { s.end(p, false, true) }},
			act{"fail excused", i, concerned, func(s *scene, p *player) { s.end(p, true, true) }},
			act{"retire", i, func(_ *scene, p *player) bool { return !p.retired }, (*scene).retire},
			act{"leave", i, func(_ *scene, p *player) bool { return n > 1 && p.retired && !p.executing && !p.left }, (*scene).leave},
		)
	}
	return append(all,
		act{"untell all", -1, func(*scene, *player) bool { return n > 1 }, func(s *scene, _ *player) {
			s.untell(slices.DeleteFunc(slices.Clone(s.players), func(p *player) bool { return p.retired })...)
		}},
		act{"listener takes", -1, func(*scene, *player) bool { return true }, func(s *scene, _ *player) { s.takeOutside() }},
		act{"put", -1, func(s *scene, _ *player) bool { return !s.closed && s.given < 2 }, func(s *scene, _ *player) { s.put() }},
		act{"close", -1, func(s *scene, _ *player) bool { return !s.closed }, func(s *scene, _ *player) { s.close() }},
	)
}

// An exploration tries everything that can happen, one thing after the other, from each scene that it has not seen.
type exploration struct {
	players, capacity int
	nils              bool
	acts              []act
	seen              map[string]bool
	tried             int
}

func (e *exploration) play(sequence []act) *scene {
	s := newScene(e.players, e.capacity, e.nils)
	for _, a := range sequence {
		a.do(s, a.player(s))
	}
	return s
}

// try plays a sequence to its end, in each way. If it leads to something new, it returns what can happen then.
func (e *exploration) try(t *testing.T, sequence []act) (then []act) {
	e.tried++
	s := e.play(sequence)
	synctest.Wait()
	for _, a := range e.acts {
		if a.can(s, a.player(s)) {
			then = append(then, a)
		}
	}
	is := s.String()
	is += fmt.Sprint(s.checkOffers())
	e.report(t, s, sequence)
	if e.seen[is] {
		return nil
	}
	e.seen[is] = true
	s = e.play(sequence)
	s.checkEnd()
	e.report(t, s, sequence)
	return then
}

func (e *exploration) report(t *testing.T, s *scene, sequence []act) {
	if s.wrong != "" {
		t.Fatalf("%s, after %v\n%+v", s.wrong, sequence, *s.players[0].channel)
	}
}

// run tries all sequences of at most so many acts, and reports whether none that is longer leads to anything new.
func (e *exploration) run(t *testing.T, most int) (complete bool) {
	type scenes struct{ sequence, then []act }
	frontier := []scenes{{nil, e.try(t, nil)}}
	for range most {
		var next []scenes
		for _, f := range frontier {
			for _, a := range f.then {
				longer := append(slices.Clip(f.sequence), a)
				if then := e.try(t, longer); then != nil {
					next = append(next, scenes{longer, then})
				}
			}
		}
		if frontier = next; len(next) == 0 {
			return true
		}
	}
	return false
}

// All that can happen with few sharers, one thing after the other.
func TestAllThatCanHappen(t *testing.T) {
	for _, c := range []struct{ players, depth, deep int }{{1, 40, 40}, {2, 7, 11}, {3, 5, 8}} {
		if *soak {
			c.depth = c.deep
		}
		for capacity := range 3 {
			for _, nils := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d players, capacity %d, others put nils %v", c.players, capacity, nils), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						e := &exploration{c.players, capacity, nils, acts(c.players), map[string]bool{}, 0}
						complete := e.run(t, c.depth)
						t.Logf("%d scenes, %d sequences of at most %d acts, complete: %v", len(e.seen), e.tried, c.depth, complete)
					})
				})
			}
		}
	}
}

// What has gone wrong in longer sequences than those that are tried each time.
func TestWhatHasGoneWrong(t *testing.T) {
	for _, sequence := range []string{
		"begin 0, fail 0, begin 1, listener takes, tell 1, take 1, begin 2",
		"begin 0, fail 0, begin 1, listener takes, tell 1, begin 0, take 0, end 0",
		"begin 0, fail 0, begin 1, begin 2, listener takes, tell 1, take 2, end 2",
		"begin 0, tell 0, begin 1, take 1, begin 2, close, tell 2, end 1",
		"begin 0, tell 0, begin 1, take 1, untell 0, tell 0, end 1, begin 1, take 1, end 1",
		"begin 0, tell 0, take 0, begin 1, end 1, begin 1, take 1, end 0, end 1",
		"begin 0, tell 0, take 0, untell 0, begin 1, tell 1, close, tell 0, end 1, end 0",
		"begin 0, tell 0, untell 0, begin 1, tell 1, take 0, end excused 0",
		"begin 0, begin 1, begin 2, fail 1, take 0, fail 2, begin 2, fail 2, listener takes, begin 2, end 0",
		"begin 0, begin 1, begin 2, fail 1, take 0, fail 2, begin 2, close, tell 2, fail 2, end 0",
		"begin 0, fail 0, begin 1, tell 1, take 1, untell 0, end 1, begin 1, begin 2, tell 1, take 1, tell 2, untell 0",
		"begin 0, fail 0, begin 1, fail 1, listener takes, begin 2, listener takes, untell 0, fail 2",
		"begin 0, begin 1, begin 2, retire 0, take 1, end 1, retire 1, leave 1, take 2, end 2, retire 2, leave 2",
	} {
		for capacity := range 3 {
			synctest.Test(t, func(t *testing.T) {
				e := &exploration{3, capacity, false, acts(3), map[string]bool{}, 0}
				var played []act
				for _, name := range strings.Split(sequence, ", ") {
					i := slices.IndexFunc(e.acts, func(a act) bool { return a.String() == name })
					played = append(played, e.acts[i])
					e.try(t, played)
				}
			})
		}
	}
}
