package model

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// In these tests two things happen in one instant of a bubble's time, and may come in either order. Many jobs make
// it all but certain that both do.
const manyTies = 2000

// A life is when an execution began and ended, and which life of its pool it began in and ended in.
type life struct {
	begin, end             time.Time
	restartsThen, restarts int
}

// A chronicler is an interval job that keeps its executions.
type chronicler struct {
	p     *jobs.Pool
	lasts time.Duration
	ready func() bool
	lives []life
}

func (c *chronicler) Execute() error {
	begin, restarts := time.Now(), c.p.Info().Restarts
	time.Sleep(c.lasts)
	c.lives = append(c.lives, life{begin, time.Now(), restarts, c.p.Info().Restarts})
	return nil
}

func (c *chronicler) Status() error { return nil }
func (c *chronicler) Ready() bool   { return c.ready == nil || c.ready() }

// assertApart checks that within one life two executions are an interval apart, at least. An execution that ends in a
// life belongs to it.
func assertApart(t *testing.T, all []*chronicler, interval time.Duration) {
	t.Helper()
	closer := 0
	for _, c := range all {
		for i := 1; i < len(c.lives); i++ {
			before, after := c.lives[i-1], c.lives[i]
			if before.restarts == after.restartsThen && after.begin.Sub(before.end) < interval {
				closer++
			}
		}
	}
	assert.Zero(t, closer, "executions closer to the one before than the interval")
}

func TestAnIntervalJobExecutesOnceAtARestartWhateverComesInTheSameInstant(t *testing.T) {
	const interval = time.Minute
	for name, c := range map[string]struct {
		lasts      time.Duration // each execution
		readyAfter time.Duration
		stopAfter  time.Duration // the restart comes 30 s later
	}{
		"it is due":             {0, 0, 30 * time.Second},
		"its execution ends":    {40 * time.Second, 0, 10 * time.Second},
		"it has become ready":   {0, 70 * time.Second, 150 * time.Millisecond}, // asked at 0.01, 0.03, 0.07, 0.15 … s
		"it is ready as before": {0, 0, 29 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				start := time.Now()
				all := make([]*chronicler, manyTies)
				for i := range all {
					all[i] = &chronicler{p: p, lasts: c.lasts, ready: func() bool { return time.Since(start) >= c.readyAfter }}
					jobstest.Register(t, p, all[i], jobs.Every(interval))
				}
				jobstest.Advance(c.stopAfter)
				jobstest.StopPool(p)
				jobstest.Advance(30 * time.Second)
				require.Equal(t, 1, p.Info().Restarts)
				jobstest.Advance(5 * time.Minute)
				for _, one := range all {
					require.GreaterOrEqual(t, len(one.lives), 3)
				}
				assertApart(t, all, interval)
			})
		})
	}
}

// slowHandler is a log handler that takes an hour for one message, with the number of its calls in progress.
func slowHandler(message string) (slow jobstest.HandlerFunc, calls *atomic.Int32) {
	calls = new(atomic.Int32)
	return func(r slog.Record) {
		if r.Message == message {
			calls.Add(1)
			defer calls.Add(-1)
			time.Sleep(time.Hour)
		}
	}, calls
}

