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
)

func TestAfterShutdownNothingBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet)
		calls, asked := newTimeline(), newTimeline()
		for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
			register(t, p, stub{execute: calls.execute, status: calls.status}, jobs.Every(time.Second), opts...)
			register(t, p, stub{execute: calls.execute}, jobs.On(everySecond()), opts...)
			register(t, p, stub{ready: func() bool { asked.mark(); return false }}, jobs.Every(time.Second), opts...)
		}
		register(t, p, stub{execute: func() error { calls.mark(); return errBroken }},
			jobs.Retry(99), jobs.WithRetryBackoff(time.Second, time.Second))
		pass(1500 * time.Millisecond)
		require.NoError(t, p.Shutdown(context.Background()))
		before, polls := len(calls.moments()), len(asked.moments())
		require.NotZero(t, before)
		pass(time.Hour)
		assert.Len(t, calls.moments(), before)
		assert.Len(t, asked.moments(), polls)
	})
}

func TestShutdownWaitsForEveryCallOfUserCode(t *testing.T) {
	slowReady := func() bool { time.Sleep(10 * time.Second); return true }
	for name, register := range map[string]func(t *testing.T, p *jobs.Pool){
		"Execute": func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{execute: enduring(10 * time.Second)}, jobs.Every(time.Hour))
		},
		"Execute of a single run job": func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{execute: enduring(10 * time.Second)}, jobs.Once())
		},
		"a late Execute": func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{execute: enduring(10 * time.Second)}, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		},
		"Execute of an unregistered job": func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{execute: enduring(10 * time.Second)}, jobs.Every(time.Hour))
			pass(0)
			p.UnregisterJob(id)
		},
		"Ready": func(t *testing.T, p *jobs.Pool) {
			register(t, p, stub{ready: slowReady}, jobs.Every(time.Hour))
		},
		"Status": func(t *testing.T, p *jobs.Pool) {
			p.UpdateDurations(time.Second, time.Hour)
			register(t, p, stub{status: enduring(9 * time.Second)}, jobs.Every(time.Hour))
		},
		"JobExecution.Ready": func(t *testing.T, p *jobs.Pool) {
			var unready fault
			id := register(t, p, stub{ready: func() bool { return unready.absent() || slowReady() }}, jobs.Every(time.Hour))
			pass(0)
			unready.cause()
			go p.GetJob(id).Ready()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, start := jobs.NewPool(quiet), time.Now()
				register(t, p)
				pass(5 * time.Second)
				require.NoError(t, p.Shutdown(context.Background()))
				assert.Equal(t, 10*time.Second, time.Since(start))
			})
		})
	}
}

func TestShutdownDoesNotWaitForLocksRestartsOrReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet)
		id := register(t, p, stub{}, jobs.Every(time.Second))
		register(t, p, stub{ready: newFault().absent}, jobs.Every(time.Second))
		pass(500 * time.Millisecond)
		p.JobLock(id)
		pass(time.Second) // its execution waits for the lock
		haltPool(p)
		start := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Zero(t, time.Since(start))
		p.JobUnlock(id)
		pass(time.Hour)
		assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
	})
}

func TestShutdownDoesNotWaitForAbandonedExecutions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(5*time.Second))
		end := make(chan bool)
		defer close(end)
		register(t, p, stub{execute: func() error { <-end; return nil }}, jobs.Every(forAges))
		start := time.Now()
		pass(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, 15*time.Second, time.Since(start), "it is given up while Shutdown waits")
	})
}

func TestShutdownTellsChannelJobsAndEndsContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log := jobs.NewPool(quiet), newCauseLog()
		stop := make(chan interface{})
		id := register(t, p, stub{execute: func() error { assert.Nil(t, <-stop); return nil }}, jobs.Channel(stop))
		register(t, p, jobs.JobFunc(log.await), jobs.Every(time.Hour))
		pass(time.Second)
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
		p, end := jobs.NewPool(quiet), make(chan bool)
		hanging := register(t, p, stub{execute: func() error { hangIn(end); return nil }}, jobs.Every(time.Hour), jobs.WithName("sleeper"))
		ready := register(t, p, stub{ready: func() bool { <-end; return true }}, jobs.Once(), jobs.WithName("thinker"))
		gone := register(t, p, stub{execute: func() error { <-end; return nil }}, jobs.Once(), jobs.WithName("leaver"))
		well := register(t, p, stub{}, jobs.Every(time.Hour), jobs.WithName("idler"))
		go hangElsewhere(end)
		pass(time.Second)
		p.UnregisterJob(gone)
		ctx, cancel := context.WithTimeoutCause(context.Background(), 3*time.Second, errBroken)
		defer cancel()
		start := time.Now()
		err := p.Shutdown(ctx)
		assert.Equal(t, 3*time.Second, time.Since(start))
		require.ErrorIs(t, err, errBroken)
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
		p, other, end := jobs.NewPool(quiet), jobs.NewPool(quiet), make(chan bool)
		register(t, p, stub{status: func() error { hangIn(end); return nil }}, jobs.Every(time.Hour))
		register(t, other, stub{execute: func() error { hangElsewhere(end); return nil }}, jobs.Every(time.Hour))
		pass(31 * time.Second)
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
		p := jobs.NewPool(quiet, jobs.WithExecutionTimeout(time.Second), jobs.WithAbandonAfter(time.Second))
		end := make(chan bool)
		first := onlyFirst(func() error { hangElsewhere(end); return nil })
		register(t, p, stub{execute: func() error {
			if err := first(); err != nil {
				return err
			}
			hangIn(end)
			return nil
		}}, jobs.Every(time.Second), jobs.Detached())
		pass(3500 * time.Millisecond) // abandoned at 2, executing again from 3 on
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
			register(t, p, stub{execute: shutdown}, jobs.Every(time.Hour))
		},
		"ExecuteContext": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			register(t, p, jobs.JobFunc(func(context.Context) error { return shutdown() }), jobs.Once())
		},
		"Status": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			register(t, p, stub{status: shutdown}, jobs.Every(time.Hour))
		},
		"Ready": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			register(t, p, stub{ready: func() bool { return shutdown() == nil }}, jobs.Every(time.Hour))
		},
		"Next": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			asked := false
			register(t, p, stub{}, jobs.On(nextFunc(func(at time.Time) time.Time {
				if asked { // not inside Register
					_ = shutdown()
				}
				asked = true
				return at.Add(time.Hour)
			})))
		},
		"the log handler": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			register(t, p, stub{execute: func() error { return errBroken }}, jobs.Every(time.Hour), jobs.Detached())
		},
		"the status function": func(t *testing.T, p *jobs.Pool, shutdown func() error) {
			register(t, p, stub{}, jobs.Every(time.Hour), jobs.Detached())
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
				opts := []jobs.PoolOption{quiet}
				switch name {
				case "the log handler":
					opts = []jobs.PoolOption{jobs.WithLogger(slog.New(handlerFunc(func(r slog.Record) {
						if r.Level == slog.LevelError {
							_ = shutdown()
						}
					})))}
				case "the status function":
					opts = append(opts, jobs.WithOnStatus(func(jobs.PoolInfo) { _ = shutdown() }))
				}
				p = jobs.NewPool(opts...)
				inside(t, p, shutdown)
				pass(time.Hour)
				require.NotZero(t, called)
				require.ErrorContains(t, err, "its caller is inside one of the calls that it would wait for")
				assert.ErrorContains(t, p.RunNow("x"), "shut down", "it was all the same")
				assert.NoError(t, p.Shutdown(context.Background()), "from outside")
			})
		})
	}
}

// A handlerFunc is a log handler.
type handlerFunc func(slog.Record)

func (handlerFunc) Enabled(context.Context, slog.Level) bool { return true }

func (h handlerFunc) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h handlerFunc) WithGroup(string) slog.Handler { return h }

