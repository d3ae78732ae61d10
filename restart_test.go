package jobs_test

import (
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestTheFirstAttemptComesOneRetryIntervalAfterTheStop(t *testing.T) {
	for name, opts := range map[string][]jobs.PoolOption{
		"30 s unless set": nil,
		"7 s":             {jobs.WithRetryInterval(7 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			wait := 30 * time.Second
			if opts != nil {
				wait = 7 * time.Second
			}
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.FailPool(p)
				jobstest.Advance(wait - time.Nanosecond)
				require.Equal(t, "Stopped", p.GetStatus())
				jobstest.Advance(time.Nanosecond)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, 1, p.Info().Restarts)
			}, opts...)
		})
	}
}

func TestEachWaitForAnAttemptIsTwiceTheLastUpToTenMinutesAndThenFromTheBase(t *testing.T) {
	cases := []struct {
		base  time.Duration
		waits []time.Duration
	}{
		{30 * time.Second, jobstest.Seconds(30, 60, 120, 240, 480, 30, 60, 120, 240, 480, 30)},
		{37500 * time.Millisecond, jobstest.Seconds(37.5, 75, 150, 300, 600, 37.5, 75)},
		{7 * time.Minute, jobstest.Seconds(420, 420, 420)},
		{5 * time.Minute, jobstest.Seconds(300, 600, 300, 600)},
		{5*time.Minute + 1, []time.Duration{5*time.Minute + 1, 5*time.Minute + 1, 5*time.Minute + 1}},
		{10 * time.Minute, jobstest.Seconds(600, 600, 600)},
		{time.Hour, jobstest.Seconds(3600, 3600, 3600)},
	}
	for _, c := range cases {
		t.Run(c.base.String(), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var unready jobstest.Fault
				asked := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { asked.Mark(); return unready.Absent() }}, jobs.Every(jobstest.ForAges))
				jobstest.Advance(0)
				unready.Set()
				jobstest.FailPool(p)
				at := time.Duration(0)
				want := []time.Duration{0} // before its first execution
				for i, wait := range c.waits {
					if i > 0 {
						assert.Equal(t, wait, time.Until(p.Info().NextAttempt))
					}
					at += wait
					asked.AdvanceTo(at)
					want = append(want, at)
				}
				assert.Equal(t, want, asked.Moments())
				assert.Equal(t, "Stopped", p.GetStatus())
			}, jobs.WithRetryInterval(c.base))
		})
	}
}

// firstWaits has the pool stop again and again, each time after it has been Running for so long, and returns how long
// each time the first wait is.
func firstWaits(t *testing.T, p *jobs.Pool, lives ...time.Duration) (waits []time.Duration) {
	t.Helper()
	for _, life := range lives {
		jobstest.Advance(life)
		require.Equal(t, "Running", p.GetStatus())
		jobstest.FailPool(p)
		waits = append(waits, time.Until(p.Info().NextAttempt))
		jobstest.Advance(waits[len(waits)-1])
	}
	return waits
}

func TestALifeShorterThanTheWaitBeforeItDoublesTheNextWait(t *testing.T) {
	const retry = 30 * time.Second
	for name, c := range map[string]struct{ lives, waits []time.Duration }{
		"no wait was before the first life":        {jobstest.Seconds(0), jobstest.Seconds(30)},
		"up to ten minutes and then from the base": {jobstest.Seconds(0, 0, 0, 0, 0, 0, 0), jobstest.Seconds(30, 60, 120, 240, 480, 30, 60)},
		"just shorter":                          {[]time.Duration{0, retry - 1, 2*retry - 1}, jobstest.Seconds(30, 60, 120)},
		"as long":                               {[]time.Duration{0, retry, retry}, jobstest.Seconds(30, 30, 30)},
		"a longer one leaves the wait as it is": {jobstest.Seconds(0, 10, 60, 299), jobstest.Seconds(30, 60, 60, 60)},
		"ten retry intervals":                   {jobstest.Seconds(0, 10, 20, 30, 300, 10), jobstest.Seconds(30, 60, 120, 240, 30, 60)},
		"though the wait was longer":            {jobstest.Seconds(0, 0, 0, 0, 0, 300), jobstest.Seconds(30, 60, 120, 240, 480, 30)},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
				assert.Equal(t, c.waits, firstWaits(t, p, c.lives...))
			})
		})
	}
}

