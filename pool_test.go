package jobs_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestAPoolIsInitializingUntilTheFirstRegistrationAndThenRunning(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		assert.Equal(t, "Initializing", p.GetStatus())
		_, err := p.Register(nil, jobs.Once())
		require.Error(t, err)
		assert.Equal(t, "Initializing", p.GetStatus(), "a refused registration is none")

		id := register(t, p, stub{}, jobs.Once())
		assert.Equal(t, "Running", p.GetStatus())
		p.UnregisterJob(id)
		assert.Equal(t, "Running", p.GetStatus(), "also without a job")
	})
}

// It runs in a process of its own, as one that others have used may have goroutines that are about to end.
func TestImportingThePackageStartsNoGoroutine(t *testing.T) {
	const alone = "JOBS_TEST_ALONE"
	if os.Getenv(alone) == "" {
		again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), alone+"=yes")
		output, err := again.CombinedOutput()
		require.NoError(t, err, "%s", output)
		return
	}
	buf := make([]byte, 1<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	assert.NotContains(t, stacks, "created by github.com/agentjobs/jobs.")
}

// A goroutine that is left at the end of a bubble fails the test.
func TestMakingAPoolStartsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := len(bubbleGoroutines())
		p := jobs.NewPool(quiet, jobs.WithOnStatus(func(jobs.PoolInfo) {}), jobs.WithStatusInterval(time.Second))
		assert.Equal(t, "Initializing", p.GetStatus())
		assert.Empty(t, p.Info().Jobs)
		assert.Len(t, bubbleGoroutines(), before)
	})
}

func TestBetweenExecutionsAPoolHasNoGoroutine(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		before := len(bubbleGoroutines())
		for range 10 {
			register(t, p, stub{}, jobs.Every(time.Minute))
			register(t, p, stub{ready: newFault().absent}, jobs.Every(time.Minute))
		}
		pass(100 * time.Second)
		assert.Len(t, bubbleGoroutines(), before)
	})
}

func TestTheZeroPoolIsReadyForUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p jobs.Pool
		assert.Equal(t, "Initializing", p.GetStatus())
		calls, sweeps := newTimeline(), newTimeline()
		id, err := p.Register(stub{execute: calls.execute, status: sweeps.status}, jobs.Every(20*time.Second))
		require.NoError(t, err)
		pass(65 * time.Second)
		assert.Equal(t, seconds(0, 20, 40, 60), calls.moments())
		assert.Equal(t, seconds(30, 60), sweeps.moments(), "30 seconds is the status interval unless set")
		assert.Equal(t, "Running", p.GetJobStatus(id))
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestTheZeroPoolAnswersBeforeAnyRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p jobs.Pool
		assert.Nil(t, p.GetJob("nobody"))
		assert.Empty(t, p.GetJobStatus("nobody"))
		_, ok := p.Job("nobody")
		assert.False(t, ok)
		for range p.Jobs() {
			assert.Fail(t, "a job in an empty pool")
		}
		assert.Error(t, p.RunNow("nobody"))
		p.JobLock("nobody")
		p.JobUnlock("nobody")
		p.UnregisterJob("nobody")
		assert.Equal(t, jobs.PoolInfo{}, p.Info())
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, "Stopped", p.GetStatus())
	})
}

func TestPoolsAreApart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		other := jobs.NewPool(quiet)
		id := register(t, other, stub{}, jobs.Every(time.Hour))
		haltPool(p)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Running", other.GetStatus())
		assert.Nil(t, p.GetJob(id))
		require.NoError(t, other.Shutdown(context.Background()))
	})
}

// waitRunning returns when a WaitRunning that begins now has returned nil, as a timeline.
func waitRunning(p *jobs.Pool) *timeline {
	done := newTimeline()
	go func() {
		if p.WaitRunning(context.Background()) == nil {
			done.mark()
		}
	}()
	return done
}

