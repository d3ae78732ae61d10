package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

// A statusCase brings a job about that is to have a status. The bubble's time is at 1m then at the latest.
type statusCase struct {
	name string
	get  func(t *testing.T, p *jobs.Pool) (id string)
}

func checkStatuses(t *testing.T, want jobs.JobStatus, cases []statusCase) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := tt.get(t, p)
				pass(0)
				assert.Equal(t, want.String(), p.GetJobStatus(id))
				assert.Equal(t, want, p.GetJob(id).GetStatus())
				assert.Equal(t, want, infoOf(t, p, id).Status)
			})
		})
	}
}

// having registers a job, lets d pass, and does what then says.
func having(job jobs.Job, trigger func() jobs.Trigger, d time.Duration, then func(*jobs.Pool), opts ...jobs.JobOption) func(*testing.T, *jobs.Pool) string {
	return func(t *testing.T, p *jobs.Pool) string {
		id := register(t, p, job, trigger(), opts...)
		pass(d)
		then(p)
		return id
	}
}

func nothing(*jobs.Pool) {}

func TestStatusIsFinishedForGood(t *testing.T) {
	checkStatuses(t, jobs.JobStatusFinished, []statusCase{
		{"single run", having(stub{}, jobs.Once, 0, nothing)},
		{"single run, pool stopped", having(stub{}, jobs.Once, 0, stopPool)},
		{"single run, pool shut down", having(stub{}, jobs.Once, 0, shutPool)},
		{"retry", having(stub{}, threeTimes, 0, nothing)},
		{"retry that failed before", having(faltering(0, nil), threeTimes, 0, nothing)},
		{"retry, pool shut down", having(stub{}, threeTimes, 0, shutPool)},
		{"scheduled with no occurrence left", having(stub{}, inASecond, time.Second, nothing)},
		{"scheduled, pool stopped", having(stub{}, inASecond, time.Second, stopPool)},
		{"scheduled, pool shut down", having(stub{}, inASecond, time.Second, shutPool)},
		{"detached scheduled", having(stub{}, inASecond, time.Second, nothing, jobs.Detached())},
		{"detached scheduled that failed", having(lasting(0, errBroken), inASecond, time.Second, nothing, jobs.Detached())},
	})
}

func TestStatusIsFailedForGood(t *testing.T) {
	checkStatuses(t, jobs.JobStatusFailed, []statusCase{
		{"single run", having(lasting(0, errBroken), jobs.Once, 0, nothing)},
		{"single run, pool stopped", having(lasting(0, errBroken), jobs.Once, 0, stopPool)},
		{"single run, pool shut down", having(lasting(0, errBroken), jobs.Once, 0, shutPool)},
		{"retry", having(lasting(0, errBroken), threeTimes, 0, nothing)},
		{"retry, pool shut down", having(lasting(0, errBroken), threeTimes, 0, shutPool)},
	})
}

func TestStatusIsFailedWhileAnExecutionIsLate(t *testing.T) {
	limit := jobs.WithJobTimeout(time.Second)
	late := func(trigger func() jobs.Trigger, opts ...jobs.JobOption) func(*testing.T, *jobs.Pool) string {
		return having(lasting(time.Hour, nil), trigger, 3*time.Second, nothing, append(opts, limit)...)
	}
	checkStatuses(t, jobs.JobStatusFailed, []statusCase{
		{"interval", late(hourly)},
		{"interval, at that moment", having(lasting(time.Hour, nil), hourly, time.Second, nothing, limit)},
		{"detached interval", late(hourly, jobs.Detached())},
		{"scheduled", late(eachSecond)},
		{"single run", late(jobs.Once)},
		{"retry", late(threeTimes)},
		{"retry that failed before", having(faltering(time.Hour, nil), threeTimes, 3*time.Second, nothing, limit)},
		{"interval, pool shut down", having(lasting(time.Hour, nil), hourly, 3*time.Second, shutPool, limit)},
	})
}

func TestStatusIsRetryingFromTheFirstFailedExecutionToTheEnd(t *testing.T) {
	checkStatuses(t, jobs.JobStatusRetrying, []statusCase{
		{"executing again", having(faltering(time.Hour, nil), threeTimes, time.Second, nothing)},
		{"waiting", having(lasting(0, errBroken), threeTimes, time.Second, nothing, backingOff())},
		{"waiting, pool stopped", having(lasting(0, errBroken), threeTimes, time.Second, stopPool, backingOff())},
		{"waiting, pool shut down", having(lasting(0, errBroken), threeTimes, time.Second, shutPool, backingOff())},
		{"executing again, pool shut down", having(faltering(time.Hour, nil), threeTimes, time.Second, shutPool)},
	})
}

