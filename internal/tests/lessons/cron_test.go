package lessons

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What hurt the users of robfig/cron, thread by thread; clocks are in clocks_test.go.

func TestCron484_APanicIsContainedWithoutAskingForIt(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		panicking := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { panic("no") }}, jobstest.Secondly(), jobs.Detached())
		other := jobstest.Register(t, p, jobstest.Stub{}, jobstest.Secondly())
		jobstest.Advance(5 * time.Second)
		assert.EqualValues(t, 6, jobstest.InfoOf(t, p, panicking).Failures)
		assert.EqualValues(t, 6, jobstest.InfoOf(t, p, other).Executions)
	})
}

func TestCron489_APanicIsContainedWithANilLoggerToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		former := slog.Default()
		defer slog.SetDefault(former)
		slog.SetDefault(slog.New(slog.DiscardHandler))
		p := jobs.NewPool(jobs.WithLogger(nil))
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { panic("no") }}, jobs.Once())
		jobstest.Advance(0)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestCron177_AJobHasANameThatNeedNotBeUnique(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for range 2 {
			id, err := p.RegisterScheduledJobWithName(jobstest.Stub{}, "@hourly", "report")
			require.NoError(t, err)
			assert.Equal(t, "report", p.GetJob(id).GetName())
		}
	})
}

func TestCron143_ManyRunsAskedForWhileOneLastsMakeOneAndWaitInNoGoroutine(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobstest.Hourly())
		jobstest.Advance(time.Second)
		before := len(jobstest.BubbleGoroutines())
		for range 1000 {
			require.NoError(t, p.RunNow(id))
		}
		jobstest.Advance(time.Second)
		assert.Len(t, jobstest.BubbleGoroutines(), before)
		jobstest.Advance(10 * time.Minute)
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestCron364_OneJobIsPausedAndResumedByItsLock(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls, others := jobstest.NewTimeline(), jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(10*time.Second))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: others.Execute}, jobs.Every(10*time.Second))
		calls.AdvanceTo(5 * time.Second)
		p.JobLock(id)
		calls.AdvanceTo(35 * time.Second)
		assert.Equal(t, "it waits for its lock", jobstest.InfoOf(t, p, id).NotExecuting)
		p.JobUnlock(id)
		calls.AdvanceTo(50 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 35, 45), calls.Moments())
		assert.Equal(t, jobstest.Seconds(0, 10, 20, 30, 40, 50), others.Moments())
	})
}
