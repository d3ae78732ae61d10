package jobs_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestEachRegisterFunctionRegistersItsKindOfJob(t *testing.T) {
	for _, global := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := jobs.NewPool(quiet)
			var r registrar = p
			if global {
				r = globalPool{}
				jobs.SetDefaultPool(p)
				defer jobs.SetDefaultPool(nil)
			}
			seen := make(map[string]bool)
			stop := make(chan interface{})
			for _, reg := range registrations(stop) {
				id, err := reg.register(r, stub{execute: func() error { <-stop; return nil }, ready: func() bool { return false }})
				require.NoError(t, err)
				require.NotEmpty(t, id)
				assert.False(t, seen[id])
				seen[id] = true
				info := infoOf(t, p, id)
				assert.Equal(t, reg.kind, info.Type)
				assert.Equal(t, reg.detached, info.Detached)
				if reg.name != "" {
					assert.Equal(t, reg.name, p.GetJob(id).GetName())
				}
				assert.Equal(t, id, p.GetJob(id).GetID())
				assert.Equal(t, p.GetJob(id), p.GetJob(id).GetJob())
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

func TestRegistrationCallsNoMethodOfTheJobOnTheCallersGoroutine(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		registered := make(chan struct{})
		blocking := stub{
			execute: func() error { <-registered; return nil },
			status:  func() error { <-registered; return nil },
			ready:   func() bool { <-registered; return true },
		}
		for _, reg := range registrations(stop) {
			id, err := reg.register(p, blocking) // a call of Ready here would never return
			require.NoError(t, err)
			assert.Equal(t, "Initializing", p.GetJobStatus(id))
		}
		close(registered)
	})
}

func TestFinishedOrFailedJobKeepsItsRecordUntilUnregisterJob(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trigger func() jobs.Trigger
		err     error
		want    string
	}{
		{"single run", jobs.Once, nil, "Finished"},
		{"single run that failed", jobs.Once, errBroken, "Failed"},
		{"retry", func() jobs.Trigger { return jobs.Retry(2) }, nil, "Finished"},
		{"retry that failed", func() jobs.Trigger { return jobs.Retry(2) }, errBroken, "Failed"},
		{"scheduled", func() jobs.Trigger { return jobs.On(onceIn(time.Second)) }, nil, "Finished"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, lasting(0, tt.err), tt.trigger())
				pass(24 * time.Hour)
				assert.Equal(t, tt.want, p.GetJobStatus(id))
				assert.Positive(t, infoOf(t, p, id).Executions)
				p.UnregisterJob(id)
				assert.Empty(t, p.GetJobStatus(id))
				assert.Nil(t, p.GetJob(id))
			})
		})
	}
}

func TestUnregisterJobPreventsEveryFurtherExecution(t *testing.T) {
	never := func(*jobs.Pool, string) {}
	for _, tt := range []struct {
		name    string
		job     stub
		trigger func() jobs.Trigger
		opts    []jobs.JobOption
		before  func(p *jobs.Pool, id string)
		after   func(p *jobs.Pool, id string)
	}{
		{"interval", stub{}, secondly, nil, never, never},
		{"detached interval", stub{}, secondly, []jobs.JobOption{jobs.Detached()}, never, never},
		{"scheduled", stub{}, eachSecond, nil, never, never},
		{"retry that waits", lasting(0, errBroken), threeTimes, []jobs.JobOption{jobs.WithRetryBackoff(time.Second, time.Second)}, never, never},
		{"retry that executes", lasting(5*time.Second, errBroken), threeTimes, nil, never, never},
		{"interval that executes", lasting(5*time.Second, nil), secondly, nil, never, never},
		{"interval that is late", lasting(5*time.Second, nil), secondly, []jobs.JobOption{jobs.WithJobTimeout(time.Second)}, never, never},
		{"scheduled that executes", lasting(5*time.Second, nil), eachSecond, nil, never, never},
		{"not ready yet", stub{ready: lateReady(4 * time.Second)}, jobs.Once, nil, never, never},
		{"in Ready", stub{ready: func() bool { time.Sleep(5 * time.Second); return true }}, secondly, nil, never, never},
		{"stopped", stub{}, secondly, nil, func(p *jobs.Pool, _ string) { stopPool(p) }, never},
		{
			"waiting for its lock", stub{}, secondly, nil,
			func(p *jobs.Pool, id string) { p.JobLock(id) },
			func(p *jobs.Pool, id string) { p.JobUnlock(id) },
		},
		{
			"to run now", lasting(5*time.Second, nil), secondly, nil,
			func(p *jobs.Pool, id string) { _ = p.RunNow(id) }, never,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				var executions atomic.Int32
				job := tt.job
				job.execute = func() error { executions.Add(1); return stub{execute: tt.job.execute}.Execute() }
				id := register(t, p, job, tt.trigger(), tt.opts...)
				pass(time.Second + time.Second/2)
				tt.before(p, id)
				pass(time.Second + time.Second/4)
				begun := executions.Load()
				start := time.Now()
				p.UnregisterJob(id)
				assert.Zero(t, time.Since(start), "it returns at once")
				assert.Nil(t, p.GetJob(id))
				tt.after(p, id)
				pass(time.Hour)
				assert.Equal(t, begun, executions.Load())
			})
		})
	}
}

