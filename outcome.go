package jobs

import (
	"context"
	"time"
)

// An outcome is how an execution has ended.
type outcome struct {
	err    error // nil, a *failure or a *panicError; of a late execution, what is on record
	excuse error // why we had told it to end, if we had: then err is no failure
}

func (o outcome) failed() bool { return o.err != nil && o.excuse == nil }

// A verdict is what follows.
type verdict struct {
	phase jobWord
	mark  jobWord       // the trouble it is in
	wait  time.Duration // until the next step
}

// ended writes down how execution n has ended, and draws the consequences.
func (j *job) ended(n uint32, o outcome) {
	channel, isChannel := j.kind.(*channelJob)
	if isChannel {
		j.pool.mu.Lock() // whether it was told to end is settled together with its end
		o.excuse = channel.signal.settle(j, o)
		if j.state().has(markGone) {
			j.pool.releaseChannelLocked(channel)
		}
	}
	end := j.recordEnd(n, o)
	if isChannel {
		j.pool.mu.Unlock()
	}
	if end.abandoned {
		j.logIgnored("abandoned execution has returned", o)
		return
	}
	defer j.callEnded()
	if end.cancel != nil {
		end.cancel(context.Canceled)
	}
	switch {
	case end.late:
		j.pool.lateReturned(j)
		j.logIgnored("late execution has returned", o)
	case end.failed != nil:
		j.failed(end.life, "job execution failed", end.failed)
	case o.err != nil:
		j.logIgnored("execution has ended as told", o)
	}
}

// An ending says what the end of an execution came to.
type ending struct {
	abandoned bool // it had been given up: nothing was changed
	late      bool // it had been found late: its failure is on record already
	failed    error
	life      poolWord // the pool's, at that moment
	cancel    context.CancelCauseFunc
}

func (j *job) recordEnd(n uint32, o outcome) (end ending) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.inFlightLocked(n) {
		return ending{abandoned: true}
	}
	ended := now()
	end.life = j.pool.state()
	end.cancel = j.cancel
	end.late = j.state().phase() == phaseLate
	switch {
	case end.late:
		o = outcome{err: j.lastError}
	case o.failed():
		j.lastDuration = ended.since(j.lastStart)
		end.failed = j.failLocked(o.err)
	default:
		j.lastDuration = ended.since(j.lastStart)
		j.failedInARow = 0
	}
	j.concludeLocked(o, ended)
	return end
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
		j.limitLocked(at, p.abandonAfter)
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
	j.lock.withdrawExecution()
	j.readiness.wakeLocked()
	return j.cancel
}
