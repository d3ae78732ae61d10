package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
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
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A lockedJob counts its executions.
type lockedJob struct {
	jobstest.Stub
	lasts time.Duration
	begun atomic.Int32
	ended atomic.Int32
}

func (l *lockedJob) Execute() error {
	l.begun.Add(1)
	defer l.ended.Add(1)
	if l.ExecuteFunc != nil {
		return l.ExecuteFunc()
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
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				f(t, p, jobs.Every(time.Hour), 0, detachedIf(detached)...)
			})
		})
		t.Run(fmt.Sprintf("scheduled, detached %v", detached), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				f(t, p, jobs.On(cron.Every(time.Hour)), time.Hour, detachedIf(detached)...)
			})
		})
	}
}

// registerLocked registers a job that is ready when this has its lock, and so cannot execute before.
func registerLocked(t *testing.T, p *jobs.Pool, job *lockedJob, trigger jobs.Trigger, opts ...jobs.JobOption) string {
	t.Helper()
	locked := make(chan struct{})
	job.ReadyFunc = func() bool { <-locked; return true }
	id := jobstest.Register(t, p, job, trigger, opts...)
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
		id := jobstest.Register(t, p, job, trigger, opts...)
		jobstest.Advance(first + time.Second)
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
		jobstest.Advance(first + 24*time.Hour)
		assert.Zero(t, job.begun.Load())
		assert.Equal(t, "Running", p.GetJobStatus(id))
		assert.Contains(t, jobstest.InfoOf(t, p, id).NotExecuting, "lock")
		p.JobUnlock(id)
		synctest.Wait()
		assert.EqualValues(t, 1, job.begun.Load())
		assert.NotContains(t, jobstest.InfoOf(t, p, id).NotExecuting, "lock")
	})
}

func TestLockIsReleasedHoweverTheExecutionEnds(t *testing.T) {
	for name, execute := range map[string]func() error{
		"error": func() error { return errChannel }, "panic": func() error { panic("lock") }, "Goexit": goexit,
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: execute}, jobs.Every(time.Hour), jobs.Detached())
				synctest.Wait()
				p.JobLock(id)
				p.JobUnlock(id)
				jobstest.Advance(time.Hour)
				assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
			})
		})
	}
}

func TestLockExcludesTwoJobsFromEachOther(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
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
		locked := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: critical}, jobs.Every(5*time.Millisecond))
		// One way only: two jobs that lock each other's would wait for each other.
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			p.JobLock(locked)
			defer p.JobUnlock(locked)
			return critical()
		}}, jobs.Every(4*time.Millisecond))
		jobstest.Advance(time.Second)
		assert.Zero(t, met.Load())
		assert.Greater(t, turns.Load(), int32(200))
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestLockWaitersAreServedInOrder(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
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
		job := &lockedJob{Stub: jobstest.Stub{ExecuteFunc: func() error { note(-1)(); return nil }}}
		id := jobstest.Register(t, p, job, jobs.Every(100*time.Millisecond))
		jobstest.Advance(time.Second + 50*time.Millisecond) // it has executed once
		p.JobLock(id)
		for i := range 3 {
			locking(p, id, note(i))
		}
		jobstest.Advance(100 * time.Millisecond) // the execution is the next in the queue
		for i := range 3 {
			locking(p, id, note(3+i))
		}
		p.JobUnlock(id)
		jobstest.Advance(7 * time.Second)
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
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				job := new(lockedJob)
				id := registerLocked(t, p, job, trigger)
				jobstest.Advance(2 * time.Hour) // it waits
				stopped(p)
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				jobstest.Advance(channelRestart - 1)
				p.JobUnlock(id)
				synctest.Wait()
				assert.Zero(t, job.begun.Load())
				p.JobLock(id) // it has given up the lock
				p.JobUnlock(id)
				jobstest.Advance(1)
				require.Equal(t, "Running", p.GetStatus())
				jobstest.Advance(2 * time.Hour)
				assert.Positive(t, job.begun.Load())
			})
		})
	}
}

