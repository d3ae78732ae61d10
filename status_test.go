package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A statusCase brings a job about that is to have a status. The bubble's time is at 1m then at the latest.
type statusCase struct {
	name string
	get  func(t *testing.T, p *jobs.Pool) (id string)
}

func checkStatuses(t *testing.T, want jobs.JobStatus, cases []statusCase) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := tt.get(t, p)
				jobstest.Advance(0)
				assert.Equal(t, want.String(), p.GetJobStatus(id))
				assert.Equal(t, want, p.GetJob(id).GetStatus())
				assert.Equal(t, want, jobstest.InfoOf(t, p, id).Status)
			})
		})
	}
}

// having registers a job, lets d pass, and does what then says.
func having(job jobs.Job, trigger func() jobs.Trigger, d time.Duration, then func(*jobs.Pool), opts ...jobs.JobOption) func(*testing.T, *jobs.Pool) string {
	return func(t *testing.T, p *jobs.Pool) string {
		id := jobstest.Register(t, p, job, trigger(), opts...)
		jobstest.Advance(d)
		then(p)
		return id
	}
}

func nothing(*jobs.Pool) {}

func TestStatusIsFinishedForGood(t *testing.T) {
	checkStatuses(t, jobs.JobStatusFinished, []statusCase{
		{"single run", having(jobstest.Stub{}, jobs.Once, 0, nothing)},
		{"single run, pool stopped", having(jobstest.Stub{}, jobs.Once, 0, jobstest.StopPool)},
		{"single run, pool shut down", having(jobstest.Stub{}, jobs.Once, 0, jobstest.ShutDownNow)},
		{"retry", having(jobstest.Stub{}, jobstest.ThreeTimes, 0, nothing)},
		{"retry that failed before", having(jobstest.Faltering(0, nil), jobstest.ThreeTimes, 0, nothing)},
		{"retry, pool shut down", having(jobstest.Stub{}, jobstest.ThreeTimes, 0, jobstest.ShutDownNow)},
		{"scheduled with no occurrence left", having(jobstest.Stub{}, jobstest.InASecond, time.Second, nothing)},
		{"scheduled, pool stopped", having(jobstest.Stub{}, jobstest.InASecond, time.Second, jobstest.StopPool)},
		{"scheduled, pool shut down", having(jobstest.Stub{}, jobstest.InASecond, time.Second, jobstest.ShutDownNow)},
		{"detached scheduled", having(jobstest.Stub{}, jobstest.InASecond, time.Second, nothing, jobs.Detached())},
		{"detached scheduled that failed", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.InASecond, time.Second, nothing, jobs.Detached())},
	})
}

func TestStatusIsFailedForGood(t *testing.T) {
	checkStatuses(t, jobs.JobStatusFailed, []statusCase{
		{"single run", having(jobstest.Lasting(0, jobstest.ErrBroken), jobs.Once, 0, nothing)},
		{"single run, pool stopped", having(jobstest.Lasting(0, jobstest.ErrBroken), jobs.Once, 0, jobstest.StopPool)},
		{"single run, pool shut down", having(jobstest.Lasting(0, jobstest.ErrBroken), jobs.Once, 0, jobstest.ShutDownNow)},
		{"retry", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.ThreeTimes, 0, nothing)},
		{"retry, pool shut down", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.ThreeTimes, 0, jobstest.ShutDownNow)},
	})
}

func TestStatusIsFailedWhileAnExecutionIsLate(t *testing.T) {
	limit := jobs.WithJobTimeout(time.Second)
	late := func(trigger func() jobs.Trigger, opts ...jobs.JobOption) func(*testing.T, *jobs.Pool) string {
		return having(jobstest.Lasting(time.Hour, nil), trigger, 3*time.Second, nothing, append(opts, limit)...)
	}
	checkStatuses(t, jobs.JobStatusFailed, []statusCase{
		{"interval", late(jobstest.Hourly)},
		{"interval, at that moment", having(jobstest.Lasting(time.Hour, nil), jobstest.Hourly, time.Second, nothing, limit)},
		{"detached interval", late(jobstest.Hourly, jobs.Detached())},
		{"scheduled", late(jobstest.EachSecond)},
		{"single run", late(jobs.Once)},
		{"retry", late(jobstest.ThreeTimes)},
		{"retry that failed before", having(jobstest.Faltering(time.Hour, nil), jobstest.ThreeTimes, 3*time.Second, nothing, limit)},
		{"interval, pool shut down", having(jobstest.Lasting(time.Hour, nil), jobstest.Hourly, 3*time.Second, jobstest.ShutDownNow, limit)},
	})
}