func TestWaitRunning(t *testing.T) {
	t.Run("waits for the first registration", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			done := waitRunning(p)
			pass(5 * time.Second)
			register(t, p, stub{}, jobs.Once())
			done.fill(time.Minute)
			assert.Equal(t, seconds(5), done.moments())
		})
	})
	t.Run("waits until every attached job has started", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			unready, never := newFault(), newFault()
			register(t, p, stub{ready: unready.absent}, jobs.Every(time.Hour))
			register(t, p, stub{ready: never.absent}, jobs.Every(time.Hour), jobs.Detached())
			register(t, p, stub{ready: never.absent}, jobs.Once())
			done := waitRunning(p)
			pass(25 * time.Millisecond)
			unready.mend() // asked at 0, 10, 30 ms
			done.fill(time.Minute)
			assert.Equal(t, seconds(0.030), done.moments())
		})
	})
	t.Run("does not wait for an unregistered job", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{ready: newFault().absent}, jobs.Every(time.Hour))
			done := waitRunning(p)
			pass(time.Second)
			p.UnregisterJob(id)
			done.fill(time.Minute)
			assert.Equal(t, seconds(1), done.moments())
		})
	})
	t.Run("waits until a stopped pool has restarted", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			haltPool(p)
			done := waitRunning(p)
			done.fill(time.Minute)
			assert.Equal(t, seconds(30), done.moments())
			assert.NoError(t, p.WaitRunning(context.Background()), "at once, now")
		})
	})
}

func TestWaitRunningReturnsAnErrorOtherwise(t *testing.T) {
	t.Run("at the end of its context", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			haltPool(p)
			ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, errBroken)
			defer cancel()
			start := time.Now()
			assert.ErrorIs(t, p.WaitRunning(ctx), errBroken)
			assert.Equal(t, time.Second, time.Since(start))
		})
	})
	t.Run("when the pool is shut down", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			result := make(chan error, 1)
			go func() { result <- p.WaitRunning(context.Background()) }()
			pass(time.Second)
			require.NoError(t, p.Shutdown(context.Background()))
			assert.ErrorIs(t, <-result, jobs.ErrShutdown)
		})
	})
}

// Each case changes the intervals at 10 seconds, when a wait of 30 has begun at 0.
var changedWaits = []struct {
	name     string
	interval time.Duration
	ends     []time.Duration
}{
	{"sooner", 20 * time.Second, seconds(20, 40, 60, 80)},
	{"at once", 4 * time.Second, seconds(10, 14, 18, 22)},
	{"now", 10 * time.Second, seconds(10, 20, 30, 40)},
	{"later", 45 * time.Second, seconds(45, 90, 135, 180)},
}

func TestUpdateDurationsChangesTheWaitForASweep(t *testing.T) {
	for _, c := range changedWaits {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				sweeps := newTimeline()
				register(t, p, stub{status: sweeps.status}, jobs.Every(forAges))
				pass(10 * time.Second)
				p.UpdateDurations(c.interval, time.Minute)
				sweeps.fill(c.ends[3])
				assert.Equal(t, c.ends, sweeps.moments())
			})
		})
	}
}

func TestUpdateDurationsChangesTheWaitForTheFirstAttempt(t *testing.T) {
	for _, c := range changedWaits {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				start := time.Now()
				haltPool(p)
				pass(10 * time.Second)
				p.UpdateDurations(c.interval, time.Minute)
				if c.ends[0] > 10*time.Second {
					assert.Equal(t, c.ends[0], p.Info().NextAttempt.Sub(start))
					pass(c.ends[0] - 10*time.Second - 1)
					assert.Equal(t, "Stopped", p.GetStatus())
					pass(1)
				}
				pass(0)
				assert.Equal(t, "Running", p.GetStatus())
			})
		})
	}
}

func TestUpdateDurationsStartsTheBackoffAtTheNewBase(t *testing.T) {
	cases := []struct {
		name  string
		base  time.Duration
		tries []time.Duration
	}{
		{"sooner", 20 * time.Second, seconds(30, 90, 110, 150, 230, 390)},
		{"at once", time.Second, seconds(30, 90, 100, 102, 106, 114)},
		{"later", 50 * time.Second, seconds(30, 90, 140, 240, 440, 840)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				var unready fault
				asked := newTimeline()
				register(t, p, stub{ready: func() bool {
					asked.mark()
					return unready.absent()
				}}, jobs.Every(forAges))
				pass(0)
				unready.cause()
				haltPool(p)
				pass(100 * time.Second) // attempts at 30 and 90, the next at 210
				p.UpdateDurations(c.base, time.Minute)
				asked.fill(c.tries[len(c.tries)-1])
				assert.Equal(t, c.tries, asked.moments()[1:])
			})
		})
	}
}

