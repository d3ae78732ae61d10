package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

func TestIntervalExecutesAtOnceWhenReadyAndAfterEveryRestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var asked atomic.Int32
		laps := newTimeline()
		job := stub{execute: laps.execute}
		job.ready = func() bool { return asked.Add(1) != 1 }
		register(t, p, job, jobs.Every(time.Hour)) // ready at 10 ms
		pass(10 * time.Second)
		stopPool(p)
		pass(60 * time.Second) // it restarts at 40 s
		stopPool(p)
		pass(40 * time.Second) // and at 100 s
		assert.Equal(t, append(times(time.Millisecond, 10), times(time.Second, 40, 100)...), laps.moments())
		pass(time.Hour)
		assert.Equal(t, 100*time.Second+time.Hour, laps.moments()[3], "the interval counts from the last execution")
		assert.Len(t, laps.moments(), 4)
	})
}

func TestIntervalExecutesAgainTheIntervalAfterTheEndOfTheLast(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			laps := newTimeline()
			register(t, p, stub{execute: func() error {
				time.Sleep(time.Duration(laps.mark()) * time.Second)
				return nil
			}}, jobs.Every(10*time.Second), opts...)
			pass(50 * time.Second)
			assert.Equal(t, times(time.Second, 0, 11, 23, 36, 50), laps.moments())
		})
	}
}

func TestDetachedIntervalGoesOnAfterAFailureAndThroughAStop(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		id := register(t, p, stub{execute: func() error { laps.mark(); return errBroken }}, jobs.Every(20*time.Second), jobs.Detached())
		pass(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus(), "its failure does not stop the pool")
		stopPool(p)
		pass(60 * time.Second)
		assert.Equal(t, times(time.Second, 0, 20, 40, 60), laps.moments())
		assert.EqualValues(t, 4, infoOf(t, p, id).ConsecutiveFailures)
	})
}

func TestIntervalThatFailedExecutesAgainWithTheRestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		register(t, p, stub{execute: func() error {
			if laps.mark() == 1 {
				return errBroken
			}
			return nil
		}}, jobs.Every(time.Second))
		pass(30*time.Second - 1)
		assert.Equal(t, times(time.Second, 0), laps.moments())
		assert.Equal(t, "Stopped", p.GetStatus())
		pass(2 * time.Second)
		assert.Equal(t, times(time.Second, 0, 30, 31), laps.moments())
	})
}
