package jobs_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestWithRetryBackoffWaitsBetweenAttempts(t *testing.T) {
	cases := []struct {
		min, max time.Duration
		at       []time.Duration
	}{
		{time.Second, 5 * time.Second, seconds(0, 1, 3, 7, 12, 17)},
		{2 * time.Second, 2 * time.Second, seconds(0, 2, 4, 6, 8, 10)},
		{0, 0, seconds(0, 0, 0, 0, 0, 0)},
		{0, time.Minute, seconds(0, 0, 0, 0, 0, 0)},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.min, c.max), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				id := register(t, p, stub{execute: func() error { calls.mark(); return errBroken }},
					jobs.Retry(6), jobs.WithRetryBackoff(c.min, c.max))
				if c.at[1] > 0 {
					pass(time.Millisecond)
					assert.Equal(t, "Retrying", p.GetJobStatus(id))
				}
				calls.fill(time.Hour)
				assert.Equal(t, c.at, calls.moments())
				assert.Equal(t, "Failed", p.GetJobStatus(id))
			})
		})
	}
}

func TestWithRetryBackoffCountsFromTheEndOfAnAttempt(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(10 * time.Second); return errBroken }},
			jobs.Retry(3), jobs.WithRetryBackoff(time.Second, time.Minute))
		calls.fill(time.Hour)
		assert.Equal(t, seconds(0, 11, 23), calls.moments())
	})
}

func TestWithoutRetryBackoffAttemptsFollowAtOnce(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: func() error { calls.mark(); return errBroken }}, jobs.Retry(3))
		pass(time.Hour)
		assert.Equal(t, seconds(0, 0, 0), calls.moments())
	})
}

func TestAPermanentErrorIsNotTriedAgain(t *testing.T) {
	for name, err := range map[string]error{
		"itself":  jobs.Permanent(errBroken),
		"wrapped": fmt.Errorf("really: %w", jobs.Permanent(errBroken)),
		"joined":  errors.Join(errors.New("other"), jobs.Permanent(errBroken)),
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				id := register(t, p, stub{execute: func() error { calls.mark(); return err }}, jobs.Retry(5))
				pass(time.Second)
				assert.Len(t, calls.moments(), 1)
				info := infoOf(t, p, id)
				assert.Equal(t, jobs.JobStatusFailed, info.Status)
				assert.ErrorIs(t, info.LastError, errBroken)
				assert.ErrorIs(t, info.LastError, jobs.ErrExecutingRetryJob)
			})
		})
	}
}

func TestPermanentKeepsItsError(t *testing.T) {
	assert.NoError(t, jobs.Permanent(nil))
	err := jobs.Permanent(errBroken)
	assert.EqualError(t, err, errBroken.Error())
	assert.ErrorIs(t, err, errBroken)
}

func TestAPermanentErrorIsAnyOtherErrorToOtherKinds(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: func() error { calls.mark(); return jobs.Permanent(errBroken) }},
			jobs.Every(time.Second), jobs.Detached())
		pass(2 * time.Second)
		assert.Equal(t, seconds(0, 1, 2), calls.moments())
		assert.EqualValues(t, 3, infoOf(t, p, id).Failures)
	})
}

func TestWithForgetUnregistersAJobAfterItsEnd(t *testing.T) {
	broken := func() error { time.Sleep(5 * time.Second); return errBroken }
	for name, c := range map[string]struct {
		execute func() error
		trigger jobs.Trigger
		end     time.Duration
		status  string
	}{
		"finished single run": {enduring(5 * time.Second), jobs.Once(), 5 * time.Second, "Finished"},
		"failed single run":   {broken, jobs.Once(), 5 * time.Second, "Failed"},
		"finished retry":      {enduring(5 * time.Second), jobs.Retry(2), 5 * time.Second, "Finished"},
		"failed retry":        {broken, jobs.Retry(2), 10 * time.Second, "Failed"},
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{execute: c.execute}, c.trigger, jobs.WithForget(20*time.Second))
				pass(c.end + 20*time.Second - 1)
				assert.Equal(t, c.status, p.GetJobStatus(id))
				pass(1)
				assert.Empty(t, p.GetJobStatus(id))
				assert.Nil(t, p.GetJob(id))
				assert.Zero(t, p.Info().Jobs)
			})
		})
	}
}

func TestWithForgetOfZeroIsAtOnceAndWithoutItTheRecordIsKept(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		forgotten := register(t, p, stub{}, jobs.Once(), jobs.WithForget(0))
		kept := register(t, p, stub{}, jobs.Once())
		pass(0)
		assert.Empty(t, p.GetJobStatus(forgotten))
		pass(forAges)
		assert.Equal(t, "Finished", p.GetJobStatus(kept))
		p.UnregisterJob(kept)
		assert.Empty(t, p.GetJobStatus(kept))
	})
}

func TestALateSingleRunJobIsForgottenAfterItHasReturned(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{execute: enduring(30 * time.Second)}, jobs.Once(),
			jobs.WithForget(5*time.Second), jobs.WithJobTimeout(10*time.Second))
		pass(35*time.Second - 1)
		require.Equal(t, "Failed", p.GetJobStatus(id), "and not Finished: what a late execution returns is ignored")
		pass(1)
		assert.Empty(t, p.GetJobStatus(id))
	})
}
