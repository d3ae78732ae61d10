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
		{"the job's below zero", ofJob{jobs.WithJobTimeout(-time.Second)}, minute, time.Minute},
	}
}

// limitedKinds are the kinds of job whose executions have a limit, and when the first begins.
var limitedKinds = []struct {
	name    string
	trigger func() jobs.Trigger
	opts    []jobs.JobOption
	start   time.Duration
}{
	{"interval", hourly, nil, 0},
	{"detached interval", hourly, []jobs.JobOption{jobs.Detached()}, 0},
	{"scheduled", inASecond, nil, time.Second},
	{"detached scheduled", inASecond, []jobs.JobOption{jobs.Detached()}, time.Second},
}

func TestTimeLimitIsWithJobTimeoutIfAboveZeroElseThePools(t *testing.T) {
	const long = 10 * time.Hour
	for _, tt := range limitCases() {
		for _, kind := range limitedKinds {
			t.Run(kind.name+", "+tt.name, func(t *testing.T) {
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					id := register(t, p, lasting(long, nil), kind.trigger(), append(kind.opts, tt.job...)...)
					pass(kind.start)
					if tt.want == 0 {
						pass(long - 1)
						assert.Equal(t, "Running", p.GetJobStatus(id))
						assert.Zero(t, infoOf(t, p, id).Failures)
						return
					}
					pass(tt.want - 1)
					assert.Equal(t, "Running", p.GetJobStatus(id))
					pass(1)
					info := infoOf(t, p, id)
					assert.Equal(t, jobs.JobStatusFailed, info.Status)
					assert.EqualValues(t, 1, info.Failures, "it counts as failed at that moment")
					assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
					assert.ErrorIs(t, info.LastError, jobs.ErrExecutingJob)
				}, tt.pool...)
			})
		}
	}
}

func TestTimeLimitOfStatusIsWithJobTimeoutIfAboveZeroElseThePools(t *testing.T) {
	const sweep, long = 30 * time.Second, 10 * time.Hour
	for _, tt := range limitCases() {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				register(t, p, stub{status: func() error { time.Sleep(long); return nil }}, jobs.Every(100*time.Hour), tt.job...)
				pass(sweep)
				if tt.want == 0 {
					pass(long - 1)
					assert.Equal(t, "Running", p.GetStatus())
					return
				}
				pass(tt.want - 1)
				assert.Equal(t, "Running", p.GetStatus())
				pass(1)
				assert.Equal(t, "Stopped", p.GetStatus())
				assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
			}, tt.pool...)
		})
	}
}

func TestLateExecutionKeepsTheLockUntilItHasReturned(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, lasting(time.Hour, nil), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		start := time.Now()
		pass(time.Minute)
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
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				laps := newTimeline()
				register(t, p, stub{execute: func() error {
					if laps.mark() == 1 {
						time.Sleep(100 * time.Second)
					}
					return nil
				}}, jobs.Every(10*time.Second), append(tt.opts, jobs.WithJobTimeout(time.Second))...)
				pass(time.Duration(tt.want[2])*time.Second + 1)
				assert.Equal(t, times(time.Second, tt.want...), laps.moments())
			})
		})
	}
}

func TestWhatALateExecutionReturnsIsIgnored(t *testing.T) {
	for name, err := range map[string]error{"nil": nil, "error": errBroken} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, lasting(time.Minute, err), jobs.Every(time.Hour), jobs.Detached(), jobs.WithJobTimeout(time.Second))
				pass(time.Second)
				before := infoOf(t, p, id)
				pass(time.Minute)
				after := infoOf(t, p, id)
				assert.EqualValues(t, 1, after.Failures)
				assert.EqualValues(t, 1, after.ConsecutiveFailures)
				assert.EqualValues(t, 1, after.Executions)
				assert.Equal(t, before.LastError, after.LastError)
				assert.Equal(t, jobs.JobStatusFailed, after.Status)
			})
		})
	}
}

