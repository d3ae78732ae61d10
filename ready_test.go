package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestReadyIsPolledWithWaitsThatDoubleUpToTheStatusInterval(t *testing.T) {
	for _, tt := range []struct {
		interval time.Duration
		waits    []int // ms
	}{
		{30 * time.Second, []int{10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 30000, 30000, 30000}},
		{100 * time.Millisecond, []int{10, 20, 40, 80, 100, 100, 100}},
		{40 * time.Millisecond, []int{10, 20, 40, 40, 40}},
		{4 * time.Millisecond, []int{4, 4, 4, 4}},
	} {
		for _, trigger := range []jobs.Trigger{jobs.Once(), jobs.Retry(2), jobs.Every(time.Hour), jobs.On(jobstest.Each(time.Millisecond))} {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				polls, executed := jobstest.NewTimeline(), jobstest.NewTimeline()
				job := jobstest.Stub{ExecuteFunc: executed.Execute}
				job.ReadyFunc = func() bool { return polls.Mark() > len(tt.waits) }
				id := jobstest.Register(t, p, job, trigger)
				at, moments := 0, []int{0}
				for _, wait := range tt.waits {
					at += wait
					moments = append(moments, at)
				}
				jobstest.Advance(time.Duration(at)*time.Millisecond - 1)
				assert.Empty(t, executed.Moments())
				assert.Equal(t, "Initializing", p.GetJobStatus(id))
				jobstest.Advance(2 * time.Millisecond)
				assert.Equal(t, jobstest.Times(time.Millisecond, moments...), polls.Moments())
				assert.NotEmpty(t, executed.Moments())
			}, jobs.WithStatusInterval(tt.interval))
		}
	}
}

func TestReadyIsPolledAtTheSameMomentsWhenThePoolStopsAndRestarts(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		polls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { polls.Mark(); return false }}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		jobstest.StopPool(p) // until 31 s
		jobstest.Advance(70 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Times(time.Millisecond, 0, 10, 30, 70, 150, 310, 630, 1270, 2550, 5110, 10230, 20470, 40950, 70950), polls.Moments())
	})
}

func TestReadyIsNotPolledAnyMoreOnceTheJobHasStarted(t *testing.T) {
	for _, trigger := range []jobs.Trigger{jobs.Once(), jobs.Retry(2), jobs.Every(time.Second), jobs.On(jobstest.Each(time.Second))} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			polls := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { polls.Mark(); return true }}, trigger)
			jobstest.Advance(time.Hour)
			assert.Equal(t, jobstest.Times(0, 0), polls.Moments())
		})
	}
}

func TestReadyMayBlockAndIsPolledAgainAWaitAfterItsEnd(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		polls, executed := jobstest.NewTimeline(), jobstest.NewTimeline()
		job := jobstest.Stub{ExecuteFunc: executed.Execute}
		job.ReadyFunc = func() bool {
			n := polls.Mark()
			time.Sleep(time.Hour)
			return n == 3
		}
		id := jobstest.Register(t, p, job, jobs.Every(24*time.Hour), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(2 * time.Hour)
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		jobstest.Advance(2 * time.Hour)
		second := time.Hour + 10*time.Millisecond
		third := second + time.Hour + 20*time.Millisecond
		assert.Equal(t, []time.Duration{0, second, third}, polls.Moments())
		assert.Equal(t, []time.Duration{third + time.Hour}, executed.Moments())
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestReadyNeverRunsBesideItself(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		overlap, asked := new(jobstest.OverlapMeter), jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			asked.Mark()
			overlap.During(time.Second)
			return false
		}}, jobs.Every(time.Second))
		time.Sleep(time.Millisecond)
		answers := jobstest.NewTimeline()
		for range 3 {
			go func() {
				p.GetJob(id).Ready()
				answers.Mark()
			}()
		}
		jobstest.Advance(time.Minute)
		assert.Equal(t, 1, overlap.Highest())
		assert.Greater(t, len(asked.Moments()), 3)
		assert.Len(t, answers.Moments(), 3)
	})
}

func TestReadyNeverRunsBesideExecute(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trigger jobs.Trigger
	}{{"interval", jobs.Every(10 * time.Second)}, {"scheduled", jobs.On(jobstest.Each(10 * time.Second))}} {
		t.Run(tt.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				overlap, executed := new(jobstest.OverlapMeter), jobstest.NewTimeline()
				var working atomic.Bool
				id := jobstest.Register(t, p, jobstest.Stub{
					ExecuteFunc: func() error { executed.Mark(); overlap.During(0); return nil },
					ReadyFunc: func() bool {
						if working.Load() {
							overlap.During(20 * time.Second)
						}
						return true
					},
				}, tt.trigger)
				jobstest.Advance(15 * time.Second)
				working.Store(true)
				before := len(executed.Moments())
				assert.True(t, p.GetJob(id).Ready()) // until 35 s, over at least one due moment
				jobstest.Advance(0)
				assert.Equal(t, 35*time.Second, executed.Moments()[before])
				assert.Equal(t, 1, overlap.Highest())
			})
		})
	}
}

