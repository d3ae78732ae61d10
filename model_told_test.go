package jobs_test

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
	for m.err == nil {
		if m.lost = m.lost || m.isTie(); m.lost {
			return
		}
		if m.settle(); len(events) > 0 && events[0].at <= m.now {
			m.see(events[0])
			events = events[1:]
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
		m.now = next
	}
}

// isTie says whether a restart is to be attempted at the very time at which a call becomes late. That is no
// coincidence: if one limit and one interval apply to all, limit and interval add up to the same in any
// order. Which of the two comes first is up to the pool, and the model is lost.
func (m *model) isTie() bool {
	from, _ := m.nextAttempt()
	late := func(j *modelJob) bool {
		return j.executing && j.lateAt == m.now && !j.late || j.checking && j.checkLateAt == m.now && !j.checkLate
	}
	return from == m.now && m.count(late) > 0
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
		m.quietSince = m.now
	case readyBegins:
		m.asks(j)
	case readyEnds:
		m.answers(j, !e.failed)
		m.quietSince = m.now
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
	j := &modelJob{jobSpec: *s, n: len(m.jobs), begun: -1, pollAt: m.now,
		forgetAt: notSet, lateAt: notSet, giveUpAt: notSet, checkLateAt: notSet,
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
	if j.attached && (heldUp && !m.heldUp() || m.count(func(*modelJob) bool { return true }) == 0) {
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
	if j.executing || j.waits(m.now) {
		j.again = true
	} else {
		j.due, j.dueBy = m.now, m.now
	}
	return true
}

// update: "waits already begun end at their begin + the new interval, backoff starts at the new base".
func (m *model) update(interval, limit time.Duration) {
	m.statusEvery, m.retryEvery, m.limit = interval, interval, limit
	m.lost = m.attempt.active && m.attempt.refusedAt != notSet // has it failed already, or is it about to?
	m.attempt.doublings = 0
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
