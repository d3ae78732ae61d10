package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// The intervals of a pool for which nothing was set.
const channelRestart = 30 * time.Second

var errChannel = errors.New("channel job failed")

// A channelWorker is a channel job that works until it receives from its stop channel. The test
// makes it return by itself through done.
type channelWorker struct {
	jobstest.Stub
	stop   chan interface{}
	done   chan error // what Execute returns without having received from stop
	result error      // what it returns after that; not to be changed
	begun  atomic.Int32
	told   atomic.Int32
}

func newChannelWorker(stop chan interface{}) *channelWorker {
	return &channelWorker{stop: stop, done: make(chan error)}
}

func (w *channelWorker) Execute() error {
	w.begun.Add(1)
	select {
	case <-w.stop:
		w.told.Add(1)
		return w.result
	case err := <-w.done:
		return err
	}
}

// returns makes the Execute in progress return err by itself, and what follows from that happen.
func (w *channelWorker) returns(err error) {
	w.done <- err
	synctest.Wait()
}

// deafTo is a channel job that never looks at its stop channel, and returns what done says.
func deafTo(done <-chan error, begun *atomic.Int32) jobstest.Stub {
	return jobstest.Stub{ExecuteFunc: func() error {
		begun.Add(1)
		return <-done
	}}
}

// received takes what is on the channel, or on offer, at this moment.
func received(stop <-chan interface{}) (values []interface{}) {
	for {
		synctest.Wait()
		select {
		case v := <-stop:
			values = append(values, v)
		default:
			return values
		}
	}
}

// stopped stops the pool, without a culprit, and lets it tell its jobs.
func stopped(p *jobs.Pool) {
	p.SetStatus(jobs.PoolStatusStopped)
	synctest.Wait()
}

func goexit() error {
	runtime.Goexit()
	return nil
}

// withCapacities runs a test with stop channels of several capacities.
func withCapacities(t *testing.T, f func(t *testing.T, p *jobs.Pool, stop chan interface{})) {
	t.Helper()
	for _, capacity := range []int{0, 1, 3} {
		t.Run(fmt.Sprintf("capacity %d", capacity), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) { f(t, p, make(chan interface{}, capacity)) })
		})
	}
}

// detachedIf returns the options of a job that is to be detached, or attached.
func detachedIf(detached bool) []jobs.JobOption {
	if detached {
		return []jobs.JobOption{jobs.Detached()}
	}
	return nil
}

func TestChannelExecuteIsCalledOnceAndRunsUntilTold(t *testing.T) {
	for _, detached := range []bool{false, true} {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			w := newChannelWorker(stop)
			id := jobstest.Register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
			jobstest.Advance(24 * time.Hour)
			info := jobstest.InfoOf(t, p, id)
			assert.EqualValues(t, 1, w.begun.Load())
			assert.EqualValues(t, 1, info.Executions)
			assert.Zero(t, info.Failures, "its executions have no time limit")
			assert.Equal(t, jobs.JobStatusRunning, info.Status)
			assert.Empty(t, info.NotExecuting)
			assert.Equal(t, "Running", p.GetStatus())
		})
	}
}

func TestChannelTypeAndName(t *testing.T) {
	type form struct {
		register func(p *jobs.Pool, job jobs.Job, stop chan interface{}) (string, error)
		typ      string
		name     string
		detached bool
	}
	for name, f := range map[string]form{
		"attached": {func(p *jobs.Pool, j jobs.Job, c chan interface{}) (string, error) {
			return p.RegisterChannelJob(j, c)
		}, jobs.JobTypeChannel, jobs.JobTypeChannel, false},
		"attached, named": {func(p *jobs.Pool, j jobs.Job, c chan interface{}) (string, error) {
			return p.RegisterChannelJobWithName(j, c, "stream")
		}, jobs.JobTypeChannel, "stream", false},
		"detached": {func(p *jobs.Pool, j jobs.Job, c chan interface{}) (string, error) {
			return p.RegisterDetachedChannelJob(j, c)
		}, jobs.JobTypeDetachedChannel, jobs.JobTypeDetachedChannel, true},
		"detached, named": {func(p *jobs.Pool, j jobs.Job, c chan interface{}) (string, error) {
			return p.RegisterDetachedChannelJobWithName(j, c, "stream")
		}, jobs.JobTypeDetachedChannel, "stream", true},
		"options": {func(p *jobs.Pool, j jobs.Job, c chan interface{}) (string, error) {
			return p.Register(j, jobs.Channel(c), nil, jobs.Detached(), jobs.WithName("stream"), jobs.WithJobTimeout(time.Second))
		}, jobs.JobTypeDetachedChannel, "stream", true},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				stop := make(chan interface{})
				id, err := f.register(p, newChannelWorker(stop), stop)
				require.NoError(t, err)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, f.typ, info.Type)
				assert.Equal(t, f.name, info.Name)
				assert.Equal(t, f.detached, info.Detached)
			})
		})
	}
}

