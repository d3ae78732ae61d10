package jobs_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// A stub is a job made of functions. One that is nil succeeds at once, is healthy, or ready.
type stub struct {
	execute func() error
	status  func() error
	ready   func() bool
}

func (p stub) Execute() error {
	if p.execute == nil {
		return nil
	}
	return p.execute()
}

func (p stub) Status() error {
	if p.status == nil {
		return nil
	}
	return p.status()
}

func (p stub) Ready() bool { return p.ready == nil || p.ready() }

// quiet is a pool option for tests that provoke failures.
var quiet = jobs.WithLogger(slog.New(slog.DiscardHandler))

// inPool runs f in a bubble, with a pool that logs nothing unless opts say otherwise. At the end it
// shuts the pool down: the bubble then fails the test if a goroutine of the pool's is left.
func inPool(t *testing.T, f func(t *testing.T, p *jobs.Pool), opts ...jobs.PoolOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(append([]jobs.PoolOption{quiet}, opts...)...)
		f(t, p)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// register registers a job and returns its id.
func register(t *testing.T, p *jobs.Pool, job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) string {
	t.Helper()
	id, err := p.Register(job, trigger, opts...)
	require.NoError(t, err)
	return id
}

// infoOf returns what there is to know about a job.
func infoOf(t *testing.T, p *jobs.Pool, id string) jobs.JobInfo {
	t.Helper()
	info, ok := p.Job(id)
	require.True(t, ok)
	return info
}

// pass lets the bubble's time pass, and everything that is due then happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
