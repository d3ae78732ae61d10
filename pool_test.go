package jobs_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestAPoolIsInitializingUntilTheFirstRegistrationAndThenRunning(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		assert.Equal(t, "Initializing", p.GetStatus())
		_, err := p.Register(nil, jobs.Once())
		require.Error(t, err)
		assert.Equal(t, "Initializing", p.GetStatus(), "a refused registration is none")

		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
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
		before := len(jobstest.BubbleGoroutines())
		p := jobs.NewPool(jobstest.Quiet, jobs.WithOnStatus(func(jobs.PoolInfo) {}), jobs.WithStatusInterval(time.Second))
		assert.Equal(t, "Initializing", p.GetStatus())
		assert.Empty(t, p.Info().Jobs)
		assert.Len(t, jobstest.BubbleGoroutines(), before)
	})
}

func TestBetweenExecutionsAPoolHasNoGoroutine(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		before := len(jobstest.BubbleGoroutines())
		for range 10 {
			jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Minute))
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Every(time.Minute))
		}
		jobstest.Advance(100 * time.Second)
		assert.Len(t, jobstest.BubbleGoroutines(), before)
	})
}

func TestTheZeroPoolIsReadyForUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p jobs.Pool
		assert.Equal(t, "Initializing", p.GetStatus())
		calls, sweeps := jobstest.NewTimeline(), jobstest.NewTimeline()
		id, err := p.Register(jobstest.Stub{ExecuteFunc: calls.Execute, StatusFunc: sweeps.Status}, jobs.Every(20*time.Second))
		require.NoError(t, err)
		jobstest.Advance(65 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 20, 40, 60), calls.Moments())
		assert.Equal(t, jobstest.Seconds(30, 60), sweeps.Moments(), "30 seconds is the status interval unless set")
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		other := jobs.NewPool(jobstest.Quiet)
		id := jobstest.Register(t, other, jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.FailPool(p)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Running", other.GetStatus())
		assert.Nil(t, p.GetJob(id))
		require.NoError(t, other.Shutdown(context.Background()))
	})
}

// waitRunning returns when a WaitRunning that begins now has returned nil, as a timeline.
func waitRunning(p *jobs.Pool) *jobstest.Timeline {
	done := jobstest.NewTimeline()
	go func() {
		if p.WaitRunning(context.Background()) == nil {
			done.Mark()
		}
	}()
	return done
}

func TestWaitRunning(t *testing.T) {
	t.Run("waits for the first registration", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			done := waitRunning(p)
			jobstest.Advance(5 * time.Second)
			jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
			done.AdvanceTo(time.Minute)
			assert.Equal(t, jobstest.Seconds(5), done.Moments())
		})
	})
	t.Run("waits until every attached job has started", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			unready, never := jobstest.NewFault(), jobstest.NewFault()
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: unready.Absent}, jobs.Every(time.Hour))
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: never.Absent}, jobs.Every(time.Hour), jobs.Detached())
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: never.Absent}, jobs.Once())
			done := waitRunning(p)
			jobstest.Advance(25 * time.Millisecond)
			unready.Clear() // asked at 0, 10, 30 ms
			done.AdvanceTo(time.Minute)
			assert.Equal(t, jobstest.Seconds(0.030), done.Moments())
		})
	})
	t.Run("does not wait for an unregistered job", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Every(time.Hour))
			done := waitRunning(p)
			jobstest.Advance(time.Second)
			p.UnregisterJob(id)
			done.AdvanceTo(time.Minute)
			assert.Equal(t, jobstest.Seconds(1), done.Moments())
		})
	})
	t.Run("waits until a stopped pool has restarted", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			jobstest.FailPool(p)
			done := waitRunning(p)
			done.AdvanceTo(time.Minute)
			assert.Equal(t, jobstest.Seconds(30), done.Moments())
			assert.NoError(t, p.WaitRunning(context.Background()), "at once, now")
		})
	})
}

