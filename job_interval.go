package jobs

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Every executes a job as soon as it is ready, and then repeatedly, interval after the end of the last execution (an
// interval job); [WithJitter] spreads all of these. After a restart of its pool a job whose last execution has succeeded
// executes when it is due, and at once if that has passed; any other executes at once. An interval of 0 or less is an
// error; one below 10 microseconds counts as that, so that other goroutines get to run.
func Every(interval time.Duration) Trigger { return every(interval) }

type every time.Duration

func (every) traits() *traits { return &intervalTraits }

func (interval every) kind(_ Job, s *settings, _ time.Time) (kind, error) {
	if interval <= 0 {
		return nil, fmt.Errorf("interval %v: it must be above zero", time.Duration(interval))
	}
	i := intervalJob{interval: time.Duration(interval), jitter: jitter(s.jitter), atStart: true}
	if s.given&optWallClock != 0 {
		return &wallIntervalJob{intervalJob: i}, nil
	}
	return &i, nil
}

var intervalTraits = traits{
	name:         JobTypeInterval,
	detachedName: JobTypeDetachedInterval,
	options:      optDetached | optJitter | optRetries | optThreshold | optWallClock | optFreshness,
	periodic:     true,
}

// An intervalJob executes repeatedly.
type intervalJob struct {
	basicKind
	interval time.Duration
	jitter   jitter
	atStart  bool // its next execution is the first after a start or restart; guarded by the job's mutex
}

// due lets the jitter pass, where there is no interval to wait for.
func (i *intervalJob) due(j *job, at time.Time) (time.Time, bool) {
	if i.jitter == 0 {
		return at, true
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.kind() != kind(i): // Reschedule has said when
		return at, false
	case !i.atStart || j.runNow:
		return at, true
	}
	i.atStart = false
	j.nextLocked(instantOf(at), i.jitter.addTo(0))
	return at, false
}

func (i *intervalJob) isDue(*job) bool { return true }

func (i *intervalJob) period() time.Duration { return i.interval }

// trigger is part of each snapshot: it allocates once, where fmt would three times.
func (i *intervalJob) trigger() string {
	text := make([]byte, 0, 48)
	text = append(text, "Every("...)
	text = append(text, i.interval.String()...)
	return string(append(text, ')'))
}

// replace lets the interval count from the end of the last execution. An occurrence that waits for its jitter is executed
// when that was planned, if that is sooner.
func (i *intervalJob) replace(old kind, j *job) {
	i.atStart = j.executions == 0
	next := atOnce
	if !i.atStart {
		next = j.lastEndLocked().after(i.jitter.addTo(i.interval))
	}
	if s, ok := old.(*scheduledJob); ok {
		if t := j.pool.wallClock().Round(0); s.pending(t) {
			planned := now().after(s.planned.Sub(t))
			if i.atStart || planned < next {
				next, i.atStart = planned, false
			}
		}
	}
	j.nextLocked(next, 0)
}

func (i *intervalJob) warnings(time.Time) []string { return i.jitter.warn(nil, i.interval) }

// resume lets a job that is well execute when it is due. One that has passed its time is at rest, or in a step.
func (i *intervalJob) resume(j *job, _ SkipReason) (keeps bool) {
	if j.lastOutcome == success && j.stage == cycleWaiting {
		return true
	}
	i.atStart = true
	return false
}

func (i *intervalJob) after(j *job, o outcome) verdict {
	i.atStart = false
	return verdict{phase: phaseStarted, mark: failingMark(j, o), wait: i.jitter.addTo(i.interval)}
}

// A wallIntervalJob is one with WithWallClock. Its wait is over when it has passed by the monotonic clock, which timers
// use, or by the wall clock, which goes on while the machine sleeps.
type wallIntervalJob struct {
	intervalJob

	// Guarded by the job's mutex.
	waits   bool
	dueAt   instant
	planned time.Time // the same by the wall clock
}

func (w *wallIntervalJob) due(j *job, at time.Time) (time.Time, bool) {
	if w.lookAgain(j) {
		return at, false
	}
	return w.intervalJob.due(j, at)
}

// lookAgain reports whether the job still has to wait, and looks at the wall clock again soon.
func (w *wallIntervalJob) lookAgain(j *job) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.runNow && !w.isDue(j) {
		return true
	}
	w.waits = false
	return false
}