func TestARefusalAndAShortLifeDoubleTheSameWait(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready jobstest.Fault
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: unready.Absent}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(0)
		unready.Set()
		jobstest.FailPool(p)
		jobstest.Advance(40 * time.Second) // attempt at 30
		unready.Clear()
		jobstest.Advance(60 * time.Second) // restart at 90
		assert.Equal(t, jobstest.Seconds(120), firstWaits(t, p, 10*time.Second), "a life of 20 s after a wait of 60")
		jobstest.Advance(jobstest.ALongLife)
		assert.Equal(t, jobstest.Seconds(30), firstWaits(t, p, 0))
	})
}

func TestAStopOrARestartByHandIsNoFlapping(t *testing.T) {
	for name, byHand := range map[string]func(p *jobs.Pool){
		"a stop":    func(p *jobs.Pool) { p.SetStatus(jobs.PoolStatusStopped) },
		"a restart": func(p *jobs.Pool) { jobstest.FailPool(p); p.SetStatus(jobs.PoolStatusRunning); jobstest.Advance(0) },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
				require.Equal(t, jobstest.Seconds(30, 60, 120), firstWaits(t, p, jobstest.Seconds(0, 0, 0)...))
				byHand(p)
				if info := p.Info(); info.Status == jobs.PoolStatusStopped {
					assert.Equal(t, 30*time.Second, time.Until(info.NextAttempt))
					jobstest.Advance(30 * time.Second)
				}
				assert.Equal(t, jobstest.Seconds(60), firstWaits(t, p, 10*time.Second))
			})
		})
	}
}

func TestTheReturnOfALateCallDoesNotShortenTheWaitOfAPoolThatFlaps(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { laps.Mark(); jobstest.Take(15 * time.Second); return nil }},
			jobs.Every(time.Hour), jobs.WithJobTimeout(10*time.Second))
		laps.AdvanceTo(300 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 40, 110, 240), laps.Moments(), "stopped at 10, 50 and 120 s, for 30, 60 and 120 s")
	})
}

func TestUpdateDurationsEndsTheLongerWaitOfAPoolThatFlaps(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
		require.Equal(t, jobstest.Seconds(30, 60), firstWaits(t, p, jobstest.Seconds(0, 0)...))
		jobstest.FailPool(p)
		p.UpdateDurations(30*time.Second, time.Minute)
		assert.Equal(t, 30*time.Second, time.Until(p.Info().NextAttempt))
	})
}

func TestAJobThatAlwaysFailsDoesNotMakeADailyOneExecuteAllTheTime(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		daily := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: daily.Execute}, jobs.Every(24*time.Hour))
		jobstest.Register(t, p, jobstest.Lasting(time.Second, jobstest.ErrBroken), jobs.Every(time.Hour))
		daily.AdvanceTo(7 * 24 * time.Hour)
		assert.LessOrEqual(t, len(daily.Moments()), 7)
		assert.GreaterOrEqual(t, len(daily.Moments()), 6, "the pool restarts all the same")
		assert.Less(t, p.Info().Restarts, 3300)
	})
}

func TestAnAttemptAsksTheStartedAttachedJobsThatAreNotFinished(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := map[string]*jobstest.Timeline{}
		add := func(name string, job jobstest.Stub, trigger jobs.Trigger, opts ...jobs.JobOption) {
			asked[name] = jobstest.NewTimeline()
			job.ReadyFunc = asked[name].Ready
			jobstest.Register(t, p, job, trigger, opts...)
		}
		add("interval", jobstest.Stub{}, jobs.Every(time.Hour))
		add("scheduled", jobstest.Stub{}, jobs.On(jobstest.EverySecond()))
		add("executing", jobstest.Stub{ExecuteFunc: jobstest.Sleeping(50 * time.Second)}, jobs.Every(time.Hour))
		add("finished", jobstest.Stub{}, jobs.Channel(make(chan interface{})))
		add("detached", jobstest.Stub{}, jobs.Every(time.Hour), jobs.Detached())
		add("single run", jobstest.Stub{}, jobs.Once())
		add("retry", jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Retry(9), jobs.WithRetryBackoff(time.Minute, time.Minute))
		jobstest.Advance(500 * time.Millisecond)
		jobstest.FailPool(p)
		add("not started", jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Minute)
		for name, want := range map[string][]time.Duration{
			"interval": jobstest.Seconds(0, 30.5), "scheduled": jobstest.Seconds(0, 30.5), "executing": jobstest.Seconds(0), "finished": jobstest.Seconds(0),
			"detached": jobstest.Seconds(0), "single run": jobstest.Seconds(0), "retry": jobstest.Seconds(0), "not started": jobstest.Seconds(0),
		} {
			assert.Equal(t, want, asked[name].Moments(), name)
		}
	})
}