func TestWaitRunningReturnsAnErrorOtherwise(t *testing.T) {
	t.Run("at the end of its context", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			jobstest.FailPool(p)
			ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, jobstest.ErrBroken)
			defer cancel()
			start := time.Now()
			assert.ErrorIs(t, p.WaitRunning(ctx), jobstest.ErrBroken)
			assert.Equal(t, time.Second, time.Since(start))
		})
	})
	t.Run("when the pool is shut down", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			result := make(chan error, 1)
			go func() { result <- p.WaitRunning(context.Background()) }()
			jobstest.Advance(time.Second)
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
	{"sooner", 20 * time.Second, jobstest.Seconds(20, 40, 60, 80)},
	{"at once", 4 * time.Second, jobstest.Seconds(10, 14, 18, 22)},
	{"now", 10 * time.Second, jobstest.Seconds(10, 20, 30, 40)},
	{"later", 45 * time.Second, jobstest.Seconds(45, 90, 135, 180)},
}

func TestUpdateDurationsChangesTheWaitForASweep(t *testing.T) {
	for _, c := range changedWaits {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				sweeps := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{StatusFunc: sweeps.Status}, jobs.Every(jobstest.ForAges))
				jobstest.Advance(10 * time.Second)
				p.UpdateDurations(c.interval, time.Minute)
				sweeps.AdvanceTo(c.ends[3])
				assert.Equal(t, c.ends, sweeps.Moments())
			})
		})
	}
}

func TestUpdateDurationsChangesTheWaitForTheFirstAttempt(t *testing.T) {
	for _, c := range changedWaits {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				start := time.Now()
				jobstest.FailPool(p)
				jobstest.Advance(10 * time.Second)
				p.UpdateDurations(c.interval, time.Minute)
				if c.ends[0] > 10*time.Second {
					assert.Equal(t, c.ends[0], p.Info().NextAttempt.Sub(start))
					jobstest.Advance(c.ends[0] - 10*time.Second - 1)
					assert.Equal(t, "Stopped", p.GetStatus())
					jobstest.Advance(1)
				}
				jobstest.Advance(0)
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
		{"sooner", 20 * time.Second, jobstest.Seconds(30, 90, 110, 150, 230, 390)},
		{"at once", time.Second, jobstest.Seconds(30, 90, 100, 102, 106, 114)},
		{"later", 50 * time.Second, jobstest.Seconds(30, 90, 140, 240, 440, 840)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var unready jobstest.Fault
				asked := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
					asked.Mark()
					return unready.Absent()
				}}, jobs.Every(jobstest.ForAges))
				jobstest.Advance(0)
				unready.Set()
				jobstest.FailPool(p)
				jobstest.Advance(100 * time.Second) // attempts at 30 and 90, the next at 210
				p.UpdateDurations(c.base, time.Minute)
				asked.AdvanceTo(c.tries[len(c.tries)-1])
				assert.Equal(t, c.tries, asked.Moments()[1:])
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
		{"shorter", 25 * time.Second, jobstest.Seconds(70.950, 95.950, 120.950)},
		{"over", 2 * time.Second, jobstest.Seconds(70.950, 80, 82)},
		{"longer", 45 * time.Second, jobstest.Seconds(70.950, 115.950, 160.950)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				asked := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { asked.Mark(); return false }}, jobs.Every(jobstest.ForAges))
				jobstest.Advance(80 * time.Second)
				p.UpdateDurations(c.interval, time.Minute)
				asked.AdvanceTo(c.asked[2])
				moments := asked.Moments()
				assert.Equal(t, c.asked, moments[len(moments)-3:])
			})
		})
	}
}

func TestUpdateDurationsLeavesAShortReadinessWaitAlone(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { asked.Mark(); return false }}, jobs.Once())
		jobstest.Advance(35 * time.Millisecond) // 0, 10, 30
		p.UpdateDurations(time.Hour, time.Minute)
		asked.AdvanceTo(150 * time.Millisecond)
		assert.Equal(t, jobstest.Seconds(0, 0.010, 0.030, 0.070, 0.150), asked.Moments())
	})
}