func TestLockWaitedForOverARestartLetsTheJobExecuteInTheNewLife(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		synctest.Wait()
		stopped(p)
		jobstest.Advance(channelRestart)
		require.Equal(t, "Running", p.GetStatus(), "who waits for a lock does not hold the restart up")
		p.JobUnlock(id)
		synctest.Wait()
		assert.EqualValues(t, 1, job.begun.Load())
		jobstest.Advance(time.Hour)
		assert.EqualValues(t, 2, job.begun.Load())
	})
}

func TestLockWaitingJobThatFindsItselfUnregisteredDoesNotExecute(t *testing.T) {
	lockingTriggers(t, func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, trigger, opts...)
		jobstest.Advance(first)
		p.UnregisterJob(id)
		jobstest.Advance(time.Hour)
		p.JobUnlock(id)
		jobstest.Advance(time.Hour)
		assert.Zero(t, job.begun.Load())
	})
}

func TestLockWaitingDoesNotCountTowardsTheTimeLimit(t *testing.T) {
	lockingTriggers(t, func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption) {
		job := &lockedJob{lasts: time.Second - 1}
		id := registerLocked(t, p, job, trigger, append(slices.Clone(opts), jobs.WithJobTimeout(time.Second))...)
		jobstest.Advance(first + time.Hour)
		p.JobUnlock(id)
		begin := time.Now()
		jobstest.Advance(time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.Zero(t, info.Failures)
		assert.EqualValues(t, 1, job.ended.Load())
		assert.Equal(t, time.Second-1, info.LastDuration)
		assert.True(t, info.LastStart.Equal(begin))
		assert.Equal(t, "Running", p.GetJobStatus(id))
	})
}

func TestLockIsKeptByALateExecutionUntilItHasReturned(t *testing.T) {
	lockingTriggers(t, func(t *testing.T, p *jobs.Pool, trigger jobs.Trigger, first time.Duration, opts ...jobs.JobOption) {
		job := &lockedJob{lasts: time.Minute}
		id := jobstest.Register(t, p, job, trigger, append(slices.Clone(opts), jobs.WithJobTimeout(time.Second))...)
		jobstest.Advance(first + time.Second)
		require.Equal(t, "Failed", p.GetJobStatus(id), "late")
		begin := time.Now()
		p.JobLock(id)
		assert.Equal(t, 59*time.Second, time.Since(begin))
		p.JobUnlock(id)
	})
}

func TestLockOfAnAbandonedExecutionIsReleased(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		job.ExecuteFunc = func() error {
			if job.begun.Load() == 1 {
				time.Sleep(time.Minute)
			}
			return nil
		}
		id := jobstest.Register(t, p, job, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		synctest.Wait()
		begin := time.Now()
		p.JobLock(id)
		assert.Equal(t, 11*time.Second, time.Since(begin))
		jobstest.Advance(time.Minute) // its return changes nothing: the lock is still ours
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		locking(p, id, cancel)
		require.NoError(t, ctx.Err())
		p.JobUnlock(id)
		<-ctx.Done()
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
	}, jobs.WithAbandonAfter(10*time.Second))
}

// excluded asserts that whoever asks for the lock with that id has to wait for release.
func excluded(t *testing.T, p *jobs.Pool, id string, release func()) {
	t.Helper()
	var in atomic.Bool
	locking(p, id, func() { in.Store(true) })
	jobstest.Advance(time.Hour)
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
			var log jobstest.Journal
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{}, trigger)
				synctest.Wait()
				p.JobUnlock(id)
				assert.Len(t, log.AtLeast(slog.LevelInfo), 1)
				p.GetJob(id).Unlock()
				assert.Len(t, log.AtLeast(slog.LevelInfo), 1, "not each time")
				jobstest.Advance(10 * time.Minute)
				p.GetJob(id).Unlock()
				require.Len(t, log.AtLeast(slog.LevelInfo), 2)
				assert.EqualValues(t, 1, log.AtLeast(slog.LevelInfo)[1].Attrs["kept_back"].Uint64())
				p.JobLock(id)
				assert.Len(t, log.AtLeast(slog.LevelInfo), 2)
				excluded(t, p, id, func() { p.JobUnlock(id) })
				assert.Len(t, log.AtLeast(slog.LevelInfo), 2)
			}, log.Option())
		})
	}
}

