package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestIntervalExecutesAtOnceWhenReadyAndAfterEveryRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var asked atomic.Int32
		laps := jobstest.NewTimeline()
		job := jobstest.Stub{ExecuteFunc: laps.Execute}
		job.ReadyFunc = func() bool { return asked.Add(1) != 1 }
		jobstest.Register(t, p, job, jobs.Every(time.Hour)) // ready at 10 ms
		jobstest.Advance(10 * time.Second)
		jobstest.StopPool(p)
		jobstest.Advance(60 * time.Second) // it restarts at 40 s
		jobstest.StopPool(p)
		jobstest.Advance(40 * time.Second) // and at 100 s
		assert.Equal(t, append(jobstest.Times(time.Millisecond, 10), jobstest.Times(time.Second, 40, 100)...), laps.Moments())
		jobstest.Advance(time.Hour)
		assert.Equal(t, 100*time.Second+time.Hour, laps.Moments()[3], "the interval counts from the last execution")
		assert.Len(t, laps.Moments(), 4)
	})
}

func TestIntervalExecutesAgainTheIntervalAfterTheEndOfTheLast(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			laps := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
				time.Sleep(time.Duration(laps.Mark()) * time.Second)
				return nil
			}}, jobs.Every(10*time.Second), opts...)
			jobstest.Advance(50 * time.Second)
			assert.Equal(t, jobstest.Times(time.Second, 0, 11, 23, 36, 50), laps.Moments())
		})
	}
}

func TestDetachedIntervalGoesOnAfterAFailureAndThroughAStop(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { laps.Mark(); return jobstest.ErrBroken }}, jobs.Every(20*time.Second), jobs.Detached())
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus(), "its failure does not stop the pool")
		jobstest.StopPool(p)
		jobstest.Advance(60 * time.Second)
		assert.Equal(t, jobstest.Times(time.Second, 0, 20, 40, 60), laps.Moments())
		assert.EqualValues(t, 4, jobstest.InfoOf(t, p, id).ConsecutiveFailures)
	})
}

func TestIntervalThatFailedExecutesAgainWithTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			if laps.Mark() == 1 {
				return jobstest.ErrBroken
			}
			return nil
		}}, jobs.Every(time.Second))
		jobstest.Advance(30*time.Second - 1)
		assert.Equal(t, jobstest.Times(time.Second, 0), laps.Moments())
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(2 * time.Second)
		assert.Equal(t, jobstest.Times(time.Second, 0, 30, 31), laps.Moments())
	})
}
