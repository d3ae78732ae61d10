package jobs_test

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestWhatStopsThePoolStopsItAtOnce(t *testing.T) {
	broken := func() error { return jobstest.ErrBroken }
	cases := []struct {
		name    string
		job     jobstest.Stub
		trigger jobs.Trigger
		at      time.Duration
	}{
		{"an interval job's execution fails", jobstest.Stub{ExecuteFunc: broken}, jobs.Every(time.Hour), 0},
		{"a later one fails", jobstest.Stub{ExecuteFunc: func() error { time.Sleep(7 * time.Second); return jobstest.ErrBroken }},
			jobs.Every(time.Hour), 7 * time.Second},
		{"a scheduled job's execution fails", jobstest.Stub{ExecuteFunc: broken}, jobs.On(jobstest.EverySecond()), time.Second},
		{"an execution is late", jobstest.Stub{ExecuteFunc: jobstest.Sleeping(time.Minute)}, jobs.Every(time.Hour), 10 * time.Second},
		{"a scheduled one is late", jobstest.Stub{ExecuteFunc: jobstest.Sleeping(time.Minute)}, jobs.On(jobstest.EverySecond()), 11 * time.Second},
		{"Status errs", jobstest.Stub{StatusFunc: broken}, jobs.Every(time.Hour), 30 * time.Second},
		{"a Status that lasts errs", jobstest.Stub{StatusFunc: func() error { time.Sleep(time.Second); return jobstest.ErrBroken }},
			jobs.Every(time.Hour), 31 * time.Second},
		{"Status is late", jobstest.Stub{StatusFunc: jobstest.Sleeping(time.Minute)}, jobs.Every(time.Hour), 40 * time.Second},
		{"a panic", jobstest.Stub{ExecuteFunc: func() error { panic("no") }}, jobs.Every(time.Hour), 0},
		{"a Goexit", jobstest.Stub{ExecuteFunc: func() error { runtime.Goexit(); return nil }}, jobs.Every(time.Hour), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, c.job, c.trigger)
				if c.at > 0 {
					jobstest.Advance(c.at - time.Nanosecond)
					require.Equal(t, "Running", p.GetStatus(), "not before")
					jobstest.Advance(time.Nanosecond)
				} else {
					jobstest.Advance(0)
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(func() error { return jobstest.ErrBroken })},
			jobs.Channel(make(chan interface{})))
		jobstest.Advance(0)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, id, p.Info().StoppedBy)
	})
}

func TestWhatDoesNotStopThePool(t *testing.T) {
	broken := func() error { return jobstest.ErrBroken }
	cases := []struct {
		name    string
		job     jobstest.Stub
		trigger jobs.Trigger
		opts    []jobs.JobOption
	}{
		{"a single run job fails", jobstest.Stub{ExecuteFunc: broken}, jobs.Once(), nil},
		{"a single run job is late", jobstest.Stub{ExecuteFunc: jobstest.Sleeping(time.Minute)}, jobs.Once(),
			[]jobs.JobOption{jobs.WithJobTimeout(time.Second)}},
		{"a retry job fails", jobstest.Stub{ExecuteFunc: broken}, jobs.Retry(3), nil},
		{"a detached interval job fails", jobstest.Stub{ExecuteFunc: broken, StatusFunc: broken}, jobs.Every(time.Hour),
			[]jobs.JobOption{jobs.Detached()}},
		{"a detached interval job is late", jobstest.Stub{ExecuteFunc: jobstest.Sleeping(time.Minute)}, jobs.Every(time.Hour),
			[]jobs.JobOption{jobs.Detached(), jobs.WithJobTimeout(time.Second)}},
		{"a detached scheduled job fails", jobstest.Stub{ExecuteFunc: broken}, jobs.On(jobstest.EverySecond()), []jobs.JobOption{jobs.Detached()}},
		{"a job is not ready", jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent, StatusFunc: broken}, jobs.Every(time.Hour), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				other := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: other.Execute}, jobs.Every(50*time.Second))
				jobstest.Register(t, p, c.job, c.trigger, c.opts...)
				jobstest.Advance(110 * time.Second)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, jobstest.Seconds(0, 50, 100), other.Moments())
				assert.Zero(t, p.Info().Restarts)
			})
		})
	}
}

