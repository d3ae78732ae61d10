package jobs_test

import (
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// The goroutine that looks at the clock is late, and finds that a restart has skipped the occurrence meanwhile.
func TestScheduledSkipsAnOccurrenceThatARestartHasSkippedJustNow(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		var readings atomic.Int32
		p.SetClock(func() time.Time {
			if readings.Add(1) == 2 { // after the schedule has answered
				time.Sleep(45 * time.Second)
			}
			return time.Now()
		})
		executions := newTimeline()
		register(t, p, stub{execute: func() error { executions.mark(); return nil }}, jobs.On(nextFunc(func(t time.Time) time.Time {
			if first := start.Add(10 * time.Second); t.Before(first) {
				return first
			}
			return t.Add(time.Hour)
		})))
		pass(time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		pass(40 * time.Second)
		require.Equal(t, 1, p.Info().Restarts)
		pass(time.Hour + time.Minute)
		assert.Equal(t, seconds(3645), executions.moments())
	})
}

func TestRunNowDuringACallOfNextThatPanicsExecutesTheJobThen(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		executions := newTimeline()
		calls := 0
		id := register(t, p, stub{execute: func() error { executions.mark(); return nil }}, jobs.On(nextFunc(func(t time.Time) time.Time {
			if calls++; calls == 2 {
				time.Sleep(2 * time.Second)
				panic("no")
			}
			return t.Add(24 * time.Hour)
		})), jobs.Detached())
		pass(time.Second)
		require.NoError(t, p.RunNow(id))
		pass(time.Hour)
		assert.Equal(t, seconds(2), executions.moments())
	})
}

// A job that has come to its end blocks nothing, whatever it is in.
func TestAScheduledJobThatFinishesWhileItsReadyHangsLetsThePoolRestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		hang := make(chan struct{})
		var hangs atomic.Bool
		calls := 0
		id := register(t, p, stub{
			execute: func() error { time.Sleep(10 * time.Second); return nil },
			ready: func() bool {
				if hangs.Load() {
					<-hang
				}
				return true
			},
		}, jobs.On(nextFunc(func(t time.Time) time.Time {
			if calls++; calls <= 2 {
				return t.Add(time.Second)
			}
			time.Sleep(5 * time.Second)
			return time.Time{}
		})))
		pass(2 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		hangs.Store(true)
		pass(10 * time.Second) // the execution is over, and the schedule is asked
		p.SetStatus(jobs.PoolStatusRunning)
		pass(time.Minute)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, p.Info().HeldUpBy)
		close(hang)
	})
}

func TestTheLongestStatusIntervalIsAsLongAWaitForReady(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var polls atomic.Int32
		register(t, p, stub{ready: func() bool { polls.Add(1); return false }}, jobs.Once())
		pass(2 * time.Minute) // all but as often as the doubled wait has a number
		p.UpdateDurations(math.MaxInt64, 0)
		before := polls.Load()
		pass(24 * time.Hour)
		assert.Equal(t, before, polls.Load())
	}, jobs.WithStatusInterval(time.Second))
}