func TestExecutionThatReturnsWithinItsLimitIsNotLate(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		id := register(t, p, stub{execute: func() error {
			laps.mark()
			time.Sleep(time.Second - 1)
			return nil
		}}, jobs.Every(time.Millisecond), jobs.WithJobTimeout(time.Second))
		pass(time.Minute)
		assert.Len(t, laps.moments(), 60)
		assert.Zero(t, infoOf(t, p, id).Failures)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

// A pool looks for long limits now and then only; that must not show.

func TestAnExecutionIsLateExactlyAtItsLimitWheneverItHasBegun(t *testing.T) {
	limits := []time.Duration{time.Second, 20*time.Second - 1, 20 * time.Second, 25 * time.Second, 5 * time.Minute}
	begins := times(time.Millisecond, 0, 1, 5_000, 9_999, 10_000, 13_700, 20_001)
	for _, limit := range limits {
		t.Run(limit.String(), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				register(t, p, lasting(time.Hour, nil), jobs.Every(forAges), jobs.Detached()) // something to look at
				var ids []string
				for i, begin := range begins {
					if i > 0 {
						begin -= begins[i-1]
					}
					pass(begin)
					ids = append(ids, register(t, p, lasting(time.Hour, nil), jobs.Every(forAges), jobs.Detached(), jobs.WithJobTimeout(limit)))
				}
				start := time.Now()
				last := begins[len(begins)-1]
				for i, id := range ids {
					if until := begins[i] - last + limit - time.Since(start) - 1; until >= 0 {
						pass(until)
						assert.Equal(t, "Running", p.GetJobStatus(id), "begun at %v", begins[i])
						pass(1)
					}
					assert.Equal(t, "Failed", p.GetJobStatus(id), "begun at %v", begins[i])
				}
			})
		})
	}
}

func TestAnExecutionIsLateExactlyAtItsLimitWhenThePoolHasSeenManyShortOnes(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		quick := 0
		id := register(t, p, stub{execute: func() error {
			if quick++; quick > 100 {
				time.Sleep(forAges)
			}
			return nil
		}}, jobs.Every(7*time.Second))
		pass(100 * 7 * time.Second)
		assert.EqualValues(t, 101, infoOf(t, p, id).Executions)
		pass(5*time.Minute - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		pass(1)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.Equal(t, "Stopped", p.GetStatus())
		pass(forAges)
	})
}

// hung returns what executes until the test lets it go.
func hung(release <-chan struct{}) stub {
	return stub{execute: func() error { <-release; return nil }}
}

func TestTheLimitOfAnExecutionCountsAfterUnregisterJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		id := register(t, p, hung(release), jobs.Every(time.Hour))
		pass(time.Second)
		granted := newTimeline()
		go func() {
			p.JobLock(id)
			granted.mark()
			p.JobUnlock(id)
		}()
		pass(time.Second)
		p.UnregisterJob(id)
		pass(time.Hour)
		// Late at five minutes, given up one minute later: only then the lock is free.
		assert.Equal(t, []time.Duration{6*time.Minute - time.Second}, granted.moments())
		close(release)
	}, jobs.WithAbandonAfter(time.Minute))
}

func TestTheLimitOfAnExecutionCountsAfterShutdown(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		defer close(release)
		id := register(t, p, hung(release), jobs.Every(time.Hour))
		pass(time.Second)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		assert.ErrorIs(t, p.Shutdown(ended), context.Canceled)
		pass(5*time.Minute - time.Second - 1)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		pass(1)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
	})
}

func TestWithAbandonAfterGivesALateExecutionUp(t *testing.T) {
	logged := new(journal)
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		end := make(chan bool)
		defer close(end)
		id := register(t, p, stub{execute: func() error {
			calls.mark()
			if len(calls.moments()) == 1 {
				<-end
				return errBroken
			}
			return nil
		}}, jobs.Every(7*time.Second), jobs.Detached())
		calls.fill(15*time.Second - 1) // limit 10, abandoned 5 later
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.Zero(t, p.Info().Abandoned)
		lines := len(logged.atLeast(failing))
		calls.fill(15 * time.Second)
		assert.Equal(t, 1, p.Info().Abandoned, "it is counted")
		assert.Len(t, logged.atLeast(failing), lines+1, "and logged")
		p.JobLock(id) // its lock is released
		p.JobUnlock(id)
		assert.EqualValues(t, 1, infoOf(t, p, id).Failures)
		calls.fill(30 * time.Second)
		assert.Equal(t, seconds(0, 22, 29), calls.moments(), "and the job executes again")
		assert.Equal(t, "Running", p.GetJobStatus(id))
		end <- true // what the abandoned one returns is ignored
		pass(0)
		info := infoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures)
		assert.EqualValues(t, 3, info.Executions)
		assert.Equal(t, jobs.JobStatusRunning, info.Status)
	}, logged.option(), jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(5*time.Second))
}

