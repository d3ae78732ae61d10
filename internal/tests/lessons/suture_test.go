package lessons

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What hurt the users of thejerf/suture and of those that supervise with it, thread by thread.

func TestSuture55_NothingIsExecutedBesideAnExecutionThatDoesNotStop(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		deaf, all := new(jobstest.OverlapMeter), jobstest.NewTimeline()
		hung := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { deaf.During(time.Hour); return nil }}, jobstest.Hourly(),
			jobs.WithJobTimeout(time.Minute))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: all.Execute}, jobs.Every(7*time.Second))
		all.AdvanceTo(59 * time.Minute)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Len(t, all.Moments(), 9, "none after the first minute")
		assert.Contains(t, p.Info().HeldUpBy[0].String(), hung)
		all.AdvanceTo(60*time.Minute + 30*time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, 1, deaf.Highest())
	})
}

func TestSuture39_StopsAndRestartsInQuickSuccessionNeverOverlap(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var meters [3]jobstest.OverlapMeter
		stop := make(chan any)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { meters[0].During(7 * time.Second); return nil }}, jobs.Every(1))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { meters[1].During(3 * time.Second); return nil }}, jobstest.EachSecond())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; meters[2].During(5 * time.Second); return nil }}, jobs.Channel(stop))
		for range 50 {
			jobstest.StopPool(p)
			p.SetStatus(jobs.PoolStatusRunning)
			jobstest.Advance(time.Second)
		}
		for i := range meters {
			assert.Equal(t, 1, meters[i].Highest())
		}
	})
}

func TestSuture12_ShutdownReturnsWhenTheLastJobHasStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for _, d := range jobstest.Seconds(1, 5, 3) {
			stop := make(chan any)
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; time.Sleep(d); return nil }}, jobs.Channel(stop))
		}
		jobstest.Advance(0)
		begun := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, 5*time.Second, time.Since(begun))
	})
}

func TestSuture34_ShutdownDoesNotWaitForAJobThatWasUnregisteredAndHasEnded(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan any)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }}, jobs.Channel(stop))
		jobstest.Advance(0)
		p.UnregisterJob(id)
		begun := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(begun))
	})
}

func TestSuture35_AJobUnregisteredBeforeItHasStartedNeverStarts(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.StopPool(p)
		calls := jobstest.NewTimeline()
		p.UnregisterJob(jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobstest.Hourly()))
		calls.AdvanceTo(time.Hour)
		assert.Empty(t, calls.Moments())
	})
}

func TestSuture41_RegisterAfterShutdownReturnsAtOnce(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobstest.Hourly())
		jobstest.Advance(0)
		require.Error(t, p.Shutdown(jobstest.MinuteTimeout()))
		begun := time.Now()
		_, err := p.Register(jobstest.Stub{}, jobstest.Hourly())
		require.ErrorIs(t, err, jobs.ErrShutdown)
		assert.Zero(t, time.Since(begun))
	})
}

func TestSuture38_AJobThatHasEndedIsNotToldToStop(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan any, 1)
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Channel(stop))
		jobstest.Advance(0)
		jobstest.StopPool(p)
		jobstest.Advance(0)
		assert.Empty(t, stop)
	})
}
