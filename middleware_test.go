package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// around makes a middleware of one function.
func around(f func(ctx context.Context, next jobs.ExecuteFunc) error) jobs.PoolOption {
	return jobs.WithMiddleware(func(next jobs.ExecuteFunc) jobs.ExecuteFunc {
		return func(ctx context.Context) error { return f(ctx, next) }
	})
}

// A diary keeps lines.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// around is a middleware that notes when it is entered and left.
func (d *diary) around(name string) jobs.PoolOption {
	return around(func(ctx context.Context, next jobs.ExecuteFunc) error {
		d.note(name + " begins")
		err := next(ctx)
		d.note(fmt.Sprint(name, " ends: ", err))
		return err
	})
}

func TestMiddlewareIsAroundEachExecutionTheFirstOutermost(t *testing.T) {
	for _, k := range jobstest.Kinds {
		for name, job := range map[string]func(d *diary) jobs.Job{
			"plain": func(d *diary) jobs.Job {
				return jobstest.Stub{ExecuteFunc: func() error { d.note("executes"); return nil }}
			},
			"context": func(d *diary) jobs.Job {
				return jobs.JobFunc(func(context.Context) error { d.note("executes"); return nil })
			},
		} {
			t.Run(k.Type+" "+name, func(t *testing.T) {
				d := new(diary)
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					id := jobstest.Register(t, p, job(d), k.Trigger())
					jobstest.Advance(time.Hour)
					executions := int(jobstest.InfoOf(t, p, id).Executions)
					require.Positive(t, executions)
					once := []string{"outer begins", "inner begins", "executes", "inner ends: <nil>", "outer ends: <nil>"}
					assert.Equal(t, slices.Repeat(once, executions), d.all())
				}, d.around("outer"), d.around("inner"))
			})
		}
	}
}

func TestMiddlewareIsComposedOnceForEachPool(t *testing.T) {
	var composed atomic.Int32
	opt := jobs.WithMiddleware(func(next jobs.ExecuteFunc) jobs.ExecuteFunc {
		composed.Add(1)
		return next
	})
	for range 2 {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Second))
			jobstest.Advance(time.Minute)
			assert.EqualValues(t, 61, jobstest.InfoOf(t, p, id).Executions)
		}, opt)
	}
	assert.EqualValues(t, 2, composed.Load())
}

func TestAMiddlewareThatIsNoneIsABadOption(t *testing.T) {
	for name, c := range map[string]struct {
		opt  jobs.PoolOption
		want string
	}{
		"nil":         {jobs.WithMiddleware(nil), "WithMiddleware(nil)"},
		"returns nil": {jobs.WithMiddleware(func(jobs.ExecuteFunc) jobs.ExecuteFunc { return nil }), "WithMiddleware: a nil ExecuteFunc"},
		"panics":      {jobs.WithMiddleware(func(jobs.ExecuteFunc) jobs.ExecuteFunc { panic("no") }), "WithMiddleware: panic: no"},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				_, err := p.Register(jobstest.Stub{}, jobs.Once())
				require.ErrorIs(t, err, jobs.ErrRegisteringJob)
				assert.ErrorContains(t, err, c.want)
			}, new(diary).around("good"), c.opt)
		})
	}
}

func TestTheJobIsGivenTheContextThatTheMiddlewarePassesOn(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var got any
		var known string
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			got = ctx.Value(traceKey{})
			if j, ok := jobs.FromContext(ctx); ok {
				known = j.GetID()
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}), jobs.Once(), jobs.WithJobTimeout(time.Hour))
		jobstest.Advance(2 * time.Second)
		assert.Equal(t, "abc", got)
		assert.Equal(t, id, known)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, jobs.OutcomeFailure, info.LastOutcome, "that was the middleware's timeout")
		assert.Equal(t, time.Second, info.LastDuration)
	}, around(func(ctx context.Context, next jobs.ExecuteFunc) error {
		ctx, cancel := context.WithTimeout(context.WithValue(ctx, traceKey{}, "abc"), time.Second)
		defer cancel()
		return next(ctx)
	}))
}

