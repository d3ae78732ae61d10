package model

import (
	"time"

	"github.com/agentjobs/jobs/internal/jobstest"
)

// settle does what follows at once, and what is due.
func (m *model) settle() {
	m.settleSweep() // first: what stops the pool at the same time may leave it as it is, or end it
	for _, j := range m.jobs {
		m.settleLate(j)
		if j.forgetAt <= m.now && !j.gone && !m.answersFirst(j) {
			m.unregister(j)
		}
	}
	restarts, tries := m.restarts, m.attempt.active
	if m.settleAttempt(); m.restarts > restarts || m.attempt.active != tries {
		for _, j := range m.jobs {
			m.settleLate(j) // it may be late just after that, too, and before all else
		}
	}
	m.start()
}

// settleLate finds the job's calls late, and gives its execution up; unless that comes later in this instant.
func (m *model) settleLate(j *modelJob) {
	if j.executing && !j.late && j.lateAt <= m.now && !m.defers(j, execEnds) {
		m.isLate(j)
	}
	if j.late && j.giveUpAt <= m.now && !m.defers(j, execEnds) {
		m.abandoned++
		j.strays++
		j.givenUpAt = m.now
		m.conclude(j, true, false)
		m.lateReturned(j)
	}
	if j.checking && !j.checkLate && j.checkLateAt <= m.now && !m.defers(j, statusEnds) {
		j.checkLate = true
		j.sick++
		m.fails(j, j.sick)
	}
}

// overdue says whether a call of the job's is about to be found late.
func (j *modelJob) overdue(now time.Duration) bool {
	return j.executing && !j.late && j.lateAt <= now || j.checking && !j.checkLate && j.checkLateAt <= now
}

// start: a ready job starts at once or, attached, "begins with the restart".
func (m *model) start() {
	for _, j := range m.jobs {
		switch {
		case j.phase != isReady || !m.admitted(j):
		case m.isStopping(j):
			j.hurried = true
		default:
			j.phase = isStarted
			m.plan(j, m.now)
		}
		if j.waits(m.now) {
			j.joined = min(j.joined, m.now)
		}
	}
}

// begins: an execution begins.
func (m *model) begins(j *modelJob, e event) {
	m.mayRestartFor(j)
	if j.unsure != nil && m.admitted(j) { // it was told to end, or the pool has restarted
		if j.kind == channel {
			j.due = m.now
		}
		j.unsure = nil
	}
	m.checkInterval(j)
	if j.phase == isReady && m.admitted(j) {
		j.phase, j.due = isStarted, m.now // just before the stop
	}
	switch {
	case !m.admitted(j):
		m.wrong("%v executes, but its pool is %v, shut %v, unregistered %v", j, m.status, m.shut, j.gone)
	case j.executing:
		m.wrong("%v executes beside itself", j)
	case j.asking != nobody:
		m.wrong("%v executes beside its Ready", j)
	case j.phase != isStarted:
		m.wrong("%v executes in phase %d", j, j.phase)
	case j.due > m.now:
		m.wrong("%v executes, but is due at %v", j, j.due)
	case j.periodic() && j.holder != free:
		m.wrong("%v executes, but its lock is held by %d", j, j.holder)
	case j.periodic() && len(j.queue) > 0 && j.queue[0].since < j.joined:
		m.wrong("%v executes before lock caller %d, who came first", j, j.queue[0].caller)
	}
	j.perhaps = j.attached && (m.turned && m.restarts > 0 || j.askedIn != m.restarts)
	j.executing, j.call, j.begun = true, e.call, m.now
	j.act, j.actSince = e.act, m.now
	j.executions++
	j.due, j.dueBy, j.joined, j.joinedBy = notSet, notSet, notSet, notSet
	j.open = j.kind == channel && !m.admits(j) // it was stopped at this very instant
	j.doubtful, j.listening, j.took, j.contextEnded, j.canceled, j.excused = false, false, false, j.open, false, true
	if limit := m.limitOf(j); limit > 0 {
		j.lateAt = m.now + limit
	}
	if j.periodic() {
		j.holder = byExecution
	}
}

// limitOf: "WithJobTimeout if above 0, else the pool's". A single run has "no time limit unless one is
// given", a channel job's "limits its Status only".
func (m *model) limitOf(j *modelJob) time.Duration {
	switch {
	case j.kind == channel:
		return 0
	case j.limit > 0 || !j.periodic():
		return j.limit
	}
	return m.limit
}

// isLate: "an execution that outruns it counts as failed at that moment".
func (m *model) isLate(j *modelJob) {
	j.late, j.contextEnded, j.erred, j.timedOut = true, true, true, true
	j.foundLate = m.now
	j.failures++
	j.row++
	if m.abandonAfter > 0 {
		j.giveUpAt = m.now + m.abandonAfter
	}
	m.fails(j, j.row)
}