func TestAnAbandonedExecutionDoesNotHoldTheRestartUp(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan bool)
		defer close(end)
		id := register(t, p, stub{execute: onlyFirst(func() error { <-end; return nil })}, jobs.Every(forAges))
		pass(time.Minute - 1)
		require.Equal(t, "Stopped", p.GetStatus())
		pass(1) // abandoned
		assert.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
	}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(50*time.Second))
}

func TestAnExecutionThatReturnsBeforeItIsAbandonedIsNot(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(12 * time.Second); return nil }},
			jobs.Every(time.Second), jobs.Detached())
		calls.fill(100 * time.Second)
		assert.Zero(t, p.Info().Abandoned)
		assert.Equal(t, seconds(0, 13, 26, 39, 52, 65, 78, 91), calls.moments())
	}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(5*time.Second))
}

func TestAbandonedSingleRunAndRetryJobs(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan bool)
		defer close(end)
		calls := newTimeline()
		hang := func() error { calls.mark(); <-end; return nil }
		single := register(t, p, stub{execute: hang}, jobs.Once(), jobs.WithJobTimeout(time.Second))
		pass(2 * time.Second)
		retry := register(t, p, stub{execute: hang}, jobs.Retry(2), jobs.WithJobTimeout(time.Second))
		calls.fill(time.Minute)
		assert.Equal(t, seconds(0, 2, 8), calls.moments(), "an attempt is late after 1 s and given up 5 s later")
		assert.Equal(t, 3, p.Info().Abandoned)
		assert.Equal(t, "Failed", p.GetJobStatus(single))
		assert.Equal(t, "Failed", p.GetJobStatus(retry))
	}, jobs.WithAbandonAfter(5*time.Second))
}

func TestWithoutWithAbandonAfterAJobNeverHasTwoExecutions(t *testing.T) {
	for _, opts := range [][]jobs.PoolOption{nil, {jobs.WithAbandonAfter(0)}, {jobs.WithAbandonAfter(-1)}} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := newTimeline()
			end := make(chan bool)
			id := register(t, p, stub{execute: func() error { calls.mark(); <-end; return nil }}, jobs.Every(time.Second))
			pass(99 * time.Hour)
			assert.Len(t, calls.moments(), 1)
			assert.Equal(t, "Failed", p.GetJobStatus(id))
			close(end)
		}, opts...)
	}
}

// What hangs in a pool that gives executions up: late after 10 seconds, given up 5 seconds later. The puppets
// know that, and tolerate a second execution beside one that is 15 seconds old.

func onAbandoningStage(t *testing.T, f func(t *testing.T, s *stage)) {
	t.Helper()
	onHungStage(t, func(t *testing.T, s *stage) { f(t, s) }, jobs.WithAbandonAfter(5*time.Second))
}

func TestHungAndAbandonedTwiceInARow(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.abandonable("sleeper", jobs.Every(5*time.Second), jobs.Detached())
		s.pass(34 * time.Second) // given up at 15, again from 20 on, and given up at 35
		assert.Equal(t, 1, s.Info().Abandoned)
		assert.Equal(t, 2, p.execution.inFlight())
		p.execution.next(succeeds)
		s.pass(time.Second)
		assert.Equal(t, 2, s.Info().Abandoned)
		info := infoOf(t, s.Pool, p.id)
		assert.Equal(t, jobs.JobStatusFailed, info.Status)
		assert.EqualValues(t, 2, info.ConsecutiveFailures)
		s.pass(5 * time.Second)
		s.assertBegun(p, 0, 20, 40)
		info = infoOf(t, s.Pool, p.id)
		assert.Equal(t, jobs.JobStatusRunning, info.Status)
		for number, end := range map[int]act{1: panics, 2: fails} {
			require.True(t, p.execution.nowOnly(number, end))
		}
		s.pass(0)
		assert.Equal(t, info, infoOf(t, s.Pool, p.id), "nobody cares any more")
		s.pass(time.Minute)
		assert.Len(t, p.execution.moments(), 15)
		assert.EqualValues(t, 2, infoOf(t, s.Pool, p.id).Failures)
	})
}

