package model

import (
	"time"

	"github.com/agentjobs/jobs"
)

// A modelSweep is the watchdog's: "every status interval, the first one interval after a (re)start, Status
// of every attached job that is Running is called".
type modelSweep struct {
	number  int
	at      time.Duration // of the last one or, if there was none since, the (re)start
	open    bool          // there may be calls of it to come
	counted bool          // whether there is any attached job
}

func (m *model) sweepDue() time.Duration {
	if !m.running() || !m.sweep.counted {
		return notSet
	}
	return m.sweep.at + m.statusEvery
}

func (m *model) settleSweep() {
	s := &m.sweep
	if attached := m.count(func(*modelJob) bool { return true }) > 0; attached != s.counted {
		s.counted, s.at = attached, m.now
	}
	if m.sweepDue() <= m.now {
		s.number++
		s.at, s.open = m.now, true
		for _, j := range m.jobs {
			j.owed, j.slowCheck = j.attached && !j.checking, false
		}
	}
	for _, j := range m.jobs {
		j.owed = j.owed && !j.gone && j.unsure == nil && m.statusOf(j) == jobs.JobStatusRunning
	}
}

// sweepEnd is the time until when calls of the sweep may begin.
func (m *model) sweepEnd() time.Duration {
	return m.sweep.at + m.moments(func(j *modelJob) bool { return j.slowCheck })
}

// checkSweep is called at the end of an instant.
func (m *model) checkSweep() {
	if !m.sweep.open || m.now < m.sweepEnd() {
		return
	}
	m.sweep.open = false
	m.each(func(j *modelJob) {
		if j.owed && m.statusOf(j) == jobs.JobStatusRunning && j.atLimit != m.now && j.foundLate != m.now { // it may have been late just then
			m.wrong("Status of %v has not been called", j)
		}
	})
}

// checks: a call of Status begins. "Never two calls for one job at once", and never of a detached job.
func (m *model) checks(j *modelJob) {
	if j.hurried && j.phase == isReady {
		j.phase = isStarted
		m.plan(j, m.now)
	}
	open := m.sweep.open || m.turned && m.status == jobs.PoolStatusStopped && m.now <= m.sweepEnd()
	switch status := m.statusOf(j); {
	case j.checking:
		m.wrong("Status of %v is called beside itself", j)
	case !j.attached || j.gone || m.shut || !open || j.swept == m.sweep.number:
		m.wrong("Status of %v is called, but no sweep is to", j)
	case status != jobs.JobStatusRunning && !m.turned && j.begun+j.lasted != m.now && j.ended != m.now && j.lateAt != m.now:
		m.wrong("Status of %v is called, which is %v", j, status)
	}
	j.checking, j.owed, j.swept, j.checkLife = true, false, m.sweep.number, m.restarts
	limit := m.limit
	if j.limit > 0 {
		limit = j.limit
	}
	if j.checkLateAt = notSet; limit > 0 {
		j.checkLateAt = m.now + limit
	}
}

// checked: a call of Status has returned.
func (m *model) checked(j *modelJob, failed bool) {
	late := j.checkLate
	switch {
	case late:
	case failed:
		j.sick++
	default:
		j.sick = 0
	}
	if !late {
		m.endedAtLimit(j, j.checkLateAt)
	}
	j.checking, j.checkLate, j.checkLateAt = false, false, notSet
	switch {
	case late:
		m.lateReturned(j)
	case failed && j.checkLife == m.restarts:
		m.fails(j, j.sick)
	}
}
