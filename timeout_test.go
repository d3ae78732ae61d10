package jobs_test

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A limitCase says which time limit follows from what is set; 0 is none.
type limitCase struct {
	name string
	job  []jobs.JobOption
	pool []jobs.PoolOption
	want time.Duration
}

func limitCases() []limitCase {
	type (
		ofJob  = []jobs.JobOption
		ofPool = []jobs.PoolOption
	)
	minute := ofPool{jobs.WithExecutionTimeout(time.Minute)}
	return []limitCase{
		{"default", nil, nil, 5 * time.Minute},
		{"the pool's", nil, minute, time.Minute},
		{"the pool's none", nil, ofPool{jobs.WithExecutionTimeout(0)}, 0},
		{"the pool's below zero", nil, ofPool{jobs.WithExecutionTimeout(-time.Second)}, 0},
		{"the job's", ofJob{jobs.WithJobTimeout(time.Second)}, minute, time.Second},
		{"the job's, longer", ofJob{jobs.WithJobTimeout(time.Hour)}, minute, time.Hour},
		{"the job's, the pool's none", ofJob{jobs.WithJobTimeout(time.Hour)}, ofPool{jobs.WithExecutionTimeout(0)}, time.Hour},
		{"the job's, very short", ofJob{jobs.WithJobTimeout(time.Microsecond)}, minute, time.Microsecond},
		{"the job's, very long", ofJob{jobs.WithJobTimeout(math.MaxInt64)}, minute, 0},
		{"the job's of zero", ofJob{jobs.WithJobTimeout(0)}, minute, time.Minute},
	}
}

// limitedKinds are the kinds of job whose executions have a limit, and when the first begins.
var limitedKinds = []struct {
	name    string
	trigger func() jobs.Trigger
	opts    []jobs.JobOption
	start   time.Duration
}{
	{"interval", jobstest.Hourly, nil, 0},
	{"detached interval", jobstest.Hourly, []jobs.JobOption{jobs.Detached()}, 0},
	{"scheduled", jobstest.InASecond, nil, time.Second},
	{"detached scheduled", jobstest.InASecond, []jobs.JobOption{jobs.Detached()}, time.Second},
}

func TestTimeLimitIsWithJobTimeoutIfAboveZeroElseThePools(t *testing.T) {
	const long = 10 * time.Hour
	for _, tt := range limitCases() {
		for _, kind := range limitedKinds {
			t.Run(kind.name+", "+tt.name, func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					id := jobstest.Register(t, p, jobstest.Lasting(long, nil), kind.trigger(), append(kind.opts, tt.job...)...)
					jobstest.Advance(kind.start)
					if tt.want == 0 {
						jobstest.Advance(long - 1)
						assert.Equal(t, "Running", p.GetJobStatus(id))
						assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
						return
					}
					jobstest.Advance(tt.want - 1)
					assert.Equal(t, "Running", p.GetJobStatus(id))
					jobstest.Advance(1)
					info := jobstest.InfoOf(t, p, id)
					assert.Equal(t, jobs.JobStatusFailed, info.Status)
					assert.EqualValues(t, 1, info.Failures, "it counts as failed at that moment")
					assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
					assert.ErrorIs(t, info.LastError, jobs.ErrExecutingJob)
					assert.ErrorContains(t, info.LastError, "("+tt.want.String()+")")
				}, tt.pool...)
			})
		}
	}
}

func TestTimeLimitOfStatusIsWithJobTimeoutIfAboveZeroElseThePools(t *testing.T) {
	const sweep, long = 30 * time.Second, 10 * time.Hour
	for _, tt := range limitCases() {
		t.Run(tt.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { time.Sleep(long); return nil }}, jobs.Every(100*time.Hour), tt.job...)
				jobstest.Advance(sweep)
				if tt.want == 0 {
					jobstest.Advance(long - 1)
					assert.Equal(t, "Running", p.GetStatus())
					return
				}
				jobstest.Advance(tt.want - 1)
				assert.Equal(t, "Running", p.GetStatus())
				jobstest.Advance(1)
				assert.Equal(t, "Stopped", p.GetStatus())
				assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
				assert.ErrorContains(t, p.Info().StopError, "("+tt.want.String()+")")
			}, tt.pool...)
		})
	}
}

