package stopchan

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// A party is sharers that execute at the same time, in goroutines, and obey as soon as they find a nil.
type party struct {
	stop    chan interface{}
	workers []*worker

	mu  sync.Mutex // guards what follows
	set Set
}

type worker struct {
	Sharer
	fail      chan struct{}
	executing bool
}

func (p *party) locked(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// run executes until the worker has retired.
func (p *party) run(t *testing.T, w *worker) {
	for retired := false; !retired; {
		p.locked(func() {
			if retired = w.retired; !retired {
				w.Begin()
				w.executing = true
			}
		})
		if retired {
			return
		}
		failed := false
		select {
		case <-p.stop:
		case <-w.fail:
			failed = true
		}
		p.locked(func() {
			w.executing = false
			if told := w.End(failed, false); !told && !failed {
				t.Error("one that obeyed was not told")
			}
		})
	}
}

func (p *party) act(r *rand.Rand) {
	w := p.workers[r.IntN(len(p.workers))]
	switch r.IntN(8) {
	case 0:
		select {
		case w.fail <- struct{}{}:
		default:
		}
	case 1, 2, 3:
		p.locked(func() {
			if w.executing {
				w.Tell()
			}
		})
	case 4:
		p.locked(func() {
			for _, w := range p.workers {
				if w.executing {
					w.Tell()
				}
			}
		})
	case 5, 6:
		p.locked(func() {
			Untell(func(yield func(*Sharer) bool) {
				for _, w := range p.workers {
					if !yield(&w.Sharer) {
						return
					}
				}
			})
		})
	}
}

// However the goroutines take turns: who obeys was told, who is told for good stops, and nothing is left.
func TestObeyingAtTheSameTime(t *testing.T) {
	rounds := uint64(300)
	if *soak {
		rounds = 100000
	}
	for seed := range rounds {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			p := &party{stop: make(chan interface{}, r.IntN(3))}
			for range 1 + r.IntN(4) {
				w := &worker{fail: make(chan struct{})}
				p.workers = append(p.workers, w)
				p.locked(func() { p.set.Join(&w.Sharer, p.stop) })
				go p.run(t, w)
			}
			for range 100 {
				p.act(r)
			}
			c := p.workers[0].channel
			for _, w := range p.workers {
				p.locked(func() { w.Retire(w.executing) })
			}
			synctest.Wait()
			if left := slices.IndexFunc(p.workers, func(w *worker) bool { return w.executing }); left >= 0 {
				t.Fatalf("seed %d: one was told for good, and is waiting: %+v", seed, *c)
			}
			if len(p.stop) > 0 || c.out() != 0 {
				t.Errorf("seed %d: nils are left: %+v", seed, *c)
			}
		})
	}
}
