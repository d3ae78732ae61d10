package jobs

import (
	"fmt"
	"sync/atomic"
	"time"
)

// A timeLimit is how long one call may last, an execution or a call of Status: 0 or less means that it is not
// limited. It is looked up as the call begins, and the call keeps it, whatever UpdateDurations sets meanwhile.
type timeLimit time.Duration

// exceeded returns the error of a call that lasts longer than its limit, and has lasted as long so far.
func exceeded(lasted time.Duration) error { return fmt.Errorf("%w (%v)", ErrTimeout, lasted) }

// statusLimit returns the limit of a call of Status that begins now.
func (j *job) statusLimit() timeLimit {
	if j.timeout > 0 {
		return timeLimit(j.timeout)
	}
	return timeLimit(j.pool.durations().executionTimeout)
}

// executionLimit returns the limit of an execution that begins now.
func (j *job) executionLimit() timeLimit {
	switch {
	case j.traits.told:
		return 0
	case j.traits.periodic:
		return j.statusLimit()
	}
	return timeLimit(j.timeout)
}

// limitLook is how often a pool looks for executions that will be late before long.
//
// An execution's limit is told by its cycle's timer. But to arm that when the execution begins, and to
// set it anew when it ends, costs as much as all the rest of an execution, and makes the runtime go
// through all timers there are. So it is armed by a look at what is executing, in time. Limits too short
// for that are armed at once.
const limitLook = 10 * time.Second

// A limitWatch sees to it that limits are armed. It looks only while there are some that are not.
type limitWatch struct {
	cycle cycle
	on    atomic.Bool // a look is to come
}

// A limiter is a pool as its limitWatch's cycle sees it.
type limiter Pool

func (l *limiter) step(uint32, time.Time) instant {
	(*Pool)(l).armLimits()
	return 0
}

func (l *limiter) expired(uint32) {} // a look has no limit

// limitLocked limits the execution that has begun at the given instant. It has been claimed already: that comes
// before the question whether a look is to come, as in armLimits the two come the other way round.
func (j *job) limitLocked(begun instant) {
	limit := time.Duration(j.executionLimit())
	if limit <= 0 {
		return
	}
	j.expiry = begun.after(limit)
	if limit < 2*limitLook {
		j.armExpiryLocked()
	} else if !j.pool.limits.on.Load() {
		j.pool.lookForLimits()
	}
}

// lookForLimits has a look come.
func (p *Pool) lookForLimits() {
	l := &p.limits
	l.cycle.mu.Lock() // so that lookForLimitsNow does not come between the two
	defer l.cycle.mu.Unlock()
	if l.on.CompareAndSwap(false, true) {
		l.cycle.setLocked(now().after(limitLook))
	}
}

// lookForLimitsNow has a look that is to come take place at once. If there are no jobs, it is the last.
func (p *Pool) lookForLimitsNow() {
	if p.limits.on.Load() {
		p.limits.cycle.set(atOnce)
	}
}

// armLimits is the look. It first says that no look is to come, and looks at the jobs then: so an execution
// that it does not see has yet to ask, and has another look come.
func (p *Pool) armLimits() {
	p.limits.on.Store(false)
	again := false
	for j := range p.registry.all() {
		if j.state().has(inExecute) && !j.armExpiryBefore(now().after(2*limitLook)) {
			again = true
		}
	}
	if again {
		p.lookForLimits()
	}
}

// armExpiryBefore arms the limit of the execution in flight if it comes before the horizon, and reports
// whether there is nothing more to look for.
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

// A probe watches a call of Status that lasts. The job's mutex guards it.
type probe struct {
	since instant
	timer *time.Timer // its time limit; nil if it has none. Ended with the call
}

// watchStatus has a call of Status watched, if it is still in flight and not watched yet.
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
	j.probe = watch
	if limit > 0 {
		watch.timer = time.AfterFunc(time.Duration(limit)-time.Duration(now()-since), func() { j.statusExpired(watch) })
	}
}

// statusExpired is the timer's: the call that is watched has exceeded its limit, if it is still in flight.
func (j *job) statusExpired(watch *probe) {
	p := j.pool
	p.mu.Lock()
	err := j.markLateStatus(watch)
	stopped := err != nil && p.noteLateLocked(j, err)
	p.mu.Unlock()
	if err != nil {
		defer j.end(inLog)
		j.logFailed("job status is late", err, stopped)
	}
}

func (j *job) markLateStatus(watch *probe) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.probe != watch {
		return nil
	}
	j.begin(inLog)
	j.change(0, lateStatus)
	return j.statusError(exceeded(time.Duration(now() - watch.since)))
}

// expired is the cycle's: execution n has exceeded its limit or, if that was known, is given up.
func (j *job) expired(n uint32) {
	p := j.pool
	p.mu.Lock()
	var stopped bool
	late, abandoned, err := j.recordExpiry(n)
	switch {
	case late:
		stopped = p.noteLateLocked(j, err)
	case abandoned:
		p.abandonedRuns++
		p.clearLateLocked(j)
	}
	p.mu.Unlock()
	if !late && !abandoned {
		return
	}
	defer j.end(inLog)
	if abandoned {
		j.logFailure("late job execution abandoned", err)
	} else {
		j.logFailed("job execution is late", err, stopped)
	}
}

// recordExpiry writes down that execution n has failed by exceeding its limit or, if that was done, that it is
// abandoned; or it does nothing, since it has ended.
func (j *job) recordExpiry(n uint32) (late, abandoned bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	w := j.state()
	if !j.inFlightLocked(n) || !w.has(inExecute) {
		return false, false, nil
	}
	j.begin(inLog)
	at := now()
	if w.has(lateExecute) {
		err = j.lastError
		j.endExecutionLocked(outcome{err: err}, at)
		j.abandonLocked()
		return false, true, err
	}
	j.change(0, lateExecute)
	j.lastOutcome = timedOut
	err = j.failLocked(exceeded(time.Duration(at - j.begun)))
	j.endContextLocked(ErrTimeout)
	if after := j.pool.settings.abandonAfter; after > 0 {
		j.expiry = at.after(after)
		j.armExpiryLocked()
	}
	return true, false, err
}