// A plain Job is given none.
func TestWithMiddlewareEachExecutionHasAContextThatEndsAsAContextJobsDoes(t *testing.T) {
	for cause, end := range map[error]func(p *jobs.Pool, id string){
		jobs.ErrTimeout:      func(*jobs.Pool, string) { jobstest.Advance(10 * time.Second) },
		jobs.ErrUnregistered: func(p *jobs.Pool, id string) { p.UnregisterJob(id) },
		jobs.ErrShutdown:     func(p *jobs.Pool, _ string) { jobstest.ShutDownNow(p) },
	} {
		t.Run(cause.Error(), func(t *testing.T) {
			var got error
			var over chan struct{}
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				over = make(chan struct{})
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-over; return nil }}, jobs.Every(time.Hour), jobs.WithJobTimeout(10*time.Second))
				jobstest.Advance(time.Second)
				end(p, id)
				jobstest.Advance(0)
				assert.Equal(t, cause, got)
			}, around(func(ctx context.Context, next jobs.ExecuteFunc) error {
				context.AfterFunc(ctx, func() {
					got = context.Cause(ctx)
					close(over)
				})
				deadline, ok := ctx.Deadline()
				assert.True(t, ok)
				assert.Equal(t, 10*time.Second, time.Until(deadline))
				return next(ctx)
			}))
		})
	}
}

func TestNextWantsAContextDerivedFromTheOneThatTheMiddlewareWasGiven(t *testing.T) {
	var ofAnother atomic.Pointer[context.Context]
	type keep struct{ context.Context }
	for name, c := range map[string]struct {
		pass func(ctx context.Context) context.Context
		ok   bool
	}{
		"itself":              {func(ctx context.Context) context.Context { return ctx }, true},
		"one without its end": {context.WithoutCancel, true},
		"one of another type": {func(ctx context.Context) context.Context { return keep{ctx} }, true},
		"a fresh one":         {func(context.Context) context.Context { return context.Background() }, false},
		"nil":                 {func(context.Context) context.Context { return nil }, false},
		"one of another execution": {func(ctx context.Context) context.Context {
			if former := ofAnother.Swap(&ctx); former != nil {
				return *former
			}
			return ctx
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(time.Hour), jobs.Detached())
				jobstest.Advance(time.Hour)
				info := jobstest.InfoOf(t, p, id)
				require.EqualValues(t, 2, info.Executions)
				if c.ok {
					assert.NoError(t, info.LastError)
					assert.Len(t, calls.Moments(), 2)
					return
				}
				assert.Less(t, len(calls.Moments()), 2)
				assert.ErrorContains(t, info.LastError, "next")
				assert.Equal(t, jobs.OutcomeFailure, info.LastOutcome)
			}, around(func(ctx context.Context, next jobs.ExecuteFunc) error { return next(c.pass(ctx)) }))
		})
	}
}

// A base context may be that of another pool's execution.
func TestAnExecutionInsideAnotherPoolsIsFoundByItsOwnContext(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, outer *jobs.Pool) {
		inside := ""
		want := ""
		jobstest.Register(t, outer, jobs.JobFunc(func(base context.Context) error {
			foreign := around(func(ctx context.Context, next jobs.ExecuteFunc) error {
				assert.Error(t, next(base), "that is the other pool's")
				return next(ctx)
			})
			p := jobs.NewPool(jobstest.Quiet, jobs.WithBaseContext(func() context.Context { return base }), foreign)
			want = jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
				j, _ := jobs.FromContext(ctx)
				inside = j.GetID()
				return nil
			}), jobs.Once())
			jobstest.Take(time.Second)
			return p.Shutdown(context.Background())
		}), jobs.Once())
		jobstest.Advance(2 * time.Second)
		assert.NotEmpty(t, inside)
		assert.Equal(t, want, inside)
	}, new(diary).around("outer"))
}

func TestWhatTheMiddlewareReturnsIsTheOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		execute    func() error
		middleware func(ctx context.Context, next jobs.ExecuteFunc) error
		want       jobs.Outcome
		is         error
		executes   int
	}{
		"passed on": {func() error { return jobstest.ErrBroken }, func(ctx context.Context, next jobs.ExecuteFunc) error { return next(ctx) },
			jobs.OutcomeFailure, jobstest.ErrBroken, 1},
		"a failure made a success": {func() error { return jobstest.ErrBroken }, func(ctx context.Context, next jobs.ExecuteFunc) error { _ = next(ctx); return nil },
			jobs.OutcomeSuccess, nil, 1},
		"a success made a failure": {nil, func(ctx context.Context, next jobs.ExecuteFunc) error { _ = next(ctx); return jobstest.ErrBroken },
			jobs.OutcomeFailure, jobstest.ErrBroken, 1},
		"next not called, nil":       {nil, func(context.Context, jobs.ExecuteFunc) error { return nil }, jobs.OutcomeSuccess, nil, 0},
		"next not called, an error":  {nil, func(context.Context, jobs.ExecuteFunc) error { return jobstest.ErrBroken }, jobs.OutcomeFailure, jobstest.ErrBroken, 0},
		"next called twice":          {nil, func(ctx context.Context, next jobs.ExecuteFunc) error { return errors.Join(next(ctx), next(ctx)) }, jobs.OutcomeSuccess, nil, 2},
		"an error whose Error hurts": {nil, func(context.Context, jobs.ExecuteFunc) error { return trap{blowUp} }, jobs.OutcomePanic, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				executes := 0
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
					executes++
					if c.execute == nil {
						return nil
					}
					return c.execute()
				}}, jobs.Once())
				jobstest.Advance(time.Second)
				info := jobstest.InfoOf(t, p, id)
				assert.EqualValues(t, 1, info.Executions)
				assert.Equal(t, c.executes, executes)
				assert.Equal(t, c.want, info.LastOutcome)
				if c.is != nil {
					assert.ErrorIs(t, info.LastError, c.is)
				}
			}, around(c.middleware))
		})
	}
}

