package jobs_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestGetJobStatusAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
		jobstest.Advance(0)
		assert.Zero(t, testing.AllocsPerRun(1000, func() {
			if p.GetJobStatus(id) != "Running" || p.GetStatus() != "Running" {
				panic("not running")
			}
		}))
		assert.Zero(t, testing.AllocsPerRun(1000, func() { p.GetJobStatus("nobody") }))
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// allocationsPer returns how often is allocated, for each job of a thousand, while the time d passes.
func allocationsPer(t *testing.T, trigger jobs.Trigger, d time.Duration, opts ...jobs.PoolOption) (perJob float64) {
	const n = 1000
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for range n {
			jobstest.Register(t, p, jobstest.Idler{}, trigger)
		}
		for range 3 { // until all that is kept for reuse is there
			jobstest.Advance(d)
		}
		perJob = testing.AllocsPerRun(5, func() { jobstest.Advance(d) }) / n
	}, opts...)
	t.Logf("%v allocations per job", perJob)
	return perJob
}

func TestAnIdleSweepAllocatesNothingPerJob(t *testing.T) {
	assert.Less(t, allocationsPer(t, jobs.Every(jobstest.ForAges), 30*time.Second), 0.05)
}

func TestAnExecutionAllocatesOnceAtMost(t *testing.T) {
	// The bubble's sweep is in it too, once in thirty executions.
	assert.LessOrEqual(t, allocationsPer(t, jobs.Every(time.Second), time.Second), 1.0)
}

func TestAnIdleIntervalJobCosts650BytesAndNoGoroutine(t *testing.T) {
	const n, batch = 100_000, 500
	memory := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		// In batches, so that there are never many goroutines, the memory of which the runtime keeps.
		for range batch {
			_, err := p.Register(jobstest.Idler{}, jobs.Once(), jobs.WithForget(0))
			require.NoError(t, err)
		}
		synctest.Wait()
		goroutines, before := len(jobstest.BubbleGoroutines()), memory()
		for i := range n {
			_, err := p.Register(jobstest.Idler{}, jobs.Every(time.Hour))
			require.NoError(t, err)
			if i%batch == 0 {
				synctest.Wait()
			}
		}
		jobstest.Advance(time.Minute) // all have executed, and two sweeps
		perJob := float64(memory()-before) / n
		t.Logf("%.0f bytes per job", perJob)
		assert.LessOrEqual(t, perJob, 650.0)
		assert.Len(t, jobstest.BubbleGoroutines(), goroutines)
		for info := range p.Jobs() {
			require.EqualValues(t, 1, info.Executions)
			break
		}
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestAnEventAllocatesNothing(t *testing.T) {
	execution := allocationsPer(t, jobs.Every(time.Second), time.Second)
	observed := allocationsPer(t, jobs.Every(time.Second), time.Second, jobs.WithObserver(func(jobs.Event) {}), jobs.WithHistory(0, 0))
	assert.InDelta(t, execution, observed, 0.05, "an execution has two events")
}
