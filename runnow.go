package jobs

import "fmt"

// RunNow makes an interval or scheduled job execute now or, if an execution is in progress or waiting for the job's
// lock or its turn (see [WithMaxConcurrent]), right after it; several calls before that begins make one execution. The interval, or the search for the next
// occurrence, counts from its end. RunNow does not wait. Its execution is skipped, like an occurrence, if the pool is
// stopped before it begins.
//
// RunNow returns an error, and does nothing, if the id is unknown (ErrUnknownJob, or ErrUnregistered if it is being
// unregistered), the job is of another kind (ErrNotPeriodic), is not ready yet (ErrNotReady), has ended (ErrEnded) or
// is late (ErrLate), if it is attached and the pool is not Running (ErrStopped), or if the pool was shut down
// (ErrShutdown).
func (p *Pool) RunNow(id string) error {
	j := p.registry.get(id)
	if p.state().closed() {
		return fmt.Errorf("run job %q now: %w", id, p.state().whyClosed())
	}
	if j == nil {
		return fmt.Errorf("run job %q now: %w", id, ErrUnknownJob)
	}
	if err := j.runSoon(); err != nil {
		return fmt.Errorf("run %s job %q now: %w", j.typeName(), id, err)
	}
	return nil
}

func (j *job) runSoon() error {
	if !j.traits().periodic {
		return ErrNotPeriodic
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	pool := j.pool.state()
	switch state := j.state(); {
	case state.has(markGone):
		return ErrUnregistered
	case pool.closed():
		return pool.whyClosed()
	case j.hasQuitLocked():
		return ErrShutdown
	case state.has(lateExecute):
		return ErrLate
	case state.over():
		return ErrEnded
	case !pool.admits(state):
		return ErrStopped
	case !state.started():
		return ErrNotReady
	}
	j.runNow = true
	j.setLocked(atOnce)
	return nil
}
