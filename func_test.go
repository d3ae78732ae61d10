package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func succeed(context.Context) error { return nil }

// errToken is why a Func is not ready, or not healthy.
var errToken = errors.New("no token")

func TestFuncIsAContextJobThatIsAlwaysReadyAndHealthy(t *testing.T) {
	for _, k := range jobstest.Kinds {
		t.Run(k.Type, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var known atomic.Bool
				id := jobstest.Register(t, p, jobs.Func(func(ctx context.Context) error {
					_, ok := jobs.FromContext(ctx)
					known.Store(ok)
					return nil
				}, nil, jobs.WithReady(nil), jobs.WithStatus(nil)), k.Trigger())
				jobstest.Advance(time.Hour)
				assert.True(t, known.Load())
				info := jobstest.InfoOf(t, p, id)
				assert.Positive(t, info.Executions)
				assert.NoError(t, info.NotReady)
				assert.Equal(t, "Running", p.GetStatus())
			})
		})
	}
}

func TestFuncNeedsNoStopChannel(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobs.Func(func(ctx context.Context) error { <-ctx.Done(); return nil }), jobs.Channel(nil))
		jobstest.Advance(time.Second)
	})
}

func TestFuncIsAlsoAPlainJob(t *testing.T) {
	var called []string
	note := func(name string, err error) func(context.Context) error {
		return func(ctx context.Context) error {
			assert.NoError(t, ctx.Err())
			assert.Nil(t, ctx.Done(), "it never ends")
			called = append(called, name)
			return err
		}
	}
	job := jobs.Func(note("execute", jobstest.ErrBroken), jobs.WithReady(note("ready", nil)), jobs.WithStatus(note("status", errToken)))
	assert.Equal(t, jobstest.ErrBroken, job.Execute())
	assert.True(t, job.Ready())
	assert.Equal(t, errToken, job.Status())
	assert.Equal(t, []string{"execute", "ready", "status"}, called)
	assert.False(t, jobs.Func(succeed, jobs.WithReady(note("ready", errToken))).Ready())
	assert.NoError(t, jobs.Func(succeed).Status())
}

func TestFuncWithoutAFunctionCannotBeRegistered(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := jobs.Func(nil, jobs.WithReady(succeed))
		for _, opts := range [][]jobs.JobOption{nil, {jobs.WithRetries(2, 0, 0)}} {
			_, err := p.Register(job, jobstest.Hourly(), opts...)
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
			assert.ErrorContains(t, err, "Func(nil)")
		}
		assert.Error(t, job.Execute(), "even if another job calls it")
	})
}

func TestFuncOneValueMayBeSeveralJobs(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var mu sync.Mutex
		seen := map[string]int{}
		count := func(ctx context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			j, _ := jobs.FromContext(ctx)
			seen[j.GetID()]++
			return nil
		}
		job := jobs.Func(count, jobs.WithReady(count), jobs.WithStatus(count))
		a, b := jobstest.Register(t, p, job, jobs.Every(jobstest.ForAges)), jobstest.Register(t, p, job, jobs.Every(jobstest.ForAges))
		jobstest.Advance(30 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, map[string]int{a: 3, b: 3}, seen, "each function once")
	})
}

func TestTheErrorOfReadyIsItsReason(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		missing := jobstest.NewFault()
		id := jobstest.Register(t, p, jobs.Func(succeed, jobs.WithReady(func(context.Context) error {
			if missing.Err() != nil {
				return fmt.Errorf("gateway: %w", errToken)
			}
			return nil
		})), jobstest.Hourly(), jobs.WithName("it"))
		jobstest.Advance(5 * time.Millisecond)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, []any{jobs.ReasonNotReady, "it is not ready"}, []any{info.Reason, info.NotExecuting})
		assert.ErrorIs(t, info.NotReady, errToken)
		assert.EqualError(t, info.NotReady, "gateway: no token")
		assert.NoError(t, info.LastError, "it is no failure")
		assert.Zero(t, info.Failures)
		assert.Equal(t, "it is not ready: gateway: no token", gateOf(t, p, id, jobs.GateReady).By)
		assertDecodes(t, info)
		text, err := json.Marshal(info)
		require.NoError(t, err)
		var decoded jobs.JobInfo
		require.NoError(t, json.Unmarshal(text, &decoded))
		assert.EqualError(t, decoded.NotReady, "gateway: no token")

		missing.Clear()
		jobstest.Advance(5 * time.Millisecond)
		info = jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 1, info.Executions)
		assert.NoError(t, info.NotReady)
		assert.Empty(t, logged.AtLeast(slog.LevelWarn))
		var reasons []string
		for _, e := range logged.AtLeast(slog.LevelDebug) {
			if e.Message == "job is not ready" {
				assert.Equal(t, "it", e.Text("job"))
				reasons = append(reasons, e.Text("error"))
			}
		}
		assert.Equal(t, []string{"gateway: no token"}, reasons)
	}, logged.Option())
}