func TestChannelThatReturnsNilUntoldIsFinished(t *testing.T) {
	for _, detached := range []bool{false, true} {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			w := newChannelWorker(stop)
			id := jobstest.Register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
			w.returns(nil)
			assert.Equal(t, "Finished", p.GetJobStatus(id))
			assert.Equal(t, "Running", p.GetStatus(), "it is no failure")
			stopped(p)
			assert.Equal(t, "Finished", p.GetJobStatus(id))
			jobstest.Advance(channelRestart)
			require.Equal(t, "Running", p.GetStatus())
			assert.EqualValues(t, 1, w.begun.Load(), "never started again")
			assert.Equal(t, "Finished", p.GetJobStatus(id))
			assert.Empty(t, received(stop))
			p.UnregisterJob(id)
			assert.Empty(t, p.GetJobStatus(id))
		})
	}
}

func TestChannelFinishedIsNotAskedBeforeARestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var finished atomic.Bool
		w := newChannelWorker(make(chan interface{}))
		w.ReadyFunc = func() bool { return !finished.Load() }
		jobstest.Register(t, p, w, jobs.Channel(w.stop))
		synctest.Wait()
		finished.Store(true)
		w.returns(nil)
		stopped(p)
		jobstest.Advance(channelRestart)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestChannelFailureStopsThePoolAndItIsExecutedAgainAtTheRestart(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(stop)
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		jobstest.Advance(time.Second)
		w.returns(errChannel)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		assert.Equal(t, id, p.Info().StoppedBy)
		require.ErrorIs(t, p.Info().StopError, errChannel)

		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures)
		assert.EqualValues(t, 1, info.ConsecutiveFailures)
		assert.Equal(t, time.Second, info.LastDuration)
		require.ErrorIs(t, info.LastError, jobs.ErrExecutingJob)

		jobstest.Advance(channelRestart - 1)
		assert.EqualValues(t, 1, w.begun.Load())
		jobstest.Advance(1)
		assert.EqualValues(t, 2, w.begun.Load())
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, "Running", p.GetJobStatus(id))
	})
}

func TestChannelPanicAndGoexitAreErrors(t *testing.T) {
	for name, execute := range map[string]func() error{
		"panic":  func() error { panic(errChannel) },
		"Goexit": goexit,
		"error whose Error panics": func() error {
			var err *jobs.Error
			return err
		},
	} {
		for _, detached := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, detached %v", name, detached), func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					stop := make(chan interface{})
					id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: execute}, jobs.Channel(stop), detachedIf(detached)...)
					synctest.Wait()
					info := jobstest.InfoOf(t, p, id)
					assert.EqualValues(t, 1, info.Failures)
					require.Error(t, info.LastError)
					assert.Equal(t, jobs.JobStatusStopped, info.Status)
					assert.Equal(t, !detached, p.GetStatus() == "Stopped")
					assert.Equal(t, []interface{}{nil}, received(stop))
				})
			})
		}
	}
}

func TestChannelBadInput(t *testing.T) {
	stop := make(chan interface{})
	for name, c := range map[string]struct {
		job  jobs.Job
		stop chan interface{}
		opt  jobs.JobOption
		want string
	}{
		"nil channel":           {jobstest.Stub{}, nil, nil, "nil stop channel"},
		"nil channel, detached": {jobstest.Stub{}, nil, jobs.Detached(), "nil stop channel"},
		"nil job":               {nil, stop, nil, "nil job"},
		"jitter":                {jobstest.Stub{}, stop, jobs.WithJitter(time.Second), "WithJitter"},
		"backoff":               {jobstest.Stub{}, stop, jobs.WithRetryBackoff(1, 2), "WithRetryBackoff"},
		"forget":                {jobstest.Stub{}, stop, jobs.WithForget(time.Second), "WithForget"},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id, err := p.Register(c.job, jobs.Channel(c.stop), c.opt)
				require.ErrorIs(t, err, jobs.ErrRegisteringJob)
				require.ErrorContains(t, err, c.want)
				assert.Empty(t, id)
				assert.Zero(t, p.Info().Jobs)
				assert.Equal(t, "Initializing", p.GetStatus())
			})
		})
	}
}

func TestDetachedChannelIsUntouchedByAStoppedPool(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		var asked atomic.Int32
		w := newChannelWorker(stop)
		w.ReadyFunc = func() bool { asked.Add(1); return true }
		id := jobstest.Register(t, p, w, jobs.Channel(stop), jobs.Detached())
		for range 3 {
			jobstest.Advance(time.Second)
			stopped(p)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.Empty(t, received(stop))
			jobstest.Advance(channelRestart)
			require.Equal(t, "Running", p.GetStatus())
		}
		assert.EqualValues(t, 1, w.begun.Load())
		assert.Zero(t, w.told.Load())
		assert.EqualValues(t, 1, asked.Load(), "it is not asked before a restart")
	})
}

