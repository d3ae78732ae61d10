package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

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
