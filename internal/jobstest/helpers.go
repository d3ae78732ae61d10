// Package jobstest has what the library's tests share: jobs that do as they are told, and what watches them and their
// pool. Only tests import it.
package jobstest

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

// A Stub is a job made of functions. A nil one succeeds at once, is healthy, or ready.
type Stub struct {
	ExecuteFunc func() error
	StatusFunc  func() error
	ReadyFunc   func() bool
}

func (p Stub) Execute() error {
	if p.ExecuteFunc == nil {
		return nil
	}
	return p.ExecuteFunc()
}

func (p Stub) Status() error {
	if p.StatusFunc == nil {
		return nil
	}
	return p.StatusFunc()
}

func (p Stub) Ready() bool { return p.ReadyFunc == nil || p.ReadyFunc() }

// Quiet is a pool option for tests that provoke failures.
var Quiet = jobs.WithLogger(slog.New(slog.DiscardHandler))

// InPool runs f in a bubble, with a pool that logs nothing unless opts say otherwise. At the end it shuts the pool
// down: the bubble then fails the test if a goroutine of the pool is left.
func InPool(t *testing.T, f func(t *testing.T, p *jobs.Pool), opts ...jobs.PoolOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(append([]jobs.PoolOption{Quiet}, opts...)...)
		f(t, p)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// Register registers a job and returns its id.
func Register(t *testing.T, p *jobs.Pool, job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) string {
	t.Helper()
	id, err := p.Register(job, trigger, opts...)
	require.NoError(t, err)
	return id
}

// InfoOf returns a snapshot of a job.
func InfoOf(t *testing.T, p *jobs.Pool, id string) jobs.JobInfo {
	t.Helper()
	info, ok := p.Job(id)
	require.True(t, ok)
	return info
}

// Advance lets the bubble's time pass, and everything that is due then happen.
func Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// ForAges is longer than any test lasts.
const ForAges = 10000 * time.Hour

// FailPool registers a job whose only execution, at once, stops the pool and which is ready from then on.
func FailPool(p *jobs.Pool) (id string) {
	var done atomic.Bool
	id, _ = p.Register(Stub{ExecuteFunc: func() error {
		if done.Swap(true) {
			return nil
		}
		return ErrBroken
	}}, jobs.Every(ForAges), jobs.WithName("culprit"))
	Advance(0)
	return id
}

// ALongLife is how long a pool with the usual retry interval must live for its next stop to be no flapping.
const ALongLife = 5 * time.Minute

// StopPool stops the pool by hand; one retry interval later it restarts.
func StopPool(p *jobs.Pool) { p.SetStatus(jobs.PoolStatusStopped) }

// ShutDownNow shuts the pool down without waiting for what is in progress.
func ShutDownNow(p *jobs.Pool) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.Shutdown(ended)
}

// MinuteTimeout is a context that ends after a minute.
func MinuteTimeout() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// An Idler is a job that does nothing, at no cost.
type Idler struct{}

func (Idler) Execute() error { return nil }
func (Idler) Status() error  { return nil }
func (Idler) Ready() bool    { return true }