func TestNoAttachedExecutionBeginsWhileThePoolIsStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		interval := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(10*time.Second))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.EverySecond()))
		calls.AdvanceTo(500 * time.Millisecond)
		jobstest.FailPool(p) // until 30.5
		calls.AdvanceTo(30400 * time.Millisecond)
		assert.Equal(t, jobstest.Seconds(0), calls.Moments())
		assert.Equal(t, "Stopped", p.GetJobStatus(interval))
		calls.AdvanceTo(31 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 30.5, 31), calls.Moments())
	})
}

func TestExecutionsInFlightRunToTheirEndWithContextsIntact(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		ended := jobstest.NewTimeline()
		work := jobs.JobFunc(func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Second):
				ended.Mark()
			}
			return nil
		})
		interval := jobstest.Register(t, p, work, jobs.Every(time.Hour))
		scheduled := jobstest.Register(t, p, work, jobs.On(jobstest.EverySecond()))
		jobstest.Advance(5 * time.Second)
		jobstest.FailPool(p)
		assert.Equal(t, "Running", p.GetJobStatus(interval), "executing")
		ended.AdvanceTo(25 * time.Second)
		assert.Equal(t, jobstest.Seconds(20, 21), ended.Moments())
		for _, id := range []string{interval, scheduled} {
			info := jobstest.InfoOf(t, p, id)
			assert.Equal(t, jobs.JobStatusStopped, info.Status)
			assert.EqualValues(t, 1, info.Executions)
			assert.Zero(t, info.Failures)
		}
	})
}

func TestSingleRunRetryAndDetachedJobsAreUntouchedByAStop(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		interval, schedule, retries := jobstest.NewTimeline(), jobstest.NewTimeline(), jobstest.NewTimeline()
		single := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(5 * time.Second)}, jobs.Once())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { retries.Mark(); return jobstest.ErrBroken }},
			jobs.Retry(4), jobs.WithRetryBackoff(2*time.Second, 2*time.Second))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: interval.Execute}, jobs.Every(4*time.Second), jobs.Detached())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: schedule.Execute}, jobs.On(jobstest.EverySecond()), jobs.Detached())
		stop := make(chan interface{})
		detached := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }}, jobs.Channel(stop), jobs.Detached())
		jobstest.Advance(time.Millisecond)
		jobstest.FailPool(p)
		interval.AdvanceTo(9 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Finished", p.GetJobStatus(single))
		assert.Equal(t, "Running", p.GetJobStatus(detached))
		assert.Equal(t, jobstest.Seconds(0, 2, 4, 6), retries.Moments())
		assert.Equal(t, jobstest.Seconds(0, 4, 8), interval.Moments())
		assert.Len(t, schedule.Moments(), 9)
	})
}

func TestWhatFailsWhileThePoolIsStoppedIsRecordedOnly(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		second := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { time.Sleep(20 * time.Second); return jobstest.ErrBroken }},
			jobs.Every(jobstest.ForAges))
		statusErrs := jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.OnlyFirst(func() error { time.Sleep(5 * time.Second); return jobstest.ErrBroken })},
			jobs.Every(jobstest.ForAges))
		_ = statusErrs
		jobstest.Advance(12 * time.Second)
		first := jobstest.FailPool(p)
		jobstest.Advance(10 * time.Second) // second has failed at 20
		info := jobstest.InfoOf(t, p, second)
		assert.EqualValues(t, 1, info.Failures)
		assert.ErrorIs(t, info.LastError, jobstest.ErrBroken)
		pool := p.Info()
		assert.Equal(t, first, pool.StoppedBy)
		assert.Equal(t, 20*time.Second, time.Until(pool.NextAttempt), "30 s after the first failure")
		jobstest.Advance(20 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAStatusErrorOfAnEarlierLifeOfThePoolChangesNothing(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.OnlyFirst(func() error { time.Sleep(time.Minute); return jobstest.ErrBroken })},
			jobs.Every(jobstest.ForAges)) // from 30 to 90
		jobstest.Advance(40 * time.Second)
		jobstest.FailPool(p) // until 70
		jobstest.Advance(51 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, 1, p.Info().Restarts)
	})
}

