package stopchan

import (
	"slices"
	"testing"
)

// A crowd is sharers of one channel, and counts the offerings that are begun for them.
type crowd struct {
	Set
	stop    chan interface{}
	sharers []*Sharer
	last    *offering
	begun   int
}

func newCrowd(n, capacity int) *crowd {
	w := &crowd{stop: make(chan interface{}, capacity)}
	for range n {
		s := new(Sharer)
		w.Join(s, w.stop)
		w.sharers = append(w.sharers, s)
	}
	return w
}

// each does something with each of the sharers, one after the other. None begins more than one offering.
func (w *crowd) each(act func(s *Sharer)) {
	for _, s := range w.sharers {
		act(s)
		w.look()
	}
}

func (w *crowd) look() {
	if now := w.sharers[0].channel.offering; now != w.last {
		w.last = now
		if now != nil {
			w.begun++
		}
	}
}

func (w *crowd) untell() {
	Untell(slices.Values(w.sharers))
	w.look()
}

// All of many sharers are told, and go on when they are told no longer. That takes one goroutine, which is waited for
// once; but for the nils that find room at once, after each of which it may have ended.
func TestStoppingAndRestartingManyNeedsOneOffering(t *testing.T) {
	const n = 2000
	for _, capacity := range []int{0, 1, 10} {
		w := newCrowd(n, capacity)
		w.each((*Sharer).Begin)
		for rounds := 1; rounds <= 3; rounds++ {
			w.each((*Sharer).Tell)
			w.untell()
			if w.begun < rounds || w.begun > rounds*(capacity+1) {
				t.Errorf("capacity %d: %d offerings were begun in %d rounds", capacity, w.begun, rounds)
			}
			if w.last != nil || len(w.stop) != 0 {
				t.Errorf("capacity %d: nils are left: %+v", capacity, *w.sharers[0].channel)
			}
		}
	}
}

// All obey, retire, or fail: each may need a goroutine, but not each for all others.
func TestEndingOfManyNeedsAnOfferingEach(t *testing.T) {
	const n = 2000
	for name, end := range map[string]func(w *crowd){
		"obey": func(w *crowd) {
			w.each((*Sharer).Tell)
			w.each(func(s *Sharer) {
				<-w.stop
				if !s.End(false, false) {
					t.Error("one that has taken a nil was not told")
				}
			})
		},
		"fail": func(w *crowd) {
			w.each(func(s *Sharer) { s.End(true, false) })
			w.untell()
		},
		"fail when told": func(w *crowd) {
			w.each((*Sharer).Tell)
			w.each(func(s *Sharer) { s.End(true, false) })
			w.each(func(s *Sharer) { s.Retire(false) })
		},
		"retire": func(w *crowd) {
			w.each(func(s *Sharer) { s.Retire(true) })
			w.each(func(s *Sharer) { s.End(false, true) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, capacity := range []int{0, 1, n} {
				w := newCrowd(n, capacity)
				w.each((*Sharer).Begin)
				end(w)
				if limit := 2*n + 1; w.begun > limit {
					t.Errorf("capacity %d: %d offerings were begun, more than %d", capacity, w.begun, limit)
				}
				if c := w.sharers[0].channel; c.out() != 0 || len(w.stop) != 0 {
					t.Errorf("capacity %d: nils are left: %+v", capacity, *c)
				}
			}
		})
	}
}
