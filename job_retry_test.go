package jobs_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

func TestRetryExecutesAtMostThatManyTimesInAll(t *testing.T) {
	for _, attempts := range []int{1, 2, 5} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, lasting(0, errBroken), jobs.Retry(attempts))
			pass(time.Hour)
			info := infoOf(t, p, id)
			assert.EqualValues(t, attempts, info.Executions)
			assert.EqualValues(t, attempts, info.Failures)
			assert.Equal(t, jobs.JobStatusFailed, info.Status)
		})
	}
}

func TestRetryExecutesAtOnceOneAfterTheOther(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps, overlap := newTimeline(), new(overlapMeter)
		register(t, p, stub{execute: func() error {
			laps.mark()
			overlap.during(3 * time.Second)
			return errBroken
		}}, jobs.Retry(4))
		pass(time.Hour)
		assert.Equal(t, times(time.Second, 0, 3, 6, 9), laps.moments())
		assert.Equal(t, 1, overlap.highest())
	})
}

func TestRetryWaitsBetweenExecutionsWithRetryBackoff(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		register(t, p, stub{execute: func() error { laps.mark(); return errBroken }}, jobs.Retry(5),
			jobs.WithRetryBackoff(time.Second, 3*time.Second))
		pass(time.Hour)
		assert.Equal(t, times(time.Second, 0, 1, 3, 6, 9), laps.moments())
	})
}

func TestRetryIsFinishedByTheFirstSuccess(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		id := register(t, p, stub{execute: func() error {
			if laps.mark() < 3 {
				return errBroken
			}
			return nil
		}}, jobs.Retry(10))
		pass(time.Hour)
		assert.Len(t, laps.moments(), 3)
		info := infoOf(t, p, id)
		assert.Equal(t, jobs.JobStatusFinished, info.Status)
		assert.EqualValues(t, 2, info.Failures)
	})
}

func TestRetryKeepsTheErrorOfAnAttemptWithTheNumberOfExecutionsLeft(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, lasting(time.Second, errBroken), jobs.Retry(3))
		pass(time.Second / 2)
		assert.NoError(t, infoOf(t, p, id).LastError)
		for left := 2; left >= 0; left-- {
			pass(time.Second)
			err := infoOf(t, p, id).LastError
			assert.ErrorIs(t, err, jobs.ErrExecutingRetryJob)
			assert.ErrorIs(t, err, errBroken)
			assert.EqualError(t, err, fmt.Sprintf(
				"[Error Code 1602] - Error in retry job %s execution, %d more retries: it is broken", id, left))
		}
	})
}

func TestRetryHasNoTimeLimitUnlessOneIsGiven(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, lasting(24*time.Hour, nil), jobs.Retry(2))
		pass(24*time.Hour - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		pass(1)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
	}, jobs.WithExecutionTimeout(time.Second))
}

func TestRetryIsNotTriedAgainBeforeALateExecutionHasReturned(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		id := register(t, p, stub{execute: func() error {
			if laps.mark() == 1 {
				time.Sleep(time.Minute)
			}
			return nil
		}}, jobs.Retry(2), jobs.WithJobTimeout(time.Second))
		pass(time.Second)
		info := infoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures, "it counts as failed at that moment")
		assert.ErrorIs(t, info.LastError, jobs.ErrExecutingRetryJob)
		assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
		pass(time.Hour)
		assert.Equal(t, times(time.Second, 0, 60), laps.moments())
		assert.Equal(t, "Finished", p.GetJobStatus(id))
	})
}

func TestWithRetryBackoffWaitsBetweenAttempts(t *testing.T) {
	cases := []struct {
		min, max time.Duration
		at       []time.Duration
	}{
		{time.Second, 5 * time.Second, seconds(0, 1, 3, 7, 12, 17)},
		{2 * time.Second, 2 * time.Second, seconds(0, 2, 4, 6, 8, 10)},
		{0, 0, seconds(0, 0, 0, 0, 0, 0)},
		{0, time.Minute, seconds(0, 0, 0, 0, 0, 0)},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.min, c.max), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				id := register(t, p, stub{execute: func() error { calls.mark(); return errBroken }},
					jobs.Retry(6), jobs.WithRetryBackoff(c.min, c.max))
				if c.at[1] > 0 {
					pass(time.Millisecond)
					assert.Equal(t, "Retrying", p.GetJobStatus(id))
				}
				calls.fill(time.Hour)
				assert.Equal(t, c.at, calls.moments())
				assert.Equal(t, "Failed", p.GetJobStatus(id))
			})
		})
	}
}

func TestWithRetryBackoffCountsFromTheEndOfAnAttempt(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(10 * time.Second); return errBroken }},
			jobs.Retry(3), jobs.WithRetryBackoff(time.Second, time.Minute))
		calls.fill(time.Hour)
		assert.Equal(t, seconds(0, 11, 23), calls.moments())
	})
}

func TestWithoutRetryBackoffAttemptsFollowAtOnce(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: func() error { calls.mark(); return errBroken }}, jobs.Retry(3))
		pass(time.Hour)
		assert.Equal(t, seconds(0, 0, 0), calls.moments())
	})
}

func TestAPermanentErrorIsNotTriedAgain(t *testing.T) {
	for name, err := range map[string]error{
		"itself":  jobs.Permanent(errBroken),
		"wrapped": fmt.Errorf("really: %w", jobs.Permanent(errBroken)),
		"joined":  errors.Join(errors.New("other"), jobs.Permanent(errBroken)),
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				id := register(t, p, stub{execute: func() error { calls.mark(); return err }}, jobs.Retry(5))
				pass(time.Second)
				assert.Len(t, calls.moments(), 1)
				info := infoOf(t, p, id)
				assert.Equal(t, jobs.JobStatusFailed, info.Status)
				assert.ErrorIs(t, info.LastError, errBroken)
				assert.ErrorIs(t, info.LastError, jobs.ErrExecutingRetryJob)
			})
		})
	}
}

func TestAPermanentErrorIsAnyOtherErrorToOtherKinds(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: func() error { calls.mark(); return jobs.Permanent(errBroken) }},
			jobs.Every(time.Second), jobs.Detached())
		pass(2 * time.Second)
		assert.Equal(t, seconds(0, 1, 2), calls.moments())
		assert.EqualValues(t, 3, infoOf(t, p, id).Failures)
	})
}
