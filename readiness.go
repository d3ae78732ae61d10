package jobs

import "time"

const firstReadyWait = 10 * time.Millisecond

// A readiness is what a job keeps of the calls of its Ready. The job's mutex guards it.
type readiness struct {
	polls    uint8         // how often it was asked, and was not ready, before the first execution
	asking   bool          // a call is in progress
	answered chan struct{} // closed at the end of that call; made when somebody waits for it
}

// wakeLocked wakes who waits for an answer; they look again.
func (r *readiness) wakeLocked() {
	if r.answered != nil {
		close(r.answered)
		r.answered = nil
	}
}

// wait returns the time until the next poll.
func (r *readiness) wait(longest time.Duration) time.Duration {
	wait := firstReadyWait
	for range r.polls {
		if wait >= longest {
			return longest
		}
		wait *= 2
	}
	return min(wait, longest)
}

// becomeReady asks a job that has not started yet. If it is not ready, it is asked again later.
func (j *job) becomeReady() bool {
	ready := false
	defer func() { // deferred, since Ready may call runtime.Goexit
		j.mu.Lock()
		defer j.mu.Unlock()
		if ready {
			j.setState(j.state().with(phaseReady))
			return
		}
		j.setLocked(now().after(j.readiness.wait(j.pool.statusInterval())))
		j.readiness.polls = min(j.readiness.polls+1, 60)
	}()
	ready = j.askReady()
	return ready
}

// askReady calls the job's Ready and returns its answer. It first waits for a call in progress. It
// does not call while an execution is in progress, which is answer enough, nor after the job has
// been retired.
func (j *job) askReady() (ready bool) {
	j.mu.Lock()
	for {
		phase := j.state().phase()
		if j.stoppedLocked() || phase == phaseExecuting || phase == phaseLate {
			ready = !j.stoppedLocked()
			j.mu.Unlock()
			return ready
		}
		if !j.readiness.asking {
			break
		}
		j.awaitAnswerLocked()
	}
	j.readiness.asking = true
	j.calls++
	j.mu.Unlock()

	userCode(caller{job: j}, func() error {
		ready = j.task.Ready()
		return nil
	}, func(err error) {
		j.mu.Lock()
		j.readiness.asking = false
		j.readiness.wakeLocked()
		ready = ready && err == nil && !j.stoppedLocked()
		j.mu.Unlock()
		defer j.callEnded()
		if err != nil {
			j.logFailure("call of Ready failed", err)
		}
	})
	return ready
}

// awaitAnswerLocked waits for the call in progress to end, or for the job to be retired. It gives
// the mutex up for as long.
func (j *job) awaitAnswerLocked() {
	if j.readiness.answered == nil {
		j.readiness.answered = make(chan struct{})
	}
	answered := j.readiness.answered
	j.mu.Unlock()
	<-answered
	j.mu.Lock()
}

// hastenReady ends the wait before the next poll sooner, if it is longer than the status interval
// that has just come into force.
func (j *job) hastenReady(before time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state().phase() != phaseUnready || j.cycle.state != cycleWaiting {
		return
	}
	asked := readiness{polls: j.readiness.polls - 1}
	wait := asked.wait(before)
	j.setLocked(j.due.after(asked.wait(j.pool.statusInterval()) - wait))
}
