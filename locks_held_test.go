package jobs_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestLockIsKeptByALateExecutionUntilItHasReturned(t *testing.T) {
	lockingTriggers(t, func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption) {
		job := &lockedJob{lasts: time.Minute}
		id := register(t, p, job, trigger, append(slices.Clone(opts), jobs.WithJobTimeout(time.Second))...)
		pass(first + time.Second)
		require.Equal(t, "Failed", p.GetJobStatus(id), "late")
		begin := time.Now()
		p.JobLock(id)
		assert.Equal(t, 59*time.Second, time.Since(begin))
		p.JobUnlock(id)
	})
}

func TestLockOfAnAbandonedExecutionIsReleased(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		job.execute = func() error {
			if job.begun.Load() == 1 {
				time.Sleep(time.Minute)
			}
			return nil
		}
		id := register(t, p, job, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		synctest.Wait()
		begin := time.Now()
		p.JobLock(id)
		assert.Equal(t, 11*time.Second, time.Since(begin))
		pass(time.Minute) // its return changes nothing: the lock is still ours
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		locking(p, id, cancel)
		require.NoError(t, ctx.Err())
		p.JobUnlock(id)
		<-ctx.Done()
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
	}, jobs.WithAbandonAfter(10*time.Second))
}

// A lockLog counts the lines that were logged.
type lockLog struct {
	mu    sync.Mutex
	lines int
}

func (l *lockLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines += bytes.Count(line, []byte("\n"))
	return len(line), nil
}

func (l *lockLog) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

// excluded asserts that whoever asks for the lock with that id has to wait for release.
func excluded(t *testing.T, p *jobs.Pool, id string, release func()) {
	t.Helper()
	var in atomic.Bool
	locking(p, id, func() { in.Store(true) })
	pass(time.Hour)
	assert.False(t, in.Load(), "it was not locked")
	release()
	synctest.Wait()
	assert.True(t, in.Load(), "it is still locked")
}

func TestUnlockingWhatIsNotLockedDoesNothingButLog(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{
		"interval": jobs.Every(1000 * time.Hour), "single": jobs.Once(), "retry": jobs.Retry(1),
	} {
		t.Run(name, func(t *testing.T) {
			var log lockLog
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{}, trigger)
				synctest.Wait()
				p.JobUnlock(id)
				assert.Equal(t, 1, log.count())
				p.GetJob(id).Unlock()
				assert.Equal(t, 2, log.count())
				p.JobLock(id)
				assert.Equal(t, 2, log.count())
				excluded(t, p, id, func() { p.JobUnlock(id) })
				assert.Equal(t, 2, log.count())
			}, jobs.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		})
	}
}

func TestJobUnlockWhileAnExecutionHoldsTheLockOnlyLogs(t *testing.T) {
	var log lockLog
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		done := make(chan error)
		var begun atomic.Int32
		id := register(t, p, deafTo(done, &begun), jobs.Every(1000*time.Hour), jobs.WithJobTimeout(500*time.Hour))
		synctest.Wait()
		p.JobUnlock(id)
		p.GetJob(id).Unlock()
		assert.Equal(t, 2, log.count())
		excluded(t, p, id, func() { done <- nil })
		close(done)
	}, jobs.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
}

func TestJobUnlockFromInsideTheExecutionOnlyLogs(t *testing.T) {
	var log lockLog
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		ids := make(chan string, 1)
		done := make(chan error)
		id := register(t, p, stub{execute: func() error {
			p.JobUnlock(<-ids)
			return <-done
		}}, jobs.Every(1000*time.Hour))
		ids <- id
		synctest.Wait()
		assert.Equal(t, 1, log.count())
		excluded(t, p, id, func() { done <- nil })
	}, jobs.WithLogger(slog.New(slog.NewTextHandler(&log, nil))), jobs.WithExecutionTimeout(0))
}

func TestLocksOfOtherKindsAreNotTakenByTheirExecutions(t *testing.T) {
	stop := func() chan interface{} { return make(chan interface{}, 1) }
	for name, c := range map[string]struct {
		trigger func() jobs.Trigger
		opts    []jobs.JobOption
	}{
		"single run":       {jobs.Once, nil},
		"retry":            {func() jobs.Trigger { return jobs.Retry(3) }, nil},
		"channel":          {func() jobs.Trigger { return jobs.Channel(stop()) }, nil},
		"detached channel": {func() jobs.Trigger { return jobs.Channel(stop()) }, []jobs.JobOption{jobs.Detached()}},
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				var begun atomic.Int32
				done := make(chan error)
				id := register(t, p, deafTo(done, &begun), c.trigger(), c.opts...)
				p.JobLock(id)
				synctest.Wait()
				assert.EqualValues(t, 1, begun.Load(), "it executes though it is locked")
				excluded(t, p, id, func() { p.JobUnlock(id) })
				p.JobLock(id)
				p.GetJob(id).Unlock()
				close(done)
			})
		})
	}
}

func TestLockAndUnlockOfJobExecutionAreTheSameLock(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := register(t, p, job, jobs.Every(time.Hour))
		handle := p.GetJob(id)
		handle.GetJob().Lock()
		excluded(t, p, id, handle.Unlock)
		handle.Lock()
		before := job.begun.Load()
		pass(24 * time.Hour)
		assert.Equal(t, before, job.begun.Load())
		p.JobUnlock(id)
		synctest.Wait()
		assert.Equal(t, before+1, job.begun.Load())
	})
}

func TestLocksOfUnknownIDsDoNothing(t *testing.T) {
	inPool(t, func(_ *testing.T, p *jobs.Pool) {
		for _, id := range []string{"", "nobody"} {
			p.JobLock(id)
			p.JobLock(id)
			p.JobUnlock(id)
			p.UnregisterJob(id)
		}
	})
}
