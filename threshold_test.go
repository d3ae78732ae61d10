package jobs_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// failingTimes is an Execute or a Status that fails n times and succeeds from then on, and notes when it was called.
func failingTimes(n int, calls *jobstest.Timeline) func() error {
	return func() error {
		if calls.Mark() <= n {
			return jobstest.ErrBroken
		}
		return nil
	}
}

func TestWithFailureThresholdThePoolStopsAtTheNthFailureInARow(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{"interval": jobs.Every(time.Second), "scheduled": jobs.On(jobstest.EverySecond())} {
		t.Run(name, func(t *testing.T) {
			logged := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failingTimes(3, calls)}, trigger, jobs.WithFailureThreshold(3))
				first := 0
				if name == "scheduled" {
					first = 1
				}
				calls.AdvanceTo(time.Duration(first+1) * time.Second)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, jobstest.Times(time.Second, first, first+1), calls.Moments(), "it goes on at its next time")
				assert.EqualValues(t, 2, info.Failures)
				assert.EqualValues(t, 2, info.ConsecutiveFailures)
				assert.Equal(t, jobs.JobStatusRunning, info.Status)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, 1, logged.Count(slog.LevelWarn), "the second says the same")
				assert.Zero(t, logged.Count(slog.LevelError))
				calls.AdvanceTo(time.Duration(first+2) * time.Second)
				assert.Equal(t, "Stopped", p.GetStatus())
				assert.Equal(t, id, p.Info().StoppedBy)
				assert.NotZero(t, logged.Count(slog.LevelError))
			}, logged.Option())
		})
	}
}

func TestASuccessBeginsTheCountOfFailuresAnew(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		n := 0
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			if n++; n%3 == 0 {
				return nil
			}
			return jobstest.ErrBroken
		}}, jobs.Every(time.Second), jobs.WithFailureThreshold(3))
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Greater(t, jobstest.InfoOf(t, p, id).Failures, uint64(2000))
	})
}

func TestWithFailureThresholdAChannelJobIsExecutedAgainAfterTheRetryInterval(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failingTimes(9, calls)}, jobs.Channel(make(chan interface{}, 1)), jobs.WithFailureThreshold(3))
		calls.AdvanceTo(20 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 10, 20), calls.Moments())
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, id, p.Info().StoppedBy)
	}, jobs.WithRetryInterval(10*time.Second))
}

func TestWithFailureThresholdALateExecutionIsOneFailure(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { calls.Mark(); jobstest.Take(time.Minute); return nil }},
			jobs.Every(10*time.Second), jobs.WithFailureThreshold(2), jobs.WithJobTimeout(20*time.Second))
		calls.AdvanceTo(65 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures)
		calls.AdvanceTo(90 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		calls.AdvanceTo(130 * time.Second)
		assert.Equal(t, "Running", p.GetStatus(), "what has been late before the stop does not hold it up")
		assert.Equal(t, jobstest.Seconds(0, 70, 130), calls.Moments())
	})
}

func TestWithFailureThresholdWhatIsLateAtAStopByAnotherHoldsTheRestartUp(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(jobstest.Sleeping(100 * time.Second))},
			jobs.Every(jobstest.ForAges), jobs.WithFailureThreshold(2), jobs.WithJobTimeout(20*time.Second))
		jobstest.Advance(30 * time.Second)
		require.Equal(t, "Running", p.GetStatus())
		jobstest.FailPool(p)
		jobstest.Advance(60 * time.Second)
		require.Len(t, p.Info().HeldUpBy, 1)
		assert.Equal(t, id, p.Info().HeldUpBy[0].ID)
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestWithFailureThresholdThePoolStopsAtTheNthFailureInARowOfStatus(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{StatusFunc: failingTimes(2, calls)}, jobs.Every(time.Hour), jobs.WithFailureThreshold(3))
		again := jobstest.NewTimeline()
		bad := jobstest.Register(t, p, jobstest.Stub{StatusFunc: failingTimes(99, again)}, jobs.Every(time.Hour), jobs.WithFailureThreshold(4))
		calls.AdvanceTo(100 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Zero(t, jobstest.InfoOf(t, p, id).StatusFailures, "the third has succeeded")
		calls.AdvanceTo(120 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, bad, p.Info().StoppedBy)
		assert.EqualValues(t, 4, jobstest.InfoOf(t, p, bad).StatusFailures)
	})
}

func TestAJobWhoseLastStatusHasFailedShowsItsErrorSinceWhenAndHowOften(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		fault := jobstest.NewFault()
		id := jobstest.Register(t, p, jobstest.Stub{StatusFunc: fault.Err}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		assert.NoError(t, jobstest.InfoOf(t, p, id).LastStatusError)
		since := time.Now().Add(29 * time.Second)
		jobstest.Advance(2 * time.Minute) // asked at 30 and 90 s
		info := jobstest.InfoOf(t, p, id)
		require.ErrorIs(t, info.LastStatusError, jobstest.ErrBroken)
		assert.True(t, since.Equal(info.StatusFailingSince))
		assert.EqualValues(t, 2, info.StatusFailures)
		assert.NoError(t, info.LastError)

		text, err := json.Marshal(info)
		require.NoError(t, err)
		var decoded jobs.JobInfo
		require.NoError(t, json.Unmarshal(text, &decoded))
		assert.EqualError(t, decoded.LastStatusError, info.LastStatusError.Error())
		assert.Equal(t, info.StatusFailures, decoded.StatusFailures)

		fault.Clear()
		jobstest.Advance(5 * time.Minute)
		info = jobstest.InfoOf(t, p, id)
		assert.NoError(t, info.LastStatusError)
		assert.Zero(t, info.StatusFailures)
		assert.True(t, info.StatusFailingSince.IsZero())
	})
}

func TestALateStatusIsItsLastStatusError(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.OnlyFirst(jobstest.Sleeping(20 * time.Second))}, jobs.Every(time.Hour), jobs.WithJobTimeout(10*time.Second))
		jobstest.Advance(55 * time.Second) // late from 40 to 50 s
		assert.ErrorIs(t, jobstest.InfoOf(t, p, id).LastStatusError, jobs.ErrTimeout, "that it then returned nil does not count")
		jobstest.Advance(time.Minute)
		assert.NoError(t, jobstest.InfoOf(t, p, id).LastStatusError)
	})
}

func TestASecondSickJobShowsItToo(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		both := make(chan struct{})
		sick := func(err error) jobstest.Stub {
			return jobstest.Stub{StatusFunc: func() error { <-both; return err }}
		}
		first, second := errors.New("the first"), errors.New("the second")
		ids := []string{
			jobstest.Register(t, p, sick(first), jobs.Every(time.Hour)), jobstest.Register(t, p, sick(second), jobs.Every(time.Hour)),
		}
		jobstest.Advance(31 * time.Second)
		close(both)
		synctest.Wait()
		require.Equal(t, "Stopped", p.GetStatus())
		assert.ErrorIs(t, jobstest.InfoOf(t, p, ids[0]).LastStatusError, first)
		assert.ErrorIs(t, jobstest.InfoOf(t, p, ids[1]).LastStatusError, second)
	})
}
