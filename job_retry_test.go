package jobs_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestRetryExecutesAtMostThatManyTimesInAll(t *testing.T) {
	for _, attempts := range []int{1, 2, 5} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Lasting(0, jobstest.ErrBroken), jobs.Retry(attempts))
			jobstest.Advance(time.Hour)
			info := jobstest.InfoOf(t, p, id)
			assert.EqualValues(t, attempts, info.Executions)
			assert.EqualValues(t, attempts, info.Failures)
			assert.Equal(t, jobs.JobStatusFailed, info.Status)
		})
	}
}

func TestRetryExecutesAtOnceOneAfterTheOther(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps, overlap := jobstest.NewTimeline(), new(jobstest.OverlapMeter)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			laps.Mark()
			overlap.During(3 * time.Second)
			return jobstest.ErrBroken
		}}, jobs.Retry(4))
		jobstest.Advance(time.Hour)
		assert.Equal(t, jobstest.Times(time.Second, 0, 3, 6, 9), laps.Moments())
		assert.Equal(t, 1, overlap.Highest())
	})
}

func TestRetryWaitsBetweenExecutionsWithRetryBackoff(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { laps.Mark(); return jobstest.ErrBroken }}, jobs.Retry(5),
			jobs.WithRetryBackoff(time.Second, 3*time.Second))
		jobstest.Advance(time.Hour)
		assert.Equal(t, jobstest.Times(time.Second, 0, 1, 3, 6, 9), laps.Moments())
	})
}

func TestRetryIsFinishedByTheFirstSuccess(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			if laps.Mark() < 3 {
				return jobstest.ErrBroken
			}
			return nil
		}}, jobs.Retry(10))
		jobstest.Advance(time.Hour)
		assert.Len(t, laps.Moments(), 3)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, jobs.JobStatusFinished, info.Status)
		assert.EqualValues(t, 2, info.Failures)
	})
}

func TestRetryKeepsTheErrorOfAnAttemptWithTheNumberOfExecutionsLeft(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Second, jobstest.ErrBroken), jobs.Retry(3))
		jobstest.Advance(time.Second / 2)
		assert.NoError(t, jobstest.InfoOf(t, p, id).LastError)
		for left := 2; left >= 0; left-- {
			jobstest.Advance(time.Second)
			err := jobstest.InfoOf(t, p, id).LastError
			assert.ErrorIs(t, err, jobs.ErrExecutingRetryJob)
			assert.ErrorIs(t, err, jobstest.ErrBroken)
			assert.EqualError(t, err, fmt.Sprintf(
				"[Error Code 1602] - Error in retry job %s execution, %d more retries: it is broken", id, left))
		}
	})
}

func TestRetryHasNoTimeLimitUnlessOneIsGiven(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(24*time.Hour, nil), jobs.Retry(2))
		jobstest.Advance(24*time.Hour - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		jobstest.Advance(1)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
	}, jobs.WithExecutionTimeout(time.Second))
}

func TestRetryIsNotTriedAgainBeforeALateExecutionHasReturned(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			if laps.Mark() == 1 {
				time.Sleep(time.Minute)
			}
			return nil
		}}, jobs.Retry(2), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures, "it counts as failed at that moment")
		assert.ErrorIs(t, info.LastError, jobs.ErrExecutingRetryJob)
		assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
		jobstest.Advance(time.Hour)
		assert.Equal(t, jobstest.Times(time.Second, 0, 60), laps.Moments())
		assert.Equal(t, "Finished", p.GetJobStatus(id))
	})
}

func TestWithRetryBackoffWaitsBetweenAttempts(t *testing.T) {
	cases := []struct {
		min, max time.Duration
		at       []time.Duration
	}{
		{time.Second, 5 * time.Second, jobstest.Seconds(0, 1, 3, 7, 12, 17)},
		{2 * time.Second, 2 * time.Second, jobstest.Seconds(0, 2, 4, 6, 8, 10)},
		{0, 0, jobstest.Seconds(0, 0, 0, 0, 0, 0)},
		{0, time.Minute, jobstest.Seconds(0, 0, 0, 0, 0, 0)},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.min, c.max), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); return jobstest.ErrBroken }},
					jobs.Retry(6), jobs.WithRetryBackoff(c.min, c.max))
				if c.at[1] > 0 {
					jobstest.Advance(time.Millisecond)
					assert.Equal(t, "Retrying", p.GetJobStatus(id))
				}
				calls.AdvanceTo(time.Hour)
				assert.Equal(t, c.at, calls.Moments())
				assert.Equal(t, "Failed", p.GetJobStatus(id))
			})
		})
	}
}

func TestWithRetryBackoffCountsFromTheEndOfAnAttempt(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(10 * time.Second); return jobstest.ErrBroken }},
			jobs.Retry(3), jobs.WithRetryBackoff(time.Second, time.Minute))
		calls.AdvanceTo(time.Hour)
		assert.Equal(t, jobstest.Seconds(0, 11, 23), calls.Moments())
	})
}

func TestWithoutRetryBackoffAttemptsFollowAtOnce(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); return jobstest.ErrBroken }}, jobs.Retry(3))
		jobstest.Advance(time.Hour)
		assert.Equal(t, jobstest.Seconds(0, 0, 0), calls.Moments())
	})
}

func TestAPermanentErrorIsNotTriedAgain(t *testing.T) {
	for name, err := range map[string]error{
		"itself":  jobs.Permanent(jobstest.ErrBroken),
		"wrapped": fmt.Errorf("really: %w", jobs.Permanent(jobstest.ErrBroken)),
		"joined":  errors.Join(errors.New("other"), jobs.Permanent(jobstest.ErrBroken)),
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); return err }}, jobs.Retry(5))
				jobstest.Advance(time.Second)
				assert.Len(t, calls.Moments(), 1)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, jobs.JobStatusFailed, info.Status)
				assert.ErrorIs(t, info.LastError, jobstest.ErrBroken)
				assert.ErrorIs(t, info.LastError, jobs.ErrExecutingRetryJob)
				assert.ErrorContains(t, info.LastError, "0 more retries")
			})
		})
	}
}

func TestAPermanentErrorIsAnyOtherErrorToOtherKinds(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); return jobs.Permanent(jobstest.ErrBroken) }},
			jobs.Every(time.Second), jobs.Detached())
		jobstest.Advance(2 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 1, 2), calls.Moments())
		assert.EqualValues(t, 3, jobstest.InfoOf(t, p, id).Failures)
	})
}
