package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestAfterShutdownNothingBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		calls, asked := jobstest.NewTimeline(), jobstest.NewTimeline()
		for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute, StatusFunc: calls.Status}, jobs.Every(time.Second), opts...)
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.EverySecond()), opts...)
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { asked.Mark(); return false }}, jobs.Every(time.Second), opts...)
		}
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); return jobstest.ErrBroken }},
			jobs.Retry(99), jobs.WithRetryBackoff(time.Second, time.Second))
		jobstest.Advance(1500 * time.Millisecond)
		require.NoError(t, p.Shutdown(context.Background()))
		before, polls := len(calls.Moments()), len(asked.Moments())
		require.NotZero(t, before)
		jobstest.Advance(time.Hour)
		assert.Len(t, calls.Moments(), before)
		assert.Len(t, asked.Moments(), polls)
	})
}

func TestShutdownWaitsForEveryCallOfUserCode(t *testing.T) {
	slowReady := func() bool { time.Sleep(10 * time.Second); return true }
	for name, register := range map[string]func(t *testing.T, p *jobs.Pool){
		"Execute": func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(10 * time.Second)}, jobs.Every(time.Hour))
		},
		"Execute of a single run job": func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(10 * time.Second)}, jobs.Once())
		},
		"a late Execute": func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(10 * time.Second)}, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		},
		"Execute of an unregistered job": func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(10 * time.Second)}, jobs.Every(time.Hour))
			jobstest.Advance(0)
			p.UnregisterJob(id)
		},
		"Ready": func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: slowReady}, jobs.Every(time.Hour))
		},
		"Status": func(t *testing.T, p *jobs.Pool) {
			p.UpdateDurations(time.Second, time.Hour)
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.Sleeping(9 * time.Second)}, jobs.Every(time.Hour))
		},
		"JobExecution.Ready": func(t *testing.T, p *jobs.Pool) {
			var unready jobstest.Fault
			id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return unready.Absent() || slowReady() }}, jobs.Every(time.Hour))
			jobstest.Advance(0)
			unready.Set()
			go p.GetJob(id).Ready()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, start := jobs.NewPool(jobstest.Quiet), time.Now()
				register(t, p)
				jobstest.Advance(5 * time.Second)
				require.NoError(t, p.Shutdown(context.Background()))
				assert.Equal(t, 10*time.Second, time.Since(start))
			})
		})
	}
}

func TestShutdownDoesNotWaitForLocksRestartsOrReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Second))
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Every(time.Second))
		jobstest.Advance(500 * time.Millisecond)
		p.JobLock(id)
		jobstest.Advance(time.Second) // its execution waits for the lock
		jobstest.FailPool(p)
		start := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(start))
		p.JobUnlock(id)
		jobstest.Advance(time.Hour)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestShutdownDoesNotWaitForAbandonedExecutions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(5*time.Second))
		end := make(chan bool)
		defer close(end)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Every(jobstest.ForAges))
		start := time.Now()
		jobstest.Advance(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, 15*time.Second, time.Since(start), "it is given up while Shutdown waits")
	})
}

func TestShutdownTellsChannelJobsAndEndsContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log := jobs.NewPool(jobstest.Quiet), newCauseLog()
		stop := make(chan interface{})
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { assert.Nil(t, <-stop); return nil }}, jobs.Channel(stop))
		jobstest.Register(t, p, jobs.JobFunc(log.await), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, []error{jobs.ErrShutdown}, log.all())
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
	})
}

//go:noinline
func hangIn(end chan bool) { <-end }

//go:noinline
func hangElsewhere(end chan bool) { <-end }