func TestAllAreAskedWithoutWaitingForAnothersAnswer(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		const n = 5
		var restarting atomic.Bool
		var others atomic.Int32
		all := make(chan struct{})
		for range n {
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
				if !restarting.Load() {
					return true
				}
				if others.Add(1) == n {
					close(all)
				}
				<-all // each waits until all were asked
				return true
			}}, jobs.Every(time.Hour))
		}
		jobstest.Advance(0)
		restarting.Store(true)
		jobstest.FailPool(p)
		jobstest.Advance(31 * time.Second)
		assert.EqualValues(t, n, others.Load())
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestOneThatIsNotReadyHoldsTheOthersBack(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready jobstest.Fault
		calls, asked := jobstest.NewTimeline(), jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute, ReadyFunc: asked.Ready}, jobs.Every(40*time.Second))
		last := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: unready.Absent}, jobs.Every(time.Hour))
		jobstest.Advance(0)
		unready.Set()
		jobstest.FailPool(p)
		asked.AdvanceTo(31 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, jobstest.Seconds(0, 30), asked.Moments(), "all are asked, also if one is not ready")
		assert.Len(t, p.Info().HeldUpBy, 1)
		assert.Contains(t, p.Info().HeldUpBy[0].String(), last)
		unready.Clear()
		asked.AdvanceTo(95 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 90), calls.Moments())
		assert.Empty(t, p.Info().HeldUpBy)
	})
}

func TestAnExecutionWithinItsLimitCountsAsReady(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: asked.Ready, ExecuteFunc: jobstest.Sleeping(100 * time.Second)}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		jobstest.FailPool(p)
		jobstest.Advance(31 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Seconds(0), asked.Moments())
	})
}

func TestAllStartAgainTogether(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		for range 20 {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(20*time.Second))
		}
		calls.AdvanceTo(13 * time.Second)
		culprit := jobstest.FailPool(p)
		calls.AdvanceTo(50 * time.Second)
		require.Len(t, calls.Moments(), 40)
		for _, at := range calls.Moments()[20:] {
			assert.Equal(t, 43*time.Second, at)
		}
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, culprit).Executions, "the one that failed too")
	})
}

func TestAScheduledJobGoesOnWithItsNextOccurrenceAfterARestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.EverySecond()))
		calls.AdvanceTo(1200 * time.Millisecond)
		jobstest.FailPool(p)
		calls.AdvanceTo(4 * time.Second)
		assert.Equal(t, jobstest.Seconds(1, 3, 4), calls.Moments(), "restarted at 2.2; what was missed is skipped")
	}, jobs.WithRetryInterval(time.Second))
}

func TestExecutionsInFlightAtARestartBelongToTheNewLife(t *testing.T) {
	t.Run("the interval counts from their end", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(40 * time.Second); return nil }},
				jobs.Every(15*time.Second))
			calls.AdvanceTo(time.Second)
			jobstest.FailPool(p) // until 31
			calls.AdvanceTo(100 * time.Second)
			assert.Equal(t, jobstest.Seconds(0, 55), calls.Moments())
		})
	})
	t.Run("their failure stops the pool", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(func() error { time.Sleep(40 * time.Second); return jobstest.ErrBroken })},
				jobs.Every(jobstest.ForAges))
			jobstest.Advance(time.Second)
			jobstest.FailPool(p) // until 31
			jobstest.Advance(39*time.Second - 1)
			require.Equal(t, "Running", p.GetStatus())
			jobstest.Advance(1)
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.Equal(t, id, p.Info().StoppedBy)
		})
	})
	t.Run("their lateness stops the pool", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(2 * time.Minute))}, jobs.Every(jobstest.ForAges),
				jobs.WithJobTimeout(50*time.Second))
			jobstest.Advance(time.Second)
			jobstest.FailPool(p) // until 31
			jobstest.Advance(50 * time.Second)
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.Equal(t, id, p.Info().StoppedBy)
			assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
		})
	})
}

func TestTheRestartIsNotGatedOnStatus(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var last atomic.Pointer[error] // a job that reports its last execution's error
		failing := jobstest.NewFault()
		jobstest.Register(t, p, jobstest.Stub{
			ExecuteFunc: func() error { err := failing.Err(); last.Store(&err); return err },
			StatusFunc: func() error {
				if err := last.Load(); err != nil && *err != nil {
					return errors.New("the last execution failed")
				}
				return nil
			},
		}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(time.Second)
		failing.Clear()
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		jobstest.Advance(10 * time.Minute)
		assert.Equal(t, 1, p.Info().Restarts)
	})
}

