package jobs_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestHistoryKeepsTheLastExecutionsAndFailuresOfThePool(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now().Round(0)
		good := jobstest.Register(t, p, jobstest.Lasting(time.Second, nil), jobs.Every(time.Minute), jobs.WithName("good"))
		bad := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Every(time.Hour), jobs.Detached())
		jobstest.Advance(3*time.Hour + 30*time.Minute)
		h := p.History(good)
		require.Len(t, h, 10)
		last := h[9]
		assert.Equal(t, jobs.Execution{ID: good, Name: "good", Number: 207, Due: start.Add(206 * 61 * time.Second), Began: start.Add(206 * 61 * time.Second), Took: time.Second, Outcome: jobs.OutcomeSuccess}, last)
		failures := p.History(bad)
		require.Len(t, failures, 2, "beyond the last executions")
		assert.EqualValues(t, 3, failures[0].Number)
		assert.Equal(t, jobs.OutcomeFailure, failures[1].Outcome)
		assert.Contains(t, failures[1].Error, jobstest.ErrBroken.Error())
		assert.Equal(t, append(failures, h...), p.History(""), "of all")
		p.UnregisterJob(bad)
		assert.Len(t, p.History(bad), 2)
		assert.Empty(t, p.History("unknown"))
	}, jobs.WithHistory(10, 2))
}

func TestHistoryIsEmptyUnlessAskedFor(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Minute))
		jobstest.Advance(time.Hour)
		assert.Empty(t, p.History(id))
	})
}

func TestTheUsualHistoryIs256ExecutionsAnd64Failures(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Every(time.Minute), jobs.Detached())
		jobstest.Advance(24 * time.Hour)
		assert.Len(t, p.History(id), 256+64)
	}, jobs.WithHistory(0, 0))
}

func TestHistoryKeepsOnlyTheBeginningOfALongError(t *testing.T) {
	for _, text := range []string{strings.Repeat("é", 1000), strings.Repeat("x", 255) + "é", strings.Repeat("\xff", 1000), "short"} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { panic(errors.New(text)) }}, jobs.Once())
			jobstest.Advance(time.Second)
			kept := p.History(id)[0].Error
			assert.True(t, utf8.ValidString(kept))
			assert.LessOrEqual(t, len(kept), 3*256, "an invalid byte becomes a valid character")
			assert.Equal(t, jobs.OutcomePanic, p.History(id)[0].Outcome)
		}, jobs.WithHistory(1, 1))
	}
}

func TestHistoryHasLateAndAbandonedExecutions(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		late := jobstest.Register(t, p, jobstest.Lasting(15*time.Second, nil), jobs.Every(time.Hour), jobs.Detached())
		given := jobstest.Register(t, p, jobstest.Lasting(2*time.Minute, nil), jobs.Every(time.Hour), jobs.Detached())
		jobstest.Advance(10 * time.Minute)
		for id, took := range map[string]time.Duration{late: 15 * time.Second, given: 20 * time.Second} {
			h := p.History(id)
			require.Len(t, h, 1)
			assert.Equal(t, []any{jobs.OutcomeTimeout, took}, []any{h[0].Outcome, h[0].Took})
		}
	}, jobs.WithHistory(10, 10), jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(10*time.Second))
}

func TestAnExecutionOfTheHistoryIsJSON(t *testing.T) {
	e := jobs.Execution{ID: "id", Name: "name", Number: 7, Due: time.Unix(1, 0).UTC(), Began: time.Unix(2, 0).UTC(), Took: time.Second, Outcome: jobs.OutcomeTold, Error: "why"}
	text, err := json.Marshal(e)
	require.NoError(t, err)
	var back jobs.Execution
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, e, back)
	assert.Contains(t, string(text), `"tookNs":1000000000`)
}

func TestAHistoryBelowZeroIsAnError(t *testing.T) {
	for _, n := range [][2]int{{-1, 0}, {0, -1}} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			_, err := p.Register(jobstest.Stub{}, jobs.Once())
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
			assert.ErrorContains(t, err, "-1")
		}, jobs.WithHistory(n[0], n[1]))
	}
}
