package jobs_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

// lazyJob is a job of which only a nil pointer is registered. Its methods do without the pointer.
type lazyJob struct{}

var lazyExecutions atomic.Int32

func (*lazyJob) Execute() error { lazyExecutions.Add(1); return nil }
func (*lazyJob) Status() error  { return nil }
func (*lazyJob) Ready() bool    { return true }

// eagerJob's methods do not.
type eagerJob struct{ executions int }

func (e *eagerJob) Execute() error { e.executions++; return nil }
func (e *eagerJob) Status() error  { return nil }
func (e *eagerJob) Ready() bool    { return true }

func TestTypedNilIsAsItsMethodsBehave(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		before := lazyExecutions.Load()
		lazy := register(t, p, (*lazyJob)(nil), jobs.Once())
		eager := register(t, p, (*eagerJob)(nil), jobs.Once())
		function := register(t, p, jobs.JobFunc(nil), jobs.Once())
		pass(0)
		assert.Equal(t, "Finished", p.GetJobStatus(lazy))
		assert.EqualValues(t, 1, lazyExecutions.Load()-before)
		assert.Equal(t, "Failed", p.GetJobStatus(eager))
		assert.Equal(t, "Failed", p.GetJobStatus(function))
		assert.ErrorContains(t, infoOf(t, p, eager).LastError, "nil pointer")
	})
}

// hollow embeds a nil jobs.Job, as real clients' jobs do, and has methods of its own for the rest.
type hollow struct {
	jobs.Job
	executions *timeline
}

func (h hollow) Execute() error { h.executions.mark(); return nil }

// hollowAndReady has no Status.
type hollowAndReady struct{ hollow }

func (hollowAndReady) Ready() bool { return true }

func TestEmbeddedNilJobDoesNoHarmInAMethodThatIsNotCalled(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		single := register(t, p, hollowAndReady{hollow{executions: laps}}, jobs.Once())
		register(t, p, hollowAndReady{hollow{executions: laps}}, jobs.Every(time.Minute), jobs.Detached())
		pass(time.Minute)
		assert.Equal(t, times(time.Minute, 0, 0, 1), laps.moments())
		assert.Equal(t, "Finished", p.GetJobStatus(single))
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestEmbeddedNilJobPanicsInAMethodThatIsCalledAndThatIsHandled(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		notReady := register(t, p, hollow{executions: laps}, jobs.Once())
		pass(time.Second)
		assert.Equal(t, "Initializing", p.GetJobStatus(notReady))
		assert.Empty(t, laps.moments())
		register(t, p, hollowAndReady{hollow{executions: laps}}, jobs.Every(time.Hour))
		pass(30 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus(), "because of its Status")
		pass(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, times(time.Second, 1, 61), laps.moments())
	})
}

func TestReadyMayDoTheWorkItselfAndBlock(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		worked, other := newTimeline(), newTimeline()
		id := register(t, p, stub{ready: func() bool {
			time.Sleep(20 * time.Minute)
			worked.mark()
			return true
		}}, jobs.Every(time.Hour))
		register(t, p, stub{execute: other.execute}, jobs.Every(5*time.Minute))
		pass(20 * time.Minute)
		assert.Equal(t, times(time.Minute, 0, 5, 10, 15, 20), other.moments())
		assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
		stopPool(p)
		pass(30 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		pass(20 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Len(t, worked.moments(), 2)
		assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
	})
}

func TestSameJobValueMayBeRegisteredTwice(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var executions atomic.Int32
		job := &stub{execute: func() error { executions.Add(1); return nil }}
		first := register(t, p, job, jobs.Every(time.Minute))
		second := register(t, p, job, jobs.Every(time.Minute))
		assert.NotEqual(t, first, second)
		pass(time.Minute)
		assert.EqualValues(t, 4, executions.Load())
		p.UnregisterJob(first)
		pass(time.Minute)
		assert.EqualValues(t, 5, executions.Load())
		assert.EqualValues(t, 3, infoOf(t, p, second).Executions)
	})
}

