package stress

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// hundredJobs registers a hundred attached jobs of all kinds. Each executes at every start of the pool, if that was
// Stopped for a second, but for the scheduled ones, and notes nothing.
func hundredJobs(t *testing.T, p *jobs.Pool) {
	for n := range 100 {
		switch n % 10 {
		case 0:
			stop := make(chan interface{})
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }}, jobs.Channel(stop))
		case 1:
			jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil }), jobs.Channel(nil))
		case 2:
			jobstest.Register(t, p, jobstest.Idler{}, jobs.On(jobstest.Each(jobstest.ForAges)))
		default:
			jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Second))
		}
	}
}

func TestRestartsLeaveNothing(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		hundredJobs(t, p)
		synctest.Wait()
		restarts := func(n int) {
			for range n {
				jobstest.StopPool(p)
				jobstest.Advance(time.Second) // until the channel jobs have obeyed, and the interval jobs are due
				p.SetStatus(jobs.PoolStatusRunning)
				synctest.Wait()
			}
		}
		restarts(100)
		before, n := jobstest.FootprintNow(), jobstest.Rounds(10_000/jobstest.RaceFactor, 100_000)
		restarts(n)
		jobstest.FootprintNow().AssertNoMoreThan(t, before, n)
		assert.Equal(t, 100+n, p.Info().Restarts)
		executions := 0
		for info := range p.Jobs() {
			executions += int(info.Executions)
		}
		assert.Equal(t, 90*(1+100+n), executions)
	})
}

// A call of Status that lasts is watched by a timer, which is not to outlive it.
func TestCallsOfStatusThatLastLeaveNothing(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := 0
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { calls++; time.Sleep(2 * time.Millisecond); return nil }}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(time.Second)
		before, n := jobstest.FootprintNow(), jobstest.Rounds(10_000, 100_000)
		jobstest.Advance(time.Duration(n) * 10 * time.Millisecond)
		jobstest.FootprintNow().AssertNoMoreThan(t, before, n)
		assert.GreaterOrEqual(t, calls, n)
	}, jobs.WithStatusInterval(10*time.Millisecond), jobs.WithExecutionTimeout(jobstest.ForAges))
}

// A bulky job can be seen to be gone: nothing else keeps it.
type bulky struct {
	jobstest.Idler
	bulk *[64]byte
}

func (bulky) ExecuteContext(ctx context.Context) error { <-ctx.Done(); return nil }

// The pool's own lists, which it keeps to use them again, keep no job. (These have no timer: the runtime keeps
// one that was stopped, and what belongs to it, until others are due.)
func TestJobsThatWereSweptAreForgottenWhenTheyAreUnregistered(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(jobstest.ForAges))
		var bulks []weak.Pointer[[64]byte]
		var ids []string
		for range 1000 {
			job := bulky{bulk: new([64]byte)}
			bulks = append(bulks, weak.Make(job.bulk))
			ids = append(ids, jobstest.Register(t, p, job, jobs.Channel(nil)))
		}
		synctest.Wait()
		jobstest.StopPool(p)
		jobstest.Advance(time.Minute + time.Second) // a restart and a sweep
		for _, id := range ids {
			p.UnregisterJob(id)
		}
		jobstest.FootprintNow()
		alive := 0
		for _, bulk := range bulks {
			if bulk.Value() != nil {
				alive++
			}
		}
		assert.Less(t, alive, 10, "one or another may still be on a stack")
	})
}

// A timer would keep it.
func TestAPoolWhoseJobsAreGoneIsKeptByNothing(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		synctest.Test(t, func(t *testing.T) {
			pool := func() weak.Pointer[jobs.Pool] {
				p := jobs.NewPool(jobstest.Quiet)
				id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), opts...)
				jobstest.Advance(time.Second)
				p.UnregisterJob(id)
				return weak.Make(p)
			}()
			jobstest.Advance(time.Second)
			jobstest.FootprintNow()
			assert.True(t, pool.Value() == nil)
		})
	}
}

func TestChannelJobsThatAreUnregisteredWhileTheyExecuteLeaveNothing(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		comeAndObey := func(n int) {
			for range n {
				stop := make(chan interface{})
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }}, jobs.Channel(stop))
				synctest.Wait()
				p.UnregisterJob(id)
			}
		}
		comeAndObey(100)
		before := jobstest.FootprintNow()
		const n = 5000
		comeAndObey(n)
		jobstest.FootprintNow().AssertNoMoreThan(t, before, n)
	})
}

func TestJobsThatAreUnregisteredLeaveNoTimer(t *testing.T) {
	failing := jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}
	for name, f := range map[string]func(t *testing.T, p *jobs.Pool, hangs jobs.Job) string{
		"of their interval": func(t *testing.T, p *jobs.Pool, _ jobs.Job) string {
			return jobstest.Register(t, p, jobstest.Idler{}, jobstest.Hourly())
		},
		"of their schedule": func(t *testing.T, p *jobs.Pool, _ jobs.Job) string {
			return jobstest.Register(t, p, jobstest.Idler{}, jobs.On(jobstest.Each(time.Hour)))
		},
		"of their backoff": func(t *testing.T, p *jobs.Pool, _ jobs.Job) string {
			return jobstest.Register(t, p, failing, jobs.Retry(2), jobs.WithRetryBackoff(time.Hour, time.Hour))
		},
		"of their oblivion": func(t *testing.T, p *jobs.Pool, _ jobs.Job) string {
			return jobstest.Register(t, p, jobstest.Idler{}, jobs.Once(), jobs.WithForget(time.Hour))
		},
		"of their limit": func(t *testing.T, p *jobs.Pool, hangs jobs.Job) string {
			return jobstest.Register(t, p, hangs, jobs.Once(), jobs.WithJobTimeout(time.Hour))
		},
		"of the limit that comes": func(t *testing.T, p *jobs.Pool, hangs jobs.Job) string {
			return jobstest.Register(t, p, hangs, jobstest.Hourly())
		},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 4000
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var before jobstest.Footprint
				for range 2 {
					before = jobstest.FootprintNow()
					ids, over := make([]string, n), make(chan bool)
					hangs := jobstest.Stub{ExecuteFunc: func() error { <-over; return nil }}
					for i := range ids {
						ids[i] = f(t, p, hangs)
					}
					synctest.Wait()
					for _, id := range ids {
						p.UnregisterJob(id)
					}
					close(over)
				}
				after := jobstest.FootprintNow()
				assert.Equal(t, before.Goroutines, after.Goroutines)
				// A timer and what it keeps are four objects at least. The runtime keeps some of those stopped, for a while.
				assert.Less(t, after.Objects-before.Objects, int64(n))
			})
		})
	}
}
