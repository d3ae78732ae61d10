package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What hurt the users of go-co-op/gocron, thread by thread; see docs/TRACK-RECORD.md.

func TestGocron693_AJobThatDoesNotRunAnyMoreSaysWhy(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		hung := register(t, p, stub{execute: func() error { <-end; return nil }}, jobs.Every(time.Minute))
		other := register(t, p, stub{}, jobs.Every(time.Minute))
		pass(time.Hour)
		assert.Equal(t, "Failed", p.GetJobStatus(hung))
		assert.Contains(t, infoOf(t, p, hung).NotExecuting, "has not returned")
		assert.Equal(t, "its pool is stopped", infoOf(t, p, other).NotExecuting)
		require.Len(t, p.Info().HeldUpBy, 1)
		assert.Contains(t, p.Info().HeldUpBy[0], hung)
		close(end)
	})
}

func TestGocron440_ANextRunIsNeverInThePast(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		ids := []string{
			register(t, p, lasting(10*time.Minute, nil), hourly(), jobs.WithJobTimeout(time.Hour)),
			register(t, p, faltering(time.Minute, nil), hourly()),
			register(t, p, lasting(90*time.Second, nil), jobs.Cron("@hourly")),
		}
		known := map[string]int{}
		for range 3 * 24 * 12 {
			for _, id := range ids {
				if next := infoOf(t, p, id).NextRun; !next.IsZero() {
					known[id]++
					assert.False(t, next.Before(time.Now()), "of %v", next)
				}
			}
			pass(5 * time.Minute)
		}
		for _, id := range ids {
			assert.Greater(t, known[id], 500, "most of the time it is known")
		}
		for _, id := range ids {
			assert.Greater(t, infoOf(t, p, id).Executions, uint64(60))
		}
	})
}

func TestGocron441_UnregisteringOthersTakesNoRunFromAJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		first := register(t, p, stub{}, jobs.Every(10*time.Second))
		register(t, p, stub{execute: calls.execute}, jobs.Every(10*time.Second))
		last := register(t, p, stub{}, jobs.Every(10*time.Second))
		calls.fill(15 * time.Second)
		p.UnregisterJob(first)
		p.UnregisterJob(last)
		calls.fill(35 * time.Second)
		assert.Equal(t, seconds(0, 10, 20, 30), calls.moments())
	})
}

func TestGocron355_StopStartStopStartDoesNotDeadlock(t *testing.T) {
	channel := func() jobs.Trigger { return jobs.Channel(make(chan any)) }
	for name, trigger := range map[string]func() jobs.Trigger{"no job": nil, "interval": hourly, "channel": channel} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				register(t, p, stub{}, jobs.Once())
				end := make(chan struct{})
				if trigger != nil {
					register(t, p, stub{execute: func() error { <-end; return nil }}, trigger())
				}
				for range 4 {
					p.SetStatus(jobs.PoolStatusStopped)
					pass(0)
					require.Equal(t, "Stopped", p.GetStatus())
					p.SetStatus(jobs.PoolStatusRunning)
					pass(0)
					require.Equal(t, "Running", p.GetStatus())
				}
				close(end)
			})
		})
	}
}

func TestGocron566_ShutdownAfterAJobWasUnregisteredReturnsAtOnce(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{}, jobs.Every(7*24*time.Hour))
		register(t, p, stub{}, jobs.Every(7*24*time.Hour))
		pass(0)
		p.UnregisterJob(id)
		begun := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(begun))
	})
}

func TestGocron835_NobodyIsLeftBlockedWhenWhoWaitedForShutdownGaveUp(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, lasting(10*time.Minute, nil), jobs.Once())
		pass(0)
		require.ErrorIs(t, p.Shutdown(minute()), context.DeadlineExceeded)
		pass(10 * time.Minute)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		begun := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(begun))
	})
}

func TestGocron825_NoExecutionAfterARestartGetsAContextThatHasEnded(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		begun := 0 // executions follow each other
		register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			begun++
			assert.NoError(t, ctx.Err(), begun)
			<-ctx.Done()
			return ctx.Err()
		}), jobs.Channel(nil))
		for range 5 {
			pass(time.Second)
			stopPool(p)
			pass(30 * time.Second)
		}
		assert.Equal(t, 6, begun)
	})
}

func TestGocron925_AnExecutionInFlightKeepsItsContextWhenThePoolRestarts(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			time.Sleep(2 * time.Minute)
			return context.Cause(ctx)
		}), hourly())
		pass(time.Second)
		stopPool(p)
		pass(3 * time.Minute)
		assert.Equal(t, 1, p.Info().Restarts)
		assert.NoError(t, infoOf(t, p, id).LastError)
	})
}

func TestGocron535_APanicInAnyKindOfJobIsAnErrorWithItsCauseAndItsStack(t *testing.T) {
	for name, trigger := range map[string]func() jobs.Trigger{
		"single run": jobs.Once, "retry": threeTimes, "interval": hourly, "scheduled": eachSecond,
		"channel": func() jobs.Trigger { return jobs.Channel(make(chan any)) },
	} {
		t.Run(name, func(t *testing.T) {
			tap := new(journal)
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{execute: func() error { panic(errBroken) }}, trigger())
				pass(time.Second)
				assert.ErrorIs(t, infoOf(t, p, id).LastError, errBroken)
				assert.Contains(t, tap.at(slog.LevelError), "lessons_gocron_test.go")
			}, tap.option())
		})
	}
}

func TestGocron242_NoExecutionLeavesAGoroutine(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		before := len(bubbleGoroutines())
		register(t, p, jobs.JobFunc(func(ctx context.Context) error { return nil }), secondly())
		register(t, p, jobs.JobFunc(func(ctx context.Context) error { return errBroken }), secondly(), jobs.Detached())
		pass(1000 * time.Second)
		assert.Len(t, bubbleGoroutines(), before)
	})
}

func TestGocron439_OccurrencesThatPassDuringALongExecutionCostNoGoroutine(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		before := len(bubbleGoroutines())
		id := register(t, p, lasting(time.Hour, nil), eachSecond(), jobs.WithJobTimeout(2*time.Hour))
		pass(30 * time.Minute)
		assert.Len(t, bubbleGoroutines(), before+1)
		assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
	})
}

func TestGocron857_ARegistrationThatFailsLeavesNothing(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		before := len(bubbleGoroutines())
		for _, trigger := range []jobs.Trigger{jobs.Every(0), jobs.Cron("nonsense"), jobs.Retry(0), jobs.Channel(nil), jobs.On(nil)} {
			_, err := p.Register(stub{}, trigger)
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
		}
		pass(time.Minute)
		assert.Len(t, bubbleGoroutines(), before)
		assert.Zero(t, p.Info().Jobs)
	})
}

func TestGocron732_TheValueAJobPanickedWithIsKept(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{execute: func() error { panic("index 7") }}, jobs.Once())
		pass(0)
		err := infoOf(t, p, id).LastError
		assert.ErrorContains(t, err, "panic: index 7")
		assert.False(t, errors.Is(err, errBroken))
	})
}