func TestStatusIsRetryingFromTheFirstFailedExecutionToTheEnd(t *testing.T) {
	checkStatuses(t, jobs.JobStatusRetrying, []statusCase{
		{"executing again", having(jobstest.Faltering(time.Hour, nil), jobstest.ThreeTimes, time.Second, nothing)},
		{"waiting", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.ThreeTimes, time.Second, nothing, jobstest.BackingOff())},
		{"waiting, pool stopped", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.ThreeTimes, time.Second, jobstest.StopPool, jobstest.BackingOff())},
		{"waiting, pool shut down", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.ThreeTimes, time.Second, jobstest.ShutDownNow, jobstest.BackingOff())},
		{"executing again, pool shut down", having(jobstest.Faltering(time.Hour, nil), jobstest.ThreeTimes, time.Second, jobstest.ShutDownNow)},
	})
}

func TestStatusOfADetachedJobIsFailedFromAFailedExecutionToTheEndOfTheNextGoodOne(t *testing.T) {
	detached := jobs.Detached()
	checkStatuses(t, jobs.JobStatusFailed, []statusCase{
		{"interval, waiting", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.Hourly, time.Second, nothing, detached)},
		{"interval, executing", having(jobstest.Faltering(time.Hour, nil), jobstest.Secondly, 2*time.Second, nothing, detached)},
		{"interval, after another", having(jobstest.Faltering(0, jobstest.ErrBroken), jobstest.Secondly, 2*time.Second, nothing, detached)},
		{"scheduled, waiting", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.EachSecond, 1500*time.Millisecond, nothing, detached)},
		{"scheduled, executing", having(jobstest.Faltering(time.Hour, nil), jobstest.EachSecond, 3*time.Second, nothing, detached)},
		{"pool stopped", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.Hourly, time.Second, jobstest.StopPool, detached)},
		{"pool shut down", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.Hourly, time.Second, jobstest.ShutDownNow, detached)},
		{"returned late", having(jobstest.Lasting(3*time.Second, nil), jobstest.Hourly, 4*time.Second, nothing, detached, jobs.WithJobTimeout(time.Second))},
	})
	checkStatuses(t, jobs.JobStatusRunning, []statusCase{
		{"interval, after a good one", having(jobstest.Faltering(0, nil), jobstest.Secondly, time.Second, nothing, detached)},
		{"scheduled, after a good one", having(jobstest.Faltering(0, nil), jobstest.EachSecond, 2*time.Second, nothing, detached)},
	})
}

func TestStatusIsRunningWhileExecuting(t *testing.T) {
	long := jobstest.Lasting(time.Hour, nil)
	checkStatuses(t, jobs.JobStatusRunning, []statusCase{
		{"single run", having(long, jobs.Once, 0, nothing)},
		{"retry", having(long, jobstest.ThreeTimes, 0, nothing)},
		{"interval", having(long, jobstest.Hourly, 0, nothing)},
		{"interval, pool stopped", having(long, jobstest.Hourly, 0, jobstest.StopPool)},
		{"interval, pool shut down", having(long, jobstest.Hourly, 0, jobstest.ShutDownNow)},
		{"scheduled", having(long, jobstest.EachSecond, time.Second, nothing)},
		{"scheduled, pool stopped", having(long, jobstest.EachSecond, time.Second, jobstest.StopPool)},
		{"detached interval", having(long, jobstest.Hourly, 0, jobstest.StopPool, jobs.Detached())},
		{"single run, pool shut down", having(long, jobs.Once, 0, jobstest.ShutDownNow)},
	})
}

