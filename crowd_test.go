package jobs_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// A crowd is a pool with jobs that come and go, and all that can be called.
type crowd struct {
	p     *jobs.Pool
	stop  chan interface{}
	over  chan struct{} // closed at the end
	every time.Duration
	luck  func(n int) bool    // one time in n
	most  int                 // how many jobs there are at the most
	job   func(stub) jobs.Job // makes the job that is registered of what is to be done

	mu  sync.Mutex
	ids []string
}

func newCrowd(p *jobs.Pool) *crowd {
	return &crowd{p: p, stop: make(chan interface{}, 3), over: make(chan struct{}), every: time.Microsecond,
		luck: func(n int) bool { return rand.N(n) == 0 }, most: 30, job: func(s stub) jobs.Job { return s }}
}

func (c *crowd) id() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) == 0 {
		return "nobody"
	}
	return c.ids[rand.N(len(c.ids))]
}

// add makes a job one of the crowd, and sends the oldest away if there are many.
func (c *crowd) add(id string, err error) {
	if err != nil {
		return
	}
	c.mu.Lock()
	c.ids = append(c.ids, id)
	var oldest string
	if len(c.ids) > c.most {
		oldest, c.ids = c.ids[0], c.ids[1:]
	}
	c.mu.Unlock()
	c.p.UnregisterJob(oldest)
}

// drop sends one away, who may be called on all the same.
func (c *crowd) drop() { c.p.UnregisterJob(c.id()) }

// calls are all calls, by the names of the methods of the pool and, with it in front, of a JobExecution.
func (c *crowd) calls() map[string]func() {
	p := c.p
	calls := map[string]func(){
		"UnregisterJob":     c.drop,
		"GetJob":            func() { p.GetJob(c.id()) },
		"GetJobStatus":      func() { p.GetJobStatus(c.id()) },
		"GetStatus":         func() { p.GetStatus() },
		"JobLock":           func() { id := c.id(); p.JobLock(id); p.JobUnlock(id) },
		"JobUnlock":         func() { p.JobUnlock(c.id()) },
		"RunNow":            func() { _ = p.RunNow(c.id()) },
		"Job":               func() { _, _ = p.Job(c.id()) },
		"Info":              func() { p.Info() },
		"SetStatus Stopped": func() { p.SetStatus(jobs.PoolStatusStopped) },
		"SetStatus Running": func() { p.SetStatus(jobs.PoolStatusRunning) },
		"UpdateDurations":   func() { p.UpdateDurations(100*c.every, time.Second) },
		"Jobs": func() {
			for info := range p.Jobs() {
				_ = info
			}
		},
		"WaitRunning": func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Microsecond)
			defer cancel()
			_ = p.WaitRunning(ctx)
		},
		"it GetStatus": c.ofOne(func(j jobs.JobExecution) { j.GetStatus() }),
		"it GetID":     c.ofOne(func(j jobs.JobExecution) { j.GetID() }),
		"it GetName":   c.ofOne(func(j jobs.JobExecution) { j.GetName() }),
		"it GetJob":    c.ofOne(func(j jobs.JobExecution) { j.GetJob() }),
		"it Ready":     c.ofOne(func(j jobs.JobExecution) { j.Ready() }),
		"it Lock":      c.ofOne(func(j jobs.JobExecution) { j.Lock(); defer j.Unlock() }),
		"it Unlock":    c.ofOne(func(j jobs.JobExecution) { j.Unlock() }),
	}
	for name, register := range c.registrations() {
		calls[name] = func() { c.add(register()) }
	}
	return calls
}

func (c *crowd) ofOne(f func(jobs.JobExecution)) func() {
	return func() {
		if j := c.p.GetJob(c.id()); j != nil {
			f(j)
		}
	}
}

// registrations are calls of every kind and, for their types' sake, of every method.
func (c *crowd) registrations() map[string]func() (string, error) {
	p, every, stop := c.p, c.every, c.stop
	worker := stub{execute: func() error {
		if c.luck(50) {
			return errors.New("now and then")
		}
		return nil
	}, status: func() error { p.GetStatus(); return nil }, ready: func() bool { return !c.luck(3) }}
	listener := stub{execute: func() error { <-stop; return nil }}
	work, channel := func() jobs.Job { return c.job(worker) }, func() jobs.Job { return c.job(listener) }
	return map[string]func() (string, error){
		"Register":                            func() (string, error) { return p.Register(work(), jobs.On(everySecond())) },
		"Register detached":                   func() (string, error) { return p.Register(work(), jobs.On(everySecond()), jobs.Detached()) },
		"Register forgotten":                  func() (string, error) { return p.Register(work(), jobs.Once(), jobs.WithForget(every)) },
		"RegisterSingleRunJob":                func() (string, error) { return p.RegisterSingleRunJob(work()) },
		"RegisterSingleRunJobWithName":        func() (string, error) { return p.RegisterSingleRunJobWithName(work(), "a") },
		"RegisterRetryJob":                    func() (string, error) { return p.RegisterRetryJob(work(), 3) },
		"RegisterRetryJobWithName":            func() (string, error) { return p.RegisterRetryJobWithName(work(), 3, "b") },
		"RegisterIntervalJob":                 func() (string, error) { return p.RegisterIntervalJob(work(), every) },
		"RegisterIntervalJobWithName":         func() (string, error) { return p.RegisterIntervalJobWithName(work(), every, "c") },
		"RegisterDetachedIntervalJob":         func() (string, error) { return p.RegisterDetachedIntervalJob(work(), every) },
		"RegisterDetachedIntervalJobWithName": func() (string, error) { return p.RegisterDetachedIntervalJobWithName(work(), every, "d") },
		"RegisterScheduledJob":                func() (string, error) { return p.RegisterScheduledJob(work(), "* * * * * * *") },
		"RegisterScheduledJobWithName":        func() (string, error) { return p.RegisterScheduledJobWithName(work(), "@hourly", "e") },
		"RegisterChannelJob":                  func() (string, error) { return p.RegisterChannelJob(channel(), stop) },
		"RegisterChannelJobWithName":          func() (string, error) { return p.RegisterChannelJobWithName(channel(), stop, "f") },
		"RegisterDetachedChannelJob":          func() (string, error) { return p.RegisterDetachedChannelJob(channel(), stop) },
		"RegisterDetachedChannelJobWithName":  func() (string, error) { return p.RegisterDetachedChannelJobWithName(channel(), stop, "g") },
	}
}

// end shuts the pool down and checks that nothing goes on.
func (c *crowd) end(t *testing.T) {
	t.Helper()
	close(c.over)
	require.NoError(t, c.p.Shutdown(context.Background()))
	assert.Equal(t, "Stopped", c.p.GetStatus())
	for info := range c.p.Jobs() {
		assert.NotEmpty(t, info.NotExecuting)
		assert.GreaterOrEqual(t, info.Executions, info.Failures)
	}
}
