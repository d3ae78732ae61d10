package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A contextWorker is a channel ContextJob that works until its context ends, or the test makes it
// return through done.
type contextWorker struct {
	jobstest.Stub
	stop   chan interface{} // may be nil
	done   chan error
	result func(ctx context.Context) error // what it returns when its context ends; nil: nil
	linger time.Duration                   // how long it cleans up before that

	mu       sync.Mutex
	contexts []context.Context
}

func (w *contextWorker) Execute() error { panic("ExecuteContext is to be called instead") }

func (w *contextWorker) ExecuteContext(ctx context.Context) error {
	w.mu.Lock()
	w.contexts = append(w.contexts, ctx)
	w.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-w.stop:
	case <-ctx.Done():
	}
	time.Sleep(w.linger)
	if w.result == nil {
		return nil
	}
	return w.result(ctx)
}

// causes returns why the context of each execution has ended, nil if it has not.
func (w *contextWorker) causes() (causes []error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ctx := range w.contexts {
		causes = append(causes, context.Cause(ctx))
	}
	return causes
}

func newContextWorker(stop chan interface{}) *contextWorker {
	return &contextWorker{stop: stop, done: make(chan error)}
}

// withStopChannels runs a test without a stop channel, and with several.
func withStopChannels(t *testing.T, f func(t *testing.T, p *jobs.Pool, stop chan interface{})) {
	t.Helper()
	t.Run("nil channel", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) { f(t, p, nil) })
	})
	withCapacities(t, f)
}

func TestChannelContextEndsWithErrStoppedWhenThePoolStopsAndCountsAsTold(t *testing.T) {
	for name, result := range map[string]func(context.Context) error{
		"nil":        nil,
		"ctx's":      func(ctx context.Context) error { return ctx.Err() },
		"some error": func(context.Context) error { return errChannel },
	} {
		t.Run(name, func(t *testing.T) {
			withStopChannels(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newContextWorker(nil) // it does not look at the channel
				w.result = result
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				for range 3 {
					jobstest.Advance(time.Hour)
					require.Equal(t, "Running", p.GetJobStatus(id))
					stopped(p)
					assert.Equal(t, "Stopped", p.GetJobStatus(id))
					jobstest.Advance(channelRestart)
				}
				assert.Equal(t, []error{jobs.ErrStopped, jobs.ErrStopped, jobs.ErrStopped, nil}, w.causes())
				info := jobstest.InfoOf(t, p, id)
				assert.EqualValues(t, 4, info.Executions)
				assert.Zero(t, info.Failures)
				assert.Empty(t, received(stop), "the nil that nobody needed was taken back")
			})
		})
	}
}

func TestChannelContextJobCanListenToBoth(t *testing.T) {
	withStopChannels(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newContextWorker(stop)
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		for range 20 {
			synctest.Wait()
			stopped(p)
			require.Equal(t, "Stopped", p.GetJobStatus(id))
			require.Empty(t, received(stop))
			jobstest.Advance(channelRestart)
		}
		w.done <- errChannel
		synctest.Wait()
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 21, info.Executions)
		assert.EqualValues(t, 1, info.Failures, "no nil of before counts for it")
	})
}

func TestChannelContextEndsWithErrUnregistered(t *testing.T) {
	for _, detached := range []bool{false, true} {
		withStopChannels(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			w := newContextWorker(nil)
			id := jobstest.Register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
			synctest.Wait()
			p.UnregisterJob(id)
			jobstest.Advance(time.Hour)
			assert.Equal(t, []error{jobs.ErrUnregistered}, w.causes())
			assert.Equal(t, "Running", p.GetStatus())
			assert.Empty(t, received(stop))
		})
	}
}