func TestAtTheEndOfItsContextShutdownNamesTheJobsStillInACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, end := jobs.NewPool(jobstest.Quiet), make(chan bool)
		hanging := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { hangIn(end); return nil }}, jobs.Every(time.Hour), jobs.WithName("sleeper"))
		ready := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { <-end; return true }}, jobs.Once(), jobs.WithName("thinker"))
		gone := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Once(), jobs.WithName("leaver"))
		well := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour), jobs.WithName("idler"))
		go hangElsewhere(end)
		jobstest.Advance(time.Second)
		p.UnregisterJob(gone)
		ctx, cancel := context.WithTimeoutCause(context.Background(), 3*time.Second, jobstest.ErrBroken)
		defer cancel()
		start := time.Now()
		err := p.Shutdown(ctx)
		assert.Equal(t, 3*time.Second, time.Since(start))
		require.ErrorIs(t, err, jobstest.ErrBroken)
		for _, part := range []string{"sleeper", "Execute", "thinker", "Ready", "leaver", "hangIn", hanging, ready, gone} {
			assert.ErrorContains(t, err, part)
		}
		for _, part := range []string{"idler", well, "hangElsewhere", "logger"} {
			assert.NotContains(t, err.Error(), part)
		}
		assert.Equal(t, 3, strings.Count(err.Error(), "\ngoroutine "), "the stacks of exactly those")
		close(end)
		require.NoError(t, p.Shutdown(context.Background()), "again, when they have returned")
	})
}

func TestTheStacksAreOfThisPoolsJobsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, other, end := jobs.NewPool(jobstest.Quiet), jobs.NewPool(jobstest.Quiet), make(chan bool)
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { hangIn(end); return nil }}, jobs.Every(time.Hour))
		jobstest.Register(t, other, jobstest.Stub{ExecuteFunc: func() error { hangElsewhere(end); return nil }}, jobs.Every(time.Hour))
		jobstest.Advance(31 * time.Second)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := p.Shutdown(ctx)
		require.ErrorIs(t, err, context.Canceled)
		assert.ErrorContains(t, err, "Status")
		assert.ErrorContains(t, err, "hangIn")
		assert.NotContains(t, err.Error(), "hangElsewhere")
		close(end)
		require.NoError(t, p.Shutdown(context.Background()))
		require.NoError(t, other.Shutdown(context.Background()))
	})
}

func TestTheStackOfAnAbandonedExecutionIsNotAmongThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet, jobs.WithExecutionTimeout(time.Second), jobs.WithAbandonAfter(time.Second))
		end := make(chan bool)
		first := jobstest.OnlyFirst(func() error { hangElsewhere(end); return nil })
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			if err := first(); err != nil {
				return err
			}
			hangIn(end)
			return nil
		}}, jobs.Every(time.Second), jobs.Detached())
		jobstest.Advance(3500 * time.Millisecond) // abandoned at 2, executing again from 3 on
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		err := p.Shutdown(ctx)
		require.Error(t, err)
		assert.ErrorContains(t, err, "hangIn")
		assert.NotContains(t, err.Error(), "hangElsewhere")
		close(end)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestShutdownFromInsideUserCodeWithAContextThatNeverEndsIsAnErrorAtOnce(t *testing.T) {
	for name, inside := range map[string]func(t *testing.T, p *jobs.Pool, shutdown func() error){
		"Execute": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: shutdown}, jobs.Every(time.Hour))
		},
		"ExecuteContext": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { return shutdown() }), jobs.Once())
		},
		"Status": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: shutdown}, jobs.Every(time.Hour))
		},
		"Ready": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return shutdown() == nil }}, jobs.Every(time.Hour))
		},
		"Next": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			asked := false
			jobstest.Register(t, p, jobstest.Stub{}, jobs.On(jobstest.NextFunc(func(at time.Time) time.Time {
				if asked { // not inside Register
					_ = shutdown()
				}
				asked = true
				return at.Add(time.Hour)
			})))
		},
		"the log handler": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Every(time.Hour), jobs.Detached())
		},
		"the status function": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour), jobs.Detached())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p *jobs.Pool
				var err error
				called := 0
				shutdown := func() error {
					if called++; called == 1 {
						start := time.Now()
						err = p.Shutdown(context.Background())
						assert.Zero(t, time.Since(start))
					}
					return err
				}
				opts := []jobs.PoolOption{jobstest.Quiet}
				switch name {
				case "the log handler":
					opts = []jobs.PoolOption{jobstest.HandlerFunc(func(r slog.Record) {
						if r.Level == slog.LevelError {
							_ = shutdown()
						}
					}).Option()}
				case "the status function":
					opts = append(opts, jobs.WithOnStatus(func(jobs.PoolInfo) { _ = shutdown() }))
				}
				p = jobs.NewPool(opts...)
				inside(t, p, shutdown)
				jobstest.Advance(time.Hour)
				require.NotZero(t, called)
				require.ErrorIs(t, err, jobs.ErrInsideCall)
				assert.ErrorContains(t, p.RunNow("x"), "shut down", "it was all the same")
				assert.NoError(t, p.Shutdown(context.Background()), "from outside")
			})
		})
	}
}