func TestJobUnlockWhileAnExecutionHoldsTheLockOnlyLogs(t *testing.T) {
	var log jobstest.Journal
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		done := make(chan error)
		var begun atomic.Int32
		id := jobstest.Register(t, p, deafTo(done, &begun), jobs.Every(1000*time.Hour), jobs.WithJobTimeout(500*time.Hour))
		synctest.Wait()
		p.JobUnlock(id)
		p.GetJob(id).Unlock()
		assert.Len(t, log.AtLeast(slog.LevelInfo), 1, "not each time")
		excluded(t, p, id, func() { done <- nil })
		close(done)
	}, log.Option())
}

func TestJobUnlockFromInsideTheExecutionOnlyLogs(t *testing.T) {
	var log jobstest.Journal
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		ids := make(chan string, 1)
		done := make(chan error)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			p.JobUnlock(<-ids)
			return <-done
		}}, jobs.Every(1000*time.Hour))
		ids <- id
		synctest.Wait()
		assert.Len(t, log.AtLeast(slog.LevelInfo), 1)
		excluded(t, p, id, func() { done <- nil })
	}, log.Option(), jobs.WithExecutionTimeout(0))
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
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var begun atomic.Int32
				done := make(chan error)
				id := jobstest.Register(t, p, deafTo(done, &begun), c.trigger(), c.opts...)
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := jobstest.Register(t, p, job, jobs.Every(time.Hour))
		handle := p.GetJob(id)
		handle.GetJob().Lock()
		excluded(t, p, id, handle.Unlock)
		handle.Lock()
		before := job.begun.Load()
		jobstest.Advance(24 * time.Hour)
		assert.Equal(t, before, job.begun.Load())
		p.JobUnlock(id)
		synctest.Wait()
		assert.Equal(t, before+1, job.begun.Load())
	})
}

func TestLocksOfUnknownIDsDoNothing(t *testing.T) {
	jobstest.InPool(t, func(_ *testing.T, p *jobs.Pool) {
		for _, id := range []string{"", "nobody"} {
			p.JobLock(id)
			p.JobLock(id)
			p.JobUnlock(id)
			p.UnregisterJob(id)
		}
	})
}

func TestLockOfAJobUnregisteredWhileItIsHeldStillExcludes(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{"interval": jobs.Every(time.Hour), "single": jobs.Once()} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{}, trigger)
				synctest.Wait()
				p.JobLock(id)
				p.UnregisterJob(id)
				excluded(t, p, id, func() { p.JobUnlock(id) })
				p.JobLock(id) // nobody is left: an unknown id
				p.JobLock(id)
				p.JobUnlock(id)
			})
		})
	}
}

func TestLockWaitersOfAnUnregisteredJobStillExcludeEachOther(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var inside, met, served atomic.Int32
		critical := func() {
			if inside.Add(1) > 1 {
				met.Add(1)
			}
			time.Sleep(time.Second)
			inside.Add(-1)
			served.Add(1)
		}
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		for range 3 {
			locking(p, id, critical)
		}
		p.UnregisterJob(id)
		for range 3 {
			locking(p, id, critical) // by the old id
		}
		p.JobUnlock(id)
		jobstest.Advance(6*time.Second - 1)
		assert.EqualValues(t, 5, served.Load(), "one after the other")
		jobstest.Advance(1)
		assert.EqualValues(t, 6, served.Load())
		assert.Zero(t, met.Load())
		assert.Zero(t, job.begun.Load())
	})
}

func TestLockOfAJobUnregisteredWhileItExecutesIsHeldUntilItReturns(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		done := make(chan error)
		var begun atomic.Int32
		id := jobstest.Register(t, p, deafTo(done, &begun), jobs.Every(time.Hour), jobs.WithJobTimeout(100*time.Hour))
		synctest.Wait()
		p.UnregisterJob(id)
		excluded(t, p, id, func() { done <- nil })
		jobstest.Advance(24 * time.Hour)
		assert.EqualValues(t, 1, begun.Load())
	})
}

func TestLockByTheHandleOfAnUnregisteredJobExcludesItsOldID(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		synctest.Wait()
		handle := p.GetJob(id)
		p.UnregisterJob(id)
		handle.Lock()
		excluded(t, p, id, handle.Unlock)
	})
}

func TestUnregisterJobByTheHolderOfItsLock(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		synctest.Wait()
		p.UnregisterJob(id) // returns at once
		p.JobUnlock(id)
		jobstest.Advance(24 * time.Hour)
		assert.Zero(t, job.begun.Load())
	})
}

