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

// What hurt the users of riverqueue/river, APScheduler, controller-runtime and oklog/run, thread by thread.

func TestRiver78_ShutdownKeepsItsDeadlineThoughAJobIgnoresItsContext(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { <-end; return nil }), jobstest.Hourly(), jobs.WithName("deaf"))
		jobstest.Advance(0)
		begun := time.Now()
		err := p.Shutdown(jobstest.MinuteTimeout())
		assert.Equal(t, time.Minute, time.Since(begun))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "deaf")
		close(end)
	})
}

func TestRiver1126_EachLimitIsThatOfTheJobItIsFor(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		own := jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobstest.Hourly(), jobs.Detached(), jobs.WithJobTimeout(10*time.Second))
		pools := jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobstest.Hourly(), jobs.Detached())
		none := jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobs.Once())
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(own))
		assert.Equal(t, "Running", p.GetJobStatus(pools))
		jobstest.Advance(50 * time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(pools))
		jobstest.Advance(time.Minute)
		assert.Equal(t, "Running", p.GetJobStatus(none))
		jobstest.Advance(time.Hour)
	}, jobs.WithExecutionTimeout(time.Minute))
}

func TestRiver1258_AJobThatIgnoresTheEndOfItsContextDoesNotReadRunning(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		id := jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { <-end; return nil }), jobstest.Hourly())
		jobstest.Advance(14 * 24 * time.Hour)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.ErrorIs(t, jobstest.InfoOf(t, p, id).LastError, jobs.ErrTimeout)
		assert.Contains(t, p.Info().HeldUpBy[0].String(), id)
		close(end)
	})
}

func TestRiver1161_IfOneJobCannotStartAgainNoneDoes(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready jobstest.Fault
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(40*time.Second))
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: unready.Absent}, jobstest.Hourly())
		calls.AdvanceTo(time.Second)
		unready.Set()
		jobstest.StopPool(p)
		calls.AdvanceTo(time.Minute)
		assert.Len(t, calls.Moments(), 1)
		assert.Contains(t, p.Info().HeldUpBy[0].String(), id)
		unready.Clear()
		calls.AdvanceTo(2 * time.Minute)
		assert.Len(t, calls.Moments(), 2)
	})
}

func TestRiver1290_AJobThatShutdownHasEndedHasNotFailed(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wait := jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		ids := []string{
			jobstest.Register(t, p, wait, jobs.Once()), jobstest.Register(t, p, wait, jobs.Retry(2)),
			jobstest.Register(t, p, wait, jobstest.Hourly()), jobstest.Register(t, p, wait, jobs.Channel(nil)),
		}
		jobstest.Advance(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		for _, id := range ids {
			assert.Equal(t, "Stopped", p.GetJobStatus(id))
			assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
		}
	})
}

func TestAPScheduler423_OneHangDoesNotSilenceAJobForEver(t *testing.T) {
	t.Run("unless told otherwise it waits, and says so", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(24 * time.Hour))}, jobstest.Hourly(), jobs.Detached())
			jobstest.Advance(23 * time.Hour)
			assert.Equal(t, "Failed", p.GetJobStatus(id))
			assert.Contains(t, jobstest.InfoOf(t, p, id).NotExecuting, "has not returned")
			jobstest.Advance(3 * time.Hour)
			assert.Equal(t, "Running", p.GetJobStatus(id))
		})
	})
	t.Run("with WithAbandonAfter it goes on", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(24 * time.Hour))}, jobstest.Hourly(), jobs.Detached())
			jobstest.Advance(5 * time.Hour)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.Equal(t, 1, p.Info().Abandoned)
			jobstest.Advance(24 * time.Hour)
		}, jobs.WithAbandonAfter(time.Minute))
	})
}

func TestControllerRuntime2719_NothingStartsWhileThePoolIsShuttingDown(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		unready, calls := jobstest.NewFault(), jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: unready.Absent, ExecuteFunc: calls.Execute}, jobstest.Hourly())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.OnceIn(5*time.Second)))
		jobstest.Register(t, p, jobstest.Lasting(10*time.Second, jobstest.ErrBroken), jobs.Retry(5))
		calls.AdvanceTo(time.Second)
		done := make(chan error, 1)
		go func() { done <- p.Shutdown(context.Background()) }()
		calls.AdvanceTo(2 * time.Second)
		unready.Clear()
		require.NoError(t, <-done)
		calls.AdvanceTo(time.Hour)
		assert.Empty(t, calls.Moments())
	})
}

func TestOklogRun22_ASlowStopDelaysNoOther(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		told := jobstest.NewTimeline()
		for _, d := range jobstest.Seconds(60, 0, 60, 0) {
			stop := make(chan any)
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { time.Sleep(d); <-stop; told.Mark(); return nil }}, jobs.Channel(stop))
		}
		told.AdvanceTo(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, jobstest.Seconds(1, 1, 60, 60), told.Moments())
	})
}
