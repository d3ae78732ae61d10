package stress

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What a pool does for one job must not grow with the number of jobs. It is counted, not timed: how often
// memory is allocated for each job, how much of it is kept, and how often its methods are called.

// A worker counts the calls of the methods of all workers.
type worker struct{ executes, statuses, readies *atomic.Int64 }

func (w worker) Execute() error { w.executes.Add(1); return nil }
func (w worker) Status() error  { w.statuses.Add(1); return nil }
func (w worker) Ready() bool    { w.readies.Add(1); return true }

// perJob is what was counted for each job of a pool.
type perJob struct {
	allocations              map[string]float64
	bytes                    float64
	executes, status, readys float64
}

// growthOf counts for a pool of n jobs.
func growthOf(t *testing.T, n int) (counted perJob) {
	counted.allocations = map[string]float64{}
	w := worker{new(atomic.Int64), new(atomic.Int64), new(atomic.Int64)}
	memory := func() (allocations, live uint64) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.Mallocs, m.HeapAlloc
	}
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		ids := make([]string, n)
		count := func(what string, f func()) {
			before, _ := memory()
			f()
			after, _ := memory()
			counted.allocations[what] = float64(after-before) / float64(n)
		}
		_, before := memory()
		count("registering", func() {
			for i := range ids {
				ids[i] = jobstest.Register(t, p, w, jobs.Every(time.Hour))
				if i%500 == 0 { // so that there are never many goroutines, which the runtime would keep
					synctest.Wait()
				}
			}
			synctest.Wait()
		})
		_, after := memory()
		counted.bytes = float64(after-before) / float64(n)
		jobstest.Advance(31 * time.Second) // what is kept for reuse is there now
		count("a sweep", func() { jobstest.Advance(30 * time.Second) })
		count("an execution", func() { jobstest.Advance(time.Hour) })
		count("a restart", func() { jobstest.StopPool(p); jobstest.Advance(30 * time.Second) })
		count("unregistering", func() {
			for _, id := range ids {
				p.UnregisterJob(id)
			}
		})
		require.NoError(t, p.Shutdown(context.Background()))
	})
	counted.executes = float64(w.executes.Load()) / float64(n)
	counted.status = float64(w.statuses.Load()) / float64(n)
	counted.readys = float64(w.readies.Load()) / float64(n)
	return counted
}

func TestWhatAJobCostsDoesNotGrowWithTheNumberOfJobs(t *testing.T) {
	few := growthOf(t, 1_000)
	t.Logf("of 1,000: %+v", few)
	assert.EqualValues(t, 2, few.executes, "at once, and an hour later: a restart lets a job that is well keep its time")
	assert.EqualValues(t, 2, few.readys, "before the first execution, and before the restart")
	numbers := []int{10_000, 100_000}
	if jobstest.RaceFactor > 1 { // a hundred thousand would last for minutes
		numbers = numbers[:1]
	}
	bytes := 0.0
	for _, n := range numbers {
		many := growthOf(t, n)
		t.Logf("of %d: %+v", n, many)
		for what, allocations := range many.allocations {
			assert.LessOrEqual(t, allocations, few.allocations[what]+0.1, "allocations by %s", what)
		}
		// Not compared to those of a thousand jobs, beside which what else the process keeps is too much.
		if bytes > 0 {
			assert.LessOrEqual(t, many.bytes, 1.1*bytes, "bytes kept")
		}
		bytes = many.bytes
		assert.InDelta(t, few.executes, many.executes, 0)
		assert.InDelta(t, few.status, many.status, 0)
		assert.InDelta(t, few.readys, many.readys, 0)
	}
}

// The runtime prefers timers that are due, and goroutines just made, to those that have waited longer. Jobs
// with hardly a wait between two executions would keep all other goroutines waiting for seconds, and
// execute millions of times meanwhile. What is counted is how often they do while the test's own goroutine
// waits to go on; not in a bubble, as it is the runtime's real scheduling that counts.
func TestJobsWithHardlyAWaitLetOthersRun(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{
		"interval": jobs.Every(time.Nanosecond),
		"retry":    jobs.Retry(math.MaxInt),
	} {
		t.Run(name, func(t *testing.T) {
			const rounds, perRound = 20, 2000
			p := jobs.NewPool(jobstest.Quiet)
			var executions atomic.Int64
			var waited atomic.Pointer[chan struct{}]
			for range 100 {
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
					if over := waited.Load(); executions.Add(1)%perRound == 0 && over != nil && waited.CompareAndSwap(over, nil) {
						close(*over)
					}
					if name == "retry" {
						return jobstest.ErrBroken
					}
					return nil
				}}, trigger)
			}
			for range rounds {
				over := make(chan struct{})
				waited.Store(&over)
				<-over
			}
			t.Logf("%d executions, of which %d were waited for", executions.Load(), rounds*perRound)
			// Hardly more are expected. Of jobs that do not let others run there are 20 times as many, or 500.
			assert.Less(t, executions.Load(), int64(10*rounds*perRound))
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}
