package model

import (
	"errors"
	"slices"
	"time"

	"github.com/agentjobs/jobs"
)

// check tells the model what has happened, and compares what the pool says of itself with it.
func (r *run) check() error {
	for _, p := range r.players {
		p.Look()
	}
	now, events := r.now(), r.drain()
	r.explain(func(m *model) {
		if m.advance(now, events); m.err == nil {
			r.checkJobs()
			r.checkPool()
		}
	})
	return r.model.err
}

func (r *run) checkJobs() {
	m := r.model
	var infos []jobs.JobInfo
	for info := range r.pool.Jobs() {
		infos = append(infos, info)
	}
	for _, j := range m.jobs {
		switch _, known := r.pool.Job(j.id); {
		case j.gone && (known || r.pool.GetJobStatus(j.id) != "" || r.pool.GetJob(j.id) != nil):
			m.wrong("%v is known, though unregistered", j)
		case j.gone:
		case len(infos) == 0 || infos[0].ID != j.id:
			m.wrong("Jobs leaves %v out, or is out of order", j)
			return
		default:
			m.adopt(j, infos[0])
			r.checkJob(j, infos[0])
			infos = infos[1:]
		}
	}
	if len(infos) > 0 {
		m.wrong("Jobs has one too many: %v", infos)
	}
}

// adopt takes over what the pool made of an end that the model is not sure of, if that may be.
func (m *model) adopt(j *modelJob, info jobs.JobInfo) {
	more := info.Failures - j.failures
	if j.kind == channel && j.shares {
		if more > j.unsureFailures {
			m.wrong("%v has %d failures, from %d to %d are possible", j, info.Failures, j.failures, j.failures+j.unsureFailures)
		}
		j.failures, j.unsureFailures = info.Failures, 0
		j.row = min(info.ConsecutiveFailures, j.failures)
	}
	if j.hurried && j.phase == isReady && info.Status != jobs.JobStatusInitializing {
		j.phase = isStarted // just before the stop that kept it from executing
		switch {
		case j.kind == scheduled:
			m.plan(j, m.now)
		case j.kind == interval && j.holder != free: // it may be in the queue of its lock
			j.due, j.dueBy, j.joined = m.now, m.now, m.now
		}
	}
	j.hurried = false
	end := j.unsure
	switch {
	case end == nil:
		return
	case info.Status == jobs.JobStatusFinished && end.obeyed:
		m.wrong("%v has finished, though it took the nil that it was told with", j)
	case info.Status == jobs.JobStatusFinished && !end.failed:
		j.phase = isFinished
	case !j.attached && more > 0:
		j.broken = true
	case j.kind == scheduled && (!m.admits(j) || j.due <= m.now):
		return
	case m.admits(j):
		m.wrong("%v has ended, and neither begins again nor stops the pool", j)
	}
	j.unsure = nil
}

func (r *run) checkJob(j *modelJob, info jobs.JobInfo) {
	m := r.model
	same := func(what string, got, want any) {
		if got != want {
			m.wrong("%s of %v is %v, want %v", what, j, got, want)
		}
	}
	same("the status", info.Status, m.statusOf(j))
	same("GetJobStatus", r.pool.GetJobStatus(j.id), m.statusOf(j).String())
	same("Executions", info.Executions, j.executions)
	same("Failures", info.Failures, j.failures)
	same("ConsecutiveFailures", info.ConsecutiveFailures, j.row)
	if j.atLimit == m.now { // it may have been late just before
		j.sick = info.StatusFailures
	}
	same("StatusFailures", info.StatusFailures, j.sick)
	same("whether there is a LastStatusError", info.LastStatusError != nil, j.sick > 0)
	same("whether there is a LastError", info.LastError != nil, j.erred)
	same("whether that is of one that was late", errors.Is(info.LastError, jobs.ErrTimeout), j.timedOut)
	same("LastDuration", info.LastDuration, j.lasted)
	same("LastStart", r.sinceStart(info.LastStart), j.begun)
	same("whether it is executing", info.NotExecuting == "", j.executing && !j.late)
	r.checkNextRun(j, r.sinceStart(info.NextRun))
	r.checkGates(j, info)
}

// checkGates: a job executes when all gates are open, and else "NotExecuting and Reason are its first shut gate".
func (r *run) checkGates(j *modelJob, info jobs.JobInfo) {
	first := jobs.Gate{}
	for _, g := range r.pool.Explain(j.id) {
		if !g.Open {
			first = g
			break
		}
	}
	if info.Reason != first.Reason || (first.Name == "") != (j.executing && !j.late) {
		r.model.wrong("the first shut gate of %v is %q (%s), and its reason %q", j, first.Name, first.Reason, info.Reason)
	}
	if want := r.model.firstShut(j); j.unsure == nil && !slices.Contains(want, first.Name) {
		r.model.wrong("the first shut gate of %v is %q (%s), want one of %q", j, first.Name, first.Reason, want)
	}
}