func TestStatusOfADetachedJobIsFailedFromAFailedExecutionToTheEndOfTheNextGoodOne(t *testing.T) {
	detached := jobs.Detached()
	checkStatuses(t, jobs.JobStatusFailed, []statusCase{
		{"interval, waiting", having(lasting(0, errBroken), hourly, time.Second, nothing, detached)},
		{"interval, executing", having(faltering(time.Hour, nil), secondly, 2*time.Second, nothing, detached)},
		{"interval, after another", having(faltering(0, errBroken), secondly, 2*time.Second, nothing, detached)},
		{"scheduled, waiting", having(lasting(0, errBroken), eachSecond, 1500*time.Millisecond, nothing, detached)},
		{"scheduled, executing", having(faltering(time.Hour, nil), eachSecond, 3*time.Second, nothing, detached)},
		{"pool stopped", having(lasting(0, errBroken), hourly, time.Second, stopPool, detached)},
		{"pool shut down", having(lasting(0, errBroken), hourly, time.Second, shutPool, detached)},
		{"returned late", having(lasting(3*time.Second, nil), hourly, 4*time.Second, nothing, detached, jobs.WithJobTimeout(time.Second))},
	})
	checkStatuses(t, jobs.JobStatusRunning, []statusCase{
		{"interval, after a good one", having(faltering(0, nil), secondly, time.Second, nothing, detached)},
		{"scheduled, after a good one", having(faltering(0, nil), eachSecond, 2*time.Second, nothing, detached)},
	})
}

func TestStatusIsRunningWhileExecuting(t *testing.T) {
	long := lasting(time.Hour, nil)
	checkStatuses(t, jobs.JobStatusRunning, []statusCase{
		{"single run", having(long, jobs.Once, 0, nothing)},
		{"retry", having(long, threeTimes, 0, nothing)},
		{"interval", having(long, hourly, 0, nothing)},
		{"interval, pool stopped", having(long, hourly, 0, stopPool)},
		{"interval, pool shut down", having(long, hourly, 0, shutPool)},
		{"scheduled", having(long, eachSecond, time.Second, nothing)},
		{"scheduled, pool stopped", having(long, eachSecond, time.Second, stopPool)},
		{"detached interval", having(long, hourly, 0, stopPool, jobs.Detached())},
		{"single run, pool shut down", having(long, jobs.Once, 0, shutPool)},
	})
}

func TestStatusIsStoppedWhenThePoolWasShutDown(t *testing.T) {
	checkStatuses(t, jobs.JobStatusStopped, []statusCase{
		{"interval", having(stub{}, hourly, time.Second, shutPool)},
		{"detached interval", having(stub{}, hourly, time.Second, shutPool, jobs.Detached())},
		{"scheduled", having(stub{}, eachSecond, time.Second, shutPool)},
		{"single run never started", having(neverReady, jobs.Once, time.Second, shutPool)},
		{"interval never started", having(neverReady, hourly, time.Second, shutPool)},
	})
}

func TestStatusIsInitializingWhenNeverStarted(t *testing.T) {
	inStoppedPool := func(job jobs.Job) func(*testing.T, *jobs.Pool) string {
		return func(t *testing.T, p *jobs.Pool) string {
			stopPool(p)
			return having(job, hourly, time.Second, nothing)(t, p)
		}
	}
	checkStatuses(t, jobs.JobStatusInitializing, []statusCase{
		{"single run", having(neverReady, jobs.Once, time.Minute, nothing)},
		{"retry", having(neverReady, threeTimes, time.Minute, nothing)},
		{"interval", having(neverReady, hourly, time.Minute, nothing)},
		{"detached interval", having(neverReady, hourly, time.Minute, nothing, jobs.Detached())},
		{"scheduled", having(neverReady, eachSecond, time.Minute, nothing)},
		{"not ready, pool stopped", having(neverReady, hourly, time.Second, stopPool)},
		{"ready, pool stopped before", inStoppedPool(stub{})},
		{"not ready, pool stopped before", inStoppedPool(neverReady)},
	})
}

func TestStatusOfAnAttachedJobIsStoppedWhileThePoolIs(t *testing.T) {
	checkStatuses(t, jobs.JobStatusStopped, []statusCase{
		{"interval", having(stub{}, hourly, time.Second, stopPool)},
		{"interval that failed", having(lasting(0, errBroken), hourly, time.Second, nothing)},
		{"interval whose late execution has returned", having(lasting(3*time.Second, nil), hourly, 4*time.Second, nothing, jobs.WithJobTimeout(time.Second))},
		{"scheduled", having(stub{}, eachSecond, time.Second, stopPool)},
		{"scheduled before its first occurrence", having(stub{}, eachHour, time.Second, stopPool)},
	})
}

func TestStatusIsRunningBetweenExecutionsInAWorkingState(t *testing.T) {
	checkStatuses(t, jobs.JobStatusRunning, []statusCase{
		{"interval", having(stub{}, hourly, time.Second, nothing)},
		{"interval after a restart", having(stub{}, hourly, time.Second, func(p *jobs.Pool) { stopPool(p); pass(30 * time.Second) })},
		{"interval that failed, after a restart", having(faltering(0, nil), hourly, 31*time.Second, nothing)},
		{"detached interval", having(stub{}, hourly, time.Second, nothing, jobs.Detached())},
		{"detached interval, pool stopped", having(stub{}, hourly, time.Second, stopPool, jobs.Detached())},
		{"scheduled", having(stub{}, eachSecond, time.Second, nothing)},
		{"scheduled before its first occurrence", having(stub{}, eachHour, time.Second, nothing)},
		{"detached scheduled, pool stopped", having(stub{}, eachSecond, time.Second, stopPool, jobs.Detached())},
	})
}
