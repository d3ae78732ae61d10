package model

import (
	"time"

	"github.com/agentjobs/jobs"
)

// A modelAttempt is one at a restart, the last or the one to come.
type modelAttempt struct {
	// "One retry interval later", and then "after twice the wait": counted from a moment that lies between
	// these two. They differ if slow calls of Ready have delayed the others.
	after, afterBy time.Duration
	doublings      int

	active    bool
	began     time.Duration
	refusedAt time.Duration // the first refusal; notSet if there is none
	forgotten time.Duration // the refusal that counts no more, if the attempt has not failed for it already: nothing shows that yet; notSet if there is none
	demanded  bool          // another one has been asked for in the meantime
	perhaps   bool          // so it was if a Status or an execution that ended at its limit was late just before; nothing shows that yet
	updated   bool          // the durations were changed, while it had failed already or was about to
}

// nextAttempt returns between which times the next attempt is due.
func (m *model) nextAttempt() (from, by time.Duration) {
	a := &m.attempt
	if m.status != jobs.PoolStatusStopped || m.shut || a.active || m.heldUp() {
		return notSet, notSet
	}
	wait := m.retryEvery << a.doublings
	return max(a.after+wait, 0), max(a.afterBy+wait, m.sweepEnd()) // the watchdog may still be busy with a slow call of a sweep
}

// asked: "every attached job that had started and is not Finished".
func (m *model) asked(j *modelJob) bool { return j.phase == isStarted }

func (m *model) beginAttempt() {
	a := &m.attempt
	a.active, a.began, a.refusedAt, a.forgotten, a.demanded, a.perhaps, a.updated = true, m.now, notSet, notSet, false, false, false
	for _, j := range m.jobs {
		if j.carried = j.answer == isAsked; !j.carried { // "an answer that takes long is waited for, and not asked for again"
			j.answer = isNone
		}
		j.excused, j.slowAsk = j.executing || j.ended == m.now, j.asking != nobody // it may have ended just after its turn
		if j.asking == byUser && m.asked(j) {
			j.answer = isAsked // as soon as that call has returned
		}
	}
}

// mayAsk: Ready may be asked for a restart.
func (m *model) mayAsk(j *modelJob) bool {
	a := &m.attempt
	if a.active && (a.demanded || a.perhaps) && (a.refusedAt != notSet || a.perhaps && m.chooses()) && (j.answer > isAsked || j.answer == isNone && m.asksNoMore()) {
		if a.perhaps {
			m.demand(m.since)
		}
		a.active = false // the one that was demanded follows at once
	}
	if from, _ := m.nextAttempt(); from <= m.now {
		m.beginAttempt()
	}
	mayBeNext := a.active && (j.answer == isNone || (j.excused || j.carried) && m.now <= a.began+m.delay())
	return j.attached && m.asked(j) && (mayBeNext || j.answer == isAsked)
}

// forgetRefusal is called when a job's refusal, if it had refused, counts no more: if it was the only one there is none.
func (m *model) forgetRefusal() {
	if a := &m.attempt; a.active && a.refusedAt != notSet && m.count(func(j *modelJob) bool { return j.answer == isNo }) == 0 {
		a.refusedAt, a.forgotten = notSet, a.refusedAt
	}
}

// executionOver: the attempt, which did not have to ask the job while that was executing, may ask it after all.
func (m *model) executionOver(j *modelJob) {
	if a := &m.attempt; a.active && j.answer == isYes && m.now <= a.began+m.delay() {
		j.answer = isNone
	}
}

// asksNoMore says whether the attempt, which has failed, does not even ask those any more that it perhaps had to.
func (m *model) asksNoMore() bool { return m.now > m.attempt.began+m.delay() || m.chooses() }

// delay is what slow calls of Ready may have delayed the others of the attempt by.
func (m *model) delay() time.Duration {
	return m.moments(func(j *modelJob) bool { return j.phase >= isStarted && (j.slowAsk || j.asking != nobody) })
}

// waitedFor says whether the attempt waits for the job's answer, and mayWait whether it perhaps does: the job
// may be Finished, or its execution may have ended just before, or after, it was its turn to be asked.
func (j *modelJob) waitedFor() bool {
	return j.phase == isStarted && j.unsure == nil && (j.answer == isAsked || j.answer == isNone && !j.excused)
}

// mayAnswer says whether the attempt waits for the job's answer, unless the job has finished meanwhile.
func (j *modelJob) mayAnswer() bool {
	return j.waitedFor() || j.phase == isStarted && j.answer == isAsked
}

func (j *modelJob) mayWait() bool {
	return j.phase == isStarted && (j.answer == isAsked || j.answer == isNone && !j.executing)
}

func (j *modelJob) turnUnknown() bool { return j.carried || j.excused && j.answer == isNone }

