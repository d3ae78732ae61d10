package jobs

import (
	"fmt"
	"time"

	"github.com/agentjobs/jobs/internal/handover"
)

// A sweep is the calls of Status of the attached jobs that are Running, in one life of the pool.
type sweep struct {
	jobs []*job
	life poolWord
}

func (s sweep) Begin(i int) (timeLimit, bool) { return s.jobs[i].beginStatus(s.life) }

func (s sweep) Call(i int, _ timeLimit) { s.jobs[i].callStatus(s.life) }

func (s sweep) Slow(i int, limit timeLimit, since time.Time) {
	s.jobs[i].watchStatus(instantOf(since), limit)
}

// beginStatus claims a call of the job's Status, on behalf of the life of the pool whose word is given, if the job is
// attached and Running and is not being asked already. It returns the limit of the call.
func (j *job) beginStatus(life poolWord) (limit timeLimit, ok bool) {
	for {
		w := j.state()
		if statusOf(w, life) != JobStatusRunning || w&(markAttached|markGone|inStatus) != markAttached {
			return limit, false
		}
		if j.word.CompareAndSwap(uint64(w), uint64(w|inStatus)) {
			break
		}
	}
	if j.pool.state() != life { // looked at after the claim, as in admittedLocked
		j.end(inStatus)
		return limit, false
	}
	limit = j.statusLimit()
	if 0 < limit && limit < timeLimit(handover.Slow) {
		j.watchStatus(now(), limit) // it will be late before it is slow
	}
	return limit, true
}

// callStatus makes the call that was claimed.
func (j *job) callStatus(life poolWord) {
	userCode(caller{pool: j.pool, job: j}, func() error { return inspect(j.task.Status()) }, func(err error) {
		if err == nil {
			j.endStatus()
			return
		}
		j.begin(inLog)
		defer j.end(inLog)
		if late := j.endStatus(); late {
			j.logIgnored("late call of Status has returned", err)
		} else {
			j.failed(life, "job status failed", j.statusError(err))
		}
	})
}

// endStatus ends the call of Status, and reports whether it was late.
func (j *job) endStatus() (late bool) {
	defer j.settle()
	for {
		w := j.word.Load()
		if jobWord(w).has(watchedStatus) {
			return j.endWatchedStatus()
		}
		if j.word.CompareAndSwap(w, w&^uint64(inStatus)) {
			return false
		}
	}
}

func (j *job) endWatchedStatus() (late bool) {
	p := j.pool
	p.mu.Lock() // since the call may be late, see recordLateEnd
	defer p.mu.Unlock()
	if late = j.unwatchStatus(); late {
		p.clearLateLocked(j)
	}
	return late
}

func (j *job) unwatchStatus() (late bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.probe.timer != nil {
		j.probe.timer.Stop()
	}
	j.probe = nil
	late = j.state().has(lateStatus)
	j.change(inStatus|watchedStatus|lateStatus, 0)
	return late
}

func (j *job) statusError(cause error) error {
	return fmt.Errorf("status of %s job %s: %w", j.typeName(), j.id, cause)
}