func (w *wallIntervalJob) isDue(j *job) bool {
	left := w.left(j)
	if left > 0 && j.kind() == kind(w) {
		j.nextLocked(now(), min(left, longestSleep))
	}
	return left <= 0
}

// left returns how long the job still has to wait.
func (w *wallIntervalJob) left(j *job) time.Duration {
	switch {
	case !w.waits:
		return 0
	case w.dueAt == never:
		return forever
	}
	return min(time.Duration(w.dueAt-now()), w.planned.Sub(j.pool.wallClock().Round(0)))
}

// await lets the job wait until the given instant, or as long by the wall clock.
func (w *wallIntervalJob) await(j *job, until instant) {
	w.waits, w.dueAt = true, until
	if until != never {
		w.planned = j.pool.wallClock().Round(0).Add(time.Duration(until - now()))
	}
}

func (w *wallIntervalJob) after(j *job, o outcome) verdict {
	v := w.intervalJob.after(j, o)
	w.await(j, now().after(v.wait))
	v.wait = min(v.wait, longestSleep)
	return v
}

func (w *wallIntervalJob) nextRun(j *job) time.Time {
	switch {
	case !w.waits:
		return w.intervalJob.nextRun(j)
	case w.dueAt == never:
		return time.Time{}
	}
	return now().after(w.left(j)).wall()
}

// resume lets a job that is well and still has to wait do so: it looks at the clock again.
func (w *wallIntervalJob) resume(j *job, from SkipReason) (keeps bool) {
	if j.lastOutcome != success || w.left(j) <= 0 {
		w.waits = false
		return w.intervalJob.resume(j, from)
	}
	return false
}

func (w *wallIntervalJob) replace(old kind, j *job) {
	w.intervalJob.replace(old, j)
	if next := j.cycle.due; next != atOnce && next != never {
		w.await(j, next)
		j.nextLocked(atOnce, 0)
	}
}

// WithWallClock lets the time count that the machine sleeps, for an interval job: an interval that has passed by the
// wall clock is over within a minute after the machine has woken up. Without it only time counts in which the machine
// is awake, since timers stand still during its sleep on most systems. Setting the clock forward has the same effect
// as sleep, and setting it back has none.
func WithWallClock() JobOption {
	return jobOption(func(s *settings) { s.given |= optWallClock })
}

// failingMark returns the mark of a periodic job after an execution.
func failingMark(j *job, o outcome) jobWord {
	if o.failed() && !j.attached() {
		return markFailing
	}
	return 0
}

// A jitter is the maximum of the random time added to a wait.
type jitter time.Duration

func (most jitter) addTo(wait time.Duration) time.Duration {
	if most == 0 {
		return wait
	}
	extra := time.Duration(rand.Int64N(int64(most)))
	if wait > forever-extra {
		return forever
	}
	return wait + extra
}

// warn adds a warning if the jitter is longer than it is from one execution to the next.
func (most jitter) warn(warnings []string, period time.Duration) []string {
	if time.Duration(most) <= period {
		return warnings
	}
	return append(warnings, fmt.Sprintf("WithJitter(%v) is longer than the time between executions (%v)", time.Duration(most), period))
}

// lingering is part of the kinds whose jobs end: how long their records are kept then.
type lingering time.Duration

func lingeringFor(s *settings) lingering {
	if s.given&optForget == 0 {
		return lingering(forever)
	}
	return lingering(s.forget)
}

func (l lingering) finish() verdict {
	return verdict{phase: phaseFinished, wait: time.Duration(l)}
}

func (l lingering) fail() verdict {
	return verdict{phase: phaseFailed, wait: time.Duration(l)}
}
