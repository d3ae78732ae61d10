package lessons

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What the agent SDK's own jobs package had to mend, by the number of the pull request.

func TestAgentSDK1026_AStopChannelThatIsFullBlocksNeitherTheStopNorTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop, end := make(chan any, 1), make(chan struct{})
		stop <- "somebody else's"
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Channel(stop))
		jobstest.Advance(0)
		begun := time.Now()
		jobstest.StopPool(p)
		assert.Zero(t, time.Since(begun))
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, "somebody else's", <-stop)
		close(end)
	})
}

func TestAgentSDK927_JobsThatFailTogetherDoNotDeadlockThePool(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		failing := jobstest.NewFault()
		for range 20 {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failing.Err, StatusFunc: failing.Err}, jobstest.Secondly())
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failing.Err}, jobs.Channel(make(chan any)))
		}
		jobstest.Advance(40 * time.Second)
		failing.Clear()
		jobstest.Advance(10 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAgentSDK253_UnregisterEndsTheWaitForReadiness(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { asked.Mark(); return false }}, jobstest.Hourly())
		asked.AdvanceTo(time.Second)
		p.UnregisterJob(id)
		before := len(asked.Moments())
		asked.AdvanceTo(time.Hour)
		assert.Len(t, asked.Moments(), before)
	})
}

func TestAgentSDK256_AStatusThatHangsHoldsUpNoOtherJobAndNoCall(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.Sleeping(4 * time.Minute)}, jobstest.Hourly())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(10*time.Second))
		calls.AdvanceTo(65 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 10, 20, 30, 40, 50, 60), calls.Moments())
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAgentSDK542_TheStopChannelOfADetachedChannelJobNeedsNoBuffer(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop, ended := make(chan any), jobstest.NewTimeline()
		id, err := p.RegisterDetachedChannelJob(jobstest.Stub{ExecuteFunc: func() error { <-stop; ended.Mark(); return nil }}, stop)
		require.NoError(t, err)
		ended.AdvanceTo(time.Second)
		p.UnregisterJob(id)
		ended.AdvanceTo(2 * time.Second)
		assert.Equal(t, jobstest.Seconds(1), ended.Moments())
	})
}

func TestAgentSDK600_AJobsOwnTimeoutIsTheOneThatCounts(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		short, err := p.RegisterIntervalJob(jobstest.Lasting(time.Minute, nil), time.Hour, jobs.WithJobTimeout(10*time.Second))
		require.NoError(t, err)
		long, err := p.RegisterIntervalJob(jobstest.Lasting(7*time.Minute, nil), time.Hour, jobs.WithJobTimeout(10*time.Minute))
		require.NoError(t, err)
		jobstest.Advance(8 * time.Minute)
		assert.ErrorIs(t, jobstest.InfoOf(t, p, short).LastError, jobs.ErrTimeout)
		assert.NoError(t, jobstest.InfoOf(t, p, long).LastError)
	})
}

func TestAgentSDK756_NoJobIsStartedAgainBeforeItHasStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var meter jobstest.OverlapMeter
		stop := make(chan any)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; meter.During(2 * time.Minute); return nil }}, jobs.Channel(stop))
		jobstest.Advance(0)
		for range 3 {
			jobstest.StopPool(p)
			jobstest.Advance(30 * time.Second)
			require.Equal(t, "Running", p.GetStatus())
			jobstest.Advance(2 * time.Minute)
		}
		assert.Equal(t, 1, meter.Highest())
		assert.EqualValues(t, 4, jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestAgentSDKUsers_ARegistrationWhoseErrorIsDroppedIsInTheLog(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		_, _ = p.RegisterIntervalJobWithName(jobstest.Stub{}, 0, "discovery")
		require.Len(t, logged.AtLeast(slog.LevelError), 1)
		assert.Equal(t, "discovery", logged.AtLeast(slog.LevelError)[0].Text("job"))
		require.NoError(t, p.Shutdown(context.Background()))
	}, logged.Option())
}
