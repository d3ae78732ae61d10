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
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				haltPool(p)
				pass(wait - time.Nanosecond)
				require.Equal(t, "Stopped", p.GetStatus())
				pass(time.Nanosecond)
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
		{30 * time.Second, seconds(30, 60, 120, 240, 480, 30, 60, 120, 240, 480, 30)},
		{37500 * time.Millisecond, seconds(37.5, 75, 150, 300, 600, 37.5, 75)},
		{7 * time.Minute, seconds(420, 420, 420)},
		{5 * time.Minute, seconds(300, 600, 300, 600)},
		{5*time.Minute + 1, []time.Duration{5*time.Minute + 1, 5*time.Minute + 1, 5*time.Minute + 1}},
		{10 * time.Minute, seconds(600, 600, 600)},
		{time.Hour, seconds(3600, 3600, 3600)},
	}
	for _, c := range cases {
		t.Run(c.base.String(), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				var unready fault
				asked := newTimeline()
				register(t, p, stub{ready: func() bool { asked.mark(); return unready.absent() }}, jobs.Every(forAges))
				pass(0)
				unready.cause()
				haltPool(p)
				at := time.Duration(0)
				want := []time.Duration{0} // before its first execution
				for i, wait := range c.waits {
					if i > 0 {
						assert.Equal(t, wait, time.Until(p.Info().NextAttempt))
					}
					at += wait
					asked.fill(at)
					want = append(want, at)
				}
				assert.Equal(t, want, asked.moments())
				assert.Equal(t, "Stopped", p.GetStatus())
			}, jobs.WithRetryInterval(c.base))
		})
	}
}

func TestAfterARestartTheWaitsBeginWithTheBaseAgain(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready fault
		register(t, p, stub{ready: unready.absent}, jobs.Every(forAges))
		pass(0)
		unready.cause()
		haltPool(p)
		pass(40 * time.Second) // attempt at 30
		unready.mend()
		pass(50 * time.Second) // restart at 90
		require.Equal(t, "Running", p.GetStatus())
		haltPool(p)
		pass(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAnAttemptAsksTheStartedAttachedJobsThatAreNotFinished(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := map[string]*timeline{}
		add := func(name string, job stub, trigger jobs.Trigger, opts ...jobs.JobOption) {
			asked[name] = newTimeline()
			job.ready = asked[name].ready
			register(t, p, job, trigger, opts...)
		}
		add("interval", stub{}, jobs.Every(time.Hour))
		add("scheduled", stub{}, jobs.On(everySecond()))
		add("executing", stub{execute: enduring(50 * time.Second)}, jobs.Every(time.Hour))
		add("finished", stub{}, jobs.Channel(make(chan interface{})))
		add("detached", stub{}, jobs.Every(time.Hour), jobs.Detached())
		add("single run", stub{}, jobs.Once())
		add("retry", stub{execute: func() error { return errBroken }}, jobs.Retry(9), jobs.WithRetryBackoff(time.Minute, time.Minute))
		pass(500 * time.Millisecond)
		haltPool(p)
		add("not started", stub{}, jobs.Every(time.Hour))
		pass(time.Minute)
		for name, want := range map[string][]time.Duration{
			"interval": seconds(0, 30.5), "scheduled": seconds(0, 30.5), "executing": seconds(0), "finished": seconds(0),
			"detached": seconds(0), "single run": seconds(0), "retry": seconds(0), "not started": seconds(0),
		} {
			assert.Equal(t, want, asked[name].moments(), name)
		}
	})
}

func TestAllAreAskedWithoutWaitingForAnothersAnswer(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		const n = 5
		var restarting atomic.Bool
		var others atomic.Int32
		all := make(chan struct{})
		for range n {
			register(t, p, stub{ready: func() bool {
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
		pass(0)
		restarting.Store(true)
		haltPool(p)
		pass(31 * time.Second)
		assert.EqualValues(t, n, others.Load())
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestOneThatIsNotReadyHoldsTheOthersBack(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready fault
		calls, asked := newTimeline(), newTimeline()
		register(t, p, stub{execute: calls.execute, ready: asked.ready}, jobs.Every(time.Hour))
		last := register(t, p, stub{ready: unready.absent}, jobs.Every(time.Hour))
		pass(0)
		unready.cause()
		haltPool(p)
		asked.fill(31 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, seconds(0, 30), asked.moments(), "all are asked, also if one is not ready")
		assert.Len(t, p.Info().HeldUpBy, 1)
		assert.Contains(t, p.Info().HeldUpBy[0], last)
		unready.mend()
		asked.fill(95 * time.Second)
		assert.Equal(t, seconds(0, 90), calls.moments())
		assert.Empty(t, p.Info().HeldUpBy)
	})
}

func TestAnExecutionWithinItsLimitCountsAsReady(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := newTimeline()
		register(t, p, stub{ready: asked.ready, execute: enduring(100 * time.Second)}, jobs.Every(time.Hour))
		pass(time.Second)
		haltPool(p)
		pass(31 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, seconds(0), asked.moments())
	})
}

func TestAllStartAgainTogether(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		for range 20 {
			register(t, p, stub{execute: calls.execute}, jobs.Every(time.Hour))
		}
		calls.fill(13 * time.Second)
		culprit := haltPool(p)
		calls.fill(50 * time.Second)
		require.Len(t, calls.moments(), 40)
		for _, at := range calls.moments()[20:] {
			assert.Equal(t, 43*time.Second, at)
		}
		assert.EqualValues(t, 2, infoOf(t, p, culprit).Executions, "the one that failed too")
	})
}