func TestAHoldUpSaysWhyAJobIsNotReady(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var missing jobstest.Fault
		id := jobstest.Register(t, p, jobs.Func(succeed, jobs.WithReady(func(context.Context) error {
			if !missing.Absent() {
				return errToken
			}
			return nil
		})), jobstest.Hourly(), jobs.WithName("traffic"))
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: missing.Absent}, jobstest.Hourly(), jobs.WithName("silent"))
		jobstest.Advance(time.Second)
		missing.Set()
		jobstest.StopPool(p)
		jobstest.Advance(time.Minute)
		info := p.Info()
		require.Len(t, info.HeldUpBy, 2)
		assert.Equal(t, []string{"no token", ""}, []string{info.HeldUpBy[0].Error, info.HeldUpBy[1].Error})
		assert.Equal(t, `interval job "traffic" (`+id+`) is not ready: no token`, info.HeldUpBy[0].String())
		assertDecodes(t, info)
		missing.Clear()
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Running", p.GetStatus())
		assert.NoError(t, jobstest.InfoOf(t, p, id).NotReady)
	})
}

func TestJobExecutionReadyTellsWhyNotToo(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var missing jobstest.Fault
		id := jobstest.Register(t, p, jobs.Func(succeed, jobs.WithReady(func(context.Context) error { return missing.Err() })), jobstest.Hourly())
		jobstest.Advance(time.Second)
		assert.True(t, p.GetJob(id).Ready())
		missing.Set()
		assert.False(t, p.GetJob(id).Ready())
		assert.ErrorIs(t, jobstest.InfoOf(t, p, id).NotReady, jobstest.ErrBroken)
	})
}

func TestAnErrorOfWithStatusStopsThePool(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobs.Func(succeed, jobs.WithStatus(func(context.Context) error { return errToken })), jobstest.Hourly(), jobs.WithRetries(2, 0, 0))
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.ErrorIs(t, p.Info().StopError, errToken)
	})
}

// A funcCall is one of a Func's functions with a context.
type funcCall struct {
	make    func(f func(context.Context) error) jobs.Job
	timeout time.Duration
	opts    []jobs.JobOption
}

var calledWithContext = map[string]funcCall{
	"ready": {func(f func(context.Context) error) jobs.Job { return jobs.Func(succeed, jobs.WithReady(f)) }, time.Minute, nil},
	"ready with a job's timeout": {func(f func(context.Context) error) jobs.Job { return jobs.Func(succeed, jobs.WithReady(f)) },
		time.Second, []jobs.JobOption{jobs.WithJobTimeout(time.Second)}},
	"status": {func(f func(context.Context) error) jobs.Job { return jobs.Func(succeed, jobs.WithStatus(f)) }, time.Minute, nil},
	"status with a job's timeout": {func(f func(context.Context) error) jobs.Job { return jobs.Func(succeed, jobs.WithStatus(f)) },
		time.Second, []jobs.JobOption{jobs.WithJobTimeout(time.Second)}},
	"status with retries": {func(f func(context.Context) error) jobs.Job { return jobs.Func(succeed, jobs.WithStatus(f)) },
		time.Minute, []jobs.JobOption{jobs.WithRetries(2, 0, 0)}},
	"ready with retries": {func(f func(context.Context) error) jobs.Job { return jobs.Func(succeed, jobs.WithReady(f)) },
		time.Minute, []jobs.JobOption{jobs.WithRetries(2, 0, 0)}},
	"status with a tiny timeout": {func(f func(context.Context) error) jobs.Job { return jobs.Func(succeed, jobs.WithStatus(f)) },
		time.Microsecond, []jobs.JobOption{jobs.WithJobTimeout(time.Microsecond)}},
}

