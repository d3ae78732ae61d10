package jobs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

// hundredJobs registers a hundred attached jobs of all kinds. Each executes at every start of the pool, but for
// the scheduled ones, and notes nothing.
func hundredJobs(t *testing.T, p *jobs.Pool) {
	for n := range 100 {
		switch n % 10 {
		case 0:
			stop := make(chan interface{})
			register(t, p, stub{execute: func() error { <-stop; return nil }}, jobs.Channel(stop))
		case 1:
			register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil }), jobs.Channel(nil))
		case 2:
			register(t, p, idler{}, jobs.On(each(time.Hour)))
		default:
			register(t, p, idler{}, jobs.Every(time.Hour))
		}
	}
}

func TestRestartsLeaveNothing(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		hundredJobs(t, p)
		synctest.Wait()
		restarts := func(n int) {
			for range n {
				stopPool(p)
				synctest.Wait() // until the channel jobs have obeyed
				p.SetStatus(jobs.PoolStatusRunning)
				synctest.Wait()
			}
		}
		restarts(100)
		before, n := footprintNow(), rounds(10_000/raceFactor, 100_000)
		restarts(n)
		footprintNow().assertNoMoreThan(t, before, n)
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
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := 0
		register(t, p, stub{status: func() error { calls++; time.Sleep(2 * time.Millisecond); return nil }}, jobs.Every(forAges))
		pass(time.Second)
		before, n := footprintNow(), rounds(10_000, 100_000)
		pass(time.Duration(n) * 10 * time.Millisecond)
		footprintNow().assertNoMoreThan(t, before, n)
		assert.GreaterOrEqual(t, calls, n)
	}, jobs.WithStatusInterval(10*time.Millisecond), jobs.WithExecutionTimeout(forAges))
}

// A bulky job can be seen to be gone: nothing else keeps it.
type bulky struct {
	idler
	bulk *[64]byte
}

func (bulky) ExecuteContext(ctx context.Context) error { <-ctx.Done(); return nil }

// The pool's own lists, which it keeps to use them again, keep no job. (These have no timer: the runtime keeps
// one that was stopped, and what belongs to it, until others are due.)
func TestJobsThatWereSweptAreForgottenWhenTheyAreUnregistered(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, idler{}, jobs.Every(forAges))
		var bulks []weak.Pointer[[64]byte]
		var ids []string
		for range 1000 {
			job := bulky{bulk: new([64]byte)}
			bulks = append(bulks, weak.Make(job.bulk))
			ids = append(ids, register(t, p, job, jobs.Channel(nil)))
		}
		synctest.Wait()
		stopPool(p)
		pass(time.Minute + time.Second) // a restart and a sweep
		for _, id := range ids {
			p.UnregisterJob(id)
		}
		footprintNow()
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
				p := jobs.NewPool(quiet)
				id := register(t, p, idler{}, jobs.Every(time.Hour), opts...)
				pass(time.Second)
				p.UnregisterJob(id)
				return weak.Make(p)
			}()
			pass(time.Second)
			footprintNow()
			assert.True(t, pool.Value() == nil)
		})
	}
}

func TestChannelJobsThatAreUnregisteredWhileTheyExecuteLeaveNothing(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		comeAndObey := func(n int) {
			for range n {
				stop := make(chan interface{})
				id := register(t, p, stub{execute: func() error { <-stop; return nil }}, jobs.Channel(stop))
				synctest.Wait()
				p.UnregisterJob(id)
			}
		}
		comeAndObey(100)
		before := footprintNow()
		const n = 5000
		comeAndObey(n)
		footprintNow().assertNoMoreThan(t, before, n)
	})
}

func TestJobsThatAreUnregisteredLeaveNoTimer(t *testing.T) {
	failing := stub{execute: func() error { return errBroken }}
	for name, f := range map[string]func(t *testing.T, p *jobs.Pool, hangs jobs.Job) string{
		"of their interval": func(t *testing.T, p *jobs.Pool, _ jobs.Job) string { return register(t, p, idler{}, hourly()) },
		"of their schedule": func(t *testing.T, p *jobs.Pool, _ jobs.Job) string {
			return register(t, p, idler{}, jobs.On(each(time.Hour)))
		},
		"of their backoff": func(t *testing.T, p *jobs.Pool, _ jobs.Job) string {
			return register(t, p, failing, jobs.Retry(2), jobs.WithRetryBackoff(time.Hour, time.Hour))
		},
		"of their oblivion": func(t *testing.T, p *jobs.Pool, _ jobs.Job) string {
			return register(t, p, idler{}, jobs.Once(), jobs.WithForget(time.Hour))
		},
		"of their limit": func(t *testing.T, p *jobs.Pool, hangs jobs.Job) string {
			return register(t, p, hangs, jobs.Once(), jobs.WithJobTimeout(time.Hour))
		},
		"of the limit that comes": func(t *testing.T, p *jobs.Pool, hangs jobs.Job) string {
			return register(t, p, hangs, hourly())
		},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 4000
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				var before footprint
				for range 2 {
					before = footprintNow()
					ids, over := make([]string, n), make(chan bool)
					hangs := stub{execute: func() error { <-over; return nil }}
					for i := range ids {
						ids[i] = f(t, p, hangs)
					}
					synctest.Wait()
					for _, id := range ids {
						p.UnregisterJob(id)
					}
					close(over)
				}
				after := footprintNow()
				assert.Equal(t, before.goroutines, after.goroutines)
				// A timer and what it keeps are four objects at least. The runtime keeps some of those stopped, for a while.
				assert.Less(t, after.objects-before.objects, int64(n))
			})
		})
	}
}
