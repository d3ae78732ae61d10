package jobs_test

import (
	"bytes"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestAStatusCallFromBeforeARestartThatTurnsLateStopsThePool(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		id := jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { <-release; return nil }}, jobs.Every(time.Second))
		jobstest.Advance(15 * time.Second) // asked at 10 s
		p.SetStatus(jobs.PoolStatusStopped)
		jobstest.Advance(54 * time.Second)
		require.Equal(t, "Running", p.GetStatus())
		jobstest.Advance(time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, id, p.Info().StoppedBy)
		close(release)
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithStatusInterval(10*time.Second), jobs.WithRetryInterval(10*time.Second), jobs.WithExecutionTimeout(time.Minute))
}

func TestTheFirstSweepComesOneStatusIntervalAfterTheStart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: sweeps.Status}, jobs.Every(time.Hour))
		sweeps.AdvanceTo(29999 * time.Millisecond)
		assert.Empty(t, sweeps.Moments())
		sweeps.AdvanceTo(100 * time.Second)
		assert.Equal(t, jobstest.Seconds(30, 60, 90), sweeps.Moments(), "and then one each status interval")
	})
}

func TestTheFirstSweepComesOneStatusIntervalAfterARestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: sweeps.Status}, jobs.Every(time.Hour))
		sweeps.AdvanceTo(40 * time.Second)
		jobstest.FailPool(p) // until 40 + 10
		sweeps.AdvanceTo(79 * time.Second)
		assert.Equal(t, jobstest.Seconds(30), sweeps.Moments())
		sweeps.AdvanceTo(115 * time.Second)
		assert.Equal(t, jobstest.Seconds(30, 80, 110), sweeps.Moments())
	}, jobs.WithRetryInterval(10*time.Second))
}

func TestStatusIsNotCalledWhileThePoolIsStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps, unready := jobstest.NewTimeline(), jobstest.NewFault()
		unready.Clear()
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: sweeps.Status, ReadyFunc: unready.Absent}, jobs.Every(time.Hour))
		jobstest.Advance(0)
		unready.Set()
		jobstest.FailPool(p)
		jobstest.Advance(20 * time.Minute)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Empty(t, sweeps.Moments())
	})
}

func TestASweepCallsStatusOfTheAttachedJobsThatAreRunningOnly(t *testing.T) {
	cases := []struct {
		name    string
		job     jobstest.Stub
		trigger jobs.Trigger
		opts    []jobs.JobOption
		called  bool
	}{
		{"interval, between executions", jobstest.Stub{}, jobs.Every(time.Hour), nil, true},
		{"interval, executing", jobstest.Stub{ExecuteFunc: jobstest.Sleeping(100 * time.Second)}, jobs.Every(time.Hour), nil, true},
		{"scheduled", jobstest.Stub{}, jobs.On(jobstest.EverySecond()), nil, true},
		{"not ready", jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Every(time.Hour), nil, false},
		{"finished channel", jobstest.Stub{}, jobs.Channel(make(chan interface{})), nil, false},
		{"detached interval", jobstest.Stub{}, jobs.Every(time.Hour), []jobs.JobOption{jobs.Detached()}, false},
		{"detached scheduled", jobstest.Stub{}, jobs.On(jobstest.EverySecond()), []jobs.JobOption{jobs.Detached()}, false},
		{"single run", jobstest.Stub{ExecuteFunc: jobstest.Sleeping(100 * time.Second)}, jobs.Once(), nil, false},
		{"retry", jobstest.Stub{ExecuteFunc: jobstest.Sleeping(100 * time.Second)}, jobs.Retry(2), nil, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				sweeps := jobstest.NewTimeline()
				c.job.StatusFunc = sweeps.Status
				jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour)) // so that there are sweeps
				jobstest.Register(t, p, c.job, c.trigger, c.opts...)
				jobstest.Advance(65 * time.Second)
				if c.called {
					assert.Equal(t, jobstest.Seconds(30, 60), sweeps.Moments())
				} else {
					assert.Empty(t, sweeps.Moments())
				}
			})
		})
	}
}

func TestASweepCallsStatusOfAnExecutingChannelJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps, stop := jobstest.NewTimeline(), make(chan interface{})
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: sweeps.Status, ExecuteFunc: func() error { <-stop; return nil }}, jobs.Channel(stop))
		jobstest.Advance(65 * time.Second)
		assert.Equal(t, jobstest.Seconds(30, 60), sweeps.Moments())
	})
}

