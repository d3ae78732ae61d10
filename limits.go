package jobs

import (
	"sync/atomic"
	"time"
)

// limitLook is how often a pool looks for executions that will be late before long.
//
// An execution's limit is told by its cycle's timer. But to arm that when the execution begins, and to
// set it anew when it ends, costs as much as all the rest of an execution, and makes the runtime go
// through all timers there are. So it is armed by a look at what is executing, in time. Limits too short
// for that, and those of jobs that do not execute again and again, are armed at once.
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

// limitLocked limits the job's execution, which has begun at the given instant; not at all if the limit
// is 0 or less. The job's mutex is held, and it has claimed its execution already: that comes before the
// question whether a look is to come, as in armLimits the two come the other way round.
func (p *Pool) limitLocked(j *job, begun instant, limit time.Duration) {
	if limit <= 0 {
		return
	}
	j.cycle.limit = begun.after(limit)
	if limit < 2*limitLook || !j.traits.periodic {
		j.armLimitLocked()
	} else if !p.limits.on.Load() {
		p.lookForLimits()
	}
}

// lookForLimits has a look come.
func (p *Pool) lookForLimits() {
	if p.limits.on.CompareAndSwap(false, true) {
		p.limits.cycle.set(now().after(limitLook))
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
		if j.state().phase() == phaseExecuting && !j.armLimitBefore(now().after(2*limitLook)) {
			again = true
		}
	}
	if again {
		p.lookForLimits()
	}
}

// armLimitBefore arms the limit of the execution in flight if it comes before the horizon, and reports
// whether there is nothing more to look for.
func (j *job) armLimitBefore(horizon instant) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.inStepLocked() || j.cycle.limit == never {
		return true
	}
	if j.cycle.limit < horizon {
		j.armLimitLocked()
		return true
	}
	return false
}