// What an execution that was given up does in the end is not taken for the end of the one that is in flight.
func TestHungAndAbandonedReturnsBesideTheNextExecution(t *testing.T) {
	for name, end := range map[string]act{"returns": succeeds, "fails": fails, "panics": panics, "exits": exits} {
		for kind, opts := range map[string][]jobs.JobOption{"attached": nil, "detached": detached} {
			t.Run(kind+" "+name, func(t *testing.T) {
				onAbandoningStage(t, func(t *testing.T, s *stage) {
					p := s.abandonable("sleeper", jobs.Every(25*time.Second), opts...)
					s.pass(45 * time.Second) // given up at 15, and executes again at 40, attached or not
					s.assertBegun(p, 0, 40)
					before := infoOf(t, s.Pool, p.id)
					require.True(t, p.execution.nowOnly(1, end))
					s.pass(0)
					assert.Equal(t, before, infoOf(t, s.Pool, p.id))
					assert.Equal(t, 1, p.execution.inFlight())
					assert.Equal(t, "Running", s.GetStatus())
					locked := newTimeline()
					go func() { s.JobLock(p.id); locked.mark(); s.JobUnlock(p.id) }()
					require.NoError(t, s.RunNow(p.id))
					s.pass(time.Second)
					assert.Empty(t, locked.moments(), "the lock is the second one's")
					assert.Len(t, p.execution.moments(), 2)
					p.execution.next(succeeds)
					p.execution.now(succeeds)
					s.pass(0)
					assert.Len(t, locked.moments(), 1)
					assert.Len(t, p.execution.moments(), 3, "by RunNow")
					assert.EqualValues(t, 1, infoOf(t, s.Pool, p.id).Failures)
				})
			})
		}
	}
}

func TestHungAndAbandonedContextsAreTheirOwn(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.puppet("sleeper")
		p.takesContext, p.givenUpAfter = true, 15*time.Second
		p.execution.next(hangs)
		p.register(jobs.Every(5*time.Second), jobs.Detached())
		s.pass(15 * time.Second)
		assert.Equal(t, []error{jobs.ErrTimeout}, p.toldBy())
		p.execution.next(obeys)
		s.pass(6 * time.Second)
		p.execution.nowOnly(1, succeeds)
		s.pass(time.Second)
		assert.Equal(t, []error{jobs.ErrTimeout}, p.toldBy(), "the second one has a context of its own")
		assert.Equal(t, 1, p.execution.inFlight())
		p.unregister()
		s.pass(0)
		assert.Equal(t, []error{jobs.ErrTimeout, jobs.ErrUnregistered}, p.toldBy())
	})
}

func TestHungAndAbandonedTheLastOfThemLetsThePoolGo(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		s.UpdateDurations(12*time.Second, 10*time.Second)
		first := s.abandonable("first", jobs.Every(forAges))
		second := s.abandonable("second", jobs.Every(forAges), jobs.WithJobTimeout(20*time.Second))
		second.givenUpAfter = 25 * time.Second
		s.pass(14 * time.Second)
		s.assertHeldUpBy([]*puppet{first}, "execution that is late")
		s.pass(time.Second)
		assert.Empty(t, s.Info().HeldUpBy, "second is within its limit")
		s.pass(10*time.Second - 1) // at 22 there would have been an attempt
		s.assertHeldUpBy([]*puppet{second}, "execution that is late")
		for _, p := range []*puppet{first, second} {
			p.execution.next(succeeds)
		}
		s.pass(1)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 2, s.Info().Abandoned)
		s.assertBegun(first, 0, 25)
		s.assertBegun(second, 0, 25)
	})
}

// A call of Status, or of Ready, is not given up: there is no telling what its job can do without an answer.
func TestHungInStatusOrReadyIsNotAbandoned(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.puppet("sleeper").register(jobs.Every(forAges))
		p.status.next(hangs)
		s.pass(time.Hour)
		s.assertHeldUpBy([]*puppet{p}, "call of Status that is late")
		p.ready.next(hangs)
		p.status.next(succeeds)
		p.status.now(succeeds)
		s.pass(time.Hour)
		s.assertHeldUpBy([]*puppet{p}, "call of Ready that has not returned")
		assert.Zero(t, s.Info().Abandoned)
		p.ready.now(succeeds)
		s.pass(0)
		s.assertBegun(p, 0, 7200)
	})
}

