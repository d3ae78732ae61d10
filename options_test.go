package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// kinds has a trigger of each kind of job, and what an unnamed job of that kind is called.
var kinds = []struct {
	typ      string
	detached string // empty if there is no detached one
	trigger  func() jobs.Trigger
	allowed  map[string]bool
}{
	{jobs.JobTypeSingleRun, "", jobs.Once, map[string]bool{"WithForget": true}},
	{jobs.JobTypeRetry, "", func() jobs.Trigger { return jobs.Retry(2) },
		map[string]bool{"WithForget": true, "WithRetryBackoff": true}},
	{jobs.JobTypeInterval, jobs.JobTypeDetachedInterval, func() jobs.Trigger { return jobs.Every(time.Hour) },
		map[string]bool{"Detached": true, "WithJitter": true}},
	{jobs.JobTypeScheduled, jobs.JobTypeScheduled, func() jobs.Trigger { return jobs.On(everySecond()) },
		map[string]bool{"Detached": true, "WithJitter": true}},
	{jobs.JobTypeScheduled, jobs.JobTypeScheduled, func() jobs.Trigger { return jobs.Cron("@hourly") },
		map[string]bool{"Detached": true, "WithJitter": true}},
	{jobs.JobTypeChannel, jobs.JobTypeDetachedChannel, func() jobs.Trigger { return jobs.Channel(make(chan interface{})) },
		map[string]bool{"Detached": true}},
}

func TestRegisterRegistersAnythingByItsTrigger(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.typ, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{}, k.trigger())
				info := infoOf(t, p, id)
				assert.Equal(t, k.typ, info.Type)
				assert.Equal(t, k.typ, info.Name, "a job without a name has its type's")
				assert.False(t, info.Detached)
				if k.detached != "" {
					info = infoOf(t, p, register(t, p, stub{}, k.trigger(), jobs.Detached()))
					assert.Equal(t, k.detached, info.Type)
					assert.True(t, info.Detached)
				}
			})
		})
	}
}

func TestAnOptionThatMeansNothingForTheKindIsAnError(t *testing.T) {
	options := map[string]jobs.JobOption{
		"Detached":         jobs.Detached(),
		"WithJitter":       jobs.WithJitter(time.Second),
		"WithRetryBackoff": jobs.WithRetryBackoff(time.Second, time.Minute),
		"WithForget":       jobs.WithForget(time.Second),
	}
	for _, k := range kinds {
		for name, opt := range options {
			t.Run(k.typ+" "+name, func(t *testing.T) {
				logged := new(journal)
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					id, err := p.Register(stub{}, k.trigger(), opt)
					if k.allowed[name] {
						require.NoError(t, err)
						assert.NotEmpty(t, id)
						return
					}
					assert.Empty(t, id)
					require.ErrorIs(t, err, jobs.ErrRegisteringJob)
					assert.ErrorContains(t, err, name)
					assert.Zero(t, p.Info().Jobs, "nothing is registered")
					require.Len(t, logged.atLeast(failing), 1)
					assert.Contains(t, logged.atLeast(failing)[0].text("error"), name)
				}, logged.option())
			})
		}
	}
}

func TestOptionsForEveryKindAndNilOnes(t *testing.T) {
	for _, k := range kinds {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{}, k.trigger(), nil, jobs.WithName("Ada"), nil, jobs.WithJobTimeout(time.Second))
			assert.Equal(t, "Ada", p.GetJob(id).GetName())
			assert.Equal(t, "Ada", infoOf(t, p, id).Name)
			again := register(t, p, stub{}, k.trigger(), jobs.WithName("Ada"))
			assert.NotEqual(t, id, again, "a name need not be unique")
		})
	}
}

func TestOptionsWithoutSense(t *testing.T) {
	cases := []struct {
		trigger jobs.Trigger
		opt     jobs.JobOption
		naming  string
	}{
		{jobs.Every(time.Hour), jobs.WithJitter(-time.Second), "-1s"},
		{jobs.Retry(2), jobs.WithRetryBackoff(-time.Second, time.Minute), "-1s"},
		{jobs.Retry(2), jobs.WithRetryBackoff(time.Minute, time.Second), "1m0s"},
		{jobs.Once(), jobs.WithForget(-time.Second), "-1s"},
	}
	for _, c := range cases {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			_, err := p.Register(stub{}, c.trigger, c.opt)
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
			assert.ErrorContains(t, err, c.naming)
		})
	}
}

func TestANilTriggerIsAnError(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id, err := p.Register(stub{}, nil)
		assert.Empty(t, id)
		assert.ErrorIs(t, err, jobs.ErrRegisteringJob)
	})
}

func TestWithJobTimeoutLimitsExecutions(t *testing.T) {
	for _, k := range kinds[:4] {
		t.Run(k.typ, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := newTimeline()
				var began time.Duration
				if k.typ == jobs.JobTypeScheduled {
					began = time.Second
				}
				id := register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(20 * time.Second); return nil }},
					k.trigger(), jobs.WithJobTimeout(10*time.Second))
				calls.fill(began + 10*time.Second - 1)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				calls.fill(began + 10*time.Second)
				info := infoOf(t, p, id)
				assert.Equal(t, jobs.JobStatusFailed, info.Status)
				assert.EqualValues(t, 1, info.Failures)
				assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
				calls.fill(began + 19*time.Second)
				assert.Len(t, calls.moments(), 1, "not executed again until it has returned")
			})
		})
	}
}