func TestJobMayRegisterJobsFromInsideExecute(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		var id atomic.Value
		register(t, p, stub{execute: func() error {
			child, err := p.RegisterIntervalJobWithName(stub{execute: laps.execute}, time.Minute, "child")
			id.Store(child)
			time.Sleep(90 * time.Second) // the child does not wait for its parent
			return err
		}}, jobs.Once())
		pass(2 * time.Minute)
		assert.Equal(t, times(time.Minute, 0, 1, 2), laps.moments())
		assert.Equal(t, "child", infoOf(t, p, id.Load().(string)).Name)
	})
}

func TestReadyThatWaitsForAnotherJobsFirstSuccessDoesNotWedgeThePoolWhenThatFailsFirst(t *testing.T) {
	for name, blocking := range map[string]bool{"blocking": true, "polled": false} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				done, tries, dependent := make(chan struct{}), newTimeline(), newTimeline()
				job := stub{execute: dependent.execute}
				job.ready = func() bool {
					if blocking {
						<-done
					}
					select {
					case <-done:
						return true
					default:
						return false
					}
				}
				register(t, p, job, jobs.Every(time.Hour))
				register(t, p, stub{execute: func() error {
					switch tries.mark() {
					case 1, 2:
						return errBroken
					case 3:
						close(done)
					}
					return nil
				}}, jobs.Every(time.Hour))
				pass(time.Second)
				assert.Equal(t, "Stopped", p.GetStatus())
				pass(2 * time.Minute)
				assert.Equal(t, times(time.Second, 0, 30, 60), tries.moments())
				assert.Equal(t, "Running", p.GetStatus())
				assert.Len(t, dependent.moments(), 1)
			})
		})
	}
}

func TestJobWhoseStatusIsItsLastExecutionsErrorRecovers(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var mu sync.Mutex
		var last error
		executions, asked := newTimeline(), newTimeline()
		register(t, p, stub{
			execute: func() error {
				mu.Lock()
				defer mu.Unlock()
				last = nil
				if executions.mark() == 2 {
					last = errBroken
				}
				return last
			},
			status: func() error {
				mu.Lock()
				defer mu.Unlock()
				asked.mark()
				return last
			},
		}, jobs.Every(40*time.Second))
		pass(40 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		pass(45 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, times(time.Second, 0, 40, 70), executions.moments())
		assert.Equal(t, times(time.Second, 30), asked.moments(), "and not before the restart")
	})
}

func TestJobRegisteredDuringAnAttemptToRestartBeginsWithTheRestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked, laps := newTimeline(), newTimeline()
		register(t, p, stub{ready: func() bool {
			if asked.mark() > 1 {
				time.Sleep(time.Minute)
			}
			return true
		}}, jobs.Every(time.Hour))
		pass(10 * time.Second)
		stopPool(p)
		pass(50 * time.Second) // the attempt began at 40 s, and lasts until 100 s
		id := register(t, p, stub{execute: laps.execute}, jobs.Every(time.Hour))
		pass(10 * time.Second)
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		pass(time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, times(time.Second, 100), laps.moments())
	})
}

func TestEverythingMayBeCalledAtOnceAndFromInsideJobs(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var running atomic.Int32
		everything := func() {
			for info := range p.Jobs() {
				p.GetJobStatus(info.ID)
				p.Job(info.ID)
				if j := p.GetJob(info.ID); j != nil {
					_, _, _ = j.GetStatus(), j.GetID(), j.GetName()
				}
			}
			p.GetStatus()
			p.Info()
			id, err := p.Register(stub{execute: func() error { running.Add(1); return nil }}, jobs.Every(time.Second))
			if err == nil { // no more once the pool was shut down
				p.JobLock(id)
				p.JobUnlock(id)
				_ = p.RunNow(id)
				p.UnregisterJob(id)
			}
		}
		for range 5 {
			register(t, p, stub{
				execute: func() error { everything(); return nil },
				status:  func() error { everything(); return nil },
				ready:   func() bool { everything(); return true },
			}, jobs.Every(time.Second))
		}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				for range 10 {
					everything()
					p.UpdateDurations(5*time.Second, time.Minute)
					p.SetStatus(jobs.PoolStatusStopped)
					p.SetStatus(jobs.PoolStatusRunning)
					time.Sleep(time.Second)
				}
			})
		}
		wg.Wait()
		pass(time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, 5, p.Info().Jobs)
	})
}
