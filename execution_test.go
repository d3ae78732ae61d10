package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A contextStub is a stub that is a ContextJob.
type contextStub struct {
	jobstest.Stub
	executeContext func(ctx context.Context) error
}

func (p contextStub) ExecuteContext(ctx context.Context) error { return p.executeContext(ctx) }

// A causeLog keeps why contexts ended, and when.
type causeLog struct {
	jobstest.Timeline

	causeMu sync.Mutex
	causes  []error
}

func newCauseLog() *causeLog { return &causeLog{Timeline: jobstest.Timeline{Start: time.Now()}} }

// await executes until its context has ended.
func (l *causeLog) await(ctx context.Context) error {
	<-ctx.Done()
	l.Mark()
	l.causeMu.Lock()
	defer l.causeMu.Unlock()
	l.causes = append(l.causes, context.Cause(ctx))
	return ctx.Err()
}

func (l *causeLog) all() []error {
	l.causeMu.Lock()
	defer l.causeMu.Unlock()
	return append([]error{}, l.causes...)
}

func TestExecuteContextIsCalledInsteadOfExecute(t *testing.T) {
	for _, k := range jobstest.Kinds {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			plain, withContext := jobstest.NewTimeline(), jobstest.NewTimeline()
			jobstest.Register(t, p, contextStub{jobstest.Stub{ExecuteFunc: plain.Execute},
				func(context.Context) error { withContext.Mark(); return nil }}, k.Trigger())
			jobstest.Advance(time.Hour)
			assert.Empty(t, plain.Moments())
			assert.NotEmpty(t, withContext.Moments())
		})
	}
}

func TestAJobFuncIsAContextJobThatIsAlwaysReadyAndHealthy(t *testing.T) {
	type key struct{}
	var f jobs.ContextJob = jobs.JobFunc(func(ctx context.Context) error {
		if ctx.Err() != nil || ctx.Value(key{}) != nil {
			return jobstest.ErrBroken
		}
		return nil
	})
	assert.True(t, f.Ready())
	assert.NoError(t, f.Status())
	assert.NoError(t, f.Execute())
	assert.ErrorIs(t, f.ExecuteContext(context.WithValue(context.Background(), key{}, 1)), jobstest.ErrBroken)
}

func TestEachExecutionHasItsOwnContextWhichEndsWhenItReturns(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var mu sync.Mutex
		var contexts []context.Context
		jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			for _, earlier := range contexts {
				if earlier == ctx || earlier.Err() == nil {
					return jobstest.ErrBroken
				}
			}
			contexts = append(contexts, ctx)
			return ctx.Err()
		}), jobs.Every(time.Second))
		jobstest.Advance(5 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		require.Len(t, contexts, 6)
		for _, ctx := range contexts {
			assert.Error(t, ctx.Err())
			assert.Equal(t, context.Canceled, context.Cause(ctx), "none of ours ended it")
		}
	})
}

func TestWhatEndsAContextIsItsCause(t *testing.T) {
	cases := []struct {
		name   string
		cause  error
		end    func(p *jobs.Pool, id string) // at 5 seconds
		at     time.Duration
		status string // afterwards
	}{
		{"time limit", jobs.ErrTimeout, func(*jobs.Pool, string) {}, 10 * time.Second, "Failed"},
		{"unregister", jobs.ErrUnregistered, func(p *jobs.Pool, id string) { p.UnregisterJob(id) }, 5 * time.Second, ""},
		{"shutdown", jobs.ErrShutdown, func(p *jobs.Pool, _ string) { _ = p.Shutdown(context.Background()) }, 5 * time.Second, "Stopped"},
	}
	for _, k := range jobstest.Kinds[:4] {
		for _, c := range cases {
			t.Run(k.Type+" "+c.name, func(t *testing.T) {
				began := time.Duration(0)
				if k.Type == jobs.JobTypeScheduled {
					began = time.Second
				}
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					var opts []jobs.JobOption
					if k.Detached != "" {
						opts = append(opts, jobs.Detached())
					}
					log := newCauseLog()
					id := jobstest.Register(t, p, jobs.JobFunc(log.await), k.Trigger(), append(opts, jobs.WithJobTimeout(10*time.Second))...)
					log.AdvanceTo(began + 5*time.Second)
					c.end(p, id)
					log.AdvanceTo(began + 10*time.Second)
					require.NotEmpty(t, log.all())
					assert.ErrorIs(t, log.all()[0], c.cause)
					assert.Equal(t, began+c.at, log.Moments()[0])
					if k.Type != jobs.JobTypeRetry { // which tries again
						assert.Equal(t, c.status, p.GetJobStatus(id))
					}
					if job := infoOrNone(p, id); c.cause == jobs.ErrShutdown {
						assert.Zero(t, job.Failures, "an execution that we ended is no failure")
						assert.NoError(t, job.LastError)
					}
				})
			})
		}
	}
}

