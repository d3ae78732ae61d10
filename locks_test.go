package jobs_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// A lockedJob counts its executions.
type lockedJob struct {
	stub
	lasts time.Duration
	begun atomic.Int32
	ended atomic.Int32
}

func (l *lockedJob) Execute() error {
	l.begun.Add(1)
	defer l.ended.Add(1)
	if l.execute != nil {
		return l.execute()
	}
	time.Sleep(l.lasts)
	return nil
}

// lockingTriggers are those of the kinds that hold their lock while they execute. The first
// execution is due at once, or after one hour.
func lockingTriggers(t *testing.T, f func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption)) {
	t.Helper()
	for _, detached := range []bool{false, true} {
		t.Run(fmt.Sprintf("interval, detached %v", detached), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				f(t, p, jobs.Every(time.Hour), 0, detachedIf(detached)...)
			})
		})
		t.Run(fmt.Sprintf("scheduled, detached %v", detached), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				f(t, p, jobs.On(cron.Every(time.Hour)), time.Hour, detachedIf(detached)...)
			})
		})
	}
}

// registerLocked registers a job that is ready when this has its lock, and so cannot execute before.
func registerLocked(t *testing.T, p *jobs.Pool, job *lockedJob, trigger jobs.Trigger, opts ...jobs.JobOption) string {
	t.Helper()
	locked := make(chan struct{})
	job.ready = func() bool { <-locked; return true }
	id := register(t, p, job, trigger, opts...)
	p.JobLock(id)
	close(locked)
	synctest.Wait()
	return id
}

// locking runs f in another goroutine, with the lock of the job with that id.
func locking(p *jobs.Pool, id string, f func()) {
	go func() {
		p.JobLock(id)
		defer p.JobUnlock(id)
		f()
	}()
	synctest.Wait()
}

func TestLockIsHeldWhileTheJobExecutes(t *testing.T) {
	lockingTriggers(t, func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption) {
		job := &lockedJob{lasts: time.Minute}
		id := register(t, p, job, trigger, opts...)
		pass(first + time.Second)
		require.EqualValues(t, 1, job.begun.Load())
		begin := time.Now()
		p.JobLock(id)
		assert.Equal(t, 59*time.Second, time.Since(begin), "JobLock waits for it")
		assert.EqualValues(t, 1, job.ended.Load())
		p.JobUnlock(id)
	})
}

func TestLockKeepsTheJobFromExecutingUntilJobUnlock(t *testing.T) {
	lockingTriggers(t, func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, trigger, opts...)
		pass(first + 24*time.Hour)
		assert.Zero(t, job.begun.Load())
		assert.Equal(t, "Running", p.GetJobStatus(id))
		assert.Contains(t, infoOf(t, p, id).NotExecuting, "lock")
		p.JobUnlock(id)
		synctest.Wait()
		assert.EqualValues(t, 1, job.begun.Load())
		assert.NotContains(t, infoOf(t, p, id).NotExecuting, "lock")
	})
}

func TestLockIsReleasedHoweverTheExecutionEnds(t *testing.T) {
	for name, execute := range map[string]func() error{
		"error": func() error { return errChannel }, "panic": func() error { panic("lock") }, "Goexit": goexit,
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{execute: execute}, jobs.Every(time.Hour), jobs.Detached())
				synctest.Wait()
				p.JobLock(id)
				p.JobUnlock(id)
				pass(time.Hour)
				assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
			})
		})
	}
}

func TestLockExcludesTwoJobsFromEachOther(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var inside, met, turns atomic.Int32
		critical := func() error {
			if inside.Add(1) > 1 {
				met.Add(1)
			}
			time.Sleep(3 * time.Millisecond)
			inside.Add(-1)
			turns.Add(1)
			return nil
		}
		locked := register(t, p, stub{execute: critical}, jobs.Every(5*time.Millisecond))
		// One way only: two jobs that lock each other's would wait for each other.
		register(t, p, stub{execute: func() error {
			p.JobLock(locked)
			defer p.JobUnlock(locked)
			return critical()
		}}, jobs.Every(4*time.Millisecond))
		pass(time.Second)
		assert.Zero(t, met.Load())
		assert.Greater(t, turns.Load(), int32(200))
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestLockWaitersAreServedInOrder(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var mu sync.Mutex
		var order []int
		note := func(i int) func() {
			return func() {
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				time.Sleep(time.Second)
			}
		}
		job := &lockedJob{stub: stub{execute: func() error { note(-1)(); return nil }}}
		id := register(t, p, job, jobs.Every(100*time.Millisecond))
		pass(time.Second + 50*time.Millisecond) // it has executed once
		p.JobLock(id)
		for i := range 3 {
			locking(p, id, note(i))
		}
		pass(100 * time.Millisecond) // the execution is the next in the queue
		for i := range 3 {
			locking(p, id, note(3+i))
		}
		p.JobUnlock(id)
		pass(7 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, []int{-1, 0, 1, 2, -1, 3, 4, 5}, order[:8])
	})
}

func TestLockWaitingJobThatFindsItselfStoppedDoesNotExecute(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{
		"interval": jobs.Every(time.Hour), "scheduled": jobs.On(cron.Every(2 * time.Hour)),
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				job := new(lockedJob)
				id := registerLocked(t, p, job, trigger)
				pass(2 * time.Hour) // it waits
				stopped(p)
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				pass(channelRestart - 1)
				p.JobUnlock(id)
				synctest.Wait()
				assert.Zero(t, job.begun.Load())
				p.JobLock(id) // it has given up the lock
				p.JobUnlock(id)
				pass(1)
				require.Equal(t, "Running", p.GetStatus())
				pass(2 * time.Hour)
				assert.Positive(t, job.begun.Load())
			})
		})
	}
}

func TestLockWaitedForOverARestartLetsTheJobExecuteInTheNewLife(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		synctest.Wait()
		stopped(p)
		pass(channelRestart)
		require.Equal(t, "Running", p.GetStatus(), "who waits for a lock does not hold the restart up")
		p.JobUnlock(id)
		synctest.Wait()
		assert.EqualValues(t, 1, job.begun.Load())
		pass(time.Hour)
		assert.EqualValues(t, 2, job.begun.Load())
	})
}

func TestLockWaitingJobThatFindsItselfUnregisteredDoesNotExecute(t *testing.T) {
	lockingTriggers(t, func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, trigger, opts...)
		pass(first)
		p.UnregisterJob(id)
		pass(time.Hour)
		p.JobUnlock(id)
		pass(time.Hour)
		assert.Zero(t, job.begun.Load())
	})
}

func TestLockWaitingDoesNotCountTowardsTheTimeLimit(t *testing.T) {
	lockingTriggers(t, func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption) {
		job := &lockedJob{lasts: time.Second - 1}
		id := registerLocked(t, p, job, trigger, append(slices.Clone(opts), jobs.WithJobTimeout(time.Second))...)
		pass(first + time.Hour)
		p.JobUnlock(id)
		begin := time.Now()
		pass(time.Second)
		info := infoOf(t, p, id)
		assert.Zero(t, info.Failures)
		assert.EqualValues(t, 1, job.ended.Load())
		assert.Equal(t, time.Second-1, info.LastDuration)
		assert.True(t, info.LastStart.Equal(begin))
		assert.Equal(t, "Running", p.GetJobStatus(id))
	})
}