func TestAnErrorOfShutdownNamesAJob(t *testing.T) {
	for range 50 { // the job returns and the context ends at the same moment: either may come first
		synctest.Test(t, func(t *testing.T) {
			p := jobs.NewPool(jobstest.Quiet)
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(10 * time.Second)}, jobs.Once(), jobs.WithName("sleeper"))
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := p.Shutdown(ctx); err != nil {
				assert.ErrorContains(t, err, "sleeper")
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

func TestShutdownIsSafeTwiceAndFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(10 * time.Second)}, jobs.Every(time.Hour))
		jobstest.Advance(0)
		done := jobstest.NewTimeline()
		for range 10 {
			go func() {
				if p.Shutdown(context.Background()) == nil {
					done.Mark()
				}
			}()
		}
		done.AdvanceTo(time.Minute)
		assert.Equal(t, jobstest.Seconds(10, 10, 10, 10, 10, 10, 10, 10, 10, 10), done.Moments())
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestShutdownBeforeAnyRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, p := range []*jobs.Pool{jobs.NewPool(jobstest.Quiet), new(jobs.Pool)} {
			begun := time.Now()
			require.NoError(t, p.Shutdown(context.Background()))
			assert.Zero(t, time.Since(begun))
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.ErrorIs(t, p.RunNow("nobody"), jobs.ErrShutdown)
		}
	})
}

func TestShutdownFromInsideAJobWaitsForItsCallerTooUntilTheEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		result := make(chan error, 1)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			result <- p.Shutdown(ctx)
			return nil
		}}, jobs.Once(), jobs.WithName("suicidal"))
		start := time.Now()
		err := <-result
		assert.Equal(t, 10*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "suicidal")
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestAfterShutdown(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		interval := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour), jobs.WithName("Ada"))
		single := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		unready := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Once())
		jobstest.Advance(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, "Stopped", p.GetStatus(), "the pool reads Stopped")
		_, err := p.Register(jobstest.Stub{}, jobs.Once())
		assert.ErrorIs(t, err, jobs.ErrRegisteringJob)
		assert.ErrorIs(t, err, jobs.ErrShutdown)
		assert.ErrorIs(t, p.RunNow(interval), jobs.ErrShutdown)

		assert.Equal(t, "Stopped", p.GetJobStatus(interval), "look-ups work")
		assert.Equal(t, "Stopped", p.GetJobStatus(unready))
		assert.Equal(t, "Finished", p.GetJobStatus(single))
		assert.Equal(t, "Ada", p.GetJob(interval).GetName())
		assert.Equal(t, 3, p.Info().Jobs)
		assert.True(t, p.Info().NextAttempt.IsZero())
		p.JobLock(interval)
		locked := jobstest.NewTimeline()
		go func() { p.JobLock(interval); locked.Mark(); p.JobUnlock(interval) }()
		jobstest.Advance(time.Second)
		assert.Empty(t, locked.Moments())
		p.JobUnlock(interval)
		jobstest.Advance(0)
		assert.Len(t, locked.Moments(), 1)
		p.UnregisterJob(interval)
		assert.Nil(t, p.GetJob(interval))
	})
}

func TestRegisterBesideShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _, _ = p.Register(jobstest.Stub{}, jobs.Every(time.Second)) })
		}
		wg.Go(func() { _ = p.Shutdown(context.Background()) })
		wg.Wait()
		require.NoError(t, p.Shutdown(context.Background()))
		var before, after uint64
		for info := range p.Jobs() {
			before += info.Executions
		}
		jobstest.Advance(time.Minute)
		for info := range p.Jobs() {
			after += info.Executions
		}
		assert.Equal(t, before, after)
	})
}

// A program that ends after Shutdown is not to lose the last thing that was logged.
func TestShutdownReturnsWhenTheEndsOfTheExecutionsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := jobstest.NewTimeline()
		p := jobs.NewPool(jobstest.HandlerFunc(func(slog.Record) { time.Sleep(time.Second); logged.Mark() }).Option())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { time.Sleep(time.Minute); return jobstest.ErrBroken }}, jobs.Once())
		jobstest.Advance(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		before := len(logged.Moments())
		jobstest.Advance(time.Minute)
		assert.Len(t, logged.Moments(), before, "nothing is logged afterwards")
	})
}

func TestShutdownOfAStoppedPoolChangesNoStatus(t *testing.T) {
	var seen []jobs.PoolStatus
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return errors.New("no") }}, jobs.Every(time.Second))
		jobstest.Advance(time.Second)
		before := p.Info()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, before.Since, p.Info().Since)
		assert.Equal(t, id, p.Info().StoppedBy)
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) { seen = append(seen, info.Status) }))
	assert.Equal(t, []jobs.PoolStatus{jobs.PoolStatusRunning, jobs.PoolStatusStopped}, seen)
}

// Each function is a job's own: that is how one knows whose stack it is.
//
//go:noinline
func ownOfInterval(f func() error) error { return f() }

//go:noinline
func ownOfScheduled(f func() error) error { return f() }

//go:noinline
func ownOfChannel(f func() error) error { return f() }

//go:noinline
func ownOfSingle(f func() error) error { return f() }

//go:noinline
func ownOfRetry(f func() error) error { return f() }

//go:noinline
func ownOfStatus(f func() error) error { return f() }

//go:noinline
func ownOfReady(f func() error) error { return f() }

//go:noinline
func ownOfBoth(f func() error) error { return f() }

//go:noinline
func ownOfNobody(f func() error) error { return f() }

// registerAs registers the puppet as a job all methods of which have that function in their stacks.
func registerAs(p *jobstest.Puppet, own func(func() error) error, trigger jobs.Trigger, opts ...jobs.JobOption) *jobstest.Puppet {
	p.Enroll(func(job jobs.Job) (string, error) {
		through := jobstest.Stub{
			ExecuteFunc: func() error { return own(job.Execute) },
			StatusFunc:  func() error { return own(job.Status) },
			ReadyFunc: func() (ready bool) {
				_ = own(func() error { ready = job.Ready(); return nil })
				return ready
			},
		}
		return p.Pool.Register(through, trigger, append(opts, jobs.WithName(p.Name))...)
	})
	return p
}

// tellingCases are what may hang, and what Shutdown is to say of it.
var tellingCases = []struct {
	name    string
	own     func(func() error) error
	trigger func(p *jobstest.Puppet) jobs.Trigger
	parts   func(p *jobstest.Puppet) []*jobstest.Part // that hang
	says    string
	stacks  int
}{
	{"Interval", ownOfInterval, always(jobs.Every(time.Hour)), inExecution, "in Execute", 1},
	{"Scheduled", ownOfScheduled, always(jobs.On(jobstest.EverySecond())), inExecution, "in Execute", 1},
	{"Channel", ownOfChannel, itsChannel, inExecution, "in Execute", 1},
	{"Single", ownOfSingle, always(jobs.Once()), inExecution, "in Execute", 1},
	{"Retry", ownOfRetry, always(jobs.Retry(2)), inExecution, "in Execute", 1},
	{"Status", ownOfStatus, always(jobs.Every(time.Hour)), func(p *jobstest.Puppet) []*jobstest.Part { return []*jobstest.Part{p.StatusCalls} }, "in Status", 1},
	{"Ready", ownOfReady, always(jobs.Every(time.Hour)), func(p *jobstest.Puppet) []*jobstest.Part { return []*jobstest.Part{p.ReadyCalls} }, "in Ready", 1},
	{"Both", ownOfBoth, always(jobs.Every(time.Hour)), func(p *jobstest.Puppet) []*jobstest.Part { return []*jobstest.Part{p.Executions, p.StatusCalls} },
		"in Execute and Status", 2},
}

