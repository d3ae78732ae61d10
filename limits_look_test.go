package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

// A pool looks for long limits now and then only; that must not show.

func TestAnExecutionIsLateExactlyAtItsLimitWheneverItHasBegun(t *testing.T) {
	limits := []time.Duration{time.Second, 20*time.Second - 1, 20 * time.Second, 25 * time.Second, 5 * time.Minute}
	begins := times(time.Millisecond, 0, 1, 5_000, 9_999, 10_000, 13_700, 20_001)
	for _, limit := range limits {
		t.Run(limit.String(), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				register(t, p, lasting(time.Hour, nil), jobs.Every(forAges), jobs.Detached()) // something to look at
				var ids []string
				for i, begin := range begins {
					if i > 0 {
						begin -= begins[i-1]
					}
					pass(begin)
					ids = append(ids, register(t, p, lasting(time.Hour, nil), jobs.Every(forAges), jobs.Detached(), jobs.WithJobTimeout(limit)))
				}
				start := time.Now()
				last := begins[len(begins)-1]
				for i, id := range ids {
					if until := begins[i] - last + limit - time.Since(start) - 1; until >= 0 {
						pass(until)
						assert.Equal(t, "Running", p.GetJobStatus(id), "begun at %v", begins[i])
						pass(1)
					}
					assert.Equal(t, "Failed", p.GetJobStatus(id), "begun at %v", begins[i])
				}
			})
		})
	}
}

func TestAnExecutionIsLateExactlyAtItsLimitWhenThePoolHasSeenManyShortOnes(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		quick := 0
		id := register(t, p, stub{execute: func() error {
			if quick++; quick > 100 {
				time.Sleep(forAges)
			}
			return nil
		}}, jobs.Every(7*time.Second))
		pass(100 * 7 * time.Second)
		assert.EqualValues(t, 101, infoOf(t, p, id).Executions)
		pass(5*time.Minute - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		pass(1)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.Equal(t, "Stopped", p.GetStatus())
		pass(forAges)
	})
}

// hung returns what executes until the test lets it go.
func hung(release <-chan struct{}) stub {
	return stub{execute: func() error { <-release; return nil }}
}

func TestTheLimitOfAnExecutionCountsAfterUnregisterJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		id := register(t, p, hung(release), jobs.Every(time.Hour))
		pass(time.Second)
		granted := newLaps()
		go func() {
			p.JobLock(id)
			granted.lap()
			p.JobUnlock(id)
		}()
		pass(time.Second)
		p.UnregisterJob(id)
		pass(time.Hour)
		// Late at five minutes, given up one minute later: only then the lock is free.
		assert.Equal(t, []time.Duration{6*time.Minute - time.Second}, granted.all())
		close(release)
	}, jobs.WithAbandonAfter(time.Minute))
}

func TestTheLimitOfAnExecutionCountsAfterShutdown(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		defer close(release)
		id := register(t, p, hung(release), jobs.Every(time.Hour))
		pass(time.Second)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		assert.ErrorIs(t, p.Shutdown(ended), context.Canceled)
		pass(5*time.Minute - time.Second - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		pass(1)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
	})
}