func TestStatusIsStoppedWhenThePoolWasShutDown(t *testing.T) {
	checkStatuses(t, jobs.JobStatusStopped, []statusCase{
		{"interval", having(jobstest.Stub{}, jobstest.Hourly, time.Second, jobstest.ShutDownNow)},
		{"detached interval", having(jobstest.Stub{}, jobstest.Hourly, time.Second, jobstest.ShutDownNow, jobs.Detached())},
		{"scheduled", having(jobstest.Stub{}, jobstest.EachSecond, time.Second, jobstest.ShutDownNow)},
		{"single run never started", having(jobstest.NeverReady, jobs.Once, time.Second, jobstest.ShutDownNow)},
		{"interval never started", having(jobstest.NeverReady, jobstest.Hourly, time.Second, jobstest.ShutDownNow)},
	})
}

func TestStatusIsInitializingWhenNeverStarted(t *testing.T) {
	inStoppedPool := func(job jobs.Job) func(*testing.T, *jobs.Pool) string {
		return func(t *testing.T, p *jobs.Pool) string {
			jobstest.StopPool(p)
			return having(job, jobstest.Hourly, time.Second, nothing)(t, p)
		}
	}
	checkStatuses(t, jobs.JobStatusInitializing, []statusCase{
		{"single run", having(jobstest.NeverReady, jobs.Once, time.Minute, nothing)},
		{"retry", having(jobstest.NeverReady, jobstest.ThreeTimes, time.Minute, nothing)},
		{"interval", having(jobstest.NeverReady, jobstest.Hourly, time.Minute, nothing)},
		{"detached interval", having(jobstest.NeverReady, jobstest.Hourly, time.Minute, nothing, jobs.Detached())},
		{"scheduled", having(jobstest.NeverReady, jobstest.EachSecond, time.Minute, nothing)},
		{"not ready, pool stopped", having(jobstest.NeverReady, jobstest.Hourly, time.Second, jobstest.StopPool)},
		{"ready, pool stopped before", inStoppedPool(jobstest.Stub{})},
		{"not ready, pool stopped before", inStoppedPool(jobstest.NeverReady)},
	})
}

func TestStatusOfAnAttachedJobIsStoppedWhileThePoolIs(t *testing.T) {
	checkStatuses(t, jobs.JobStatusStopped, []statusCase{
		{"interval", having(jobstest.Stub{}, jobstest.Hourly, time.Second, jobstest.StopPool)},
		{"interval that failed", having(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.Hourly, time.Second, nothing)},
		{"interval whose late execution has returned", having(jobstest.Lasting(3*time.Second, nil), jobstest.Hourly, 4*time.Second, nothing, jobs.WithJobTimeout(time.Second))},
		{"scheduled", having(jobstest.Stub{}, jobstest.EachSecond, time.Second, jobstest.StopPool)},
		{"scheduled before its first occurrence", having(jobstest.Stub{}, jobstest.EachHour, time.Second, jobstest.StopPool)},
	})
}

func TestStatusIsRunningBetweenExecutionsInAWorkingState(t *testing.T) {
	checkStatuses(t, jobs.JobStatusRunning, []statusCase{
		{"interval", having(jobstest.Stub{}, jobstest.Hourly, time.Second, nothing)},
		{"interval after a restart", having(jobstest.Stub{}, jobstest.Hourly, time.Second, func(p *jobs.Pool) { jobstest.StopPool(p); jobstest.Advance(30 * time.Second) })},
		{"interval that failed, after a restart", having(jobstest.Faltering(0, nil), jobstest.Hourly, 31*time.Second, nothing)},
		{"detached interval", having(jobstest.Stub{}, jobstest.Hourly, time.Second, nothing, jobs.Detached())},
		{"detached interval, pool stopped", having(jobstest.Stub{}, jobstest.Hourly, time.Second, jobstest.StopPool, jobs.Detached())},
		{"scheduled", having(jobstest.Stub{}, jobstest.EachSecond, time.Second, nothing)},
		{"scheduled before its first occurrence", having(jobstest.Stub{}, jobstest.EachHour, time.Second, nothing)},
		{"detached scheduled, pool stopped", having(jobstest.Stub{}, jobstest.EachSecond, time.Second, jobstest.StopPool, jobs.Detached())},
	})
}
