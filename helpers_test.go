package jobs_test

import (
	"context"
	"log/slog"
	"sync/atomic"
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

// forAges is longer than any test lasts.
const forAges = 10000 * time.Hour

// haltPool registers a job of which the only execution, at once, stops the pool and which is ready
// from then on.
func haltPool(p *jobs.Pool) (id string) {
	var done atomic.Bool
	id, _ = p.Register(stub{execute: func() error {
		if done.Swap(true) {
			return nil
		}
		return errBroken
	}}, jobs.Every(forAges), jobs.WithName("culprit"))
	pass(0)
	return id
}

// stopPool stops the pool by hand; one retry interval later it restarts.
func stopPool(p *jobs.Pool) { p.SetStatus(jobs.PoolStatusStopped) }

// shutPool shuts the pool down without waiting for what is in progress.
func shutPool(p *jobs.Pool) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Shutdown(ended)
}

// minute is a context that ends after one.
func minute() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// An idler is a job that does nothing, at no cost.
type idler struct{}

func (idler) Execute() error { return nil }

func (idler) Status() error { return nil }

func (idler) Ready() bool { return true }
