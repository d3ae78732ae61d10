package jobs_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestNothingIsKeptOfAJobUnregisteredAsItsExecutionIsGrantedTheLock(t *testing.T) {
	for range 20 { // the execution may be granted the lock before or after
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{}, jobs.Every(time.Second))
			synctest.Wait()
			p.JobLock(id)
			pass(2 * time.Second)
			p.JobUnlock(id)
			p.UnregisterJob(id)
			pass(time.Second)
			assert.Zero(t, p.Departed())
		})
	}
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

func TestAPanicThatIsNoFailureAnyMoreIsLoggedWithItsStack(t *testing.T) {
	var log bytes.Buffer
	logTo := jobs.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		told := register(t, p, stub{execute: func() error { <-stop; panic("as told") }}, jobs.Channel(stop))
		late := func() error { time.Sleep(2 * time.Second); panic("too late") }
		register(t, p, stub{execute: late}, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		pass(5 * time.Second)
		for _, text := range []string{"panic: as told", "panic: too late", "stack=", "survival_told_test.go"} {
			assert.Contains(t, log.String(), text)
		}
		assert.Zero(t, infoOf(t, p, told).Failures)
		p.UnregisterJob(told)
	}, logTo)
}

// both is a ContextJob that listens to its stop channel only, as one does that is being moved over.
type both struct {
	stub
	stop chan interface{}
}

func (b both) ExecuteContext(context.Context) error { <-b.stop; return nil }

// A busyListener is a channel job that looks at its channel now and then.
func busyListener(stop chan interface{}, running *atomic.Int32) stub {
	return stub{execute: func() error {
		running.Add(1)
		defer running.Add(-1)
		for {
			select {
			case <-stop:
				return nil
			default:
				time.Sleep(100 * time.Millisecond)
			}
		}
	}}
}

func TestChannelSharedWithAContextJobThatTakesTheNilTheOtherIsToldToo(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		var running atomic.Int32
		register(t, p, both{stop: stop}, jobs.Channel(stop))
		register(t, p, busyListener(stop, &running), jobs.Channel(stop))
		for range 5 {
			pass(1050 * time.Millisecond)
			require.EqualValues(t, 1, running.Load())
			p.SetStatus(jobs.PoolStatusStopped)
			pass(5 * time.Second)
			require.Zero(t, running.Load())
			pass(30 * time.Second)
		}
	})
}

func TestChannelSharedThatWasRobbedOfItsNilIsToldAtShutdown(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		register(t, p, stub{execute: func() error { <-stop; return nil }}, jobs.Channel(stop))
		busy := register(t, p, stub{execute: func() error { time.Sleep(10 * time.Second); <-stop; return nil }}, jobs.Channel(stop))
		pass(time.Second)
		p.UnregisterJob(busy) // and the other takes the nil, and that which replaces it
		pass(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		assert.NoError(t, p.Shutdown(ctx))
	})
}

func TestAStatusCallFromBeforeARestartThatTurnsLateStopsThePool(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		id := register(t, p, stub{status: func() error { <-release; return nil }}, jobs.Every(time.Second))
		pass(15 * time.Second) // asked at 10 s
		p.SetStatus(jobs.PoolStatusStopped)
		pass(54 * time.Second)
		require.Equal(t, "Running", p.GetStatus())
		pass(time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, id, p.Info().StoppedBy)
		close(release)
		pass(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithStatusInterval(10*time.Second), jobs.WithRetryInterval(10*time.Second), jobs.WithExecutionTimeout(time.Minute))
}
