package lessons

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

// simple_one_for_one_scale_many_temporary_children: to end 10,000 children may not take more than 50 times
// as long as to end 1,000 (OTP-9242: it took the square). Here the work is counted and not timed: what is
// allocated, and how often jobs are called.

// tenfold checks that ten times as many jobs cost at most 50 times as much, or 50 times nearly nothing: the
// runtime may have kept the goroutines of earlier tests for the few, and not enough of them for the many.
func tenfold(t *testing.T, what string, cost func(n int) float64) {
	t.Helper()
	few, many := cost(1000), cost(10000)
	t.Logf("%s: %.0f for 1,000 jobs, %.0f for 10,000", what, few, many)
	assert.LessOrEqual(t, many, 50*max(few, 1000), what)
}

// allocationsOf returns how many objects f allocates.
func allocationsOf(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

// crowded runs f in a bubble with a pool of n idle jobs.
func crowded(t *testing.T, n int, trigger func() jobs.Trigger, f func(p *jobs.Pool, ids []string)) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		ids := make([]string, n)
		for i := range ids {
			ids[i] = jobstest.Register(t, p, jobstest.Idler{}, trigger())
			if i%500 == 0 {
				synctest.Wait()
			}
		}
		jobstest.Advance(time.Second)
		f(p, ids)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestOTPScaleManyTemporaryChildren(t *testing.T) {
	for name, trigger := range map[string]func() jobs.Trigger{
		"single run": jobs.Once, "interval": jobstest.Hourly, "scheduled": jobstest.EachHour,
	} {
		t.Run(name, func(t *testing.T) {
			tenfold(t, "allocations to unregister all", func(n int) (count float64) {
				crowded(t, n, trigger, func(p *jobs.Pool, ids []string) {
					count = allocationsOf(func() {
						for _, id := range ids {
							p.UnregisterJob(id)
						}
					})
					assert.Zero(t, p.Info().Jobs)
				})
				return count
			})
		})
	}
}

func TestOTPScaleOfAStopAndARestart(t *testing.T) {
	tenfold(t, "allocations to stop and restart", func(n int) (count float64) {
		soon := func() jobs.Trigger { return jobs.Every(20 * time.Second) }
		crowded(t, n, soon, func(p *jobs.Pool, ids []string) {
			count = allocationsOf(func() {
				jobstest.StopPool(p)
				jobstest.Advance(30 * time.Second)
			})
			assert.Equal(t, 1, p.Info().Restarts)
			assert.EqualValues(t, 2, jobstest.InfoOf(t, p, ids[n-1]).Executions)
		})
		return count
	})
}

func TestOTPScaleOfAStopOfManyWhoFailTogether(t *testing.T) {
	tenfold(t, "allocations when all fail at once", func(n int) (count float64) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			failing := jobstest.NewFault()
			failing.Clear()
			for range n {
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failing.Err}, jobs.Every(time.Second))
			}
			jobstest.Advance(0)
			failing.Set()
			count = allocationsOf(func() { jobstest.Advance(time.Second) })
			assert.Equal(t, "Stopped", p.GetStatus())
			failing.Clear()
		})
		return count
	})
}

func TestOTPScaleOfWhatARestartCalls(t *testing.T) {
	calls := func(n int) (calls float64) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			all := jobstest.NewTimeline()
			for range n {
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: all.Execute, ReadyFunc: all.Ready, StatusFunc: all.Status}, jobs.Every(time.Minute))
			}
			jobstest.Advance(45 * time.Second) // with one sweep
			before := len(all.Moments())
			assert.Equal(t, 3*n, before, "Ready, Execute and Status once each")
			jobstest.StopPool(p)
			jobstest.Advance(30 * time.Second)
			calls = float64(len(all.Moments()) - before)
		})
		return calls
	}
	for _, n := range []int{1, 1000, 10000} {
		assert.EqualValues(t, 2*n, calls(n), "Ready and Execute once each")
	}
}
