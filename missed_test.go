package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestAnOccurrenceThatPassesWhileThePoolIsStoppedIsSkippedAlsoByAJobThatHadToWait(t *testing.T) {
	t.Run("for its lock", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := newTimeline()
			id := register(t, p, stub{execute: calls.execute}, jobs.On(each(10*time.Second)))
			pass(time.Second)
			p.JobLock(id)
			stopPool(p) // from 1 to 31: it misses 10, 20 and 30
			pass(31 * time.Second)
			require.Equal(t, "Running", p.GetStatus())
			p.JobUnlock(id)
			calls.fill(45 * time.Second)
			assert.Equal(t, seconds(40), calls.moments())
		})
	})
	t.Run("for the answer of its Ready", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			var slow fault
			calls := newTimeline()
			register(t, p, stub{execute: calls.execute, ready: func() bool {
				if !slow.absent() {
					time.Sleep(12 * time.Second)
				}
				return true
			}}, jobs.On(each(40*time.Second)))
			pass(time.Second)
			slow.cause()
			stopPool(p) // until 43, as Ready lasts from 31 on: it misses 40
			calls.fill(85 * time.Second)
			require.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, seconds(80), calls.moments())
		})
	})
}
