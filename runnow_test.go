package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestRunNowIsForgottenWhenTheExecutionThatWaitsForItsLockFindsThePoolStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.Each(time.Hour)))
		jobstest.Advance(time.Second)
		p.JobLock(id)
		for range 2 { // for the one that waits, and for another one
			require.NoError(t, p.RunNow(id))
			jobstest.Advance(time.Second)
		}
		jobstest.StopPool(p)
		p.JobUnlock(id)
		jobstest.Advance(time.Minute)
		require.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, calls.Moments())
		assert.Equal(t, time.Hour, jobstest.InfoOf(t, p, id).NextRun.Sub(calls.Start))
	})
}

func TestRunNowBeginsAnExecutionNowAndTheIntervalCountsFromItsEnd(t *testing.T) {
	for name, opts := range map[string][]jobs.JobOption{"attached": nil, "detached": {jobs.Detached()}} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(time.Second); return nil }},
					jobs.Every(10*time.Second), opts...)
				calls.AdvanceTo(5 * time.Second)
				require.NoError(t, p.RunNow(id))
				calls.AdvanceTo(30 * time.Second)
				assert.Equal(t, jobstest.Seconds(0, 5, 16, 27), calls.Moments())
			})
		})
	}
}

func TestRunNowOfAScheduledJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron("@hourly"))
		calls.AdvanceTo(10 * time.Minute)
		require.NoError(t, p.RunNow(id))
		calls.AdvanceTo(130 * time.Minute)
		assert.Equal(t, jobstest.Seconds(600, 3600, 7200), calls.Moments())
	})
}

func TestRunNowDuringAnExecutionMakesOneRightAfterIt(t *testing.T) {
	cases := []struct {
		name    string
		trigger jobs.Trigger
		first   time.Duration
		at      []time.Duration
	}{
		{"interval", jobs.Every(time.Hour), 0, jobstest.Seconds(0, 8, 16, 3624)},
		{"scheduled", jobs.Cron("@hourly"), time.Hour, jobstest.Seconds(3600, 3608, 3616, 7200)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(8 * time.Second); return nil }}, c.trigger)
				for i := range 5 { // several calls make one
					calls.AdvanceTo(c.first + time.Duration(i)*time.Second + 1)
					start := time.Now()
					require.NoError(t, p.RunNow(id))
					assert.Zero(t, time.Since(start), "RunNow returns at once")
				}
				calls.AdvanceTo(c.first + 10*time.Second)
				require.NoError(t, p.RunNow(id))
				calls.AdvanceTo(c.at[3] + time.Second)
				assert.Equal(t, c.at, calls.Moments())
			})
		})
	}
}

func TestRunNowWhileAnExecutionWaitsForItsLockMakesOneMore(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(time.Second); return nil }}, jobs.Every(10*time.Second))
		calls.AdvanceTo(5 * time.Second)
		p.JobLock(id)
		calls.AdvanceTo(15 * time.Second) // waits since 11
		for range 3 {
			require.NoError(t, p.RunNow(id))
		}
		calls.AdvanceTo(20 * time.Second)
		p.JobUnlock(id)
		calls.AdvanceTo(35 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 20, 21, 32), calls.Moments())
	})
}

func TestRunNowFromInsideTheJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		var id atomic.Pointer[string]
		registered := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			calls.Mark()
			if id := id.Load(); id != nil && len(calls.Moments()) < 4 {
				return p.RunNow(*id)
			}
			return nil
		}}, jobs.Every(10*time.Second))
		calls.AdvanceTo(time.Second)
		id.Store(&registered)
		calls.AdvanceTo(25 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 10, 10, 10, 20), calls.Moments())
	})
}

func TestRunNowTakesTheLock(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		p.JobLock(id)
		require.NoError(t, p.RunNow(id))
		calls.AdvanceTo(5 * time.Second)
		p.JobUnlock(id)
		calls.AdvanceTo(6 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 5), calls.Moments())
	})
}

// A refusedRun is a way to get a job that RunNow refuses.
type refusedRun struct {
	name string
	prep func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) (id string)
}

func refusedRuns() []refusedRun {
	return []refusedRun{
		{"unknown id", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string { return "nobody" }},
		{"unregistered", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(jobstest.ForAges))
			jobstest.Advance(0)
			p.UnregisterJob(id)
			return id
		}},
		{"single run", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string {
			return jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Once())
		}},
		{"retry", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string {
			return jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); return jobstest.ErrBroken }}, jobs.Retry(2),
				jobs.WithRetryBackoff(jobstest.ForAges, jobstest.ForAges))
		}},
		{"channel", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string {
			return jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Channel(make(chan interface{})), jobs.Detached())
		}},
		{"pool stopped", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(20*time.Second))
			jobstest.Advance(0)
			jobstest.FailPool(p)
			return id
		}},
		{"not ready yet", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string {
			return jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute, ReadyFunc: jobstest.NewFault().Absent}, jobs.Every(jobstest.ForAges))
		}},
		{"late", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(time.Hour); return nil }},
				jobs.Every(jobstest.ForAges), jobs.Detached(), jobs.WithJobTimeout(time.Second))
			jobstest.Advance(2 * time.Second)
			return id
		}},
		{"shut down", func(t *testing.T, p *jobs.Pool, calls *jobstest.Timeline) string {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(jobstest.ForAges), jobs.Detached())
			jobstest.Advance(0)
			require.NoError(t, p.Shutdown(context.Background()))
			return id
		}},
	}
}

func TestRunNowIsAnErrorAndNothingHappens(t *testing.T) {
	for _, c := range refusedRuns() {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := c.prep(t, p, calls)
				jobstest.Advance(0)
				before := len(calls.Moments())
				assert.Error(t, p.RunNow(id))
				jobstest.Advance(25 * time.Second)
				assert.Len(t, calls.Moments(), before)
				if c.name == "pool stopped" { // the restart makes one execution, not two
					jobstest.Advance(10 * time.Second)
					assert.Len(t, calls.Moments(), before+1)
				}
				if c.name == "late" {
					jobstest.Advance(2 * time.Hour)
					assert.Len(t, calls.Moments(), before)
				}
			})
		})
	}
}

func TestRunNowOfADetachedJobWorksWhileThePoolIsStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(jobstest.ForAges), jobs.Detached())
		jobstest.Advance(time.Second)
		jobstest.FailPool(p)
		require.NoError(t, p.RunNow(id))
		jobstest.Advance(0)
		assert.Equal(t, jobstest.Seconds(0, 1), calls.Moments())
	})
}

func TestRunNowBeforeAStopDoesNotMakeAnAttachedJobExecuteWhileStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(5 * time.Second); return nil }}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(time.Second)
		require.NoError(t, p.RunNow(id))
		jobstest.FailPool(p)
		calls.AdvanceTo(time.Minute)
		assert.Equal(t, jobstest.Seconds(0, 31), calls.Moments(), "and the restart makes one execution of both")
	})
}