func infoOrNone(p *jobs.Pool, id string) jobs.JobInfo { info, _ := p.Job(id); return info }

func TestAChannelContextJobsContextEndsWhenThePoolStops(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		log := newCauseLog()
		id := jobstest.Register(t, p, jobs.JobFunc(log.await), jobs.Channel(nil))
		log.AdvanceTo(5 * time.Second)
		jobstest.FailPool(p)
		assert.Equal(t, []error{jobs.ErrStopped}, log.all())
		assert.Equal(t, jobstest.Seconds(5), log.Moments())
		info := jobstest.InfoOf(t, p, id)
		assert.Zero(t, info.Failures, "it was told")
		assert.Equal(t, jobs.JobStatusStopped, info.Status)
		log.AdvanceTo(40 * time.Second)
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions, "it starts again at the restart")
		p.UnregisterJob(id)
		jobstest.Advance(0)
		assert.Equal(t, []error{jobs.ErrStopped, jobs.ErrUnregistered}, log.all())
	})
}

func TestADetachedChannelContextJobGoesOnWhenThePoolStops(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		log := newCauseLog()
		jobstest.Register(t, p, jobs.JobFunc(log.await), jobs.Channel(nil), jobs.Detached())
		jobstest.Advance(time.Second)
		jobstest.FailPool(p)
		assert.Empty(t, log.all())
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, []error{jobs.ErrShutdown}, log.all())
	})
}

func TestAChannelContextJobThatReturnsNilWhenToldIsNotFinished(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil }), jobs.Channel(nil))
		jobstest.Advance(0)
		jobstest.FailPool(p)
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Running", p.GetJobStatus(id))
	})
}

func TestNilStopChanIsForContextJobsOnly(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		_, err := p.Register(jobstest.Stub{}, jobs.Channel(nil))
		require.ErrorIs(t, err, jobs.ErrRegisteringJob)
		_, err = p.Register(jobs.JobFunc(func(context.Context) error { return nil }), jobs.Channel(nil))
		require.NoError(t, err)
	})
}

func TestACancellationFromElsewhereIsAFailure(t *testing.T) {
	for _, err := range []error{context.Canceled, context.DeadlineExceeded, jobs.ErrShutdown, jobs.ErrStopped} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			interval := jobstest.Register(t, p, jobs.JobFunc(onlyFirstContext(err)), jobs.Every(jobstest.ForAges))
			channel := jobstest.Register(t, p, jobs.JobFunc(onlyFirstContext(err)), jobs.Channel(nil), jobs.Detached())
			single := jobstest.Register(t, p, jobs.JobFunc(onlyFirstContext(err)), jobs.Once())
			jobstest.Advance(0)
			assert.Equal(t, "Stopped", p.GetStatus())
			for _, id := range []string{interval, channel, single} {
				info := jobstest.InfoOf(t, p, id)
				assert.EqualValues(t, 1, info.Failures)
				assert.ErrorIs(t, info.LastError, err)
			}
		})
	}
}

