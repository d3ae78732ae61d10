package jobs

import "container/list"

// A jobLock is the lock of a job. Waiters are served in order. They wait on a channel, so that
// user code can hold the lock for as long as it likes inside a synctest bubble. The job's mutex
// guards it.
type jobLock struct {
	holder holder
	queue  *list.List // of *waiter; nil if nobody ever waited
}

// A holder says who holds a lock.
type holder uint8

const (
	heldByNobody holder = iota
	heldByCaller        // of JobLock
	heldByExecution
)

// A waiter is somebody in the queue for a lock.
type waiter struct {
	as      holder
	served  chan struct{} // closed when the wait is over
	granted bool          // the result; written before served is closed
}

// acquireNow acquires the lock if nobody holds it, and reports whether it did.
func (l *jobLock) acquireNow(as holder) bool {
	if l.holder != heldByNobody {
		return false
	}
	l.holder = as
	return true
}

// acquire acquires the lock and returns nil, or joins the queue.
func (l *jobLock) acquire(as holder) *waiter {
	if l.acquireNow(as) {
		return nil
	}
	if l.queue == nil {
		l.queue = list.New()
	}
	w := &waiter{as: as, served: make(chan struct{})}
	l.queue.PushBack(w)
	return w
}

// release hands the lock to the first in the queue, if there is one.
func (l *jobLock) release() {
	l.holder = heldByNobody
	if l.queue == nil || l.queue.Len() == 0 {
		return
	}
	w := l.queue.Remove(l.queue.Front()).(*waiter)
	l.holder = w.as
	w.granted = true
	close(w.served)
}

// withdrawExecution removes the execution from the queue, if there is one.
func (l *jobLock) withdrawExecution() {
	if l.queue == nil {
		return
	}
	for e := l.queue.Front(); e != nil; e = e.Next() {
		if w := e.Value.(*waiter); w.as == heldByExecution {
			l.queue.Remove(e)
			close(w.served)
			return
		}
	}
}

// executionWaits reports whether an execution is in the queue.
func (l *jobLock) executionWaits() bool {
	if l.queue == nil {
		return false
	}
	for e := l.queue.Front(); e != nil; e = e.Next() {
		if e.Value.(*waiter).as == heldByExecution {
			return true
		}
	}
	return false
}

// lockForExecutionLocked acquires the job's lock for an execution, and reports whether it had to wait. The lock is
// not granted if the job was retired first. The job's mutex is released during the wait.
func (j *job) lockForExecutionLocked() (waited, granted bool) {
	w := j.lock.acquire(heldByExecution)
	if w == nil {
		return false, true
	}
	j.mu.Unlock()
	<-w.served
	j.mu.Lock()
	return true, w.granted
}

// Lock waits for the job's lock, see JobLock.
func (j *job) Lock() {
	j.pool.mu.Lock()
	j.mu.Lock()
	if j.state().has(markGone) {
		j.pool.departLocked(j)
	}
	w := j.lock.acquire(heldByCaller)
	j.mu.Unlock()
	j.pool.mu.Unlock()
	if w != nil {
		<-w.served
	}
}

// Unlock releases the job's lock, see JobUnlock.
func (j *job) Unlock() {
	j.mu.Lock()
	holder := j.lock.holder
	if holder == heldByCaller {
		j.lock.release()
	}
	j.mu.Unlock()
	switch holder {
	case heldByNobody:
		j.logUnlock("unlock of a job that is not locked")
	case heldByExecution:
		j.logUnlock("unlock of a job that is locked by its own execution")
	}
	j.settle()
}

// JobLock waits until the lock of the job with that id is free, and acquires it. Until JobUnlock the job, if it is an
// interval or scheduled job, does not execute; one that is executing holds its lock itself until it has returned. So
// jobs, and other code, can exclude each other. Waiters are served in order of arrival. The lock is not reentrant: a
// job that acquires its own lock inside its Execute waits for itself. For an unknown id JobLock does nothing; the id
// of an unregistered job works until the last holder and waiter are gone.
func (p *Pool) JobLock(id string) {
	if j := p.lockable(id); j != nil {
		j.Lock()
	}
}

// JobUnlock releases the lock that JobLock acquired; any goroutine may do that. It does nothing for an unknown id,
// and only logs if the job is not locked, or is locked by its own execution, which releases it at its end.
func (p *Pool) JobUnlock(id string) {
	if j := p.lockable(id); j != nil {
		j.Unlock()
	}
}