func TestTheStopLeavesNothingOfAnUnregisteredCulprit(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		other := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: other.Execute}, jobs.Every(10*time.Second))
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { time.Sleep(5 * time.Second); return jobstest.ErrBroken }}, jobs.Every(time.Second))
		jobstest.Advance(time.Second)
		p.UnregisterJob(id)
		other.AdvanceTo(25 * time.Second)
		assert.Equal(t, "Running", p.GetStatus(), "nothing of an unregistered job holds up anyone")
		assert.Equal(t, jobstest.Seconds(0, 10, 20), other.Moments())
	})
}

// These tests run outside a bubble, for the sake of real parallelism. Nothing in them waits for time.

func TestNoExecutionBeginsAfterGetStatusHasReadStopped(t *testing.T) {
	failing := jobstest.NewFault()
	for name, stop := range map[string]func(p *jobs.Pool, culprit string){
		"SetStatus": func(p *jobs.Pool, _ string) { p.SetStatus(jobs.PoolStatusStopped) },
		"a failure": func(p *jobs.Pool, culprit string) { failing.Set(); _ = p.RunNow(culprit) },
	} {
		t.Run(name, func(t *testing.T) {
			p := jobs.NewPool(jobstest.Quiet)
			failing.Clear()
			culprit := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failing.Err}, jobs.Every(jobstest.ForAges))
			m := newMill(t, p)
			for range 50 {
				failing.Clear()
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
	p := jobs.NewPool(jobstest.Quiet)
	m := newMill(t, p)
	var stopped [len(m.ids)]bool
	var calls [len(m.ids)]uint64
	seen := 0
	for range jobstest.Rounds(300, 30_000) {
		p.SetStatus(jobs.PoolStatusRunning)
		require.NoError(t, p.WaitRunning(context.Background()))
		for n := m.calls[0].Load(); m.calls[0].Load() == n; { // until it has executed
			runtime.Gosched()
		}
		go jobstest.StopPool(p)
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
			jobstest.InfoOf(t, p, id) // and whoever is about to begin has begun
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(20*time.Second))
		calls.AdvanceTo(5 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		info := p.Info()
		assert.Empty(t, info.StoppedBy)
		assert.Error(t, info.StopError)
		calls.AdvanceTo(36 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 35), calls.Moments(), "restarted one retry interval after")
	})
}

func TestSetStatusRunningOnAStoppedPoolIsAnAttemptAtOnce(t *testing.T) {
	t.Run("which restarts it", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			jobstest.FailPool(p)
			jobstest.Advance(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			jobstest.Advance(0)
			assert.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, 1, p.Info().Restarts)
			jobstest.Advance(time.Minute)
			assert.Equal(t, 1, p.Info().Restarts)
		})
	})
	t.Run("which fails if a job is not ready", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			var unready jobstest.Fault
			asked := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { asked.Mark(); return unready.Absent() }}, jobs.Every(jobstest.ForAges))
			jobstest.Advance(0)
			unready.Set()
			jobstest.FailPool(p)
			jobstest.Advance(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			jobstest.Advance(0)
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.Equal(t, jobstest.Seconds(0, 1), asked.Moments())
		})
	})
	t.Run("which a late execution holds up", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(100 * time.Second))}, jobs.Every(jobstest.ForAges))
			jobstest.Advance(50 * time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			jobstest.Advance(49 * time.Second)
			assert.Equal(t, "Stopped", p.GetStatus())
			jobstest.Advance(time.Second)
			assert.Equal(t, "Running", p.GetStatus())
		}, jobs.WithExecutionTimeout(10*time.Second))
	})
}

func TestAnythingElseSetStatusOnlyLogs(t *testing.T) {
	start := func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(0)
	}
	stop := func(t *testing.T, p *jobs.Pool) { jobstest.FailPool(p) }
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
			logged := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				c.prep(t, p)
				info, lines := p.Info(), len(logged.AtLeast(slog.LevelWarn))
				p.SetStatus(c.set)
				assert.Len(t, logged.AtLeast(slog.LevelWarn), lines+1)
				jobstest.Advance(0)
				assert.Equal(t, c.want, p.GetStatus())
				assert.Equal(t, info, p.Info())
			}, logged.Option())
		})
	}
}

func TestSetStatusStoppedAgainDoesNotPutTheRestartOff(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.FailPool(p)
		before := p.Info()
		jobstest.Advance(20 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, before, p.Info())
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}