func TestLateExecutionKeepsTheLockUntilItHasReturned(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		start := time.Now()
		jobstest.Advance(time.Minute)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		p.JobLock(id)
		assert.Equal(t, time.Hour, time.Since(start))
		p.JobUnlock(id)
	})
}

func TestJobIsNotExecutedAgainUntilItsLateExecutionHasReturned(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []jobs.JobOption
		want []int // seconds
	}{
		{"attached", nil, []int{0, 100, 110}}, // the return is an attempt to restart
		{"detached", []jobs.JobOption{jobs.Detached()}, []int{0, 110, 120}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				laps := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
					if laps.Mark() == 1 {
						time.Sleep(100 * time.Second)
					}
					return nil
				}}, jobs.Every(10*time.Second), append(tt.opts, jobs.WithJobTimeout(time.Second))...)
				jobstest.Advance(time.Duration(tt.want[2])*time.Second + 1)
				assert.Equal(t, jobstest.Times(time.Second, tt.want...), laps.Moments())
			})
		})
	}
}

func TestWhatALateExecutionReturnsChangesNothingButItsError(t *testing.T) {
	for name, err := range map[string]error{"nil": nil, "error": jobstest.ErrBroken} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, err), jobs.Every(time.Hour), jobs.Detached(), jobs.WithJobTimeout(time.Second))
				jobstest.Advance(time.Second)
				before := jobstest.InfoOf(t, p, id)
				jobstest.Advance(time.Minute)
				after := jobstest.InfoOf(t, p, id)
				assert.EqualValues(t, 1, after.Failures)
				assert.EqualValues(t, 1, after.ConsecutiveFailures)
				assert.EqualValues(t, 1, after.Executions)
				assert.ErrorIs(t, after.LastError, jobs.ErrTimeout)
				if err == nil {
					assert.Equal(t, before.LastError, after.LastError)
				}
				assert.Equal(t, jobs.JobStatusFailed, after.Status)
				assert.Equal(t, jobs.OutcomeTimeout, after.LastOutcome)
			})
		})
	}
}

func TestExecutionThatReturnsWithinItsLimitIsNotLate(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			laps.Mark()
			time.Sleep(time.Second - 1)
			return nil
		}}, jobs.Every(time.Millisecond), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(time.Minute)
		assert.Len(t, laps.Moments(), 60)
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

// A pool looks for long limits now and then only; that must not show.

func TestAnExecutionIsLateExactlyAtItsLimitWheneverItHasBegun(t *testing.T) {
	limits := []time.Duration{time.Second, 20*time.Second - 1, 20 * time.Second, 25 * time.Second, 5 * time.Minute}
	begins := jobstest.Times(time.Millisecond, 0, 1, 5_000, 9_999, 10_000, 13_700, 20_001)
	for _, limit := range limits {
		t.Run(limit.String(), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobs.Every(jobstest.ForAges), jobs.Detached()) // something to look at
				var ids []string
				for i, begin := range begins {
					if i > 0 {
						begin -= begins[i-1]
					}
					jobstest.Advance(begin)
					ids = append(ids, jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobs.Every(jobstest.ForAges), jobs.Detached(), jobs.WithJobTimeout(limit)))
				}
				start := time.Now()
				last := begins[len(begins)-1]
				for i, id := range ids {
					if until := begins[i] - last + limit - time.Since(start) - 1; until >= 0 {
						jobstest.Advance(until)
						assert.Equal(t, "Running", p.GetJobStatus(id), "begun at %v", begins[i])
						jobstest.Advance(1)
					}
					assert.Equal(t, "Failed", p.GetJobStatus(id), "begun at %v", begins[i])
				}
			})
		})
	}
}

