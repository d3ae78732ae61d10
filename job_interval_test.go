package jobs_test

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestIntervalExecutesAtOnceWhenReady(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var asked atomic.Int32
		laps := jobstest.NewTimeline()
		job := jobstest.Stub{ExecuteFunc: laps.Execute}
		job.ReadyFunc = func() bool { return asked.Add(1) != 1 }
		jobstest.Register(t, p, job, jobs.Every(time.Hour))
		laps.AdvanceTo(2 * time.Hour)
		assert.Equal(t, jobstest.Seconds(0.01, 3600.01), laps.Moments())
	})
}

func TestAnIntervalJobThatHasSucceededKeepsItsDueTimeOverARestart(t *testing.T) {
	for name, opts := range map[string][]jobs.JobOption{"without jitter": nil, "with jitter": {jobs.WithJitter(time.Second)}} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				laps := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.Every(time.Hour), opts...)
				laps.AdvanceTo(2 * time.Second)
				due := jobstest.InfoOf(t, p, id).NextRun
				for range 3 {
					jobstest.StopPool(p)
					jobstest.Advance(40 * time.Second) // restarts after 30 s
					require.Equal(t, "Running", p.GetStatus())
					assert.Equal(t, due, jobstest.InfoOf(t, p, id).NextRun)
				}
				laps.AdvanceTo(time.Hour + 2*time.Second)
				require.Len(t, laps.Moments(), 2)
				assert.Equal(t, due.Sub(laps.Start), laps.Moments()[1])
			})
		})
	}
}

func TestAnIntervalJobWhoseTimeHasPassedExecutesAtOnceAtARestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.Every(time.Minute))
		laps.AdvanceTo(40 * time.Second)
		jobstest.StopPool(p)
		laps.AdvanceTo(3 * time.Minute)
		assert.Equal(t, jobstest.Seconds(0, 70, 130), laps.Moments(), "and its interval counts from then on")
	})
}

func TestAnIntervalJobThatHasFailedExecutesAtOnceAtARestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		fault := jobstest.NewFault()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { laps.Mark(); return fault.Err() }}, jobs.Every(time.Hour))
		laps.AdvanceTo(40 * time.Second)
		fault.Clear()
		laps.AdvanceTo(2 * time.Minute)
		assert.Equal(t, jobstest.Seconds(0, 30, 90), laps.Moments(), "the one at 30 s has failed, too, and the wait is twice as long")
	})
}

func TestIntervalExecutesAgainTheIntervalAfterTheEndOfTheLast(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			laps := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
				time.Sleep(time.Duration(laps.Mark()) * time.Second)
				return nil
			}}, jobs.Every(10*time.Second), opts...)
			jobstest.Advance(50 * time.Second)
			assert.Equal(t, jobstest.Times(time.Second, 0, 11, 23, 36, 50), laps.Moments())
		})
	}
}

func TestDetachedIntervalGoesOnAfterAFailureAndThroughAStop(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { laps.Mark(); return jobstest.ErrBroken }}, jobs.Every(20*time.Second), jobs.Detached())
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus(), "its failure does not stop the pool")
		jobstest.StopPool(p)
		jobstest.Advance(60 * time.Second)
		assert.Equal(t, jobstest.Times(time.Second, 0, 20, 40, 60), laps.Moments())
		assert.EqualValues(t, 4, jobstest.InfoOf(t, p, id).ConsecutiveFailures)
	})
}

func TestIntervalThatFailedExecutesAgainWithTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			if laps.Mark() == 1 {
				return jobstest.ErrBroken
			}
			return nil
		}}, jobs.Every(time.Second))
		jobstest.Advance(30*time.Second - 1)
		assert.Equal(t, jobstest.Times(time.Second, 0), laps.Moments())
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(2 * time.Second)
		assert.Equal(t, jobstest.Times(time.Second, 0, 30, 31), laps.Moments())
	})
}

