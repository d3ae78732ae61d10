package model

import (
	"time"

	"github.com/agentjobs/jobs"
)

func newModel(s *script) *model {
	return &model{statusEvery: s.statusEvery, retryEvery: s.retryEvery, limit: s.limit, abandonAfter: s.abandonAfter, since: -1, spentAt: -1}
}

// advance lets the model's time pass, in which those events were seen. It goes from instant to instant: what
// was to happen in one is looked for at its end.
func (m *model) advance(to time.Duration, events []event) {
	for m.turned = false; m.err == nil; {
		m.ahead = events
		if m.settle(); len(events) > 0 && events[0].at <= m.now {
			events = m.postponed(events)
			e := events[0]
			events = events[1:]
			m.ahead = events
			m.see(e)
			continue
		}
		m.checkInstant()
		if m.now == to {
			return
		}
		next := min(to, m.nextInstant())
		if len(events) > 0 {
			next = min(next, events[0].at)
		}
		m.now, m.turned = next, false
	}
}

func (m *model) checkInstant() {
	for _, j := range m.jobs {
		m.checkJob(j)
	}
	m.checkSweep()
	m.checkAttempt()
}

// nextInstant returns when something is due next.
func (m *model) nextInstant() time.Duration {
	next := notSet
	add := func(t time.Duration) {
		if t > m.now {
			next = min(next, t)
		}
	}
	for _, j := range m.jobs {
		for _, t := range [...]time.Duration{j.due, j.dueBy, j.lateAt, j.giveUpAt, j.checkLateAt, j.pollAt, j.forgetAt} {
			add(t)
		}
	}
	add(m.sweepDue())
	if m.sweep.open {
		add(m.sweepEnd())
	}
	if m.attempt.active {
		add(m.attempt.began + m.delay())
	}
	from, by := m.nextAttempt()
	add(from)
	add(by)
	return next
}

func (m *model) see(e event) {
	if e.what == poolChanges {
		m.poolIs(e.info, e.since)
		m.hears(e.info)
		return
	}
	j := m.jobs[e.job]
	switch e.what {
	case execBegins:
		m.begins(j, e)
	case execEnds:
		m.ends(j, e)
	case statusBegins:
		m.checks(j)
	case statusEnds:
		m.checked(j, e.failed)
		m.returned(j)
	case readyBegins:
		m.asks(j)
	case readyEnds:
		m.answers(j, !e.failed)
		m.returned(j)
	case lockIsHeld:
		m.granted(j, e.caller)
	case userIsTold:
		if e.ready != j.userAnswer {
			m.wrong("Ready of %v answers %v, but it has said %v", j, e.ready, j.userAnswer)
		}
	}
}

// registers says whether a registration is to succeed.
func (m *model) registers(s *jobSpec) bool {
	return !m.shut && (s.kind != scheduled || s.next(m.now) != notSet)
}

func (m *model) register(s *jobSpec) *modelJob {
	j := &modelJob{jobSpec: *s, n: len(m.jobs), begun: -1, ended: -1, quietSince: -1, givenUpAt: -1, untoldAt: -1, pollAt: m.now,
		forgetAt: notSet, lateAt: notSet, giveUpAt: notSet, checkLateAt: notSet, atLimit: -1, foundLate: -1,
		due: notSet, dueBy: notSet, joined: notSet, joinedBy: notSet}
	m.jobs = append(m.jobs, j)
	if m.status == jobs.PoolStatusInitializing {
		m.status, m.since = jobs.PoolStatusRunning, m.now
	}
	return j
}

// unregister "prevents every further execution; a channel job that is executing is told to stop".
func (m *model) unregister(j *modelJob) {
	if j.gone {
		return
	}
	heldUp := m.heldUp()
	j.retire()
	j.gone = true
	m.forgetRefusal()
	last := j.attached && m.count(func(*modelJob) bool { return true }) == 0
	if last {
		m.flaps, m.attempt.doublings = 0, 0
	}
	if last || j.attached && heldUp && !m.heldUp() {
		m.demand(m.since)
	}
}

func (j *modelJob) retire() {
	j.open = j.kind == channel && j.executing
	j.contextEnded = j.executing
	j.listening, j.retired = false, true
	j.forgetAt = notSet
	j.due, j.dueBy, j.pollAt, j.joined, j.joinedBy = notSet, notSet, notSet, notSet, notSet
}

// shutdown: "begin nothing more, tell channel jobs, end contexts".
func (m *model) shutdown() {
	if m.shut {
		return
	}
	if m.status != jobs.PoolStatusStopped {
		m.status, m.since, m.stoppers = jobs.PoolStatusStopped, m.now, nil
	}
	m.shut = true
	m.sweep.open, m.attempt.active = false, false
	for _, j := range m.jobs {
		if !j.gone {
			j.retire()
		}
	}
}

// runNow: "an error, and nothing happens: unknown id, another kind, pool Stopped (if attached), not ready
// yet, late, shut down".
func (m *model) runNow(j *modelJob) bool {
	if !j.periodic() || !m.admits(j) || j.phase != isStarted || j.late {
		return false
	}
	j.askedIn = m.restarts
	if j.asked = true; j.executing || j.waits(m.now) {
		j.again = true
	} else {
		j.due, j.dueBy = m.now, m.now
	}
	return true
}

// cancel "ends the context of a job's execution in flight". It returns the error that it is to be refused with.
func (m *model) cancel(j *modelJob) error {
	switch {
	case m.shut:
		return jobs.ErrShutdown
	case j.gone:
		return jobs.ErrUnknownJob
	case !j.executing:
		return jobs.ErrNotExecuting
	case !j.context:
		return jobs.ErrNoContext
	}
	j.canceled = j.canceled || !j.contextEnded
	j.contextEnded = true
	return nil
}

// update: "waits already begun end at their begin + the new interval, backoff starts at the new base".
func (m *model) update(interval, limit time.Duration) {
	m.statusEvery, m.retryEvery, m.limit = interval, interval, limit
	m.flaps, m.attempt.doublings = 0, 0
	m.attempt.updated = m.attempt.active && m.attempt.refusedAt != notSet
	for _, j := range m.jobs {
		if j.polls > 0 && j.pollAt > m.now && j.pollAt != notSet { // else it waits only for somebody else's answer
			j.pollAt = j.polledAt + m.pollWait(j)
		}
	}
}

func (j *modelJob) callsInFlight() (n int) {
	for _, is := range [...]bool{j.executing, j.asking != nobody, j.checking} {
		if is {
			n++
		}
	}
	return n
}

// returned: a call of the job's has returned.
func (m *model) returned(j *modelJob) {
	if m.quietSince = m.now; j.quietSince != m.now {
		j.quietSince, j.justReturned = m.now, 0
	}
	j.justReturned++
}

// justInFlight returns how many of the job's calls may have been in flight at some time of this instant: those that have
// returned in it, and that of the log handler, which is told of their ends, of what is late and of what is given up.
func (m *model) justInFlight(j *modelJob) (n int) {
	if j.quietSince == m.now {
		n = j.justReturned
	}
	if n > 0 || j.lateAt == m.now || j.checkLateAt == m.now || j.givenUpAt == m.now {
		n++
	}
	return n
}
