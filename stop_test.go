package jobs_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestWhatStopsThePoolStopsItAtOnce(t *testing.T) {
	broken := func() error { return errBroken }
	cases := []struct {
		name    string
		job     stub
		trigger jobs.Trigger
		at      time.Duration
	}{
		{"an interval job's execution fails", stub{execute: broken}, jobs.Every(time.Hour), 0},
		{"a later one fails", stub{execute: func() error { time.Sleep(7 * time.Second); return errBroken }},
			jobs.Every(time.Hour), 7 * time.Second},
		{"a scheduled job's execution fails", stub{execute: broken}, jobs.On(everySecond()), time.Second},
		{"an execution is late", stub{execute: enduring(time.Minute)}, jobs.Every(time.Hour), 10 * time.Second},
		{"a scheduled one is late", stub{execute: enduring(time.Minute)}, jobs.On(everySecond()), 11 * time.Second},
		{"Status errs", stub{status: broken}, jobs.Every(time.Hour), 30 * time.Second},
		{"a Status that lasts errs", stub{status: func() error { time.Sleep(time.Second); return errBroken }},
			jobs.Every(time.Hour), 31 * time.Second},
		{"Status is late", stub{status: enduring(time.Minute)}, jobs.Every(time.Hour), 40 * time.Second},
		{"a panic", stub{execute: func() error { panic("no") }}, jobs.Every(time.Hour), 0},
		{"a Goexit", stub{execute: func() error { runtime.Goexit(); return nil }}, jobs.Every(time.Hour), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, c.job, c.trigger)
				if c.at > 0 {
					pass(c.at - time.Nanosecond)
					require.Equal(t, "Running", p.GetStatus(), "not before")
					pass(time.Nanosecond)
				} else {
					pass(0)
				}
				assert.Equal(t, "Stopped", p.GetStatus())
				info := p.Info()
				assert.Equal(t, id, info.StoppedBy)
				assert.Error(t, info.StopError)
				assert.True(t, info.Since.Equal(time.Now()))
			}, jobs.WithExecutionTimeout(10*time.Second))
		})
	}
}

func TestAChannelJobThatFailsStopsThePool(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{execute: onlyFirst(func() error { return errBroken })},
			jobs.Channel(make(chan interface{})))
		pass(0)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, id, p.Info().StoppedBy)
	})
}

func TestWhatDoesNotStopThePool(t *testing.T) {
	broken := func() error { return errBroken }
	cases := []struct {
		name    string
		job     stub
		trigger jobs.Trigger
		opts    []jobs.JobOption
	}{
		{"a single run job fails", stub{execute: broken}, jobs.Once(), nil},
		{"a single run job is late", stub{execute: enduring(time.Minute)}, jobs.Once(),
			[]jobs.JobOption{jobs.WithJobTimeout(time.Second)}},
		{"a retry job fails", stub{execute: broken}, jobs.Retry(3), nil},
		{"a detached interval job fails", stub{execute: broken, status: broken}, jobs.Every(time.Hour),
			[]jobs.JobOption{jobs.Detached()}},
		{"a detached interval job is late", stub{execute: enduring(time.Minute)}, jobs.Every(time.Hour),
			[]jobs.JobOption{jobs.Detached(), jobs.WithJobTimeout(time.Second)}},
		{"a detached scheduled job fails", stub{execute: broken}, jobs.On(everySecond()), []jobs.JobOption{jobs.Detached()}},
		{"a job is not ready", stub{ready: newFault().absent, status: broken}, jobs.Every(time.Hour), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				other := newTimeline()
				register(t, p, stub{execute: other.execute}, jobs.Every(50*time.Second))
				register(t, p, c.job, c.trigger, c.opts...)
				pass(110 * time.Second)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, seconds(0, 50, 100), other.moments())
				assert.Zero(t, p.Info().Restarts)
			})
		})
	}
}

func TestNoAttachedExecutionBeginsWhileThePoolIsStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		interval := register(t, p, stub{execute: calls.execute}, jobs.Every(10*time.Second))
		register(t, p, stub{execute: calls.execute}, jobs.On(everySecond()))
		calls.fill(500 * time.Millisecond)
		haltPool(p) // until 30.5
		calls.fill(30400 * time.Millisecond)
		assert.Equal(t, seconds(0), calls.moments())
		assert.Equal(t, "Stopped", p.GetJobStatus(interval))
		calls.fill(31 * time.Second)
		assert.Equal(t, seconds(0, 30.5, 31), calls.moments())
	})
}

