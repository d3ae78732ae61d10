package jobs_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What hurt the users of robfig/cron, thread by thread; clocks are in lessons_clocks_test.go.

func TestCron249_WhenShutdownReturnsNoJobIsExecuting(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var ids []string
		for d := range 5 {
			ids = append(ids, register(t, p, lasting(time.Duration(d)*time.Second, nil), hourly()))
		}
		pass(0)
		require.NoError(t, p.Shutdown(context.Background()))
		for _, id := range ids {
			assert.Equal(t, "Stopped", p.GetJobStatus(id))
		}
	})
}

func TestCron30_ShutdownOfAPoolThatNeverRanReturnsAtOnce(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		begun := time.Now()
		require.NoError(t, p.Shutdown(minute()))
		assert.Zero(t, time.Since(begun))
	})
}

func TestCron484_APanicIsContainedWithoutAskingForIt(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		panicking := register(t, p, stub{execute: func() error { panic("no") }}, secondly(), jobs.Detached())
		other := register(t, p, stub{}, secondly())
		pass(5 * time.Second)
		assert.EqualValues(t, 6, infoOf(t, p, panicking).Failures)
		assert.EqualValues(t, 6, infoOf(t, p, other).Executions)
	})
}

func TestCron489_APanicIsContainedWithANilLoggerToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		former := slog.Default()
		defer slog.SetDefault(former)
		slog.SetDefault(slog.New(slog.DiscardHandler))
		p := jobs.NewPool(jobs.WithLogger(nil))
		id := register(t, p, stub{execute: func() error { panic("no") }}, jobs.Once())
		pass(0)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestCron318_AJobIsGivenAContextThatEndsWithIt(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		causes := make(chan error, 1)
		id := register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return nil
		}), hourly())
		pass(time.Second)
		p.UnregisterJob(id)
		assert.ErrorIs(t, <-causes, jobs.ErrUnregistered)
	})
}

func TestCron284_AJobMayUnregisterItselfWhileItExecutes(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		ids, calls := make(chan string, 1), newTimeline()
		ids <- register(t, p, stub{execute: func() error { calls.mark(); p.UnregisterJob(<-ids); return nil }}, secondly())
		calls.fill(10 * time.Second)
		assert.Len(t, calls.moments(), 1)
		assert.Zero(t, p.Info().Jobs)
	})
}

func TestCron177_AJobHasANameThatNeedNotBeUnique(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		for range 2 {
			id, err := p.RegisterScheduledJobWithName(stub{}, "@hourly", "report")
			require.NoError(t, err)
			assert.Equal(t, "report", p.GetJob(id).GetName())
		}
	})
}

func TestCron143_ManyRunsAskedForWhileOneLastsMakeOneAndWaitInNoGoroutine(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, lasting(time.Minute, nil), hourly())
		pass(time.Second)
		before := len(bubbleGoroutines())
		for range 1000 {
			require.NoError(t, p.RunNow(id))
		}
		pass(time.Second)
		assert.Len(t, bubbleGoroutines(), before)
		pass(10 * time.Minute)
		assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
	})
}

func TestCron364_OneJobIsPausedAndResumedByItsLock(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls, others := newTimeline(), newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.Every(10*time.Second))
		register(t, p, stub{execute: others.execute}, jobs.Every(10*time.Second))
		calls.fill(5 * time.Second)
		p.JobLock(id)
		calls.fill(35 * time.Second)
		assert.Equal(t, "it waits for its lock", infoOf(t, p, id).NotExecuting)
		p.JobUnlock(id)
		calls.fill(50 * time.Second)
		assert.Equal(t, seconds(0, 35, 45), calls.moments())
		assert.Equal(t, seconds(0, 10, 20, 30, 40, 50), others.moments())
	})
}
