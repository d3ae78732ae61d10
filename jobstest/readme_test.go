package jobstest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobstest"
)

// The snippet of README.md.

type syncJob struct{ down *atomic.Bool }

func newSync(down *atomic.Bool) jobs.Job { return syncJob{down} }

func (s syncJob) Ready() bool    { return !s.down.Load() }
func (s syncJob) Status() error  { return nil }
func (s syncJob) Execute() error { return s.ExecuteContext(context.Background()) }

func (s syncJob) ExecuteContext(context.Context) error {
	if s.down.Load() {
		return errors.New("no answer")
	}
	return nil
}

func TestSync(t *testing.T) {
	var down atomic.Bool // a fake gateway
	newJob := func() jobs.Job { return newSync(&down) }
	jobstest.Conform(t, newJob, jobs.Every(time.Hour), jobstest.WithFault(down.Store))

	synctest.Test(t, func(t *testing.T) {
		h := jobstest.Pool(t) // the default pool, until the test ends
		id := h.Add(newJob(), jobs.Every(time.Hour))
		h.Advance(24 * time.Hour)
		h.ExpectExecutions(id, 25)

		down.Store(true)
		h.Advance(time.Hour)
		h.ExpectStatus(jobs.PoolStatusStopped)

		down.Store(false)
		h.WaitFor(func() bool { return h.Status() == jobs.PoolStatusRunning })
	})
}