func TestReadyAndStatusOfAFuncHaveAContext(t *testing.T) {
	for name, c := range calledWithContext {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var got context.Context
				var known string
				id := jobstest.Register(t, p, c.make(onlyFirstInContext(func(ctx context.Context) error {
					got = ctx
					assert.NoError(t, ctx.Err())
					assert.Equal(t, "abc", ctx.Value(traceKey{}))
					deadline, ok := ctx.Deadline()
					assert.True(t, ok)
					assert.Equal(t, c.timeout, time.Until(deadline))
					if j, ok := jobs.FromContext(ctx); ok {
						known = j.GetID()
					}
					jobs.Progress(ctx, 1, 2, "it is no execution")
					return nil
				})), jobstest.Hourly(), c.opts...)
				jobstest.Advance(time.Minute)
				assert.Equal(t, id, known)
				assert.Equal(t, context.Canceled, context.Cause(got), "it ends with the call")
				assert.Zero(t, jobstest.InfoOf(t, p, id).Progress)
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithExecutionTimeout(time.Minute), new(diary).around("it"),
				jobs.WithBaseContext(func() context.Context { return context.WithValue(context.Background(), traceKey{}, "abc") }))
		})
	}
}

func TestReadyAndStatusOfAFuncHaveNoDeadlineWithoutATimeout(t *testing.T) {
	for name, c := range calledWithContext {
		if c.timeout != time.Minute {
			continue
		}
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := 0
				jobstest.Register(t, p, c.make(func(ctx context.Context) error {
					calls++
					_, ok := ctx.Deadline()
					assert.False(t, ok)
					return nil
				}), jobstest.Hourly(), c.opts...)
				jobstest.Advance(time.Minute)
				assert.Positive(t, calls)
			}, jobs.WithExecutionTimeout(0))
		})
	}
}

func TestWhatEndsTheContextOfReadyAndStatusIsItsCause(t *testing.T) {
	for name, c := range calledWithContext {
		for cause, end := range map[error]func(p *jobs.Pool, id string){
			jobs.ErrTimeout:      func(*jobs.Pool, string) {},
			jobs.ErrUnregistered: func(p *jobs.Pool, id string) { p.UnregisterJob(id) },
			jobs.ErrShutdown:     func(p *jobs.Pool, _ string) { jobstest.ShutDownNow(p) },
		} {
			if c.timeout < time.Second && cause != jobs.ErrTimeout {
				continue
			}
			t.Run(name+" "+cause.Error(), func(t *testing.T) {
				logged := new(jobstest.Journal)
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					var got error
					begun := jobstest.NewTimeline()
					var lasted time.Duration
					id := jobstest.Register(t, p, c.make(onlyFirstInContext(func(ctx context.Context) error {
						begun.Mark()
						<-ctx.Done()
						got, lasted = context.Cause(ctx), time.Since(begun.Start)-begun.Moments()[0]
						return ctx.Err()
					})), jobstest.Hourly(), c.opts...)
					for len(begun.Moments()) == 0 {
						jobstest.Advance(100 * time.Millisecond)
					}
					end(p, id)
					jobstest.Advance(2 * time.Minute)
					assert.Equal(t, cause, got)
					if cause == jobs.ErrTimeout {
						assert.Equal(t, c.timeout, lasted)
						return
					}
					assert.Less(t, lasted, 200*time.Millisecond)
					assert.Empty(t, logged.AtLeast(slog.LevelWarn), "we told it to end")
				}, jobs.WithExecutionTimeout(time.Minute), logged.Option())
			})
		}
	}
}

func TestPanicAndGoexitInTheFunctionsOfAFuncAreErrors(t *testing.T) {
	for _, late := range []bool{false, true} {
		forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
			bad := jobstest.NewFault()
			hurt := func(ctx context.Context) error {
				if bad.Absent() {
					return nil
				}
				if late {
					<-ctx.Done()
				}
				m.do()
				return nil
			}
			status := jobstest.Register(t, p, jobs.Func(succeed, jobs.WithStatus(hurt)), jobstest.Hourly())
			ready := jobstest.Register(t, p, jobs.Func(succeed, jobs.WithReady(hurt)), jobstest.Hourly(), jobs.WithJobTimeout(time.Second))
			jobstest.Advance(2 * time.Second)
			info := jobstest.InfoOf(t, p, ready)
			assert.Zero(t, info.Executions)
			assert.ErrorContains(t, info.NotReady, m.text)
			jobstest.Advance(10 * time.Minute)
			assert.NotEmpty(t, p.Info().StoppedBy)
			assert.Equal(t, status, p.Info().StoppedBy)
			bad.Clear()
			jobstest.Advance(30 * time.Minute)
			assert.Equal(t, "Running", p.GetStatus())
			assert.EqualValues(t, 1, jobstest.InfoOf(t, p, ready).Executions)
			assert.NoError(t, jobstest.InfoOf(t, p, ready).NotReady)
		})
	}
}