func inExecution(p *jobstest.Puppet) []*jobstest.Part { return []*jobstest.Part{p.Executions} }

// hungCast puts a puppet of each case on the stage, of which those of the set hang, and shuts the pool down.
func hungCast(s *jobstest.Stage, set int) error {
	for i, c := range tellingCases {
		p := s.Puppet("job " + c.name)
		if c.name == "Channel" {
			p.Executions.Next(jobstest.Obeys)
		}
		if set&(1<<i) != 0 {
			for _, part := range c.parts(p) {
				part.Next(jobstest.Hangs)
			}
		}
		registerAs(p, c.own, c.trigger(p))
	}
	s.Advance(40 * time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.ShutdownWatched(ctx)
}

func TestHungShutdownShowsTheStacksOfExactlyThoseWhoDidNotStop(t *testing.T) {
	for set := range 1 << len(tellingCases) { // who hangs
		jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
			go func() { _ = ownOfNobody(func() error { time.Sleep(time.Hour); return nil }) }()
			err := hungCast(s, set)
			if set == 0 {
				assert.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
			stacks := 0
			for i, c := range tellingCases {
				p, own := s.Puppets[i], "jobs_test.ownOf"+c.name+"("
				if set&(1<<i) == 0 {
					assert.NotContains(t, err.Error(), p.Name)
					assert.NotContains(t, err.Error(), p.ID)
					assert.NotContains(t, err.Error(), own)
					continue
				}
				assert.ErrorContains(t, err, `"`+p.Name+`" (`+p.ID+") "+c.says)
				assert.Equal(t, c.stacks, strings.Count(err.Error(), own), c.name)
				stacks += c.stacks
			}
			assert.Equal(t, stacks, strings.Count(err.Error(), "\ngoroutine "))
			assert.NotContains(t, err.Error(), "ownOfNobody")
		}, jobs.WithExecutionTimeout(0))
	}
}

// Two jobs that are the same in all but what they do: the stack is of the one that hangs.
func TestHungShutdownTellsTwinsApart(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		for _, name := range []string{"asleep", "awake"} {
			p := s.Puppet(name)
			p.Executions.Next(jobstest.Hangs)
			registerAs(p, ownOfInterval, jobs.Every(time.Hour))
		}
		s.Advance(time.Second)
		s.Puppets[1].Executions.Now(jobstest.Succeeds)
		s.Advance(0)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := s.ShutdownWatched(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "asleep")
		assert.NotContains(t, err.Error(), "awake")
		assert.Equal(t, 1, strings.Count(err.Error(), "jobs_test.ownOfInterval("))
	})
}

// One execution is given up while Shutdown waits, one returns then, and one has not been given up.
func TestHungAndAbandonedDuringShutdown(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		abandoned := s.Abandonable("abandoned", jobs.Every(time.Second))
		patient := s.Hanging("patient", jobs.Once()) // which has no limit
		s.Advance(12 * time.Second)
		patient.Executions.Now(jobstest.Fails.In(8 * time.Second))
		ends := jobstest.NewTimeline()
		go func() { assert.NoError(t, s.Shutdown(context.Background())); ends.Mark() }()
		for _, c := range []struct {
			until time.Duration
			names string
		}{{2 * time.Second, "abandoned patient"}, {3 * time.Second, "patient"}} {
			ctx, cancel := context.WithTimeout(context.Background(), c.until)
			err := s.ShutdownWatched(ctx) // at 14, and at 17
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			for _, p := range []*jobstest.Puppet{abandoned, patient} {
				assert.Equal(t, strings.Contains(c.names, p.Name), strings.Contains(err.Error(), p.ID), p.Name)
			}
		}
		require.NoError(t, s.ShutdownWatched(context.Background()))
		s.Advance(0)
		assert.Equal(t, jobstest.Seconds(8), ends.Moments())
		assert.Equal(t, 1, s.Info().Abandoned)
		s.Advance(time.Hour)
		abandoned.Executions.Now(jobstest.Panics)
		s.Advance(time.Hour)
		s.AssertBegun(abandoned, 0)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, s.Pool, abandoned.ID).Failures)
		assert.Equal(t, "Failed", s.GetJobStatus(patient.ID), "it failed by itself, and was told nothing")
	})
}

