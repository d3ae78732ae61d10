package calls

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// pairStates are the states of the pool in which pairs of calls are made beside each other.
var pairStates = map[string]func(c *jobstest.Crowd){
	"running": func(*jobstest.Crowd) {},
	"stopped, held up": func(c *jobstest.Crowd) {
		_, _ = c.Pool.Register(jobstest.Stub{ExecuteFunc: func() error { <-c.Over; return nil }}, jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(1))
		for c.Pool.GetStatus() != "Stopped" {
			runtime.Gosched()
		}
	},
	"shut down": func(c *jobstest.Crowd) {
		for _, register := range c.Registrations() {
			c.Add(register())
		}
		jobstest.ShutDownNow(c.Pool)
	},
}

// These run outside a bubble, for the sake of real parallelism. Nothing in them waits for time.
func TestEveryPairOfCallsBesideEachOther(t *testing.T) {
	for name, prepare := range pairStates {
		t.Run(name, func(t *testing.T) {
			c := jobstest.NewCrowd(nil)
			c.Pool = jobs.NewPool(jobstest.Quiet, jobs.WithOnStatus(func(jobs.PoolInfo) { c.Pool.GetStatus() }), jobs.WithAbandonAfter(time.Hour))
			prepare(c)
			calls := c.Calls()
			for one, f := range calls {
				for other, g := range calls {
					if one <= other {
						beside(f, g)
					}
				}
			}
			c.End(t)
		})
	}
}

// beside makes two calls beside each other, three times.
func beside(calls ...func()) {
	var wg sync.WaitGroup
	for _, f := range calls {
		wg.Go(func() {
			for range 3 {
				f()
			}
		})
	}
	wg.Wait()
}

func TestEveryCallBesideTheFirstUseAndShutdown(t *testing.T) {
	for name := range jobstest.NewCrowd(nil).Calls() {
		p := jobs.NewPool(jobstest.Quiet)
		c := jobstest.NewCrowd(p)
		call := c.Calls()[name]
		shut := func() { assert.NoError(t, p.Shutdown(context.Background())) }
		beside(call, call, func() { c.Add(p.RegisterIntervalJob(jobstest.Stub{}, c.Every)) })
		beside(call, shut, shut)
		c.End(t)
	}
}

func TestEveryMethodIsAmongTheCallsThatAreMadeBesideEachOther(t *testing.T) {
	pool, execution := []string{"Shutdown", "Drain"}, []string{}
	for name := range jobstest.NewCrowd(nil).Calls() {
		if method, ok := strings.CutPrefix(name, "it "); ok {
			execution = append(execution, method)
		} else {
			pool = append(pool, strings.Fields(name)[0])
		}
	}
	assert.Subset(t, pool, exportedFunctions(t, "Pool"))
	assert.Subset(t, execution, methodsOf(reflect.TypeFor[jobs.JobExecution]()))
}

func TestEverythingMayBeCalledFromInsideAJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		c := jobstest.NewCrowd(p)
		c.Every, c.Luck = time.Second, func(int) bool { return false }
		calls := c.Calls()
		all := func(done *atomic.Int32) {
			if done.Add(1) > 4 { // it stops and restarts the pool
				return
			}
			for _, f := range calls {
				f()
			}
			_ = p.ResumePool() // lest it stay paused
		}
		var execute, status, ready atomic.Int32
		jobstest.Register(t, p, jobstest.Stub{
			ExecuteFunc: func() error { all(&execute); return nil },
			StatusFunc:  func() error { all(&status); return nil },
			ReadyFunc:   func() bool { all(&ready); return true },
		}, jobs.Every(jobstest.ForAges), jobs.WithName("busybody"))
		jobstest.Advance(time.Hour)
		for name, done := range map[string]*atomic.Int32{"Execute": &execute, "Status": &status, "Ready": &ready} {
			assert.Positive(t, done.Load(), name)
			done.Store(100) // no more
		}
		p.SetStatus(jobs.PoolStatusRunning)
		jobstest.Advance(0)
		assert.Equal(t, "Running", p.GetStatus())
	})
}
