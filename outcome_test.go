package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestWithForgetUnregistersAJobAfterItsEnd(t *testing.T) {
	broken := func() error { time.Sleep(5 * time.Second); return jobstest.ErrBroken }
	for name, c := range map[string]struct {
		execute func() error
		trigger jobs.Trigger
		end     time.Duration
		status  string
	}{
		"finished single run": {jobstest.Sleeping(5 * time.Second), jobs.Once(), 5 * time.Second, "Finished"},
		"failed single run":   {broken, jobs.Once(), 5 * time.Second, "Failed"},
		"finished retry":      {jobstest.Sleeping(5 * time.Second), jobs.Retry(2), 5 * time.Second, "Finished"},
		"failed retry":        {broken, jobs.Retry(2), 10 * time.Second, "Failed"},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: c.execute}, c.trigger, jobs.WithForget(20*time.Second))
				jobstest.Advance(c.end + 20*time.Second - 1)
				assert.Equal(t, c.status, p.GetJobStatus(id))
				jobstest.Advance(1)
				assert.Empty(t, p.GetJobStatus(id))
				assert.Nil(t, p.GetJob(id))
				assert.Zero(t, p.Info().Jobs)
			})
		})
	}
}

func TestWithForgetOfZeroIsAtOnceAndWithoutItTheRecordIsKept(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		forgotten := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once(), jobs.WithForget(0))
		kept := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		jobstest.Advance(0)
		assert.Empty(t, p.GetJobStatus(forgotten))
		jobstest.Advance(jobstest.ForAges)
		assert.Equal(t, "Finished", p.GetJobStatus(kept))
		p.UnregisterJob(kept)
		assert.Empty(t, p.GetJobStatus(kept))
	})
}

func TestALateSingleRunJobIsForgottenAfterItHasReturned(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(30 * time.Second)}, jobs.Once(),
			jobs.WithForget(5*time.Second), jobs.WithJobTimeout(10*time.Second))
		jobstest.Advance(35*time.Second - 1)
		require.Equal(t, "Failed", p.GetJobStatus(id), "and not Finished: what a late execution returns is ignored")
		jobstest.Advance(1)
		assert.Empty(t, p.GetJobStatus(id))
	})
}
