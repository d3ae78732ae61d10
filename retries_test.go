package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// WithRetries is in job_retry.go, but for other kinds of job than those of job_retry_test.go.

// failingUntil is a job whose calls fail until that one, each with an error that names it.
func failingUntil(calls *jobstest.Timeline, last int) jobstest.Stub {
	return jobstest.Stub{ExecuteFunc: func() error {
		if n := calls.Mark(); n < last {
			return fmt.Errorf("attempt %d: %w", n, jobstest.ErrBroken)
		}
		return nil
	}}
}

// inContext makes a ContextJob of a stub.
func inContext(s jobstest.Stub) jobs.Job {
	return contextStub{s, func(context.Context) error { return s.Execute() }}
}

func TestWithRetriesTriesAgainWithinTheSameExecution(t *testing.T) {
	for _, trigger := range []func() jobs.Trigger{jobstest.Hourly, jobstest.EachHour} {
		for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
			for name, made := range map[string]func(jobstest.Stub) jobs.Job{
				"plain": func(s jobstest.Stub) jobs.Job { return s }, "context": inContext,
			} {
				t.Run(fmt.Sprintf("%T, %d options, %s", trigger(), len(opts), name), func(t *testing.T) {
					jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
						calls := jobstest.NewTimeline()
						id := jobstest.Register(t, p, made(failingUntil(calls, 5)), trigger(),
							append(opts, jobs.WithRetries(10, time.Second, 5*time.Second))...)
						jobstest.Advance(time.Minute)
						if len(calls.Moments()) == 0 { // at the full hour
							jobstest.Advance(time.Hour)
						}
						at := calls.Moments()
						require.Len(t, at, 5)
						for i := range at {
							assert.Equal(t, jobstest.Seconds(0, 1, 3, 7, 12)[i], at[i]-at[0], "the waits double")
						}
						info := jobstest.InfoOf(t, p, id)
						assert.EqualValues(t, []uint64{1, 0, 0}, []uint64{info.Executions, info.Failures, info.ConsecutiveFailures})
						assert.Equal(t, 5, info.Attempts)
						assert.Equal(t, jobs.OutcomeSuccess, info.LastOutcome)
						assert.Equal(t, 12*time.Second, info.LastDuration)
						assert.NoError(t, info.LastError)
						assertDecodes(t, info)
						jobstest.Advance(time.Hour)
						info = jobstest.InfoOf(t, p, id)
						assert.EqualValues(t, 2, info.Executions)
						assert.Equal(t, 1, info.Attempts, "of the last one")
					})
				})
			}
		}
	}
}

func TestWithRetriesOnlyTheLastFailureCounts(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, failingUntil(calls, 100), jobs.Every(jobstest.ForAges), jobs.WithRetries(3, time.Second, time.Second), jobs.WithName("it"))
		jobstest.Advance(1500 * time.Millisecond)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, "Running", p.GetJobStatus(id), "it is executing")
		assert.Equal(t, 2, jobstest.InfoOf(t, p, id).Attempts, "so far")
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
		jobstest.Advance(time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, []uint64{1, 1, 1}, []uint64{info.Executions, info.Failures, info.ConsecutiveFailures})
		assert.ErrorContains(t, info.LastError, "attempt 3")
		assert.ErrorIs(t, info.LastError, jobs.ErrExecutingJob)
		assert.Equal(t, "Stopped", p.GetStatus())
		var lines []string
		for _, e := range logged.AtLeast(slog.LevelWarn) {
			assert.Equal(t, []string{"it", id}, []string{e.Text("job"), e.Text("id")})
			line := fmt.Sprint(e.Level, " ", e.Message)
			if e.Level == slog.LevelWarn {
				line += fmt.Sprint(" ", e.Attrs["attempt"], " ", e.Text("error"))
			}
			lines = append(lines, line)
		}
		assert.Equal(t, []string{"WARN job attempt failed 1 attempt 1: it is broken", "WARN job attempt failed 2 attempt 2: it is broken",
			"ERROR job execution failed"}, lines)
	}, logged.Option())
}

