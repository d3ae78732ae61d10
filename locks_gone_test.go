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

func TestLockOfAJobUnregisteredWhileItIsHeldStillExcludes(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{"interval": jobs.Every(time.Hour), "single": jobs.Once()} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{}, trigger)
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
	inPool(t, func(t *testing.T, p *jobs.Pool) {
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
		pass(6*time.Second - 1)
		assert.EqualValues(t, 5, served.Load(), "one after the other")
		pass(1)
		assert.EqualValues(t, 6, served.Load())
		assert.Zero(t, met.Load())
		assert.Zero(t, job.begun.Load())
	})
}

func TestLockOfAJobUnregisteredWhileItExecutesIsHeldUntilItReturns(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		done := make(chan error)
		var begun atomic.Int32
		id := register(t, p, deafTo(done, &begun), jobs.Every(time.Hour), jobs.WithJobTimeout(100*time.Hour))
		synctest.Wait()
		p.UnregisterJob(id)
		excluded(t, p, id, func() { done <- nil })
		pass(24 * time.Hour)
		assert.EqualValues(t, 1, begun.Load())
	})
}

func TestLockByTheHandleOfAnUnregisteredJobExcludesItsOldID(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{}, jobs.Every(time.Hour))
		synctest.Wait()
		handle := p.GetJob(id)
		p.UnregisterJob(id)
		handle.Lock()
		excluded(t, p, id, handle.Unlock)
	})
}

func TestUnregisterJobByTheHolderOfItsLock(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		synctest.Wait()
		p.UnregisterJob(id) // returns at once
		p.JobUnlock(id)
		pass(24 * time.Hour)
		assert.Zero(t, job.begun.Load())
	})
}

func TestLockNeverGivenBackLeavesNoGoroutineOfAnUnregisteredJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		require.Contains(t, infoOf(t, p, id).NotExecuting, "lock")
		p.UnregisterJob(id) // the bubble fails the test if the execution still waits at its end
	})
}

func TestRunNowWhileTheJobWaitsForItsLockMakesOneMoreExecution(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := &lockedJob{lasts: time.Minute}
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		pass(time.Second)
		for range 3 {
			require.NoError(t, p.RunNow(id))
		}
		assert.Zero(t, job.begun.Load())
		p.JobUnlock(id)
		pass(time.Minute)
		assert.EqualValues(t, 2, job.begun.Load(), "right after the one that waited")
		pass(time.Minute)
		assert.EqualValues(t, 2, job.ended.Load())
		pass(time.Hour - 1)
		assert.EqualValues(t, 2, job.begun.Load())
		pass(1)
		assert.EqualValues(t, 3, job.begun.Load(), "the interval counts from its end")
	})
}

func TestRunNowOfALockedJobWaitsForTheLock(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := register(t, p, job, jobs.Every(time.Hour))
		synctest.Wait()
		p.JobLock(id)
		require.NoError(t, p.RunNow(id))
		pass(time.Minute)
		assert.EqualValues(t, 1, job.begun.Load())
		p.JobUnlock(id)
		synctest.Wait()
		assert.EqualValues(t, 2, job.begun.Load())
	})
}

func TestShutdownWhileJobsWaitForLocks(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := registerLocked(t, p, job, jobs.Every(time.Hour))
		inner := new(lockedJob)
		waiting := registerLocked(t, p, inner, jobs.Every(time.Hour), jobs.Detached())
		begin := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(begin), "nothing is in a call")
		excluded(t, p, id, func() { p.JobUnlock(id) }) // locks work afterwards
		p.JobUnlock(waiting)
		pass(24 * time.Hour)
		assert.Zero(t, job.begun.Load()+inner.begun.Load())
	})
}

func TestShutdownWaitsForAJobThatWaitsForALockInItsExecute(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{}, jobs.Every(time.Hour))
		synctest.Wait()
		p.JobLock(id)
		other := register(t, p, stub{execute: func() error {
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
		assert.EqualValues(t, 1, infoOf(t, p, other).Executions)
	})
}

func TestLockHeldBySleepingUserCodeLetsTheBubblesTimePass(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		job := new(lockedJob)
		id := register(t, p, job, jobs.Every(time.Hour))
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
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		ids := make(chan string, 1)
		job := new(lockedJob)
		job.ready = func() bool {
			id := <-ids
			defer func() { ids <- id }()
			p.JobLock(id)
			defer p.JobUnlock(id)
			time.Sleep(time.Second)
			return true
		}
		id := register(t, p, job, jobs.Every(time.Hour))
		ids <- id
		pass(time.Second)
		require.EqualValues(t, 1, job.begun.Load())
		stopped(p)
		pass(channelRestart + time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 2, job.begun.Load())
	})
}