func TestShutdownWaitsForTheLogHandlerWhateverItIsTold(t *testing.T) {
	fails := func() error { return errors.New("no") }
	lasts := func() error { time.Sleep(3 * time.Second); return nil }
	panics := func() bool { panic("no") }
	hasLimit := []jobs.JobOption{jobs.WithJobTimeout(time.Second)}
	restarts := func(p *jobs.Pool) {
		p.SetStatus(jobs.PoolStatusStopped)
		p.SetStatus(jobs.PoolStatusRunning)
	}
	for message, c := range map[string]struct {
		job  jobstest.Stub
		opts []jobs.JobOption
		do   func(p *jobs.Pool)
	}{
		"job execution failed":             {job: jobstest.Stub{ExecuteFunc: fails}},
		"job execution is late":            {job: jobstest.Stub{ExecuteFunc: lasts}, opts: hasLimit},
		"late execution has returned":      {job: jobstest.Stub{ExecuteFunc: lasts}, opts: hasLimit},
		"late job execution abandoned":     {job: jobstest.Stub{ExecuteFunc: lasts}, opts: hasLimit},
		"abandoned execution has returned": {job: jobstest.Stub{ExecuteFunc: lasts}, opts: hasLimit},
		"job status failed":                {job: jobstest.Stub{StatusFunc: fails}},
		"job status is late":               {job: jobstest.Stub{StatusFunc: lasts}, opts: hasLimit},
		"call of Ready failed":             {job: jobstest.Stub{ReadyFunc: panics}},
		"pool stopped":                     {do: restarts},
		"pool restarted":                   {do: restarts},
		"status not set":                   {do: func(p *jobs.Pool) { p.SetStatus(jobs.PoolStatusInitializing) }},
		"value ignored":                    {do: func(p *jobs.Pool) { p.UpdateDurations(0, 0) }},
		"job registered":                   {do: func(p *jobs.Pool) { _, _ = p.Register(jobstest.Stub{}, jobs.Once()) }},
		"job registration failed":          {do: func(p *jobs.Pool) { _, _ = p.Register(nil, jobs.Once()) }},
		"job unregistered":                 {do: func(p *jobs.Pool) { _, _ = p.Register(jobstest.Stub{}, jobs.Once(), jobs.WithForget(time.Second)) }},
		"unlock of a job that is not locked": {do: func(p *jobs.Pool) {
			id, _ := p.Register(jobstest.Stub{}, jobs.Once())
			p.JobUnlock(id)
		}},
	} {
		t.Run(message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow, calls := slowHandler(message)
				opts := []jobs.PoolOption{slow.Option(), jobs.WithStatusInterval(time.Second), jobs.WithRetryInterval(time.Second)}
				if message == "late job execution abandoned" || message == "abandoned execution has returned" {
					opts = append(opts, jobs.WithAbandonAfter(time.Second))
				}
				p := jobs.NewPool(opts...)
				go func() { _, _ = p.Register(c.job, jobs.Every(time.Hour), c.opts...) }()
				if c.do != nil {
					go c.do(p)
				}
				jobstest.Advance(10 * time.Second)
				require.NotZero(t, calls.Load())
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				err := p.Shutdown(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.ErrorContains(t, err, "the pool's logger")
				assert.ErrorContains(t, err, "HandlerFunc.Handle(", "with its stack")
				require.NoError(t, p.Shutdown(context.Background()))
				assert.Zero(t, calls.Load())
			})
		})
	}
}

// An abandoned execution is not waited for. What becomes of it is nobody's business any more once the pool is shut.
func TestNothingIsLoggedAfterShutdownHasReturned(t *testing.T) {
	for name, then := range map[string]func(p *jobs.Pool, id string){
		"registered":   func(*jobs.Pool, string) {},
		"unregistered": func(p *jobs.Pool, id string) { p.UnregisterJob(id) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tap := new(jobstest.Journal)
				p := jobs.NewPool(tap.Option(), jobs.WithAbandonAfter(time.Second))
				id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
				jobstest.Advance(10 * time.Second)
				require.Equal(t, 1, p.Info().Abandoned)
				then(p, id)
				require.NoError(t, p.Shutdown(context.Background()))
				lines := len(tap.AtLeast(slog.LevelDebug))
				jobstest.Advance(time.Hour)
				assert.Len(t, tap.AtLeast(slog.LevelDebug), lines)
			})
		})
	}
}

func TestShutdownWaitsForTheLineOfAnAbandonedExecutionWhoseJobIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, calls := slowHandler("abandoned execution has returned")
		p := jobs.NewPool(slow.Option(), jobs.WithAbandonAfter(time.Second))
		id := jobstest.Register(t, p, jobstest.Lasting(5*time.Second, nil), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(3 * time.Second)
		p.UnregisterJob(id)
		jobstest.Advance(10 * time.Second)
		require.EqualValues(t, 1, calls.Load())
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, calls.Load())
	})
}
