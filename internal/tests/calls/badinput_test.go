package calls

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
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
		{"blank schedule", func(p *jobs.Pool) (string, error) { return p.RegisterScheduledJob(jobstest.Stub{}, "") }, ""},
		{"schedule of blanks", func(p *jobs.Pool) (string, error) {
			return p.RegisterScheduledJobWithName(jobstest.Stub{}, " \t ", "x")
		}, ""},
		{"bad schedule", func(p *jobs.Pool) (string, error) { return p.RegisterScheduledJob(jobstest.Stub{}, "now and then") }, "now and then"},
		{"value out of range", r(jobstest.Stub{}, jobs.Cron("61 * * * *")), "61"},
		{"schedule that can never fire", func(p *jobs.Pool) (string, error) { return p.RegisterScheduledJob(jobstest.Stub{}, "0 0 30 2 *") }, "0 0 30 2 *"},
		{"schedule at its end", r(jobstest.Stub{}, jobs.On(jobstest.NextFunc(func(time.Time) time.Time { return time.Time{} }))), "NextFunc"},
		{"schedule that is not later", r(jobstest.Stub{}, jobs.On(jobstest.NextFunc(func(t time.Time) time.Time { return t }))), "NextFunc"},
		{"timeout below zero", r(jobstest.Stub{}, jobs.Once(), jobs.WithJobTimeout(-time.Second)), "WithJobTimeout(-1s)"},
		{"nil schedule", r(jobstest.Stub{}, jobs.On(nil)), "nil"},
		{"nil trigger", r(jobstest.Stub{}, nil), "nil"},
		{"interval of zero", func(p *jobs.Pool) (string, error) { return p.RegisterIntervalJob(jobstest.Stub{}, 0) }, "0s"},
		{"interval below zero", func(p *jobs.Pool) (string, error) {
			return p.RegisterIntervalJobWithName(jobstest.Stub{}, -time.Minute, "x")
		}, "-1m0s"},
		{"detached interval of zero", func(p *jobs.Pool) (string, error) { return p.RegisterDetachedIntervalJob(jobstest.Stub{}, 0) }, "0s"},
		{"detached interval below zero", func(p *jobs.Pool) (string, error) {
			return p.RegisterDetachedIntervalJobWithName(jobstest.Stub{}, math.MinInt64, "x")
		}, "-2562047h47m16.854775808s"},
		{"no retries", func(p *jobs.Pool) (string, error) { return p.RegisterRetryJob(jobstest.Stub{}, 0) }, "0"},
		{"retries below zero", func(p *jobs.Pool) (string, error) { return p.RegisterRetryJobWithName(jobstest.Stub{}, -7, "x") }, "-7"},
		{"nil stopChan", func(p *jobs.Pool) (string, error) { return p.RegisterChannelJob(jobstest.Stub{}, nil) }, "nil"},
		{"nil stopChan, name", func(p *jobs.Pool) (string, error) { return p.RegisterChannelJobWithName(jobstest.Stub{}, nil, "x") }, "nil"},
		{"nil stopChan, detached", func(p *jobs.Pool) (string, error) { return p.RegisterDetachedChannelJob(jobstest.Stub{}, nil) }, "nil"},
		{"nil stopChan, detached, name", func(p *jobs.Pool) (string, error) {
			return p.RegisterDetachedChannelJobWithName(jobstest.Stub{}, nil, "x")
		}, "nil"},
	}
	for _, reg := range jobstest.Registrations(stop) {
		all = append(all, refusal{"nil job, " + reg.Kind, func(p *jobs.Pool) (string, error) { return reg.Register(p, nil) }, "nil"})
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
		{"interval", jobstest.Hourly(), backoff, "WithRetryBackoff"}, {"interval", jobstest.Hourly(), forget, "WithForget"},
		{"scheduled", jobstest.EachHour(), backoff, "WithRetryBackoff"}, {"scheduled", jobstest.EachHour(), forget, "WithForget"},
		{"channel", jobs.Channel(stop), jitter, "WithJitter"}, {"channel", jobs.Channel(stop), backoff, "WithRetryBackoff"},
		{"channel", jobs.Channel(stop), forget, "WithForget"},
	} {
		all = append(all, refusal{m.name + " with " + m.option, r(jobstest.Stub{}, m.trigger, m.opt), m.option})
	}
	return all
}

func TestBadRegistrationIsAnErrorThatNamesTheValueAndRegistersNothing(t *testing.T) {
	for _, tt := range refusals() {
		t.Run(tt.name, func(t *testing.T) {
			tap := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id, err := tt.register(p)
				assert.Empty(t, id)
				require.ErrorIs(t, err, jobs.ErrRegisteringJob)
				assert.ErrorContains(t, err, tt.names)
				assert.Contains(t, tap.At(slog.LevelError), err.Error(), "it is logged at error level")
				assert.Equal(t, "Initializing", p.GetStatus())
				assert.Zero(t, p.Info().Jobs)
			}, tap.Option())
		})
	}
}

func TestRegistrationWithAPoolThatWasShutDownIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, reg := range jobstest.Registrations(make(chan interface{})) {
			tap := new(jobstest.Journal)
			p := jobs.NewPool(tap.Option())
			require.NoError(t, p.Shutdown(context.Background()))
			id, err := reg.Register(p, jobstest.Stub{})
			assert.Empty(t, id)
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
			assert.ErrorIs(t, err, jobs.ErrShutdown)
			assert.Contains(t, tap.At(slog.LevelError), err.Error())
			assert.Zero(t, p.Info().Jobs)
		}
	})
}

func TestUnknownIDHasNoJobAndNoStatus(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		for _, id := range []string{"", "unknown", "\x00%d"} {
			assert.True(t, p.GetJob(id) == nil, "and no typed nil")
			assert.Empty(t, p.GetJobStatus(id))
		}
	})
}

func TestUnknownIDIsIgnoredByLocksAndUnregisterJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.Every(time.Second))
		for _, id := range []string{"", "unknown"} {
			p.JobLock(id)
			p.JobLock(id) // and so it is not locked
			p.JobUnlock(id)
			p.JobUnlock(id)
			p.UnregisterJob(id)
		}
		assert.Equal(t, 1, p.Info().Jobs)
		jobstest.Advance(time.Second)
		assert.Equal(t, jobstest.Times(time.Second, 0, 1), laps.Moments())
	})
}

func TestNilJobOptionIsIgnored(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id, err := p.RegisterIntervalJob(jobstest.Lasting(time.Hour, nil), time.Hour, nil, jobs.WithJobTimeout(time.Second), nil)
		require.NoError(t, err)
		jobstest.Advance(time.Second)
		assert.Equal(t, "Failed", p.GetJobStatus(id), "the others are not")
		_, err = p.RegisterScheduledJob(jobstest.Stub{}, "@hourly", nil)
		require.NoError(t, err)
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once(), nil)
	})
}
