package jobs

import (
	"slices"
	"sync/atomic"
	"time"
)

// A call that lasts longer than this is slow.
const slowCall = time.Millisecond

// A survey calls ask for each of the jobs, one after the other on one goroutine, for as long as the
// calls are quick. A slow call keeps the goroutine it is on, and another one goes on with the rest: so
// a slow call delays the others by slowCall, and only slow calls cost a goroutine. If one after the other is
// slow, two go on in place of each: so however many there are, the last begins a few times slowCall late.
type survey struct {
	jobs    []*job
	ask     func(*job)
	slow    func(j *job, since instant) // told of a slow call; may be nil
	next    atomic.Int64                // the number of the job that is next
	working atomic.Int64                // surveyors in charge
	ended   chan struct{}               // closed when there are none
}

// A surveyor is a goroutine that makes calls. It is in charge until there are no more to be made, or it
// finds, having made one, that it has been relieved.
type surveyor struct {
	call  atomic.Int64 // 1 + the number of the call it is in; 0 between calls, -1 when relieved
	since atomic.Int64 // when that call began
}

const relieved = -1

// aFew is how many slow calls in a row have one surveyor only take over.
const aFew = 5

// run returns when each call has been begun, and has returned or is slow.
func (s *survey) run() {
	s.ended = make(chan struct{})
	inCharge := s.dispatch(nil, 1)
	look := time.NewTimer(slowCall)
	defer look.Stop()
	for inARow := 0; ; {
		select {
		case <-s.ended:
			return
		case <-look.C:
		}
		inTime, wait := s.relieve(inCharge)
		slow := len(inCharge) - len(inTime)
		more := slow
		if len(inTime) > 0 {
			inARow = 0
		} else if inARow++; inARow > aFew {
			more *= 2
		}
		inCharge = s.dispatch(inTime, min(more, len(s.jobs)-int(s.next.Load())))
		if slow > 0 {
			s.leave(slow)
		}
		look.Reset(wait)
	}
}

// relieve relieves those whose calls are slow. It returns the others, and when one of them will be slow next.
func (s *survey) relieve(inCharge []*surveyor) (inTime []*surveyor, wait time.Duration) {
	wait = slowCall
	inTime = slices.DeleteFunc(inCharge, func(w *surveyor) bool {
		call, since := w.call.Load(), instant(w.since.Load())
		if call == 0 {
			return false
		}
		if lasts := time.Duration(now() - since); lasts < slowCall {
			wait = min(wait, slowCall-lasts)
			return false
		}
		if !w.call.CompareAndSwap(call, relieved) {
			return false
		}
		if s.slow != nil {
			s.slow(s.jobs[call-1], since)
		}
		return true
	})
	return inTime, wait
}

// dispatch puts n more surveyors in charge.
func (s *survey) dispatch(inCharge []*surveyor, n int) []*surveyor {
	s.working.Add(int64(max(0, n)))
	for range n {
		w := new(surveyor)
		inCharge = append(inCharge, w)
		// Ends with its last call: there is no next one, or it has been relieved.
		go s.work(w)
	}
	return inCharge
}

// leave is called when n surveyors are in charge no more.
func (s *survey) leave(n int) {
	if s.working.Add(int64(-n)) == 0 {
		close(s.ended)
	}
}

func (s *survey) work(w *surveyor) {
	for {
		call := s.next.Add(1)
		if call > int64(len(s.jobs)) {
			s.leave(1)
			return
		}
		if !s.makeCall(w, call) {
			return
		}
	}
}

// makeCall makes the call of that number and reports whether the surveyor is still in charge.
func (s *survey) makeCall(w *surveyor, call int64) (inCharge bool) {
	w.since.Store(int64(now()))
	w.call.Store(call)
	returned := false
	defer func() {
		inCharge = w.call.CompareAndSwap(call, 0)
		if !returned && inCharge {
			// In place of this goroutine, which runtime.Goexit ends; and ends as that would have.
			go s.work(w)
		}
	}()
	s.ask(s.jobs[call-1])
	returned = true
	return
}
