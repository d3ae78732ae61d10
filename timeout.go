package jobs

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// A timeLimit is the timeout of one call, an execution or a call of Status; 0 or less means that there is none. It is
// looked up as the call begins, and the call keeps it, whatever UpdateDurations sets meanwhile.
type timeLimit time.Duration

// exceeded returns the error of a call that has exceeded its timeout, and has lasted that long so far.
func exceeded(lasted time.Duration) error { return fmt.Errorf("%w (%v)", ErrTimeout, lasted) }

// statusLimit returns the timeout of a call of Status that begins now.
func (j *job) statusLimit() timeLimit {
	if j.timeout > 0 {
		return timeLimit(j.timeout)
	}
	return timeLimit(j.pool.durations().executionTimeout)
}

// executionLimit returns the timeout of an execution that begins now.
func (j *job) executionLimit() timeLimit {
	switch {
	case j.traits().told:
		return 0
	case j.traits().periodic:
		return j.statusLimit()
	}
	return timeLimit(j.timeout)
}

// limitLook is how often a pool looks for executions that will soon be late.
//
// An execution's timeout is reported by its cycle's timer. But arming that when the execution begins, and resetting
// it when it ends, costs as much as all the rest of an execution, and makes the runtime go through all timers. So it
// is armed in time, by a look at what is executing. Timeouts too short for that are armed at once.
const limitLook = 10 * time.Second

// A limitWatch makes sure that timeouts are armed. It looks only while some are not.
type limitWatch struct {
	cycle cycle
	on    atomic.Bool // a look is scheduled
}

// A limiter is a pool as its limitWatch's cycle sees it.
type limiter Pool

func (l *limiter) step(uint32, time.Time) instant {
	(*Pool)(l).armLimits()
	return 0
}

func (l *limiter) expired(uint32) {} // a look has no timeout

// limitLocked sets the timeout of the execution that began at the given instant, and reports whether it has one.
func (j *job) limitLocked(begun instant) bool {
	limit := time.Duration(j.executionLimit())
	if limit > 0 {
		j.expireLocked(begun, limit)
		return true
	}
	j.expiry = never
	if t := j.traits(); !t.periodic && !t.told {
		j.expireLocked(begun, longCall)
	}
	return false
}

// expireLocked sets when the call in the step in flight, which began at the given instant, is reported. The call is
// claimed first, and this checks afterwards whether a look is scheduled; armLimits does the two in the opposite order.
func (j *job) expireLocked(begun instant, limit time.Duration) {
	j.expiry = begun.after(limit)
	if limit < 2*limitLook || j.hasQuitLocked() {
		j.armExpiryLocked()
	} else if !j.pool.limits.on.Load() {
		j.pool.lookForLimits()
	}
}

// longCall is how long a call that has no timeout, but should return, may last without a word in the log.
const longCall = time.Hour

// A delay is a call without a timeout of which the log was told that it has not returned.
type delay struct {
	step  uint32  // in which it is
	since instant // when it was made or, if it is an execution that was told to end, when that was
}

// logDelay logs that the call in step n has not returned for long, if it is one without a timeout, and does so again as
// long as that lasts.
func (j *job) logDelay(n uint32) (isOne bool) {
	call, lasted := j.delayed(n)
	if lasted > 0 {
		defer j.end(inLog)
		j.warn(ofDelay, slog.LevelWarn, "call has not returned", call, slog.String("call", call), duration("for", lasted))
	}
	return call != ""
}

// delayed returns which call that is, and for how long it has lasted, if that is to be logged: then it counts the call
// of the log handler.
func (j *job) delayed(n uint32) (call string, lasted time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch w := j.state(); {
	case !j.inFlightLocked(n):
		return "", 0
	case w.has(inExecute) && (j.traits().told || !j.traits().periodic && j.timeout == 0):
		call = "Execute"
	case !w.has(inExecute) && w.has(inReady):
		call = "Ready"
	default:
		return "", 0
	}
	if j.pool.state().shut() {
		return call, 0
	}
	at, x := now(), j.extraLocked()
	if x.delay.step != n {
		x.delay = delay{n, at.after(-longCall)}
	}
	j.expireLocked(at, longCall)
	j.begin(inLog)
	return call, time.Duration(at - x.delay.since)
}

// lookForLimits schedules a look.
func (p *Pool) lookForLimits() {
	l := &p.limits
	l.cycle.mu.Lock() // so that lookForLimitsNow cannot come in between
	defer l.cycle.mu.Unlock()
	if l.on.CompareAndSwap(false, true) {
		l.cycle.setLocked(now().after(limitLook))
	}
}

// lookForLimitsNow makes a scheduled look happen at once. If there are no jobs, it is the last.
func (p *Pool) lookForLimitsNow() {
	if p.limits.on.Load() {
		p.limits.cycle.set(atOnce)
	}
}