func TestAPermanentErrorOfTheMiddlewareEndsARetryJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(0, jobstest.ErrBroken), jobs.Retry(3))
		jobstest.Advance(time.Second)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
	}, around(func(ctx context.Context, next jobs.ExecuteFunc) error { return jobs.Permanent(next(ctx)) }))
}

func TestAPanicOrGoexitInTheMiddlewareIsOneOfTheExecution(t *testing.T) {
	for _, before := range []bool{true, false} {
		for _, m := range mishaps {
			t.Run(fmt.Sprint(m.name, ", before next ", before), func(t *testing.T) {
				logged := new(jobstest.Journal)
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Minute), jobs.Detached())
					jobstest.Advance(0)
					info := jobstest.InfoOf(t, p, id)
					assert.Equal(t, jobs.OutcomePanic, info.LastOutcome)
					assert.ErrorContains(t, info.LastError, m.text)
					assert.Contains(t, logged.At(slog.LevelError), m.in, "the stack")
					p.JobLock(id) // which is free
					p.JobUnlock(id)
					jobstest.Advance(time.Minute)
					assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions, "it goes on")
				}, logged.Option(), around(func(ctx context.Context, next jobs.ExecuteFunc) error {
					if before {
						m.do()
					}
					err := next(ctx)
					m.do()
					return err
				}))
			})
		}
	}
}

func TestNextReturnsAnErrorForAPanicOfTheJob(t *testing.T) {
	for name, c := range map[string]struct {
		then func(err error) error
		want jobs.Outcome
	}{
		"passed on": {func(err error) error { return err }, jobs.OutcomePanic},
		"wrapped":   {func(err error) error { return errors.Join(errors.New("span 1"), fmt.Errorf("traced: %w", err)) }, jobs.OutcomePanic},
		"replaced":  {func(error) error { return jobstest.ErrBroken }, jobs.OutcomeFailure},
		"swallowed": {func(error) error { return nil }, jobs.OutcomeSuccess},
	} {
		t.Run(name, func(t *testing.T) {
			logged := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { blowUp(); return nil }}, jobs.Once())
				jobstest.Advance(0)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, c.want, info.LastOutcome)
				if c.want == jobs.OutcomePanic {
					assert.ErrorContains(t, info.LastError, "100%d boom")
					assert.Contains(t, logged.At(slog.LevelError), "blowUp", "the stack")
				}
			}, logged.Option(), around(func(ctx context.Context, next jobs.ExecuteFunc) error {
				err := next(ctx)
				assert.ErrorContains(t, err, "100%d boom")
				return c.then(err)
			}))
		})
	}
}

// The panic of an earlier call of next, or of another job, is not this execution's.
func TestOnlyThePanicThatTheMiddlewarePassesOnIsTheExecutions(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		panics := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { panic("no") }}, jobs.Once())
		jobstest.Advance(0)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.InfoOf(t, p, panics).LastError }}, jobs.Once())
		jobstest.Advance(0)
		assert.Equal(t, jobs.OutcomePanic, jobstest.InfoOf(t, p, panics).LastOutcome)
		assert.Equal(t, jobs.OutcomeFailure, jobstest.InfoOf(t, p, id).LastOutcome)
	}, new(diary).around("it"))
}

func TestAGoexitInTheJobEndsTheMiddlewareTooButNotThePool(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { runtime.Goexit(); return nil }}, jobs.Every(time.Minute), jobs.Detached())
		jobstest.Advance(time.Minute)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 2, info.Executions)
		assert.Equal(t, jobs.OutcomePanic, info.LastOutcome)
	}, new(diary).around("it"))
}