func (h handlerFunc) Handle(_ context.Context, r slog.Record) error {
	h(r)
	return nil
}

func TestAnErrorOfShutdownNamesAJob(t *testing.T) {
	for range 50 { // the job returns and the context ends at the same moment: either may come first
		synctest.Test(t, func(t *testing.T) {
			p := jobs.NewPool(quiet)
			register(t, p, stub{execute: enduring(10 * time.Second)}, jobs.Once(), jobs.WithName("sleeper"))
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
		p := jobs.NewPool(quiet)
		register(t, p, stub{execute: enduring(10 * time.Second)}, jobs.Every(time.Hour))
		pass(0)
		done := newTimeline()
		for range 10 {
			go func() {
				if p.Shutdown(context.Background()) == nil {
					done.mark()
				}
			}()
		}
		done.fill(time.Minute)
		assert.Equal(t, seconds(10, 10, 10, 10, 10, 10, 10, 10, 10, 10), done.moments())
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestShutdownBeforeAnyRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, p := range []*jobs.Pool{jobs.NewPool(quiet), new(jobs.Pool)} {
			require.NoError(t, p.Shutdown(context.Background()))
			assert.Equal(t, "Stopped", p.GetStatus())
			assert.ErrorIs(t, p.RunNow("nobody"), jobs.ErrShutdown)
		}
	})
}

func TestShutdownFromInsideAJobWaitsForItsCallerTooUntilTheEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet)
		result := make(chan error, 1)
		register(t, p, stub{execute: func() error {
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
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		interval := register(t, p, stub{}, jobs.Every(time.Hour), jobs.WithName("Ada"))
		single := register(t, p, stub{}, jobs.Once())
		unready := register(t, p, stub{ready: newFault().absent}, jobs.Once())
		pass(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, "Stopped", p.GetStatus(), "the pool reads Stopped")
		_, err := p.Register(stub{}, jobs.Once())
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
		locked := newTimeline()
		go func() { p.JobLock(interval); locked.mark(); p.JobUnlock(interval) }()
		pass(time.Second)
		assert.Empty(t, locked.moments())
		p.JobUnlock(interval)
		pass(0)
		assert.Len(t, locked.moments(), 1)
		p.UnregisterJob(interval)
		assert.Nil(t, p.GetJob(interval))
	})
}

func TestRegisterBesideShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _, _ = p.Register(stub{}, jobs.Every(time.Second)) })
		}
		wg.Go(func() { _ = p.Shutdown(context.Background()) })
		wg.Wait()
		require.NoError(t, p.Shutdown(context.Background()))
		var before, after uint64
		for info := range p.Jobs() {
			before += info.Executions
		}
		pass(time.Minute)
		for info := range p.Jobs() {
			after += info.Executions
		}
		assert.Equal(t, before, after)
	})
}

// A program that ends after Shutdown is not to lose the last thing that was logged.
func TestShutdownReturnsWhenTheEndsOfTheExecutionsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := newTimeline()
		p := jobs.NewPool(jobs.WithLogger(slog.New(meddler{func() { time.Sleep(time.Second); logged.mark() }})))
		register(t, p, stub{execute: func() error { time.Sleep(time.Minute); return errBroken }}, jobs.Once())
		pass(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		before := len(logged.moments())
		pass(time.Minute)
		assert.Len(t, logged.moments(), before, "nothing is logged afterwards")
	})
}

func TestShutdownOfAStoppedPoolChangesNoStatus(t *testing.T) {
	var seen []jobs.PoolStatus
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{execute: func() error { return errors.New("no") }}, jobs.Every(time.Second))
		pass(time.Second)
		before := p.Info()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, before.Since, p.Info().Since)
		assert.Equal(t, id, p.Info().StoppedBy)
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) { seen = append(seen, info.Status) }))
	assert.Equal(t, []jobs.PoolStatus{jobs.PoolStatusRunning, jobs.PoolStatusStopped}, seen)
}
