package jobs_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestRegisterRegistersAnythingByItsTrigger(t *testing.T) {
	for _, k := range jobstest.Kinds {
		t.Run(k.Type, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{}, k.Trigger())
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, k.Type, info.Type)
				assert.Equal(t, k.Type, info.Name, "a job without a name has its type's")
				assert.False(t, info.Detached)
				if k.Detached != "" {
					info = jobstest.InfoOf(t, p, jobstest.Register(t, p, jobstest.Stub{}, k.Trigger(), jobs.Detached()))
					assert.Equal(t, k.Detached, info.Type)
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
		"WithRetries":      jobs.WithRetries(2, time.Second, time.Minute),

		"WithFailureThreshold": jobs.WithFailureThreshold(2),
		"WithWallClock":        jobs.WithWallClock(),
		"WithCatchUp":          jobs.WithCatchUp(time.Minute),
		"WithMisfire":          jobs.WithMisfire(jobs.RunOnce),
		"WithFreshness":        jobs.WithFreshness(time.Hour),
	}
	for _, k := range jobstest.Kinds {
		for name, opt := range options {
			t.Run(k.Type+" "+name, func(t *testing.T) {
				logged := new(jobstest.Journal)
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					id, err := p.Register(jobstest.Stub{}, k.Trigger(), opt)
					if k.Allowed[name] {
						require.NoError(t, err)
						assert.NotEmpty(t, id)
						return
					}
					assert.Empty(t, id)
					require.ErrorIs(t, err, jobs.ErrRegisteringJob)
					assert.ErrorContains(t, err, name)
					assert.Zero(t, p.Info().Jobs, "nothing is registered")
					require.Len(t, logged.AtLeast(slog.LevelError), 1)
					assert.Contains(t, logged.AtLeast(slog.LevelError)[0].Text("error"), name)
				}, logged.Option())
			})
		}
	}
}

func TestOptionsForEveryKindAndNilOnes(t *testing.T) {
	for _, k := range jobstest.Kinds {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{}, k.Trigger(), nil, jobs.WithName("Ada"), nil, jobs.WithJobTimeout(time.Second))
			assert.Equal(t, "Ada", p.GetJob(id).GetName())
			assert.Equal(t, "Ada", jobstest.InfoOf(t, p, id).Name)
			again := jobstest.Register(t, p, jobstest.Stub{}, k.Trigger(), jobs.WithName("Ada"))
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
		{jobs.Every(time.Hour), jobs.WithFailureThreshold(0), "WithFailureThreshold(0)"},
		{jobs.Every(time.Hour), jobs.WithFailureThreshold(-3), "WithFailureThreshold(-3)"},
		{jobs.Cron("@daily"), jobs.WithCatchUp(0), "WithCatchUp(0s)"},
		{jobs.Cron("@daily"), jobs.WithCatchUp(-time.Second), "WithCatchUp(-1s)"},
		{jobs.Cron("@daily"), jobs.WithMisfire(2), "WithMisfire(Misfire(2))"},
		{jobs.Every(time.Hour), jobs.WithFreshness(0), "WithFreshness(0s)"},
		{jobs.Every(time.Hour), jobs.WithFreshness(-time.Second), "WithFreshness(-1s)"},
	}
	for _, c := range cases {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			_, err := p.Register(jobstest.Stub{}, c.trigger, c.opt)
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
			assert.ErrorContains(t, err, c.naming)
		})
	}
}

func TestWithFailureThresholdMeansNothingForADetachedJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		_, err := p.Register(jobstest.Stub{}, jobs.Every(time.Hour), jobs.WithFailureThreshold(2), jobs.Detached())
		require.ErrorIs(t, err, jobs.ErrRegisteringJob)
		assert.ErrorContains(t, err, "WithFailureThreshold")
		assert.Zero(t, p.Info().Jobs)
	})
}

func TestANilTriggerIsAnError(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id, err := p.Register(jobstest.Stub{}, nil)
		assert.Empty(t, id)
		assert.ErrorIs(t, err, jobs.ErrRegisteringJob)
	})
}