func TestAScheduledJobGoesOnWithItsNextOccurrenceAfterARestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: calls.execute}, jobs.On(everySecond()))
		calls.fill(1200 * time.Millisecond)
		haltPool(p)
		calls.fill(4 * time.Second)
		assert.Equal(t, seconds(1, 3, 4), calls.moments(), "restarted at 2.2; what was missed is skipped")
	}, jobs.WithRetryInterval(time.Second))
}

func TestExecutionsInFlightAtARestartBelongToTheNewLife(t *testing.T) {
	t.Run("the interval counts from their end", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := newTimeline()
			register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(40 * time.Second); return nil }},
				jobs.Every(15*time.Second))
			calls.fill(time.Second)
			haltPool(p) // until 31
			calls.fill(100 * time.Second)
			assert.Equal(t, seconds(0, 55), calls.moments())
		})
	})
	t.Run("their failure stops the pool", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{execute: onlyFirst(func() error { time.Sleep(40 * time.Second); return errBroken })},
				jobs.Every(forAges))
			pass(time.Second)
			haltPool(p) // until 31
			pass(39*time.Second - 1)
			require.Equal(t, "Running", p.GetStatus())
			pass(1)
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.Equal(t, id, p.Info().StoppedBy)
		})
	})
	t.Run("their lateness stops the pool", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{execute: onlyFirst(enduring(2 * time.Minute))}, jobs.Every(forAges),
				jobs.WithJobTimeout(50*time.Second))
			pass(time.Second)
			haltPool(p) // until 31
			pass(50 * time.Second)
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.Equal(t, id, p.Info().StoppedBy)
			assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
		})
	})
}

func TestTheRestartIsNotGatedOnStatus(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var last atomic.Pointer[error] // a job that reports its last execution's error
		failing := newFault()
		register(t, p, stub{
			execute: func() error { err := failing.err(); last.Store(&err); return err },
			status: func() error {
				if err := last.Load(); err != nil && *err != nil {
					return errors.New("the last execution failed")
				}
				return nil
			},
		}, jobs.Every(forAges))
		pass(time.Second)
		failing.mend()
		pass(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		pass(10 * time.Minute)
		assert.Equal(t, 1, p.Info().Restarts)
	})
}

func TestAPoolWithNoAttachedJobLeftRestarts(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		failing := newFault()
		id := register(t, p, stub{execute: failing.err, ready: func() bool { return failing.absent() || p.GetStatus() == "Running" }},
			jobs.Every(time.Hour))
		pass(100 * time.Second) // attempts at 30 and 90, the next at 210
		require.Equal(t, "Stopped", p.GetStatus())
		p.UnregisterJob(id)
		pass(0)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

// lateCalls are jobs with a call that is late from 10 or 40 seconds on, and returns at end.
func lateCalls(end time.Duration) map[string]stub {
	return map[string]stub{
		"execution": {execute: onlyFirst(enduring(end))},
		"status":    {status: onlyFirst(enduring(end - 30*time.Second))},
	}
}

func TestTheReturnOfTheLastLateCallIsAnAttemptAtOnce(t *testing.T) {
	for name, job := range lateCalls(123 * time.Second) {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, job, jobs.Every(forAges))
				pass(50 * time.Second)
				require.Equal(t, "Stopped", p.GetStatus())
				pass(73*time.Second - 1)
				info := p.Info()
				assert.Equal(t, jobs.PoolStatusStopped, info.Status, "it holds the restart up")
				assert.True(t, info.NextAttempt.IsZero())
				require.Len(t, info.HeldUpBy, 1)
				assert.Contains(t, info.HeldUpBy[0], id)
				assert.Contains(t, info.HeldUpBy[0], "late")
				pass(1)
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithExecutionTimeout(10*time.Second))
		})
	}
}

