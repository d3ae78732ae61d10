package jobs_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestAJobIsFoundWhateverComesAndGoesBesideIt(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var ids []string
		for range 50 {
			ids = append(ids, jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour)))
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for range 100 {
					var guests []string
					for range 100 { // more than are there, so that the registry grows and shrinks
						guests = append(guests, jobstest.Register(t, p, jobstest.NeverReady, jobs.Once()))
					}
					for _, id := range guests {
						p.UnregisterJob(id)
						assert.Nil(t, p.GetJob(id))
					}
				}
			})
		}
		wg.Go(func() {
			for range 2000 {
				for _, id := range ids {
					if p.GetJob(id) == nil {
						assert.Fail(t, "a job that is registered was not found")
						return
					}
				}
				if p.GetJob("nobody") != nil {
					assert.Fail(t, "a job that is not registered was found")
				}
			}
		})
		wg.Wait()
		assert.Equal(t, 50, p.Info().Jobs)
	})
}