func TestWithJitterIsAddedToEveryWait(t *testing.T) {
	t.Run("interval", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(10*time.Second), jobs.WithJitter(4*time.Second))
			calls.AdvanceTo(time.Hour)
			at := calls.Moments()
			assert.LessOrEqual(t, at[0], 4*time.Second, "also to the first, which comes at once without it")
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
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron("@hourly"), jobs.WithJitter(4*time.Second))
			calls.AdvanceTo(100*time.Hour + time.Minute)
			require.Len(t, calls.Moments(), 100)
			different := map[time.Duration]bool{}
			for i, at := range calls.Moments() {
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(10*time.Second), jobs.WithJitter(0))
		calls.AdvanceTo(25 * time.Second)
		assert.Equal(t, jobstest.Seconds(0, 10, 20), calls.Moments())
	})
}

func TestABlankNameIsTheJobsID(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		hourly := "0 * * * *"
		for name, register := range map[string]func(name string) (string, error){
			"Register": func(name string) (string, error) {
				return p.Register(jobstest.Stub{}, jobs.Once(), jobs.WithName(name))
			},
			"RegisterSingleRunJobWithName": func(name string) (string, error) { return p.RegisterSingleRunJobWithName(jobstest.Stub{}, name) },
			"RegisterRetryJobWithName":     func(name string) (string, error) { return p.RegisterRetryJobWithName(jobstest.Stub{}, 1, name) },
			"RegisterIntervalJobWithName": func(name string) (string, error) {
				return p.RegisterIntervalJobWithName(jobstest.Stub{}, time.Hour, name)
			},
			"RegisterDetachedIntervalJobWithName": func(name string) (string, error) {
				return p.RegisterDetachedIntervalJobWithName(jobstest.Stub{}, time.Hour, name)
			},
			"RegisterScheduledJobWithName": func(name string) (string, error) {
				return p.RegisterScheduledJobWithName(jobstest.Stub{}, hourly, name)
			},
			"RegisterChannelJobWithName": func(name string) (string, error) { return p.RegisterChannelJobWithName(jobstest.Stub{}, stop, name) },
			"RegisterDetachedChannelJobWithName": func(name string) (string, error) {
				return p.RegisterDetachedChannelJobWithName(jobstest.Stub{}, stop, name)
			},
		} {
			for _, blank := range []string{"", " \t"} {
				id, err := register(blank)
				require.NoError(t, err)
				assert.Equal(t, id, jobstest.InfoOf(t, p, id).Name, name)
				assert.Equal(t, id, p.GetJob(id).GetName(), name)
			}
			id, err := register("it")
			require.NoError(t, err)
			assert.Equal(t, "it", p.GetJob(id).GetName(), name)
		}
	})
}

func TestWithStatusIntervalAndWithRetryInterval(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		failing, sweeps := jobstest.NewFault(), jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { sweeps.Mark(); return failing.Err() }}, jobs.Every(jobstest.ForAges))
		sweeps.AdvanceTo(10 * time.Second)
		failing.Clear()
		sweeps.AdvanceTo(30 * time.Second)
		assert.Equal(t, jobstest.Seconds(4, 15, 19, 23, 27), sweeps.Moments())
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
		{"0 is none", []jobs.PoolOption{jobs.WithExecutionTimeout(0)}, jobstest.ForAges},
		{"less is none", []jobs.PoolOption{jobs.WithExecutionTimeout(-1)}, jobstest.ForAges},
	} {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				end := make(chan bool)
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Every(time.Hour))
				jobstest.Advance(c.limit - 1)
				assert.Equal(t, "Running", p.GetStatus())
				if c.limit != jobstest.ForAges {
					jobstest.Advance(1)
					assert.Equal(t, "Stopped", p.GetStatus())
				}
				close(end)
			}, append(c.opts, jobs.WithStatusInterval(time.Hour))...)
		})
	}
}

