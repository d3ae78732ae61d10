package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

func TestARetryJobThatWasToldToEndDoesNotSayThatMoreRetriesFollow(t *testing.T) {
	for name, tell := range map[string]func(p *jobs.Pool, id string) error{
		"by Cancel":   (*jobs.Pool).Cancel,
		"by Shutdown": func(p *jobs.Pool, _ string) error { return p.Shutdown(jobstest.MinuteTimeout()) },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return jobstest.ErrBroken }), jobs.Retry(5))
				jobstest.Advance(time.Second)
				require.NoError(t, tell(p, id))
				jobstest.Advance(time.Second)
				info := jobstest.InfoOf(t, p, id)
				assert.EqualValues(t, 1, info.Executions)
				assert.ErrorIs(t, info.LastError, jobstest.ErrBroken)
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

func TestAnAttemptThatWillBeRepeatedIsLoggedAsAWarningWithItsNumber(t *testing.T) {
	type line struct {
		level            slog.Level
		message, attempt string
	}
	const failed, late, returned = "job execution failed", "job execution is late", "late execution has returned"
	for name, c := range map[string]struct {
		execute func(n int) error
		want    []line
	}{
		"fails": {func(int) error { return jobstest.ErrBroken }, []line{
			{slog.LevelWarn, failed, "1"}, {slog.LevelWarn, failed, "2"}, {slog.LevelError, failed, ""},
		}},
		"for good": {func(n int) error {
			if n == 2 {
				return jobs.Permanent(jobstest.ErrBroken)
			}
			return jobstest.ErrBroken
		}, []line{{slog.LevelWarn, failed, "1"}, {slog.LevelError, failed, ""}}},
		"panics": {func(n int) error {
			if n == 1 {
				panic("no")
			}
			return nil
		}, []line{{slog.LevelError, failed, "1"}}},
		"late": {func(n int) error {
			if n != 2 {
				jobstest.Take(2 * time.Minute)
			}
			return jobstest.ErrBroken
		}, []line{
			{slog.LevelWarn, late, "1"}, {slog.LevelWarn, returned, "1"}, {slog.LevelWarn, failed, "2"},
			{slog.LevelError, late, ""}, {slog.LevelError, returned, ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			logged := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				n := 0
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { n++; return c.execute(n) }},
					jobs.Retry(3), jobs.WithJobTimeout(time.Minute), jobs.WithName("it"))
				jobstest.Advance(time.Hour)
				var lines []line
				for _, e := range logged.AtLeast(slog.LevelWarn) {
					assert.Equal(t, []string{"it", id}, []string{e.Text("job"), e.Text("id")})
					attempt := ""
					if _, ok := e.Attrs["attempt"]; ok {
						attempt = e.Text("attempt")
					}
					lines = append(lines, line{e.Level, e.Message, attempt})
				}
				assert.Equal(t, c.want, lines)
			}, logged.Option())
		})
	}
}
