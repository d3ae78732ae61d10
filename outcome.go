package jobs

import "time"

// A record is the bookkeeping of a job's executions. Each execution changes it twice, together with the job's word:
// when it begins, and when it ends or is found late.
type record struct {
	executions   uint64
	failures     uint64
	failedInARow uint64
	begun        instant  // when the last one began; before the first: when the job was registered
	lastStart    wallTime // the same
	lastEnd      wallTime
	lastSuccess  wallTime
	lastDuration time.Duration
	lastError    error
}

// A wallTime is a wall clock time, in nanoseconds since 1970; 0 if there was none. It takes a third of the memory of
// a time.Time.
type wallTime int64

func (t wallTime) time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(t))
}

// An outcome is what user code returned, and why it had been told to.
type outcome struct {
	err    error // nil, a *failure or a *panicError; of a late execution, what was recorded
	excuse error // why it had been told to end, if it had: then err is no failure
}

func (o outcome) failed() bool { return o.err != nil && o.excuse == nil }

// A verdict is what follows for the job, which its kind decides.
type verdict struct {
	phase jobWord
	mark  jobWord       // the trouble it is in
	wait  time.Duration // until the next step
}

// A manner is how we classify an outcome.
type manner uint8

const (
	endedWell      manner = iota // nothing is left to do
	endedAsTold                  // with an error that is no failure
	endedBadly                   // it failed
	endedLate                    // it had been found late: its failure was recorded already
	endedAbandoned               // it had been abandoned: nothing was changed
)

// An Outcome is how an execution ended. Later versions may add more.
type Outcome string

const (
	OutcomeSuccess Outcome = "success" // it returned nil
	OutcomeFailure Outcome = "failure" // it returned an error
	OutcomeTimeout Outcome = "timeout" // it exceeded its timeout, whether or not it has returned since
	OutcomePanic   Outcome = "panic"   // it panicked, or called runtime.Goexit
	OutcomeTold    Outcome = "told"    // it was told to end, and returned an error or is a channel job: neither a success nor a failure
)

// An outcomeCode is an Outcome in a byte: an index of outcomes.
type outcomeCode uint8

const (
	noOutcome outcomeCode = iota
	success
	failed
	timedOut
	panicked
	told
)

var outcomes = [...]Outcome{"", OutcomeSuccess, OutcomeFailure, OutcomeTimeout, OutcomePanic, OutcomeTold}

func (j *job) codeOf(o outcome) outcomeCode {
	switch {
	case o.excuse != nil && (o.err != nil || j.traits().told):
		return told
	case o.err == nil:
		return success
	case panicOf(o.err) != nil:
		return panicked
	}
	return failed
}

// An ending is what is left to do at the end of an execution. It is filled in, not returned, since each copy uses up
// some of the stack that a goroutine begins with.
type ending struct {
	manner manner
	ticket ticket
	life   poolWord // if it has failed: the pool's, at that moment
	err    error    // what is to be logged
	echo   bool     // the error says no more than that its context had ended
	below  bool     // it has failed, but not often enough to stop the pool
}

// ended records how execution n ended, and acts on it. It returns the current time, or 0 if that took a while.
func (j *job) ended(n uint32, o outcome) instant {
	end := ending{err: o.err}
	if o.excuse != nil {
		end.echo = isEcho(o.err, o.excuse)
	}
	var at instant
	if j.traits().told {
		at = j.recordToldEnd(n, o, &end)
	} else {
		at = j.recordEnd(n, o, &end)
	}
	if end.manner == endedWell && end.ticket == 0 && j.pool.settings.history == nil {
		j.settle()
		return at
	}
	j.follow(n, o, &end)
	return 0
}

// follow acts on the end of an execution that somebody is to be told of. It is not part of ended, for the sake of the
// stack that most executions make do with.
func (j *job) follow(n uint32, o outcome, end *ending) {
	if end.manner == endedLate {
		j.recordLateEnd(n, o, end)
	}
	switch end.manner {
	case endedWell:
		j.tellEnd(end, j.settle)
	case endedAbandoned:
		j.abandonedReturned(end)
	default:
		var stopped *untold
		if end.manner == endedBadly && !end.below {
			stopped = j.stopPool(end.life, end.err) // before anything that may take its time
		}
		j.tellEnd(end, func() { j.logEnd(end, stopped) })
	}
}

// recordToldEnd is recordEnd for a job that may have been told to end, which is settled together with its end.
//
//go:noinline
func (j *job) recordToldEnd(n uint32, o outcome, end *ending) instant {
	j.pool.mu.Lock()
	defer j.pool.mu.Unlock()
	return j.recordEnd(n, j.kind().ended(j, o), end)
}