// firstShut returns the first of a job's gates that is shut, in their order; or two, if it is not sure that it is due.
func (m *model) firstShut(j *modelJob) []jobs.GateName {
	var first jobs.GateName
	switch {
	case j.late:
		first = jobs.GateNotLate
	case j.executing: // all are open
	case j.phase >= isFinished, j.broken:
		first = jobs.GateNotEnded
	case m.shut:
		first = jobs.GatePoolOpen
	case !m.admits(j):
		first = jobs.GatePoolRunning
	case j.asking != nobody, j.phase == isUnready:
		first = jobs.GateReady
	case !j.waits(m.now) || j.holder == free:
		first = jobs.GateSchedule
	case j.dueBy <= m.now:
		first = jobs.GateLock
	default:
		return []jobs.GateName{jobs.GateLock, jobs.GateSchedule}
	}
	return []jobs.GateName{first}
}

// checkNextRun adopts a wait that was lengthened by WithJitter.
func (r *run) checkNextRun(j *modelJob, next time.Duration) {
	m := r.model
	waits := j.phase == isStarted && !j.executing && m.admits(j)
	if waits && max(j.due, m.now+1) <= next && next <= j.dueBy {
		j.due, j.dueBy, j.unsure = next, max(next, m.now+aShortWait), nil
	}
	want := time.Duration(-1)
	if waits && m.now < j.due && j.due < notSet {
		want = j.due
	}
	if next != want && (j.due == j.dueBy || m.now < j.due) {
		m.wrong("NextRun of %v is %v, want %v", j, next, want)
	}
}

// sinceStart returns a time as the model has it, and -1 for none.
func (r *run) sinceStart(t time.Time) time.Duration {
	if t.IsZero() {
		return -1
	}
	return t.Sub(r.start)
}

func (r *run) checkPool() {
	m, info := r.model, r.pool.Info()
	same := func(what string, got, want any) {
		if got != want {
			m.wrong("%s of the pool is %v, want %v", what, got, want)
		}
	}
	same("the status", info.Status, m.status)
	same("GetStatus", r.pool.GetStatus(), m.status.String())
	same("Since", r.sinceStart(info.Since), m.since)
	same("Restarts", info.Restarts, m.restarts)
	same("Abandoned", info.Abandoned, m.abandoned)
	same("Unstarted", info.Unstarted, m.count(func(j *modelJob) bool { return j.phase < isStarted }))
	if stopper := slices.IndexFunc(m.jobs, func(j *modelJob) bool { return j.id == info.StoppedBy }); stopper < 0 {
		same("whether nobody has stopped it", info.StoppedBy, "")
		same("how many have stopped it", 0, len(m.stoppers))
	} else if !slices.Contains(m.stoppers, stopper) {
		m.wrong("the pool was stopped by job %d, want %v", stopper, m.stoppers)
	}
	same("whether the latest was announced", m.news.Status == info.Status && m.news.Since.Equal(info.Since) &&
		m.news.Restarts == info.Restarts && m.news.StoppedBy == info.StoppedBy, true)
	r.checkRestart(info)
}

// hears: WithOnStatus's function is "called, one call after the other, when the pool's status has changed".
func (m *model) hears(news jobs.PoolInfo) {
	last := m.news
	m.news = news
	restarts, wait := last.Restarts, time.Duration(0)
	switch {
	case news.Status == jobs.PoolStatusStopped && len(news.HeldUpBy) == 0 && !m.shut:
		wait = m.retryEvery << m.flaps
	case news.Status == jobs.PoolStatusRunning && last.Status == jobs.PoolStatusStopped:
		restarts++
	}
	next := time.Duration(0)
	if !news.NextAttempt.IsZero() {
		next = news.NextAttempt.Sub(news.Since)
	}
	switch {
	case news.Status == last.Status && !m.shut, news.Since.Before(last.Since):
		m.wrong("the pool announces that it is %v since %v, after %v since %v", news.Status, news.Since, last.Status, last.Since)
	case news.Restarts != restarts && !m.shut:
		m.wrong("the pool announces %d restarts, want %d", news.Restarts, restarts)
	case next != wait && !m.shut:
		m.wrong("the pool announces that it is %v and tries to restart after %v, want %v", news.Status, next, wait)
	case news.Status == jobs.PoolStatusRunning && len(news.HeldUpBy) > 0:
		m.wrong("the pool announces that it is running, and held up by %v", news.HeldUpBy)
	}
}

// checkRestart compares when the next attempt comes and what holds it up, if it is sure where the pool is.
func (r *run) checkRestart(info jobs.PoolInfo) {
	m, a := r.model, &r.model.attempt
	if a.active && (a.refusedAt != notSet || m.now <= a.began+m.delay()) {
		return
	}
	next := r.sinceStart(info.NextAttempt)
	switch from, by := m.nextAttempt(); {
	case from == notSet && next != -1:
		m.wrong("NextAttempt is %v, want none", next)
	case from == notSet, from <= m.now:
	case next < from || next > by:
		m.wrong("NextAttempt is %v, want %v", next, from)
	}
	var want []string
	if m.status == jobs.PoolStatusStopped && !m.shut {
		m.each(func(j *modelJob) {
			if j.holds() || j.phase == isStarted && (j.answer == isAsked || j.answer == isNo) {
				want = append(want, j.id)
			}
		})
	}
	if !slices.EqualFunc(info.HeldUpBy, want, func(h jobs.HoldUp, id string) bool { return h.ID == id }) || info.HeldUp != len(want) {
		m.wrong("HeldUpBy is %q, want %q", info.HeldUpBy, want)
	}
}