func TestTwoStatusCallsOfAJobNeverOverlap(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error {
			sweeps.Mark()
			jobstest.Take(100 * time.Second)
			return nil
		}}, jobs.Every(time.Hour))
		jobstest.Advance(290 * time.Second)
		assert.Equal(t, jobstest.Seconds(30, 150, 270), sweeps.Moments())
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAStatusCallThatLastsDelaysNoOtherJobs(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		other := jobstest.NewTimeline()
		for range 5 {
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.Sleeping(20 * time.Second)}, jobs.Every(time.Hour))
		}
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: other.Status}, jobs.Every(time.Hour))
		jobstest.Advance(100 * time.Second)
		assert.Len(t, other.Moments(), 3)
		for i, at := range other.Moments() {
			due := time.Duration(i+1) * 30 * time.Second
			assert.GreaterOrEqual(t, at, due)
			assert.LessOrEqual(t, at, due+5*time.Millisecond, "a millisecond for each slow call before it")
		}
	})
}

// goroutineName returns something that tells the calling goroutine from others.
func goroutineName() string {
	buf := make([]byte, 64)
	name, _, _ := bytes.Cut(buf[:runtime.Stack(buf, false)], []byte(" ["))
	return string(name)
}

func TestOneGoroutineSweepsAndACallThatLastsCostsOneMore(t *testing.T) {
	for slow := range 4 {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			var callers sync.Map
			var calls, distinct atomic.Int32
			for i := range 40 {
				status := func() error {
					calls.Add(1)
					if _, known := callers.LoadOrStore(goroutineName(), true); !known {
						distinct.Add(1)
					}
					if i%10 == 5 && i/10 < slow {
						jobstest.Take(10 * time.Second)
					}
					return nil
				}
				jobstest.Register(t, p, jobstest.Stub{StatusFunc: status}, jobs.Every(time.Hour))
			}
			jobstest.Advance(0)
			before := len(jobstest.BubbleGoroutines())
			jobstest.Advance(31 * time.Second)
			assert.EqualValues(t, 40, calls.Load())
			assert.EqualValues(t, 1+slow, distinct.Load(), "the sweep's, and each slow call's")
			assert.Len(t, jobstest.BubbleGoroutines(), before+slow, "only the calls that last are left")
		})
	}
}

func TestAStatusThatPanicsOrCallsGoexitDoesNotEndTheSweep(t *testing.T) {
	for name, status := range map[string]func() error{
		"panic":  func() error { panic("no") },
		"Goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				culprit := jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.OnlyFirst(status)}, jobs.Every(time.Hour))
				sweeps := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{StatusFunc: sweeps.Status}, jobs.Every(time.Hour))
				jobstest.Advance(31 * time.Second)
				assert.Equal(t, "Stopped", p.GetStatus())
				assert.Equal(t, culprit, p.Info().StoppedBy)
				jobstest.Advance(60 * time.Second) // restarted at 60
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, 90*time.Second, sweeps.Moments()[len(sweeps.Moments())-1])
			})
		})
	}
}

func TestASweepCallsNoStatusOnceThePoolHasStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls atomic.Int32
		for range 3 {
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { calls.Add(1); jobstest.StopPool(p); return nil }}, jobs.Every(jobstest.ForAges))
		}
		jobstest.Advance(30 * time.Second)
		assert.EqualValues(t, 1, calls.Load())
		jobstest.Advance(time.Minute) // the restart, and the next sweep
		assert.EqualValues(t, 2, calls.Load())
	})
}

func TestAStatusThatHangsIsLateHoweverShortItsLimit(t *testing.T) {
	for _, limit := range []time.Duration{1, time.Microsecond, time.Millisecond - 1, time.Millisecond, time.Millisecond + 1, time.Second} {
		t.Run(limit.String(), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				end := make(chan struct{})
				defer close(end)
				jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { <-end; return nil }}, jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(limit))
				jobstest.Advance(30*time.Second + limit - 1)
				require.Equal(t, "Running", p.GetStatus())
				jobstest.Advance(1)
				assert.Equal(t, "Stopped", p.GetStatus())
				assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
			})
		})
	}
}
