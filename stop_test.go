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

// These tests run outside a bubble, for the sake of real parallelism. Nothing in them waits for time.

func TestNoExecutionBeginsAfterGetStatusHasReadStopped(t *testing.T) {
	failing := newFault()
	for name, stop := range map[string]func(p *jobs.Pool, culprit string){
		"SetStatus": func(p *jobs.Pool, _ string) { p.SetStatus(jobs.PoolStatusStopped) },
		"a failure": func(p *jobs.Pool, culprit string) { failing.cause(); _ = p.RunNow(culprit) },
	} {
		t.Run(name, func(t *testing.T) {
			p := jobs.NewPool(quiet)
			failing.mend()
			culprit := register(t, p, stub{execute: failing.err}, jobs.Every(forAges))
			m := newMill(t, p)
			for range 50 {
				failing.mend()
				p.SetStatus(jobs.PoolStatusRunning)
				require.NoError(t, p.WaitRunning(context.Background()))
				for n := m.calls[0].Load(); m.calls[0].Load() == n; { // until it has executed
					runtime.Gosched()
				}
				go stop(p, culprit)
				for p.GetStatus() != "Stopped" {
					runtime.Gosched()
				}
				m.checkStopped(t)
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

// Whoever reads that the pool is Stopped, and then that a job is, knows that the job executes no more. Neither
// reading waits for anything, so a job must claim an execution before it looks at the pool: if it looked first
// and claimed then, both readings could fall in between. (This runs outside a bubble, as the test of GetStatus.)
func TestNoExecutionBeginsAfterTheJobOfAStoppedPoolHasReadStopped(t *testing.T) {
	p := jobs.NewPool(quiet)
	m := newMill(t, p)
	var stopped [len(m.ids)]bool
	var calls [len(m.ids)]uint64
	seen := 0
	for range rounds(300, 30_000) {
		p.SetStatus(jobs.PoolStatusRunning)
		require.NoError(t, p.WaitRunning(context.Background()))
		for n := m.calls[0].Load(); m.calls[0].Load() == n; { // until it has executed
			runtime.Gosched()
		}
		go stopPool(p)
		for p.GetStatus() != "Stopped" {
			runtime.Gosched()
		}
		for i, id := range m.ids {
			stopped[i] = p.GetJobStatus(id) == "Stopped"
			calls[i] = m.calls[i].Load()
		}
		for _, id := range m.ids {
			for p.GetJobStatus(id) != "Stopped" { // what was claimed runs to its end
				runtime.Gosched()
			}
			infoOf(t, p, id) // and whoever is about to begin has begun
		}
		for i, id := range m.ids {
			for p.GetJobStatus(id) != "Stopped" {
				runtime.Gosched()
			}
			if stopped[i] {
				seen++
				assert.Equal(t, calls[i], m.calls[i].Load())
			}
		}
	}
	assert.NotZero(t, seen)
	require.NoError(t, p.Shutdown(context.Background()))
}

func TestSetStatusStoppedStopsThePoolLikeAFailureWithoutACulprit(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.Every(20*time.Second))
		calls.fill(5 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		info := p.Info()
		assert.Empty(t, info.StoppedBy)
		assert.Error(t, info.StopError)
		calls.fill(36 * time.Second)
		assert.Equal(t, seconds(0, 35), calls.moments(), "restarted one retry interval after")
	})
}

func TestSetStatusRunningOnAStoppedPoolIsAnAttemptAtOnce(t *testing.T) {
	t.Run("which restarts it", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			haltPool(p)
			pass(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(0)
			assert.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, 1, p.Info().Restarts)
			pass(time.Minute)
			assert.Equal(t, 1, p.Info().Restarts)
		})
	})
	t.Run("which fails if a job is not ready", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			var unready fault
			asked := newTimeline()
			register(t, p, stub{ready: func() bool { asked.mark(); return unready.absent() }}, jobs.Every(forAges))
			pass(0)
			unready.cause()
			haltPool(p)
			pass(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(0)
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.Equal(t, seconds(0, 1), asked.moments())
		})
	})
	t.Run("which a late execution holds up", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{execute: onlyFirst(enduring(100 * time.Second))}, jobs.Every(forAges))
			pass(50 * time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(49 * time.Second)
			assert.Equal(t, "Stopped", p.GetStatus())
			pass(time.Second)
			assert.Equal(t, "Running", p.GetStatus())
		}, jobs.WithExecutionTimeout(10*time.Second))
	})
}

func TestAnythingElseSetStatusOnlyLogs(t *testing.T) {
	start := func(t *testing.T, p *jobs.Pool) { register(t, p, stub{}, jobs.Every(forAges)); pass(0) }
	stop := func(t *testing.T, p *jobs.Pool) { haltPool(p) }
	shutdown := func(t *testing.T, p *jobs.Pool) {
		start(t, p)
		require.NoError(t, p.Shutdown(context.Background()))
	}
	cases := []struct {
		name string
		prep func(*testing.T, *jobs.Pool)
		set  jobs.PoolStatus
		want string
	}{
		{"Running when Running", start, jobs.PoolStatusRunning, "Running"},
		{"Initializing when Running", start, jobs.PoolStatusInitializing, "Running"},
		{"a number when Running", start, jobs.PoolStatus(17), "Running"},
		{"Stopped when Stopped", stop, jobs.PoolStatusStopped, "Stopped"},
		{"Initializing when Stopped", stop, jobs.PoolStatusInitializing, "Stopped"},
		{"Running when Initializing", func(*testing.T, *jobs.Pool) {}, jobs.PoolStatusRunning, "Initializing"},
		{"Running after Shutdown", shutdown, jobs.PoolStatusRunning, "Stopped"},
		{"Stopped after Shutdown", shutdown, jobs.PoolStatusStopped, "Stopped"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			logged := new(journal)
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				c.prep(t, p)
				info, lines := p.Info(), len(logged.atLeast(warning))
				p.SetStatus(c.set)
				assert.Len(t, logged.atLeast(warning), lines+1)
				pass(0)
				assert.Equal(t, c.want, p.GetStatus())
				assert.Equal(t, info, p.Info())
			}, logged.option())
		})
	}
}

func TestSetStatusStoppedAgainDoesNotPutTheRestartOff(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		haltPool(p)
		pass(20 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		pass(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}