func TestAPoolWithNoAttachedJobLeftRestarts(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		failing := jobstest.NewFault()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failing.Err, ReadyFunc: func() bool { return failing.Absent() || p.GetStatus() == "Running" }},
			jobs.Every(time.Hour))
		jobstest.Advance(100 * time.Second) // attempts at 30 and 90, the next at 210
		require.Equal(t, "Stopped", p.GetStatus())
		p.UnregisterJob(id)
		jobstest.Advance(0)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

// lateCalls are jobs with a call that is late from 10 or 40 seconds on, and returns at end.
func lateCalls(end time.Duration) map[string]jobstest.Stub {
	return map[string]jobstest.Stub{
		"execution": {ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(end))},
		"status":    {StatusFunc: jobstest.OnlyFirst(jobstest.Sleeping(end - 30*time.Second))},
	}
}

func TestTheReturnOfTheLastLateCallIsAnAttemptAtOnce(t *testing.T) {
	for name, job := range lateCalls(123 * time.Second) {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, job, jobs.Every(jobstest.ForAges))
				jobstest.Advance(50 * time.Second)
				require.Equal(t, "Stopped", p.GetStatus())
				jobstest.Advance(73*time.Second - 1)
				info := p.Info()
				assert.Equal(t, jobs.PoolStatusStopped, info.Status, "it holds the restart up")
				assert.True(t, info.NextAttempt.IsZero())
				require.Len(t, info.HeldUpBy, 1)
				assert.Contains(t, info.HeldUpBy[0].String(), id)
				assert.Contains(t, info.HeldUpBy[0].String(), "late")
				jobstest.Advance(1)
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithExecutionTimeout(10*time.Second))
		})
	}
}

func TestUnregisteringTheLastLateJobIsAnAttemptAtOnce(t *testing.T) {
	for name, job := range lateCalls(500 * time.Second) {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
				id := jobstest.Register(t, p, job, jobs.Every(jobstest.ForAges))
				jobstest.Advance(123 * time.Second)
				require.Equal(t, "Stopped", p.GetStatus())
				p.UnregisterJob(id)
				jobstest.Advance(0)
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithExecutionTimeout(10*time.Second))
		})
	}
}

func TestThatAttemptDoesNotComeBeforeOneRetryIntervalAfterTheStop(t *testing.T) {
	t.Run("return", func(t *testing.T) {
		for name, job := range lateCalls(45 * time.Second) {
			t.Run(name, func(t *testing.T) {
				stopped := map[string]time.Duration{"execution": 10 * time.Second, "status": 40 * time.Second}[name]
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					jobstest.Register(t, p, job, jobs.Every(jobstest.ForAges))
					jobstest.Advance(stopped + time.Minute - 1)
					assert.Equal(t, "Stopped", p.GetStatus())
					jobstest.Advance(1)
					assert.Equal(t, "Running", p.GetStatus())
				}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithRetryInterval(time.Minute))
			})
		}
	})
	t.Run("unregistering", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(500 * time.Second)}, jobs.Every(jobstest.ForAges))
			jobstest.Advance(15 * time.Second)
			p.UnregisterJob(id)
			jobstest.Advance(25*time.Second - 1)
			assert.Equal(t, "Stopped", p.GetStatus())
			jobstest.Advance(1)
			assert.Equal(t, "Running", p.GetStatus())
		}, jobs.WithExecutionTimeout(10*time.Second))
	})
}

func TestEveryLateCallHoldsTheRestartUpNotOnlyTheCulprits(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(100 * time.Second))}, jobs.Every(jobstest.ForAges))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(200 * time.Second))}, jobs.Every(jobstest.ForAges),
			jobs.WithJobTimeout(20*time.Second)) // late after the stop
		asked := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: asked.Ready}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(150 * time.Second)
		assert.Len(t, p.Info().HeldUpBy, 1)
		asked.AdvanceTo(250 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Seconds(0, 200), asked.Moments(), "there is no attempt before the last has returned")
	}, jobs.WithExecutionTimeout(10*time.Second))
}

