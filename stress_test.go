package jobs_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// These tests start and stop from ten goroutines, fifty times each, as river's startstoptest does with each of
// its services: whatever can be started and stopped must bear that, and leave nothing. Every job is a puppet,
// which raises the alarm if an execution of it begins when none may.

// A startable is a kind of job that a puppet can be.
type startable struct {
	name    string
	trigger func(p *puppet) jobs.Trigger
	act     act
	opts    []jobs.JobOption
}

func always(trigger jobs.Trigger) func(*puppet) jobs.Trigger {
	return func(*puppet) jobs.Trigger { return trigger }
}

func itsChannel(p *puppet) jobs.Trigger { return jobs.Channel(p.stop) }

var (
	detached   = []jobs.JobOption{jobs.Detached()}
	startables = []startable{
		{"single run", always(jobs.Once()), succeeds, nil},
		{"retry", always(jobs.Retry(3)), fails, nil},
		{"interval", always(jobs.Every(time.Millisecond)), succeeds, nil},
		{"scheduled", always(jobs.On(each(time.Millisecond))), succeeds, nil},
		{"channel", itsChannel, obeys, nil},
		{"detached interval", always(jobs.Every(time.Millisecond)), succeeds, detached},
		{"detached channel", itsChannel, obeys, detached},
		{"detached scheduled", always(jobs.On(each(time.Millisecond))), succeeds, detached},
	}
)

// start registers a puppet that is of that kind.
func (k startable) start(s *stage) *puppet {
	p := newPuppet(s.t, s.Pool, k.name)
	p.execution.next(k.act)
	return p.register(k.trigger(p), k.opts...)
}

// tenByFifty has ten goroutines do something fifty times each.
func tenByFifty(f func(n int)) {
	var wg sync.WaitGroup
	for g := range 10 {
		wg.Go(func() {
			for n := range rounds(50, 1000) {
				f(g + n)
			}
		})
	}
	wg.Wait()
}

// start and stop is to register and to unregister.
func TestStressOfRegisteringAndUnregistering(t *testing.T) {
	for _, kind := range startables {
		t.Run(kind.name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage) {
				goroutines := len(bubbleGoroutines())
				tenByFifty(func(n int) {
					p := kind.start(s)
					time.Sleep(aMoment(n)) // or not
					start := time.Now()
					p.unregister()
					assert.Zero(t, time.Since(start), "it returns at once")
				})
				s.pass(0)
				assert.Zero(t, s.Info().Jobs)
				assert.Zero(t, s.Info().Unstarted)
				assert.Zero(t, s.Departed())
				assert.Len(t, bubbleGoroutines(), goroutines)
			})
		})
	}
}

// start and stop is to restart and to stop the pool, which all do at once, while jobs come and go.
func TestStressOfStoppingAndRestarting(t *testing.T) {
	for _, kind := range startables {
		t.Run(kind.name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage) {
				lasting := kind.start(s)
				s.puppets = append(s.puppets, lasting)
				tenByFifty(func(n int) {
					p := kind.start(s)
					start := time.Now()
					stopPool(s.Pool)
					assert.Zero(t, time.Since(start), "it returns at once")
					s.look()
					p.look()
					time.Sleep(aMoment(n))
					s.SetStatus(jobs.PoolStatusRunning)
					time.Sleep(aMoment(n + 1))
					p.unregister()
				})
				s.SetStatus(jobs.PoolStatusRunning) // whoever came last
				s.pass(time.Second)
				info := s.Info()
				assert.Equal(t, jobs.PoolStatusRunning, info.Status)
				assert.NotZero(t, info.Restarts)
				assert.Equal(t, 1, info.Jobs)
				assert.Zero(t, info.Unstarted)
				assert.Zero(t, s.Departed())
				before := infoOf(t, s.Pool, lasting.id)
				s.pass(time.Second)
				assert.Equal(t, before.Status, infoOf(t, s.Pool, lasting.id).Status)
			})
		})
	}
}

// start and stop is to make a pool with a job of each kind, and to shut it down, from two sides.
func TestStressOfPools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goroutines := len(bubbleGoroutines())
		tenByFifty(func(n int) {
			s := &stage{Pool: jobs.NewPool(quiet), t: t}
			for _, kind := range startables {
				s.puppets = append(s.puppets, kind.start(s))
			}
			time.Sleep(aMoment(n))
			ended := make(chan error)
			go func() { ended <- s.Shutdown(context.Background()) }()
			assert.NoError(t, s.shutdown(context.Background()))
			assert.NoError(t, <-ended)
			assert.Equal(t, "Stopped", s.GetStatus())
		})
		pass(time.Hour)
		assert.Len(t, bubbleGoroutines(), goroutines)
	})
}

// start and stop is to be executed, by RunNow or because it is due, and to be kept from that by the lock.
func TestStressOfLocksAndRunNow(t *testing.T) {
	for _, kind := range startables[2:4] {
		t.Run(kind.name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage) {
				p := kind.start(s)
				p.execution.next(succeeds.in(time.Millisecond))
				s.pass(time.Millisecond)
				tenByFifty(func(n int) {
					_ = s.RunNow(p.id)
					s.JobLock(p.id)
					assert.Zero(t, p.execution.inFlight(), "it holds its lock while it executes")
					time.Sleep(aMoment(n))
					assert.Zero(t, p.execution.inFlight())
					s.JobUnlock(p.id)
				})
				require.NoError(t, s.RunNow(p.id), fmt.Sprint(infoOf(t, s.Pool, p.id)))
				s.pass(2 * time.Millisecond)
				assert.Equal(t, "Running", s.GetJobStatus(p.id))
				p.unregister()
				s.pass(time.Millisecond) // until what has just begun has ended
				assert.Zero(t, s.Departed())
			})
		})
	}
}
