package jobs_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// These tests run outside a bubble, for the sake of real parallelism. Nothing in them waits for time.

func TestNoExecutionBeginsAfterGetStatusHasReadStopped(t *testing.T) {
	failing := newFault()
	for name, stop := range map[string]func(p *jobs.Pool, culprit string){
		"SetStatus": func(p *jobs.Pool, _ string) { p.SetStatus(jobs.PoolStatusStopped) },
		"a failure": func(p *jobs.Pool, culprit string) { failing.cause(); _ = p.RunNow(culprit) },
	} {
		t.Run(name, func(t *testing.T) {
			p := jobs.NewPool(quiet)
			failing.mend()
			culprit := register(t, p, stub{execute: failing.err}, jobs.Every(forAges))
			m := newMill(t, p)
			for range 50 {
				failing.mend()
				p.SetStatus(jobs.PoolStatusRunning)
				require.NoError(t, p.WaitRunning(context.Background()))
				for n := m.calls[0].Load(); m.calls[0].Load() == n; { // until it has executed
					runtime.Gosched()
				}
				go stop(p, culprit)
				for p.GetStatus() != "Stopped" {
					runtime.Gosched()
				}
				m.checkStopped(t)
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

// A mill is some jobs that execute all the time.
type mill struct {
	p     *jobs.Pool
	ids   [10]string
	calls [10]atomic.Uint64
}

func newMill(t *testing.T, p *jobs.Pool) *mill {
	m := &mill{p: p}
	for i := range m.ids {
		m.ids[i] = register(t, p, stub{execute: func() error { m.calls[i].Add(1); return nil }}, jobs.Every(time.Microsecond))
	}
	return m
}

// checkStopped checks that no execution begins any more. One that begins is counted as it is claimed.
func (m *mill) checkStopped(t *testing.T) {
	var begun [len(m.ids)]uint64
	for i, id := range m.ids {
		begun[i] = infoOf(t, m.p, id).Executions
	}
	for range 3 {
		for i, id := range m.ids {
			for m.p.GetJobStatus(id) != "Stopped" { // one that was claimed before runs to its end
				runtime.Gosched()
			}
			assert.Equal(t, begun[i], m.calls[i].Load())
			assert.Equal(t, begun[i], infoOf(t, m.p, id).Executions)
		}
	}
}

func TestAJobInfoNeverHasMoreFailuresThanExecutions(t *testing.T) {
	p := jobs.NewPool(quiet)
	id := register(t, p, stub{execute: func() error {
		if rand.N(2) == 0 {
			return errBroken
		}
		return nil
	}}, jobs.Every(time.Nanosecond), jobs.Detached())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 5000 {
				info, _ := p.Job(id)
				if info.Failures > info.Executions || info.ConsecutiveFailures > info.Failures ||
					(info.Failures > 0) != (info.LastError != nil) ||
					(info.ConsecutiveFailures > 0 && info.NotExecuting != "") != (info.Status == jobs.JobStatusFailed && info.NotExecuting != "") {
					assert.Fail(t, "inconsistent", "%+v", info)
					return
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, p.Shutdown(context.Background()))
}

// A crowd is a pool with jobs that come and go, and all that can be called.
type crowd struct {
	p     *jobs.Pool
	stop  chan interface{}
	every time.Duration
	luck  func(n int) bool // one time in n

	mu  sync.Mutex
	ids []string
}

func (c *crowd) id() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) == 0 {
		return "nobody"
	}
	return c.ids[rand.N(len(c.ids))]
}

func (c *crowd) add(id string, err error) {
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ids = append(c.ids, id)
	}
}

func (c *crowd) drop() {
	c.mu.Lock()
	var id string
	if n := len(c.ids); n > 10 {
		id, c.ids = c.ids[0], c.ids[1:]
	}
	c.mu.Unlock()
	c.p.UnregisterJob(id)
}

func (c *crowd) calls() map[string]func() {
	p := c.p
	work := stub{execute: func() error {
		if c.luck(50) {
			return errors.New("now and then")
		}
		return nil
	}, status: func() error { p.GetStatus(); return nil }, ready: func() bool { return !c.luck(3) }}
	channel := stub{execute: func() error { <-c.stop; return nil }}
	return map[string]func(){
		"register interval":  func() { c.add(p.Register(work, jobs.Every(c.every))) },
		"register detached":  func() { c.add(p.Register(work, jobs.Every(c.every), jobs.Detached())) },
		"register single":    func() { c.add(p.Register(work, jobs.Once(), jobs.WithForget(time.Microsecond))) },
		"register retry":     func() { c.add(p.Register(work, jobs.Retry(3))) },
		"register scheduled": func() { c.add(p.Register(work, jobs.On(everySecond()))) },
		"register channel":   func() { c.add(p.Register(channel, jobs.Channel(c.stop))) },
		"unregister":         c.drop,
		"unregister again":   func() { p.UnregisterJob(c.id()) },
		"status":             func() { p.GetJobStatus(c.id()); p.GetStatus() },
		"lock":               func() { id := c.id(); p.JobLock(id); p.JobUnlock(id) },
		"unlock":             func() { p.JobUnlock(c.id()) },
		"run now":            func() { _ = p.RunNow(c.id()) },
		"job":                func() { _, _ = p.Job(c.id()) },
		"info":               func() { p.Info() },
		"stop":               func() { p.SetStatus(jobs.PoolStatusStopped) },
		"restart":            func() { p.SetStatus(jobs.PoolStatusRunning) },
		"durations":          func() { p.UpdateDurations(100*c.every, time.Second) },
		"list": func() {
			for info := range p.Jobs() {
				_ = info
			}
		},
		"execution": func() {
			if j := p.GetJob(c.id()); j != nil {
				j.GetStatus()
				j.Ready()
				j.Lock()
				_ = j.GetJob().GetName() + j.GetID()
				j.Unlock()
			}
		},
		"wait": func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Microsecond)
			defer cancel()
			_ = p.WaitRunning(ctx)
		},
	}
}

func TestEveryPairOfCallsBesideEachOther(t *testing.T) {
	c := &crowd{stop: make(chan interface{}, 3), every: time.Microsecond,
		luck: func(n int) bool { return rand.N(n) == 0 }}
	c.p = jobs.NewPool(quiet, jobs.WithOnStatus(func(jobs.PoolInfo) { c.p.GetStatus() }), jobs.WithAbandonAfter(time.Second))
	calls := c.calls()
	for _, one := range calls {
		for _, other := range calls {
			var wg sync.WaitGroup
			for _, f := range []func(){one, other} {
				wg.Go(func() {
					for range 3 {
						f()
					}
				})
			}
			wg.Wait()
		}
	}
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- c.p.Shutdown(context.Background()) }()
	}
	for _, f := range calls {
		f()
	}
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	assert.Equal(t, "Stopped", c.p.GetStatus())
	for info := range c.p.Jobs() {
		assert.NotEmpty(t, info.NotExecuting)
		assert.GreaterOrEqual(t, info.Executions, info.Failures)
	}
}

func TestEverythingMayBeCalledFromInsideAJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		c := &crowd{p: p, stop: make(chan interface{}), every: 10 * time.Second,
			luck: func(int) bool { return false }}
		calls := c.calls()
		delete(calls, "lock") // a job's own lock would make it wait for itself
		delete(calls, "execution")
		var done atomic.Int32
		all := func() {
			if done.Add(1) > 10 { // it stops and restarts the pool
				return
			}
			for _, f := range calls {
				f()
			}
		}
		register(t, p, stub{
			execute: func() error { all(); return nil },
			status:  func() error { all(); return nil },
			ready:   func() bool { all(); return true },
		}, jobs.Every(forAges), jobs.WithName("busybody"))
		pass(time.Hour)
		assert.GreaterOrEqual(t, done.Load(), int32(2))
		done.Store(100) // no more
		p.SetStatus(jobs.PoolStatusRunning)
		pass(0)
		assert.Equal(t, "Running", p.GetStatus())
	})
}
