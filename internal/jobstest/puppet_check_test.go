package jobstest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// A complaintBook is a test that only writes down what it is failed for.
type complaintBook struct{ complaints []string }

func (b *complaintBook) Errorf(format string, args ...any) {
	b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
}

// A careless pool keeps none of a pool's promises: it is whatever a test says, and calls nothing.
type careless struct {
	info       jobs.PoolInfo
	job        jobs.JobInfo
	unregister func()
	handle     jobs.JobExecution
}

func (c *careless) Register(jobs.Job, jobs.Trigger, ...jobs.JobOption) (string, error) {
	return "id", nil
}
func (c *careless) GetJob(string) jobs.JobExecution { return c.handle }
func (c *careless) Job(string) (jobs.JobInfo, bool) { return c.job, true }
func (c *careless) Info() jobs.PoolInfo             { return c.info }
func (c *careless) UnregisterJob(string)            { c.unregister() }

func (c *careless) halt() {
	c.info.Status, c.info.Since = jobs.PoolStatusStopped, time.Now()
}

// A handleOf is a registered job of that status.
type handleOf struct {
	jobs.JobExecution
	status jobs.JobStatus
}

func (h handleOf) GetStatus() jobs.JobStatus { return h.status }

// executed has the job executed by another goroutine, up to where it hangs.
func executed(job jobs.Job) {
	go func() { _ = job.Execute() }()
	synctest.Wait()
}

// withCareless runs f with a puppet that hangs in whatever is called, in a careless pool that is Running,
// and returns what the puppet has complained of, without its history.
func withCareless(t *testing.T, f func(pool *careless, p *Puppet)) (complaints []string) {
	book := new(complaintBook)
	synctest.Test(t, func(*testing.T) {
		pool := &careless{unregister: func() {}}
		pool.info = jobs.PoolInfo{Status: jobs.PoolStatusRunning, Since: time.Now()}
		pool.job = jobs.JobInfo{Type: jobs.JobTypeInterval}
		p := NewPuppet(book, pool, "victim")
		for _, part := range []*Part{p.Executions, p.StatusCalls, p.ReadyCalls} {
			part.Next(Hangs)
		}
		f(pool, p)
		p.Release()
	})
	return book.complaints
}

// An outrage is something that a pool promises not to do, and what the puppet says of it.
type outrage struct {
	name string
	do   func(pool *careless, p *Puppet)
	says string
}

var outrages = []outrage{
	{"two executions", func(_ *careless, p *Puppet) {
		p.Register(nil)
		executed(p)
		executed(p)
	}, "execution begins beside execution 1"},
	{"two before the first is old enough to be given up", func(_ *careless, p *Puppet) {
		p.GivenUpAfter = time.Minute
		p.Register(nil)
		executed(p)
		Advance(time.Minute - 1)
		executed(p)
	}, "execution begins beside execution 1"},
	{"Ready beside an execution", func(_ *careless, p *Puppet) {
		p.Register(nil)
		executed(p)
		go p.Ready()
		synctest.Wait()
	}, "Ready begins beside execution 1"},
	{"an execution beside Ready", func(_ *careless, p *Puppet) {
		p.Register(nil)
		go p.Ready()
		synctest.Wait()
		executed(p)
	}, "execution begins beside Ready 1"},
	{"two calls of Status", func(_ *careless, p *Puppet) {
		p.Register(nil)
		for range 2 {
			go func() { _ = p.Status() }()
			synctest.Wait()
		}
	}, "Status begins beside Status 1"},
	{"Status of a detached job", func(pool *careless, p *Puppet) {
		pool.job.Detached = true
		p.Register(nil)
		go func() { _ = p.Status() }()
		synctest.Wait()
	}, "Status is called of a job that is not attached"},
	{"an execution in a pool Stopped since an earlier time", func(pool *careless, p *Puppet) {
		p.Register(nil)
		pool.halt()
		Advance(1)
		executed(p)
	}, "execution begins while the pool is Stopped"},
	{"an execution in a pool that it had seen Stopped", func(pool *careless, p *Puppet) {
		p.Register(nil)
		pool.halt()
		p.Look()
		pool.job.Executions++
		executed(p)
	}, "execution begins while the pool is Stopped"},
	{"an execution after UnregisterJob has returned", func(_ *careless, p *Puppet) {
		p.Register(nil)
		p.Unregister()
		executed(p)
	}, "execution begins, though UnregisterJob has returned"},
	{"another one beside the only one that was claimed", func(pool *careless, p *Puppet) {
		pool.handle = handleOf{status: jobs.JobStatusRunning}
		p.Register(nil)
		p.Executions.Next(Succeeds)
		p.Unregister()
		executed(p)
		executed(p)
	}, "execution begins, though UnregisterJob has returned"},
	{"one that comes later than it was claimed", func(pool *careless, p *Puppet) {
		pool.handle = handleOf{status: jobs.JobStatusRunning}
		p.Register(nil)
		p.Unregister()
		Advance(1)
		executed(p)
	}, "execution begins, though UnregisterJob has returned"},
	{"Ready after UnregisterJob has returned", func(_ *careless, p *Puppet) {
		p.Register(nil)
		p.Unregister()
		Advance(1)
		go p.Ready()
		synctest.Wait()
	}, "Ready begins, though UnregisterJob has returned"},
	{"a call in flight after Shutdown", func(_ *careless, p *Puppet) {
		p.Register(nil)
		executed(p)
		p.IsOver("Shutdown has returned nil")
	}, "execution 1 is in flight, though Shutdown has returned nil"},
	{"an execution after Shutdown", func(_ *careless, p *Puppet) {
		p.Register(nil)
		p.IsOver("Shutdown has returned nil")
		executed(p)
	}, "execution begins, though Shutdown has returned nil"},
	{"Ready after Shutdown", func(_ *careless, p *Puppet) {
		p.Register(nil)
		p.IsOver("Shutdown has returned nil")
		go p.Ready()
		synctest.Wait()
	}, "Ready begins, though Shutdown has returned nil"},
}

func TestPuppetRaisesTheAlarmForEachOutrage(t *testing.T) {
	for _, o := range outrages {
		t.Run(o.name, func(t *testing.T) {
			complaints := withCareless(t, o.do)
			require.Len(t, complaints, 1)
			assert.Contains(t, complaints[0], `puppet "victim": `+o.says)
			assert.Contains(t, complaints[0], "begins, pool ", "with its history")
		})
	}
}