// recordEnd records how execution n ended, and returns the current time. The end of a late one is left to
// recordLateEnd. Unless it ended well, the call that logs it counts from then on.
func (j *job) recordEnd(n uint32, o outcome, end *ending) instant {
	at := now()
	j.mu.Lock()
	defer j.mu.Unlock()
	end.manner = j.mannerLocked(n, o)
	if end.manner == endedAbandoned || end.manner == endedLate {
		return at
	}
	end.life = j.pool.state()
	if end.life.running() {
		j.life = end.life.generation() // this execution belongs to it, whenever it began
	}
	if end.manner != endedWell {
		j.begin(inLog)
	}
	if end.manner == endedBadly {
		end.err = j.failLocked(o.err)
		end.below = j.belowThresholdLocked(j.failedInARow)
	} else {
		j.failedInARow = 0
	}
	if end.manner == endedAsTold && !end.echo {
		j.lastError = j.kind().failure(j, &endedError{o.excuse, o.err})
	}
	j.lastDuration = time.Duration(at - j.begun)
	j.lastOutcome = j.codeOf(o)
	end.ticket = j.issueLocked()
	j.endExecutionLocked(o, at)
	if j.lastOutcome == success {
		j.lastSuccess = j.lastEnd
		j.succeededLocked(at)
	}
	return at
}

// recordLateEnd records that execution n, which was late, has ended, unless it was abandoned meanwhile. A job is
// among the pool's late ones for as long as its word says so: the two change together, with both mutexes held.
func (j *job) recordLateEnd(n uint32, o outcome, end *ending) {
	p := j.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if !j.endLateExecution(n, o, end) {
		end.manner = endedAbandoned
		return
	}
	p.clearLateLocked(j)
}

func (j *job) endLateExecution(n uint32, o outcome, end *ending) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.inFlightLocked(n) {
		return false
	}
	j.begin(inLog)
	end.ticket = j.issueLocked()
	if late, ok := j.lastError.(*Error); ok && o.err != nil && !end.echo {
		j.lastError = late.with(o.err)
		end.err = j.lastError
	}
	j.endExecutionLocked(outcome{err: j.lastError}, now())
	return true
}

func (j *job) mannerLocked(n uint32, o outcome) manner {
	switch {
	case !j.inFlightLocked(n):
		return endedAbandoned
	case j.state().has(lateExecute):
		return endedLate
	case o.failed():
		return endedBadly
	case o.err != nil:
		return endedAsTold
	}
	return endedWell
}

// logEnd logs an execution's end, and tells and logs that it has stopped the pool, if it has.
func (j *job) logEnd(end *ending, stopped *untold) {
	defer j.end(inLog) // deferred, since a log handler may call runtime.Goexit
	switch end.manner {
	case endedLate:
		j.logReturned("late execution has returned", end)
	case endedBadly:
		j.logFailed(ofExecution, "job execution failed", end.err, end.below, stopped)
	case endedAsTold:
		j.logIgnored(ofExecution, "execution has ended as told", end.err)
	}
}

// abandonedReturned logs that an abandoned execution has returned, unless the pool was shut down: nobody waits for
// such an execution, not even its own job, which may be gone.
func (j *job) abandonedReturned(end *ending) {
	p := j.pool
	p.mu.Lock()
	if p.state().shut() {
		p.mu.Unlock()
		return
	}
	j.mu.Lock()
	j.begin(inLog)
	if j.state().has(markGone) {
		p.departLocked(j)
	}
	j.mu.Unlock()
	p.mu.Unlock()
	defer j.end(inLog)
	j.logReturned("abandoned execution has returned", end)
}

// succeededLocked notes what ends with a success.
//
//go:noinline
func (j *job) succeededLocked(at instant) {
	if j.extra == nil {
		return
	}
	j.hushLocked(ofExecution)
	if f := j.extra.freshness; f != nil {
		f.from = at
	}
}

// failLocked records that the execution in flight has failed.
func (j *job) failLocked(cause error) error {
	j.failures++
	j.failedInARow++
	j.lastError = j.kind().failure(j, cause)
	return j.lastError
}

// belowThresholdLocked reports whether it takes more than so many failures in a row to stop the pool.
func (j *job) belowThresholdLocked(failures uint64) bool {
	return j.extra != nil && failures < j.extra.threshold && j.state().has(markAttached)
}

// endExecutionLocked ends the execution in flight: its claim, and so its call, and its lock.
func (j *job) endExecutionLocked(o outcome, at instant) {
	v := j.kind().after(j, o)
	j.change(phaseMask|markTrouble|inExecute|lateExecute, v.phase|v.mark)
	j.ctx = nil
	j.lastEnd = j.lastStart + wallTime(at-j.begun) // by the clock as it was when it began, which saves reading it
	j.releaseLocked()
	j.nextLocked(at, v.wait)
}

// lastEndLocked returns when the last execution ended.
func (j *job) lastEndLocked() instant { return j.begun.after(time.Duration(j.lastEnd - j.lastStart)) }

// retireLocked ends the job for good: no step begins any more, nothing keeps waiting, and the contexts of
// calls in flight end. The pool's mutex is held, too.
func (j *job) retireLocked(cause error) {
	j.quitLocked()
	j.armExpiryLocked() // since nobody looks for it any more
	j.lock.withdrawExecution()
	j.withdrawSlotLocked()
	j.readiness.wakeLocked()
	if x := j.extra; x != nil && x.pause != nil {
		x.pause.stop()
	}
	j.kind().retire(j)
	j.endContextLocked(cause)
	j.endCallsLocked(cause)
}
