package jobs

import (
	"fmt"
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

// left returns the number of executions left.
func (r *retryJob) left(j *job) uint64 { return r.attempts - j.executions }

func (r *retryJob) failure(j *job, cause error) error {
	left := r.left(j)
	if isPermanent(cause) {
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
func (r *retryJob) backoff(failed uint64) time.Duration {
	wait := r.min
	for ; failed > 1 && 0 < wait && wait < r.max; failed-- {
		wait += min(wait, r.max-wait)
	}
	return wait
}