func TestAnExecutionIsLateExactlyAtItsLimitWhenThePoolHasSeenManyShortOnes(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		quick := 0
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			if quick++; quick > 100 {
				time.Sleep(jobstest.ForAges)
			}
			return nil
		}}, jobs.Every(7*time.Second))
		jobstest.Advance(100 * 7 * time.Second)
		assert.EqualValues(t, 101, jobstest.InfoOf(t, p, id).Executions)
		jobstest.Advance(5*time.Minute - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		jobstest.Advance(1)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(jobstest.ForAges)
	})
}

// hung returns what executes until the test lets it go.
func hung(release <-chan struct{}) jobstest.Stub {
	return jobstest.Stub{ExecuteFunc: func() error { <-release; return nil }}
}

func TestTheLimitOfAnExecutionCountsAfterUnregisterJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		id := jobstest.Register(t, p, hung(release), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		granted := jobstest.NewTimeline()
		go func() {
			p.JobLock(id)
			granted.Mark()
			p.JobUnlock(id)
		}()
		jobstest.Advance(time.Second)
		p.UnregisterJob(id)
		jobstest.Advance(time.Hour)
		// Late at five minutes, given up one minute later: only then the lock is free.
		assert.Equal(t, []time.Duration{6*time.Minute - time.Second}, granted.Moments())
		close(release)
	}, jobs.WithAbandonAfter(time.Minute))
}

func TestTheLimitOfAnExecutionCountsAfterShutdown(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		defer close(release)
		id := jobstest.Register(t, p, hung(release), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		assert.ErrorIs(t, p.Shutdown(ended), context.Canceled)
		jobstest.Advance(5*time.Minute - time.Second - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		jobstest.Advance(1)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
	})
}

func TestWithAbandonAfterGivesALateExecutionUp(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		end := make(chan bool)
		defer close(end)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			calls.Mark()
			if len(calls.Moments()) == 1 {
				<-end
				return jobstest.ErrBroken
			}
			return nil
		}}, jobs.Every(7*time.Second), jobs.Detached())
		calls.AdvanceTo(15*time.Second - 1) // limit 10, abandoned 5 later
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.Zero(t, p.Info().Abandoned)
		lines := len(logged.AtLeast(slog.LevelError))
		calls.AdvanceTo(15 * time.Second)
		assert.Equal(t, 1, p.Info().Abandoned, "it is counted")
		assert.Len(t, logged.AtLeast(slog.LevelError), lines+1, "and logged")
		p.JobLock(id) // its lock is released
		p.JobUnlock(id)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures)
		calls.AdvanceTo(30 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 22, 29), calls.Moments(), "and the job executes again")
		assert.Equal(t, "Running", p.GetJobStatus(id))
		end <- true // what the abandoned one returns is ignored
		jobstest.Advance(0)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures)
		assert.EqualValues(t, 3, info.Executions)
		assert.Equal(t, jobs.JobStatusRunning, info.Status)
	}, logged.Option(), jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(5*time.Second))
}

func TestAnAbandonedExecutionDoesNotHoldTheRestartUp(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan bool)
		defer close(end)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(func() error { <-end; return nil })}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(time.Minute - 1)
		require.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(1) // abandoned
		assert.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
	}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(50*time.Second))
}

func TestAnExecutionThatReturnsBeforeItIsAbandonedIsNot(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(12 * time.Second); return nil }},
			jobs.Every(time.Second), jobs.Detached())
		calls.AdvanceTo(100 * time.Second)
		assert.Zero(t, p.Info().Abandoned)
		assert.Equal(t, jobstest.Seconds(0, 13, 26, 39, 52, 65, 78, 91), calls.Moments())
	}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(5*time.Second))
}