func TestChannelContextEndsWithErrShutdown(t *testing.T) {
	for _, detached := range []bool{false, true} {
		withStopChannels(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			w := newContextWorker(nil)
			w.result = context.Cause
			w.linger = time.Minute
			id := jobstest.Register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
			synctest.Wait()
			begin := time.Now()
			require.NoError(t, p.Shutdown(context.Background()))
			assert.Equal(t, time.Minute, time.Since(begin), "it waits for the call")
			assert.Equal(t, []error{jobs.ErrShutdown}, w.causes())
			info := jobstest.InfoOf(t, p, id)
			assert.Equal(t, jobs.JobStatusStopped, info.Status)
			assert.Zero(t, info.Failures)
			assert.Empty(t, received(stop))
		})
	}
}

func TestChannelContextEndsWhenTheExecutionReturns(t *testing.T) {
	withStopChannels(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newContextWorker(nil)
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		assert.Equal(t, []error{nil}, w.causes())
		w.done <- nil
		synctest.Wait()
		assert.Equal(t, "Finished", p.GetJobStatus(id), "untold")
		assert.Equal(t, []error{context.Canceled}, w.causes())
	})
}

func TestChannelContextOfADetachedJobDoesNotEndWithThePool(t *testing.T) {
	withStopChannels(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newContextWorker(stop)
		id := jobstest.Register(t, p, w, jobs.Channel(stop), jobs.Detached())
		for range 3 {
			synctest.Wait()
			stopped(p)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			jobstest.Advance(channelRestart)
		}
		assert.Equal(t, []error{nil}, w.causes())
	})
}

func TestChannelContextCanceledFromElsewhereIsAFailure(t *testing.T) {
	for name, err := range map[string]error{
		"context.Canceled": context.Canceled,
		"a cause of ours":  jobs.ErrStopped,
		"wrapped":          fmt.Errorf("read: %w", errors.Join(context.Canceled, jobs.ErrShutdown)),
	} {
		t.Run(name, func(t *testing.T) {
			withStopChannels(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newContextWorker(stop)
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				synctest.Wait()
				w.done <- err
				synctest.Wait()
				assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures)
				assert.Equal(t, "Stopped", p.GetStatus())
				require.ErrorIs(t, p.Info().StopError, err)
			})
		})
	}
}

func TestChannelContextJobToldThatOutlastsTheRestartIsExecutedAgainOnceItHasReturned(t *testing.T) {
	for name, result := range map[string]error{"nil": nil, "error": errChannel} {
		t.Run(name, func(t *testing.T) {
			withStopChannels(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newContextWorker(nil)
				w.result = func(context.Context) error { return result }
				w.linger = time.Minute
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				synctest.Wait()
				stopped(p)
				jobstest.Advance(channelRestart)
				require.Equal(t, "Running", p.GetStatus())
				jobstest.Advance(time.Minute - channelRestart - 1)
				assert.Len(t, w.causes(), 1)
				jobstest.Advance(1)
				assert.Equal(t, []error{jobs.ErrStopped, nil}, w.causes())
				assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
				assert.Equal(t, "Running", p.GetStatus())
			})
		})
	}
}

func TestChannelContextJobFuncNeedsNoStopChannel(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}), jobs.Channel(nil))
		other := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		}), jobs.Channel(nil))
		synctest.Wait()
		stopped(p)
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		jobstest.Advance(channelRestart)
		p.UnregisterJob(other) // does not touch the first, though they "share" a nil channel
		synctest.Wait()
		assert.Equal(t, "Running", p.GetJobStatus(id))
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
	})
}

func TestChannelContextJobThatFailsWithoutAChannelIsRestarted(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		w := newContextWorker(nil)
		id := jobstest.Register(t, p, w, jobs.Channel(nil))
		synctest.Wait()
		w.done <- errChannel
		synctest.Wait()
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		jobstest.Advance(channelRestart)
		assert.Equal(t, []error{context.Canceled, nil}, w.causes())
	})
}

func TestChannelContextJobWithoutAChannelIsOfferedNothing(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { return errChannel }), jobs.Channel(nil), jobs.Detached())
		over := make(chan bool)
		jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { <-over; return nil }), jobs.Channel(nil))
		synctest.Wait()
		before := len(jobstest.BubbleGoroutines())
		stopped(p)
		assert.Len(t, jobstest.BubbleGoroutines(), before)
		close(over)
	})
}
