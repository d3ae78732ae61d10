package jobs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestAnExecutionCountsFromItsBeginThoughTheScheduleTookLongToAnswer(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := 0
		slow := nextFunc(func(at time.Time) time.Time {
			if asked++; asked == 3 { // once at the registration, once before the first execution
				time.Sleep(10 * time.Second)
			}
			return at.Truncate(time.Hour).Add(time.Hour)
		})
		start := time.Now()
		id := register(t, p, lasting(time.Second, nil), jobs.On(slow), jobs.WithJobTimeout(5*time.Second))
		pass(time.Second)
		require.NoError(t, p.RunNow(id)) // after it, the schedule is asked for the third time
		pass(5 * time.Second)
		require.NoError(t, p.RunNow(id)) // while it answers
		pass(10 * time.Second)
		info := infoOf(t, p, id)
		assert.EqualValues(t, 2, info.Executions)
		assert.Zero(t, info.Failures, info.LastError)
		assert.Equal(t, 12*time.Second, info.LastStart.Sub(start))
		assert.Equal(t, time.Second, info.LastDuration)
	})
}

func TestTheFirstAnnouncementCountsTheFirstJob(t *testing.T) {
	var infos []jobs.PoolInfo
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, neverReady, jobs.Every(time.Hour))
		pass(0)
		require.NotEmpty(t, infos)
		assert.Equal(t, 1, infos[0].Unstarted)
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) { infos = append(infos, info) }))
}

func TestAPoolStoppedDuringItsRestartAnnouncesItsNextAttempt(t *testing.T) {
	var stops []jobs.PoolInfo
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		for range 1000 {
			register(t, p, stub{execute: func() error { return errors.New("at once") }}, jobs.Every(time.Hour))
		}
		pass(10 * time.Minute)
		require.Greater(t, len(stops), 10)
		for _, info := range stops {
			assert.False(t, info.NextAttempt.IsZero())
		}
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) {
		if info.Status == jobs.PoolStatusStopped && !errors.Is(info.StopError, jobs.ErrShutdown) {
			stops = append(stops, info)
		}
	}))
}