func TestAStatusThatTurnsLateAfterTheStopHoldsTheRestartUp(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.OnlyFirst(jobstest.Sleeping(70 * time.Second))}, jobs.Every(jobstest.ForAges)) // from 30 to 100
		jobstest.Advance(35 * time.Second)
		jobstest.FailPool(p) // and an attempt at 65, but for the call that is late at 50
		jobstest.Advance(64 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(20*time.Second))
}

func TestALateDetachedJobHoldsNothingUp(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(200 * time.Second)}, jobs.Every(jobstest.ForAges), jobs.Detached())
		jobstest.Advance(15 * time.Second)
		require.Equal(t, "Failed", p.GetJobStatus(id))
		jobstest.FailPool(p)
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(10*time.Second))
}

func TestALateJobThatIsReleasedButNotReadyHoldsTheRestartUp(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready jobstest.Fault
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(100 * time.Second)), ReadyFunc: unready.Absent}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(90 * time.Second)
		unready.Set()
		jobstest.Advance(11 * time.Second) // attempt at 100: refused
		assert.Equal(t, "Stopped", p.GetStatus())
		unready.Clear()
		assert.Positive(t, time.Until(p.Info().NextAttempt))
		jobstest.Advance(time.Until(p.Info().NextAttempt))
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(10*time.Second))
}

func TestAnAttachedJobRegisteredWhileThePoolIsStoppedBeginsWithTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.FailPool(p)
		asked, calls := jobstest.NewTimeline(), jobstest.NewTimeline()
		jobstest.Advance(time.Second)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute, ReadyFunc: asked.Ready}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(0)
		assert.Equal(t, jobstest.Seconds(1), asked.Moments(), "it is polled at once")
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		calls.AdvanceTo(time.Minute)
		assert.Equal(t, jobstest.Seconds(30), calls.Moments())
		assert.Equal(t, "Running", p.GetJobStatus(id))
	})
}

func TestOneThatIsNotReadyThenDoesNotHoldTheRestartUp(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.FailPool(p)
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(31 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
	})
}

func TestAJobRegisteredDuringAnAttemptBeginsWithTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow atomic.Bool
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if slow.Load() {
				time.Sleep(10 * time.Second)
			}
			return true
		}}, jobs.Every(jobstest.ForAges))
		calls := jobstest.NewTimeline()
		jobstest.Advance(0)
		slow.Store(true)
		jobstest.FailPool(p)
		calls.AdvanceTo(35 * time.Second) // the attempt takes from 30 to 40
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(jobstest.ForAges))
		calls.AdvanceTo(50 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Seconds(40), calls.Moments())
		assert.Equal(t, "Running", p.GetJobStatus(id))
	})
}

func TestEverythingElseRegisteredWhileThePoolIsStoppedBeginsAtOnce(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.FailPool(p)
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Once())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Retry(1))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(jobstest.ForAges), jobs.Detached())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Channel(make(chan interface{})), jobs.Detached())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.EverySecond()), jobs.Detached())
		jobstest.Advance(time.Second)
		assert.Equal(t, jobstest.Seconds(0, 0, 0, 0, 1), calls.Moments())
		assert.Equal(t, "Stopped", p.GetStatus())
	})
}

func TestUnregisteringAJobInItsReadyLetsTheAttemptGoOn(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var hanging jobstest.Fault
		end := make(chan bool)
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if !hanging.Absent() {
				<-end
			}
			return true
		}}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(0)
		hanging.Set()
		jobstest.FailPool(p)
		jobstest.Advance(40 * time.Second)
		require.Equal(t, "Stopped", p.GetStatus())
		p.UnregisterJob(id)
		jobstest.Advance(0)
		assert.Equal(t, "Running", p.GetStatus())
		close(end)
	})
}

func TestAReadyThatLastsIsNotAskedAgainByTheNextAttempt(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow, unready jobstest.Fault
		asked, calls := jobstest.NewTimeline(), jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute, ReadyFunc: func() bool {
			asked.Mark()
			if !slow.Absent() {
				time.Sleep(100 * time.Second)
			}
			return true
		}}, jobs.Every(100*time.Second))
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: unready.Absent}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(0)
		slow.Set()
		unready.Set()
		jobstest.FailPool(p)
		jobstest.Advance(50 * time.Second)
		unready.Clear()
		calls.AdvanceTo(200 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 30), asked.Moments())
		assert.Equal(t, jobstest.Seconds(0, 130), calls.Moments())
	})
}