func TestUnregisteringTheLastLateJobIsAnAttemptAtOnce(t *testing.T) {
	for name, job := range lateCalls(500 * time.Second) {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				register(t, p, stub{}, jobs.Every(forAges))
				id := register(t, p, job, jobs.Every(forAges))
				pass(123 * time.Second)
				require.Equal(t, "Stopped", p.GetStatus())
				p.UnregisterJob(id)
				pass(0)
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
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					register(t, p, job, jobs.Every(forAges))
					pass(stopped + time.Minute - 1)
					assert.Equal(t, "Stopped", p.GetStatus())
					pass(1)
					assert.Equal(t, "Running", p.GetStatus())
				}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithRetryInterval(time.Minute))
			})
		}
	})
	t.Run("unregistering", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{}, jobs.Every(forAges))
			id := register(t, p, stub{execute: enduring(500 * time.Second)}, jobs.Every(forAges))
			pass(15 * time.Second)
			p.UnregisterJob(id)
			pass(25*time.Second - 1)
			assert.Equal(t, "Stopped", p.GetStatus())
			pass(1)
			assert.Equal(t, "Running", p.GetStatus())
		}, jobs.WithExecutionTimeout(10*time.Second))
	})
}

func TestEveryLateCallHoldsTheRestartUpNotOnlyTheCulprits(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{execute: onlyFirst(enduring(100 * time.Second))}, jobs.Every(forAges))
		register(t, p, stub{execute: onlyFirst(enduring(200 * time.Second))}, jobs.Every(forAges),
			jobs.WithJobTimeout(20*time.Second)) // late after the stop
		asked := newTimeline()
		register(t, p, stub{ready: asked.ready}, jobs.Every(forAges))
		pass(150 * time.Second)
		assert.Len(t, p.Info().HeldUpBy, 1)
		asked.fill(250 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, seconds(0, 200), asked.moments(), "there is no attempt before the last has returned")
	}, jobs.WithExecutionTimeout(10*time.Second))
}

func TestAStatusThatTurnsLateAfterTheStopHoldsTheRestartUp(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{status: onlyFirst(enduring(70 * time.Second))}, jobs.Every(forAges)) // from 30 to 100
		pass(35 * time.Second)
		haltPool(p) // and an attempt at 65, but for the call that is late at 50
		pass(64 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		pass(time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(20*time.Second))
}

func TestALateDetachedJobHoldsNothingUp(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{execute: enduring(200 * time.Second)}, jobs.Every(forAges), jobs.Detached())
		pass(15 * time.Second)
		require.Equal(t, "Failed", p.GetJobStatus(id))
		haltPool(p)
		pass(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(10*time.Second))
}

func TestALateJobThatIsReleasedButNotReadyHoldsTheRestartUp(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready fault
		register(t, p, stub{execute: onlyFirst(enduring(100 * time.Second)), ready: unready.absent}, jobs.Every(forAges))
		pass(90 * time.Second)
		unready.cause()
		pass(11 * time.Second) // attempt at 100: refused
		assert.Equal(t, "Stopped", p.GetStatus())
		unready.mend()
		assert.Positive(t, time.Until(p.Info().NextAttempt))
		pass(time.Until(p.Info().NextAttempt))
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(10*time.Second))
}

func TestAnAttachedJobRegisteredWhileThePoolIsStoppedBeginsWithTheRestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		haltPool(p)
		asked, calls := newTimeline(), newTimeline()
		pass(time.Second)
		id := register(t, p, stub{execute: calls.execute, ready: asked.ready}, jobs.Every(forAges))
		pass(0)
		assert.Equal(t, seconds(1), asked.moments(), "it is polled at once")
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		calls.fill(time.Minute)
		assert.Equal(t, seconds(30), calls.moments())
		assert.Equal(t, "Running", p.GetJobStatus(id))
	})
}

func TestOneThatIsNotReadyThenDoesNotHoldTheRestartUp(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		haltPool(p)
		id := register(t, p, stub{ready: newFault().absent}, jobs.Every(forAges))
		pass(31 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
	})
}

func TestAJobRegisteredDuringAnAttemptBeginsWithTheRestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow atomic.Bool
		register(t, p, stub{ready: func() bool {
			if slow.Load() {
				time.Sleep(10 * time.Second)
			}
			return true
		}}, jobs.Every(forAges))
		calls := newTimeline()
		pass(0)
		slow.Store(true)
		haltPool(p)
		calls.fill(35 * time.Second) // the attempt takes from 30 to 40
		id := register(t, p, stub{execute: calls.execute}, jobs.Every(forAges))
		calls.fill(50 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, seconds(40), calls.moments())
		assert.Equal(t, "Running", p.GetJobStatus(id))
	})
}

