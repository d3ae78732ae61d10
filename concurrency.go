package jobs

import (
	"container/list"
	"fmt"
	"sync"
)

// WithMaxConcurrent limits how many executions of single run, retry, interval and scheduled jobs are in progress at once
// to most. A job that is due when there are so many waits, and those that wait execute in the order in which they began
// to. JobInfo.Reason is then ReasonConcurrency, and the wait does not count towards the timeout. An execution counts
// until it has returned, late ones too, unless it is abandoned (see [WithAbandonAfter]). Channel jobs, which last, do not
// count. Without this option there is no limit; below 1 is an error.
//
// A job that waits does not hold its lock, and may be asked whether it is ready. But an execution that waits for another
// job to execute may wait for ever.
func WithMaxConcurrent(most int) PoolOption {
	return poolOption(func(s *poolSettings) {
		if most < 1 {
			s.reject(fmt.Errorf("WithMaxConcurrent(%d): want at least 1", most))
			return
		}
		s.slots = &slots{most: most}
	})
}

// Slots limit how many executions are in progress at once: each has one. While any job waits, all slots are taken: one
// that is released goes to the first in the queue.
//
// Who waits for a slot holds nothing, and who has one waits for nothing: an execution that waits for the job's lock, or
// for an answer of its Ready, may be what that waits for. So a job that is granted a slot, and cannot use it now, gives it
// back; when it waits again, it is in its old place.
type slots struct {
	most int // immutable

	mu      sync.Mutex // guards what follows; no other is acquired while it is held
	taken   int
	tickets uint64    // how many jobs ever waited
	queue   list.List // of *slotWaiter, by their tickets
}

// A slotWaiter is a job that waits for a slot, until its execution begins.
type slotWaiter struct {
	ticket  uint64        // the lowest is served first
	place   *list.Element // in the queue; nil if it is not there. The mutex of the slots guards it
	served  chan struct{} // closed when the wait is over
	granted bool          // the result; written before served is closed
}

// take takes a slot if one is free. If not, the waiter joins the queue: a new one, if place is nil, at its end, and one that
// had waited before in its old place.
func (s *slots) take(place **slotWaiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken < s.most {
		s.taken++
		return true
	}
	if *place == nil {
		s.tickets++
		*place = &slotWaiter{ticket: s.tickets}
	}
	w := *place
	w.served, w.granted = make(chan struct{}), false
	w.place = s.joinLocked(w)
	return false
}

func (s *slots) joinLocked(w *slotWaiter) *list.Element {
	if last := s.queue.Back(); last != nil && w.ticket < last.Value.(*slotWaiter).ticket {
		for e := s.queue.Front(); ; e = e.Next() {
			if w.ticket < e.Value.(*slotWaiter).ticket {
				return s.queue.InsertBefore(w, e)
			}
		}
	}
	return s.queue.PushBack(w)
}

// release gives a slot to the first in the queue, if there is one.
func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.queue.Front()
	if first == nil {
		s.taken--
		return
	}
	w := first.Value.(*slotWaiter)
	w.granted = true
	s.leaveLocked(w)
}

func (s *slots) leaveLocked(w *slotWaiter) {
	s.queue.Remove(w.place)
	w.place = nil
	close(w.served)
}

// withdraw ends the wait without a slot, unless it is over.
func (s *slots) withdraw(w *slotWaiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.place != nil {
		s.leaveLocked(w)
	}
}

// slots returns what limits how many executions there are of the job and others, or nil if nothing does.
func (j *job) slots() *slots {
	if j.traits().told {
		return nil
	}
	return j.pool.settings.slots
}

// awaitSlotLocked waits for a slot, and reports whether it is granted: it is not if the job was retired first. The job's
// mutex is released during the wait.
func (j *job) awaitSlotLocked(w *slotWaiter) (granted bool) {
	j.extraLocked().slot = w
	j.mu.Unlock()
	<-w.served
	j.mu.Lock()
	j.extra.slot = nil
	return w.granted
}

// withdrawSlotLocked ends the job's wait for a slot, if it waits for one.
func (j *job) withdrawSlotLocked() {
	if x := j.extra; x != nil && x.slot != nil {
		j.pool.settings.slots.withdraw(x.slot)
	}
}
