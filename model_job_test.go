package jobs_test

import "time"

// settle does what follows at once, and what is due.
func (m *model) settle() {
	for _, j := range m.jobs {
		if j.executing && !j.late && j.lateAt <= m.now {
			m.isLate(j)
		}
		if j.late && j.giveUpAt <= m.now {
			m.abandoned++
			j.strays++
			m.conclude(j, true, false)
			m.lateReturned(j)
		}
		if j.checking && !j.checkLate && j.checkLateAt <= m.now {
			j.checkLate = true
			m.holdUp(j)
		}
		if j.forgetAt <= m.now && !j.gone {
			m.unregister(j)
		}
	}
	m.settleSweep()
	m.settleAttempt()
	m.start()
}

// start: a ready job starts at once or, attached, "begins with the restart".
func (m *model) start() {
	for _, j := range m.jobs {
		if j.phase == isReady && m.admits(j) {
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
	j.perhaps = j.attached && m.since == m.now && m.restarts > 0
	j.executing, j.call, j.begun = true, e.call, m.now
	j.act, j.actSince = e.act, m.now
	j.executions++
	j.due, j.dueBy, j.joined, j.joinedBy = notSet, notSet, notSet, notSet
	j.open = j.kind == channel && !m.admits(j) // it was stopped at this very instant
	j.listening, j.took, j.contextEnded, j.excused = false, false, j.open, true
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
	j.late, j.contextEnded = true, true
	j.failures++
	j.row++
	if m.abandonAfter > 0 {
		j.giveUpAt = m.now + m.abandonAfter
	}
	m.holdUp(j)
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
		m.quietSince = m.now
		if !e.failed && !e.told {
			m.spentAt = m.now
		}
		j.executing, j.unsure = false, &unsureEnd{m.now, e.failed, e.told && m.spentAt < j.begun}
		if e.failed {
			j.unsureFailures++
		}
	default:
		if j.kind == channel && j.act.deed == obeys.deed {
			m.stopIfPossible()
		}
		if e.told && !j.open {
			m.wrong("%v was told to end by nobody", j)
		}
		j.forGood = e.forGood
		told := j.context && j.contextEnded || j.took || e.told
		j.lasted, j.row = m.now-j.begun, j.row+1
		if !e.failed || told {
			j.row = 0
		} else {
			j.failures++
		}
		m.conclude(j, e.failed, told)
		if e.failed && !told {
			m.stop(j)
		}
	}
}

// conclude draws the consequences for the job of an execution that has ended, was late or given up.
func (m *model) conclude(j *modelJob, failed, told bool) {
	m.quietSince = m.now
	if a := &m.attempt; a.active && j.answer == isYes && m.now <= a.began+m.delay() {
		j.answer = isNone // it may be asked after all
	}
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
	case j.kind == channel, !j.periodic() && !failed:
		j.phase, j.retrying = isFinished, false
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

// aShortWait is what a wait lasts at least, so that a job with hardly a wait leaves the others time to run.
const aShortWait = 10 * time.Microsecond

// plan says when the job next executes: an interval job at the given time, a scheduled one "at each
// occurrence", and after RunNow "right after the one that is executing or waiting".
func (m *model) plan(j *modelJob, at time.Duration) {
	again, perhaps := j.again, j.again && j.perhaps
	j.again, j.perhaps = false, false
	if j.kind == scheduled && (!again || perhaps) {
		at = j.next(m.now)
	}
	switch {
	case perhaps:
		j.due, j.dueBy = m.now, after(at, j.jitter)
		if at == notSet {
			j.unsure = &unsureEnd{at: m.now} // executes, or is Finished
		}
	case again, at <= m.now:
		j.due, j.dueBy = m.now, m.now
	default:
		j.due, j.dueBy = at, max(after(at, j.jitter), m.now+aShortWait)
		m.finishIfOver(j)
	}
}

// finishIfOver: "a scheduled job with no occurrence left" is Finished, if its pool is Stopped perhaps only when
// it restarts.
func (m *model) finishIfOver(j *modelJob) {
	switch {
	case j.kind != scheduled || j.next(m.now) != notSet:
	case m.admits(j):
		j.phase, j.unsure = isFinished, nil
	default:
		j.unsure = &unsureEnd{at: m.now}
	}
}

func after(t, d time.Duration) time.Duration {
	if t == notSet || d == notSet {
		return notSet
	}
	return t + d
}

// asks: a call of Ready begins. "It never runs beside itself or the job's Execute."
func (m *model) asks(j *modelJob) {
	switch {
	case j.asking != nobody || j.executing:
		m.wrong("%v is asked whether it is ready beside itself or an execution", j)
	case j.gone || m.shut:
		m.wrong("%v is asked whether it is ready after its end", j)
	case j.userAsks:
		j.asking, j.userAsks = byUser, false
	case j.phase == isUnready && j.pollAt <= m.now:
		j.asking = byPoll
	case m.mayAsk(j):
		j.asking, j.answer, j.carried = byAttempt, isAsked, false
	default:
		m.wrong("%v is asked whether it is ready, but is due at %v", j, j.pollAt)
	}
	j.joinedBy = notSet // the execution leaves the queue of the lock for as long
}

// answers: a call of Ready has returned. Polls come "with waits of 10 ms, 20 ms, 40 ms … doubling to at
// most the status interval".
func (m *model) answers(j *modelJob, ready bool) {
	by := j.asking
	j.asking = nobody
	ready = ready && !j.gone && !m.shut
	switch {
	case by == byPoll && ready:
		j.phase, j.pollAt = isReady, notSet
	case by == byPoll:
		j.polledAt = m.now
		j.polls++
		j.pollAt = m.now + m.pollWait(j)
	case by == byAttempt && ready:
		j.answer = isYes
	case by == byAttempt:
		j.answer = isNo
	case by == byUser:
		j.userAnswer = ready
	}
}

func (m *model) pollWait(j *modelJob) time.Duration {
	return min(10*time.Millisecond<<min(j.polls-1, 30), m.statusEvery)
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
	obeys := j.executing && j.act.deed == obeys.deed && j.actSince+j.act.after <= m.now
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