func TestDetachedChannelStatusIsNeverCalled(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls, attached atomic.Int32
		w := newChannelWorker(make(chan interface{}))
		w.StatusFunc = func() error { calls.Add(1); return errChannel }
		jobstest.Register(t, p, w, jobs.Channel(w.stop), jobs.Detached())
		other := newChannelWorker(make(chan interface{}))
		other.StatusFunc = func() error { attached.Add(1); return nil }
		jobstest.Register(t, p, other, jobs.Channel(other.stop))
		jobstest.Advance(10 * channelRestart)
		assert.Zero(t, calls.Load())
		assert.EqualValues(t, 10, attached.Load())
	})
}

func TestDetachedChannelBeginsAtOnceWhileThePoolIsStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		attached, detached := newChannelWorker(make(chan interface{})), newChannelWorker(make(chan interface{}))
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		synctest.Wait()
		stopped(p)
		a := jobstest.Register(t, p, attached, jobs.Channel(attached.stop))
		d := jobstest.Register(t, p, detached, jobs.Channel(detached.stop), jobs.Detached())
		synctest.Wait()
		assert.EqualValues(t, 1, detached.begun.Load())
		assert.Equal(t, "Running", p.GetJobStatus(d))
		assert.Zero(t, attached.begun.Load())
		assert.Equal(t, "Initializing", p.GetJobStatus(a))
		jobstest.Advance(channelRestart)
		assert.EqualValues(t, 1, attached.begun.Load(), "it begins with the restart")
		assert.Equal(t, "Running", p.GetJobStatus(a))
	})
}

func TestDetachedChannelThatEndsWithAnErrorIsStoppedForGood(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(stop)
		id := jobstest.Register(t, p, w, jobs.Channel(stop), jobs.Detached())
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		w.returns(errChannel)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, jobs.JobStatusStopped, info.Status)
		assert.EqualValues(t, 1, info.Failures)
		require.ErrorIs(t, info.LastError, errChannel)
		assert.NotEmpty(t, info.NotExecuting)
		assert.Equal(t, "Running", p.GetStatus())
		stopped(p)
		jobstest.Advance(channelRestart)
		require.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 1, w.begun.Load())
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
	})
}

func TestChannelIsInitializingUntilItIsReady(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			start := time.Now()
			w := newChannelWorker(make(chan interface{}))
			w.ReadyFunc = func() bool { return time.Since(start) >= 70*time.Millisecond }
			id := jobstest.Register(t, p, w, jobs.Channel(w.stop), opts...)
			jobstest.Advance(70*time.Millisecond - 1)
			assert.Equal(t, "Initializing", p.GetJobStatus(id))
			assert.Zero(t, w.begun.Load())
			jobstest.Advance(1)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.EqualValues(t, 1, w.begun.Load())
		})
	}
}

func TestChannelWithJobTimeoutLimitsItsStatusOnly(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		w := newChannelWorker(make(chan interface{}))
		w.StatusFunc = func() error { time.Sleep(2 * time.Second); return nil }
		id := jobstest.Register(t, p, w, jobs.Channel(w.stop), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(channelRestart + time.Second - 1)
		assert.Equal(t, "Running", p.GetStatus())
		jobstest.Advance(1)
		assert.Equal(t, "Stopped", p.GetStatus())
		require.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
		assert.EqualValues(t, 1, w.told.Load())
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
	})
}

func TestChannelStatusErrorStopsThePoolAndTellsTheJob(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(stop)
		w.StatusFunc = func() error { return errChannel }
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		jobstest.Advance(channelRestart)
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		assert.Equal(t, id, p.Info().StoppedBy)
		assert.EqualValues(t, 1, w.told.Load())
		jobstest.Advance(channelRestart)
		assert.Equal(t, "Running", p.GetStatus(), "the restart is not gated on Status")
		assert.EqualValues(t, 2, w.begun.Load())
	})
}

func TestChannelRunNowIsAnErrorAndNothingHappens(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		w := newChannelWorker(make(chan interface{}))
		id := jobstest.Register(t, p, w, jobs.Channel(w.stop))
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
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
					<-stop
					time.Sleep(time.Minute)
					return result
				}}, jobs.Channel(stop), opts...)
				jobstest.Advance(time.Second)
				begin := time.Now()
				require.NoError(t, p.Shutdown(context.Background()))
				assert.Equal(t, time.Minute, time.Since(begin))
				info := jobstest.InfoOf(t, p, id)
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
			deaf := jobstest.Register(t, p, deafTo(done, &begun), jobs.Channel(stop), opts...)
			good := newChannelWorker(make(chan interface{}))
			other := jobstest.Register(t, p, good, jobs.Channel(good.stop), opts...)
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
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return end() }}, jobs.Channel(stop))
				synctest.Wait()
				stopped(p)
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				jobstest.Advance(channelRestart)
				assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions, "it was told, and is executed again")
				require.NoError(t, p.Shutdown(context.Background()))
				assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
			})
		})
	}
}