func TestAbandonedSingleRunAndRetryJobs(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan bool)
		defer close(end)
		calls := jobstest.NewTimeline()
		hang := func() error { calls.Mark(); <-end; return nil }
		single := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: hang}, jobs.Once(), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(2 * time.Second)
		retry := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: hang}, jobs.Retry(2), jobs.WithJobTimeout(time.Second))
		calls.AdvanceTo(time.Minute)
		assert.Equal(t, jobstest.Seconds(0, 2, 8), calls.Moments(), "an attempt is late after 1 s and given up 5 s later")
		assert.Equal(t, 3, p.Info().Abandoned)
		assert.Equal(t, "Failed", p.GetJobStatus(single))
		assert.Equal(t, "Failed", p.GetJobStatus(retry))
	}, jobs.WithAbandonAfter(5*time.Second))
}

func TestWithoutWithAbandonAfterAJobNeverHasTwoExecutions(t *testing.T) {
	for _, opts := range [][]jobs.PoolOption{nil, {jobs.WithAbandonAfter(0)}, {jobs.WithAbandonAfter(-1)}} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := jobstest.NewTimeline()
			end := make(chan bool)
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); <-end; return nil }}, jobs.Every(time.Second))
			jobstest.Advance(99 * time.Hour)
			assert.Len(t, calls.Moments(), 1)
			assert.Equal(t, "Failed", p.GetJobStatus(id))
			close(end)
		}, opts...)
	}
}

// What hangs in a pool that gives executions up: late after 10 seconds, given up 5 seconds later. The puppets
// know that, and tolerate a second execution beside one that is 15 seconds old.

func onAbandoningStage(t *testing.T, f func(t *testing.T, s *jobstest.Stage)) {
	t.Helper()
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) { f(t, s) }, jobs.WithAbandonAfter(5*time.Second))
}

func TestHungAndAbandonedTwiceInARow(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Abandonable("sleeper", jobs.Every(5*time.Second), jobs.Detached())
		s.Advance(34 * time.Second) // given up at 15, again from 20 on, and given up at 35
		assert.Equal(t, 1, s.Info().Abandoned)
		assert.Equal(t, 2, p.Executions.InFlight())
		p.Executions.Next(jobstest.Succeeds)
		s.Advance(time.Second)
		assert.Equal(t, 2, s.Info().Abandoned)
		info := jobstest.InfoOf(t, s.Pool, p.ID)
		assert.Equal(t, jobs.JobStatusFailed, info.Status)
		assert.EqualValues(t, 2, info.ConsecutiveFailures)
		s.Advance(5 * time.Second)
		s.AssertBegun(p, 0, 20, 40)
		info = jobstest.InfoOf(t, s.Pool, p.ID)
		assert.Equal(t, jobs.JobStatusRunning, info.Status)
		for number, end := range map[int]jobstest.Act{1: jobstest.Panics, 2: jobstest.Fails} {
			require.True(t, p.Executions.NowOnly(number, end))
		}
		s.Advance(0)
		assert.Equal(t, info, jobstest.InfoOf(t, s.Pool, p.ID), "nobody cares any more")
		s.Advance(time.Minute)
		assert.Len(t, p.Executions.Moments(), 15)
		assert.EqualValues(t, 2, jobstest.InfoOf(t, s.Pool, p.ID).Failures)
	})
}

// What an execution that was given up does in the end is not taken for the end of the one that is in flight.
func TestHungAndAbandonedReturnsBesideTheNextExecution(t *testing.T) {
	for name, end := range map[string]jobstest.Act{"returns": jobstest.Succeeds, "fails": jobstest.Fails, "panics": jobstest.Panics, "exits": jobstest.Exits} {
		for kind, opts := range map[string][]jobs.JobOption{"attached": nil, "detached": detached} {
			t.Run(kind+" "+name, func(t *testing.T) {
				onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
					p := s.Abandonable("sleeper", jobs.Every(25*time.Second), opts...)
					s.Advance(45 * time.Second) // given up at 15, and executes again at 40, attached or not
					s.AssertBegun(p, 0, 40)
					before := jobstest.InfoOf(t, s.Pool, p.ID)
					require.True(t, p.Executions.NowOnly(1, end))
					s.Advance(0)
					assert.Equal(t, before, jobstest.InfoOf(t, s.Pool, p.ID))
					assert.Equal(t, 1, p.Executions.InFlight())
					assert.Equal(t, "Running", s.GetStatus())
					locked := jobstest.NewTimeline()
					go func() { s.JobLock(p.ID); locked.Mark(); s.JobUnlock(p.ID) }()
					require.NoError(t, s.RunNow(p.ID))
					s.Advance(time.Second)
					assert.Empty(t, locked.Moments(), "the lock is the second one's")
					assert.Len(t, p.Executions.Moments(), 2)
					p.Executions.Next(jobstest.Succeeds)
					p.Executions.Now(jobstest.Succeeds)
					s.Advance(0)
					assert.Len(t, locked.Moments(), 1)
					assert.Len(t, p.Executions.Moments(), 3, "by RunNow")
					assert.EqualValues(t, 1, jobstest.InfoOf(t, s.Pool, p.ID).Failures)
				})
			})
		}
	}
}