func TestJobThatIsNotReadyNeitherStopsThePoolNorHoldsUpTheOthers(t *testing.T) {
	for name, ready := range map[string]func() bool{
		"false":    func() bool { return false },
		"blocking": func() bool { time.Sleep(time.Hour); return false },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.Register(t, p, jobstest.Stub{ReadyFunc: ready}, jobs.Every(time.Second))
				laps := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.Every(10*time.Second))
				jobstest.Advance(15 * time.Second)
				assert.Equal(t, "Running", p.GetStatus())
				jobstest.StopPool(p)
				jobstest.Advance(31 * time.Second)
				assert.Equal(t, "Running", p.GetStatus(), "nor their restart")
				assert.Equal(t, jobstest.Times(time.Second, 0, 10, 45), laps.Moments())
			})
		})
	}
}

func TestReadyMayDependOnTheFirstExecutionOfAnotherJob(t *testing.T) {
	for name, blocking := range map[string]bool{"blocking": true, "polled": false} {
		for _, dependentFirst := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					executed, laps := make(chan struct{}), jobstest.NewTimeline()
					dependent := jobstest.Stub{ExecuteFunc: laps.Execute}
					dependent.ReadyFunc = func() bool {
						if blocking {
							<-executed
						}
						select {
						case <-executed:
							return true
						default:
							return false
						}
					}
					other := jobstest.Stub{ExecuteFunc: func() error { time.Sleep(time.Second); close(executed); return nil }}
					if dependentFirst {
						jobstest.Register(t, p, dependent, jobs.Every(time.Hour))
					}
					jobstest.Register(t, p, other, jobs.Every(time.Hour))
					if !dependentFirst {
						jobstest.Register(t, p, dependent, jobs.Every(time.Hour))
					}
					jobstest.Advance(3 * time.Second)
					assert.Len(t, laps.Moments(), 1)
				})
			})
		}
	}
}

func TestReadyMayDependOnTheReadyOfAnotherJobHavingBeenAsked(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked, laps := make(chan struct{}), jobstest.NewTimeline()
		first := jobstest.Stub{ExecuteFunc: laps.Execute}
		first.ReadyFunc = func() bool { <-asked; return true }
		jobstest.Register(t, p, first, jobs.Every(time.Hour))
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { close(asked); return false }}, jobs.Once())
		jobstest.Advance(0)
		assert.Equal(t, jobstest.Times(0, 0), laps.Moments())
		p.UnregisterJob(jobID(p, 1)) // its Ready could not be called again
	})
}

// jobID returns the id of the pool's nth job, from 0.
func jobID(p *jobs.Pool, n int) string {
	for info := range p.Jobs() {
		if n == 0 {
			return info.ID
		}
		n--
	}
	return ""
}

func TestReadyIsAskedEachStatusIntervalHoweverLongThatTakes(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var asked atomic.Int64
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { asked.Add(1); return false }}, jobs.Once())
		jobstest.Advance(time.Hour)
		before := asked.Load()
		jobstest.Advance(30 * 24 * time.Hour)
		assert.EqualValues(t, 30*24*60*2, asked.Load()-before)
	})
}

func TestJobExecutionReadyCallsTheJobsReadyAndReturnsItsAnswer(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls atomic.Int32
		var answer atomic.Bool
		answer.Store(true)
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { calls.Add(1); return answer.Load() }}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		for i, want := range []bool{true, false, true} {
			answer.Store(want)
			assert.Equal(t, want, p.GetJob(id).Ready())
			assert.EqualValues(t, 2+i, calls.Load())
		}
	})
}

func TestJobExecutionReadyWaitsForACallInProgressFirst(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			n := asked.Mark()
			time.Sleep(time.Second)
			return n == 2 // the call that waited has an answer of its own
		}}, jobs.Once())
		jobstest.Advance(time.Second / 2)
		assert.True(t, p.GetJob(id).Ready())
		assert.Equal(t, 2*time.Second, time.Since(asked.Start))
		assert.Equal(t, jobstest.Times(time.Second, 0, 1), asked.Moments()[:2], "and the poll goes on")
	})
}

