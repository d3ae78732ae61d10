package jobs_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestShutdownIsSafeTwiceAndFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet)
		register(t, p, stub{execute: enduring(10 * time.Second)}, jobs.Every(time.Hour))
		pass(0)
		done := newTimeline()
		for range 10 {
			go func() {
				if p.Shutdown(context.Background()) == nil {
					done.mark()
				}
			}()
		}
		done.fill(time.Minute)
		assert.Equal(t, seconds(10, 10, 10, 10, 10, 10, 10, 10, 10, 10), done.moments())
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestShutdownBeforeAnyRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, p := range []*jobs.Pool{jobs.NewPool(quiet), new(jobs.Pool)} {
			require.NoError(t, p.Shutdown(context.Background()))
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.ErrorIs(t, p.RunNow("nobody"), jobs.ErrShutdown)
		}
	})
}

func TestShutdownFromInsideAJobWaitsForItsCallerTooUntilTheEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet)
		result := make(chan error, 1)
		register(t, p, stub{execute: func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			result <- p.Shutdown(ctx)
			return nil
		}}, jobs.Once(), jobs.WithName("suicidal"))
		start := time.Now()
		err := <-result
		assert.Equal(t, 10*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "suicidal")
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestAfterShutdown(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		interval := register(t, p, stub{}, jobs.Every(time.Hour), jobs.WithName("Ada"))
		single := register(t, p, stub{}, jobs.Once())
		unready := register(t, p, stub{ready: newFault().absent}, jobs.Once())
		pass(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, "Stopped", p.GetStatus(), "the pool reads Stopped")
		_, err := p.Register(stub{}, jobs.Once())
		assert.ErrorIs(t, err, jobs.ErrRegisteringJob)
		assert.ErrorIs(t, err, jobs.ErrShutdown)
		assert.ErrorIs(t, p.RunNow(interval), jobs.ErrShutdown)

		assert.Equal(t, "Stopped", p.GetJobStatus(interval), "look-ups work")
		assert.Equal(t, "Stopped", p.GetJobStatus(unready))
		assert.Equal(t, "Finished", p.GetJobStatus(single))
		assert.Equal(t, "Ada", p.GetJob(interval).GetName())
		assert.Equal(t, 3, p.Info().Jobs)
		assert.True(t, p.Info().NextAttempt.IsZero())
		p.JobLock(interval)
		locked := newTimeline()
		go func() { p.JobLock(interval); locked.mark(); p.JobUnlock(interval) }()
		pass(time.Second)
		assert.Empty(t, locked.moments())
		p.JobUnlock(interval)
		pass(0)
		assert.Len(t, locked.moments(), 1)
		p.UnregisterJob(interval)
		assert.Nil(t, p.GetJob(interval))
	})
}

func TestRegisterBesideShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _, _ = p.Register(stub{}, jobs.Every(time.Second)) })
		}
		wg.Go(func() { _ = p.Shutdown(context.Background()) })
		wg.Wait()
		require.NoError(t, p.Shutdown(context.Background()))
		var before, after uint64
		for info := range p.Jobs() {
			before += info.Executions
		}
		pass(time.Minute)
		for info := range p.Jobs() {
			after += info.Executions
		}
		assert.Equal(t, before, after)
	})
}

// A program that ends after Shutdown is not to lose the last thing that was logged.
func TestShutdownReturnsWhenTheEndsOfTheExecutionsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := newTimeline()
		p := jobs.NewPool(jobs.WithLogger(slog.New(meddler{func() { time.Sleep(time.Second); logged.mark() }})))
		register(t, p, stub{execute: func() error { time.Sleep(time.Minute); return errBroken }}, jobs.Once())
		pass(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		before := len(logged.moments())
		pass(time.Minute)
		assert.Len(t, logged.moments(), before, "nothing is logged afterwards")
	})
}
