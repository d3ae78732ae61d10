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

func TestChannelUnregisteredWhileExecutingIsTold(t *testing.T) {
	for _, detached := range []bool{false, true} {
		for _, result := range []error{nil, errChannel} {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(stop)
				w.result = result
				id := register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
				synctest.Wait()
				p.UnregisterJob(id)
				pass(time.Hour)
				assert.EqualValues(t, 1, w.told.Load())
				assert.EqualValues(t, 1, w.begun.Load(), "no further execution")
				assert.Nil(t, p.GetJob(id))
				assert.Equal(t, "Running", p.GetStatus())
				assert.Empty(t, received(stop))
			})
		}
	}
}

func TestChannelUnregisteredIsNotExecutedAgain(t *testing.T) {
	for name, unregister := range map[string]func(p *jobs.Pool, w *channelWorker, id string){
		"before it is ready": func(p *jobs.Pool, _ *channelWorker, id string) { p.UnregisterJob(id) },
		"while stopped": func(p *jobs.Pool, _ *channelWorker, id string) {
			pass(time.Second)
			stopped(p)
			p.UnregisterJob(id)
		},
		"while told and still executing": func(p *jobs.Pool, w *channelWorker, id string) {
			pass(time.Second)
			stopped(p)
			p.UnregisterJob(id)
			w.returns(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(stop)
				if name == "while told and still executing" {
					w.stop = nil
				}
				start := time.Now()
				w.ready = func() bool { return time.Since(start) > 100*time.Millisecond }
				id := register(t, p, w, jobs.Channel(stop))
				synctest.Wait()
				unregister(p, w, id)
				begun := w.begun.Load()
				assert.Empty(t, received(stop))
				pass(time.Hour)
				assert.Equal(t, begun, w.begun.Load())
				assert.Equal(t, "Running", p.GetStatus())
			})
		})
	}
}

func TestChannelUnregisterFromInsideExecute(t *testing.T) {
	for _, detached := range []bool{false, true} {
		for _, result := range []error{nil, errChannel} {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				var begun atomic.Int32
				id := make(chan string, 1)
				id <- register(t, p, stub{execute: func() error {
					begun.Add(1)
					p.UnregisterJob(<-id)
					return result
				}}, jobs.Channel(stop), detachedIf(detached)...)
				pass(time.Hour)
				assert.EqualValues(t, 1, begun.Load())
				assert.Zero(t, p.Info().Jobs)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Empty(t, received(stop))
			})
		}
	}
}

func TestChannelUnregisterFromInsideReadyAndStatus(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		ids := make(chan string, 2)
		unregister := func() { p.UnregisterJob(<-ids) }
		ready, status := newChannelWorker(stop), newChannelWorker(stop)
		ready.ready = func() bool { unregister(); return true }
		status.status = func() error { unregister(); return errChannel }
		ids <- register(t, p, ready, jobs.Channel(stop))
		synctest.Wait()
		assert.Zero(t, ready.begun.Load())
		ids <- register(t, p, status, jobs.Channel(stop))
		pass(channelRestart)
		assert.EqualValues(t, 1, status.told.Load())
		assert.Equal(t, "Running", p.GetStatus(), "the job it comes from is gone")
		assert.Zero(t, p.Info().Jobs)
	})
}

func TestChannelUnregisteredThatIgnoresTheStopHoldsUpNobody(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var begun atomic.Int32
		done := make(chan error)
		stop := make(chan interface{})
		id := register(t, p, deafTo(done, &begun), jobs.Channel(stop))
		w := newChannelWorker(make(chan interface{}))
		register(t, p, w, jobs.Channel(w.stop))
		synctest.Wait()
		p.UnregisterJob(id)
		stopped(p)
		pass(channelRestart)
		assert.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 2, w.begun.Load())
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := p.Shutdown(ctx)
		require.ErrorContains(t, err, id, "its Execute has not returned")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		done <- errChannel
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Empty(t, received(stop))
	})
}

func TestChannelUnregisterAndRegisterFromInsideItsStopReceiver(t *testing.T) {
	for _, registerFirst := range []bool{false, true} {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			ids := make(chan string, 2)
			var begun atomic.Int32
			var job stub
			job.execute = func() error {
				begun.Add(1)
				<-stop
				before := <-ids
				if !registerFirst {
					p.UnregisterJob(before)
				}
				id, _ := p.RegisterChannelJob(job, stop) // an error after Shutdown
				if registerFirst {
					p.UnregisterJob(before)
				}
				ids <- id
				return nil
			}
			ids <- register(t, p, job, jobs.Channel(stop))
			for round := range int32(20) {
				pass(time.Second)
				require.Equal(t, round+1, begun.Load())
				stopped(p)
				pass(channelRestart)
				require.Equal(t, "Running", p.GetStatus())
				require.Equal(t, 1, p.Info().Jobs)
			}
			assert.Empty(t, received(stop))
		})
	}
}