func TestWithRetriesAPermanentErrorOrAPanicIsTheLastAttempt(t *testing.T) {
	for name, c := range map[string]struct {
		fail func() error
		want jobs.Outcome
	}{
		"permanent":          {func() error { return jobs.Permanent(jobstest.ErrBroken) }, jobs.OutcomeFailure},
		"permanent, wrapped": {func() error { return errors.Join(fmt.Errorf("x: %w", jobs.Permanent(jobstest.ErrBroken))) }, jobs.OutcomeFailure},
		"panic":              {func() error { panic("no") }, jobs.OutcomePanic},
		"Goexit":             {func() error { runtime.Goexit(); return nil }, jobs.OutcomePanic},
		"an error's panic":   {func() error { return trap{blowUp} }, jobs.OutcomePanic},
	} {
		for where, opts := range map[string][]jobs.PoolOption{"": nil, " in middleware": {new(diary).around("it")}} {
			t.Run(name+where, func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					calls := 0
					id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
						if calls++; calls == 2 {
							return c.fail()
						}
						return jobstest.ErrBroken
					}}, jobs.Every(jobstest.ForAges), jobs.WithRetries(5, time.Second, time.Second), jobs.Detached())
					jobstest.Advance(time.Minute)
					info := jobstest.InfoOf(t, p, id)
					assert.Equal(t, 2, calls)
					assert.Equal(t, 2, info.Attempts)
					assert.EqualValues(t, 1, info.Failures)
					assert.Equal(t, c.want, info.LastOutcome)
					p.JobLock(id) // which is free
					p.JobUnlock(id)
				}, opts...)
			})
		}
	}
}

func TestWithRetriesTheTimeoutCoversAllAttempts(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, failingUntil(calls, 100), jobs.Every(jobstest.ForAges), jobs.Detached(),
			jobs.WithRetries(100, 4*time.Second, time.Minute), jobs.WithJobTimeout(10*time.Second))
		calls.AdvanceTo(10*time.Second - 1)
		locked := jobstest.NewTimeline()
		go func() {
			p.JobLock(id)
			locked.Mark()
		}()
		jobstest.Advance(0)
		assert.Empty(t, locked.Moments(), "it holds the lock between attempts")
		jobstest.Advance(1)
		assert.NotEmpty(t, locked.Moments(), "the wait ends at once")
		p.JobUnlock(id)
		jobstest.Advance(time.Hour)
		assert.Equal(t, jobstest.Seconds(0, 4), calls.Moments())
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, []uint64{1, 1}, []uint64{info.Executions, info.Failures})
		assert.Equal(t, jobs.OutcomeTimeout, info.LastOutcome)
		assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
		assert.ErrorIs(t, info.LastError, jobstest.ErrBroken)
		assert.ErrorContains(t, info.LastError, "attempt 2")
		assert.Equal(t, 2, info.Attempts)
	})
}

func TestWithRetriesTheWaitEndsWithTheContext(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(p *jobs.Pool, id string, cancelBase func())
		opts []jobs.PoolOption
		want jobs.Outcome
	}{
		"unregistered": {end: func(p *jobs.Pool, id string, _ func()) { p.UnregisterJob(id) }},
		"shut down":    {end: func(p *jobs.Pool, _ string, _ func()) { jobstest.ShutDownNow(p) }, want: jobs.OutcomeTold},
		"base":         {end: func(_ *jobs.Pool, _ string, cancelBase func()) { cancelBase() }, want: jobs.OutcomeFailure},
		"middleware": {
			end: func(*jobs.Pool, string, func()) { jobstest.Advance(2 * time.Second) },
			opts: []jobs.PoolOption{around(func(ctx context.Context, next jobs.ExecuteFunc) error {
				ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
				return next(ctx)
			})},
			want: jobs.OutcomeFailure,
		},
	} {
		t.Run(name, func(t *testing.T) {
			base, cancel := context.WithCancel(context.Background())
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, failingUntil(calls, 100), jobs.Every(jobstest.ForAges), jobs.Detached(), jobs.WithRetries(100, time.Minute, time.Minute))
				jobstest.Advance(time.Second)
				job := p.GetJob(id)
				c.end(p, id, cancel)
				jobstest.Advance(0)
				job.Lock() // does not wait
				defer job.Unlock()
				assert.Less(t, time.Since(calls.Start), 10*time.Second)
				if info, ok := p.Job(id); ok {
					assert.Equal(t, c.want, info.LastOutcome)
					assert.ErrorIs(t, info.LastError, jobstest.ErrBroken)
					assert.Equal(t, c.want == jobs.OutcomeTold, info.Failures == 0)
				}
				jobstest.Advance(time.Hour)
				assert.Len(t, calls.Moments(), 1)
				cancel()
			}, append(c.opts, jobs.WithBaseContext(func() context.Context { return base }))...)
		})
	}
}

