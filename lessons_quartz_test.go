package jobs_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What hurt the users of reugn/go-quartz, thread by thread.

func TestQuartz81_UnregisteringTheNextJobMakesNoOtherRunEarly(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		next := register(t, p, stub{}, jobs.On(onceIn(10*time.Second)))
		register(t, p, stub{execute: calls.execute}, jobs.On(onceIn(20*time.Second)))
		calls.fill(9 * time.Second)
		p.UnregisterJob(next)
		calls.fill(time.Minute)
		assert.Equal(t, seconds(20), calls.moments())
	})
}

// Outside a bubble, for the sake of real parallelism. Nothing in it waits for time.
func TestQuartz119_AJobIsFoundAtEveryMomentOfItsCycle(t *testing.T) {
	p := jobs.NewPool(quiet)
	var executions atomic.Uint64
	id := register(t, p, stub{execute: func() error { executions.Add(1); return nil }}, jobs.Every(1))
	for executions.Load() < 2000 {
		_, found := p.Job(id)
		if !found || p.GetJob(id) == nil || p.GetJobStatus(id) == "" {
			require.Fail(t, "not found")
		}
	}
	require.NoError(t, p.Shutdown(context.Background()))
}

func TestQuartz65_ManyFirstCallsAtOnceAreNoRace(t *testing.T) {
	for range 50 {
		p := jobs.NewPool(quiet)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { _, _ = p.Register(stub{}, hourly()) })
			wg.Go(func() { p.GetStatus(); p.Info(); p.SetStatus(jobs.PoolStatusRunning) })
		}
		wg.Wait()
		assert.Equal(t, "Running", p.GetStatus())
		require.NoError(t, p.Shutdown(context.Background()))
	}
}

func TestQuartz43_ShutdownWaitsForAllExecutions(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var running atomic.Int32
		for range 20 {
			register(t, p, stub{execute: func() error {
				running.Add(1)
				time.Sleep(time.Minute)
				running.Add(-1)
				return nil
			}}, jobs.Once())
		}
		pass(time.Second)
		require.EqualValues(t, 20, running.Load())
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, running.Load())
	})
}

func TestQuartz96_WhileOccurrencesAreSkippedJobInfoSaysWhy(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{}, eachSecond())
		pass(time.Second)
		p.JobLock(id)
		pass(time.Minute)
		assert.Equal(t, "it waits for its lock", infoOf(t, p, id).NotExecuting)
		p.JobUnlock(id)
		stopPool(p)
		pass(time.Second)
		assert.Equal(t, "its pool is stopped", infoOf(t, p, id).NotExecuting)
	})
}

func TestQuartz130_APanicDoesNotEndTheOthers(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: func() error { panic("no") }}, jobs.On(onceIn(time.Second)), jobs.Detached())
		register(t, p, stub{execute: calls.execute}, eachSecond())
		calls.fill(3 * time.Second)
		assert.Equal(t, seconds(1, 2, 3), calls.moments())
	})
}