// ends: an execution has returned.
func (m *model) ends(j *modelJob, e event) {
	switch {
	case !j.executing || e.call != j.call: // given up before: "what it returns is ignored"
		j.strays--
	case j.late:
		m.conclude(j, true, false)
		m.lateReturned(j)
	case j.kind == channel && j.shares && !j.context:
		j.lasted = m.now - j.begun
		m.returned(j)
		m.executionOver(j)
		if !e.failed && !e.told {
			m.spentAt = m.now
		}
		j.executing, j.unsure = false, &unsureEnd{m.now, e.failed, e.told && m.spentAt < j.begun}
		if e.failed {
			j.unsureFailures++
			j.erred = true // whether it had failed or was told
		}
	default:
		if j.kind == channel && j.act.Deed == jobstest.Obeys.Deed {
			m.stopIfPossible()
		}
		if e.told && !j.open && j.untoldAt != m.now {
			m.wrong("%v was told to end by nobody", j)
		}
		j.forGood = e.forGood
		told := m.wasTold(j, e)
		j.lasted, j.row = m.now-j.begun, j.row+1
		if !e.failed || told {
			j.row = 0
		} else {
			j.failures++
		}
		if e.failed && !(told && e.echo) { // the error of one that was told is kept, too, if it says more than the context
			j.erred, j.timedOut = true, false
		}
		m.endedAtLimit(j, j.lateAt)
		m.conclude(j, e.failed, told)
		if e.failed && !told {
			m.fails(j, j.row)
		}
	}
}

// conclude draws the consequences for the job of an execution that has ended, was late or given up.
func (m *model) conclude(j *modelJob, failed, told bool) {
	m.returned(j)
	m.executionOver(j)
	j.ended, j.endedIn, j.well = m.now, m.restarts, !failed
	permanent := j.forGood && !j.late
	j.executing, j.late = false, false
	j.lateAt, j.giveUpAt = notSet, notSet
	j.open, j.took = false, false
	if j.periodic() {
		j.holder = free
	}
	defer func() {
		if j.retired { // nothing follows
			j.due, j.dueBy, j.forgetAt, j.listening = notSet, notSet, notSet, false
		}
	}()
	switch {
	case j.kind == channel && told: // "one that was told is executed again once it has returned"
		j.due, j.dueBy = m.now, m.now
	case j.kind == channel && failed:
		j.broken, j.listening = !j.attached, true
		if j.row < j.threshold {
			j.due, j.dueBy = m.now+m.retryEvery, m.now+m.retryEvery
		}
	case j.kind == channel, !j.periodic() && !failed:
		j.phase, j.retrying = isFinished, false
		j.forgetAt = after(m.now, j.forget)
	case !j.periodic() && told && j.canceled:
		j.phase, j.retrying = isFailed, false
		j.forgetAt = after(m.now, j.forget)
	case !j.periodic() && told: // ended by us: "no failure", nor done
	case j.kind == retry && j.executions < uint64(j.attempts) && !permanent:
		j.retrying = true
		j.due = m.now + j.backoff(j.executions)
		j.dueBy = j.due
	case !j.periodic():
		j.phase, j.retrying = isFailed, false
		j.forgetAt = after(m.now, j.forget)
	default:
		j.failing = failed && !told && !j.attached
		m.plan(j, m.now+j.interval)
	}
}

// granted: JobLock has returned. "Waiters are served in order."
func (m *model) granted(j *modelJob, caller int) {
	switch {
	case j.holder != free:
		m.wrong("caller %d has the lock of %v beside %d", caller, j, j.holder)
	case len(j.queue) == 0 || j.queue[0].caller != caller:
		m.wrong("caller %d has the lock of %v, but %v wait", caller, j, j.queue)
	case j.joinedBy < j.queue[0].since && m.admits(j) && j.asking == nobody:
		m.wrong("caller %d has the lock of %v before its execution, which came first", caller, j)
	}
	j.holder = caller
	j.queue = j.queue[min(1, len(j.queue)):]
}

// checkJob says what has not happened to the job though it had to, by the end of an instant.
func (m *model) checkJob(j *modelJob) {
	retired := j.gone || m.shut
	switch {
	case j.holder == free && len(j.queue) > 0:
		m.wrong("the lock of %v is free, but %v wait", j, j.queue)
	case retired:
	case m.admits(j) && j.waits(m.now) && j.dueBy <= m.now && j.asking == nobody && (!j.periodic() || j.holder == free):
		m.wrong("%v has not begun to execute, though due at %v", j, j.due)
	case j.phase == isUnready && j.pollAt <= m.now && j.asking == nobody:
		m.wrong("%v has not been asked whether it is ready, though due at %v", j, j.pollAt)
	}
	obeys := j.executing && j.act.Deed == jobstest.Obeys.Deed && j.actSince+j.act.After <= m.now
	if obeys && (j.open && !j.took && !j.shares || j.context && j.contextEnded) {
		m.wrong("%v obeys, but has not been told to end", j)
	}
	switch {
	case !j.waits(m.now) || j.asking != nobody:
	case m.admits(j):
		if j.dueBy <= m.now {
			j.joinedBy = min(j.joinedBy, m.now)
		}
	default:
		if j.holder == free && j.dueBy <= m.now { // "finds itself stopped and does not execute"
			j.due, j.dueBy, j.joined, j.again = notSet, notSet, notSet, false
		}
		m.finishIfOver(j)
	}
	j.slowAsk = j.slowAsk || j.asking != nobody
	j.slowCheck = j.slowCheck || j.checking && j.swept == m.sweep.number
}