// A slowReady is a Func whose Ready hangs for a while, whatever its context does.
type slowReady struct {
	begun, executed *jobstest.Timeline
	overlap         jobstest.OverlapMeter

	mu     sync.Mutex // guards what follows
	hang   time.Duration
	answer error
}

func newSlowReady() *slowReady {
	return &slowReady{begun: jobstest.NewTimeline(), executed: jobstest.NewTimeline()}
}

// from says how long calls from now on hang, and what they return.
func (s *slowReady) from(hang time.Duration, answer error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang, s.answer = hang, answer
}

func (s *slowReady) job() jobs.Job {
	return jobs.Func(func(context.Context) error { s.overlap.During(0); return s.executed.Execute() }, jobs.WithReady(func(context.Context) error {
		s.mu.Lock()
		hang, answer := s.hang, s.answer
		s.mu.Unlock()
		s.begun.Mark()
		s.overlap.During(hang)
		return answer
	}))
}

func TestAReadyThatExceedsItsTimeoutBeforeTheFirstExecutionCountsAsNotReady(t *testing.T) {
	for name, answer := range map[string]error{"nil": nil, "an error": errToken, "its context's": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			logged := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				s := newSlowReady()
				s.from(10*time.Second, answer)
				id := jobstest.Register(t, p, s.job(), jobstest.Hourly(), jobs.WithJobTimeout(2*time.Second))
				jobstest.Advance(2*time.Second - 1)
				assert.Equal(t, jobs.ReasonReadyPending, jobstest.InfoOf(t, p, id).Reason)
				jobstest.Advance(1)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, jobs.ReasonReadyLate, info.Reason)
				assert.Equal(t, jobs.ReasonReadyLate, gateOf(t, p, id, jobs.GateReady).Reason)
				assert.ErrorIs(t, info.NotReady, jobs.ErrTimeout)
				assert.ErrorContains(t, info.NotReady, "(2s)")
				jobstest.Advance(7 * time.Second)
				assert.Equal(t, jobstest.Seconds(0), s.begun.Moments(), "it is not asked beside itself")
				s.from(0, nil)
				jobstest.Advance(time.Second + 5*time.Millisecond)
				info = jobstest.InfoOf(t, p, id)
				assert.Empty(t, s.executed.Moments(), "whatever it has returned")
				assert.Equal(t, jobs.ReasonNotReady, info.Reason)
				assert.ErrorIs(t, info.NotReady, jobs.ErrTimeout)
				assert.Equal(t, answer == errToken, errors.Is(info.NotReady, errToken))
				jobstest.Advance(time.Second)
				assert.Equal(t, jobstest.Seconds(0, 10.01), s.begun.Moments())
				assert.Equal(t, jobstest.Seconds(10.01), s.executed.Moments())
				assert.NoError(t, jobstest.InfoOf(t, p, id).NotReady)
				assert.Equal(t, 1, s.overlap.Highest())
				late := logged.AtLeast(slog.LevelWarn)
				require.Len(t, late, 1)
				assert.Equal(t, []string{"call of Ready is late", id}, []string{late[0].Message, late[0].Text("id")})
			}, logged.Option())
		})
	}
}

