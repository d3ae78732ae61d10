package lessons

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What hurt the users of reugn/go-quartz, thread by thread.

func TestQuartz81_UnregisteringTheNextJobMakesNoOtherRunEarly(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		next := jobstest.Register(t, p, jobstest.Stub{}, jobs.On(jobstest.OnceIn(10*time.Second)))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.OnceIn(20*time.Second)))
		calls.AdvanceTo(9 * time.Second)
		p.UnregisterJob(next)
		calls.AdvanceTo(time.Minute)
		assert.Equal(t, jobstest.Seconds(20), calls.Moments())
	})
}

// Outside a bubble, for the sake of real parallelism. Nothing in it waits for time.
func TestQuartz119_AJobIsFoundAtEveryMomentOfItsCycle(t *testing.T) {
	p := jobs.NewPool(jobstest.Quiet)
	var executions atomic.Uint64
	id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { executions.Add(1); return nil }}, jobs.Every(1))
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
		p := jobs.NewPool(jobstest.Quiet)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { _, _ = p.Register(jobstest.Stub{}, jobstest.Hourly()) })
			wg.Go(func() { p.GetStatus(); p.Info(); p.SetStatus(jobs.PoolStatusRunning) })
		}
		wg.Wait()
		assert.Equal(t, "Running", p.GetStatus())
		require.NoError(t, p.Shutdown(context.Background()))
	}
}

func TestQuartz43_ShutdownWaitsForAllExecutions(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var running atomic.Int32
		for range 20 {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
				running.Add(1)
				time.Sleep(time.Minute)
				running.Add(-1)
				return nil
			}}, jobs.Once())
		}
		jobstest.Advance(time.Second)
		require.EqualValues(t, 20, running.Load())
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, running.Load())
	})
}

func TestQuartz96_WhileOccurrencesAreSkippedJobInfoSaysWhy(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{}, jobstest.EachSecond())
		jobstest.Advance(time.Second)
		p.JobLock(id)
		jobstest.Advance(time.Minute)
		assert.Equal(t, "it waits for its lock", jobstest.InfoOf(t, p, id).NotExecuting)
		p.JobUnlock(id)
		jobstest.StopPool(p)
		jobstest.Advance(time.Second)
		assert.Equal(t, "its pool is stopped", jobstest.InfoOf(t, p, id).NotExecuting)
	})
}

func TestQuartz130_APanicDoesNotEndTheOthers(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { panic("no") }}, jobs.On(jobstest.OnceIn(time.Second)), jobs.Detached())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobstest.EachSecond())
		calls.AdvanceTo(3 * time.Second)
		assert.Equal(t, jobstest.Seconds(1, 2, 3), calls.Moments())
	})
}