func (m *model) settleAttempt() {
	a := &m.attempt
	if _, by := m.nextAttempt(); by <= m.now {
		m.beginAttempt()
	}
	if !a.active {
		return
	}
	over := m.now >= a.began+m.delay()
	if refusedAt := a.forgotten; over && refusedAt != notSet {
		if a.forgotten = notSet; m.chooses() {
			a.refusedAt = refusedAt
			m.attemptRefused()
			return
		}
	}
	m.each(func(j *modelJob) {
		j.excused = j.excused || j.executing
		if j.executing && j.answer == isNone && over { // "is not asked and counts as ready"
			j.answer = isYes
		}
		if j.asking == byUser && m.asked(j) && j.answer == isNone && !j.excused && over && m.now > a.began {
			j.answer = isAsked // as soon as that call, which has come first, has returned
		}
		if j.answer == isNo {
			a.refusedAt = min(a.refusedAt, m.now)
		}
	})
	if a.refusedAt != notSet {
		return // until the end of this instant, or of the delay: see checkAttempt
	}
	waiting := m.count((*modelJob).mayWait)
	unasked := m.count(func(j *modelJob) bool { return m.asked(j) && j.turnUnknown() })
	for _, j := range m.jobs {
		if (j.gone || j.phase == isFinished) && j.asking == byAttempt { // nothing of it blocks anyone, but for a moment
			unasked++
		}
	}
	if waiting == 0 && (over || unasked == 0) && !m.restartsLater() {
		if m.count(func(j *modelJob) bool { return j.overdue(m.now) }) > 0 && m.chooses() {
			a.active = false // what is late at the same time was found out first
		} else {
			m.attemptDone()
		}
	}
}

// checkAttempt is called at the end of an instant.
//
// "If not, the next attempt comes after twice the wait, up to 10 minutes, then from the base
// again".
func (m *model) checkAttempt() {
	a := &m.attempt
	if !a.active || m.now < a.began+m.delay() {
		return
	}
	m.each(func(j *modelJob) {
		if m.asked(j) && j.answer == isNone && !j.excused && j.unsure == nil && j.asking == nobody {
			m.wrong("%v was not asked whether it is ready for the restart", j)
		}
	})
	if a.refusedAt == notSet {
		a.active = !m.heldUp() || m.count((*modelJob).mayAnswer) > 0 // else it came to nothing
		return
	}
	m.attemptRefused()
}

// attemptRefused: a Ready has returned false, and the attempt is over.
func (m *model) attemptRefused() {
	a := &m.attempt
	a.active = false
	if a.perhaps && m.chooses() {
		m.demand(m.since)
		return
	}
	if a.demanded || m.heldUp() {
		return
	}
	a.after, a.afterBy = a.refusedAt, m.now
	if a.updated && m.chooses() {
		return
	}
	a.doublings = m.nextDoublings()
}

// attemptDone: "if all are ready, all start again together and the pool is Running; executions still in
// flight belong to the new life of the pool".
func (m *model) attemptDone() {
	m.attempt.active = false
	if m.heldUp() {
		return
	}
	stopped := m.since
	m.status, m.since, m.turned = jobs.PoolStatusRunning, m.now, true
	m.restarts++
	m.sweep.at = m.now
	m.each(func(j *modelJob) {
		j.doubtful = j.listening && j.ended == m.now
		j.joinedBy, j.answer, j.listening = notSet, isNone, false
		switch {
		case j.executing:
			if j.open {
				j.open, j.untoldAt = false, m.now
			}
		case j.kind == scheduled && m.now < j.due && j.due < notSet: // what was planned stays
			j.dueBy = max(j.dueBy, m.now+aShortWait)
		case j.kind == interval && j.well && m.now < j.due && j.due < notSet: // it "keeps its due time over a restart"
			j.dueBy = max(j.dueBy, m.now+aShortWait)
		case j.waits(m.now) && (j.kind == interval || j.joined <= stopped || j.joined == m.now || m.now < j.dueBy):
			// It is in the queue of its lock, and may execute for what it came for before the stop; or its
			// jitter has yet to pass.
			m.mayExecute(j)
		case j.unsure != nil: // it begins again, or is Finished
			m.finishIfOver(j)
		case j.phase == isStarted && j.kind == scheduled && j.due == m.now && m.chooses(): // its time has come just after the restart
			j.again = false
			j.due, j.dueBy = m.now, m.now
		case j.phase == isStarted && j.kind == scheduled && j.jitter > 0: // one may be planned that is past, but for its jitter
			j.again = false
			m.mayExecute(j)
		case j.phase == isStarted:
			j.again = false
			m.plan(j, m.now)
		}
	})
	m.start()
}

// mayExecute: an interval job executes, a scheduled one perhaps.
func (m *model) mayExecute(j *modelJob) {
	j.due, j.dueBy = m.now, after(m.now, j.jitter)
	if j.kind == scheduled {
		if j.dueBy = after(j.next(m.now), j.jitter); j.dueBy == notSet {
			j.unsure = &unsureEnd{at: m.now} // executes, or is Finished
		}
	}
}

// mayRestartFor takes an execution that begins for what shows that the pool has restarted, if that may be.
func (m *model) mayRestartFor(j *modelJob) {
	if j.attached && !m.admits(j) {
		m.restartIfPossible()
	}
}

func (m *model) restartIfPossible() {
	if from, _ := m.nextAttempt(); from <= m.now {
		m.beginAttempt()
	}
	if !m.attempt.active || m.heldUp() || m.attempt.refusedAt != notSet {
		return
	}
	if m.count(func(j *modelJob) bool { return j.waitedFor() || j.answer == isNo }) == 0 {
		m.attemptDone()
	}
}