func TestUpdateDurationsChangesTheWaitForReadiness(t *testing.T) {
	// Polled at 0, 10, 30, … 20470 ms, and then at 40950, 70950 and 100950: each 30 s, the longest.
	cases := []struct {
		name     string
		interval time.Duration
		asked    []time.Duration
	}{
		{"shorter", 25 * time.Second, seconds(70.950, 95.950, 120.950)},
		{"over", 2 * time.Second, seconds(70.950, 80, 82)},
		{"longer", 45 * time.Second, seconds(70.950, 115.950, 160.950)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				asked := newTimeline()
				register(t, p, stub{ready: func() bool { asked.mark(); return false }}, jobs.Every(forAges))
				pass(80 * time.Second)
				p.UpdateDurations(c.interval, time.Minute)
				asked.fill(c.asked[2])
				moments := asked.moments()
				assert.Equal(t, c.asked, moments[len(moments)-3:])
			})
		})
	}
}

func TestUpdateDurationsLeavesAShortReadinessWaitAlone(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := newTimeline()
		register(t, p, stub{ready: func() bool { asked.mark(); return false }}, jobs.Once())
		pass(35 * time.Millisecond) // 0, 10, 30
		p.UpdateDurations(time.Hour, time.Minute)
		asked.fill(150 * time.Millisecond)
		assert.Equal(t, seconds(0, 0.010, 0.030, 0.070, 0.150), asked.moments())
	})
}

func TestUpdateDurationsLimitsApplyToCallsThatBeginAfterwards(t *testing.T) {
	t.Run("executions", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			before := register(t, p, stub{execute: enduring(200 * time.Second)}, jobs.Every(forAges), jobs.Detached())
			pass(time.Second)
			p.UpdateDurations(30*time.Second, 10*time.Second)
			after := register(t, p, stub{execute: enduring(200 * time.Second)}, jobs.Every(forAges), jobs.Detached())
			pass(10*time.Second - 1)
			assert.Equal(t, "Running", p.GetJobStatus(after))
			pass(1)
			assert.Equal(t, "Failed", p.GetJobStatus(after))
			pass(89*time.Second - 1)
			assert.Equal(t, "Running", p.GetJobStatus(before))
			pass(1)
			assert.Equal(t, "Failed", p.GetJobStatus(before), "its limit is the old one")
		}, jobs.WithExecutionTimeout(100*time.Second))
	})
	t.Run("a call of Status that has just begun", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{status: enduring(25 * time.Second)}, jobs.Every(forAges))
			pass(30*time.Second + 1)
			p.UpdateDurations(time.Hour, 20*time.Second)
			pass(10*time.Second - 2)
			assert.Equal(t, "Running", p.GetStatus())
			pass(1)
			assert.Equal(t, "Stopped", p.GetStatus(), "at its old limit")
		}, jobs.WithExecutionTimeout(10*time.Second))
	})
	t.Run("calls of Status", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{status: enduring(25 * time.Second)}, jobs.Every(forAges))
			pass(31 * time.Second)
			p.UpdateDurations(30*time.Second, 10*time.Second)
			pass(39*time.Second - 1)
			assert.Equal(t, "Running", p.GetStatus(), "the call that began at 30 has the old limit")
			pass(1)
			assert.Equal(t, "Stopped", p.GetStatus(), "the one that began at 60 the new one")
		})
	})
}

func TestAnExecutionTimeoutOfZeroOrLessMeansNone(t *testing.T) {
	for _, timeout := range []time.Duration{0, -1} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			p.UpdateDurations(30*time.Second, timeout)
			register(t, p, stub{execute: enduring(100 * time.Hour)}, jobs.Every(forAges))
			register(t, p, stub{status: enduring(100 * time.Hour)}, jobs.Every(forAges))
			pass(99 * time.Hour)
			assert.Equal(t, "Running", p.GetStatus())
		})
	}
}

func TestARetryIntervalOfZeroOrLessIsLeftAsItIs(t *testing.T) {
	for _, interval := range []time.Duration{0, -time.Second} {
		logged := new(journal)
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			sweeps := newTimeline()
			register(t, p, stub{status: sweeps.status}, jobs.Every(forAges))
			assert.Empty(t, logged.atLeast(warning))
			p.UpdateDurations(interval, time.Minute)
			assert.Len(t, logged.atLeast(warning), 1, "logged")
			sweeps.fill(70 * time.Second)
			assert.Equal(t, seconds(30, 60), sweeps.moments())
		}, logged.option())
	}
}

func TestAPoolMayBeMadeBeforeTheBubbleInWhichItIsUsed(t *testing.T) {
	p := jobs.NewPool(quiet, jobs.WithExecutionTimeout(10*time.Second))
	synctest.Test(t, func(t *testing.T) {
		register(t, p, stub{status: enduring(20 * time.Second)}, jobs.Every(forAges))
		pass(40 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		require.NoError(t, p.Shutdown(t.Context()))
	})
}