// onlyFirstContext is an ExecuteContext that returns err the first time.
func onlyFirstContext(err error) func(context.Context) error {
	f := jobstest.OnlyFirst(func() error { return err })
	return func(context.Context) error { return f() }
}

func TestTheErrorOfAnExecutionThatWeEndedIsLoggedAndNoFailure(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			<-ctx.Done()
			return errors.New("left in the middle of it")
		}), jobs.Every(time.Hour), jobs.WithName("walker"))
		jobstest.Advance(time.Second)
		require.NoError(t, p.Shutdown(context.Background()))
		jobstest.Advance(0)
		assert.Empty(t, logged.AtLeast(slog.LevelWarn))
		found := 0
		for _, e := range logged.AtLeast(slog.LevelDebug) {
			if e.Text("job") == "walker" && e.Text("error") == "left in the middle of it" {
				found++
			}
		}
		assert.Equal(t, 1, found)
	}, logged.Option())
}

func TestALateContextJobsErrorIsTheTimeout(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(newCauseLog().await), jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(2 * time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures)
		assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
		assert.Equal(t, "Stopped", p.GetStatus())
	})
}

func TestAStopLeavesTheContextsOfRetryAndSingleRunJobsAlone(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		log := newCauseLog()
		jobstest.Register(t, p, jobs.JobFunc(log.await), jobs.Once())
		jobstest.Register(t, p, jobs.JobFunc(log.await), jobs.Retry(2))
		jobstest.Advance(time.Second)
		jobstest.FailPool(p)
		jobstest.Advance(time.Minute)
		assert.Empty(t, log.all())
	})
}

func TestGocron959_AnExecutionThatWeCancelReleasesWhatItHolds(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }), jobstest.Hourly())
		jobstest.Advance(0)
		job := p.GetJob(id)
		p.UnregisterJob(id)
		job.Lock() // waits for the execution to end
		assert.Equal(t, jobs.JobStatusStopped, job.GetStatus())
		job.Unlock()
		jobstest.Advance(0) // until the end of the execution is logged, after which nothing is left of it
		assert.Zero(t, p.Departed())
	})
}

type traceKey struct{}

func TestAnExecutionKnowsItsJobAndTheValuesOfTheBaseContext(t *testing.T) {
	base := context.WithValue(context.Background(), traceKey{}, "abc")
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var id, trace string
		want := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			j, ok := jobs.FromContext(child)
			require.True(t, ok)
			id = j.GetID()
			trace, _ = child.Value(traceKey{}).(string)
			return nil
		}), jobs.Every(time.Hour))
		jobstest.Advance(0)
		assert.Equal(t, want, id)
		assert.Equal(t, "abc", trace)
		j, ok := jobs.FromContext(base)
		assert.False(t, ok, "this is no execution's")
		assert.True(t, j == nil, "and not an interface that holds nil")
	}, jobs.WithBaseContext(func() context.Context { return base }))
}

