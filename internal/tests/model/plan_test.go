package model

import "time"

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
	case again:
		j.due, j.dueBy = m.now, m.now
	case at <= m.now: // "jitter also spreads the first execution and a restart"
		j.due, j.dueBy = m.now, after(m.now, j.jitter)
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