func TestABadPoolOptionIsTheErrorOfEachRegistration(t *testing.T) {
	for _, order := range []string{"logger first", "logger last"} {
		t.Run(order, func(t *testing.T) {
			logged := new(jobstest.Journal)
			opts := []jobs.PoolOption{logged.Option(), nil, jobs.WithStatusInterval(0), jobs.WithRetryInterval(-1), jobs.WithJitter(-1), jobs.WithOverdueAfter(0),
				jobs.WithBaseContext(func() context.Context { return nil })}
			if order == "logger last" {
				opts = append(opts[1:], opts[0])
			}
			stray := new(jobstest.Journal)
			former := slog.Default()
			slog.SetDefault(slog.New(stray))
			defer slog.SetDefault(former)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				for range 2 {
					_, err := p.Register(jobstest.Stub{}, jobs.Once())
					require.ErrorIs(t, err, jobs.ErrRegisteringJob)
					for _, part := range []string{"WithStatusInterval(0s)", "WithRetryInterval(-1ns)", "WithJitter(-1ns)", "WithOverdueAfter(0s)", "WithBaseContext", "nil"} {
						assert.ErrorContains(t, err, part)
					}
				}
				assert.Zero(t, p.Info().Jobs)
				assert.ErrorContains(t, p.WaitRunning(context.Background()), "WithStatusInterval(0s)", "which would wait for ever")
			}, opts...)
			assert.Len(t, logged.AtLeast(slog.LevelWarn), 2)
			assert.Empty(t, stray.AtLeast(slog.LevelWarn), "the pool has a logger of its own")
		})
	}
}

func TestWithForgetUnregistersAJobAfterItsEnd(t *testing.T) {
	broken := func() error { time.Sleep(5 * time.Second); return jobstest.ErrBroken }
	for name, c := range map[string]struct {
		execute func() error
		trigger jobs.Trigger
		end     time.Duration
		status  string
	}{
		"finished single run": {jobstest.Sleeping(5 * time.Second), jobs.Once(), 5 * time.Second, "Finished"},
		"failed single run":   {broken, jobs.Once(), 5 * time.Second, "Failed"},
		"finished retry":      {jobstest.Sleeping(5 * time.Second), jobs.Retry(2), 5 * time.Second, "Finished"},
		"failed retry":        {broken, jobs.Retry(2), 10 * time.Second, "Failed"},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: c.execute}, c.trigger, jobs.WithForget(20*time.Second))
				jobstest.Advance(c.end + 20*time.Second - 1)
				assert.Equal(t, c.status, p.GetJobStatus(id))
				jobstest.Advance(1)
				assert.Empty(t, p.GetJobStatus(id))
				assert.Nil(t, p.GetJob(id))
				assert.Zero(t, p.Info().Jobs)
			})
		})
	}
}

func TestWithForgetOfZeroIsAtOnceAndWithoutItTheRecordIsKept(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		forgotten := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once(), jobs.WithForget(0))
		kept := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		jobstest.Advance(0)
		assert.Empty(t, p.GetJobStatus(forgotten))
		jobstest.Advance(jobstest.ForAges)
		assert.Equal(t, "Finished", p.GetJobStatus(kept))
		p.UnregisterJob(kept)
		assert.Empty(t, p.GetJobStatus(kept))
	})
}

func TestALateSingleRunJobIsForgottenAfterItHasReturned(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.Sleeping(30 * time.Second)}, jobs.Once(),
			jobs.WithForget(5*time.Second), jobs.WithJobTimeout(10*time.Second))
		jobstest.Advance(35*time.Second - 1)
		require.Equal(t, "Failed", p.GetJobStatus(id), "and not Finished: what a late execution returns is ignored")
		jobstest.Advance(1)
		assert.Empty(t, p.GetJobStatus(id))
	})
}

func TestANilFunctionAsAPoolOptionIsIgnored(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { return nil }), jobs.Once())
		jobstest.Advance(time.Second)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		p.SetStatus(jobs.PoolStatusStopped)
	}, jobs.WithBaseContext(nil), jobs.WithOnStatus(nil), jobs.WithLogger(nil), jobs.WithLogger(slog.New(slog.DiscardHandler)))
}

func TestABaseContextFunctionThatFailsIsABadOption(t *testing.T) {
	type typed struct{ context.Context }
	for name, f := range map[string]func() context.Context{
		"panics":            func() context.Context { panic("no base") },
		"returns a bad one": func() context.Context { return (*typed)(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jobs.NewPool(jobstest.Quiet, jobs.WithBaseContext(f)).Register(jobstest.Stub{}, jobs.Once())
			require.ErrorIs(t, err, jobs.ErrRegisteringJob)
			assert.ErrorContains(t, err, "WithBaseContext: panic")
		})
	}
}