func TestHungAndAbandonedContextsAreTheirOwn(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Puppet("sleeper")
		p.TakesContext, p.GivenUpAfter = true, 15*time.Second
		p.Executions.Next(jobstest.Hangs)
		p.Register(jobs.Every(5*time.Second), jobs.Detached())
		s.Advance(15 * time.Second)
		assert.Equal(t, []error{jobs.ErrTimeout}, p.ToldBy())
		p.Executions.Next(jobstest.Obeys)
		s.Advance(6 * time.Second)
		p.Executions.NowOnly(1, jobstest.Succeeds)
		s.Advance(time.Second)
		assert.Equal(t, []error{jobs.ErrTimeout}, p.ToldBy(), "the second one has a context of its own")
		assert.Equal(t, 1, p.Executions.InFlight())
		p.Unregister()
		s.Advance(0)
		assert.Equal(t, []error{jobs.ErrTimeout, jobs.ErrUnregistered}, p.ToldBy())
	})
}

func TestHungAndAbandonedTheLastOfThemLetsThePoolGo(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		s.UpdateDurations(12*time.Second, 10*time.Second)
		first := s.Abandonable("first", jobs.Every(jobstest.ForAges))
		second := s.Abandonable("second", jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(20*time.Second))
		second.GivenUpAfter = 25 * time.Second
		s.Advance(14 * time.Second)
		s.AssertHeldUpBy([]*jobstest.Puppet{first}, "execution that is late")
		s.Advance(time.Second)
		assert.Empty(t, s.Info().HeldUpBy, "second is within its limit")
		s.Advance(10*time.Second - 1) // at 22 there would have been an attempt
		s.AssertHeldUpBy([]*jobstest.Puppet{second}, "execution that is late")
		for _, p := range []*jobstest.Puppet{first, second} {
			p.Executions.Next(jobstest.Succeeds)
		}
		s.Advance(1)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 2, s.Info().Abandoned)
		s.AssertBegun(first, 0, 25)
		s.AssertBegun(second, 0, 25)
	})
}

// A call of Status, or of Ready, is not given up: there is no telling what its job can do without an answer.
func TestHungInStatusOrReadyIsNotAbandoned(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Puppet("sleeper").Register(jobs.Every(time.Hour))
		p.StatusCalls.Next(jobstest.Hangs)
		s.Advance(time.Hour)
		s.AssertHeldUpBy([]*jobstest.Puppet{p}, "call of Status that is late")
		p.ReadyCalls.Next(jobstest.Hangs)
		p.StatusCalls.Next(jobstest.Succeeds)
		p.StatusCalls.Now(jobstest.Succeeds)
		s.Advance(time.Hour)
		s.AssertHeldUpBy([]*jobstest.Puppet{p}, "call of Ready that has not returned")
		assert.Zero(t, s.Info().Abandoned)
		p.ReadyCalls.Now(jobstest.Succeeds)
		s.Advance(0)
		s.AssertBegun(p, 0, 7200)
	})
}