func TestJitterAlsoSpreadsTheFirstExecutionAndARestart(t *testing.T) {
	const jitter = 10 * time.Minute
	for name, c := range map[string]struct {
		opts []jobs.JobOption
		pool jobs.PoolOption
	}{
		"attached":              {[]jobs.JobOption{jobs.WithJitter(jitter)}, nil},
		"detached":              {[]jobs.JobOption{jobs.WithJitter(jitter), jobs.Detached()}, nil},
		"attached, of the pool": {nil, jobs.WithJitter(jitter)},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				for range 50 {
					jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(24*time.Hour), c.opts...)
				}
				calls.AdvanceTo(time.Hour)
				first := calls.Moments()
				require.Len(t, first, 50)
				assert.Less(t, first[0], first[49])
				assert.LessOrEqual(t, first[49], jitter)
				distinct := slices.Compact(first)
				assert.Greater(t, len(distinct), 40)

				var held jobstest.Fault
				jobstest.Register(t, p, jobstest.Stub{ReadyFunc: held.Absent}, jobs.Every(jobstest.ForAges))
				calls.AdvanceTo(24*time.Hour - time.Minute)
				held.Set()
				jobstest.StopPool(p)
				restart := 25 * time.Hour
				calls.AdvanceTo(restart)
				if name == "detached" {
					assert.Len(t, calls.Moments(), 100, "it goes on through a stop")
					p.SetStatus(jobs.PoolStatusRunning)
					return
				}
				assert.Len(t, calls.Moments(), 50)
				held.Clear()
				p.SetStatus(jobs.PoolStatusRunning)
				calls.AdvanceTo(26 * time.Hour)
				again := calls.Moments()[50:]
				require.Len(t, again, 50)
				assert.GreaterOrEqual(t, again[0], restart)
				assert.LessOrEqual(t, again[49], restart+jitter)
				assert.Greater(t, len(slices.Compact(again)), 40)
			}, c.pool)
		})
	}
}

func TestRunNowDoesNotWaitForTheJitterOfTheFirstExecution(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(24*time.Hour), jobs.WithJitter(jobstest.ForAges))
		synctest.Wait()
		require.NoError(t, p.RunNow(id))
		calls.AdvanceTo(time.Hour)
		assert.Equal(t, jobstest.Seconds(0), calls.Moments())
	})
}

func TestAStopBeforeTheFirstExecutionStartsTheJitterAnew(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		for range 20 {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(24*time.Hour), jobs.WithJitter(20*time.Second))
		}
		p.SetStatus(jobs.PoolStatusStopped) // at once: the jitter passes while the pool is stopped
		calls.AdvanceTo(time.Hour)
		at := calls.Moments()
		require.Len(t, at, 20)
		assert.GreaterOrEqual(t, at[0], 30*time.Second)
		assert.Greater(t, len(slices.Compact(at)), 15)
	})
}

// The machine's sleep is a jump of the wall clock while timers stand still.
func TestWithWallClockTheSleepOfTheMachineCounts(t *testing.T) {
	for name, c := range map[string]struct {
		jump time.Duration
		opts []jobs.JobOption
		want []time.Duration // in minutes of the clock that timers use
	}{
		"asleep for 50 minutes": {50 * time.Minute, []jobs.JobOption{jobs.WithWallClock()}, jobstest.Times(time.Minute, 0, 11, 71)},
		"asleep for 10":         {10 * time.Minute, []jobs.JobOption{jobs.WithWallClock()}, jobstest.Times(time.Minute, 0, 50, 110)},
		"detached":              {50 * time.Minute, []jobs.JobOption{jobs.WithWallClock(), jobs.Detached()}, jobstest.Times(time.Minute, 0, 11, 71)},
		"the clock is set back, which is no sleep": {-50 * time.Minute, []jobs.JobOption{jobs.WithWallClock()}, jobstest.Times(time.Minute, 0, 60, 120)},
		"without the option":                       {50 * time.Minute, nil, jobstest.Times(time.Minute, 0, 60, 120)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, wall := jobs.NewPool(jobstest.Quiet), jobstest.NewWallClock()
				p.SetClock(wall.Now)
				defer jobstest.ShutDownNow(p)
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(time.Hour), c.opts...)
				calls.AdvanceTo(10*time.Minute + 30*time.Second)
				assert.True(t, jobstest.InfoOf(t, p, id).NextRun.Equal(calls.Start.Add(time.Hour)))
				wall.Jump(c.jump)
				calls.AdvanceTo(2*time.Hour + time.Minute)
				require.Len(t, calls.Moments(), len(c.want))
				assert.Equal(t, c.want, calls.Moments())
			})
		})
	}
}

