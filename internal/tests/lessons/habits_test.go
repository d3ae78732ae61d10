package lessons

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		before := lazyExecutions.Load()
		lazy := jobstest.Register(t, p, (*lazyJob)(nil), jobs.Once())
		eager := jobstest.Register(t, p, (*eagerJob)(nil), jobs.Once())
		function := jobstest.Register(t, p, jobs.JobFunc(nil), jobs.Once())
		jobstest.Advance(0)
		assert.Equal(t, "Finished", p.GetJobStatus(lazy))
		assert.EqualValues(t, 1, lazyExecutions.Load()-before)
		assert.Equal(t, "Failed", p.GetJobStatus(eager))
		assert.Equal(t, "Failed", p.GetJobStatus(function))
		assert.ErrorContains(t, jobstest.InfoOf(t, p, eager).LastError, "nil pointer")
	})
}

// hollow embeds a nil jobs.Job, as real clients' jobs do, and has methods of its own for the rest.
type hollow struct {
	jobs.Job
	executions *jobstest.Timeline
}

func (h hollow) Execute() error { h.executions.Mark(); return nil }

// hollowAndReady has no Status.
type hollowAndReady struct{ hollow }

func (hollowAndReady) Ready() bool { return true }

func TestEmbeddedNilJobDoesNoHarmInAMethodThatIsNotCalled(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		single := jobstest.Register(t, p, hollowAndReady{hollow{executions: laps}}, jobs.Once())
		jobstest.Register(t, p, hollowAndReady{hollow{executions: laps}}, jobs.Every(time.Minute), jobs.Detached())
		jobstest.Advance(time.Minute)
		assert.Equal(t, jobstest.Times(time.Minute, 0, 0, 1), laps.Moments())
		assert.Equal(t, "Finished", p.GetJobStatus(single))
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestEmbeddedNilJobPanicsInAMethodThatIsCalledAndThatIsHandled(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		notReady := jobstest.Register(t, p, hollow{executions: laps}, jobs.Once())
		jobstest.Advance(time.Second)
		assert.Equal(t, "Initializing", p.GetJobStatus(notReady))
		assert.Empty(t, laps.Moments())
		jobstest.Register(t, p, hollowAndReady{hollow{executions: laps}}, jobs.Every(50*time.Second))
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus(), "because of its Status")
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Times(time.Second, 1, 61), laps.Moments())
	})
}

func TestReadyMayDoTheWorkItselfAndBlock(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		worked, other := jobstest.NewTimeline(), jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			jobstest.Take(20 * time.Minute)
			worked.Mark()
			return true
		}}, jobs.Every(10*time.Minute))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: other.Execute}, jobs.Every(5*time.Minute))
		jobstest.Advance(20 * time.Minute)
		assert.Equal(t, jobstest.Times(time.Minute, 0, 5, 10, 15, 20), other.Moments())
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
		jobstest.StopPool(p)
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(20 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Len(t, worked.Moments(), 2)
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestSameJobValueMayBeRegisteredTwice(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var executions atomic.Int32
		job := &jobstest.Stub{ExecuteFunc: func() error { executions.Add(1); return nil }}
		first := jobstest.Register(t, p, job, jobs.Every(time.Minute))
		second := jobstest.Register(t, p, job, jobs.Every(time.Minute))
		assert.NotEqual(t, first, second)
		jobstest.Advance(time.Minute)
		assert.EqualValues(t, 4, executions.Load())
		p.UnregisterJob(first)
		jobstest.Advance(time.Minute)
		assert.EqualValues(t, 5, executions.Load())
		assert.EqualValues(t, 3, jobstest.InfoOf(t, p, second).Executions)
	})
}

func TestJobMayRegisterJobsFromInsideExecute(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		var id atomic.Value
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			child, err := p.RegisterIntervalJobWithName(jobstest.Stub{ExecuteFunc: laps.Execute}, time.Minute, "child")
			id.Store(child)
			jobstest.Take(90 * time.Second) // the child does not wait for its parent
			return err
		}}, jobs.Once())
		jobstest.Advance(2 * time.Minute)
		assert.Equal(t, jobstest.Times(time.Minute, 0, 1, 2), laps.Moments())
		assert.Equal(t, "child", jobstest.InfoOf(t, p, id.Load().(string)).Name)
	})
}

func TestReadyThatWaitsForAnotherJobsFirstSuccessDoesNotWedgeThePoolWhenThatFailsFirst(t *testing.T) {
	for name, blocking := range map[string]bool{"blocking": true, "polled": false} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				done, tries, dependent := make(chan struct{}), jobstest.NewTimeline(), jobstest.NewTimeline()
				job := jobstest.Stub{ExecuteFunc: dependent.Execute}
				job.ReadyFunc = func() bool {
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
				jobstest.Register(t, p, job, jobs.Every(time.Hour))
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
					switch tries.Mark() {
					case 1, 2:
						return jobstest.ErrBroken
					case 3:
						close(done)
					}
					return nil
				}}, jobs.Every(time.Hour))
				jobstest.Advance(time.Second)
				assert.Equal(t, "Stopped", p.GetStatus())
				jobstest.Advance(2 * time.Minute)
				assert.Equal(t, jobstest.Times(time.Second, 0, 30, 90), tries.Moments())
				assert.Equal(t, "Running", p.GetStatus())
				assert.Len(t, dependent.Moments(), 1)
			})
		})
	}
}

func TestJobWhoseStatusIsItsLastExecutionsErrorRecovers(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var mu sync.Mutex
		var last error
		executions, asked := jobstest.NewTimeline(), jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{
			ExecuteFunc: func() error {
				mu.Lock()
				defer mu.Unlock()
				last = nil
				if executions.Mark() == 2 {
					last = jobstest.ErrBroken
				}
				return last
			},
			StatusFunc: func() error {
				mu.Lock()
				defer mu.Unlock()
				asked.Mark()
				return last
			},
		}, jobs.Every(40*time.Second))
		jobstest.Advance(40 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(45 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Times(time.Second, 0, 40, 70), executions.Moments())
		assert.Equal(t, jobstest.Times(time.Second, 30), asked.Moments(), "and not before the restart")
	})
}

func TestJobRegisteredDuringAnAttemptToRestartBeginsWithTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked, laps := jobstest.NewTimeline(), jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if asked.Mark() > 1 {
				jobstest.Take(time.Minute)
			}
			return true
		}}, jobs.Every(time.Hour))
		jobstest.Advance(10 * time.Second)
		jobstest.StopPool(p)
		jobstest.Advance(50 * time.Second) // the attempt began at 40 s, and lasts until 100 s
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.Every(time.Hour))
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		jobstest.Advance(time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Times(time.Second, 100), laps.Moments())
	})
}

func TestEverythingMayBeCalledAtOnceAndFromInsideJobs(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
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
			id, err := p.Register(jobstest.Stub{ExecuteFunc: func() error { running.Add(1); return nil }}, jobs.Every(time.Second))
			if err == nil { // no more once the pool was shut down
				p.JobLock(id)
				p.JobUnlock(id)
				_ = p.RunNow(id)
				p.UnregisterJob(id)
			}
		}
		for range 5 {
			jobstest.Register(t, p, jobstest.Stub{
				ExecuteFunc: func() error { everything(); return nil },
				StatusFunc:  func() error { everything(); return nil },
				ReadyFunc:   func() bool { everything(); return true },
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
		jobstest.Advance(time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, 5, p.Info().Jobs)
	})
}
