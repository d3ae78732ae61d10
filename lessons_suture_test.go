package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What hurt the users of thejerf/suture and of those that supervise with it, thread by thread.

func TestSuture55_NothingIsExecutedBesideAnExecutionThatDoesNotStop(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		deaf, all := new(overlapMeter), newTimeline()
		hung := register(t, p, stub{execute: func() error { deaf.during(time.Hour); return nil }}, hourly(),
			jobs.WithJobTimeout(time.Minute))
		register(t, p, stub{execute: all.execute}, jobs.Every(7*time.Second))
		all.fill(59 * time.Minute)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Len(t, all.moments(), 9, "none after the first minute")
		assert.Contains(t, p.Info().HeldUpBy[0], hung)
		all.fill(60*time.Minute + 30*time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, 1, deaf.highest())
	})
}

func TestSuture39_StopsAndRestartsInQuickSuccessionNeverOverlap(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var meters [3]overlapMeter
		stop := make(chan any)
		register(t, p, stub{execute: func() error { meters[0].during(7 * time.Second); return nil }}, jobs.Every(1))
		register(t, p, stub{execute: func() error { meters[1].during(3 * time.Second); return nil }}, eachSecond())
		register(t, p, stub{execute: func() error { <-stop; meters[2].during(5 * time.Second); return nil }}, jobs.Channel(stop))
		for range 50 {
			stopPool(p)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(time.Second)
		}
		for i := range meters {
			assert.Equal(t, 1, meters[i].highest())
		}
	})
}

func TestSuture12_ShutdownReturnsWhenTheLastJobHasStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		for _, d := range seconds(1, 5, 3) {
			stop := make(chan any)
			register(t, p, stub{execute: func() error { <-stop; time.Sleep(d); return nil }}, jobs.Channel(stop))
		}
		pass(0)
		begun := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, 5*time.Second, time.Since(begun))
	})
}

func TestSuture34_ShutdownDoesNotWaitForAJobThatWasUnregisteredAndHasEnded(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan any)
		id := register(t, p, stub{execute: func() error { <-stop; return nil }}, jobs.Channel(stop))
		pass(0)
		p.UnregisterJob(id)
		begun := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(begun))
	})
}

func TestSuture35_AJobUnregisteredBeforeItHasStartedNeverStarts(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stopPool(p)
		calls := newTimeline()
		p.UnregisterJob(register(t, p, stub{execute: calls.execute}, hourly()))
		calls.fill(time.Hour)
		assert.Empty(t, calls.moments())
	})
}

func TestSuture41_RegisterAfterShutdownReturnsAtOnce(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, lasting(time.Hour, nil), hourly())
		pass(0)
		require.Error(t, p.Shutdown(minute()))
		begun := time.Now()
		_, err := p.Register(stub{}, hourly())
		require.ErrorIs(t, err, jobs.ErrShutdown)
		assert.Zero(t, time.Since(begun))
	})
}

func TestSuture77_ACanceledContextThatIsNotTheJobsOwnIsAFailure(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		elsewhere, cancel := context.WithCancel(context.Background())
		cancel()
		begun := newTimeline()
		register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			begun.mark()
			if len(begun.moments()) == 1 {
				return elsewhere.Err()
			}
			<-ctx.Done()
			return ctx.Err()
		}), jobs.Channel(nil))
		pass(0)
		assert.ErrorIs(t, p.Info().StopError, context.Canceled)
		begun.fill(30 * time.Second)
		assert.Equal(t, seconds(0, 30), begun.moments(), "and it is executed again")
	})
}

func TestSuture38_AJobThatHasEndedIsNotToldToStop(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan any, 1)
		register(t, p, stub{}, jobs.Channel(stop))
		pass(0)
		stopPool(p)
		pass(0)
		assert.Empty(t, stop)
	})
}

func TestSuture24_AJobThatIsDoneIsFinishedAndStopsNobody(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.Channel(make(chan any)))
		calls.fill(time.Hour)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Equal(t, "Running", p.GetStatus())
		assert.Len(t, calls.moments(), 1)
	})
}
