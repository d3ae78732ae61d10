package jobs_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestProgressIsShownUntilTheNextExecutionBegins(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start, executions := time.Now(), 0
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			if executions++; executions == 2 {
				jobstest.Take(time.Second)
				return nil
			}
			for n := range int64(3) {
				ctx, cancel := context.WithCancel(ctx) // a derived one is as good
				jobs.Progress(ctx, n, 3, "page")
				cancel()
				jobstest.Take(time.Second)
			}
			return nil
		}), jobs.Every(time.Minute))
		for _, want := range []jobs.JobProgress{
			{Done: 0, Total: 3, Note: "page", At: start}, {Done: 1, Total: 3, Note: "page", At: start.Add(time.Second)},
			{Done: 2, Total: 3, Note: "page", At: start.Add(2 * time.Second)}, {Done: 2, Total: 3, Note: "page", At: start.Add(2 * time.Second)},
		} {
			jobstest.Advance(0)
			got := jobstest.InfoOf(t, p, id).Progress
			assert.True(t, want.At.Equal(got.At))
			got.At = want.At
			assert.Equal(t, want, got)
			jobstest.Advance(time.Second)
		}
		assert.Equal(t, jobs.ReasonNotDue, jobstest.InfoOf(t, p, id).Reason)
		jobstest.Advance(59*time.Second + time.Millisecond)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 2, info.Executions)
		assert.Zero(t, info.Progress, "the second tells of none")
	})
}

func TestProgressWithAContextThatIsNotTheCurrentExecutionsChangesNothing(t *testing.T) {
	assert.NotPanics(t, func() {
		jobs.Progress(context.Background(), 1, 2, "")
		var none context.Context
		jobs.Progress(none, 1, 2, "")
	})
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var former, first context.Context
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			if first == nil {
				first = ctx
			}
			former = ctx
			jobs.Progress(ctx, 7, 8, "own")
			return nil
		}), jobs.Every(time.Minute))
		jobstest.Advance(time.Second)
		other := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			jobs.Progress(first, 1, 1, "another's")
			<-ctx.Done()
			return nil
		}), jobs.Once())
		jobstest.Advance(time.Minute)
		jobs.Progress(first, 1, 1, "old")
		jobs.Progress(former, 1, 1, "over")
		assert.Equal(t, "own", jobstest.InfoOf(t, p, id).Progress.Note)
		assert.Zero(t, jobstest.InfoOf(t, p, other).Progress)
	})
}

func TestProgressOfALateExecutionIsShownAndThatOfOneThatWasAbandonedIsNot(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			for n := range int64(5) {
				jobs.Progress(ctx, n, 0, "")
				jobstest.Take(10 * time.Second)
			}
			return nil
		}), jobs.Every(jobstest.ForAges), jobs.Detached(), jobs.WithJobTimeout(5*time.Second))
		jobstest.Advance(15 * time.Second)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Progress.Done)
		jobstest.Advance(time.Minute)
		assert.Equal(t, 1, p.Info().Abandoned)
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Progress.Done)
	}, jobs.WithAbandonAfter(20*time.Second))
}

func TestProgressMakesTheBestOfBadValues(t *testing.T) {
	euros := strings.Repeat("€", 100) // of three bytes each
	for name, c := range map[string]struct {
		done, total int64
		note        string
		want        jobs.JobProgress
	}{
		"below zero":        {math.MinInt64, -1, "", jobs.JobProgress{}},
		"more than all":     {7, 3, "", jobs.JobProgress{Done: 7, Total: 3}},
		"a long note":       {0, 0, strings.Repeat("x", 1000), jobs.JobProgress{Note: strings.Repeat("x", 256)}},
		"of wide letters":   {0, 0, euros, jobs.JobProgress{Note: euros[:255]}},
		"no UTF-8":          {0, 0, "a\xffb", jobs.JobProgress{Note: "a\ufffdb"}},
		"as long as it may": {0, 0, strings.Repeat("y", 256), jobs.JobProgress{Note: strings.Repeat("y", 256)}},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
					jobs.Progress(ctx, c.done, c.total, c.note)
					return nil
				}), jobs.Once())
				jobstest.Advance(0)
				info := jobstest.InfoOf(t, p, id)
				assert.NotZero(t, info.Progress.At)
				assertDecodes(t, info)
				text, err := json.Marshal(info)
				require.NoError(t, err)
				var decoded jobs.JobInfo
				require.NoError(t, json.Unmarshal(text, &decoded))
				assert.True(t, info.Progress.At.Equal(decoded.Progress.At))
				c.want.At, decoded.Progress.At = time.Time{}, time.Time{}
				assert.Equal(t, c.want, decoded.Progress)
			})
		})
	}
}

func TestProgressOfAPlainJobInMiddleware(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		jobstest.Advance(0)
		assert.Equal(t, "through", jobstest.InfoOf(t, p, id).Progress.Note)
	}, around(func(ctx context.Context, next jobs.ExecuteFunc) error {
		defer jobs.Progress(ctx, 1, 1, "through")
		return next(ctx)
	}))
}
