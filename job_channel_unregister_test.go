package jobs_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestChannelUnregisteredWhileExecutingIsTold(t *testing.T) {
	for _, detached := range []bool{false, true} {
		for _, result := range []error{nil, errChannel} {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(stop)
				w.result = result
				id := jobstest.Register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
				synctest.Wait()
				p.UnregisterJob(id)
				jobstest.Advance(time.Hour)
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
			jobstest.Advance(time.Second)
			stopped(p)
			p.UnregisterJob(id)
		},
		"while told and still executing": func(p *jobs.Pool, w *channelWorker, id string) {
			jobstest.Advance(time.Second)
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
				w.ReadyFunc = func() bool { return time.Since(start) > 100*time.Millisecond }
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				synctest.Wait()
				unregister(p, w, id)
				begun := w.begun.Load()
				assert.Empty(t, received(stop))
				jobstest.Advance(time.Hour)
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
				id <- jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
					begun.Add(1)
					p.UnregisterJob(<-id)
					return result
				}}, jobs.Channel(stop), detachedIf(detached)...)
				jobstest.Advance(time.Hour)
				assert.EqualValues(t, 1, begun.Load())
				assert.Zero(t, p.Info().Jobs)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Empty(t, received(stop))
			})
		}
	}
}

func TestChannelUnregisterFromInsideReadyAndStatus(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		ids := make(chan string, 2)
		unregister := func() { p.UnregisterJob(<-ids) }
		ready, status := newChannelWorker(stop), newChannelWorker(stop)
		ready.ReadyFunc = func() bool { unregister(); return true }
		status.StatusFunc = func() error { unregister(); return errChannel }
		ids <- jobstest.Register(t, p, ready, jobs.Channel(stop))
		synctest.Wait()
		assert.Zero(t, ready.begun.Load())
		ids <- jobstest.Register(t, p, status, jobs.Channel(stop))
		jobstest.Advance(channelRestart)
		assert.EqualValues(t, 1, status.told.Load())
		assert.Equal(t, "Running", p.GetStatus(), "the job it comes from is gone")
		assert.Zero(t, p.Info().Jobs)
	})
}

func TestChannelUnregisteredThatIgnoresTheStopHoldsUpNobody(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var begun atomic.Int32
		done := make(chan error)
		stop := make(chan interface{})
		id := jobstest.Register(t, p, deafTo(done, &begun), jobs.Channel(stop))
		w := newChannelWorker(make(chan interface{}))
		jobstest.Register(t, p, w, jobs.Channel(w.stop))
		synctest.Wait()
		p.UnregisterJob(id)
		stopped(p)
		jobstest.Advance(channelRestart)
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
			var job jobstest.Stub
			job.ExecuteFunc = func() error {
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
			ids <- jobstest.Register(t, p, job, jobs.Channel(stop))
			for round := range int32(20) {
				jobstest.Advance(time.Second)
				require.Equal(t, round+1, begun.Load())
				stopped(p)
				jobstest.Advance(channelRestart)
				require.Equal(t, "Running", p.GetStatus())
				require.Equal(t, 1, p.Info().Jobs)
			}
			assert.Empty(t, received(stop))
		})
	}
}

// An agentStream is a channel job as real agents have them: Execute does the work, and another
// goroutine listens to the stop channel, cleans up, unregisters the job and registers it again.
type agentStream struct {
	pool          *jobs.Pool
	stop          chan interface{}
	opts          []jobs.JobOption
	registerFirst bool          // and unregister then
	breaks        int32         // so many executions fail by themselves
	after         time.Duration // they have lasted for so long

	begun, nils atomic.Int32
	mu          sync.Mutex
	id          string // of the registration that counts
}

func (s *agentStream) Status() error { return nil }
func (s *agentStream) Ready() bool   { return true }

func (s *agentStream) Execute() error {
	over := make(chan struct{})
	go s.listen(over)
	if s.begun.Add(1) <= s.breaks {
		time.Sleep(s.after)
		return errChannel
	}
	<-over
	return errChannel
}

func (s *agentStream) listen(over chan<- struct{}) {
	<-s.stop
	s.nils.Add(1)
	close(over)
	s.renew()
}

func (s *agentStream) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.id
	if !s.registerFirst {
		s.pool.UnregisterJob(before)
	}
	// After Shutdown that is an error, and the id is empty.
	s.id, _ = s.pool.Register(s, jobs.Channel(s.stop), s.opts...)
	if s.registerFirst {
		s.pool.UnregisterJob(before)
	}
}

