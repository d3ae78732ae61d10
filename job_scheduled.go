package jobs

import (
	"errors"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/agentjobs/jobs/schedule"
)

// ParseSchedule parses a cron expression as Cron and RegisterScheduledJob do, so that a program can check its
// configuration. It starts nothing. It is [schedule.Parse] with another result type: see package schedule for
// what an expression may contain and what it means.
func ParseSchedule(expr string) (cron.Schedule, error) {
	parsed, err := schedule.Parse(expr)
	if err != nil {
		return nil, err // not an interface that contains a nil *schedule.Schedule
	}
	return parsed, nil
}

// Cron executes a job at each occurrence of a cron expression (a scheduled job); see package schedule for the syntax.
// An expression that does not parse, or has no occurrence left, is an error.
func Cron(expr string) Trigger { return expression(expr) }

// On executes a job at each occurrence of a schedule (a scheduled job): package schedule's, robfig/cron's, or your
// own. The schedule is asked once during registration, which waits for the answer, and then by the job. A nil
// schedule, or one with no occurrence left, is an error.
//
// A schedule that later returns the zero time, or a time that is not after the one it was given, has ended, and the
// job is Finished.
func On(schedule cron.Schedule) Trigger { return on{schedule} }

type expression string

func (expression) traits() *traits { return &scheduledTraits }

func (expr expression) kind(_ Job, s *settings) (kind, error) {
	parsed, err := schedule.Parse(string(expr))
	if err != nil {
		return nil, err
	}
	if parsed.Next(time.Now()).IsZero() {
		return nil, fmt.Errorf("schedule %q has no occurrence left", string(expr))
	}
	return &scheduledJob{schedule: parsed, jitter: jitter(s.jitter)}, nil
}

type on struct{ schedule cron.Schedule }

func (on) traits() *traits { return &scheduledTraits }

func (o on) kind(_ Job, s *settings) (kind, error) {
	if o.schedule == nil {
		return nil, errors.New("nil schedule")
	}
	sched := &scheduledJob{schedule: o.schedule, jitter: jitter(s.jitter)}
	var next time.Time
	var err error
	apart(func() { next = sched.occurrenceAfter(time.Now(), caller{}, func(failed error) { err = failed }) })
	switch {
	case err != nil:
		return nil, fmt.Errorf("schedule %T: %w", o.schedule, err)
	case next.IsZero():
		return nil, fmt.Errorf("schedule %T has no occurrence left", o.schedule)
	}
	return sched, nil
}

var scheduledTraits = traits{
	name:         JobTypeScheduled,
	detachedName: JobTypeScheduled,
	options:      optDetached | optJitter,
	periodic:     true,
}

// The wall clock can be set, and a machine can sleep, while timers use the monotonic clock. So a scheduled job looks
// at the wall clock at least this often.
const longestSleep = time.Minute

// A wall clock that is set back by less than this is being adjusted, and has not jumped.
const smallestJump = time.Second

// A scheduledJob executes when its schedule says so.
type scheduledJob struct {
	basicKind
	schedule cron.Schedule
	jitter   jitter

	// Guarded by the job's mutex.
	planned time.Time // when it executes next, by the wall clock; zero if still to be found
	last    time.Time // what was planned for the previous execution
	asOf    time.Time // when planned was found
}

func (s *scheduledJob) after(j *job, o outcome) verdict {
	s.planned = time.Time{}
	return verdict{phase: phaseStarted, mark: failingMark(j, o)}
}

func (s *scheduledJob) due(j *job, _ time.Time) (time.Time, bool) {
	due := s.nowDue(j)
	return time.Now(), due // the schedule may have taken its time
}

func (s *scheduledJob) nowDue(j *job) bool {
	for {
		t := j.pool.wallClock()
		j.mu.Lock()
		stale := s.planned.IsZero() || steppedBack(s.asOf, t)
		asked := j.runNow
		j.mu.Unlock()
		if stale && !asked {
			if !s.plan(j, t) {
				return false
			}
			t = j.pool.wallClock() // as the schedule may have taken its time
		}
		if due, known := s.reached(j, t); known {
			return due
		}
	}
}

// reached reports whether the planned occurrence, or an execution that RunNow has asked for, is due at the given
// time. That is unknown if a restart has skipped the occurrence meanwhile.
func (s *scheduledJob) reached(j *job, t time.Time) (due, known bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.runNow:
		return true, true
	case s.planned.IsZero():
		return false, false
	}
	if wait := s.planned.Sub(t.Round(0)); wait > 0 {
		j.nextLocked(now(), min(wait, longestSleep))
		return false, true
	}
	// Used up in any case: an occurrence that meets a stopped pool is skipped.
	s.last, s.planned = s.planned, time.Time{}
	return true, true
}

func (s *scheduledJob) nextRun(*job) time.Time { return expressible(s.planned) }

// resume skips the occurrence that is planned, if it has passed.
func (s *scheduledJob) resume(j *job) {
	if !s.planned.After(j.pool.wallClock().Round(0)) {
		s.planned = time.Time{}
	}
}

// plan finds the next occurrence after t. It reports false if there is none, or the schedule failed to answer; then
// it has done the rest.
func (s *scheduledJob) plan(j *job, t time.Time) bool {
	asOf := t
	j.mu.Lock()
	if j.hasQuitLocked() {
		j.mu.Unlock()
		return false
	}
	j.begin(inNext)
	if ahead := s.last.Sub(t.Round(0)); ahead > 0 && ahead < smallestJump {
		t = s.last // the clock was adjusted a little: that occurrence was executed already
	}
	j.mu.Unlock()
	var err error
	next := s.occurrenceAfter(t, caller{pool: j.pool, job: j}, func(failed error) {
		err = failed
		j.nextReturned(failed)
	})
	if err != nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if next.IsZero() {
		if !j.runNow {
			j.change(phaseMask, phaseFinished)
			j.setLocked(never)
			if j.attached() {
				j.pool.recount() // a call of its Ready in flight no longer blocks a restart
			}
		}
		return j.runNow
	}
	s.asOf = asOf
	s.planned = next.Round(0).Add(s.jitter.addTo(0))
	return true
}

// occurrenceAfter asks the schedule, which may be user code, and passes done how that ended. It returns the zero time
// if the schedule has ended.
func (s *scheduledJob) occurrenceAfter(t time.Time, who caller, done func(error)) (next time.Time) {
	userCode(who, func() error {
		if answer := s.schedule.Next(t); answer.After(t) {
			next = answer
		}
		return nil
	}, done)
	return next
}

// nextReturned ends a call of the schedule's Next. A panic fails the job as in an execution, but does not count as
// one. A detached job asks again after a while, an attached one after the restart.
func (j *job) nextReturned(failed error) {
	if failed == nil {
		j.end(inNext)
		return
	}
	j.begin(inLog)
	defer j.end(inLog)
	life := j.pool.state()
	failed = ErrExecutingJob.because(fmt.Errorf("schedule: %w", failed), j.typeName(), j.id)
	j.mu.Lock()
	j.lastError = failed
	if !j.attached() {
		j.change(0, markFailing)
		j.nextLocked(now(), longestSleep)
	}
	j.mu.Unlock()
	j.end(inNext)
	j.failed(life, "schedule failed", failed)
}

// steppedBack reports whether the wall clock was set back between two readings.
func steppedBack(from, to time.Time) bool {
	elapsed := to.Sub(from)
	shown := to.Round(0).Sub(from.Round(0))
	return elapsed-shown >= smallestJump
}
