package stress

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// These tests run in real time, in which a goroutine may be off its processor at any moment. They assert no time.
// What they look for shows now and then only, and within minutes in the copies that perturb/ makes, in which goroutines
// are late on purpose.

// inPoolsAtOnce runs f beside itself in n pools, and shuts them down.
func inPoolsAtOnce(t *testing.T, n int, f func(p *jobs.Pool), opts ...jobs.PoolOption) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			p := jobs.NewPool(append([]jobs.PoolOption{jobstest.Quiet}, opts...)...)
			f(p)
			assert.NoError(t, p.Shutdown(context.Background()))
		})
	}
	wg.Wait()
}

// A sweep that ends, and takes its list with it, while a goroutine of it is about to call a Status.
func TestPerturbedSweepsCallEachStatusOnceAtATime(t *testing.T) {
	inPoolsAtOnce(t, 8, func(p *jobs.Pool) {
		const calls = 300
		enough := make(chan struct{})
		var made, beside atomic.Int64
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error {
			assert.EqualValues(t, 1, beside.Add(1))
			if made.Add(1) == calls {
				close(enough)
			}
			beside.Add(-1)
			return nil
		}}, jobs.Every(time.Hour))
		within(t, enough, "the sweeps go on")
	}, jobs.WithStatusInterval(time.Microsecond))
}

// A Status of which nobody takes note that it lasts. There is one sweep, as the next could notice.
func TestPerturbedStatusThatHangsStopsThePool(t *testing.T) {
	inPoolsAtOnce(t, 50, func(p *jobs.Pool) {
		hang := make(chan struct{})
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error {
			p.UpdateDurations(time.Hour, 0)
			<-hang
			return nil
		}}, jobs.Every(time.Hour), jobs.WithJobTimeout(5*time.Millisecond))
		stopped := make(chan struct{})
		go func() { // ends at Shutdown, if not before
			for p.GetStatus() != "Stopped" {
				time.Sleep(time.Millisecond)
			}
			close(stopped)
		}()
		within(t, stopped, "the pool stops")
		close(hang)
	}, jobs.WithStatusInterval(time.Millisecond))
}

// within waits for long.
func within(t *testing.T, happens <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happens:
	case <-time.After(30 * time.Second):
		assert.Fail(t, "It does not happen that "+what+".")
	}
}

// A punctual job counts the executions before which its interval was not kept.
type punctual struct {
	jobstest.Stub
	pool     *jobs.Pool
	id       atomic.Pointer[string] // nil until it is registered, and ready from then on
	interval time.Duration
	begun    time.Time // the execution before; a moment before it was claimed
	life     int       // of the pool, in which that was; -1 if it may have been claimed in an earlier one
	tooSoon  *atomic.Int64
}

func (p *punctual) Ready() bool { return p.id.Load() != nil }

func (p *punctual) Execute() error {
	pool := p.pool.Info()
	job, _ := p.pool.Job(*p.id.Load())
	if gap := job.LastStart.Sub(p.begun); pool.Restarts == p.life && gap < p.interval*9/10 { // of a clock that may be set right
		p.tooSoon.Add(1)
	}
	p.begun, p.life = job.LastStart, pool.Restarts
	if job.LastStart.Before(pool.Since) {
		p.life = -1
	}
	return nil
}

// A restart in the moment in which all jobs are due.
func TestPerturbedRestartsKeepTheIntervals(t *testing.T) {
	inPoolsAtOnce(t, 4, func(p *jobs.Pool) {
		const interval = 10 * time.Millisecond
		var tooSoon atomic.Int64
		for range 50 {
			job := &punctual{pool: p, interval: interval, tooSoon: &tooSoon}
			id := jobstest.Register(t, p, job, jobs.Every(interval))
			job.id.Store(&id)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for n := range 40 {
			if !assert.NoError(t, p.WaitRunning(ctx)) {
				return
			}
			time.Sleep(interval - 2*time.Millisecond)
			jobstest.StopPool(p)
			time.Sleep(time.Duration(n%4) * time.Millisecond)
			p.SetStatus(jobs.PoolStatusRunning)
		}
		assert.Zero(t, tooSoon.Load(), "executions that came less than the interval after another of the same life of the pool")
	})
}

// A look at a job's status in the moment in which the job begins to execute and its pool is stopped: it is Running all
// the while, and never Stopped.
func TestPerturbedStatusOfAnExecutingJobIsNeverStopped(t *testing.T) {
	inPoolsAtOnce(t, 4, func(p *jobs.Pool) {
		var round atomic.Int64 // odd while the job is not Stopped
		begun, end := make(chan struct{}), make(chan error)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { begun <- struct{}{}; return <-end }}, jobs.Every(time.Hour))
		over := make(chan struct{})
		defer close(over)
		go func() { // ends with the test
			for {
				select {
				case <-over:
					return
				default:
				}
				before := round.Load()
				status := p.GetJobStatus(id)
				if before%2 == 1 && round.Load() == before && !assert.NotEqual(t, "Stopped", status) {
					return
				}
				runtime.Gosched()
			}
		}()
		for range 30 {
			<-begun
			round.Add(1)
			end <- nil
			require.NoError(t, p.RunNow(id))
			<-begun
			p.SetStatus(jobs.PoolStatusStopped)
			round.Add(1)
			end <- jobstest.ErrBroken                          // so that the restart executes it at once
			for jobstest.InfoOf(t, p, id).NotExecuting == "" { // one in flight at the restart would be that life's
				runtime.Gosched()
			}
			for p.GetStatus() != "Running" {
				p.SetStatus(jobs.PoolStatusRunning)
				time.Sleep(100 * time.Microsecond)
			}
		}
		<-begun
		end <- nil
	})
}

// An execution that returns just as it is abandoned has either returned late or was abandoned.
func TestPerturbedExecutionsReturnOrAreAbandoned(t *testing.T) {
	var late, ended atomic.Int64
	p := jobs.NewPool(jobstest.Quiet, jobs.WithAbandonAfter(time.Millisecond), jobs.WithRetryInterval(time.Millisecond),
		jobs.WithObserver(func(e jobs.Event) {
			switch {
			case e.Kind == jobs.EventLate:
				late.Add(1)
			case e.Kind == jobs.EventEnded && e.Outcome == jobs.OutcomeTimeout:
				ended.Add(1)
			}
		}))
	for range 50 {
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { time.Sleep(2 * time.Millisecond); return nil }},
			jobs.Every(time.Millisecond), jobs.Detached(), jobs.WithJobTimeout(time.Millisecond))
	}
	for p.Info().Abandoned < 100 {
		time.Sleep(time.Millisecond)
	}
	require.NoError(t, p.Shutdown(context.Background()))
	assert.EqualValues(t, late.Load(), int64(p.Info().Abandoned)+ended.Load(), "each late execution has returned or was abandoned")
}