// lateReady is true d after it was asked first.
func lateReady(d time.Duration) func() bool {
	var first atomic.Int64
	return func() bool {
		now := time.Now().UnixNano()
		first.CompareAndSwap(0, now)
		return now-first.Load() >= int64(d)
	}
}

// selfEnding is a job one of whose methods unregisters it.
func selfEnding(p *jobs.Pool, id *atomic.Value, method string, l *timeline) stub {
	end := func(in string) {
		if in == method {
			p.UnregisterJob(id.Load().(string))
			l.mark()
			time.Sleep(time.Second)
		}
	}
	return stub{
		execute: func() error {
			end("Execute")
			if method == "Execute" {
				return errBroken
			}
			return nil
		},
		status: func() error { end("Status"); return errBroken },
		ready:  func() bool { time.Sleep(time.Millisecond); end("Ready"); return true },
	}
}

func TestUnregisterJobReturnsAtOnceFromInsideTheJobsOwnMethods(t *testing.T) {
	for method, want := range map[string]time.Duration{
		"Execute": time.Millisecond,
		"Status":  30 * time.Second,
		"Ready":   time.Millisecond,
	} {
		t.Run(method, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				var id atomic.Value
				laps := newTimeline()
				id.Store(register(t, p, selfEnding(p, &id, method, laps), jobs.Every(time.Hour)))
				pass(2 * time.Hour)
				assert.Equal(t, []time.Duration{want}, laps.moments())
				assert.Nil(t, p.GetJob(id.Load().(string)))
				assert.Equal(t, "Running", p.GetStatus(), "what it returns then is nobody's failure")
			})
		})
	}
}

func TestNoGoroutineOfAJobRemainsOnceItIsUnregisteredAndItsCallsHaveReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // without a Shutdown: the bubble waits for all goroutines
		p := jobs.NewPool(quiet)
		hang := make(chan struct{})
		var ids []string
		for _, job := range []stub{
			{},
			{execute: func() error { <-hang; return nil }},
			{ready: func() bool { <-hang; return true }},
			{status: func() error { <-hang; return nil }},
			neverReady,
			lasting(0, errBroken),
		} {
			for _, trigger := range []jobs.Trigger{jobs.Once(), jobs.Retry(2), jobs.Every(time.Minute), jobs.On(each(time.Second))} {
				ids = append(ids, register(t, p, job, trigger))
			}
		}
		pass(45 * time.Second)
		for _, id := range ids {
			go p.JobLock(id)
			go p.GetJob(id).Ready()
		}
		pass(time.Second)
		for _, id := range ids {
			p.UnregisterJob(id)
			p.JobUnlock(id)
		}
		locked := register(t, p, stub{}, jobs.Every(time.Second))
		p.JobLock(locked)
		pass(time.Minute)
		p.UnregisterJob(locked) // its execution waits for a lock that is never given back
		close(hang)
		pass(time.Minute)
		for range p.Jobs() {
			t.Error("a job is left")
		}
	})
}

