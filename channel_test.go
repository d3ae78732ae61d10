package jobs_test

import (
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
)

// The intervals of a pool for which nothing was set.
const channelRestart = 30 * time.Second

var errChannel = errors.New("channel job failed")

// A channelWorker is a channel job that works until it receives from its stop channel. The test
// makes it return by itself through done.
type channelWorker struct {
	stub
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
func deafTo(done <-chan error, begun *atomic.Int32) stub {
	return stub{execute: func() error {
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
			inPool(t, func(t *testing.T, p *jobs.Pool) { f(t, p, make(chan interface{}, capacity)) })
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
			id := register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
			pass(24 * time.Hour)
			info := infoOf(t, p, id)
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
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				stop := make(chan interface{})
				id, err := f.register(p, newChannelWorker(stop), stop)
				require.NoError(t, err)
				info := infoOf(t, p, id)
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
			id := register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
			w.returns(nil)
			assert.Equal(t, "Finished", p.GetJobStatus(id))
			assert.Equal(t, "Running", p.GetStatus(), "it is no failure")
			stopped(p)
			assert.Equal(t, "Finished", p.GetJobStatus(id))
			pass(channelRestart)
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
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var finished atomic.Bool
		w := newChannelWorker(make(chan interface{}))
		w.ready = func() bool { return !finished.Load() }
		register(t, p, w, jobs.Channel(w.stop))
		synctest.Wait()
		finished.Store(true)
		w.returns(nil)
		stopped(p)
		pass(channelRestart)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestChannelFailureStopsThePoolAndItIsExecutedAgainAtTheRestart(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(stop)
		id := register(t, p, w, jobs.Channel(stop))
		pass(time.Second)
		w.returns(errChannel)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		assert.Equal(t, id, p.Info().StoppedBy)
		require.ErrorIs(t, p.Info().StopError, errChannel)

		info := infoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures)
		assert.EqualValues(t, 1, info.ConsecutiveFailures)
		assert.Equal(t, time.Second, info.LastDuration)
		require.ErrorIs(t, info.LastError, jobs.ErrExecutingJob)

		pass(channelRestart - 1)
		assert.EqualValues(t, 1, w.begun.Load())
		pass(1)
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
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					stop := make(chan interface{})
					id := register(t, p, stub{execute: execute}, jobs.Channel(stop), detachedIf(detached)...)
					synctest.Wait()
					info := infoOf(t, p, id)
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
		"nil channel":           {stub{}, nil, nil, "nil stop channel"},
		"nil channel, detached": {stub{}, nil, jobs.Detached(), "nil stop channel"},
		"nil job":               {nil, stop, nil, "nil job"},
		"jitter":                {stub{}, stop, jobs.WithJitter(time.Second), "WithJitter"},
		"backoff":               {stub{}, stop, jobs.WithRetryBackoff(1, 2), "WithRetryBackoff"},
		"forget":                {stub{}, stop, jobs.WithForget(time.Second), "WithForget"},
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
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