func TestBothTheExecutionAndTheStatusOfAJobCanBeLate(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{
			ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(100 * time.Second)), // late at 60
			StatusFunc:  jobstest.OnlyFirst(jobstest.Sleeping(90 * time.Second)),  // from 30 to 120, late at 90
		}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(120*time.Second - 1)
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(1)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(time.Minute))
}

func TestSetStatusRunningIsAnAttemptAtOnceHoweverLongTheRetryInterval(t *testing.T) {
	for _, interval := range []time.Duration{time.Hour, math.MaxInt64} { // the longest: by hand only
		t.Run(interval.String(), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.FailPool(p)
				jobstest.Advance(time.Minute)
				require.Equal(t, "Stopped", p.GetStatus())
				p.SetStatus(jobs.PoolStatusRunning)
				jobstest.Advance(0)
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithRetryInterval(interval))
		})
	}
}

func TestSetStatusStoppedBeforeTheFirstRegistration(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		p.SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, "Stopped", p.GetStatus())
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(jobstest.ForAges))
		assert.Equal(t, "Stopped", p.GetStatus())
		calls.AdvanceTo(time.Minute)
		assert.Equal(t, jobstest.Seconds(30), calls.Moments())
	})
}

func TestAJobThatFinishesDuringAnAttemptIsNotAskedAnyMore(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if p.GetStatus() == "Stopped" {
				close(end)
				time.Sleep(time.Microsecond) // for the other one to finish, before it is its turn
			}
			return true
		}}, jobs.Every(jobstest.ForAges))
		asked := 0
		id := jobstest.Register(t, p, jobstest.Stub{
			ExecuteFunc: func() error { <-end; return nil },
			ReadyFunc:   func() bool { asked++; return asked == 1 },
		}, jobs.Channel(make(chan interface{})))
		jobstest.Advance(0)
		jobstest.StopPool(p)
		jobstest.Advance(30*time.Second + time.Microsecond)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Equal(t, 1, asked, "before its execution only")
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestSetStatusRunningDuringAnAttemptThatFailsIsAnotherOneAtOnce(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready, slow atomic.Bool
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return !unready.Load() }}, jobs.Every(time.Hour))
		for range 100 { // their answers, one after the other, make the attempt last for 90 ms
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
				if slow.Load() {
					time.Sleep(900 * time.Microsecond)
				}
				return true
			}}, jobs.Every(time.Hour))
		}
		synctest.Wait()
		unready.Store(true)
		slow.Store(true)
		p.SetStatus(jobs.PoolStatusStopped)
		time.Sleep(30*time.Second + 50*time.Millisecond)
		unready.Store(false)
		p.SetStatus(jobs.PoolStatusRunning)
		jobstest.Advance(time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

// What hangs, by default: it is never doubled, its pool waits for it, and says for whom.

// onHungStage is jobstest.OnStage with a timeout of ten seconds.
func onHungStage(t *testing.T, f func(t *testing.T, s *jobstest.Stage), opts ...jobs.PoolOption) {
	t.Helper()
	jobstest.OnStage(t, f, append([]jobs.PoolOption{jobs.WithExecutionTimeout(10 * time.Second)}, opts...)...)
}

func TestHungThePoolWaitsForAllThatHangAndNamesThem(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		interval := s.Hanging("interval", jobs.Every(time.Second))
		scheduled := s.Hanging("scheduled", jobs.On(jobstest.EverySecond()))
		channel := s.ChannelPuppet("channel")
		idle := s.Puppet("idle").Register(jobs.Every(time.Second))
		s.Hanging("single", jobs.Once(), jobs.WithJobTimeout(time.Second))
		s.Hanging("retry", jobs.Retry(3), jobs.WithJobTimeout(time.Second))
		s.Hanging("detached", jobs.Every(time.Second), jobs.Detached())
		s.Advance(time.Hour)
		culprits := []*jobstest.Puppet{interval, scheduled}
		s.AssertHeldUpBy(culprits, "execution that is late")
		for info := range s.Jobs() {
			if info.Name != "channel" && info.Name != "idle" {
				assert.Contains(t, info.NotExecuting, "exceeded its timeout", info.Name)
				assert.Equal(t, jobs.JobStatusFailed, info.Status, info.Name)
				assert.EqualValues(t, 1, info.Executions, info.Name)
			}
		}
		assert.Equal(t, "its pool is stopped", jobstest.InfoOf(t, s.Pool, idle.ID).NotExecuting)
		scheduled.Executions.Now(jobstest.Panics)
		s.Advance(time.Hour)
		s.AssertHeldUpBy(culprits[:1], "execution that is late")
		begun := len(idle.Executions.Moments())
		interval.Executions.Next(jobstest.Succeeds)
		scheduled.Executions.Next(jobstest.Succeeds)
		interval.Executions.Now(jobstest.Succeeds)
		s.Advance(0)
		assert.Equal(t, "Running", s.GetStatus())
		s.AssertBegun(interval, 0, 7200)
		assert.Len(t, idle.Executions.Moments(), begun+1)
		assert.Len(t, channel.Executions.Moments(), 2)
	})
}

