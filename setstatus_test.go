package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestSetStatusStoppedStopsThePoolLikeAFailureWithoutACulprit(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.Every(20*time.Second))
		calls.fill(5 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		info := p.Info()
		assert.Empty(t, info.StoppedBy)
		assert.Error(t, info.StopError)
		calls.fill(36 * time.Second)
		assert.Equal(t, seconds(0, 35), calls.moments(), "restarted one retry interval after")
	})
}

func TestSetStatusRunningOnAStoppedPoolIsAnAttemptAtOnce(t *testing.T) {
	t.Run("which restarts it", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			haltPool(p)
			pass(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(0)
			assert.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, 1, p.Info().Restarts)
			pass(time.Minute)
			assert.Equal(t, 1, p.Info().Restarts)
		})
	})
	t.Run("which fails if a job is not ready", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			var unready fault
			asked := newTimeline()
			register(t, p, stub{ready: func() bool { asked.mark(); return unready.absent() }}, jobs.Every(forAges))
			pass(0)
			unready.cause()
			haltPool(p)
			pass(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(0)
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.Equal(t, seconds(0, 1), asked.moments())
		})
	})
	t.Run("which a late execution holds up", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{execute: onlyFirst(enduring(100 * time.Second))}, jobs.Every(forAges))
			pass(50 * time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(49 * time.Second)
			assert.Equal(t, "Stopped", p.GetStatus())
			pass(time.Second)
			assert.Equal(t, "Running", p.GetStatus())
		}, jobs.WithExecutionTimeout(10*time.Second))
	})
}

func TestAnythingElseSetStatusOnlyLogs(t *testing.T) {
	start := func(t *testing.T, p *jobs.Pool) { register(t, p, stub{}, jobs.Every(forAges)); pass(0) }
	stop := func(t *testing.T, p *jobs.Pool) { haltPool(p) }
	shutdown := func(t *testing.T, p *jobs.Pool) {
		start(t, p)
		require.NoError(t, p.Shutdown(context.Background()))
	}
	cases := []struct {
		name string
		prep func(*testing.T, *jobs.Pool)
		set  jobs.PoolStatus
		want string
	}{
		{"Running when Running", start, jobs.PoolStatusRunning, "Running"},
		{"Initializing when Running", start, jobs.PoolStatusInitializing, "Running"},
		{"a number when Running", start, jobs.PoolStatus(17), "Running"},
		{"Stopped when Stopped", stop, jobs.PoolStatusStopped, "Stopped"},
		{"Initializing when Stopped", stop, jobs.PoolStatusInitializing, "Stopped"},
		{"Running when Initializing", func(*testing.T, *jobs.Pool) {}, jobs.PoolStatusRunning, "Initializing"},
		{"Running after Shutdown", shutdown, jobs.PoolStatusRunning, "Stopped"},
		{"Stopped after Shutdown", shutdown, jobs.PoolStatusStopped, "Stopped"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			logged := new(journal)
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				c.prep(t, p)
				info, lines := p.Info(), len(logged.atLeast(warning))
				p.SetStatus(c.set)
				assert.Len(t, logged.atLeast(warning), lines+1)
				pass(0)
				assert.Equal(t, c.want, p.GetStatus())
				assert.Equal(t, info, p.Info())
			}, logged.option())
		})
	}
}

func TestSetStatusStoppedAgainDoesNotPutTheRestartOff(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		haltPool(p)
		pass(20 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		pass(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}