func TestExecutionsInFlightRunToTheirEndWithContextsIntact(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		ended := newTimeline()
		work := jobs.JobFunc(func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Second):
				ended.mark()
			}
			return nil
		})
		interval := register(t, p, work, jobs.Every(time.Hour))
		scheduled := register(t, p, work, jobs.On(everySecond()))
		pass(5 * time.Second)
		haltPool(p)
		assert.Equal(t, "Running", p.GetJobStatus(interval), "executing")
		ended.fill(25 * time.Second)
		assert.Equal(t, seconds(20, 21), ended.moments())
		for _, id := range []string{interval, scheduled} {
			info := infoOf(t, p, id)
			assert.Equal(t, jobs.JobStatusStopped, info.Status)
			assert.EqualValues(t, 1, info.Executions)
			assert.Zero(t, info.Failures)
		}
	})
}

func TestSingleRunRetryAndDetachedJobsAreUntouchedByAStop(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		interval, schedule, retries := newTimeline(), newTimeline(), newTimeline()
		single := register(t, p, stub{execute: enduring(5 * time.Second)}, jobs.Once())
		register(t, p, stub{execute: func() error { retries.mark(); return errBroken }},
			jobs.Retry(4), jobs.WithRetryBackoff(2*time.Second, 2*time.Second))
		register(t, p, stub{execute: interval.execute}, jobs.Every(4*time.Second), jobs.Detached())
		register(t, p, stub{execute: schedule.execute}, jobs.On(everySecond()), jobs.Detached())
		stop := make(chan interface{})
		detached := register(t, p, stub{execute: func() error { <-stop; return nil }}, jobs.Channel(stop), jobs.Detached())
		pass(time.Millisecond)
		haltPool(p)
		interval.fill(9 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Finished", p.GetJobStatus(single))
		assert.Equal(t, "Running", p.GetJobStatus(detached))
		assert.Equal(t, seconds(0, 2, 4, 6), retries.moments())
		assert.Equal(t, seconds(0, 4, 8), interval.moments())
		assert.Len(t, schedule.moments(), 9)
	})
}

func TestWhatFailsWhileThePoolIsStoppedIsRecordedOnly(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		second := register(t, p, stub{execute: func() error { time.Sleep(20 * time.Second); return errBroken }},
			jobs.Every(forAges))
		statusErrs := register(t, p, stub{status: onlyFirst(func() error { time.Sleep(5 * time.Second); return errBroken })},
			jobs.Every(forAges))
		_ = statusErrs
		pass(12 * time.Second)
		first := haltPool(p)
		pass(10 * time.Second) // second has failed at 20
		info := infoOf(t, p, second)
		assert.EqualValues(t, 1, info.Failures)
		assert.ErrorIs(t, info.LastError, errBroken)
		pool := p.Info()
		assert.Equal(t, first, pool.StoppedBy)
		assert.Equal(t, 20*time.Second, time.Until(pool.NextAttempt), "30 s after the first failure")
		pass(20 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAStatusErrorOfAnEarlierLifeOfThePoolChangesNothing(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{status: onlyFirst(func() error { time.Sleep(time.Minute); return errBroken })},
			jobs.Every(forAges)) // from 30 to 90
		pass(40 * time.Second)
		haltPool(p) // until 70
		pass(51 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, 1, p.Info().Restarts)
	})
}

func TestTheStopLeavesNothingOfAnUnregisteredCulprit(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		other := newTimeline()
		register(t, p, stub{execute: other.execute}, jobs.Every(10*time.Second))
		id := register(t, p, stub{execute: func() error { time.Sleep(5 * time.Second); return errBroken }}, jobs.Every(time.Second))
		pass(time.Second)
		p.UnregisterJob(id)
		other.fill(25 * time.Second)
		assert.Equal(t, "Running", p.GetStatus(), "nothing of an unregistered job holds up anyone")
		assert.Equal(t, seconds(0, 10, 20), other.moments())
	})
}
