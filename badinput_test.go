package jobs_test

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// A refusal is a registration that is to be refused, naming names.
type refusal struct {
	name     string
	register func(p *jobs.Pool) (string, error)
	names    string
}

func refusals() []refusal {
	stop := make(chan interface{})
	r := func(job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) func(*jobs.Pool) (string, error) {
		return func(p *jobs.Pool) (string, error) { return p.Register(job, trigger, opts...) }
	}
	all := []refusal{
		{"blank schedule", func(p *jobs.Pool) (string, error) { return p.RegisterScheduledJob(stub{}, "") }, ""},
		{"schedule of blanks", func(p *jobs.Pool) (string, error) { return p.RegisterScheduledJobWithName(stub{}, " \t ", "x") }, ""},
		{"bad schedule", func(p *jobs.Pool) (string, error) { return p.RegisterScheduledJob(stub{}, "now and then") }, "now and then"},
		{"value out of range", r(stub{}, jobs.Cron("61 * * * *")), "61"},
		{"schedule that can never fire", func(p *jobs.Pool) (string, error) { return p.RegisterScheduledJob(stub{}, "0 0 30 2 *") }, "0 0 30 2 *"},
		{"schedule at its end", r(stub{}, jobs.On(nextFunc(func(time.Time) time.Time { return time.Time{} }))), "nextFunc"},
		{"schedule that is not later", r(stub{}, jobs.On(nextFunc(func(t time.Time) time.Time { return t }))), "nextFunc"},
		{"nil schedule", r(stub{}, jobs.On(nil)), "nil"},
		{"nil trigger", r(stub{}, nil), "nil"},
		{"interval of zero", func(p *jobs.Pool) (string, error) { return p.RegisterIntervalJob(stub{}, 0) }, "0s"},
		{"interval below zero", func(p *jobs.Pool) (string, error) { return p.RegisterIntervalJobWithName(stub{}, -time.Minute, "x") }, "-1m0s"},
		{"detached interval of zero", func(p *jobs.Pool) (string, error) { return p.RegisterDetachedIntervalJob(stub{}, 0) }, "0s"},
		{"detached interval below zero", func(p *jobs.Pool) (string, error) {
			return p.RegisterDetachedIntervalJobWithName(stub{}, math.MinInt64, "x")
		}, "-2562047h47m16.854775808s"},
		{"no retries", func(p *jobs.Pool) (string, error) { return p.RegisterRetryJob(stub{}, 0) }, "0"},
		{"retries below zero", func(p *jobs.Pool) (string, error) { return p.RegisterRetryJobWithName(stub{}, -7, "x") }, "-7"},
		{"nil stopChan", func(p *jobs.Pool) (string, error) { return p.RegisterChannelJob(stub{}, nil) }, "nil"},
		{"nil stopChan, name", func(p *jobs.Pool) (string, error) { return p.RegisterChannelJobWithName(stub{}, nil, "x") }, "nil"},
		{"nil stopChan, detached", func(p *jobs.Pool) (string, error) { return p.RegisterDetachedChannelJob(stub{}, nil) }, "nil"},
		{"nil stopChan, detached, name", func(p *jobs.Pool) (string, error) { return p.RegisterDetachedChannelJobWithName(stub{}, nil, "x") }, "nil"},
	}
	for _, reg := range registrations(stop) {
		all = append(all, refusal{"nil job, " + reg.kind, func(p *jobs.Pool) (string, error) { return reg.register(p, nil) }, "nil"})
	}
	detached, jitter := jobs.Detached(), jobs.WithJitter(time.Second)
	backoff, forget := jobs.WithRetryBackoff(1, 2), jobs.WithForget(time.Second)
	for _, m := range []struct {
		name    string
		trigger jobs.Trigger
		opt     jobs.JobOption
		option  string
	}{
		{"single run", jobs.Once(), detached, "Detached"}, {"single run", jobs.Once(), jitter, "WithJitter"},
		{"single run", jobs.Once(), backoff, "WithRetryBackoff"},
		{"retry", jobs.Retry(2), detached, "Detached"}, {"retry", jobs.Retry(2), jitter, "WithJitter"},
		{"interval", hourly(), backoff, "WithRetryBackoff"}, {"interval", hourly(), forget, "WithForget"},
		{"scheduled", eachHour(), backoff, "WithRetryBackoff"}, {"scheduled", eachHour(), forget, "WithForget"},
		{"channel", jobs.Channel(stop), jitter, "WithJitter"}, {"channel", jobs.Channel(stop), backoff, "WithRetryBackoff"},
		{"channel", jobs.Channel(stop), forget, "WithForget"},
	} {
		all = append(all, refusal{m.name + " with " + m.option, r(stub{}, m.trigger, m.opt), m.option})
	}
	return all
}

func TestBadRegistrationIsAnErrorThatNamesTheValueAndRegistersNothing(t *testing.T) {
	for _, tt := range refusals() {
		t.Run(tt.name, func(t *testing.T) {
			tap := new(journal)
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id, err := tt.register(p)
				assert.Empty(t, id)
				require.ErrorIs(t, err, jobs.ErrRegisteringJob)
				assert.ErrorContains(t, err, tt.names)
				assert.Contains(t, tap.at(slog.LevelError), err.Error(), "it is logged at error level")
				assert.Equal(t, "Initializing", p.GetStatus())
				assert.Zero(t, p.Info().Jobs)
			}, tap.option())
		})
	}
}

func TestRegistrationWithAPoolThatWasShutDownIsAnError(t *testing.T) {
	stop := make(chan interface{})
	for _, reg := range registrations(stop) {
		tap := new(journal)
		p := jobs.NewPool(tap.option())
		require.NoError(t, p.Shutdown(context.Background()))
		id, err := reg.register(p, stub{})
		assert.Empty(t, id)
		require.ErrorIs(t, err, jobs.ErrRegisteringJob)
		assert.ErrorIs(t, err, jobs.ErrShutdown)
		assert.Contains(t, tap.at(slog.LevelError), err.Error())
		assert.Zero(t, p.Info().Jobs)
	}
}

func TestUnknownIDHasNoJobAndNoStatus(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{}, jobs.Once())
		for _, id := range []string{"", "unknown", "\x00%d"} {
			assert.True(t, p.GetJob(id) == nil, "and no typed nil")
			assert.Empty(t, p.GetJobStatus(id))
		}
	})
}

func TestUnknownIDIsIgnoredByLocksAndUnregisterJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		register(t, p, stub{execute: laps.execute}, jobs.Every(time.Second))
		for _, id := range []string{"", "unknown"} {
			p.JobLock(id)
			p.JobLock(id) // and so it is not locked
			p.JobUnlock(id)
			p.JobUnlock(id)
			p.UnregisterJob(id)
		}
		assert.Equal(t, 1, p.Info().Jobs)
		pass(time.Second)
		assert.Equal(t, times(time.Second, 0, 1), laps.moments())
	})
}

func TestNilJobOptionIsIgnored(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id, err := p.RegisterIntervalJob(lasting(time.Hour, nil), time.Hour, nil, jobs.WithJobTimeout(time.Second), nil)
		require.NoError(t, err)
		pass(time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(id), "the others are not")
		_, err = p.RegisterScheduledJob(stub{}, "@hourly", nil)
		require.NoError(t, err)
		register(t, p, stub{}, jobs.Once(), nil)
	})
}
