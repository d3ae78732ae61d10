package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestDetachedChannelIsUntouchedByAStoppedPool(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		var asked atomic.Int32
		w := newChannelWorker(stop)
		w.ready = func() bool { asked.Add(1); return true }
		id := register(t, p, w, jobs.Channel(stop), jobs.Detached())
		for range 3 {
			pass(time.Second)
			stopped(p)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.Empty(t, received(stop))
			pass(channelRestart)
			require.Equal(t, "Running", p.GetStatus())
		}
		assert.EqualValues(t, 1, w.begun.Load())
		assert.Zero(t, w.told.Load())
		assert.EqualValues(t, 1, asked.Load(), "it is not asked before a restart")
	})
}

func TestDetachedChannelStatusIsNeverCalled(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls, attached atomic.Int32
		w := newChannelWorker(make(chan interface{}))
		w.status = func() error { calls.Add(1); return errChannel }
		register(t, p, w, jobs.Channel(w.stop), jobs.Detached())
		other := newChannelWorker(make(chan interface{}))
		other.status = func() error { attached.Add(1); return nil }
		register(t, p, other, jobs.Channel(other.stop))
		pass(10 * channelRestart)
		assert.Zero(t, calls.Load())
		assert.EqualValues(t, 10, attached.Load())
	})
}

func TestDetachedChannelBeginsAtOnceWhileThePoolIsStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		attached, detached := newChannelWorker(make(chan interface{})), newChannelWorker(make(chan interface{}))
		register(t, p, stub{}, jobs.Every(time.Hour))
		synctest.Wait()
		stopped(p)
		a := register(t, p, attached, jobs.Channel(attached.stop))
		d := register(t, p, detached, jobs.Channel(detached.stop), jobs.Detached())
		synctest.Wait()
		assert.EqualValues(t, 1, detached.begun.Load())
		assert.Equal(t, "Running", p.GetJobStatus(d))
		assert.Zero(t, attached.begun.Load())
		assert.Equal(t, "Initializing", p.GetJobStatus(a))
		pass(channelRestart)
		assert.EqualValues(t, 1, attached.begun.Load(), "it begins with the restart")
		assert.Equal(t, "Running", p.GetJobStatus(a))
	})
}

func TestDetachedChannelThatEndsWithAnErrorIsStoppedForGood(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(stop)
		id := register(t, p, w, jobs.Channel(stop), jobs.Detached())
		register(t, p, stub{}, jobs.Every(time.Hour))
		pass(time.Second)
		w.returns(errChannel)
		info := infoOf(t, p, id)
		assert.Equal(t, jobs.JobStatusStopped, info.Status)
		assert.EqualValues(t, 1, info.Failures)
		require.ErrorIs(t, info.LastError, errChannel)
		assert.NotEmpty(t, info.NotExecuting)
		assert.Equal(t, "Running", p.GetStatus())
		stopped(p)
		pass(channelRestart)
		require.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 1, w.begun.Load())
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
	})
}

func TestChannelIsInitializingUntilItIsReady(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			start := time.Now()
			w := newChannelWorker(make(chan interface{}))
			w.ready = func() bool { return time.Since(start) >= 70*time.Millisecond }
			id := register(t, p, w, jobs.Channel(w.stop), opts...)
			pass(70*time.Millisecond - 1)
			assert.Equal(t, "Initializing", p.GetJobStatus(id))
			assert.Zero(t, w.begun.Load())
			pass(1)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.EqualValues(t, 1, w.begun.Load())
		})
	}
}

func TestChannelWithJobTimeoutLimitsItsStatusOnly(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		w := newChannelWorker(make(chan interface{}))
		w.status = func() error { time.Sleep(2 * time.Second); return nil }
		id := register(t, p, w, jobs.Channel(w.stop), jobs.WithJobTimeout(time.Second))
		pass(channelRestart + time.Second - 1)
		assert.Equal(t, "Running", p.GetStatus())
		pass(1)
		assert.Equal(t, "Stopped", p.GetStatus())
		require.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
		assert.EqualValues(t, 1, w.told.Load())
		assert.Zero(t, infoOf(t, p, id).Failures)
	})
}

func TestChannelStatusErrorStopsThePoolAndTellsTheJob(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(stop)
		w.status = func() error { return errChannel }
		id := register(t, p, w, jobs.Channel(stop))
		pass(channelRestart)
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		assert.Equal(t, id, p.Info().StoppedBy)
		assert.EqualValues(t, 1, w.told.Load())
		pass(channelRestart)
		assert.Equal(t, "Running", p.GetStatus(), "the restart is not gated on Status")
		assert.EqualValues(t, 2, w.begun.Load())
	})
}

func TestChannelRunNowIsAnErrorAndNothingHappens(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		w := newChannelWorker(make(chan interface{}))
		id := register(t, p, w, jobs.Channel(w.stop))
		synctest.Wait()
		require.Error(t, p.RunNow(id))
		w.returns(nil)
		require.Error(t, p.RunNow(id))
		assert.EqualValues(t, 1, w.begun.Load())
	})
}

func TestChannelShutdownTellsItAndWaitsForIt(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		for _, result := range []error{nil, errChannel} {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				id := register(t, p, stub{execute: func() error {
					<-stop
					time.Sleep(time.Minute)
					return result
				}}, jobs.Channel(stop), opts...)
				pass(time.Second)
				begin := time.Now()
				require.NoError(t, p.Shutdown(context.Background()))
				assert.Equal(t, time.Minute, time.Since(begin))
				info := infoOf(t, p, id)
				assert.Equal(t, jobs.JobStatusStopped, info.Status)
				assert.Zero(t, info.Failures)
				assert.EqualValues(t, 1, info.Executions)
				p.UnregisterJob(id)
				assert.Empty(t, p.GetJobStatus(id))
				assert.Empty(t, received(stop))
			})
		}
	}
}

func TestChannelShutdownNamesTheJobsThatIgnoreTheStop(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			var begun atomic.Int32
			done := make(chan error)
			deaf := register(t, p, deafTo(done, &begun), jobs.Channel(stop), opts...)
			good := newChannelWorker(make(chan interface{}))
			other := register(t, p, good, jobs.Channel(good.stop), opts...)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			err := p.Shutdown(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, deaf)
			assert.NotContains(t, err.Error(), other)
			assert.Equal(t, "Running", p.GetJobStatus(deaf), "it is executing")
			done <- errChannel
			require.NoError(t, p.Shutdown(context.Background()))
			assert.Equal(t, "Stopped", p.GetJobStatus(deaf))
			assert.Empty(t, received(stop))
		})
	}
}

func TestChannelShutdownOfOneThatPanicsOrGoexitsWhenTold(t *testing.T) {
	for name, end := range map[string]func() error{"panic": func() error { panic("told") }, "Goexit": goexit} {
		t.Run(name, func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				id := register(t, p, stub{execute: func() error { <-stop; return end() }}, jobs.Channel(stop))
				synctest.Wait()
				stopped(p)
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				pass(channelRestart)
				assert.EqualValues(t, 2, infoOf(t, p, id).Executions, "it was told, and is executed again")
				require.NoError(t, p.Shutdown(context.Background()))
				assert.Zero(t, infoOf(t, p, id).Failures)
			})
		})
	}
}
