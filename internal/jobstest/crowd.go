package jobstest

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

// A Crowd is a pool with jobs that come and go, and all calls that can be made.
type Crowd struct {
	Pool  *jobs.Pool
	stop  chan interface{}
	Over  chan struct{} // closed at the end
	Every time.Duration
	Luck  func(n int) bool    // one time in n
	Most  int                 // the maximum number of jobs
	Job   func(Stub) jobs.Job // makes the job to register from what it is to do

	mu  sync.Mutex
	ids []string
}

// NewCrowd makes a crowd without jobs.
func NewCrowd(p *jobs.Pool) *Crowd {
	return &Crowd{Pool: p, stop: make(chan interface{}, 3), Over: make(chan struct{}), Every: time.Microsecond,
		Luck: func(n int) bool { return rand.N(n) == 0 }, Most: 30, Job: func(s Stub) jobs.Job { return s }}
}

func (c *Crowd) id() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) == 0 {
		return "nobody"
	}
	return c.ids[rand.N(len(c.ids))]
}

// Add adds a job to the crowd, and unregisters the oldest if there are too many.
func (c *Crowd) Add(id string, err error) {
	if err != nil {
		return
	}
	c.mu.Lock()
	c.ids = append(c.ids, id)
	var oldest string
	if len(c.ids) > c.Most {
		oldest, c.ids = c.ids[0], c.ids[1:]
	}
	c.mu.Unlock()
	c.Pool.UnregisterJob(oldest)
}

// drop unregisters one, which may still be called.
func (c *Crowd) drop() { c.Pool.UnregisterJob(c.id()) }

// dropAndWait unregisters one, and waits for a moment until its calls have returned.
func (c *Crowd) dropAndWait() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Microsecond)
	defer cancel()
	_ = c.Pool.UnregisterAndWait(ctx, c.id())
}

// Calls returns all calls, by the names of the pool's methods and, after "it", of a JobExecution's.
func (c *Crowd) Calls() map[string]func() {
	p := c.Pool
	calls := map[string]func(){
		"UnregisterJob":     c.drop,
		"GetJob":            func() { p.GetJob(c.id()) },
		"GetJobStatus":      func() { p.GetJobStatus(c.id()) },
		"GetStatus":         func() { p.GetStatus() },
		"Status":            func() { p.Status() },
		"JobLock":           func() { id := c.id(); p.JobLock(id); p.JobUnlock(id) },
		"JobUnlock":         func() { p.JobUnlock(c.id()) },
		"RunNow":            func() { _ = p.RunNow(c.id()) },
		"Job":               func() { _, _ = p.Job(c.id()) },
		"Info":              func() { p.Info() },
		"Pause":             func() { _ = p.Pause(c.id(), "crowd") },
		"PauseUntil":        func() { _ = p.PauseUntil(c.id(), time.Now().Add(time.Millisecond), "crowd") },
		"Resume":            func() { _ = p.Resume(c.id()) },
		"PausePool":         func() { _ = p.PausePool("crowd") },
		"ResumePool":        func() { _ = p.ResumePool() },
		"Reschedule":        func() { _ = p.Reschedule(c.id(), c.anyTrigger()) },
		"JobByName":         func() { _, _ = p.JobByName("crowd") },
		"Cancel":            func() { _ = p.Cancel(c.id()) },
		"UnregisterAndWait": c.dropAndWait,
		"Events":            func() { p.Events() },
		"Explain":           func() { p.Explain(c.id()) },
		"History":           func() { p.History(c.id()) },
		"SetStatus Stopped": func() { p.SetStatus(jobs.PoolStatusStopped) },
		"SetStatus Running": func() { p.SetStatus(jobs.PoolStatusRunning) },
		"UpdateDurations":   func() { p.UpdateDurations(100*c.Every, time.Second) },
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
	for name, register := range c.Registrations() {
		calls[name] = func() { c.Add(register()) }
	}
	return calls
}

// anyTrigger returns one for Reschedule.
func (c *Crowd) anyTrigger() jobs.Trigger {
	if rand.IntN(4) == 0 {
		return jobs.Cron("* * * * * * *")
	}
	return jobs.Every(c.Every)
}

func (c *Crowd) ofOne(f func(jobs.JobExecution)) func() {
	return func() {
		if j := c.Pool.GetJob(c.id()); j != nil {
			f(j)
		}
	}
}

// Registrations returns calls of every kind and, for their types' sake, of every method.
func (c *Crowd) Registrations() map[string]func() (string, error) {
	p, every, stop := c.Pool, c.Every, c.stop
	worker := Stub{ExecuteFunc: func() error {
		if c.Luck(50) {
			return errors.New("now and then")
		}
		return nil
	}, StatusFunc: func() error { p.GetStatus(); return nil }, ReadyFunc: func() bool { return !c.Luck(3) }}
	listener := Stub{ExecuteFunc: func() error { <-stop; return nil }}
	work, channel := func() jobs.Job { return c.Job(worker) }, func() jobs.Job { return c.Job(listener) }
	return map[string]func() (string, error){
		"Register":                            func() (string, error) { return p.Register(work(), jobs.On(EverySecond())) },
		"Register detached":                   func() (string, error) { return p.Register(work(), jobs.On(EverySecond()), jobs.Detached()) },
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

// End shuts the pool down and checks that nothing goes on.
func (c *Crowd) End(t *testing.T) {
	t.Helper()
	close(c.Over)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_ = c.Pool.Drain(ctx) // what does not end in time, Shutdown ends
	require.NoError(t, c.Pool.Shutdown(context.Background()))
	assert.Equal(t, "Stopped", c.Pool.GetStatus())
	for info := range c.Pool.Jobs() {
		assert.NotEmpty(t, info.NotExecuting)
		assert.GreaterOrEqual(t, info.Executions, info.Failures)
	}
}