func TestSingleRunRetryAndChannelJobsHaveNoLimitUnlessGiven(t *testing.T) {
	for _, i := range []int{0, 1, 5} {
		k := kinds[i]
		t.Run(k.typ, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{execute: enduring(10 * time.Hour)}, k.trigger())
				pass(9 * time.Hour)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithExecutionTimeout(time.Second))
		})
	}
}

func TestWithJobTimeoutOfAChannelJobLimitsItsStatusOnly(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		id := register(t, p, stub{execute: func() error { <-stop; return nil }, status: enduring(10 * time.Second)},
			jobs.Channel(stop), jobs.WithJobTimeout(5*time.Second))
		pass(35*time.Second - 1)
		assert.Equal(t, "Running", p.GetStatus())
		pass(1)
		assert.Equal(t, "Stopped", p.GetStatus(), "its Status is late")
		assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
		assert.Zero(t, infoOf(t, p, id).Failures)
	})
}

func TestWithJobTimeoutGoesBeforeThePools(t *testing.T) {
	cases := []struct {
		name       string
		job, limit time.Duration
	}{
		{"longer", time.Minute, time.Minute},
		{"shorter", time.Second, time.Second},
		{"zero is none given", 0, 10 * time.Second},
		{"negative is none given", -time.Minute, 10 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, stub{execute: enduring(2 * time.Minute)}, jobs.Every(forAges), jobs.WithJobTimeout(c.job))
				pass(c.limit - 1)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				pass(1)
				assert.Equal(t, "Failed", p.GetJobStatus(id))
			}, jobs.WithExecutionTimeout(10*time.Second))
		})
	}
}

func TestWithJitterIsAddedToEveryWait(t *testing.T) {
	t.Run("interval", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := newTimeline()
			register(t, p, stub{execute: calls.execute}, jobs.Every(10*time.Second), jobs.WithJitter(4*time.Second))
			calls.fill(time.Hour)
			at := calls.moments()
			require.Zero(t, at[0], "at once is no wait")
			different := map[time.Duration]bool{}
			for i := range at[1:] {
				wait := at[i+1] - at[i]
				assert.GreaterOrEqual(t, wait, 10*time.Second)
				assert.LessOrEqual(t, wait, 14*time.Second)
				different[wait] = true
			}
			assert.Greater(t, len(different), len(at)/2, "at random")
		})
	})
	t.Run("scheduled", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := newTimeline()
			register(t, p, stub{execute: calls.execute}, jobs.Cron("@hourly"), jobs.WithJitter(4*time.Second))
			calls.fill(100*time.Hour + time.Minute)
			require.Len(t, calls.moments(), 100)
			different := map[time.Duration]bool{}
			for i, at := range calls.moments() {
				late := at - time.Duration(i+1)*time.Hour
				assert.GreaterOrEqual(t, late, time.Duration(0), "never early")
				assert.LessOrEqual(t, late, 4*time.Second)
				different[late] = true
			}
			assert.Greater(t, len(different), 50)
		})
	})
}

func TestWithJitterOfZeroChangesNothing(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: calls.execute}, jobs.Every(10*time.Second), jobs.WithJitter(0))
		calls.fill(25 * time.Second)
		assert.Equal(t, seconds(0, 10, 20), calls.moments())
	})
}

func TestABlankNameIsTheJobsID(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		hourly := "0 * * * *"
		for name, register := range map[string]func(name string) (string, error){
			"Register":                     func(name string) (string, error) { return p.Register(stub{}, jobs.Once(), jobs.WithName(name)) },
			"RegisterSingleRunJobWithName": func(name string) (string, error) { return p.RegisterSingleRunJobWithName(stub{}, name) },
			"RegisterRetryJobWithName":     func(name string) (string, error) { return p.RegisterRetryJobWithName(stub{}, 1, name) },
			"RegisterIntervalJobWithName":  func(name string) (string, error) { return p.RegisterIntervalJobWithName(stub{}, time.Hour, name) },
			"RegisterDetachedIntervalJobWithName": func(name string) (string, error) {
				return p.RegisterDetachedIntervalJobWithName(stub{}, time.Hour, name)
			},
			"RegisterScheduledJobWithName":       func(name string) (string, error) { return p.RegisterScheduledJobWithName(stub{}, hourly, name) },
			"RegisterChannelJobWithName":         func(name string) (string, error) { return p.RegisterChannelJobWithName(stub{}, stop, name) },
			"RegisterDetachedChannelJobWithName": func(name string) (string, error) { return p.RegisterDetachedChannelJobWithName(stub{}, stop, name) },
		} {
			for _, blank := range []string{"", " \t"} {
				id, err := register(blank)
				require.NoError(t, err)
				assert.Equal(t, id, infoOf(t, p, id).Name, name)
				assert.Equal(t, id, p.GetJob(id).GetName(), name)
			}
			id, err := register("it")
			require.NoError(t, err)
			assert.Equal(t, "it", p.GetJob(id).GetName(), name)
		}
	})
}
