package model

import (
	"time"

	"github.com/agentjobs/jobs"
)

// aSlowCall is what one slow call may delay the others of its sweep, or of its restart attempt, by: "one that
// lasts over a millisecond costs a goroutine". The specification gives no order to the calls of one sweep.
const aSlowCall = time.Millisecond

const atOnce = -time.Hour * 1e6

func (m *model) running() bool { return m.status == jobs.PoolStatusRunning && !m.shut }

func (m *model) each(f func(j *modelJob)) {
	for _, j := range m.jobs {
		if j.attached && !j.gone {
			f(j)
		}
	}
}

func (m *model) count(is func(j *modelJob) bool) (n int) {
	m.each(func(j *modelJob) {
		if is(j) {
			n++
		}
	})
	return n
}

// moments is what the calls of those jobs, also of unregistered ones, may delay others by.
func (m *model) moments(slow func(j *modelJob) bool) (d time.Duration) {
	for _, j := range m.jobs {
		if slow(j) {
			d += aSlowCall
		}
	}
	return d
}

// holds: "late executions and late Status() calls of registered attached jobs hold the restart up".
func (j *modelJob) holds() bool { return j.late || j.checkLate }

func (m *model) heldUp() bool { return m.count((*modelJob).holds) > 0 }

// stop: the pool "is Stopped at once", on account of j or of nobody.
func (m *model) stop(j *modelJob) {
	if j != nil && (!j.attached || j.gone) {
		return
	}
	if m.status == jobs.PoolStatusStopped && m.since == m.now && j != nil && len(m.stoppers) > 0 {
		m.stoppers = append(m.stoppers, j.n)
	}
	if m.status == jobs.PoolStatusStopped {
		return
	}
	life := m.now - m.since
	m.status, m.since, m.turned, m.stoppers = jobs.PoolStatusStopped, m.now, true, nil
	if j != nil {
		m.stoppers = []int{j.n}
	}
	m.sweep.open = false
	m.flaps = m.flapsNow(j, life)
	m.attempt = modelAttempt{after: m.now, afterBy: m.now, doublings: m.flaps}
	m.each(func(j *modelJob) {
		if j.kind == channel && j.executing { // "channel jobs are told to stop"
			j.open, j.contextEnded = true, true
		}
		j.joinedBy = notSet
	})
}

// flapsNow: "a life of the pool that is shorter than the wait before it doubles the next wait, as a refusal does; a life
// as long as ten retry intervals begins anew", and so does a stop by hand.
func (m *model) flapsNow(j *modelJob, life time.Duration) int {
	switch {
	case j == nil, m.restarts == 0, life >= 10*m.retryEvery:
		return 0
	case life < m.retryEvery<<m.attempt.doublings:
		return m.nextDoublings()
	}
	return m.attempt.doublings
}

func (m *model) nextDoublings() int {
	if next := m.attempt.doublings + 1; m.retryEvery<<next <= 10*time.Minute {
		return next
	}
	return 0
}

// fails: "the pool stops at the n-th failure in a row of its Status, or of its execution; 1 unless set".
func (m *model) fails(j *modelJob, inARow uint64) {
	if inARow >= j.threshold {
		m.stop(j)
	}
}

// lateReturned: "the return of the last of them, or unregistering it, is an attempt at once (not before one
// retry interval after the stop)".
func (m *model) lateReturned(j *modelJob) {
	if j.attached && !j.gone && !m.heldUp() {
		restarts := m.turns(jobs.PoolStatusRunning) && m.chooses() // it has been and gone before the attempt looked
		if m.attempt.active && m.count((*modelJob).mayAnswer) == 0 && !restarts {
			m.attempt.active = false // it came to nothing
		}
		m.demand(m.since)
	}
}

// demand has the wait for the next attempt counted from then on.
func (m *model) demand(after time.Duration) {
	if m.status != jobs.PoolStatusStopped || m.shut {
		return
	}
	a := &m.attempt
	a.demanded = a.active
	a.after, a.afterBy, a.doublings = after, after, m.flaps
}

// demandByHand: what is demanded by hand comes at once, and the waits begin anew.
func (m *model) demandByHand() {
	if m.status == jobs.PoolStatusStopped && !m.shut {
		m.flaps = 0
		m.demand(atOnce)
	}
}

// poolIs: the pool has said so.
func (m *model) poolIs(info jobs.PoolInfo, since time.Duration) {
	switch {
	case since != m.now:
	case info.Status == jobs.PoolStatusRunning && m.status == jobs.PoolStatusStopped:
		m.restartIfPossible()
	case info.Status == jobs.PoolStatusStopped:
		m.stopIfPossible()
	}
}

// endedAtLimit: a call of the job has ended, perhaps in the very instant of its limit. Then it may have been late just
// before, which nothing shows yet: that has stopped the pool, and its return is an attempt.
func (m *model) endedAtLimit(j *modelJob, limit time.Duration) {
	if j.attached && limit == m.now {
		m.attempt.perhaps, j.atLimit = true, m.now
	}
}

// stopIfPossible is called when something shows that the pool has been stopped: perhaps by an execution of
// which it is not sure that it failed, or by a call that has ended at its limit.
func (m *model) stopIfPossible() {
	for _, j := range m.jobs {
		if j.unsure != nil && j.unsure.failed && j.unsure.at == m.now || j.atLimit == m.now {
			m.fails(j, max(j.row, j.sick)+1)
		}
	}
}