func TestEverythingElseRegisteredWhileThePoolIsStoppedBeginsAtOnce(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		haltPool(p)
		calls := newTimeline()
		register(t, p, stub{execute: calls.execute}, jobs.Once())
		register(t, p, stub{execute: calls.execute}, jobs.Retry(1))
		register(t, p, stub{execute: calls.execute}, jobs.Every(forAges), jobs.Detached())
		register(t, p, stub{execute: calls.execute}, jobs.Channel(make(chan interface{})), jobs.Detached())
		register(t, p, stub{execute: calls.execute}, jobs.On(everySecond()), jobs.Detached())
		pass(time.Second)
		assert.Equal(t, seconds(0, 0, 0, 0, 1), calls.moments())
		assert.Equal(t, "Stopped", p.GetStatus())
	})
}

func TestUnregisteringAJobInItsReadyLetsTheAttemptGoOn(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var hanging fault
		end := make(chan bool)
		id := register(t, p, stub{ready: func() bool {
			if !hanging.absent() {
				<-end
			}
			return true
		}}, jobs.Every(forAges))
		pass(0)
		hanging.cause()
		haltPool(p)
		pass(40 * time.Second)
		require.Equal(t, "Stopped", p.GetStatus())
		p.UnregisterJob(id)
		pass(0)
		assert.Equal(t, "Running", p.GetStatus())
		close(end)
	})
}

func TestAReadyThatLastsIsNotAskedAgainByTheNextAttempt(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow, unready fault
		asked, calls := newTimeline(), newTimeline()
		register(t, p, stub{execute: calls.execute, ready: func() bool {
			asked.mark()
			if !slow.absent() {
				time.Sleep(100 * time.Second)
			}
			return true
		}}, jobs.Every(forAges))
		register(t, p, stub{ready: unready.absent}, jobs.Every(forAges))
		pass(0)
		slow.cause()
		unready.cause()
		haltPool(p)
		pass(50 * time.Second)
		unready.mend()
		calls.fill(200 * time.Second)
		assert.Equal(t, seconds(0, 30), asked.moments())
		assert.Equal(t, seconds(0, 130), calls.moments())
	})
}

func TestBothTheExecutionAndTheStatusOfAJobCanBeLate(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{
			execute: onlyFirst(enduring(100 * time.Second)), // late at 60
			status:  onlyFirst(enduring(90 * time.Second)),  // from 30 to 120, late at 90
		}, jobs.Every(forAges))
		pass(120*time.Second - 1)
		assert.Equal(t, "Stopped", p.GetStatus())
		pass(1)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(time.Minute))
}

func TestSetStatusRunningIsAnAttemptAtOnceHoweverLongTheRetryInterval(t *testing.T) {
	for _, interval := range []time.Duration{time.Hour, math.MaxInt64} { // the longest: by hand only
		t.Run(interval.String(), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				haltPool(p)
				pass(time.Minute)
				require.Equal(t, "Stopped", p.GetStatus())
				p.SetStatus(jobs.PoolStatusRunning)
				pass(0)
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithRetryInterval(interval))
		})
	}
}

func TestSetStatusStoppedBeforeTheFirstRegistration(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		p.SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, "Stopped", p.GetStatus())
		calls := newTimeline()
		register(t, p, stub{execute: calls.execute}, jobs.Every(forAges))
		assert.Equal(t, "Stopped", p.GetStatus())
		calls.fill(time.Minute)
		assert.Equal(t, seconds(30), calls.moments())
	})
}

func TestAJobThatFinishesDuringAnAttemptIsNotAskedAnyMore(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		register(t, p, stub{ready: func() bool {
			if p.GetStatus() == "Stopped" {
				close(end)
				time.Sleep(time.Microsecond) // for the other one to finish, before it is its turn
			}
			return true
		}}, jobs.Every(forAges))
		asked := 0
		id := register(t, p, stub{
			execute: func() error { <-end; return nil },
			ready:   func() bool { asked++; return asked == 1 },
		}, jobs.Channel(make(chan interface{})))
		pass(0)
		stopPool(p)
		pass(30*time.Second + time.Microsecond)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Equal(t, 1, asked, "before its execution only")
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestSetStatusRunningDuringAnAttemptThatFailsIsAnotherOneAtOnce(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready, slow atomic.Bool
		register(t, p, stub{ready: func() bool { return !unready.Load() }}, jobs.Every(time.Hour))
		for range 100 { // their answers, one after the other, make the attempt last for 90 ms
			register(t, p, stub{ready: func() bool {
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
		pass(time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}
