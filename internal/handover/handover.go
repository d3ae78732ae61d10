// Package handover makes many calls, one after another on one goroutine, for as long as they are quick. A slow call
// keeps its goroutine, and another goroutine takes over the rest. So a slow call delays the others by Slow only, and
// only slow calls cost a goroutine.
package handover

import (
	"slices"
	"sync/atomic"
	"time"
)

// Slow is how long a call may last before another goroutine takes over.
const Slow = time.Millisecond

// aFew is how many slow calls in a row are each replaced by one goroutine. After that, each is replaced by two: so
// however many calls are slow, the last one begins a few times Slow late.
const aFew = 5

// Calls are numbered calls. The methods are called on several goroutines.
type Calls[T any] interface {
	// Begin reports whether call i is to be made, and returns what Call and Slow are given. It must be quick.
	Begin(i int) (T, bool)
	// Call makes call i. It may block or end its goroutine with runtime.Goexit, but no panic may leave it.
	Call(i int, begun T)
	// Slow is told, at most once, that call i is slow, and when it began. The call may have returned meanwhile. Slow
	// is not called after Run has returned.
	Slow(i int, begun T, since time.Time)
}

// Run begins calls 0 to n-1. It returns when each one that was to be made has returned or is slow, and reports
// whether all have returned. If not, what the calls need must be left alone: a slow Call has begun, but may not have
// reached its first line.
func Run[T any](n int, calls Calls[T]) (allReturned bool) {
	r := &run[T]{calls: calls, n: int64(n), start: time.Now(), ended: make(chan struct{})}
	return r.do()
}

type run[T any] struct {
	calls Calls[T]
	n     int64
	start time.Time

	next    atomic.Int64  // how many calls have been handed out
	working atomic.Int64  // the workers in charge
	ended   chan struct{} // closed when there are none
}

// A worker is a goroutine that makes calls. It is in charge until none are left, or it finds after a call that it was
// relieved.
type worker[T any] struct {
	call  atomic.Int64 // 1 + the number of the call it is in, or 0; see makeCall
	since atomic.Int64 // when that call began, as a time since the start of the run
	begun T            // what Begin returned for it; written before call, read only by whoever has relieved it
}

func (r *run[T]) do() (allReturned bool) {
	inCharge := r.dispatch(nil, 1)
	look := time.NewTimer(Slow)
	defer look.Stop()
	allReturned = true
	for inARow := 0; ; {
		select {
		case <-r.ended:
			return allReturned
		case <-look.C:
		}
		inTime, wait := r.relieve(inCharge)
		slow := len(inCharge) - len(inTime)
		more := slow
		if len(inTime) > 0 {
			inARow = 0
		} else if inARow++; inARow > aFew {
			more *= 2
		}
		inCharge = r.dispatch(inTime, more) // a worker for which no call is left ends at once
		for range slow {
			allReturned = false
			r.leave()
		}
		look.Reset(wait)
	}
}

// relieve relieves the workers whose calls are slow. It returns the others, and how long until one of them is slow.
func (r *run[T]) relieve(inCharge []*worker[T]) (inTime []*worker[T], wait time.Duration) {
	wait = Slow
	inTime = slices.DeleteFunc(inCharge, func(w *worker[T]) bool {
		call, since := w.call.Load(), time.Duration(w.since.Load()) // in this order: since may be the next call's, but not the previous one's
		if call == 0 {
			return false
		}
		if lasts := time.Since(r.start) - since; lasts < Slow {
			wait = min(wait, Slow-lasts)
			return false
		}
		if !w.call.CompareAndSwap(call, 0) {
			return false
		}
		r.calls.Slow(int(call-1), w.begun, r.start.Add(since))
		return true
	})
	return inTime, wait
}

// dispatch puts n more workers in charge.
func (r *run[T]) dispatch(inCharge []*worker[T], n int) []*worker[T] {
	r.working.Add(int64(n))
	for range n {
		w := new(worker[T])
		inCharge = append(inCharge, w)
		// Ends with its last call: there is no next one, or it has been relieved.
		go r.work(w)
	}
	return inCharge
}

// leave is called when a worker is no longer in charge.
func (r *run[T]) leave() {
	if r.working.Add(-1) == 0 {
		close(r.ended)
	}
}

func (r *run[T]) work(w *worker[T]) {
	for {
		call := r.next.Add(1)
		if call > r.n {
			r.leave()
			return
		}
		if !r.makeCall(w, call) {
			return
		}
	}
}

// makeCall makes the call of that number, counted from 1, and reports whether the worker is still in charge. It
// begins the call before it publishes it: whoever relieves the worker finds a call that has begun. A call is
// withdrawn once: by the worker, which is then still in charge, or by whoever relieves it.
func (r *run[T]) makeCall(w *worker[T], call int64) (inCharge bool) {
	begun, ok := r.calls.Begin(int(call - 1))
	if !ok {
		return true
	}
	w.begun = begun
	w.since.Store(int64(time.Since(r.start)))
	w.call.Store(call)
	returned := false
	defer func() {
		inCharge = w.call.CompareAndSwap(call, 0)
		if !returned && inCharge {
			// Replaces this goroutine, which runtime.Goexit ends, and ends as it would have.
			go r.work(w)
		}
	}()
	r.calls.Call(int(call-1), begun)
	returned = true
	return
}