// The attempt to restart may ask an abandoned execution's job whether it is ready.
func TestHungAndAbandonedIsAskedWhetherItIsReady(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.abandonable("sleeper", jobs.Every(forAges))
		s.pass(39 * time.Second)
		p.ready.next(fails)
		s.pass(time.Hour)
		s.assertHeldUpBy([]*puppet{p}, "is not ready")
		s.assertBegun(p, 0)
		assert.Equal(t, 1, p.execution.inFlight())
		p.ready.next(succeeds)
		s.SetStatus(jobs.PoolStatusRunning)
		s.pass(0)
		assert.Equal(t, 2, p.execution.inFlight())
	})
}

func TestHungAndUnregisteredIsAbandonedToo(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.abandonable("sleeper", jobs.Every(time.Second))
		s.pass(12 * time.Second)
		p.unregister()
		s.pass(2 * time.Second)
		assert.Equal(t, 1, s.Departed())
		s.pass(time.Second)
		assert.Zero(t, s.Departed(), "nothing waits for it any more")
		assert.Equal(t, 1, s.Info().Abandoned)
		require.NoError(t, s.shutdown(context.Background()))
	})
}

// Such an execution of a pool that goes on is told of, also when its job is gone; Shutdown waits for that.
func TestTheReturnOfAnAbandonedExecutionOfAJobThatIsGoneIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap := new(journal)
		p := jobs.NewPool(tap.option(), jobs.WithAbandonAfter(time.Second))
		id := register(t, p, lasting(time.Minute, nil), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		pass(10 * time.Second)
		p.UnregisterJob(id)
		pass(time.Hour)
		assert.Contains(t, tap.at(slog.LevelDebug), "abandoned execution has returned")
		assert.Zero(t, p.Departed())
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestWithJobTimeoutLimitsExecutions(t *testing.T) {
	for _, k := range kinds[:4] {
		t.Run(k.typ, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				var began time.Duration
				if k.typ == jobs.JobTypeScheduled {
					began = time.Second
				}
				id := register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(20 * time.Second); return nil }},
					k.trigger(), jobs.WithJobTimeout(10*time.Second))
				calls.fill(began + 10*time.Second - 1)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				calls.fill(began + 10*time.Second)
				info := infoOf(t, p, id)
				assert.Equal(t, jobs.JobStatusFailed, info.Status)
				assert.EqualValues(t, 1, info.Failures)
				assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
				calls.fill(began + 19*time.Second)
				assert.Len(t, calls.moments(), 1, "not executed again until it has returned")
			})
		})
	}
}

func TestSingleRunRetryAndChannelJobsHaveNoLimitUnlessGiven(t *testing.T) {
	for _, i := range []int{0, 1, 5} {
		k := kinds[i]
		t.Run(k.typ, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{execute: enduring(10 * time.Hour)}, k.trigger())
				pass(9 * time.Hour)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithExecutionTimeout(time.Second))
		})
	}
}

func TestWithJobTimeoutOfAChannelJobLimitsItsStatusOnly(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		id := register(t, p, stub{execute: func() error { <-stop; return nil }, status: enduring(10 * time.Second)},
			jobs.Channel(stop), jobs.WithJobTimeout(5*time.Second))
		pass(35*time.Second - 1)
		assert.Equal(t, "Running", p.GetStatus())
		pass(1)
		assert.Equal(t, "Stopped", p.GetStatus(), "its Status is late")
		assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
		assert.Zero(t, infoOf(t, p, id).Failures)
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
		{"negative is none given", -time.Minute, 10 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{execute: enduring(2 * time.Minute)}, jobs.Every(forAges), jobs.WithJobTimeout(c.job))
				pass(c.limit - 1)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				pass(1)
				assert.Equal(t, "Failed", p.GetJobStatus(id))
			}, jobs.WithExecutionTimeout(10*time.Second))
		})
	}
}
