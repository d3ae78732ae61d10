package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestRunNowIsForgottenWhenTheExecutionThatWaitsForItsLockFindsThePoolStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.On(each(time.Hour)))
		pass(time.Second)
		p.JobLock(id)
		for range 2 { // for the one that waits, and for another one
			require.NoError(t, p.RunNow(id))
			pass(time.Second)
		}
		stopPool(p)
		p.JobUnlock(id)
		pass(time.Minute)
		require.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, calls.moments())
		assert.Equal(t, time.Hour, infoOf(t, p, id).NextRun.Sub(calls.start))
	})
}

func TestRunNowBeginsAnExecutionNowAndTheIntervalCountsFromItsEnd(t *testing.T) {
	for name, opts := range map[string][]jobs.JobOption{"attached": nil, "detached": {jobs.Detached()}} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				id := register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(time.Second); return nil }},
					jobs.Every(10*time.Second), opts...)
				calls.fill(5 * time.Second)
				require.NoError(t, p.RunNow(id))
				calls.fill(30 * time.Second)
				assert.Equal(t, seconds(0, 5, 16, 27), calls.moments())
			})
		})
	}
}

func TestRunNowOfAScheduledJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.Cron("@hourly"))
		calls.fill(10 * time.Minute)
		require.NoError(t, p.RunNow(id))
		calls.fill(130 * time.Minute)
		assert.Equal(t, seconds(600, 3600, 7200), calls.moments())
	})
}

func TestRunNowDuringAnExecutionMakesOneRightAfterIt(t *testing.T) {
	cases := []struct {
		name    string
		trigger jobs.Trigger
		first   time.Duration
		at      []time.Duration
	}{
		{"interval", jobs.Every(time.Hour), 0, seconds(0, 8, 16, 3624)},
		{"scheduled", jobs.Cron("@hourly"), time.Hour, seconds(3600, 3608, 3616, 7200)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				id := register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(8 * time.Second); return nil }}, c.trigger)
				for i := range 5 { // several calls make one
					calls.fill(c.first + time.Duration(i)*time.Second + 1)
					start := time.Now()
					require.NoError(t, p.RunNow(id))
					assert.Zero(t, time.Since(start), "RunNow returns at once")
				}
				calls.fill(c.first + 10*time.Second)
				require.NoError(t, p.RunNow(id))
				calls.fill(c.at[3] + time.Second)
				assert.Equal(t, c.at, calls.moments())
			})
		})
	}
}

func TestRunNowWhileAnExecutionWaitsForItsLockMakesOneMore(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(time.Second); return nil }}, jobs.Every(10*time.Second))
		calls.fill(5 * time.Second)
		p.JobLock(id)
		calls.fill(15 * time.Second) // waits since 11
		for range 3 {
			require.NoError(t, p.RunNow(id))
		}
		calls.fill(20 * time.Second)
		p.JobUnlock(id)
		calls.fill(35 * time.Second)
		assert.Equal(t, seconds(0, 20, 21, 32), calls.moments())
	})
}

func TestRunNowFromInsideTheJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		var id atomic.Pointer[string]
		registered := register(t, p, stub{execute: func() error {
			calls.mark()
			if id := id.Load(); id != nil && len(calls.moments()) < 4 {
				return p.RunNow(*id)
			}
			return nil
		}}, jobs.Every(10*time.Second))
		calls.fill(time.Second)
		id.Store(&registered)
		calls.fill(25 * time.Second)
		assert.Equal(t, seconds(0, 10, 10, 10, 20), calls.moments())
	})
}

func TestRunNowTakesTheLock(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.Every(time.Hour))
		pass(time.Second)
		p.JobLock(id)
		require.NoError(t, p.RunNow(id))
		calls.fill(5 * time.Second)
		p.JobUnlock(id)
		calls.fill(6 * time.Second)
		assert.Equal(t, seconds(0, 5), calls.moments())
	})
}

// A refusedRun is a way to get a job that RunNow refuses.
type refusedRun struct {
	name string
	prep func(t *testing.T, p *jobs.Pool, calls *timeline) (id string)
}

func refusedRuns() []refusedRun {
	return []refusedRun{
		{"unknown id", func(t *testing.T, p *jobs.Pool, calls *timeline) string { return "nobody" }},
		{"unregistered", func(t *testing.T, p *jobs.Pool, calls *timeline) string {
			id := register(t, p, stub{execute: calls.execute}, jobs.Every(forAges))
			pass(0)
			p.UnregisterJob(id)
			return id
		}},
		{"single run", func(t *testing.T, p *jobs.Pool, calls *timeline) string {
			return register(t, p, stub{execute: calls.execute}, jobs.Once())
		}},
		{"retry", func(t *testing.T, p *jobs.Pool, calls *timeline) string {
			return register(t, p, stub{execute: func() error { calls.mark(); return errBroken }}, jobs.Retry(2),
				jobs.WithRetryBackoff(forAges, forAges))
		}},
		{"channel", func(t *testing.T, p *jobs.Pool, calls *timeline) string {
			return register(t, p, stub{execute: calls.execute}, jobs.Channel(make(chan interface{})), jobs.Detached())
		}},
		{"pool stopped", func(t *testing.T, p *jobs.Pool, calls *timeline) string {
			id := register(t, p, stub{execute: calls.execute}, jobs.Every(forAges))
			haltPool(p)
			return id
		}},
		{"not ready yet", func(t *testing.T, p *jobs.Pool, calls *timeline) string {
			return register(t, p, stub{execute: calls.execute, ready: newFault().absent}, jobs.Every(forAges))
		}},
		{"late", func(t *testing.T, p *jobs.Pool, calls *timeline) string {
			id := register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(time.Hour); return nil }},
				jobs.Every(forAges), jobs.Detached(), jobs.WithJobTimeout(time.Second))
			pass(2 * time.Second)
			return id
		}},
		{"shut down", func(t *testing.T, p *jobs.Pool, calls *timeline) string {
			id := register(t, p, stub{execute: calls.execute}, jobs.Every(forAges), jobs.Detached())
			pass(0)
			require.NoError(t, p.Shutdown(context.Background()))
			return id
		}},
	}
}

func TestRunNowIsAnErrorAndNothingHappens(t *testing.T) {
	for _, c := range refusedRuns() {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				id := c.prep(t, p, calls)
				pass(0)
				before := len(calls.moments())
				assert.Error(t, p.RunNow(id))
				pass(25 * time.Second)
				assert.Len(t, calls.moments(), before)
				if c.name == "pool stopped" { // the restart makes one execution, not two
					pass(time.Minute)
					assert.Len(t, calls.moments(), before+1)
				}
				if c.name == "late" {
					pass(2 * time.Hour)
					assert.Len(t, calls.moments(), before)
				}
			})
		})
	}
}

func TestRunNowOfADetachedJobWorksWhileThePoolIsStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.Every(forAges), jobs.Detached())
		pass(time.Second)
		haltPool(p)
		require.NoError(t, p.RunNow(id))
		pass(0)
		assert.Equal(t, seconds(0, 1), calls.moments())
	})
}

func TestRunNowBeforeAStopDoesNotMakeAnAttachedJobExecuteWhileStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(5 * time.Second); return nil }}, jobs.Every(forAges))
		pass(time.Second)
		require.NoError(t, p.RunNow(id))
		haltPool(p)
		calls.fill(time.Minute)
		assert.Equal(t, seconds(0, 31), calls.moments(), "and the restart makes one execution of both")
	})
}