func TestHungInExecuteStatusAndReadyOneAfterTheOther(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		names := []string{"in Execute", "in Status", "in Ready"}
		all := make([]*jobstest.Puppet, len(names))
		for i, name := range names {
			all[i] = s.Puppet(name).Register(jobs.Every(2 * time.Hour))
		}
		s.Advance(25 * time.Second)
		all[0].Executions.Next(jobstest.Hangs)
		require.NoError(t, s.RunNow(all[0].ID)) // late at 35
		all[1].StatusCalls.Next(jobstest.Hangs) // late at 40
		all[2].ReadyCalls.Next(jobstest.Hangs)
		s.Advance(time.Hour)
		s.AssertHeldUpBy(all[:2], "has an execution that is late", "has a call of Status that is late")
		assert.Len(t, all[2].ReadyCalls.Moments(), 1, "there is no attempt while a call is late")
		all[0].Executions.Next(jobstest.Succeeds)
		all[0].Executions.Now(jobstest.Fails)
		s.Advance(time.Hour)
		s.AssertHeldUpBy(all[1:2], "has a call of Status that is late")
		all[1].StatusCalls.Next(jobstest.Succeeds)
		all[1].StatusCalls.Now(jobstest.Fails)
		s.Advance(time.Hour)
		s.AssertHeldUpBy(all[2:], "has a call of Ready that has not returned")
		assert.Equal(t, "its pool is stopped", jobstest.InfoOf(t, s.Pool, all[2].ID).NotExecuting)
		assert.Equal(t, []jobs.Reason{jobs.ReasonStopped, jobs.ReasonReadyPending, jobs.ReasonNotDue}, shutGates(s.Explain(all[2].ID)))
		assert.Equal(t, []int{2, 2, 2}, []int{len(all[0].ReadyCalls.Moments()), len(all[1].ReadyCalls.Moments()), len(all[2].ReadyCalls.Moments())})
		all[2].ReadyCalls.Now(jobstest.Succeeds)
		s.Advance(0)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, []int{3, 2, 2}, []int{len(all[0].Executions.Moments()), len(all[1].Executions.Moments()), len(all[2].Executions.Moments())})
	})
}

func TestHungForLongerThanARestartTakes(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Hanging("sleeper", jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(time.Minute))
		other := s.ChannelPuppet("other")
		s.Advance(5 * time.Second)
		jobstest.StopPool(s.Pool)
		s.Advance(30 * time.Second)
		assert.Equal(t, "Running", s.GetStatus(), "it is within its limit")
		assert.Equal(t, "Running", s.GetJobStatus(p.ID))
		s.Advance(25 * time.Second)
		info := s.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		assert.Equal(t, p.ID, info.StoppedBy)
		assert.ErrorIs(t, info.StopError, jobs.ErrTimeout)
		s.Advance(140 * time.Second)
		s.AssertHeldUpBy([]*jobstest.Puppet{p}, "execution that is late")
		p.Executions.Next(jobstest.Succeeds)
		p.Executions.Now(jobstest.Fails)
		s.Advance(0)
		assert.Equal(t, 2, s.Info().Restarts)
		s.AssertBegun(p, 0, 200)
		s.AssertBegun(other, 0, 35, 200)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, s.Pool, p.ID).Failures)
	})
}

// A Status that takes its time, within its limit, is not asked again, and neither stops nor delays anything.
func TestHungInStatusWithinItsLimit(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Puppet("thinker").Register(jobs.Every(time.Minute))
		other := s.Puppet("other").Register(jobs.Every(time.Minute))
		p.StatusCalls.Next(jobstest.Hangs)
		s.Advance(300 * time.Second)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, jobstest.Seconds(30), p.StatusCalls.Moments())
		assert.Len(t, other.StatusCalls.Moments(), 10)
		s.AssertBegun(p, 0, 60, 120, 180, 240, 300)
		jobstest.StopPool(s.Pool)
		s.Advance(29 * time.Second) // until 329, its limit is 330
		assert.Empty(t, s.Info().HeldUpBy)
		p.StatusCalls.Now(jobstest.Fails)
		s.Advance(time.Second)
		assert.Equal(t, "Running", s.GetStatus(), "it was asked before the stop")
		s.Advance(30 * time.Second)
		assert.Equal(t, jobstest.Seconds(30, 360), p.StatusCalls.Moments())
	})
}