// Status and Ready are not given up, and so Shutdown waits for them.
func TestHungInStatusOrReadyIsWaitedForByShutdown(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		status := s.Puppet("status").Register(jobs.Every(jobstest.ForAges))
		status.StatusCalls.Next(jobstest.Hangs)
		ready := s.Puppet("ready")
		ready.ReadyCalls.Next(jobstest.Hangs)
		ready.Register(jobs.Every(jobstest.ForAges))
		s.Advance(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		err := s.ShutdownWatched(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, status.ID+") in Status")
		assert.ErrorContains(t, err, ready.ID+") in Ready")
	})
}

func TestHungShutdownDoesNotShowAnAbandonedExecutionOfAJobThatHangsInReady(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Abandonable("sleeper", jobs.Every(jobstest.ForAges))
		s.Advance(39 * time.Second)
		p.ReadyCalls.Next(jobstest.Hangs)
		s.Advance(time.Hour)
		require.Equal(t, 1, p.Executions.InFlight())
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		err := s.ShutdownWatched(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, p.ID+") in Ready")
		assert.Equal(t, 1, strings.Count(err.Error(), "\n\ngoroutine "))
		assert.NotContains(t, err.Error(), "Execute")
	})
}

// A job the failure of which is being logged is waited for, too. Its schedule, if it has one, is not to blame.
func TestHungShutdownNamesTheLoggerAsWhatAJobIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan bool)
		p := jobs.NewPool(jobstest.HandlerFunc(func(r slog.Record) {
			if r.Level == slog.LevelError {
				<-end
			}
		}).Option())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: goexit}, jobs.Every(time.Hour), jobs.WithName("fails"))
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { panic("no") }}, jobs.Once(), jobs.WithName("panics"))
		jobstest.Advance(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := p.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 2, strings.Count(err.Error(), ") in the pool's logger"))
		assert.Equal(t, 2, strings.Count(err.Error(), "HandlerFunc.Handle("), "with its stack")
		assert.NotContains(t, err.Error(), "Next")
		close(end)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestShutdownIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := new(jobstest.Journal)
		p := jobs.NewPool(logged.Option())
		for range 3 {
			require.NoError(t, p.Shutdown(context.Background()))
		}
		assert.Len(t, logged.AtLeast(slog.LevelDebug), 1)
	})
}

func TestShutdownEndsAWaitForAPoolThatIsStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return false }}, jobs.Every(time.Hour))
		p.SetStatus(jobs.PoolStatusStopped)
		result := make(chan error, 1)
		go func() { result <- p.WaitRunning(context.Background()) }()
		jobstest.Advance(time.Second)
		jobstest.ShutDownNow(p)
		jobstest.Advance(0)
		require.Len(t, result, 1)
		assert.ErrorIs(t, <-result, jobs.ErrShutdown)
	})
}

func TestShutdownNamesJobsInTheOrderOfTheirRegistration(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan bool)
		first := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		for _, name := range []string{"Ada", "Bob", "Cleo", "Dan"} {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Once(), jobs.WithName(name))
		}
		jobstest.Advance(time.Second)
		p.UnregisterJob(first) // whose place another takes
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		assert.Regexp(t, `(?s)"Ada".*"Bob".*"Cleo".*"Dan"`, p.Shutdown(ctx).Error())
		close(end)
	})
}

