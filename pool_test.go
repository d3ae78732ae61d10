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