func TestNothingOfAnUnregisteredJobHoldsUpTheRestart(t *testing.T) {
	forOneAnswer := func(l *timeline) func() bool {
		return func() bool {
			if l.mark() > 1 {
				time.Sleep(time.Hour)
			}
			return true
		}
	}
	for _, tt := range []struct {
		name string
		job  func() stub
	}{
		{"Ready", func() stub { return stub{ready: forOneAnswer(newTimeline())} }},
		{"late Execute", func() stub { return lasting(time.Hour, nil) }},
		{"late Status", func() stub { return stub{status: func() error { time.Sleep(time.Hour); return nil }} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, tt.job(), jobs.Every(2*time.Hour), jobs.WithJobTimeout(time.Second))
				other := newTimeline()
				register(t, p, stub{execute: other.execute}, jobs.Every(10*time.Hour))
				pass(40 * time.Second)
				stopPool(p) // if it is not stopped yet
				pass(time.Minute)
				require.Equal(t, "Stopped", p.GetStatus())
				p.UnregisterJob(id)
				pass(0)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, times(time.Second, 0, 100), other.moments())
			})
		})
	}
}

func TestExecutionOfAnUnregisteredJobStopsNobodyWhenItGetsLate(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		register(t, p, stub{execute: laps.execute}, jobs.Every(time.Minute))
		id := register(t, p, lasting(time.Hour, errBroken), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Minute))
		pass(time.Second)
		p.UnregisterJob(id)
		pass(2 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, times(time.Minute, 0, 1, 2), laps.moments())
	})
}

func TestUnregisteredJobMayBeRegisteredAgain(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		job := stub{execute: func() error { laps.mark(); time.Sleep(time.Minute); return nil }}
		id := register(t, p, job, jobs.Every(time.Hour))
		pass(time.Second)
		p.UnregisterJob(id)
		p.UnregisterJob(id)
		again := register(t, p, job, jobs.Every(time.Hour))
		assert.NotEqual(t, id, again)
		pass(time.Minute)
		assert.Equal(t, times(time.Second, 0, 1), laps.moments())
		assert.EqualValues(t, 1, infoOf(t, p, again).Executions)
	})
}

// A pool belongs to a bubble, and what it keeps must not be touched from outside. Once it was shut down, nothing of
// that is.
func TestUnregisterJobMayBeCalledWhenTheBubbleOfThePoolIsOver(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.typ, func(t *testing.T) {
			var p *jobs.Pool
			var ids []string
			synctest.Test(t, func(t *testing.T) {
				p = jobs.NewPool(quiet)
				for _, job := range []jobs.Job{stub{}, lasting(time.Minute, nil), stub{ready: func() bool { return false }}} {
					ids = append(ids, register(t, p, job, k.trigger()))
				}
				pass(time.Second)
				require.NoError(t, p.Shutdown(context.Background()))
			})
			for _, id := range ids {
				p.UnregisterJob(id)
				assert.Empty(t, p.GetJobStatus(id))
			}
			assert.Zero(t, p.Departed())
		})
	}
}

func TestJobsThatAreRegisteredAndUnregisteredAtOnceLeaveNothing(t *testing.T) {
	n := rounds(25_000/raceFactor, 250_000)
	for _, k := range kinds {
		for _, opts := range [][]jobs.JobOption{nil, detached} {
			if opts != nil && k.detached == "" {
				continue
			}
			t.Run(k.typ+map[bool]string{true: ", detached"}[opts != nil], func(t *testing.T) {
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					comeAndGo(t, p, k.trigger, 1000, opts...)
					before := footprintNow()
					comeAndGo(t, p, k.trigger, n, opts...)
					footprintNow().assertNoMoreThan(t, before, n)
					assert.Zero(t, p.Info().Jobs)
					assert.Zero(t, p.Departed())
				})
			})
		}
	}
}

// comeAndGo registers a job n times, and each time unregisters it at once.
func comeAndGo(t *testing.T, p *jobs.Pool, trigger func() jobs.Trigger, n int, opts ...jobs.JobOption) {
	for i := range n {
		id, err := p.Register(idler{}, trigger(), opts...)
		require.NoError(t, err)
		p.UnregisterJob(id)
		if i%500 == 0 {
			synctest.Wait()
		}
	}
}
