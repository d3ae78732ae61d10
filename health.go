package jobs

import (
	"fmt"
	"time"
)

// A healthState says what has become of the call of a job's Status:
//
//	unasked -> asked           the sweep calls it
//	asked   -> unasked         it has returned, as nearly all do
//	asked   -> slow            it lasts, and a probe watches it
//	slow    -> late            it has outrun its time limit
//	slow, late -> unasked      it has returned
//
// The first two are all that most calls ever cost. Changes to and from the others are made with the
// job's mutex held.
type healthState uint32

const (
	healthUnasked healthState = iota
	healthAsked
	healthSlow
	healthLate
)

// A probe is a call of Status that lasts.
type probe struct {
	since instant
	timer *time.Timer // its time limit; nil if it has none. Ended with the call
}

func (j *job) changeHealth(from, to healthState) bool {
	return j.health.CompareAndSwap(uint32(from), uint32(to))
}

// healthLimit returns how long a call of Status that has begun then may last; 0 or less means that it is
// not limited.
func (j *job) healthLimit(begun instant) time.Duration {
	if j.limit > 0 {
		return j.limit
	}
	return j.pool.executionTimeoutAt(begun)
}

// checkHealth calls the job's Status, if it is Running and not being called already, on behalf of the
// life of the pool whose word is given.
func (j *job) checkHealth(life poolWord) {
	if j.status() != JobStatusRunning || !j.changeHealth(healthUnasked, healthAsked) {
		return
	}
	if j.pool.state() != life || j.state().has(markGone) { // looked at after the claim, as in advanceLocked
		j.healthChecked(life, nil)
		return
	}
	const latest = never // the limit of a call that begins now is the latest
	if limit := j.healthLimit(latest); limit > 0 && limit <= slowCall {
		j.watchHealth(now())
	}
	userCode(caller{job: j}, func() error { return inspect(j.task.Status()) }, func(err error) {
		j.healthChecked(life, err)
	})
}

// watchHealth has the call in progress, if it is still that, watched.
func (j *job) watchHealth(since instant) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.changeHealth(healthAsked, healthSlow) {
		return
	}
	w := &probe{since: since}
	if limit := j.healthLimit(since); limit > 0 {
		w.timer = time.AfterFunc(limit-time.Duration(now()-since), func() { j.healthExpired(w) })
	}
	j.probe = w
}

// healthExpired is the timer's: the call that w watches has outrun its limit, if it is still on.
func (j *job) healthExpired(w *probe) {
	p := j.pool
	p.mu.Lock()
	j.mu.Lock()
	if j.probe != w || !j.changeHealth(healthSlow, healthLate) {
		j.mu.Unlock()
		p.mu.Unlock()
		return
	}
	j.mu.Unlock()
	err := j.healthError(timeoutAfter(time.Duration(now() - w.since)))
	// That it hangs is true of the pool as it is now, whenever the call began.
	stop := p.noteLateLocked(p.state(), j, err)
	p.mu.Unlock()
	stop.finish(j, "job status is late", err)
}

// healthChecked is called when the call of Status has ended with err.
func (j *job) healthChecked(life poolWord, err error) {
	defer j.healthSettled() // deferred, and after what there is to log, as callEnded
	if err != nil && healthState(j.health.Load()) != healthLate {
		j.failed(life, "job status failed", j.healthError(err))
	}
}

// healthSettled ends the call of Status.
func (j *job) healthSettled() {
	late := false
	if !j.changeHealth(healthAsked, healthUnasked) {
		j.mu.Lock()
		late = healthState(j.health.Load()) == healthLate
		if j.probe.timer != nil {
			j.probe.timer.Stop()
		}
		j.probe = nil
		j.health.Store(uint32(healthUnasked))
		j.mu.Unlock()
	}
	if late {
		j.pool.lateReturned(j)
	}
	if j.retired() {
		j.mu.Lock()
		j.settleLocked()
		j.mu.Unlock()
		j.pool.dismiss(j)
	}
}

func (j *job) healthError(cause error) error {
	return fmt.Errorf("status of %s job %s: %w", j.typeName(), j.id, cause)
}

func timeoutAfter(d time.Duration) error { return fmt.Errorf("%w (%v)", ErrTimeout, d) }
