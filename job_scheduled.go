package jobs

import (
	"cmp"
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

func (expr expression) kind(_ Job, s *settings, at time.Time) (kind, error) {
	parsed, err := schedule.Parse(string(expr))
	if err != nil {
		return nil, err
	}
	sched := newScheduledJob(parsed, s, at)
	sched.expr = string(expr)
	if sched.ends(parsed.Next(at), at) {
		return nil, fmt.Errorf("schedule %q has no occurrence left", string(expr))
	}
	return sched, nil
}

type on struct{ schedule cron.Schedule }

func (on) traits() *traits { return &scheduledTraits }

func (o on) kind(_ Job, s *settings, at time.Time) (kind, error) {
	if o.schedule == nil {
		return nil, errors.New("nil schedule")
	}
	sched := newScheduledJob(o.schedule, s, at)
	var next time.Time
	var err error
	apart(func() { next = sched.occurrenceAfter(at, caller{}, func(failed error) { err = failed }) })
	switch {
	case err != nil:
		return nil, fmt.Errorf("schedule %T: %w", o.schedule, err)
	case sched.ends(next, at):
		return nil, fmt.Errorf("schedule %T has no occurrence left", o.schedule)
	}
	return sched, nil
}

var scheduledTraits = traits{
	name:         JobTypeScheduled,
	detachedName: JobTypeScheduled,
	options:      optDetached | optJitter | optRetries | optThreshold | optCatchUp | optMisfire | optFreshness,
	periodic:     true,
}

// The wall clock can be set, and a machine can sleep, while timers use the monotonic clock. So a scheduled job looks
// at the wall clock at least this often.
const longestSleep = time.Minute

// A wall clock that differs from the monotonic one by less than this is being adjusted, and has not jumped.
const smallestJump = time.Second

// longestCatchUp is how late an occurrence is executed at most. One that is missed by more was missed because the clock
// is, or was, wrong: a computer that sleeps for a year is rarer than one that begins in 1970.
const longestCatchUp = 366 * 24 * time.Hour

// An end of the schedule that the clock has jumped over is believed when the clock has not jumped again for so long.
const longestDoubt = 24 * time.Hour

// lastPlausibleYear is the last that a cron expression can name. A clock that shows a later one is wrong.
const lastPlausibleYear = 2099

// A scheduledJob executes when its schedule says so.
type scheduledJob struct {
	basicKind
	schedule cron.Schedule
	expr     string // of Cron
	jitter   jitter
	catchUp  time.Duration // how late an occurrence is executed at most
	policy   Misfire

	// Guarded by the job's mutex. Times are of the wall clock.
	occurrence time.Time  // the next one; zero if still to be found
	planned    time.Time  // when the job executes for it: later by the jitter
	last       time.Time  // the previous occurrence
	asOf       time.Time  // when the next one was found: with a reading of the monotonic clock, as the one below
	doubted    time.Time  // since when it has seemed that there is none; zero if it does not
	kept       SkipReason // what has kept the job from executing since the next one was found, if that is known
	executed   bool       // the job has executed since
	counts     bool       // what has come since counts as skipped: the job had started
	counted    time.Time  // up to when that was counted, while no next one is found
	misfired   bool       // an occurrence has met a stopped pool or a paused job, and RunOnce applies
}

func newScheduledJob(schedule cron.Schedule, s *settings, at time.Time) *scheduledJob {
	catchUp := longestCatchUp
	if s.catchUp > 0 {
		catchUp = min(catchUp, s.catchUp)
	}
	return &scheduledJob{schedule: schedule, jitter: jitter(s.jitter), catchUp: catchUp, policy: s.misfire, asOf: at}
}

// ends reports whether the schedule, with that occurrence after the given reading of the clock, has none left: whatever the
// clock shows, if it is a cron expression that never had one.
func (s *scheduledJob) ends(next, at time.Time) bool {
	if !next.IsZero() {
		return false
	}
	parsed, ok := s.schedule.(*schedule.Schedule)
	return s.believes(at) || ok && parsed.Next(beforeAll).IsZero()
}

// beforeAll is before the first year that a cron expression can name, in any zone.
var beforeAll = time.Date(1969, 12, 1, 0, 0, 0, 0, time.UTC)

func (s *scheduledJob) warnings(at time.Time) []string {
	parsed, ok := s.schedule.(*schedule.Schedule)
	if !ok {
		return nil
	}
	warnings := schedule.Warnings(parsed, at)
	if first := parsed.Next(at); s.jitter > 0 {
		if second := parsed.Next(first); second.After(first) {
			return s.jitter.warn(warnings, second.Sub(first))
		}
	}
	return warnings
}

func (s *scheduledJob) trigger() string {
	if s.expr == "" {
		return fmt.Sprintf("On(%T)", s.schedule)
	}
	return fmt.Sprintf("Cron(%q)", s.expr)
}

// replace keeps an occurrence of the old schedule that waits for its jitter, or for the restart, and how late one is that
// waits for its turn.
func (s *scheduledJob) replace(old kind, j *job) {
	s.counts = true
	if o, ok := old.(*scheduledJob); ok {
		s.last, s.planned, s.misfired = o.last, o.planned, o.misfired
		if o.pending(j.pool.wallClock().Round(0)) {
			s.occurrence = o.occurrence
		}
	}
	j.nextLocked(atOnce, 0)
}

// pending reports whether an occurrence is past, but waits for its jitter or has only just become due.
func (s *scheduledJob) pending(t time.Time) bool {
	return !s.occurrence.IsZero() && !s.occurrence.After(t)
}

// leave counts what has come of a schedule that is being replaced, and was not executed. Both mutexes are held.
func (s *scheduledJob) leave(j *job) {
	if !s.counts {
		return
	}
	t := j.pool.wallClock()
	since := s.passedSince(t)
	if s.pending(t.Round(0)) && s.occurrence.After(since) { // it may be executed all the same
		since = s.occurrence
	}
	n, last := s.missed(since, t.Round(0))
	reason := cmp.Or(j.keptByLocked(), s.keptFrom(j, t, last))
	if j.state().has(inExecute) {
		reason = SkipExecuting
	}
	j.skipLocked(n, reason)
}

// replaced reports whether Reschedule has given the job another kind. Its mutex is held.
func (s *scheduledJob) replaced(j *job) bool { return j.kind() != kind(s) }

func (s *scheduledJob) after(j *job, o outcome) verdict {
	s.occurrence, s.executed = time.Time{}, true
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
		stale := s.occurrence.IsZero() || jump(s.asOf, t) <= -smallestJump && s.occurrence.After(t.Round(0))
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
// time. That is unknown if there is no planned occurrence (any more).
func (s *scheduledJob) reached(j *job, t time.Time) (due, known bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case s.replaced(j):
		return false, true
	case j.runNow:
		return true, true
	case s.occurrence.IsZero():
		return false, false
	}
	t = t.Round(0)
	wait := s.planned.Sub(t)
	if -wait > s.catchUp {
		s.useLocked()
		j.skipLocked(1, SkipClock)
		return false, false
	}
	if wait <= -smallestJump {
		s.planned = t.Add(s.jitter.addTo(0)) // since the clock has jumped for others, too
		wait = s.planned.Sub(t)
	}
	if wait > 0 {
		j.nextLocked(now(), min(wait, longestSleep))
		return false, true
	}
	s.useLocked() // in any case: an occurrence that meets a stopped pool is skipped
	return true, true
}

// misfire notes that an occurrence has met a stopped pool, or a paused job, if one execution is to stand for it.
func (s *scheduledJob) misfire() bool {
	if s.policy == RunOnce {
		s.misfired = true
	}
	return s.policy == RunOnce
}

// tooLate reports whether the occurrence has waited for its turn for longer than WithCatchUp allows.
func (s *scheduledJob) tooLate(j *job) bool {
	return s.catchUp < longestCatchUp && !s.planned.IsZero() && // zero: it waits since before a Reschedule
		j.pool.wallClock().Round(0).Sub(s.planned) > s.catchUp
}

// useLocked uses up the planned occurrence.
func (s *scheduledJob) useLocked() { s.last, s.occurrence = s.occurrence, time.Time{} }

func (s *scheduledJob) nextRun(*job) time.Time {
	if s.occurrence.IsZero() {
		return time.Time{}
	}
	return expressible(s.planned)
}

// resume skips the occurrence that is planned, if it has passed, or lets one execution stand for all that have.
func (s *scheduledJob) resume(j *job, from SkipReason) (keeps bool) {
	s.kept, s.executed = from, false
	t := j.pool.wallClock().Round(0)
	passed := !s.occurrence.IsZero() && !s.planned.After(t)
	switch {
	case !passed && !s.misfired:
	case s.policy == RunOnce:
		if !passed {
			s.occurrence = s.last // it was used up
		}
		s.planned = t.Add(s.jitter.addTo(0))
	default:
		if _, ok := s.schedule.(*schedule.Schedule); !ok || s.occurrence.Before(s.asOf) { // others are counted when the next one is found
			j.skipLocked(1, from)
		}
		s.occurrence = time.Time{}
	}
	s.misfired = false
	return false
}

// plan finds the next occurrence after t. It reports false if there is none, or the schedule failed to answer; then
// it has done the rest.
func (s *scheduledJob) plan(j *job, t time.Time) bool {
	asOf := t
	j.mu.Lock()
	if j.hasQuitLocked() || j.pool.state().closed() {
		j.mu.Unlock()
		return false
	}
	j.begin(inNext)
	passedSince := s.passedSince(t)
	if ahead := s.last.Sub(t.Round(0)); ahead > 0 && ahead < smallestJump {
		t = s.last // the clock was adjusted a little: that occurrence was executed already
	}
	j.mu.Unlock()
	var err error
	next := s.occurrenceAfter(t, caller{pool: j.pool, job: j}, func(failed error) {
		err = failed
		s.nextReturned(j, failed)
	})
	if err != nil {
		return false
	}
	n, last := s.missed(passedSince, t.Round(0))
	more := s.found(j, asOf, next, n, last)
	over := j.tellSkipped(more)
	return more && !over
}

// passedSince returns the time after which nothing was counted yet, up to t.
func (s *scheduledJob) passedSince(t time.Time) time.Time {
	since := s.asOf
	if !s.counts {
		since = t
	}
	for _, t := range [...]time.Time{s.last, s.counted} {
		if t.After(since) {
			since = t
		}
	}
	return since.Round(0)
}

// mostCounted is how many occurrences are counted at once at most.
const mostCounted = 1000

// missed counts the occurrences after one time, up to another, and returns the last that it has counted. That is
// possible for cron expressions only: other schedules may give other answers when they are asked at other times.
func (s *scheduledJob) missed(after, upTo time.Time) (n uint64, last time.Time) {
	parsed, ok := s.schedule.(*schedule.Schedule)
	if !ok || !after.Before(upTo) {
		return 0, last
	}
	for t := parsed.Next(after); !t.IsZero() && !t.After(upTo) && n < mostCounted; t = parsed.Next(t) {
		n, last = n+1, t
	}
	return n, last
}

// found records the next occurrence, or that there is none, and the n that were missed since the previous one was found, of
// which the last is given. It reports whether the step can go on.
func (s *scheduledJob) found(j *job, asOf, next time.Time, n uint64, lastMissed time.Time) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !s.replaced(j) {
		j.skipLocked(n, s.keptFrom(j, asOf, lastMissed))
		s.kept, s.executed, s.counts, s.counted = "", false, true, time.Time{}
		if next.IsZero() { // it is looked for again
			s.counted = asOf.Round(0)
		}
	}
	switch {
	case s.replaced(j):
	case !next.IsZero():
		s.asOf, s.doubted = asOf, time.Time{}
		s.occurrence = next.Round(0)
		s.planned = s.occurrence.Add(s.jitter.addTo(0))
		return true
	case j.runNow:
		return true
	case s.believes(asOf):
		j.change(phaseMask, phaseFinished)
		j.setLocked(never)
		if j.attached() {
			j.pool.recount() // a call of its Ready in flight no longer blocks a restart
		}
	default:
		j.nextLocked(now(), longestSleep)
	}
	return false
}

