package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestWithForgetUnregistersAJobAfterItsEnd(t *testing.T) {
	broken := func() error { time.Sleep(5 * time.Second); return errBroken }
	for name, c := range map[string]struct {
		execute func() error
		trigger jobs.Trigger
		end     time.Duration
		status  string
	}{
		"finished single run": {enduring(5 * time.Second), jobs.Once(), 5 * time.Second, "Finished"},
		"failed single run":   {broken, jobs.Once(), 5 * time.Second, "Failed"},
		"finished retry":      {enduring(5 * time.Second), jobs.Retry(2), 5 * time.Second, "Finished"},
		"failed retry":        {broken, jobs.Retry(2), 10 * time.Second, "Failed"},
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{execute: c.execute}, c.trigger, jobs.WithForget(20*time.Second))
				pass(c.end + 20*time.Second - 1)
				assert.Equal(t, c.status, p.GetJobStatus(id))
				pass(1)
				assert.Empty(t, p.GetJobStatus(id))
				assert.Nil(t, p.GetJob(id))
				assert.Zero(t, p.Info().Jobs)
			})
		})
	}
}

func TestWithForgetOfZeroIsAtOnceAndWithoutItTheRecordIsKept(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		forgotten := register(t, p, stub{}, jobs.Once(), jobs.WithForget(0))
		kept := register(t, p, stub{}, jobs.Once())
		pass(0)
		assert.Empty(t, p.GetJobStatus(forgotten))
		pass(forAges)
		assert.Equal(t, "Finished", p.GetJobStatus(kept))
		p.UnregisterJob(kept)
		assert.Empty(t, p.GetJobStatus(kept))
	})
}

func TestALateSingleRunJobIsForgottenAfterItHasReturned(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{execute: enduring(30 * time.Second)}, jobs.Once(),
			jobs.WithForget(5*time.Second), jobs.WithJobTimeout(10*time.Second))
		pass(35*time.Second - 1)
		require.Equal(t, "Failed", p.GetJobStatus(id), "and not Finished: what a late execution returns is ignored")
		pass(1)
		assert.Empty(t, p.GetJobStatus(id))
	})
}
