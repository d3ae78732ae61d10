package jobs_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// The runtime prefers timers that are due, and goroutines just made, to those that have waited longer. Jobs
// with hardly a wait between two executions would keep all other goroutines waiting for seconds, and
// execute millions of times meanwhile. What is counted is how often they do while the test's own goroutine
// waits to go on; not in a bubble, as it is the runtime's real scheduling that counts.
func TestJobsWithHardlyAWaitLetOthersRun(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{
		"interval": jobs.Every(time.Nanosecond),
		"retry":    jobs.Retry(math.MaxInt),
	} {
		t.Run(name, func(t *testing.T) {
			const rounds, perRound = 20, 2000
			p := jobs.NewPool(quiet)
			var executions atomic.Int64
			var waited atomic.Pointer[chan struct{}]
			for range 100 {
				register(t, p, stub{execute: func() error {
					if over := waited.Load(); executions.Add(1)%perRound == 0 && over != nil && waited.CompareAndSwap(over, nil) {
						close(*over)
					}
					if name == "retry" {
						return errTrial
					}
					return nil
				}}, trigger)
			}
			for range rounds {
				over := make(chan struct{})
				waited.Store(&over)
				<-over
			}
			t.Logf("%d executions, of which %d were waited for", executions.Load(), rounds*perRound)
			// Hardly more are expected. Of jobs that do not let others run there are 20 times as many, or 500.
			assert.Less(t, executions.Load(), int64(10*rounds*perRound))
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}