// keptFrom returns what has kept the job from executing at an occurrence that it has missed.
func (s *scheduledJob) keptFrom(j *job, asOf, missed time.Time) SkipReason {
	switch {
	case jump(s.asOf, asOf) >= smallestJump:
		return SkipClock
	case s.executed && missed.After(j.lastStart.time()):
		return SkipExecuting
	case s.kept != "":
		return s.kept
	}
	return SkipLocked
}

// believes reports whether the schedule, which has no occurrence after the given reading of the clock, has ended, and
// notes since when that is in doubt: if the clock is wrong it may be put right, and there are occurrences again.
func (s *scheduledJob) believes(asOf time.Time) bool {
	switch {
	case asOf.Year() > lastPlausibleYear:
		return false
	case jump(s.asOf, asOf) < smallestJump:
		return true
	case s.doubted.IsZero() || jump(s.doubted, asOf).Abs() >= smallestJump:
		s.doubted = asOf
	}
	return asOf.Sub(s.doubted) >= longestDoubt
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
// one. A detached job asks again after a while, an attached one after the restart. Of a schedule that Reschedule has
// replaced it is only logged.
func (s *scheduledJob) nextReturned(j *job, failed error) {
	if failed == nil {
		j.end(inNext)
		return
	}
	j.begin(inLog)
	defer j.end(inLog)
	life := j.pool.state()
	failed = ErrExecutingJob.because(fmt.Errorf("schedule: %w", failed), j.typeName(), j.id)
	j.mu.Lock()
	replaced := s.replaced(j)
	switch {
	case replaced:
	case j.attached():
		j.lastError = failed
	default:
		j.lastError = failed
		j.change(0, markFailing)
		j.nextLocked(now(), longestSleep)
	}
	j.mu.Unlock()
	j.end(inNext)
	if replaced {
		j.logIgnored(ofSchedule, "schedule that was replaced has failed", failed)
		return
	}
	j.failed(life, nil, ofSchedule, "schedule failed", failed, false)
}

// jump returns by how much the wall clock has gone on more than the monotonic one between two readings.
func jump(from, to time.Time) time.Duration {
	elapsed := to.Sub(from)
	shown := to.Round(0).Sub(from.Round(0))
	return shown - elapsed
}