func TestTheContextOfAnExecutionHasItsTimeoutAsDeadline(t *testing.T) {
	const soon, later = 5 * time.Second, 20 * time.Second
	for name, c := range map[string]struct {
		trigger jobs.Trigger
		opts    []jobs.JobOption
		base    time.Duration // 0 for no deadline
		want    time.Duration // 0 for none
	}{
		"the pool's":         {trigger: jobs.Every(time.Hour), want: 10 * time.Second},
		"the job's":          {trigger: jobs.Every(time.Hour), opts: []jobs.JobOption{jobs.WithJobTimeout(time.Second)}, want: time.Second},
		"none":               {trigger: jobs.Once()},
		"none, but a base's": {trigger: jobs.Once(), base: soon, want: soon},
		"a base's is sooner": {trigger: jobs.Every(time.Hour), base: soon, want: soon},
		"a base's is later":  {trigger: jobs.Every(time.Hour), base: later, want: 10 * time.Second},
		"a channel job's":    {trigger: jobs.Channel(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base, cancel := context.Background(), context.CancelFunc(func() {})
				if c.base > 0 {
					base, cancel = context.WithTimeout(base, c.base)
				}
				defer cancel()
				p := jobs.NewPool(jobstest.Quiet, jobs.WithExecutionTimeout(10*time.Second), jobs.WithBaseContext(func() context.Context { return base }))
				start := time.Now()
				var deadline time.Time
				var ok bool
				jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { deadline, ok = ctx.Deadline(); return nil }), c.trigger, c.opts...)
				jobstest.Advance(0)
				assert.Equal(t, c.want > 0, ok)
				if ok {
					assert.Equal(t, c.want, deadline.Sub(start))
				}
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}

func TestTheContextOfAnExecutionEndsAsItsDeadlineSays(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var err, cause error
		var lasted time.Duration
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			begun := time.Now()
			<-ctx.Done()
			lasted, err, cause = time.Since(begun), ctx.Err(), context.Cause(ctx)
			return ctx.Err()
		}), jobs.Every(time.Hour), jobs.Detached(), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(2 * time.Second)
		assert.Equal(t, time.Second, lasted)
		assert.Equal(t, context.DeadlineExceeded, err)
		assert.Equal(t, jobs.ErrTimeout, cause)
		assert.ErrorIs(t, cause, context.DeadlineExceeded)
		assert.ErrorIs(t, jobstest.InfoOf(t, p, id).LastError, jobs.ErrTimeout)
		assert.ErrorIs(t, jobstest.InfoOf(t, p, id).LastError, context.DeadlineExceeded)
	})
}

func TestWhatReturnsAtTheEndOfTheBaseContextHasFailed(t *testing.T) {
	base, cancel := context.WithCancelCause(context.Background())
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}), jobs.Once())
		jobstest.Advance(time.Second)
		cancel(jobstest.ErrBroken)
		jobstest.Advance(0)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.ErrorIs(t, jobstest.InfoOf(t, p, id).LastError, jobstest.ErrBroken)
	}, jobs.WithBaseContext(func() context.Context { return base }))
}

// A hostileContext is a context whose methods call the pool.
type hostileContext struct {
	context.Context
	call func()
}

func (c hostileContext) Value(key any) any     { c.call(); return c.Context.Value(key) }
func (c hostileContext) Done() <-chan struct{} { c.call(); return c.Context.Done() }

func TestABaseContextMayCallThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, cancel := context.WithCancel(context.Background())
		defer cancel()
		var p *jobs.Pool
		hostile := hostileContext{base, func() {
			if p != nil {
				p.Info()
				for range p.Jobs() {
					continue
				}
			}
		}}
		p = jobs.NewPool(jobstest.Quiet, jobs.WithBaseContext(func() context.Context { return hostile }))
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			assert.Nil(t, ctx.Value(traceKey{}))
			<-ctx.Done()
			return nil
		}), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Minute))
		jobstest.Advance(2 * time.Minute)
		assert.Equal(t, jobs.OutcomeTimeout, jobstest.InfoOf(t, p, id).LastOutcome)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// The base may be the context of another pool's execution, and end as that does.
func TestABaseContextThatEndsAsAnExecutionsDoesIsNoExcuse(t *testing.T) {
	for _, cause := range []error{jobs.ErrShutdown, jobs.ErrStopped, jobs.ErrTimeout, jobs.ErrUnregistered} {
		t.Run(cause.Error(), func(t *testing.T) {
			base, cancel := context.WithCancelCause(context.Background())
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
					<-ctx.Done()
					return context.Cause(ctx)
				}), jobs.Retry(3))
				jobstest.Advance(time.Second)
				cancel(cause)
				jobstest.Advance(time.Second)
				assert.Equal(t, "Failed", p.GetJobStatus(id))
				assert.EqualValues(t, 3, jobstest.InfoOf(t, p, id).Failures)
			}, jobs.WithBaseContext(func() context.Context { return base }))
		})
	}
}
