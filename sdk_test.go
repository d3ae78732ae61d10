package jobs_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestPackageFunctionsActOnTheGlobalPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs.SetDefaultPool(jobs.NewPool(jobstest.Quiet))
		defer jobs.SetDefaultPool(nil)
		assert.Equal(t, "Initializing", jobs.GetStatus())
		laps := jobstest.NewTimeline()
		id, err := jobs.RegisterIntervalJobWithName(jobstest.Stub{ExecuteFunc: laps.Execute}, time.Minute, "mine")
		require.NoError(t, err)
		jobstest.Advance(0)
		assert.Equal(t, "Running", jobs.GetStatus())
		assert.Equal(t, "Running", jobs.GetJobStatus(id))
		assert.Equal(t, "mine", jobs.GetJob(id).GetName())
		jobs.JobLock(id)
		jobstest.Advance(90 * time.Second)
		jobs.JobUnlock(id)
		jobstest.Advance(0)
		assert.Equal(t, jobstest.Times(time.Second, 0, 90), laps.Moments())
		jobs.UnregisterJob(id)
		assert.Nil(t, jobs.GetJob(id))
		require.NoError(t, jobs.Shutdown(context.Background()))
		assert.Equal(t, "Stopped", jobs.GetStatus())
	})
}

// withDefaultPool runs f in a bubble as README tells users to: a default pool of its own, and none left.
func withDefaultPool(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		jobs.SetDefaultPool(nil)
		f(t)
		require.NoError(t, jobs.Shutdown(context.Background()))
		jobs.SetDefaultPool(nil)
	})
}

func TestTheDefaultPoolIsMadeAtFirstUse(t *testing.T) {
	withDefaultPool(t, func(t *testing.T) {
		assert.Equal(t, "Initializing", jobs.GetStatus())
		p := jobs.DefaultPool()
		require.NotNil(t, p)
		assert.Same(t, p, jobs.DefaultPool())
	})
}

func TestTheDefaultPoolIsOneAlsoForManyAtOnce(t *testing.T) {
	withDefaultPool(t, func(t *testing.T) {
		pools := make([]*jobs.Pool, 20)
		var wg sync.WaitGroup
		for i := range pools {
			wg.Go(func() { pools[i] = jobs.DefaultPool() })
		}
		wg.Wait()
		for _, p := range pools {
			assert.Same(t, pools[0], p)
		}
	})
}

func TestSetDefaultPool(t *testing.T) {
	withDefaultPool(t, func(t *testing.T) {
		first := jobs.DefaultPool()
		own := jobs.NewPool(jobstest.Quiet)
		jobs.SetDefaultPool(own)
		assert.Same(t, own, jobs.DefaultPool())
		id, err := jobs.Register(jobstest.Stub{}, jobs.Every(time.Hour))
		require.NoError(t, err)
		assert.NotNil(t, own.GetJob(id))
		assert.Nil(t, first.GetJob(id))

		jobs.SetDefaultPool(nil)
		fresh := jobs.DefaultPool()
		assert.NotSame(t, own, fresh)
		assert.NotSame(t, first, fresh)
		assert.Equal(t, "Initializing", jobs.GetStatus())
		assert.Equal(t, "Running", own.GetStatus(), "the pool before goes on as it is")
		require.NoError(t, own.Shutdown(context.Background()))
	})
}

// waysToRegister are all the package-level ways to register a job, with the type and name it then has.
func waysToRegister() map[string]struct {
	register  func(jobs.Job) (string, error)
	typ, name string
} {
	type entry = struct {
		register  func(jobs.Job) (string, error)
		typ, name string
	}
	stop := make(chan interface{})
	const every = time.Hour
	return map[string]entry{
		"Register":      {func(j jobs.Job) (string, error) { return jobs.Register(j, jobs.Once()) }, "single run", ""},
		"SingleRun":     {jobs.RegisterSingleRunJob, "single run", ""},
		"SingleRunName": {func(j jobs.Job) (string, error) { return jobs.RegisterSingleRunJobWithName(j, "n") }, "single run", "n"},
		"Retry":         {func(j jobs.Job) (string, error) { return jobs.RegisterRetryJob(j, 2) }, "retry", ""},
		"RetryName":     {func(j jobs.Job) (string, error) { return jobs.RegisterRetryJobWithName(j, 2, "n") }, "retry", "n"},
		"Interval":      {func(j jobs.Job) (string, error) { return jobs.RegisterIntervalJob(j, every) }, "interval", ""},
		"IntervalOpts": {func(j jobs.Job) (string, error) {
			return jobs.RegisterIntervalJob(j, every, jobs.WithJobTimeout(1), jobs.WithName("n"))
		}, "interval", "n"},
		"IntervalName": {func(j jobs.Job) (string, error) { return jobs.RegisterIntervalJobWithName(j, every, "n") }, "interval", "n"},
		"DetachedInterval": {func(j jobs.Job) (string, error) { return jobs.RegisterDetachedIntervalJob(j, every) },
			"detached interval", ""},
		"DetachedIntervalName": {func(j jobs.Job) (string, error) { return jobs.RegisterDetachedIntervalJobWithName(j, every, "n") },
			"detached interval", "n"},
		"Scheduled":     {func(j jobs.Job) (string, error) { return jobs.RegisterScheduledJob(j, "@hourly") }, "scheduled", ""},
		"ScheduledName": {func(j jobs.Job) (string, error) { return jobs.RegisterScheduledJobWithName(j, "@hourly", "n") }, "scheduled", "n"},
		"Channel":       {func(j jobs.Job) (string, error) { return jobs.RegisterChannelJob(j, stop) }, "channel", ""},
		"ChannelName":   {func(j jobs.Job) (string, error) { return jobs.RegisterChannelJobWithName(j, stop, "n") }, "channel", "n"},
		"DetachedChannel": {func(j jobs.Job) (string, error) { return jobs.RegisterDetachedChannelJob(j, stop) },
			"detached channel", ""},
		"DetachedChannelName": {func(j jobs.Job) (string, error) { return jobs.RegisterDetachedChannelJobWithName(j, stop, "n") },
			"detached channel", "n"},
	}
}

