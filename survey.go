package jobs

import (
	"sync/atomic"
	"time"
)

// A call that lasts longer than this is slow.
const slowCall = time.Millisecond

// A survey calls ask for each of the jobs, one after the other on one goroutine, for as long as the
// calls are quick. A slow call keeps the goroutine it is on, and another one goes on with the rest: so
// a slow call delays the others by slowCall, and only slow calls cost a goroutine.
type survey struct {
	jobs  []*job
	ask   func(*job)
	slow  func(j *job, since instant) // told of a slow call; may be nil
	next  int                         // the job that is next; owned by the surveyor in charge
	ended chan struct{}               // closed when there is no next one
}

// A surveyor is a goroutine that makes calls. It is in charge until it finds, having made one, that it
// has been relieved.
type surveyor struct {
	call  atomic.Int64 // 1 + the number of the call it is in; 0 between calls, -1 when relieved
	since atomic.Int64 // when that call began
}

const relieved = -1

// run returns when each call has been begun, and has returned or is slow.
func (s *survey) run() {
	s.ended = make(chan struct{})
	inCharge := s.dispatch()
	look := time.NewTimer(slowCall)
	defer look.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-look.C:
		}
		wait := slowCall
		call, since := inCharge.call.Load(), instant(inCharge.since.Load())
		if lasted := time.Duration(now() - since); call == 0 {
			// Between two calls.
		} else if lasted < slowCall {
			wait -= lasted
		} else if inCharge.call.CompareAndSwap(call, relieved) {
			if s.slow != nil {
				s.slow(s.jobs[call-1], since)
			}
			inCharge = s.dispatch()
		}
		look.Reset(wait)
	}
}

func (s *survey) dispatch() *surveyor {
	w := new(surveyor)
	// Ends with its last call: there is no next one, or it has been relieved.
	go s.work(w)
	return w
}

func (s *survey) work(w *surveyor) {
	for s.next < len(s.jobs) {
		j := s.jobs[s.next]
		s.next++
		if !s.makeCall(w, j, int64(s.next)) {
			return
		}
	}
	close(s.ended)
}

// makeCall makes the call of that number and reports whether the surveyor is still in charge. From the
// moment on in which it says that it is in the call, it may be relieved, and touches nothing of s.
func (s *survey) makeCall(w *surveyor, j *job, call int64) (inCharge bool) {
	ask := s.ask
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
	ask(j)
	returned = true
	return
}
