package jobs_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
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
		for _, trigger := range []jobs.Trigger{jobs.Once(), jobs.Retry(2), jobs.Every(time.Hour), jobs.On(each(time.Millisecond))} {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				polls, executed := newTimeline(), newTimeline()
				job := stub{execute: executed.execute}
				job.ready = func() bool { return polls.mark() > len(tt.waits) }
				id := register(t, p, job, trigger)
				at, moments := 0, []int{0}
				for _, wait := range tt.waits {
					at += wait
					moments = append(moments, at)
				}
				pass(time.Duration(at)*time.Millisecond - 1)
				assert.Empty(t, executed.moments())
				assert.Equal(t, "Initializing", p.GetJobStatus(id))
				pass(2 * time.Millisecond)
				assert.Equal(t, times(time.Millisecond, moments...), polls.moments())
				assert.NotEmpty(t, executed.moments())
			}, jobs.WithStatusInterval(tt.interval))
		}
	}
}

func TestReadyIsPolledAtTheSameMomentsWhenThePoolStopsAndRestarts(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		polls := newTimeline()
		register(t, p, stub{ready: func() bool { polls.mark(); return false }}, jobs.Every(time.Hour))
		pass(time.Second)
		stopPool(p) // until 31 s
		pass(70 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, times(time.Millisecond, 0, 10, 30, 70, 150, 310, 630, 1270, 2550, 5110, 10230, 20470, 40950, 70950), polls.moments())
	})
}

func TestReadyIsNotPolledAnyMoreOnceTheJobHasStarted(t *testing.T) {
	for _, trigger := range []jobs.Trigger{jobs.Once(), jobs.Retry(2), jobs.Every(time.Second), jobs.On(each(time.Second))} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			polls := newTimeline()
			register(t, p, stub{ready: func() bool { polls.mark(); return true }}, trigger)
			pass(time.Hour)
			assert.Equal(t, times(0, 0), polls.moments())
		})
	}
}

func TestReadyMayBlockAndIsPolledAgainAWaitAfterItsEnd(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		polls, executed := newTimeline(), newTimeline()
		job := stub{execute: executed.execute}
		job.ready = func() bool {
			n := polls.mark()
			time.Sleep(time.Hour)
			return n == 3
		}
		id := register(t, p, job, jobs.Every(24*time.Hour), jobs.WithJobTimeout(time.Second))
		pass(2 * time.Hour)
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		pass(2 * time.Hour)
		second := time.Hour + 10*time.Millisecond
		third := second + time.Hour + 20*time.Millisecond
		assert.Equal(t, []time.Duration{0, second, third}, polls.moments())
		assert.Equal(t, []time.Duration{third + time.Hour}, executed.moments())
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestReadyNeverRunsBesideItself(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		overlap, asked := new(overlapMeter), newTimeline()
		id := register(t, p, stub{ready: func() bool {
			asked.mark()
			overlap.during(time.Second)
			return false
		}}, jobs.Every(time.Second))
		time.Sleep(time.Millisecond)
		answers := newTimeline()
		for range 3 {
			go func() {
				p.GetJob(id).Ready()
				answers.mark()
			}()
		}
		pass(time.Minute)
		assert.Equal(t, 1, overlap.highest())
		assert.Greater(t, len(asked.moments()), 3)
		assert.Len(t, answers.moments(), 3)
	})
}

func TestReadyNeverRunsBesideExecute(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trigger jobs.Trigger
	}{{"interval", jobs.Every(10 * time.Second)}, {"scheduled", jobs.On(each(10 * time.Second))}} {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				overlap, executed := new(overlapMeter), newTimeline()
				var working atomic.Bool
				id := register(t, p, stub{
					execute: func() error { executed.mark(); overlap.during(0); return nil },
					ready: func() bool {
						if working.Load() {
							overlap.during(20 * time.Second)
						}
						return true
					},
				}, tt.trigger)
				pass(15 * time.Second)
				working.Store(true)
				before := len(executed.moments())
				assert.True(t, p.GetJob(id).Ready()) // until 35 s, over at least one due moment
				pass(0)
				assert.Equal(t, 35*time.Second, executed.moments()[before])
				assert.Equal(t, 1, overlap.highest())
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
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				register(t, p, stub{ready: ready}, jobs.Every(time.Second))
				laps := newTimeline()
				register(t, p, stub{execute: laps.execute}, jobs.Every(10*time.Second))
				pass(15 * time.Second)
				assert.Equal(t, "Running", p.GetStatus())
				stopPool(p)
				pass(31 * time.Second)
				assert.Equal(t, "Running", p.GetStatus(), "nor their restart")
				assert.Equal(t, times(time.Second, 0, 10, 45), laps.moments())
			})
		})
	}
}

func TestReadyMayDependOnTheFirstExecutionOfAnotherJob(t *testing.T) {
	for name, blocking := range map[string]bool{"blocking": true, "polled": false} {
		for _, dependentFirst := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					executed, laps := make(chan struct{}), newTimeline()
					dependent := stub{execute: laps.execute}
					dependent.ready = func() bool {
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
					other := stub{execute: func() error { time.Sleep(time.Second); close(executed); return nil }}
					if dependentFirst {
						register(t, p, dependent, jobs.Every(time.Hour))
					}
					register(t, p, other, jobs.Every(time.Hour))
					if !dependentFirst {
						register(t, p, dependent, jobs.Every(time.Hour))
					}
					pass(3 * time.Second)
					assert.Len(t, laps.moments(), 1)
				})
			})
		}
	}
}