func TestWithWallClockAPausedJobIsResumedAsAnyOther(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(time.Hour), jobs.WithWallClock())
		calls.AdvanceTo(10 * time.Minute)
		require.NoError(t, p.Pause(id, "x"))
		calls.AdvanceTo(20 * time.Minute)
		require.NoError(t, p.Resume(id)) // before it is due
		calls.AdvanceTo(70 * time.Minute)
		require.NoError(t, p.Pause(id, "x"))
		calls.AdvanceTo(130 * time.Minute)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Skipped)
		require.NoError(t, p.Resume(id)) // after that
		calls.AdvanceTo(140 * time.Minute)
		assert.Equal(t, jobstest.Times(time.Minute, 0, 60, 130), calls.Moments())
	})
}

func TestWithWallClockAJobIsStoppedRestartedRunAndRescheduledAsAnyOther(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(time.Hour), jobs.WithWallClock())
		calls.AdvanceTo(10 * time.Minute)
		require.NoError(t, p.PausePool("x"))
		calls.AdvanceTo(20 * time.Minute)
		require.NoError(t, p.ResumePool())
		calls.AdvanceTo(70 * time.Minute) // executes at 60
		require.NoError(t, p.PausePool("x"))
		calls.AdvanceTo(130 * time.Minute) // is due at 120
		require.NoError(t, p.ResumePool()) // executes at 130
		calls.AdvanceTo(140 * time.Minute)
		require.NoError(t, p.RunNow(id))
		jobstest.Advance(0)
		require.NoError(t, p.Reschedule(id, jobs.Every(30*time.Minute)))
		calls.AdvanceTo(171 * time.Minute)
		require.NoError(t, p.Reschedule(id, jobs.Cron("0 * * * *")))
		calls.AdvanceTo(181 * time.Minute)
		require.NoError(t, p.Reschedule(id, jobs.Every(30*time.Minute)))
		calls.AdvanceTo(211 * time.Minute)
		assert.Equal(t, jobstest.Times(time.Minute, 0, 60, 130, 140, 170, 180, 210), calls.Moments())
		assert.Equal(t, []string{"WithWallClock()"}, jobstest.InfoOf(t, p, id).Options)
	})
}

func TestWithJitterOfThePoolIsThatOfAllItsJobsThatHaveNoneOfTheirOwn(t *testing.T) {
	for name, c := range map[string]struct {
		trigger  jobs.Trigger
		opts     []jobs.JobOption
		jittered bool
	}{
		"interval":             {jobs.Every(24 * time.Hour), nil, true},
		"interval with a name": {jobs.Every(24 * time.Hour), []jobs.JobOption{jobs.WithName("x")}, true},
		"scheduled":            {jobs.Cron("@daily"), nil, true},
		"its own":              {jobs.Every(24 * time.Hour), []jobs.JobOption{jobs.WithJitter(0)}, false},
		"single run":           {jobs.Once(), nil, false},
		"retry":                {jobs.Retry(2), nil, false},
		"channel":              {jobs.Channel(nil), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { return calls.Execute() }), c.trigger, c.opts...)
				calls.AdvanceTo(24*time.Hour - time.Second)
				if c.jittered {
					assert.Equal(t, []string{"WithJitter(1h0m0s)"}, jobstest.InfoOf(t, p, id).Options)
				}
				calls.AdvanceTo(26 * time.Hour)
				require.NotEmpty(t, calls.Moments())
				first := calls.Moments()[0] % (24 * time.Hour)
				if c.jittered {
					assert.Greater(t, first, time.Duration(0), "as it is with all but one in 3.6 million million seeds")
					assert.Less(t, first, time.Hour)
				} else {
					assert.Zero(t, first)
				}
			}, jobs.WithJitter(time.Hour))
		})
	}
}

func TestWithWallClockTheLongestIntervalHasNoEnd(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(math.MaxInt64), jobs.WithWallClock())
		calls.AdvanceTo(24 * time.Hour)
		assert.Equal(t, jobstest.Seconds(0), calls.Moments())
		assert.Zero(t, jobstest.InfoOf(t, p, id).NextRun)
	})
}
