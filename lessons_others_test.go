package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What hurt the users of riverqueue/river, APScheduler, controller-runtime and oklog/run, thread by thread.

func TestRiver78_ShutdownKeepsItsDeadlineThoughAJobIgnoresItsContext(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		register(t, p, jobs.JobFunc(func(context.Context) error { <-end; return nil }), hourly(), jobs.WithName("deaf"))
		pass(0)
		begun := time.Now()
		err := p.Shutdown(minute())
		assert.Equal(t, time.Minute, time.Since(begun))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "deaf")
		close(end)
	})
}

func TestRiver1126_EachLimitIsThatOfTheJobItIsFor(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		own := register(t, p, lasting(time.Hour, nil), hourly(), jobs.Detached(), jobs.WithJobTimeout(10*time.Second))
		pools := register(t, p, lasting(time.Hour, nil), hourly(), jobs.Detached())
		none := register(t, p, lasting(time.Hour, nil), jobs.Once())
		pass(10 * time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(own))
		assert.Equal(t, "Running", p.GetJobStatus(pools))
		pass(50 * time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(pools))
		pass(time.Minute)
		assert.Equal(t, "Running", p.GetJobStatus(none))
		pass(time.Hour)
	}, jobs.WithExecutionTimeout(time.Minute))
}

func TestRiver1258_AJobThatIgnoresTheEndOfItsContextDoesNotReadRunning(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		id := register(t, p, jobs.JobFunc(func(context.Context) error { <-end; return nil }), hourly())
		pass(14 * 24 * time.Hour)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.ErrorIs(t, infoOf(t, p, id).LastError, jobs.ErrTimeout)
		assert.Contains(t, p.Info().HeldUpBy[0], id)
		close(end)
	})
}

func TestRiver791_AJobWithALongIntervalRunsWhenItIsRegistered(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{}, jobs.Every(30*24*time.Hour))
		pass(0)
		assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
	})
}

func TestRiver1161_IfOneJobCannotStartAgainNoneDoes(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready fault
		calls := newTimeline()
		register(t, p, stub{execute: calls.execute}, hourly())
		id := register(t, p, stub{ready: unready.absent}, hourly())
		calls.fill(time.Second)
		unready.cause()
		stopPool(p)
		calls.fill(time.Minute)
		assert.Len(t, calls.moments(), 1)
		assert.Contains(t, p.Info().HeldUpBy[0], id)
		unready.mend()
		calls.fill(2 * time.Minute)
		assert.Len(t, calls.moments(), 2)
	})
}

func TestRiver1290_AJobThatShutdownHasEndedHasNotFailed(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		wait := jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		ids := []string{
			register(t, p, wait, jobs.Once()), register(t, p, wait, jobs.Retry(2)),
			register(t, p, wait, hourly()), register(t, p, wait, jobs.Channel(nil)),
		}
		pass(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		for _, id := range ids {
			assert.Equal(t, "Stopped", p.GetJobStatus(id))
			assert.Zero(t, infoOf(t, p, id).Failures)
		}
	})
}

func TestAPScheduler423_OneHangDoesNotSilenceAJobForEver(t *testing.T) {
	t.Run("unless told otherwise it waits, and says so", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{execute: onlyFirst(enduring(24 * time.Hour))}, hourly(), jobs.Detached())
			pass(23 * time.Hour)
			assert.Equal(t, "Failed", p.GetJobStatus(id))
			assert.Contains(t, infoOf(t, p, id).NotExecuting, "has not returned")
			pass(3 * time.Hour)
			assert.Equal(t, "Running", p.GetJobStatus(id))
		})
	})
	t.Run("with WithAbandonAfter it goes on", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{execute: onlyFirst(enduring(24 * time.Hour))}, hourly(), jobs.Detached())
			pass(5 * time.Hour)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.Equal(t, 1, p.Info().Abandoned)
			pass(24 * time.Hour)
		}, jobs.WithAbandonAfter(time.Minute))
	})
}

func TestControllerRuntime2719_NothingStartsWhileThePoolIsShuttingDown(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		unready, calls := newFault(), newTimeline()
		register(t, p, stub{ready: unready.absent, execute: calls.execute}, hourly())
		register(t, p, stub{execute: calls.execute}, jobs.On(onceIn(5*time.Second)))
		register(t, p, lasting(10*time.Second, errBroken), jobs.Retry(5))
		calls.fill(time.Second)
		done := make(chan error, 1)
		go func() { done <- p.Shutdown(context.Background()) }()
		calls.fill(2 * time.Second)
		unready.mend()
		require.NoError(t, <-done)
		calls.fill(time.Hour)
		assert.Empty(t, calls.moments())
	})
}

func TestOklogRun22_ASlowStopDelaysNoOther(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		told := newTimeline()
		for _, d := range seconds(60, 0, 60, 0) {
			stop := make(chan any)
			register(t, p, stub{execute: func() error { time.Sleep(d); <-stop; told.mark(); return nil }}, jobs.Channel(stop))
		}
		told.fill(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, seconds(1, 1, 60, 60), told.moments())
	})
}

func TestKolide1205_TheErrorOfShutdownNamesTheJobsThatHang(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{}, hourly(), jobs.WithName("obedient"))
		register(t, p, lasting(time.Hour, nil), jobs.Once(), jobs.WithName("hanging"))
		pass(0)
		err := p.Shutdown(minute())
		assert.ErrorContains(t, err, `"hanging"`)
		assert.NotContains(t, err.Error(), `"obedient"`)
	})
}