// armLimits is the look. It first notes that no look is scheduled, and then looks at the jobs: so an execution that
// it does not see has yet to check, and schedules another look.
func (p *Pool) armLimits() {
	p.limits.on.Store(false)
	again := false
	for j := range p.registry.all() {
		if j.state()&(inExecute|inReady) != 0 && !j.armExpiryBefore(now().after(2*limitLook)) {
			again = true
		}
	}
	if again {
		p.lookForLimits()
	}
}

// armExpiryBefore arms the timeout of the execution in flight if it comes before the horizon, and reports whether
// nothing is left to look for.
func (j *job) armExpiryBefore(horizon instant) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.inStepLocked() || j.expiry == never {
		return true
	}
	if j.expiry < horizon {
		j.armExpiryLocked()
		return true
	}
	return false
}

// A probe watches a slow call of Status. The job's mutex guards it.
type probe struct {
	since  instant
	due    instant     // when it times out
	putOff bool        // that was put off, see pardon
	timer  *time.Timer // its timeout; nil if it has none. Stopped with the call
}

// watchStatus starts to watch a call of Status, if it is in flight and not watched yet.
func (j *job) watchStatus(since instant, limit timeLimit) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		w := j.word.Load()
		if jobWord(w)&(inStatus|watchedStatus) != inStatus {
			return
		}
		if j.word.CompareAndSwap(w, w|uint64(watchedStatus)) {
			break
		}
	}
	watch := &probe{since: since}
	j.extraLocked().probe = watch
	if limit > 0 {
		watch.due = since.after(time.Duration(limit))
		watch.timer = time.AfterFunc(time.Duration(limit)-time.Duration(now()-since), func() { j.statusExpired(watch) })
	}
}

// statusExpired is the timer's function: the watched call, if still in flight, has exceeded its timeout.
func (j *job) statusExpired(watch *probe) {
	p := j.pool
	p.mu.Lock()
	e, below := j.markLateStatus(watch)
	if e == nil {
		p.mu.Unlock()
		return
	}
	stopped := p.noteLateLocked(j, e.Error, below)
	p.mu.Unlock()
	j.tellOf(e, func() {
		defer j.end(inLog)
		j.logFailed(ofStatus, "job status is late", e.Error, below, stopped)
	})
}

func (j *job) markLateStatus(watch *probe) (e *untold, below bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.extra.probe != watch {
		return nil, false
	}
	if !watch.putOff && watch.due.missedAt(now()) {
		watch.putOff = true
		watch.timer.Reset(pardon)
		return nil, false
	}
	j.begin(inLog)
	j.change(0, lateStatus)
	j.extra.status.endLocked(ErrTimeout)
	err := j.statusError(exceeded(time.Duration(now() - watch.since)))
	return j.untoldLocked(EventStatusLate, err), j.sickenLocked(err)
}

// expired implements stepper: execution n has exceeded its timeout or, if that was known, is abandoned.
func (j *job) expired(n uint32) {
	if j.logDelay(n) {
		return
	}
	p := j.pool
	p.mu.Lock()
	e, below := j.recordExpiry(n)
	if e == nil {
		p.mu.Unlock()
		return
	}
	var stopped *untold
	message := "job execution is late"
	if e.Kind == EventLate {
		stopped = p.noteLateLocked(j, e.Error, below)
	} else {
		message = "late job execution abandoned"
		p.abandonedRuns++
		p.clearLateLocked(j)
	}
	p.mu.Unlock()
	if h := p.settings.history; h != nil && e.Kind == EventAbandoned {
		h.add(&e.Event)
	}
	j.tellOf(e, func() {
		defer j.end(inLog)
		j.logFailed(ofExecution, message, e.Error, below, stopped)
	})
}

// recordExpiry records that execution n has failed by exceeding its timeout or, if that was known, that it is
// abandoned, and returns the event, and whether it takes more failures to stop the pool. It does nothing if the execution
// has ended.
func (j *job) recordExpiry(n uint32) (e *untold, below bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	w := j.state()
	if !j.inFlightLocked(n) || !w.has(inExecute) {
		return nil, false
	}
	j.begin(inLog)
	at := now()
	if w.has(lateExecute) {
		e = j.untoldLocked(EventAbandoned, j.lastError)
		j.describeLocked(&e.Event)
		j.endExecutionLocked(outcome{err: j.lastError}, at)
		j.abandonLocked()
	} else {
		j.change(0, lateExecute)
		j.lastOutcome = timedOut
		e = j.untoldLocked(EventLate, j.failLocked(exceeded(time.Duration(at-j.begun))))
		below = j.belowThresholdLocked(j.failedInARow)
		j.describeLocked(&e.Event)
		j.endContextLocked(ErrTimeout)
		if after := j.pool.settings.abandonAfter; after > 0 {
			j.expiry = at.after(after)
			j.armExpiryLocked()
		}
	}
	e.Took, e.Outcome = time.Duration(at-j.begun), OutcomeTimeout
	return e, below
}
