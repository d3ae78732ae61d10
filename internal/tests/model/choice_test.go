package model

import (
	"slices"

	"github.com/agentjobs/jobs"
)

// Choices are how the model copes with several things in one instant, where the specification allows more than
// one order: it chooses one. If that does not explain what the pool did, the run takes the model back to where
// it was and has it choose otherwise (see run.explain). The pool is wrong if no choices explain what it did. So
// each order that is possible is allowed, whole: what follows from it is checked like all else.
type choices struct {
	made []bool
	next int
}

// chooses says whether the model takes the second of two orders. At first it takes the first of all.
func (m *model) chooses() bool {
	c := &m.choices
	if c.next == len(c.made) {
		c.made = append(c.made, false)
	}
	c.next++
	return c.made[c.next-1]
}

// others returns the choices to be tried after these, and whether there are any.
func (c choices) others() (choices, bool) {
	for made := c.made[:c.next]; len(made) > 0; made = made[:len(made)-1] {
		if last := len(made) - 1; !made[last] {
			return choices{made: append(slices.Clone(made[:last]), true)}, true
		}
	}
	return choices{}, false
}

// clone returns a model that is in the same state, and goes its own ways.
func (m *model) clone() *model {
	other := *m
	other.stoppers, other.jobs, other.choices = slices.Clone(m.stoppers), nil, choices{}
	for _, j := range m.jobs {
		twin := *j
		twin.queue = slices.Clone(j.queue)
		other.jobs = append(other.jobs, &twin)
	}
	return &other
}

// explain has the model go on, as try does, from the state that it is in, until its choices explain what was seen.
// If none do, what those have met with that explain the most counts.
func (r *run) explain(try func(m *model)) {
	const enough = 500 // orders to go through, at the most: dozens are rare, and what is wrong is to be told before long
	before := r.model
	var best *model
	c, more := choices{}, true
	for tries := 0; more && tries < enough; tries++ {
		r.model = before.clone()
		r.model.choices = c
		if try(r.model); r.model.err == nil {
			return
		}
		if best == nil || r.model.now > best.now || r.model.now == best.now && len(r.model.ahead) < len(best.ahead) {
			best = r.model
		}
		c, more = r.model.choices.others()
	}
	r.model = best
}

// expects says whether something that the model has yet to be told of has happened in the instant that it is in.
func (m *model) expects(is func(e event) bool) bool {
	return slices.ContainsFunc(m.ahead, func(e event) bool { return e.at == m.now && is(e) })
}

// defers says whether a call of the job's is found late, or given up, only after what the model is told next. That call
// may return in the same instant, and the pool try to restart. What comes first is up to the pool: being late may come
// before the call's return or after; before the attempt, which it prevents; during it, so that it comes to nothing (see
// settleAttempt); or after the restart.
func (m *model) defers(j *modelJob, ends moment) bool {
	returns := func(e event) bool { return e.job == j.n && e.what == ends && (e.call == j.call || ends != execEnds) }
	restarts := j.attached && m.status == jobs.PoolStatusStopped && (j.overdue(m.now) || m.attempt.active)
	switch {
	case !m.expects(func(e event) bool { return restarts || returns(e) }):
		return false
	case restarts && m.attempt.active && j.overdue(m.now) && (ends == statusEnds || !returns(m.ahead[0])):
		return true // of a Status nothing shows yet whether it was late: see checked
	}
	return m.chooses()
}

// answersFirst says whether a job that is to be forgotten in this instant is only after its Ready, too, has returned.
func (m *model) answersFirst(j *modelJob) bool {
	return m.expects(func(e event) bool { return e.job == j.n && e.what == readyEnds }) && m.chooses()
}

// isStopping says whether the pool is stopped in the instant that the model is in, and may just have been, or be about
// to be, when something of the job's happens.
func (m *model) isStopping(j *modelJob) bool {
	return j.attached && (m.status == jobs.PoolStatusStopped && m.turned || m.turns(jobs.PoolStatusStopped))
}

// wasTold says whether an execution that has ended was told to: by a nil that it took, or that was taken for it, or by
// the end of its context. If the pool is stopped in the same instant, that may have ended before, or only after.
func (m *model) wasTold(j *modelJob, e event) bool {
	switch {
	case j.took || e.told || j.canceled:
		return true
	case !j.context:
		return false
	case j.kind == channel && m.isStopping(j) && m.chooses():
		return !j.contextEnded
	}
	return j.contextEnded
}

// turns says whether the model has yet to be told that in the instant that it is in the pool has become that.
func (m *model) turns(status jobs.PoolStatus) bool {
	return m.expects(func(e event) bool { return e.what == poolChanges && e.info.Status == status })
}

// restartsLater says whether the pool, which may restart now, does so only after what the model is told next.
func (m *model) restartsLater() bool {
	if m.turns(jobs.PoolStatusRunning) {
		return m.chooses()
	}
	return len(m.ahead) > 0 && m.ahead[0].at == m.now // it does not, and what is to come tells why
}

// postponed puts the ends of calls that come first behind what follows them, if the pool restarts at the same time, or
// tries to, and may have taken note of them only then: of a begin it takes note before the job sees it, of an end after.
func (m *model) postponed(events []event) []event {
	for events[0].isEnd() && m.jobs[events[0].job].attached && m.status == jobs.PoolStatusStopped {
		m.ahead = events
		next := slices.IndexFunc(events, func(e event) bool { return !e.isEnd() })
		if next < 0 || events[next].at > m.now || !m.turns(jobs.PoolStatusRunning) && !m.attempt.active ||
			events[next].follows(events[0]) || !m.chooses() {
			break
		}
		events = slices.Insert(slices.Clone(events[1:]), next, events[0])
	}
	return events
}

func (e event) isEnd() bool { return e.what == execEnds || e.what == statusEnds }

// follows says whether the event shows that the pool has taken note of that end.
func (e event) follows(end event) bool {
	if e.what == poolChanges || e.job != end.job {
		return false
	}
	return (end.what == statusEnds) == (e.what == statusBegins)
}
