package jobs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// hundredJobs registers a hundred attached jobs of all kinds. Each executes at every start of the pool, but for
// the scheduled ones, and notes nothing.
func hundredJobs(t *testing.T, p *jobs.Pool) {
	for n := range 100 {
		switch n % 10 {
		case 0:
			stop := make(chan interface{})
			register(t, p, stub{execute: func() error { <-stop; return nil }}, jobs.Channel(stop))
		case 1:
			register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil }), jobs.Channel(nil))
		case 2:
			register(t, p, idler{}, jobs.On(each(time.Hour)))
		default:
			register(t, p, idler{}, jobs.Every(time.Hour))
		}
	}
}

func TestRestartsLeaveNothing(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		hundredJobs(t, p)
		synctest.Wait()
		restarts := func(n int) {
			for range n {
				stopPool(p)
				synctest.Wait() // until the channel jobs have obeyed
				p.SetStatus(jobs.PoolStatusRunning)
				synctest.Wait()
			}
		}
		restarts(100)
		before, n := footprintNow(), rounds(10_000/raceFactor, 100_000)
		restarts(n)
		footprintNow().assertNoMoreThan(t, before, n)
		assert.Equal(t, 100+n, p.Info().Restarts)
		executions := 0
		for info := range p.Jobs() {
			executions += int(info.Executions)
		}
		assert.Equal(t, 90*(1+100+n), executions)
	})
}

func TestJobsThatAreRegisteredAndUnregisteredAtOnceLeaveNothing(t *testing.T) {
	n := rounds(25_000, 250_000)
	for _, k := range kinds {
		for _, opts := range [][]jobs.JobOption{nil, detached} {
			if opts != nil && k.detached == "" {
				continue
			}
			t.Run(k.typ+map[bool]string{true: ", detached"}[opts != nil], func(t *testing.T) {
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					comeAndGo(t, p, k.trigger, 1000, opts...)
					before := footprintNow()
					comeAndGo(t, p, k.trigger, n, opts...)
					footprintNow().assertNoMoreThan(t, before, n)
					assert.Zero(t, p.Info().Jobs)
					assert.Zero(t, p.Departed())
				})
			})
		}
	}
}

// comeAndGo registers a job n times, and each time unregisters it at once.
func comeAndGo(t *testing.T, p *jobs.Pool, trigger func() jobs.Trigger, n int, opts ...jobs.JobOption) {
	for i := range n {
		id, err := p.Register(idler{}, trigger(), opts...)
		require.NoError(t, err)
		p.UnregisterJob(id)
		if i%500 == 0 {
			synctest.Wait()
		}
	}
}