func TestUpdateDurationsLimitsApplyToCallsThatBeginAfterwards(t *testing.T) {
	t.Run("executions", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			before := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(200 * time.Second)}, jobs.Every(jobstest.ForAges), jobs.Detached())
			jobstest.Advance(time.Second)
			p.UpdateDurations(30*time.Second, 10*time.Second)
			after := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(200 * time.Second)}, jobs.Every(jobstest.ForAges), jobs.Detached())
			jobstest.Advance(10*time.Second - 1)
			assert.Equal(t, "Running", p.GetJobStatus(after))
			jobstest.Advance(1)
			assert.Equal(t, "Failed", p.GetJobStatus(after))
			jobstest.Advance(89*time.Second - 1)
			assert.Equal(t, "Running", p.GetJobStatus(before))
			jobstest.Advance(1)
			assert.Equal(t, "Failed", p.GetJobStatus(before), "its limit is the old one")
		}, jobs.WithExecutionTimeout(100*time.Second))
	})
	t.Run("a call of Status that has just begun", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.Sleeping(25 * time.Second)}, jobs.Every(jobstest.ForAges))
			jobstest.Advance(30*time.Second + 1)
			p.UpdateDurations(time.Hour, 20*time.Second)
			jobstest.Advance(10*time.Second - 2)
			assert.Equal(t, "Running", p.GetStatus())
			jobstest.Advance(1)
			assert.Equal(t, "Stopped", p.GetStatus(), "at its old limit")
		}, jobs.WithExecutionTimeout(10*time.Second))
	})
	t.Run("calls of Status", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.Sleeping(25 * time.Second)}, jobs.Every(jobstest.ForAges))
			jobstest.Advance(31 * time.Second)
			p.UpdateDurations(30*time.Second, 10*time.Second)
			jobstest.Advance(39*time.Second - 1)
			assert.Equal(t, "Running", p.GetStatus(), "the call that began at 30 has the old limit")
			jobstest.Advance(1)
			assert.Equal(t, "Stopped", p.GetStatus(), "the one that began at 60 the new one")
		})
	})
}

func TestAnExecutionTimeoutOfZeroOrLessMeansNone(t *testing.T) {
	for _, timeout := range []time.Duration{0, -1} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			p.UpdateDurations(30*time.Second, timeout)
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(100 * time.Hour)}, jobs.Every(jobstest.ForAges))
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.Sleeping(100 * time.Hour)}, jobs.Every(jobstest.ForAges))
			jobstest.Advance(99 * time.Hour)
			assert.Equal(t, "Running", p.GetStatus())
		})
	}
}

func TestARetryIntervalOfZeroOrLessIsLeftAsItIs(t *testing.T) {
	for _, interval := range []time.Duration{0, -time.Second} {
		logged := new(jobstest.Journal)
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			sweeps := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: sweeps.Status}, jobs.Every(jobstest.ForAges))
			assert.Empty(t, logged.AtLeast(slog.LevelWarn))
			p.UpdateDurations(interval, time.Minute)
			assert.Len(t, logged.AtLeast(slog.LevelWarn), 1, "logged")
			sweeps.AdvanceTo(70 * time.Second)
			assert.Equal(t, jobstest.Seconds(30, 60), sweeps.Moments())
		}, logged.Option())
	}
}

func TestAPoolMayBeMadeBeforeTheBubbleInWhichItIsUsed(t *testing.T) {
	p := jobs.NewPool(jobstest.Quiet, jobs.WithExecutionTimeout(10*time.Second))
	synctest.Test(t, func(t *testing.T) {
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.Sleeping(20 * time.Second)}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(40 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		require.NoError(t, p.Shutdown(t.Context()))
	})
}
