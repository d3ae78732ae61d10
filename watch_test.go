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
)

func TestAStatusCallFromBeforeARestartThatTurnsLateStopsThePool(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		release := make(chan struct{})
		id := register(t, p, stub{status: func() error { <-release; return nil }}, jobs.Every(time.Second))
		pass(15 * time.Second) // asked at 10 s
		p.SetStatus(jobs.PoolStatusStopped)
		pass(54 * time.Second)
		require.Equal(t, "Running", p.GetStatus())
		pass(time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Equal(t, id, p.Info().StoppedBy)
		close(release)
		pass(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithStatusInterval(10*time.Second), jobs.WithRetryInterval(10*time.Second), jobs.WithExecutionTimeout(time.Minute))
}

func TestTheFirstSweepComesOneStatusIntervalAfterTheStart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps := newTimeline()
		register(t, p, stub{status: sweeps.status}, jobs.Every(time.Hour))
		sweeps.fill(29999 * time.Millisecond)
		assert.Empty(t, sweeps.moments())
		sweeps.fill(100 * time.Second)
		assert.Equal(t, seconds(30, 60, 90), sweeps.moments(), "and then one each status interval")
	})
}

func TestTheFirstSweepComesOneStatusIntervalAfterARestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps := newTimeline()
		register(t, p, stub{status: sweeps.status}, jobs.Every(time.Hour))
		sweeps.fill(40 * time.Second)
		haltPool(p) // until 40 + 10
		sweeps.fill(79 * time.Second)
		assert.Equal(t, seconds(30), sweeps.moments())
		sweeps.fill(115 * time.Second)
		assert.Equal(t, seconds(30, 80, 110), sweeps.moments())
	}, jobs.WithRetryInterval(10*time.Second))
}

func TestStatusIsNotCalledWhileThePoolIsStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps, unready := newTimeline(), newFault()
		unready.mend()
		register(t, p, stub{status: sweeps.status, ready: unready.absent}, jobs.Every(time.Hour))
		pass(0)
		unready.cause()
		haltPool(p)
		pass(20 * time.Minute)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Empty(t, sweeps.moments())
	})
}

func TestASweepCallsStatusOfTheAttachedJobsThatAreRunningOnly(t *testing.T) {
	cases := []struct {
		name    string
		job     stub
		trigger jobs.Trigger
		opts    []jobs.JobOption
		called  bool
	}{
		{"interval, between executions", stub{}, jobs.Every(time.Hour), nil, true},
		{"interval, executing", stub{execute: enduring(100 * time.Second)}, jobs.Every(time.Hour), nil, true},
		{"scheduled", stub{}, jobs.On(everySecond()), nil, true},
		{"not ready", stub{ready: newFault().absent}, jobs.Every(time.Hour), nil, false},
		{"finished channel", stub{}, jobs.Channel(make(chan interface{})), nil, false},
		{"detached interval", stub{}, jobs.Every(time.Hour), []jobs.JobOption{jobs.Detached()}, false},
		{"detached scheduled", stub{}, jobs.On(everySecond()), []jobs.JobOption{jobs.Detached()}, false},
		{"single run", stub{execute: enduring(100 * time.Second)}, jobs.Once(), nil, false},
		{"retry", stub{execute: enduring(100 * time.Second)}, jobs.Retry(2), nil, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				sweeps := newTimeline()
				c.job.status = sweeps.status
				register(t, p, stub{}, jobs.Every(time.Hour)) // so that there are sweeps
				register(t, p, c.job, c.trigger, c.opts...)
				pass(65 * time.Second)
				if c.called {
					assert.Equal(t, seconds(30, 60), sweeps.moments())
				} else {
					assert.Empty(t, sweeps.moments())
				}
			})
		})
	}
}

func TestASweepCallsStatusOfAnExecutingChannelJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps, stop := newTimeline(), make(chan interface{})
		register(t, p, stub{status: sweeps.status, execute: func() error { <-stop; return nil }}, jobs.Channel(stop))
		pass(65 * time.Second)
		assert.Equal(t, seconds(30, 60), sweeps.moments())
	})
}

func TestTwoStatusCallsOfAJobNeverOverlap(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		sweeps := newTimeline()
		register(t, p, stub{status: func() error {
			sweeps.mark()
			time.Sleep(100 * time.Second)
			return nil
		}}, jobs.Every(time.Hour))
		pass(290 * time.Second)
		assert.Equal(t, seconds(30, 150, 270), sweeps.moments())
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAStatusCallThatLastsDelaysNoOtherJobs(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		other := newTimeline()
		for range 5 {
			register(t, p, stub{status: enduring(20 * time.Second)}, jobs.Every(time.Hour))
		}
		register(t, p, stub{status: other.status}, jobs.Every(time.Hour))
		pass(100 * time.Second)
		assert.Len(t, other.moments(), 3)
		for i, at := range other.moments() {
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
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			var callers sync.Map
			var calls, distinct atomic.Int32
			for i := range 40 {
				status := func() error {
					calls.Add(1)
					if _, known := callers.LoadOrStore(goroutineName(), true); !known {
						distinct.Add(1)
					}
					if i%10 == 5 && i/10 < slow {
						time.Sleep(10 * time.Second)
					}
					return nil
				}
				register(t, p, stub{status: status}, jobs.Every(time.Hour))
			}
			pass(0)
			before := len(bubbleGoroutines())
			pass(31 * time.Second)
			assert.EqualValues(t, 40, calls.Load())
			assert.EqualValues(t, 1+slow, distinct.Load(), "the sweep's, and each slow call's")
			assert.Len(t, bubbleGoroutines(), before+slow, "only the calls that last are left")
		})
	}
}

func TestAStatusThatPanicsOrCallsGoexitDoesNotEndTheSweep(t *testing.T) {
	for name, status := range map[string]func() error{
		"panic":  func() error { panic("no") },
		"Goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				culprit := register(t, p, stub{status: onlyFirst(status)}, jobs.Every(time.Hour))
				sweeps := newTimeline()
				register(t, p, stub{status: sweeps.status}, jobs.Every(time.Hour))
				pass(31 * time.Second)
				assert.Equal(t, "Stopped", p.GetStatus())
				assert.Equal(t, culprit, p.Info().StoppedBy)
				pass(60 * time.Second) // restarted at 60
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, 90*time.Second, sweeps.moments()[len(sweeps.moments())-1])
			})
		})
	}
}

func TestASweepCallsNoStatusOnceThePoolHasStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var calls atomic.Int32
		for range 3 {
			register(t, p, stub{status: func() error { calls.Add(1); stopPool(p); return nil }}, jobs.Every(forAges))
		}
		pass(30 * time.Second)
		assert.EqualValues(t, 1, calls.Load())
		pass(time.Minute) // the restart, and the next sweep
		assert.EqualValues(t, 2, calls.Load())
	})
}

func TestAStatusThatHangsIsLateHoweverShortItsLimit(t *testing.T) {
	for _, limit := range []time.Duration{1, time.Microsecond, time.Millisecond - 1, time.Millisecond, time.Millisecond + 1, time.Second} {
		t.Run(limit.String(), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				end := make(chan struct{})
				defer close(end)
				register(t, p, stub{status: func() error { <-end; return nil }}, jobs.Every(forAges), jobs.WithJobTimeout(limit))
				pass(30*time.Second + limit - 1)
				require.Equal(t, "Running", p.GetStatus())
				pass(1)
				assert.Equal(t, "Stopped", p.GetStatus())
				assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
			})
		})
	}
}
