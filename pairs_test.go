package jobs_test

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
)

// pairStates are the states of the pool in which pairs of calls are made beside each other.
var pairStates = map[string]func(c *crowd){
	"running": func(*crowd) {},
	"stopped, held up": func(c *crowd) {
		_, _ = c.p.Register(stub{execute: func() error { <-c.over; return nil }}, jobs.Every(forAges), jobs.WithJobTimeout(1))
		for c.p.GetStatus() != "Stopped" {
			runtime.Gosched()
		}
	},
	"shut down": func(c *crowd) {
		for _, register := range c.registrations() {
			c.add(register())
		}
		shutPool(c.p)
	},
}

// These run outside a bubble, for the sake of real parallelism. Nothing in them waits for time.
func TestEveryPairOfCallsBesideEachOther(t *testing.T) {
	for name, prepare := range pairStates {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(nil)
			c.p = jobs.NewPool(quiet, jobs.WithOnStatus(func(jobs.PoolInfo) { c.p.GetStatus() }), jobs.WithAbandonAfter(time.Hour))
			prepare(c)
			calls := c.calls()
			for one, f := range calls {
				for other, g := range calls {
					if one <= other {
						beside(f, g)
					}
				}
			}
			c.end(t)
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
	for name := range newCrowd(nil).calls() {
		p := jobs.NewPool(quiet)
		c := newCrowd(p)
		call := c.calls()[name]
		shut := func() { assert.NoError(t, p.Shutdown(context.Background())) }
		beside(call, call, func() { c.add(p.RegisterIntervalJob(stub{}, c.every)) })
		beside(call, shut, shut)
		c.end(t)
	}
}

func TestEveryMethodIsAmongTheCallsThatAreMadeBesideEachOther(t *testing.T) {
	pool, execution := []string{"Shutdown"}, []string{}
	for name := range newCrowd(nil).calls() {
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
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		c := newCrowd(p)
		c.every, c.luck = time.Second, func(int) bool { return false }
		calls := c.calls()
		all := func(done *atomic.Int32) {
			if done.Add(1) > 4 { // it stops and restarts the pool
				return
			}
			for _, f := range calls {
				f()
			}
		}
		var execute, status, ready atomic.Int32
		register(t, p, stub{
			execute: func() error { all(&execute); return nil },
			status:  func() error { all(&status); return nil },
			ready:   func() bool { all(&ready); return true },
		}, jobs.Every(forAges), jobs.WithName("busybody"))
		pass(time.Hour)
		for name, done := range map[string]*atomic.Int32{"Execute": &execute, "Status": &status, "Ready": &ready} {
			assert.Positive(t, done.Load(), name)
			done.Store(100) // no more
		}
		p.SetStatus(jobs.PoolStatusRunning)
		pass(0)
		assert.Equal(t, "Running", p.GetStatus())
	})
}