func TestThePackageLevelRegistrations(t *testing.T) {
	withDefaultPool(t, func(t *testing.T) {
		for call, r := range waysToRegister() {
			id, err := r.register(jobstest.Stub{})
			require.NoError(t, err, call)
			info := jobstest.InfoOf(t, jobs.DefaultPool(), id)
			assert.Equal(t, r.typ, info.Type, call)
			if r.name == "" {
				r.name = r.typ
			}
			assert.Equal(t, r.name, info.Name, call)
			assert.Equal(t, id, jobs.GetJob(id).GetID(), call)
		}
		assert.Equal(t, len(waysToRegister()), jobs.Info().Jobs)
	})
}

func TestThePackageLevelFunctionsActOnTheDefaultPool(t *testing.T) {
	withDefaultPool(t, func(t *testing.T) {
		jobs.SetDefaultPool(jobs.NewPool(jobstest.Quiet))
		calls, sweeps := jobstest.NewTimeline(), jobstest.NewTimeline()
		id, err := jobs.RegisterIntervalJob(jobstest.Stub{ExecuteFunc: calls.Execute, StatusFunc: sweeps.Status}, 10*time.Second)
		require.NoError(t, err)
		jobs.UpdateDurations(3*time.Second, time.Minute)
		calls.AdvanceTo(time.Second)
		assert.Equal(t, "Running", jobs.GetJobStatus(id))
		jobs.JobLock(id)
		require.NoError(t, jobs.RunNow(id))
		calls.AdvanceTo(4 * time.Second)
		jobs.JobUnlock(id)
		calls.AdvanceTo(5 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 4), calls.Moments())
		assert.Equal(t, jobstest.Seconds(3), sweeps.Moments())
		jobs.UnregisterJob(id)
		assert.Nil(t, jobs.GetJob(id))
		assert.Empty(t, jobs.GetJobStatus(id))
		require.NoError(t, jobs.Shutdown(context.Background()))
		assert.Equal(t, "Stopped", jobs.GetStatus())
	})
}

func TestTestsOfPackageLevelCodeRunInOneBubbleAfterTheOther(t *testing.T) {
	for range 3 {
		withDefaultPool(t, func(t *testing.T) {
			calls := jobstest.NewTimeline()
			_, err := jobs.RegisterIntervalJob(jobstest.Stub{ExecuteFunc: calls.Execute}, 10*time.Second)
			require.NoError(t, err)
			jobstest.Advance(25 * time.Second)
			assert.Equal(t, jobstest.Seconds(0, 10, 20), calls.Moments())
		})
	}
}

func TestUpdateDurationsActsOnTheDefaultPoolOfThatMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := jobs.NewPool(jobstest.Quiet), jobs.NewPool(jobstest.Quiet)
		defer jobs.SetDefaultPool(nil)
		var ofFirst, ofSecond atomic.Int32
		count := func(n *atomic.Int32) jobstest.Stub {
			return jobstest.Stub{StatusFunc: func() error { n.Add(1); return nil }}
		}
		jobstest.Register(t, first, count(&ofFirst), jobs.Every(jobstest.ForAges))
		jobstest.Register(t, second, count(&ofSecond), jobs.Every(jobstest.ForAges))
		jobs.SetDefaultPool(first)
		jobs.UpdateDurations(5*time.Second, time.Minute)
		jobstest.Advance(31 * time.Second)
		assert.EqualValues(t, 6, ofFirst.Load())
		assert.EqualValues(t, 1, ofSecond.Load())
		require.NoError(t, first.Shutdown(context.Background()))
		require.NoError(t, second.Shutdown(context.Background()))
	})
}
