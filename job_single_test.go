package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestSingleRunHasOneExecution(t *testing.T) {
	for _, err := range []error{nil, jobstest.ErrBroken} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			laps := jobstest.NewTimeline()
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { laps.Mark(); return err }}, jobs.Once())
			jobstest.Advance(time.Hour)
			jobstest.StopPool(p)
			jobstest.Advance(time.Hour) // and the pool restarts
			assert.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, jobstest.Times(0, 0), laps.Moments())
			assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
		})
	}
}

func TestSingleRunHasNoTimeLimitUnlessOneIsGiven(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(24*time.Hour, nil), jobs.Once())
		jobstest.Advance(24*time.Hour - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
		jobstest.Advance(1)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.NoError(t, jobstest.InfoOf(t, p, id).LastError)
	}, jobs.WithExecutionTimeout(time.Second))
}

func TestSingleRunFailsAtTheTimeLimitItIsGiven(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobs.Once(), jobs.WithJobTimeout(time.Minute))
		jobstest.Advance(time.Minute - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		jobstest.Advance(1)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.ErrorIs(t, jobstest.InfoOf(t, p, id).LastError, jobs.ErrTimeout)
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Failed", p.GetJobStatus(id), "what it returned late is ignored")
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures)
	})
}
