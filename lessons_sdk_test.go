package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What the agent SDK's own jobs package had to mend, by the number of the pull request.

func TestAgentSDK1026_AStopChannelThatIsFullBlocksNeitherTheStopNorTheRestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop, end := make(chan any, 1), make(chan struct{})
		stop <- "somebody else's"
		register(t, p, stub{execute: func() error { <-end; return nil }}, jobs.Channel(stop))
		pass(0)
		begun := time.Now()
		stopPool(p)
		assert.Zero(t, time.Since(begun))
		pass(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, "somebody else's", <-stop)
		close(end)
	})
}

func TestAgentSDK927_JobsThatFailTogetherDoNotDeadlockThePool(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		failing := newFault()
		for range 20 {
			register(t, p, stub{execute: failing.err, status: failing.err}, secondly())
			register(t, p, stub{execute: failing.err}, jobs.Channel(make(chan any)))
		}
		pass(40 * time.Second)
		failing.mend()
		pass(10 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAgentSDK44_AnIntervalJobExecutesBeforeItsFirstInterval(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{}, hourly())
		pass(0)
		assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
	})
}

func TestAgentSDK115_APoolThatIsNotRunningSaysWhichJobAndWhy(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{status: func() error { return errBroken }}, hourly(), jobs.WithName("traffic"))
		pass(30 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, id, p.Info().StoppedBy)
		assert.Equal(t, "traffic", p.Info().StoppedByName)
		assert.ErrorIs(t, p.Info().StopError, errBroken)
	})
}

func TestAgentSDK253_UnregisterEndsTheWaitForReadiness(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := newTimeline()
		id := register(t, p, stub{ready: func() bool { asked.mark(); return false }}, hourly())
		asked.fill(time.Second)
		p.UnregisterJob(id)
		before := len(asked.moments())
		asked.fill(time.Hour)
		assert.Len(t, asked.moments(), before)
	})
}

func TestAgentSDK256_AStatusThatHangsHoldsUpNoOtherJobAndNoCall(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{status: enduring(4 * time.Minute)}, hourly())
		register(t, p, stub{execute: calls.execute}, jobs.Every(10*time.Second))
		calls.fill(65 * time.Second)
		assert.Equal(t, seconds(0, 10, 20, 30, 40, 50, 60), calls.moments())
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAgentSDK542_StoppingAStoppedPoolChangesNothing(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		haltPool(p)
		before := p.Info()
		pass(10 * time.Second)
		stopPool(p)
		assert.Equal(t, before, p.Info())
		pass(20 * time.Second)
		assert.Equal(t, "Running", p.GetStatus(), "one retry interval after the first stop")
	})
}

func TestAgentSDK542_TheStopChannelOfADetachedChannelJobNeedsNoBuffer(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop, ended := make(chan any), newTimeline()
		id, err := p.RegisterDetachedChannelJob(stub{execute: func() error { <-stop; ended.mark(); return nil }}, stop)
		require.NoError(t, err)
		ended.fill(time.Second)
		p.UnregisterJob(id)
		ended.fill(2 * time.Second)
		assert.Equal(t, seconds(1), ended.moments())
	})
}

func TestAgentSDK600_AJobsOwnTimeoutIsTheOneThatCounts(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		short, err := p.RegisterIntervalJob(lasting(time.Minute, nil), time.Hour, jobs.WithJobTimeout(10*time.Second))
		require.NoError(t, err)
		long, err := p.RegisterIntervalJob(lasting(7*time.Minute, nil), time.Hour, jobs.WithJobTimeout(10*time.Minute))
		require.NoError(t, err)
		pass(8 * time.Minute)
		assert.ErrorIs(t, infoOf(t, p, short).LastError, jobs.ErrTimeout)
		assert.NoError(t, infoOf(t, p, long).LastError)
	})
}

func TestAgentSDK756_NoJobIsStartedAgainBeforeItHasStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var meter overlapMeter
		stop := make(chan any)
		id := register(t, p, stub{execute: func() error { <-stop; meter.during(2 * time.Minute); return nil }}, jobs.Channel(stop))
		pass(0)
		for range 3 {
			stopPool(p)
			pass(30 * time.Second)
			require.Equal(t, "Running", p.GetStatus())
			pass(2 * time.Minute)
		}
		assert.Equal(t, 1, meter.highest())
		assert.EqualValues(t, 4, infoOf(t, p, id).Executions)
	})
}

func TestAgentSDKUsers_ARegistrationWhoseErrorIsDroppedIsInTheLog(t *testing.T) {
	logged := new(journal)
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		_, _ = p.RegisterIntervalJobWithName(stub{}, 0, "discovery")
		require.Len(t, logged.atLeast(failing), 1)
		assert.Equal(t, "discovery", logged.atLeast(failing)[0].text("job"))
		require.NoError(t, p.Shutdown(context.Background()))
	}, logged.option())
}