// The attempt to restart may ask an abandoned execution's job whether it is ready.
func TestHungAndAbandonedIsAskedWhetherItIsReady(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Abandonable("sleeper", jobs.Every(jobstest.ForAges))
		s.Advance(39 * time.Second)
		p.ReadyCalls.Next(jobstest.Fails)
		s.Advance(time.Hour)
		s.AssertHeldUpBy([]*jobstest.Puppet{p}, "is not ready")
		s.AssertBegun(p, 0)
		assert.Equal(t, 1, p.Executions.InFlight())
		p.ReadyCalls.Next(jobstest.Succeeds)
		s.SetStatus(jobs.PoolStatusRunning)
		s.Advance(0)
		assert.Equal(t, 2, p.Executions.InFlight())
	})
}

func TestHungAndUnregisteredIsAbandonedToo(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Abandonable("sleeper", jobs.Every(time.Second))
		s.Advance(12 * time.Second)
		p.Unregister()
		s.Advance(2 * time.Second)
		assert.Equal(t, 1, s.Departed())
		s.Advance(time.Second)
		assert.Zero(t, s.Departed(), "nothing waits for it any more")
		assert.Equal(t, 1, s.Info().Abandoned)
		require.NoError(t, s.ShutdownWatched(context.Background()))
	})
}

// Such an execution of a pool that goes on is told of, also when its job is gone; Shutdown waits for that.
func TestTheReturnOfAnAbandonedExecutionOfAJobThatIsGoneIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap := new(jobstest.Journal)
		p := jobs.NewPool(tap.Option(), jobs.WithAbandonAfter(time.Second))
		id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(10 * time.Second)
		p.UnregisterJob(id)
		jobstest.Advance(time.Hour)
		assert.Contains(t, tap.At(slog.LevelDebug), "abandoned execution has returned")
		assert.Zero(t, p.Departed())
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestWithJobTimeoutLimitsExecutions(t *testing.T) {
	for _, k := range jobstest.Kinds[:4] {
		t.Run(k.Type, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				var began time.Duration
				if k.Type == jobs.JobTypeScheduled {
					began = time.Second
				}
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); time.Sleep(20 * time.Second); return nil }},
					k.Trigger(), jobs.WithJobTimeout(10*time.Second))
				calls.AdvanceTo(began + 10*time.Second - 1)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				calls.AdvanceTo(began + 10*time.Second)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, jobs.JobStatusFailed, info.Status)
				assert.EqualValues(t, 1, info.Failures)
				assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
				calls.AdvanceTo(began + 19*time.Second)
				assert.Len(t, calls.Moments(), 1, "not executed again until it has returned")
			})
		})
	}
}

func TestSingleRunRetryAndChannelJobsHaveNoLimitUnlessGiven(t *testing.T) {
	for _, i := range []int{0, 1, 5} {
		k := jobstest.Kinds[i]
		t.Run(k.Type, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(10 * time.Hour)}, k.Trigger())
				jobstest.Advance(9 * time.Hour)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithExecutionTimeout(time.Second))
		})
	}
}

func TestWithJobTimeoutOfAChannelJobLimitsItsStatusOnly(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }, StatusFunc: jobstest.Sleeping(10 * time.Second)},
			jobs.Channel(stop), jobs.WithJobTimeout(5*time.Second))
		jobstest.Advance(35*time.Second - 1)
		assert.Equal(t, "Running", p.GetStatus())
		jobstest.Advance(1)
		assert.Equal(t, "Stopped", p.GetStatus(), "its Status is late")
		assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
	})
}

func TestWithJobTimeoutGoesBeforeThePools(t *testing.T) {
	cases := []struct {
		name       string
		job, limit time.Duration
	}{
		{"longer", time.Minute, time.Minute},
		{"shorter", time.Second, time.Second},
		{"zero is none given", 0, 10 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(2 * time.Minute)}, jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(c.job))
				jobstest.Advance(c.limit - 1)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				jobstest.Advance(1)
				assert.Equal(t, "Failed", p.GetJobStatus(id))
			}, jobs.WithExecutionTimeout(10*time.Second))
		})
	}
}
