package jobs_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

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

func TestWithStatusIntervalAndWithRetryInterval(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		failing, sweeps := newFault(), newTimeline()
		register(t, p, stub{status: func() error { sweeps.mark(); return failing.err() }}, jobs.Every(forAges))
		sweeps.fill(10 * time.Second)
		failing.mend()
		sweeps.fill(30 * time.Second)
		assert.Equal(t, seconds(4, 15, 19, 23, 27), sweeps.moments())
	}, jobs.WithStatusInterval(4*time.Second), jobs.WithRetryInterval(7*time.Second))
}

func TestWithExecutionTimeout(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  []jobs.PoolOption
		limit time.Duration
	}{
		{"5 minutes unless set", nil, 5 * time.Minute},
		{"set", []jobs.PoolOption{jobs.WithExecutionTimeout(time.Second)}, time.Second},
		{"0 is none", []jobs.PoolOption{jobs.WithExecutionTimeout(0)}, forAges},
		{"less is none", []jobs.PoolOption{jobs.WithExecutionTimeout(-1)}, forAges},
	} {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				end := make(chan bool)
				register(t, p, stub{execute: func() error { <-end; return nil }}, jobs.Every(time.Hour))
				pass(c.limit - 1)
				assert.Equal(t, "Running", p.GetStatus())
				if c.limit != forAges {
					pass(1)
					assert.Equal(t, "Stopped", p.GetStatus())
				}
				close(end)
			}, append(c.opts, jobs.WithStatusInterval(time.Hour))...)
		})
	}
}

func TestAnIntervalOptionOfZeroOrLessIsLoggedOnceAndIgnored(t *testing.T) {
	for _, order := range []string{"logger first", "logger last"} {
		t.Run(order, func(t *testing.T) {
			logged := new(journal)
			opts := []jobs.PoolOption{logged.option(), nil, jobs.WithStatusInterval(0), jobs.WithRetryInterval(-1)}
			if order == "logger last" {
				opts = []jobs.PoolOption{jobs.WithStatusInterval(0), jobs.WithRetryInterval(-1), logged.option()}
			}
			stray := new(journal)
			former := slog.Default()
			slog.SetDefault(slog.New(stray))
			defer slog.SetDefault(former)
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				sweeps := newTimeline()
				register(t, p, stub{status: sweeps.status}, jobs.Every(forAges))
				sweeps.fill(31 * time.Second)
				assert.Equal(t, seconds(30), sweeps.moments())
			}, opts...)
			assert.Len(t, logged.atLeast(warning), 2)
			assert.Empty(t, stray.atLeast(warning), "the pool has a logger of its own")
		})
	}
}
