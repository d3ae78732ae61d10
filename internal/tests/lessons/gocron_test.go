package lessons

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What hurt the users of go-co-op/gocron, thread by thread; see docs/TRACK-RECORD.md.

func TestGocron693_AJobThatDoesNotRunAnyMoreSaysWhy(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		hung := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Every(time.Minute))
		other := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Minute))
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Failed", p.GetJobStatus(hung))
		assert.Contains(t, jobstest.InfoOf(t, p, hung).NotExecuting, "has not returned")
		assert.Equal(t, "its pool is stopped", jobstest.InfoOf(t, p, other).NotExecuting)
		require.Len(t, p.Info().HeldUpBy, 1)
		assert.Contains(t, p.Info().HeldUpBy[0].String(), hung)
		close(end)
	})
}

func TestGocron440_ANextRunIsNeverInThePast(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		ids := []string{
			jobstest.Register(t, p, jobstest.Lasting(10*time.Minute, nil), jobstest.Hourly(), jobs.WithJobTimeout(time.Hour)),
			jobstest.Register(t, p, jobstest.Faltering(time.Minute, nil), jobstest.Hourly()),
			jobstest.Register(t, p, jobstest.Lasting(90*time.Second, nil), jobs.Cron("@hourly")),
		}
		known := map[string]int{}
		for range 3 * 24 * 12 {
			for _, id := range ids {
				if next := jobstest.InfoOf(t, p, id).NextRun; !next.IsZero() {
					known[id]++
					assert.False(t, next.Before(time.Now()), "of %v", next)
				}
			}
			jobstest.Advance(5 * time.Minute)
		}
		for _, id := range ids {
			assert.Greater(t, known[id], 500, "most of the time it is known")
		}
		for _, id := range ids {
			assert.Greater(t, jobstest.InfoOf(t, p, id).Executions, uint64(60))
		}
	})
}

func TestGocron441_UnregisteringOthersTakesNoRunFromAJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		first := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(10*time.Second))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(10*time.Second))
		last := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(10*time.Second))
		calls.AdvanceTo(15 * time.Second)
		p.UnregisterJob(first)
		p.UnregisterJob(last)
		calls.AdvanceTo(35 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 10, 20, 30), calls.Moments())
	})
}

func TestGocron355_StopStartStopStartDoesNotDeadlock(t *testing.T) {
	channel := func() jobs.Trigger { return jobs.Channel(make(chan any)) }
	for name, trigger := range map[string]func() jobs.Trigger{"no job": nil, "interval": jobstest.Hourly, "channel": channel} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
				end := make(chan struct{})
				if trigger != nil {
					jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, trigger())
				}
				for range 4 {
					p.SetStatus(jobs.PoolStatusStopped)
					jobstest.Advance(0)
					require.Equal(t, "Stopped", p.GetStatus())
					p.SetStatus(jobs.PoolStatusRunning)
					jobstest.Advance(0)
					require.Equal(t, "Running", p.GetStatus())
				}
				close(end)
			})
		})
	}
}

func TestGocron566_ShutdownAfterAJobWasUnregisteredReturnsAtOnce(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(7*24*time.Hour))
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(7*24*time.Hour))
		jobstest.Advance(0)
		p.UnregisterJob(id)
		begun := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(begun))
	})
}

func TestGocron835_NobodyIsLeftBlockedWhenWhoWaitedForShutdownGaveUp(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(10*time.Minute, nil), jobs.Once())
		jobstest.Advance(0)
		require.ErrorIs(t, p.Shutdown(jobstest.MinuteTimeout()), context.DeadlineExceeded)
		jobstest.Advance(10 * time.Minute)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		begun := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(begun))
	})
}

func TestGocron825_NoExecutionAfterARestartGetsAContextThatHasEnded(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		begun := 0 // executions follow each other
		jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			begun++
			assert.NoError(t, ctx.Err(), begun)
			<-ctx.Done()
			return ctx.Err()
		}), jobs.Channel(nil))
		for range 5 {
			jobstest.Advance(time.Second)
			jobstest.StopPool(p)
			jobstest.Advance(30 * time.Second)
		}
		assert.Equal(t, 6, begun)
	})
}

func TestGocron925_AnExecutionInFlightKeepsItsContextWhenThePoolRestarts(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			jobstest.Take(2 * time.Minute)
			return context.Cause(ctx)
		}), jobstest.Hourly())
		jobstest.Advance(time.Second)
		jobstest.StopPool(p)
		jobstest.Advance(3 * time.Minute)
		assert.Equal(t, 1, p.Info().Restarts)
		assert.NoError(t, jobstest.InfoOf(t, p, id).LastError)
	})
}

func TestGocron535_APanicInAnyKindOfJobIsAnErrorWithItsCauseAndItsStack(t *testing.T) {
	for name, trigger := range map[string]func() jobs.Trigger{
		"single run": jobs.Once, "retry": jobstest.ThreeTimes, "interval": jobstest.Hourly, "scheduled": jobstest.EachSecond,
		"channel": func() jobs.Trigger { return jobs.Channel(make(chan any)) },
	} {
		t.Run(name, func(t *testing.T) {
			tap := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { panic(jobstest.ErrBroken) }}, trigger())
				jobstest.Advance(time.Second)
				assert.ErrorIs(t, jobstest.InfoOf(t, p, id).LastError, jobstest.ErrBroken)
				assert.Contains(t, tap.At(slog.LevelError), "gocron_test.go")
			}, tap.Option())
		})
	}
}

func TestGocron242_NoExecutionLeavesAGoroutine(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		before := len(jobstest.BubbleGoroutines())
		jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { return nil }), jobstest.Secondly())
		jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { return jobstest.ErrBroken }), jobstest.Secondly(), jobs.Detached())
		jobstest.Advance(1000 * time.Second)
		assert.Len(t, jobstest.BubbleGoroutines(), before)
	})
}

func TestGocron439_OccurrencesThatPassDuringALongExecutionCostNoGoroutine(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		before := len(jobstest.BubbleGoroutines())
		id := jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobstest.EachSecond(), jobs.WithJobTimeout(2*time.Hour))
		jobstest.Advance(30 * time.Minute)
		assert.Len(t, jobstest.BubbleGoroutines(), before+1)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestGocron857_ARegistrationThatFailsLeavesNothing(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		before := len(jobstest.BubbleGoroutines())
		for _, trigger := range []jobs.Trigger{jobs.Every(0), jobs.Cron("nonsense"), jobs.Retry(0), jobs.Channel(nil), jobs.On(nil)} {
			_, err := p.Register(jobstest.Stub{}, trigger)
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
		}
		jobstest.Advance(time.Minute)
		assert.Len(t, jobstest.BubbleGoroutines(), before)
		assert.Zero(t, p.Info().Jobs)
	})
}