func TestReadyMayDependOnTheReadyOfAnotherJobHavingBeenAsked(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked, laps := make(chan struct{}), newTimeline()
		first := stub{execute: laps.execute}
		first.ready = func() bool { <-asked; return true }
		register(t, p, first, jobs.Every(time.Hour))
		register(t, p, stub{ready: func() bool { close(asked); return false }}, jobs.Once())
		pass(0)
		assert.Equal(t, times(0, 0), laps.moments())
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
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var asked atomic.Int64
		register(t, p, stub{ready: func() bool { asked.Add(1); return false }}, jobs.Once())
		pass(time.Hour)
		before := asked.Load()
		pass(30 * 24 * time.Hour)
		assert.EqualValues(t, 30*24*60*2, asked.Load()-before)
	})
}

func TestJobExecutionReadyCallsTheJobsReadyAndReturnsItsAnswer(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls atomic.Int32
		var answer atomic.Bool
		answer.Store(true)
		id := register(t, p, stub{ready: func() bool { calls.Add(1); return answer.Load() }}, jobs.Every(time.Hour))
		pass(time.Second)
		for i, want := range []bool{true, false, true} {
			answer.Store(want)
			assert.Equal(t, want, p.GetJob(id).Ready())
			assert.EqualValues(t, 2+i, calls.Load())
		}
	})
}

func TestJobExecutionReadyWaitsForACallInProgressFirst(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := newTimeline()
		id := register(t, p, stub{ready: func() bool {
			n := asked.mark()
			time.Sleep(time.Second)
			return n == 2 // the call that waited has an answer of its own
		}}, jobs.Once())
		pass(time.Second / 2)
		assert.True(t, p.GetJob(id).Ready())
		assert.Equal(t, 2*time.Second, time.Since(asked.start))
		assert.Equal(t, times(time.Second, 0, 1), asked.moments()[:2], "and the poll goes on")
	})
}

func TestJobExecutionReadyIsTrueWithoutACallWhileAnExecutionIsInProgress(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		var execution atomic.Pointer[jobs.JobExecution]
		var inside atomic.Bool
		id := register(t, p, stub{
			execute: func() error {
				time.Sleep(time.Second)
				inside.Store((*execution.Load()).Ready())
				time.Sleep(time.Minute)
				return nil
			},
			ready: func() bool { return calls.mark() == 1 },
		}, jobs.Every(time.Hour), jobs.WithJobTimeout(30*time.Second))
		j := p.GetJob(id)
		execution.Store(&j)
		pass(10 * time.Second)
		assert.True(t, j.Ready())
		assert.True(t, inside.Load(), "also from inside the execution")
		pass(30 * time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.True(t, j.Ready(), "also when it is late")
		assert.Len(t, calls.moments(), 1)
	})
}

func TestJobExecutionReadyIsFalseAfterUnregisterJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls atomic.Int32
		id := register(t, p, stub{ready: func() bool { calls.Add(1); return true }}, jobs.Every(time.Hour))
		pass(time.Second)
		j := p.GetJob(id)
		p.UnregisterJob(id)
		assert.False(t, j.Ready())
		assert.EqualValues(t, 1, calls.Load())
	})
}

func TestJobExecutionReadyInProgressIsFalseWhenTheJobIsUnregistered(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{ready: func() bool { time.Sleep(time.Minute); return true }}, jobs.Every(time.Hour))
		j := p.GetJob(id)
		pass(time.Second)
		time.AfterFunc(time.Second, func() { p.UnregisterJob(id) })
		start := time.Now()
		assert.False(t, j.Ready(), "it waits for the poll")
		assert.Equal(t, time.Second, time.Since(start), "but is not held up")

		var calls atomic.Int32
		id = register(t, p, stub{ready: func() bool {
			if calls.Add(1) > 1 {
				time.Sleep(time.Minute)
			}
			return true
		}}, jobs.Every(time.Hour))
		pass(time.Second)
		time.AfterFunc(time.Second, func() { p.UnregisterJob(id) })
		assert.False(t, p.GetJob(id).Ready(), "it has called itself")
	})
}

func TestJobExecutionReadyDoesNotStartTheJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var willing atomic.Bool
		laps := newTimeline()
		job := stub{execute: laps.execute}
		job.ready = willing.Load
		id := register(t, p, job, jobs.Once())
		pass(5 * time.Millisecond)
		willing.Store(true)
		assert.True(t, p.GetJob(id).Ready())
		pass(4 * time.Millisecond)
		assert.Empty(t, laps.moments())
		assert.Equal(t, "Initializing", p.GetJobStatus(id))
		pass(time.Millisecond)
		assert.Equal(t, times(time.Millisecond, 10), laps.moments(), "the poll does")
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
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{ready: slowly}, jobs.Every(time.Second))
			pass(time.Second)
			defer ask(p.GetJob(id))()
			pass(time.Minute)
			assert.GreaterOrEqual(t, infoOf(t, p, id).Executions, uint64(59), "each waits for one call at the most")
		})
	})
	t.Run("a poll and a restart", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{ready: slowly}, jobs.Every(time.Hour))
			defer ask(p.GetJob(id))()
			pass(3 * takes)
			assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
			stopPool(p)
			pass(30*time.Second + 3*takes)
			assert.Equal(t, "Running", p.GetStatus())
			assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
		})
	})
}