func (s *agentStream) registered() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// withAgentStreams runs a test with each way in which an agent may have its stream.
func withAgentStreams(t *testing.T, detached []bool, f func(t *testing.T, s *agentStream)) {
	t.Helper()
	for _, detached := range detached {
		for _, registerFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("detached %v, register first %v", detached, registerFirst), func(t *testing.T) {
				withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
					f(t, &agentStream{pool: p, stop: stop, opts: detachedIf(detached), registerFirst: registerFirst})
				})
			})
		}
	}
}

func TestChannelRegisteredAgainOnTheSameChannelAfterEachError(t *testing.T) {
	withAgentStreams(t, []bool{false, true}, func(t *testing.T, s *agentStream) {
		s.breaks, s.after = 50, time.Millisecond
		s.renew()
		jobstest.Advance(4 * time.Hour) // the pool waits longer and longer
		assert.EqualValues(t, s.breaks+1, s.begun.Load(), "each registration executes once")
		assert.Equal(t, s.breaks, s.nils.Load(), "each error gets one nil")
		assert.Equal(t, 1, s.pool.Info().Jobs)
		info := jobstest.InfoOf(t, s.pool, s.registered())
		assert.Equal(t, jobs.JobStatusRunning, info.Status)
		assert.EqualValues(t, 1, info.Executions)
		assert.Zero(t, info.Failures)
		assert.Empty(t, received(s.stop))
		assert.Equal(t, "Running", s.pool.GetStatus())
	})
}

func TestChannelRegisteredAgainOnTheSameChannelAfterEachStop(t *testing.T) {
	withAgentStreams(t, []bool{false}, func(t *testing.T, s *agentStream) {
		const rounds = 20
		s.renew()
		for range rounds {
			jobstest.Advance(time.Second)
			stopped(s.pool)
			jobstest.Advance(channelRestart)
			require.Equal(t, "Running", s.pool.GetStatus())
			require.Equal(t, 1, s.pool.Info().Jobs)
		}
		assert.EqualValues(t, rounds, s.nils.Load())
		assert.EqualValues(t, rounds+1, s.begun.Load())
		assert.EqualValues(t, 1, jobstest.InfoOf(t, s.pool, s.registered()).Executions)
		assert.Empty(t, received(s.stop))
	})
}

func TestChannelErrorOfASuccessorIsItsOwnThoughItsPredecessorsNilWasTaken(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		old, next := newChannelWorker(nil), newChannelWorker(nil)
		before := jobstest.Register(t, p, old, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		old.returns(errChannel)
		require.Len(t, received(stop), 1) // and then, as real agents do, in this order
		id := jobstest.Register(t, p, next, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		next.returns(errChannel)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures, "it was not told")
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		p.UnregisterJob(before)
		assert.Len(t, received(stop), 1, "exactly one nil for it")
		close(next.done)
	})
}

func TestChannelErrorOfASuccessorIsItsOwnOnceItsPredecessorIsUnregistered(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		old, next := newChannelWorker(nil), newChannelWorker(nil)
		before := jobstest.Register(t, p, old, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		old.returns(errChannel)
		id := jobstest.Register(t, p, next, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		require.Len(t, received(stop), 1)
		p.UnregisterJob(before)
		next.returns(errChannel)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures, "the nil was the other's, who is gone")
		assert.Len(t, received(stop), 1)
		close(next.done)
	})
}

func TestChannelNextJobOnTheChannelFindsNothingOfThePreviousOne(t *testing.T) {
	for name, end := range map[string]func(p *jobs.Pool, w *channelWorker, id string){
		"error": func(p *jobs.Pool, w *channelWorker, id string) {
			w.returns(errChannel)
			p.UnregisterJob(id)
		},
		"unregistered, not told": func(p *jobs.Pool, w *channelWorker, id string) {
			p.UnregisterJob(id)
			w.returns(errChannel)
		},
		"stopped, not told": func(p *jobs.Pool, w *channelWorker, id string) {
			stopped(p)
			p.UnregisterJob(id)
			w.returns(nil)
			jobstest.Advance(channelRestart)
		},
		"finished": func(p *jobs.Pool, w *channelWorker, id string) {
			w.returns(nil)
			p.UnregisterJob(id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				for range 20 {
					w := newChannelWorker(nil)
					id := jobstest.Register(t, p, w, jobs.Channel(stop))
					synctest.Wait()
					end(p, w, id)
				}
				jobstest.Advance(channelRestart)
				next := newChannelWorker(stop)
				id := jobstest.Register(t, p, next, jobs.Channel(stop))
				jobstest.Advance(time.Hour)
				assert.Zero(t, next.told.Load())
				assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
				assert.Equal(t, "Running", p.GetJobStatus(id))
			})
		})
	}
}
