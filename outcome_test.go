package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// endings are ways to end an execution that waits for the end of its context.
var endings = map[string]struct {
	cause   error
	trigger func() jobs.Trigger
	opts    []jobs.JobOption
	end     func(p *jobs.Pool)
}{
	"shutdown": {jobs.ErrShutdown, jobstest.Hourly, nil, jobstest.ShutDownNow},
	"stop":     {jobs.ErrStopped, func() jobs.Trigger { return jobs.Channel(nil) }, nil, jobstest.StopPool},
	"cancel": {jobs.ErrCanceled, jobstest.Hourly, nil, func(p *jobs.Pool) {
		for info := range p.Jobs() {
			_ = p.Cancel(info.ID)
		}
	}},
	"retry":   {jobs.ErrShutdown, jobstest.ThreeTimes, nil, jobstest.ShutDownNow},
	"timeout": {jobs.ErrTimeout, jobstest.Hourly, []jobs.JobOption{jobs.Detached(), jobs.WithJobTimeout(time.Second)}, func(*jobs.Pool) {}},
	"channel": {jobs.ErrStopped, func() jobs.Trigger { return jobs.Channel(make(chan interface{}, 1)) }, nil, jobstest.StopPool},
}

// forEachEnding has an execution return what result says when its context has ended, and then calls f.
func forEachEnding(t *testing.T, result func(ctx context.Context) error, f func(t *testing.T, info jobs.JobInfo, cause error, logged *jobstest.Journal)) {
	for name, c := range endings {
		t.Run(name, func(t *testing.T) {
			logged := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
					<-ctx.Done()
					return result(ctx)
				}), c.trigger(), append(c.opts, jobs.WithName("it"))...)
				jobstest.Advance(time.Second)
				c.end(p)
				jobstest.Advance(time.Second)
				f(t, jobstest.InfoOf(t, p, id), c.cause, logged)
			}, logged.Option())
		})
	}
}

func TestTheErrorOfAnExecutionThatWasToEndIsKeptBesideTheReason(t *testing.T) {
	returned := errors.New("left in the middle of it")
	forEachEnding(t, func(context.Context) error { return fmt.Errorf("work: %w", returned) }, func(t *testing.T, info jobs.JobInfo, cause error, _ *jobstest.Journal) {
		assert.ErrorIs(t, info.LastError, cause)
		assert.ErrorIs(t, info.LastError, returned)
		if info.Type == jobs.JobTypeRetry {
			assert.ErrorIs(t, info.LastError, jobs.ErrExecutingRetryJob)
		} else {
			assert.ErrorIs(t, info.LastError, jobs.ErrExecutingJob)
		}
		assert.ErrorContains(t, info.LastError, cause.Error())
		assert.ErrorContains(t, info.LastError, "; it returned: work: left in the middle of it")
		_, err := json.Marshal(info)
		assert.NoError(t, err)
		if cause == jobs.ErrTimeout {
			assert.EqualValues(t, []uint64{1, 1}, []uint64{info.Failures, info.ConsecutiveFailures})
			assert.Equal(t, jobs.OutcomeTimeout, info.LastOutcome)
		} else {
			assert.Zero(t, info.Failures, "it was told to end")
			assert.Equal(t, jobs.OutcomeTold, info.LastOutcome)
		}
	})
}

func TestTheErrorOfAContextThatHasEndedIsNoNews(t *testing.T) {
	for name, result := range map[string]func(context.Context) error{
		"error": context.Context.Err,
		"cause": context.Cause,
		"error of a derived one": func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			forEachEnding(t, result, func(t *testing.T, info jobs.JobInfo, cause error, logged *jobstest.Journal) {
				failures := logged.AtLeast(slog.LevelWarn)
				if cause == jobs.ErrTimeout {
					assert.NotContains(t, info.LastError.Error(), "returned")
					require.Len(t, failures, 1)
					assert.Equal(t, "job execution is late", failures[0].Message)
					return
				}
				assert.NoError(t, info.LastError)
				assert.Empty(t, failures)
			})
		})
	}
}

func TestTheErrorOfALateExecutionIsLoggedAtErrorLevelAndThatOfOneThatWasToldAtDebug(t *testing.T) {
	forEachEnding(t, func(context.Context) error { return jobstest.ErrBroken }, func(t *testing.T, _ jobs.JobInfo, cause error, logged *jobstest.Journal) {
		want := map[bool]slog.Level{true: slog.LevelError, false: slog.LevelDebug}[cause == jobs.ErrTimeout]
		var levels []slog.Level
		for _, e := range logged.AtLeast(slog.LevelDebug) {
			if e.Text("job") == "it" && e.Message != "job execution is late" && e.Attrs["error"].Kind() == slog.KindString {
				assert.Contains(t, e.Text("error"), jobstest.ErrBroken.Error())
				levels = append(levels, e.Level)
			}
		}
		assert.Equal(t, []slog.Level{want}, levels)
	})
}

func TestThePanicOfAnExecutionThatWasToEndIsKeptAndLoggedWithItsStack(t *testing.T) {
	forEachEnding(t, func(context.Context) error { panic(jobstest.ErrBroken) }, func(t *testing.T, info jobs.JobInfo, cause error, logged *jobstest.Journal) {
		assert.ErrorIs(t, info.LastError, cause)
		assert.ErrorIs(t, info.LastError, jobstest.ErrBroken)
		assert.Contains(t, logged.At(slog.LevelError), "outcome_test.go", "the stack")
	})
}

func TestTheErrorOfALateExecutionThatWasAbandonedIsLoggedAtErrorLevelAndNotKept(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, jobstest.ErrBroken), jobstest.Hourly(), jobs.Detached(), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(2 * time.Minute)
		assert.NotErrorIs(t, jobstest.InfoOf(t, p, id).LastError, jobstest.ErrBroken, "the job has gone on since")
		assert.Contains(t, logged.At(slog.LevelError), "abandoned execution has returned")
	}, logged.Option(), jobs.WithAbandonAfter(time.Second))
}

// A job that waits for its next attempt is late no more, so that its error is that of the attempt.
func TestALateAttemptOfARetryJobKeepsWhatItReturned(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(2*time.Second, jobs.Permanent(jobstest.ErrBroken)), jobs.Retry(2), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(2500 * time.Millisecond)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 2, info.Executions, "what a late one returns does not count, not even that it is for good")
		assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
		assert.ErrorIs(t, info.LastError, jobstest.ErrBroken)
	})
}
