package jobs

import (
	"context"
	"time"
)

// An outcome is what user code has returned, and why we had told it to.
type outcome struct {
	err    error // nil, a *failure or a *panicError; of a late execution, what is on record
	excuse error // why we had told it to end, if we had: then err is no failure
}

func (o outcome) failed() bool { return o.err != nil && o.excuse == nil }

// A verdict is what follows from that for the job, which its kind knows.
type verdict struct {
	phase jobWord
	mark  jobWord       // the trouble it is in
	wait  time.Duration // until the next step
}

// A manner is what we make of an outcome.
type manner uint8

const (
	endedWell      manner = iota // there is nothing left to do
	endedAsTold                  // with an error, which is no failure
	endedBadly                   // it has failed
	endedLate                    // it had been found late: its failure is on record already
	endedAbandoned               // it had been given up: nothing was changed
)

// An ending is what is left to do at the end of an execution. It is filled in where it is, and not
// returned, since each copy takes of the stack that a goroutine begins with.
type ending struct {
	manner manner
	life   poolWord // if it has failed: the pool's, at that moment
	err    error    // what is to be logged
}

// ended writes down how execution n has ended, and draws the consequences. It returns what time it is
// then, or 0 if that took a while.
func (j *job) ended(n uint32, o outcome) instant {
	end := ending{err: o.err}
	var at instant
	if c, ok := j.kind.(*channelJob); ok {
		at = j.recordChannelEnd(n, o, c, &end)
	} else {
		at = j.recordEnd(n, o, &end)
	}
	if end.manner != endedWell {
		j.follow(&end)
		return 0
	}
	j.pool.dismiss(j)
	return at
}

// recordChannelEnd settles whether a channel job was told to end together with its end.
func (j *job) recordChannelEnd(n uint32, o outcome, c *channelJob, end *ending) instant {
	p := j.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	o.excuse = c.signal.settle(j, o)
	if j.state().has(markGone) {
		p.releaseChannelLocked(c)
	}
	return j.recordEnd(n, o, end)
}

// recordEnd writes down how execution n has ended, and returns what time it is.
func (j *job) recordEnd(n uint32, o outcome, end *ending) instant {
	at := now()
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case !j.inFlightLocked(n):
		end.manner = endedAbandoned
		return at
	case j.state().phase() == phaseLate:
		end.manner = endedLate
		j.concludeLocked(outcome{err: j.lastError}, at)
		return at
	case o.failed():
		end.manner = endedBadly
		end.life = j.pool.state()
		end.err = j.failLocked(o.err)
	case o.err != nil:
		end.manner = endedAsTold
		j.failedInARow = 0
	default:
		j.failedInARow = 0
	}
	j.lastDuration = at.since(j.lastStart)
	j.concludeLocked(o, at)
	if end.manner == endedWell {
		j.calls--
		j.settleLocked() // last: whoever waits for that may read the status then
	}
	return at
}

// follow draws the consequences of an execution's end.
func (j *job) follow(end *ending) {
	if end.manner == endedAbandoned {
		j.logIgnored("abandoned execution has returned", end.err)
		return
	}
	defer j.callEnded()
	switch end.manner {
	case endedLate:
		j.pool.lateReturned(j)
		j.logIgnored("late execution has returned", end.err)
	case endedBadly:
		j.failed(end.life, "job execution failed", end.err)
	case endedAsTold:
		j.logIgnored("execution has ended as told", end.err)
	}
}

// failLocked writes down that the execution in flight has failed.
func (j *job) failLocked(cause error) error {
	j.failures++
	j.failedInARow++
	if r, ok := j.kind.(*retryJob); ok {
		j.lastError = ErrExecutingRetryJob.because(cause, j.typeName(), j.id, r.left(j))
	} else {
		j.lastError = ErrExecutingJob.because(cause, j.typeName(), j.id)
	}
	return j.lastError
}

// concludeLocked ends the execution in flight: its claim and its lock.
func (j *job) concludeLocked(o outcome, at instant) {
	v := j.kind.after(j, o)
	j.setState((j.state() &^ markTrouble).with(v.phase) | v.mark)
	j.cancel = nil
	j.releaseLocked()
	j.nextLocked(at, v.wait)
}

// expired is the cycle's: execution n has outrun its limit or, if that was known, is given up.
func (j *job) expired(n uint32) {
	p := j.pool
	p.mu.Lock()
	j.mu.Lock()
	if phase := j.state().phase(); !j.inFlightLocked(n) || phase != phaseExecuting && phase != phaseLate {
		j.mu.Unlock()
		p.mu.Unlock()
	} else if phase == phaseExecuting {
		j.foundLate()
	} else {
		j.abandoned()
	}
}

// foundLate writes down that the execution in flight has failed by outrunning its limit. It is called
// with the pool's and the job's mutex held, and gives both up.
func (j *job) foundLate() {
	p := j.pool
	at := now()
	j.setState(j.state().with(phaseLate))
	err := j.failLocked(timeoutAfter(at.since(j.lastStart)))
	cancel := j.cancel
	if p.abandonAfter > 0 {
		j.cycle.limit = at.after(p.abandonAfter)
		j.armLimitLocked()
	}
	j.mu.Unlock()
	stop := p.noteLateLocked(p.state(), j, err)
	p.mu.Unlock()
	if cancel != nil {
		cancel(ErrTimeout)
	}
	stop.finish(j, "job execution is late", err)
}

// abandoned gives the late execution in flight up. It is called with the pool's and the job's mutex
// held, and gives both up.
func (j *job) abandoned() {
	p := j.pool
	err := j.lastError
	j.concludeLocked(outcome{err: err}, now())
	j.abandonLocked()
	j.mu.Unlock()
	p.abandonedRuns++
	p.settleLateLocked(j)
	p.mu.Unlock()
	defer j.callEnded()
	j.logFailure("late job execution abandoned", err)
}

// callEnded counts a call of user code that has ended. It comes last, after what there is to log, so
// that nothing is left to come when Shutdown returns; and deferred, since a log handler may call
// runtime.Goexit.
func (j *job) callEnded() {
	j.mu.Lock()
	j.calls--
	j.settleLocked()
	j.mu.Unlock()
	j.pool.dismiss(j)
}

// settleLocked tells who waits for the job to be quiet if it is.
func (j *job) settleLocked() {
	if j.quiet != nil && !j.busyLocked() {
		close(j.quiet)
		j.quiet = nil
	}
}

// busyLocked reports whether a call of user code is in flight.
func (j *job) busyLocked() bool {
	return j.calls > 0 || healthState(j.health.Load()) != healthUnasked
}

// retireLocked ends the job for good: no step begins any more, and nothing waits any longer.
// What it returns ends the context of the execution in flight, or is nil.
func (j *job) retireLocked() context.CancelCauseFunc {
	j.stopLocked()
	j.armLimitLocked() // as nobody looks for it any more
	j.lock.withdrawExecution()
	j.readiness.wakeLocked()
	return j.cancel
}
