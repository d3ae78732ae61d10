package jobs_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// These tests run outside a bubble, for the sake of real parallelism. Nothing in them waits for time.

func TestNoExecutionBeginsAfterGetStatusHasReadStopped(t *testing.T) {
	failing := newFault()
	for name, stop := range map[string]func(p *jobs.Pool, culprit string){
		"SetStatus": func(p *jobs.Pool, _ string) { p.SetStatus(jobs.PoolStatusStopped) },
		"a failure": func(p *jobs.Pool, culprit string) { failing.cause(); _ = p.RunNow(culprit) },
	} {
		t.Run(name, func(t *testing.T) {
			p := jobs.NewPool(quiet)
			failing.mend()
			culprit := register(t, p, stub{execute: failing.err}, jobs.Every(forAges))
			m := newMill(t, p)
			for range 50 {
				failing.mend()
				p.SetStatus(jobs.PoolStatusRunning)
				require.NoError(t, p.WaitRunning(context.Background()))
				for n := m.calls[0].Load(); m.calls[0].Load() == n; { // until it has executed
					runtime.Gosched()
				}
				go stop(p, culprit)
				for p.GetStatus() != "Stopped" {
					runtime.Gosched()
				}
				m.checkStopped(t)
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

// A mill is some jobs that execute all the time.
type mill struct {
	p     *jobs.Pool
	ids   [10]string
	calls [10]atomic.Uint64
}

func newMill(t *testing.T, p *jobs.Pool) *mill {
	m := &mill{p: p}
	for i := range m.ids {
		m.ids[i] = register(t, p, stub{execute: func() error { m.calls[i].Add(1); return nil }}, jobs.Every(time.Microsecond))
	}
	return m
}

// checkStopped checks that no execution begins any more. One that begins is counted as it is claimed.
func (m *mill) checkStopped(t *testing.T) {
	var begun [len(m.ids)]uint64
	for i, id := range m.ids {
		begun[i] = infoOf(t, m.p, id).Executions
	}
	for range 3 {
		for i, id := range m.ids {
			for m.p.GetJobStatus(id) != "Stopped" { // one that was claimed before runs to its end
				runtime.Gosched()
			}
			assert.Equal(t, begun[i], m.calls[i].Load())
			assert.Equal(t, begun[i], infoOf(t, m.p, id).Executions)
		}
	}
}

func TestAJobInfoNeverHasMoreFailuresThanExecutions(t *testing.T) {
	p := jobs.NewPool(quiet)
	id := register(t, p, stub{execute: func() error {
		if rand.N(2) == 0 {
			return errBroken
		}
		return nil
	}}, jobs.Every(time.Nanosecond), jobs.Detached())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 5000 {
				info, _ := p.Job(id)
				if info.Failures > info.Executions || info.ConsecutiveFailures > info.Failures ||
					(info.Failures > 0) != (info.LastError != nil) ||
					(info.ConsecutiveFailures > 0 && info.NotExecuting != "") != (info.Status == jobs.JobStatusFailed && info.NotExecuting != "") {
					assert.Fail(t, "inconsistent", "%+v", info)
					return
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, p.Shutdown(context.Background()))
}
