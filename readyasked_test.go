package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

func TestJobExecutionReadyCallsTheJobsReadyAndReturnsItsAnswer(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls atomic.Int32
		var answer atomic.Bool
		answer.Store(true)
		id := register(t, p, stub{ready: func() bool { calls.Add(1); return answer.Load() }}, jobs.Every(time.Hour))
		pass(time.Second)
		for i, want := range []bool{true, false, true} {
			answer.Store(want)
			assert.Equal(t, want, p.GetJob(id).Ready())
			assert.EqualValues(t, 2+i, calls.Load())
		}
	})
}

func TestJobExecutionReadyWaitsForACallInProgressFirst(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := newLaps()
		id := register(t, p, stub{ready: func() bool {
			n := asked.lap()
			time.Sleep(time.Second)
			return n == 2 // the call that waited has an answer of its own
		}}, jobs.Once())
		pass(time.Second / 2)
		assert.True(t, p.GetJob(id).Ready())
		assert.Equal(t, 2*time.Second, time.Since(asked.start))
		assert.Equal(t, times(time.Second, 0, 1), asked.all()[:2], "and the poll goes on")
	})
}

func TestJobExecutionReadyIsTrueWithoutACallWhileAnExecutionIsInProgress(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newLaps()
		var execution atomic.Pointer[jobs.JobExecution]
		var inside atomic.Bool
		id := register(t, p, stub{
			execute: func() error {
				time.Sleep(time.Second)
				inside.Store((*execution.Load()).Ready())
				time.Sleep(time.Minute)
				return nil
			},
			ready: func() bool { return calls.lap() == 1 },
		}, jobs.Every(time.Hour), jobs.WithJobTimeout(30*time.Second))
		j := p.GetJob(id)
		execution.Store(&j)
		pass(10 * time.Second)
		assert.True(t, j.Ready())
		assert.True(t, inside.Load(), "also from inside the execution")
		pass(30 * time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.True(t, j.Ready(), "also when it is late")
		assert.Len(t, calls.all(), 1)
	})
}

func TestJobExecutionReadyIsFalseAfterUnregisterJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls atomic.Int32
		id := register(t, p, stub{ready: func() bool { calls.Add(1); return true }}, jobs.Every(time.Hour))
		pass(time.Second)
		j := p.GetJob(id)
		p.UnregisterJob(id)
		assert.False(t, j.Ready())
		assert.EqualValues(t, 1, calls.Load())
	})
}

func TestJobExecutionReadyInProgressIsFalseWhenTheJobIsUnregistered(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{ready: func() bool { time.Sleep(time.Minute); return true }}, jobs.Every(time.Hour))
		j := p.GetJob(id)
		pass(time.Second)
		time.AfterFunc(time.Second, func() { p.UnregisterJob(id) })
		start := time.Now()
		assert.False(t, j.Ready(), "it waits for the poll")
		assert.Equal(t, time.Second, time.Since(start), "but is not held up")

		var calls atomic.Int32
		id = register(t, p, stub{ready: func() bool {
			if calls.Add(1) > 1 {
				time.Sleep(time.Minute)
			}
			return true
		}}, jobs.Every(time.Hour))
		pass(time.Second)
		time.AfterFunc(time.Second, func() { p.UnregisterJob(id) })
		assert.False(t, p.GetJob(id).Ready(), "it has called itself")
	})
}

func TestJobExecutionReadyDoesNotStartTheJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var willing atomic.Bool
		laps := newLaps()
		job := lapping(laps)
		job.ready = willing.Load
		id := register(t, p, job, jobs.Once())
		pass(5 * time.Millisecond)
		willing.Store(true)
		assert.True(t, p.GetJob(id).Ready())
		pass(4 * time.Millisecond)
		assert.Empty(t, laps.all())
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		pass(time.Millisecond)
		assert.Equal(t, times(time.Millisecond, 10), laps.all(), "the poll does")
	})
}

func TestThePoolHasItsTurnHoweverManyAskWhetherAJobIsReady(t *testing.T) {
	const takes = 10 * time.Millisecond
	ask := func(job jobs.JobExecution) (end func()) {
		over := make(chan bool)
		for range 10 {
			go func() {
				for {
					select {
					case <-over:
						return
					default:
						job.Ready()
					}
				}
			}()
		}
		return func() { close(over) }
	}
	slowly := func() bool { time.Sleep(takes); return true }
	t.Run("an execution", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{ready: slowly}, jobs.Every(time.Second))
			pass(time.Second)
			defer ask(p.GetJob(id))()
			pass(time.Minute)
			assert.GreaterOrEqual(t, infoOf(t, p, id).Executions, uint64(59), "each waits for one call at the most")
		})
	})
	t.Run("a poll and a restart", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{ready: slowly}, jobs.Every(time.Hour))
			defer ask(p.GetJob(id))()
			pass(3 * takes)
			assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
			stopPool(p)
			pass(30*time.Second + 3*takes)
			assert.Equal(t, "Running", p.GetStatus())
			assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
		})
	})
}
