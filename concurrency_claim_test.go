package jobs_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// Whoever reads that the pool is Stopped, and then that a job is, knows that the job executes no more. Neither
// reading waits for anything, so a job must claim an execution before it looks at the pool: if it looked first
// and claimed then, both readings could fall in between. (This runs outside a bubble, as concurrency_test.go.)
func TestNoExecutionBeginsAfterTheJobOfAStoppedPoolHasReadStopped(t *testing.T) {
	p := jobs.NewPool(quiet)
	m := newMill(t, p)
	var stopped [len(m.ids)]bool
	var calls [len(m.ids)]uint64
	seen := 0
	for range rounds(300, 30_000) {
		p.SetStatus(jobs.PoolStatusRunning)
		require.NoError(t, p.WaitRunning(context.Background()))
		for n := m.calls[0].Load(); m.calls[0].Load() == n; { // until it has executed
			runtime.Gosched()
		}
		go stopPool(p)
		for p.GetStatus() != "Stopped" {
			runtime.Gosched()
		}
		for i, id := range m.ids {
			stopped[i] = p.GetJobStatus(id) == "Stopped"
			calls[i] = m.calls[i].Load()
		}
		for _, id := range m.ids {
			for p.GetJobStatus(id) != "Stopped" { // what was claimed runs to its end
				runtime.Gosched()
			}
			infoOf(t, p, id) // and whoever is about to begin has begun
		}
		for i, id := range m.ids {
			for p.GetJobStatus(id) != "Stopped" {
				runtime.Gosched()
			}
			if stopped[i] {
				seen++
				assert.Equal(t, calls[i], m.calls[i].Load())
			}
		}
	}
	assert.NotZero(t, seen)
	require.NoError(t, p.Shutdown(context.Background()))
}