// What returns in the very instant in which Shutdown's context ends is named, or it is no error.
func TestShutdownsErrorNamesSomething(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			p := jobs.NewPool(jobstest.Quiet)
			jobstest.Register(t, p, jobstest.Lasting(time.Second, nil), jobs.Once(), jobs.WithName("Ada"))
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := p.Shutdown(ctx); err != nil {
				require.ErrorContains(t, err, "Ada")
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

func TestTheStackOfOneAmongThousandsIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, end := jobs.NewPool(jobstest.Quiet), make(chan bool)
		for range 10_000 {
			go hangElsewhere(end)
		}
		synctest.Wait()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { hangIn(end); return nil }}, jobs.Once())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := p.Shutdown(ctx)
		assert.ErrorContains(t, err, "hangIn")
		close(end)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// Shutdown's error must be of use, and no burden: a log line of 25 MB is neither.
func TestShutdownsErrorIsShortHoweverManyHang(t *testing.T) {
	for _, n := range []int{1_000, 10_000} {
		synctest.Test(t, func(t *testing.T) {
			p, end := jobs.NewPool(jobstest.Quiet), make(chan bool)
			long := strings.Repeat("long ", 1_000)
			for i := range n {
				name := "hanging"
				if i == 1 {
					name = strings.Repeat(long, 10)
				}
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { hangIn(end); return nil }}, jobs.Once(), jobs.WithName(name))
			}
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { hangElsewhere(end); return true }}, jobs.Once())
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			err := p.Shutdown(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			text := err.Error()
			assert.LessOrEqual(t, len(text), 64<<10)
			assert.Equal(t, 100, strings.Count(text, ") in Execute"))
			assert.Contains(t, text, fmt.Sprintf("%d more jobs", n-100+1))
			assert.NotContains(t, text, long)
			assert.Contains(t, text, fmt.Sprintf("%d goroutines with this stack", n))
			assert.Contains(t, text, "hangElsewhere", "the stack that only one has is not lost among the others")
			close(end)
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

// What was made in a bubble must not be used from outside; a pool that was shut down there can be.
func TestAfterShutdownAPoolCanBeUsedOutsideItsBubble(t *testing.T) {
	var p *jobs.Pool
	var ids []string
	synctest.Test(t, func(t *testing.T) {
		p = jobs.NewPool(jobstest.Quiet)
		stop, elsewhere := make(chan interface{}), make(chan interface{}, 1)
		fails := jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}
		hears := func(stop chan interface{}) jobs.Job {
			return jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }}
		}
		for _, r := range []struct {
			job     jobs.Job
			trigger jobs.Trigger
			opts    []jobs.JobOption
		}{
			{jobstest.Stub{}, jobs.Once(), nil},
			{jobstest.Stub{}, jobs.Every(time.Second), nil},
			{jobstest.Stub{}, jobs.Cron("* * * * *"), []jobs.JobOption{jobs.Detached()}},
			{jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Every(time.Second), nil},
			{hears(stop), jobs.Channel(stop), nil},
			{hears(stop), jobs.Channel(stop), []jobs.JobOption{jobs.Detached()}},
			{hears(elsewhere), jobs.Channel(elsewhere), nil},
			{fails, jobs.Every(time.Hour), nil}, // stops the pool
		} {
			ids = append(ids, jobstest.Register(t, p, r.job, r.trigger, r.opts...))
		}
		jobstest.Advance(45 * time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
	})
	for i, id := range ids {
		assert.NotEmpty(t, p.GetJobStatus(id))
		j := p.GetJob(id)
		j.Ready()
		if i%2 == 0 {
			j.Lock()
		}
		p.UnregisterJob(id)
		j.Ready()
		if i%2 == 0 {
			j.Unlock()
		}
		assert.Empty(t, p.GetJobStatus(id))
		require.Error(t, p.RunNow(id))
	}
	assert.Zero(t, p.Info().Jobs)
	p.SetStatus(jobs.PoolStatusRunning)
	p.UpdateDurations(time.Second, time.Second)
	require.ErrorIs(t, p.WaitRunning(context.Background()), jobs.ErrShutdown)
	_, err := p.Register(jobstest.Stub{}, jobs.Once())
	require.ErrorIs(t, err, jobs.ErrShutdown)
	require.NoError(t, p.Shutdown(context.Background()))
}