func TestLockNeverGivenBackLeavesNoGoroutineOfAnUnregisteredJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		require.Contains(t, jobstest.InfoOf(t, p, id).NotExecuting, "lock")
		p.UnregisterJob(id) // the bubble fails the test if the execution still waits at its end
	})
}

func TestRunNowWhileTheJobWaitsForItsLockMakesOneMoreExecution(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := &lockedJob{lasts: time.Minute}
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		for range 3 {
			require.NoError(t, p.RunNow(id))
		}
		assert.Zero(t, job.begun.Load())
		p.JobUnlock(id)
		jobstest.Advance(time.Minute)
		assert.EqualValues(t, 2, job.begun.Load(), "right after the one that waited")
		jobstest.Advance(time.Minute)
		assert.EqualValues(t, 2, job.ended.Load())
		jobstest.Advance(time.Hour - 1)
		assert.EqualValues(t, 2, job.begun.Load())
		jobstest.Advance(1)
		assert.EqualValues(t, 3, job.begun.Load(), "the interval counts from its end")
	})
}

func TestRunNowOfALockedJobWaitsForTheLock(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := jobstest.Register(t, p, job, jobs.Every(time.Hour))
		synctest.Wait()
		p.JobLock(id)
		require.NoError(t, p.RunNow(id))
		jobstest.Advance(time.Minute)
		assert.EqualValues(t, 1, job.begun.Load())
		p.JobUnlock(id)
		synctest.Wait()
		assert.EqualValues(t, 2, job.begun.Load())
	})
}

func TestShutdownWhileJobsWaitForLocks(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		inner := new(lockedJob)
		waiting := registerLocked(t, p, inner, jobs.Every(time.Hour), jobs.Detached())
		begin := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(begin), "nothing is in a call")
		excluded(t, p, id, func() { p.JobUnlock(id) }) // locks work afterwards
		p.JobUnlock(waiting)
		jobstest.Advance(24 * time.Hour)
		assert.Zero(t, job.begun.Load()+inner.begun.Load())
	})
}

func TestShutdownWaitsForAJobThatWaitsForALockInItsExecute(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		synctest.Wait()
		p.JobLock(id)
		other := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			p.JobLock(id)
			p.JobUnlock(id)
			return nil
		}}, jobs.Every(time.Hour))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := p.Shutdown(ctx)
		require.ErrorContains(t, err, other)
		assert.NotContains(t, err.Error(), id)
		p.JobUnlock(id)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, other).Executions)
	})
}

func TestLockHeldBySleepingUserCodeLetsTheBubblesTimePass(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := jobstest.Register(t, p, job, jobs.Every(time.Hour))
		var slept atomic.Int32
		begin := time.Now()
		for range 3 {
			locking(p, id, func() { time.Sleep(time.Hour); slept.Add(1) })
		}
		p.JobLock(id)
		assert.Equal(t, 3*time.Hour, time.Since(begin).Round(time.Hour))
		assert.EqualValues(t, 3, slept.Load())
		p.JobUnlock(id)
	})
}

func TestLockWaitedForInReadyOfItsOwnJobIsNoDeadlock(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		ids := make(chan string, 1)
		job := new(lockedJob)
		job.ReadyFunc = func() bool {
			id := <-ids
			defer func() { ids <- id }()
			p.JobLock(id)
			defer p.JobUnlock(id)
			time.Sleep(time.Second)
			return true
		}
		id := jobstest.Register(t, p, job, jobs.Every(10*time.Second))
		ids <- id
		jobstest.Advance(time.Second)
		require.EqualValues(t, 1, job.begun.Load())
		stopped(p)
		jobstest.Advance(channelRestart + time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 2, job.begun.Load())
	})
}

func TestNothingIsKeptOfAJobUnregisteredAsItsExecutionIsGrantedTheLock(t *testing.T) {
	for range 20 { // the execution may be granted the lock before or after
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Second))
			synctest.Wait()
			p.JobLock(id)
			jobstest.Advance(2 * time.Second)
			p.JobUnlock(id)
			p.UnregisterJob(id)
			jobstest.Advance(time.Second)
			assert.Zero(t, p.Departed())
		})
	}
}
