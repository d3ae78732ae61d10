package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Retry executes a job until it succeeds, at most attempts times (a retry job). It starts as soon as it is ready.
// attempts below 1 is an error.
func Retry(attempts int) Trigger { return retry(attempts) }

type retry int

func (retry) traits() *traits { return &retryTraits }

func (attempts retry) kind(_ Job, s *settings, _ time.Time) (kind, error) {
	if attempts < 1 {
		return nil, fmt.Errorf("%d executions: at least one is needed", int(attempts))
	}
	return &retryJob{
		attempts:  uint64(attempts),
		min:       s.min,
		max:       s.max,
		lingering: lingeringFor(s),
	}, nil
}

var retryTraits = traits{name: JobTypeRetry, options: optForget | optBackoff}

// A retryJob executes until it succeeds, or has failed too often.
type retryJob struct {
	basicKind
	lingering
	attempts uint64
	min, max time.Duration // WithRetryBackoff
}

func (r *retryJob) trigger() string { return fmt.Sprintf("Retry(%d)", r.attempts) }

// left returns the number of executions left.
func (r *retryJob) left(j *job) uint64 { return r.attempts - j.executions }

func (r *retryJob) failure(j *job, cause error) error {
	left := r.left(j)
	if _, told := cause.(*endedError); told || isPermanent(cause) {
		left = 0
	}
	err := ErrExecutingRetryJob.because(cause, j.typeName(), j.id, left)
	if left > 0 {
		err.attempt = j.executions
	}
	return err
}

func (r *retryJob) after(j *job, o outcome) verdict {
	switch {
	case o.err == nil:
		return r.finish()
	case o.excuse == ErrCanceled:
		return r.fail()
	case o.excuse != nil: // it was retired, and is neither failed nor done
		return verdict{phase: phaseStarted, mark: j.state() & markRetrying, wait: forever}
	case r.left(j) == 0, isPermanent(o.err):
		return r.fail()
	}
	return verdict{phase: phaseStarted, mark: markRetrying, wait: r.backoff(j.executions)}
}

// backoff returns the wait after that many failed attempts.
func (r *retryJob) backoff(failed uint64) time.Duration { return doubled(r.min, r.max, failed) }

// doubled returns the wait after that many failed attempts, which begins with min, and doubles up to max.
func doubled(min, max time.Duration, failed uint64) time.Duration {
	wait := min
	for ; failed > 1 && 0 < wait && wait < max; failed-- {
		if wait > max-wait {
			return max
		}
		wait *= 2
	}
	return wait
}

// WithRetries makes each execution of an interval or scheduled job try again when it fails: at most attempts times in
// all, after a wait of min, then twice as long each time, up to max. It remains one execution: it keeps the job's lock,
// its timeout covers all attempts and waits, and it fails only if the last attempt does, with that error. An attempt is the
// last if it returns a Permanent error or panics, or the execution's context has ended, which also ends the wait.
//
// JobInfo.Attempts counts the attempts. One that will be repeated is logged at warn level. Fewer than one attempt, a min
// below zero, or a max below min, is an error.
func WithRetries(attempts int, min, max time.Duration) JobOption {
	return jobOption(func(s *settings) {
		s.given |= optRetries
		s.retrying = &retrying{attempts: attempts, min: min, max: max}
	})
}

// A retrying is a job with WithRetries.
type retrying struct {
	Job
	attempts int
	min, max time.Duration
}

func (r *retrying) check() error {
	if r.attempts < 1 || r.min < 0 || r.max < r.min {
		return fmt.Errorf("WithRetries(%d, %v, %v): want attempts >= 1 and 0 <= min <= max", r.attempts, r.min, r.max)
	}
	return nil
}

// ExecuteContext makes the attempts. What it is given is the context of an execution, or derived from one.
func (r *retrying) ExecuteContext(ctx context.Context) error {
	c := executionOf(ctx)
	for attempt := 1; ; attempt++ {
		c.noteAttempt(attempt)
		err := callTask(ctx, r.Job)
		if err == nil || attempt == r.attempts || holds(err, isMarkedPermanent) || c.Err() != nil || ctx.Err() != nil {
			return err
		}
		c.logAttempt(attempt, err.Error())
		if !c.pause(ctx, doubled(r.min, r.max, uint64(attempt))) {
			return err
		}
	}
}

func (c *executionContext) noteAttempt(attempt int) {
	j := c.job
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ctx == c {
		j.extraLocked().attempts = attempt
	}
}

// logAttempt logs that an attempt has failed and will be repeated. A log handler that hangs or calls runtime.Goexit
// does not do that to the execution.
func (c *executionContext) logAttempt(attempt int, failure string) {
	j := c.job
	if kept, ok := c.sayAttempt(failure); ok {
		j.pool.writeAside(slog.LevelWarn, "job attempt failed",
			append(j.attrs(), keptBack(kept, slog.String("error", failure), slog.Int("attempt", attempt))...)...)
	}
}

// sayAttempt reports whether a failed attempt is to be logged, and how often the same was kept back. It then counts the
// call that logs it.
func (c *executionContext) sayAttempt(failure string) (kept uint64, ok bool) {
	j := c.job
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ctx != c { // nobody waits for it any more
		return 0, false
	}
	ok, _, kept = j.sayLocked(ofAttempt, slog.LevelWarn, failure)
	if ok {
		j.pool.beginLog()
	}
	return kept, ok
}

// pause waits, unless the execution's context, or the one derived from it, ends first: then it returns false.
func (c *executionContext) pause(ctx context.Context, wait time.Duration) bool {
	over := time.NewTimer(wait)
	defer over.Stop()
	select {
	case <-over.C:
	case <-c.Done():
	case <-ctx.Done():
	}
	return c.Err() == nil && ctx.Err() == nil
}