// What gets late while the pool asks whether all are ready holds the restart up like what was late before.
func TestHungSinceTheAttemptBegan(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		slow := s.Puppet("slow in Ready").Register(jobs.Every(time.Hour))
		p := s.Hanging("sleeper", jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(35*time.Second))
		s.Advance(0)
		slow.ReadyCalls.Next(jobstest.Hangs)
		jobstest.StopPool(s.Pool)
		s.Advance(34 * time.Second)
		s.AssertHeldUpBy([]*jobstest.Puppet{slow}, "call of Ready that has not returned")
		s.Advance(time.Second)
		s.AssertHeldUpBy([]*jobstest.Puppet{slow, p}, "call of Ready that has not returned", "execution that is late")
		slow.ReadyCalls.Next(jobstest.Succeeds)
		slow.ReadyCalls.Now(jobstest.Succeeds)
		s.Advance(time.Hour)
		s.AssertHeldUpBy([]*jobstest.Puppet{p}, "execution that is late")
		s.AssertBegun(slow, 0)
		p.Executions.Next(jobstest.Succeeds)
		p.Executions.Now(jobstest.Succeeds)
		s.Advance(0)
		s.AssertBegun(slow, 0, 3635)
	})
}

func TestHungAndUnregistered(t *testing.T) {
	for name, end := range map[string]jobstest.Act{"returns": jobstest.Succeeds, "fails": jobstest.Fails, "panics": jobstest.Panics, "exits": jobstest.Exits} {
		t.Run(name, func(t *testing.T) {
			onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
				first, second := s.Hanging("first", jobs.Every(time.Second)), s.Hanging("second", jobs.On(jobstest.EverySecond()))
				third := s.Puppet("third").Register(jobs.Every(jobstest.ForAges))
				third.StatusCalls.Next(jobstest.Hangs)
				other := s.Puppet("other").Register(jobs.Every(50 * time.Second))
				s.Advance(time.Minute)
				first.Unregister()
				s.Advance(0)
				s.AssertHeldUpBy([]*jobstest.Puppet{second}, "execution that is late")
				second.Unregister()
				s.Advance(0)
				assert.Equal(t, 1, s.Info().Restarts)
				s.Advance(50 * time.Second) // third's Status is late
				third.Unregister()
				s.Advance(time.Minute)
				assert.Equal(t, 2, s.Info().Restarts)
				s.AssertBegun(other, 0, 60, 130)
				assert.Equal(t, 3, s.Departed(), "as long as they hang")
				for _, p := range []*jobstest.Puppet{first, second, third} {
					p.Executions.Now(end)
					p.StatusCalls.Now(end)
				}
				s.Advance(0)
				assert.Zero(t, s.Departed())
				s.Advance(time.Hour)
				assert.Equal(t, "Running", s.GetStatus())
				assert.Equal(t, 2, s.Info().Restarts)
				s.AssertBegun(first, 0)
			})
		})
	}
}

// Who waits for a job that hangs waits, and whoever does not want to wait gets an answer at once.
func TestHungWhatCanBeAskedOfIt(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Hanging("sleeper", jobs.Every(jobstest.ForAges), jobs.Detached())
		s.Advance(time.Hour)
		start := time.Now()
		assert.Error(t, s.RunNow(p.ID))
		assert.True(t, s.GetJob(p.ID).Ready(), "an execution is answer enough")
		assert.Equal(t, "Failed", s.GetJobStatus(p.ID))
		s.JobUnlock(p.ID)
		assert.Zero(t, time.Since(start))
		locked := jobstest.NewTimeline()
		go func() { s.JobLock(p.ID); locked.Mark(); time.Sleep(time.Minute); s.JobUnlock(p.ID) }()
		s.Advance(time.Hour)
		assert.Empty(t, locked.Moments(), "it still has its lock")
		p.Executions.Next(jobstest.Succeeds)
		p.Executions.Now(jobstest.Succeeds)
		s.Advance(0)
		assert.Len(t, locked.Moments(), 1)
		require.NoError(t, s.RunNow(p.ID))
		s.Advance(time.Minute)
		s.AssertBegun(p, 0, 7260)
	})
}