func TestJobExecutionReadyIsTrueWithoutACallWhileAnExecutionIsInProgress(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		var execution atomic.Pointer[jobs.JobExecution]
		var inside atomic.Bool
		id := jobstest.Register(t, p, jobstest.Stub{
			ExecuteFunc: func() error {
				time.Sleep(time.Second)
				inside.Store((*execution.Load()).Ready())
				time.Sleep(time.Minute)
				return nil
			},
			ReadyFunc: func() bool { return calls.Mark() == 1 },
		}, jobs.Every(time.Hour), jobs.WithJobTimeout(30*time.Second))
		j := p.GetJob(id)
		execution.Store(&j)
		jobstest.Advance(10 * time.Second)
		assert.True(t, j.Ready())
		assert.True(t, inside.Load(), "also from inside the execution")
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.True(t, j.Ready(), "also when it is late")
		assert.Len(t, calls.Moments(), 1)
	})
}

func TestJobExecutionReadyIsFalseAfterUnregisterJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls atomic.Int32
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { calls.Add(1); return true }}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		j := p.GetJob(id)
		p.UnregisterJob(id)
		assert.False(t, j.Ready())
		assert.EqualValues(t, 1, calls.Load())
	})
}

func TestJobExecutionReadyInProgressIsFalseWhenTheJobIsUnregistered(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { time.Sleep(time.Minute); return true }}, jobs.Every(time.Hour))
		j := p.GetJob(id)
		jobstest.Advance(time.Second)
		time.AfterFunc(time.Second, func() { p.UnregisterJob(id) })
		start := time.Now()
		assert.False(t, j.Ready(), "it waits for the poll")
		assert.Equal(t, time.Second, time.Since(start), "but is not held up")

		var calls atomic.Int32
		id = jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if calls.Add(1) > 1 {
				time.Sleep(time.Minute)
			}
			return true
		}}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		time.AfterFunc(time.Second, func() { p.UnregisterJob(id) })
		assert.False(t, p.GetJob(id).Ready(), "it has called itself")
	})
}

func TestJobExecutionReadyDoesNotStartTheJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var willing atomic.Bool
		laps := jobstest.NewTimeline()
		job := jobstest.Stub{ExecuteFunc: laps.Execute}
		job.ReadyFunc = willing.Load
		id := jobstest.Register(t, p, job, jobs.Once())
		jobstest.Advance(5 * time.Millisecond)
		willing.Store(true)
		assert.True(t, p.GetJob(id).Ready())
		jobstest.Advance(4 * time.Millisecond)
		assert.Empty(t, laps.Moments())
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		jobstest.Advance(time.Millisecond)
		assert.Equal(t, jobstest.Times(time.Millisecond, 10), laps.Moments(), "the poll does")
	})
}

func TestThePoolHasItsTurnHoweverManyAskWhetherAJobIsReady(t *testing.T) {
	const takes = 10 * time.Millisecond
	ask := func(job jobs.JobExecution) (end func()) {
		over := make(chan bool)
		for range 10 {
			go func() {
				for {
					select {
					case <-over:
						return
					default:
						job.Ready()
					}
				}
			}()
		}
		return func() { close(over) }
	}
	slowly := func() bool { time.Sleep(takes); return true }
	t.Run("an execution", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: slowly}, jobs.Every(time.Second))
			jobstest.Advance(time.Second)
			defer ask(p.GetJob(id))()
			jobstest.Advance(time.Minute)
			assert.GreaterOrEqual(t, jobstest.InfoOf(t, p, id).Executions, uint64(59), "each waits for one call at the most")
		})
	})
	t.Run("a poll and a restart", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: slowly}, jobs.Every(20*time.Second))
			defer ask(p.GetJob(id))()
			jobstest.Advance(3 * takes)
			assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
			jobstest.StopPool(p)
			jobstest.Advance(30*time.Second + 3*takes)
			assert.Equal(t, "Running", p.GetStatus())
			assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
		})
	})
}

// They wait for a call in progress, and then for the execution that has waited before them, which is answer enough.
func TestUsersWhoAskBesideAnExecutionThatWaitedForReadyAreAnswered(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow atomic.Bool
		end := make(chan bool)
		id := jobstest.Register(t, p, jobstest.Stub{
			ReadyFunc: func() bool {
				if slow.Load() {
					time.Sleep(time.Minute)
				}
				return true
			},
			ExecuteFunc: func() error {
				if slow.Load() {
					<-end
				}
				return nil
			},
		}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		slow.Store(true)
		go p.GetJob(id).Ready() // in a call
		jobstest.Advance(time.Second)
		require.NoError(t, p.RunNow(id)) // waits for that
		jobstest.Advance(time.Second)
		var answered atomic.Int32
		for range 20 {
			go func() {
				if p.GetJob(id).Ready() {
					answered.Add(1)
				}
			}()
		}
		jobstest.Advance(2 * time.Minute)
		require.Empty(t, jobstest.InfoOf(t, p, id).NotExecuting)
		assert.EqualValues(t, 20, answered.Load())
		close(end)
	})
}
