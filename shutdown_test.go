package jobs_test

import (
	"context"
	"errors"
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
				require.ErrorContains(t, err, "its caller is inside one of the calls that it would wait for")
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
