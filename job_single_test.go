package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

func TestSingleRunHasOneExecution(t *testing.T) {
	for _, err := range []error{nil, errBroken} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			laps := newTimeline()
			id := register(t, p, stub{execute: func() error { laps.mark(); return err }}, jobs.Once())
			pass(time.Hour)
			stopPool(p)
			pass(time.Hour) // and the pool restarts
			assert.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, times(0, 0), laps.moments())
			assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
		})
	}
}

func TestSingleRunHasNoTimeLimitUnlessOneIsGiven(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, lasting(24*time.Hour, nil), jobs.Once())
		pass(24*time.Hour - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		assert.Zero(t, infoOf(t, p, id).Failures)
		pass(1)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.NoError(t, infoOf(t, p, id).LastError)
	}, jobs.WithExecutionTimeout(time.Second))
}

func TestSingleRunFailsAtTheTimeLimitItIsGiven(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, lasting(time.Hour, nil), jobs.Once(), jobs.WithJobTimeout(time.Minute))
		pass(time.Minute - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		pass(1)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.ErrorIs(t, infoOf(t, p, id).LastError, jobs.ErrTimeout)
		pass(time.Hour)
		assert.Equal(t, "Failed", p.GetJobStatus(id), "what it returned late is ignored")
		assert.EqualValues(t, 1, infoOf(t, p, id).Failures)
	})
}
