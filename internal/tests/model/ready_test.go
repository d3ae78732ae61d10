package model

import "time"

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
		m.forgetRefusal() // that was an answer to the attempt before
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