// on calls f on another goroutine and returns a channel with what it returned.
func on(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

func TestAnExecutionLastsUntilWhatItsMiddlewareHasLeftBehindHasReturned(t *testing.T) {
	impatient := around(func(ctx context.Context, next jobs.ExecuteFunc) error {
		select {
		case err := <-on(func() error { return next(ctx) }):
			return err
		case <-time.After(time.Second):
			return errors.New("too slow")
		}
	})
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var overlap jobstest.OverlapMeter
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { overlap.During(10 * time.Second); return nil }},
			jobs.Every(time.Second), jobs.Detached())
		jobstest.Advance(5 * time.Second)
		assert.Empty(t, jobstest.InfoOf(t, p, id).NotExecuting)
		jobstest.Advance(time.Minute)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, 1, overlap.Highest())
		assert.EqualValues(t, 6, info.Executions)
		assert.Equal(t, 10*time.Second, info.LastDuration)
		assert.ErrorContains(t, info.LastError, "too slow", "that was decided before")
		jobstest.Advance(9 * time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		err := p.Shutdown(ctx)
		assert.ErrorContains(t, err, "in Execute")
		assert.ErrorContains(t, err, "OverlapMeter", "the stack of the job, whatever goroutine it is on")
	}, impatient)
}

func TestAPanicOfAJobOnAGoroutineOfTheMiddlewareIsAnError(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { panic("boom") }}, jobs.Once())
		jobstest.Advance(0)
		assert.Equal(t, jobs.OutcomePanic, jobstest.InfoOf(t, p, id).LastOutcome)
	}, around(func(ctx context.Context, next jobs.ExecuteFunc) error {
		return <-on(func() error { return next(ctx) })
	}))
}

func TestNextIsAnErrorBesideItselfAndAfterItsExecution(t *testing.T) {
	var overlap jobstest.OverlapMeter
	var late error
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { overlap.During(time.Second); return nil }}, jobs.Once())
		jobstest.Advance(time.Minute)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, 1, overlap.Highest())
		assert.ErrorContains(t, info.LastError, "next")
		assert.ErrorContains(t, late, "next")
	}, around(func(ctx context.Context, next jobs.ExecuteFunc) error {
		first := on(func() error { return next(ctx) })
		jobstest.Take(time.Millisecond)
		beside := next(ctx)
		go func() {
			jobstest.Take(10 * time.Second)
			late = next(ctx)
		}()
		return errors.Join(<-first, beside)
	}))
}

func TestNextIsAnErrorOnceTheExecutionWasAbandoned(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(jobstest.ForAges), jobs.Detached(), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(time.Minute)
		assert.Equal(t, 1, p.Info().Abandoned)
		assert.Empty(t, calls.Moments())
		assert.Equal(t, "Failed", p.GetJobStatus(id))
	}, jobs.WithAbandonAfter(time.Second), around(func(ctx context.Context, next jobs.ExecuteFunc) error {
		jobstest.Take(10 * time.Second)
		return next(ctx)
	}))
}

func TestAChannelJobInMiddlewareIsToldAndExecutedAgain(t *testing.T) {
	for name, job := range map[string]func(stop chan interface{}) jobs.Job{
		"by its channel": func(stop chan interface{}) jobs.Job {
			return jobstest.Stub{ExecuteFunc: func() error { <-stop; return jobstest.ErrBroken }}
		},
		"by its context": func(chan interface{}) jobs.Job {
			return jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return jobstest.ErrBroken })
		},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				stop := make(chan interface{})
				id := jobstest.Register(t, p, job(stop), jobs.Channel(stop))
				jobstest.Advance(time.Second)
				jobstest.StopPool(p)
				jobstest.Advance(time.Minute)
				info := jobstest.InfoOf(t, p, id)
				assert.EqualValues(t, 2, info.Executions)
				assert.Zero(t, info.Failures)
				assert.ErrorIs(t, info.LastError, jobs.ErrStopped)
			}, new(diary).around("it"))
		})
	}
}

func TestAnExecutionThatHangsInMiddlewareIsLate(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(time.Second)
		assert.Equal(t, jobs.ReasonLate, jobstest.InfoOf(t, p, id).Reason)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := p.Shutdown(ctx)
		assert.ErrorContains(t, err, "in Execute")
		assert.ErrorContains(t, err, "middleware_test.go")
		jobstest.Advance(time.Minute)
	}, around(func(ctx context.Context, next jobs.ExecuteFunc) error {
		jobstest.Take(30 * time.Second)
		return next(ctx)
	}))
}