func TestAnAttemptToRestartDoesNotWaitForAReadyThatExceedsItsTimeout(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		s := newSlowReady()
		id := jobstest.Register(t, p, s.job(), jobs.Every(jobstest.ForAges), jobs.WithName("slow"))
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
		s.begun.AdvanceTo(time.Second)
		s.from(10*time.Minute, nil)
		jobstest.StopPool(p)
		s.begun.AdvanceTo(31*time.Second + time.Minute - 1)
		assert.Zero(t, p.Info().NextAttempt, "the attempt is in progress")
		require.Len(t, p.Info().HeldUpBy, 1)
		assert.Equal(t, jobs.ReasonReadyPending, p.Info().HeldUpBy[0].Reason)
		jobstest.Advance(1)
		info := p.Info()
		assert.Equal(t, 60*time.Second, time.Until(info.NextAttempt), "it was refused")
		require.Len(t, info.HeldUpBy, 1)
		h := info.HeldUpBy[0]
		assert.Equal(t, []any{id, jobs.ReasonReadyLate, 31 * time.Second}, []any{h.ID, h.Reason, h.Since.Sub(s.begun.Start)})
		assert.Equal(t, `interval job "slow" (`+id+`) has a call of Ready that is late: ready: jobs: timeout exceeded (1m0s)`, h.String())
		assertDecodes(t, info)

		s.begun.AdvanceTo(5 * time.Minute) // the next attempt waits for it to return
		assert.Zero(t, p.Info().NextAttempt)
		assert.Equal(t, jobs.ReasonReadyLate, p.Info().HeldUpBy[0].Reason)
		assert.Equal(t, jobstest.Seconds(0, 31), s.begun.Moments(), "and does not call it beside itself")
		goroutines := len(jobstest.BubbleGoroutines())
		s.begun.AdvanceTo(10 * time.Minute)
		assert.Len(t, jobstest.BubbleGoroutines(), goroutines, "nothing piles up")
		s.from(0, nil)
		s.begun.AdvanceTo(11 * time.Minute) // it has returned, was asked again at once, and is ready
		assert.Equal(t, jobstest.Seconds(0, 31, 631), s.begun.Moments())
		assert.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, p.Info().HeldUpBy)
		assert.Equal(t, 1, s.overlap.Highest())
		assert.Equal(t, 1, p.Info().Restarts)
	}, jobs.WithExecutionTimeout(time.Minute))
}

func TestAReadyThatHangsForEverHoldsUpNothingElse(t *testing.T) {
	for name, end := range map[string]func(p *jobs.Pool, id string){
		"unregistered": func(p *jobs.Pool, id string) { p.UnregisterJob(id) },
		"paused":       func(p *jobs.Pool, id string) { require.NoError(t, p.Pause(id, "it hangs")) },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				s := newSlowReady()
				id := jobstest.Register(t, p, s.job(), jobs.Every(jobstest.ForAges))
				jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
				s.begun.AdvanceTo(time.Second)
				s.from(24*time.Hour, nil)
				jobstest.StopPool(p)
				s.begun.AdvanceTo(10 * time.Minute)
				require.Equal(t, "Stopped", p.GetStatus())
				end(p, id)
				jobstest.Advance(20 * time.Minute)
				assert.Equal(t, "Running", p.GetStatus())
				jobstest.Advance(24 * time.Hour)
			}, jobs.WithExecutionTimeout(time.Minute))
		})
	}
}

func TestAStatusOfAFuncThatExceedsItsTimeoutIsLate(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.Func(succeed, jobs.WithStatus(onlyFirstInContext(func(ctx context.Context) error {
			<-ctx.Done()
			jobstest.Take(time.Second)
			return ctx.Err()
		}))), jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(5*time.Second))
		jobstest.Advance(35 * time.Second)
		info := p.Info()
		require.Len(t, info.HeldUpBy, 1)
		assert.Equal(t, []any{id, jobs.ReasonStatusLate}, []any{info.HeldUpBy[0].ID, info.HeldUpBy[0].Reason})
		assert.ErrorIs(t, info.StopError, jobs.ErrTimeout)
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

// onlyFirstInContext calls f the first time, and then does nothing.
func onlyFirstInContext(f func(context.Context) error) func(context.Context) error {
	var over atomic.Bool
	return func(ctx context.Context) error {
		if over.Swap(true) {
			return nil
		}
		return f(ctx)
	}
}

// A timer that was started for a call of Ready does not outlive it.
func TestCallsOfReadyLeaveNothing(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		job := p.GetJob(jobstest.Register(t, p, jobs.Func(succeed, jobs.WithReady(succeed)), jobs.Every(jobstest.ForAges)))
		ask := func(n int) {
			for range n {
				job.Ready()
			}
		}
		ask(100)
		before := jobstest.FootprintNow()
		const n = 5000
		ask(n)
		jobstest.FootprintNow().AssertNoMoreThan(t, before, n)
	})
}