func TestWithRetriesAnExecutionGoesOnWhileThePoolIsStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, failingUntil(calls, 3), jobs.Every(jobstest.ForAges), jobs.WithRetries(5, 10*time.Second, 10*time.Second))
		jobstest.Advance(time.Second)
		jobstest.StopPool(p)
		jobstest.Advance(time.Minute)
		assert.Equal(t, jobstest.Seconds(0, 10, 20), calls.Moments(), "what is in flight runs to its end")
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestWithRetriesAnAbandonedExecutionMakesNoMoreAttempts(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			if calls.Mark() == 1 {
				jobstest.Take(10 * time.Second)
			}
			return jobstest.ErrBroken
		}}, jobs.Every(time.Minute), jobs.Detached(), jobs.WithRetries(2, 0, 0), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, 1, p.Info().Abandoned)
		assert.Len(t, calls.Moments(), 1)
		assert.Equal(t, 1, jobstest.InfoOf(t, p, id).Attempts)
		jobstest.Advance(time.Minute)
		assert.Equal(t, jobstest.Seconds(0, 62, 62), calls.Moments())
	}, jobs.WithAbandonAfter(time.Second))
}

func TestWithRetriesALogHandlerThatMisbehavesDoesNotEndTheExecution(t *testing.T) {
	for name, handle := range map[string]func(){
		"panic": func() { panic("no") }, "Goexit": runtime.Goexit, "hang": func() { jobstest.Take(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, failingUntil(calls, 3), jobs.Every(jobstest.ForAges), jobs.WithRetries(5, time.Second, time.Second))
				jobstest.Advance(10 * time.Second)
				assert.Len(t, calls.Moments(), 3)
				assert.Equal(t, jobs.OutcomeSuccess, jobstest.InfoOf(t, p, id).LastOutcome)
			}, jobstest.HandlerFunc(func(r slog.Record) {
				if r.Level == slog.LevelWarn {
					handle()
				}
			}).Option())
		})
	}
}

func TestWithRetriesOneAttemptIsAsWithout(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, failingUntil(calls, 100), jobs.Every(jobstest.ForAges), jobs.WithRetries(1, 0, 0))
		jobstest.Advance(time.Second)
		assert.Len(t, calls.Moments(), 1)
		assert.Equal(t, 1, jobstest.InfoOf(t, p, id).Attempts)
		assert.Equal(t, "Stopped", p.GetStatus())
	})
}

func TestWithRetriesTheJobsOtherMethodsAreItsOwn(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps, polls := jobstest.NewTimeline(), jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: sweeps.Status, ReadyFunc: polls.Ready}, jobstest.Hourly(), jobs.WithRetries(2, 0, 0))
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, jobstest.Seconds(30), sweeps.Moments())
		assert.Equal(t, jobstest.Seconds(0), polls.Moments())
	})
}

func TestWithRetriesBadValuesAreErrors(t *testing.T) {
	for want, opt := range map[string]jobs.JobOption{
		"WithRetries(0, 0s, 0s)":    jobs.WithRetries(0, 0, 0),
		"WithRetries(-3, 0s, 0s)":   jobs.WithRetries(-3, 0, 0),
		"WithRetries(2, -1s, 1s)":   jobs.WithRetries(2, -time.Second, time.Second),
		"WithRetries(2, 1m0s, 1s)":  jobs.WithRetries(2, time.Minute, time.Second),
		"WithRetries(2, 0s, -1ns)":  jobs.WithRetries(2, 0, -1),
		"WithRetries means nothing": nil,
	} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			trigger := jobstest.Hourly()
			if opt == nil {
				trigger, opt, want = jobs.Retry(2), jobs.WithRetries(2, 0, 0), "option WithRetries means nothing"
			}
			_, err := p.Register(jobstest.Stub{}, trigger, opt)
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
			assert.ErrorContains(t, err, want)
		})
	}
}

func TestWithRetriesTheLongestWaitsDoNotOverflow(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, failingUntil(calls, 100), jobs.Every(jobstest.ForAges), jobs.WithRetries(math.MaxInt, 50*time.Hour, math.MaxInt64))
		jobstest.Advance(1000 * time.Hour)
		assert.Equal(t, jobstest.Times(time.Hour, 0, 50, 150, 350, 750), calls.Moments())
	}, jobs.WithExecutionTimeout(0))
}
