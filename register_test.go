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
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestEachRegisterFunctionRegistersItsKindOfJob(t *testing.T) {
	for _, global := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := jobs.NewPool(jobstest.Quiet)
			var r jobstest.Registrar = p
			if global {
				r = jobstest.GlobalPool{}
				jobs.SetDefaultPool(p)
				defer jobs.SetDefaultPool(nil)
			}
			seen := make(map[string]bool)
			stop := make(chan interface{})
			for _, reg := range jobstest.Registrations(stop) {
				id, err := reg.Register(r, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }, ReadyFunc: func() bool { return false }})
				require.NoError(t, err)
				require.NotEmpty(t, id)
				assert.False(t, seen[id])
				seen[id] = true
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, reg.Kind, info.Type)
				assert.Equal(t, reg.Detached, info.Detached)
				if reg.Name != "" {
					assert.Equal(t, reg.Name, p.GetJob(id).GetName())
				}
				assert.Equal(t, id, p.GetJob(id).GetID())
				assert.Equal(t, p.GetJob(id), p.GetJob(id).GetJob())
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

func TestRegistrationCallsNoMethodOfTheJobOnTheCallersGoroutine(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		registered := make(chan struct{})
		blocking := jobstest.Stub{
			ExecuteFunc: func() error { <-registered; return nil },
			StatusFunc:  func() error { <-registered; return nil },
			ReadyFunc:   func() bool { <-registered; return true },
		}
		for _, reg := range jobstest.Registrations(stop) {
			id, err := reg.Register(p, blocking) // a call of Ready here would never return
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
		{"single run that failed", jobs.Once, jobstest.ErrBroken, "Failed"},
		{"retry", func() jobs.Trigger { return jobs.Retry(2) }, nil, "Finished"},
		{"retry that failed", func() jobs.Trigger { return jobs.Retry(2) }, jobstest.ErrBroken, "Failed"},
		{"scheduled", func() jobs.Trigger { return jobs.On(jobstest.OnceIn(time.Second)) }, nil, "Finished"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Lasting(0, tt.err), tt.trigger())
				jobstest.Advance(24 * time.Hour)
				assert.Equal(t, tt.want, p.GetJobStatus(id))
				assert.Positive(t, jobstest.InfoOf(t, p, id).Executions)
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
		job     jobstest.Stub
		trigger func() jobs.Trigger
		opts    []jobs.JobOption
		before  func(p *jobs.Pool, id string)
		after   func(p *jobs.Pool, id string)
	}{
		{"interval", jobstest.Stub{}, jobstest.Secondly, nil, never, never},
		{"detached interval", jobstest.Stub{}, jobstest.Secondly, []jobs.JobOption{jobs.Detached()}, never, never},
		{"scheduled", jobstest.Stub{}, jobstest.EachSecond, nil, never, never},
		{"retry that waits", jobstest.Lasting(0, jobstest.ErrBroken), jobstest.ThreeTimes, []jobs.JobOption{jobs.WithRetryBackoff(time.Second, time.Second)}, never, never},
		{"retry that executes", jobstest.Lasting(5*time.Second, jobstest.ErrBroken), jobstest.ThreeTimes, nil, never, never},
		{"interval that executes", jobstest.Lasting(5*time.Second, nil), jobstest.Secondly, nil, never, never},
		{"interval that is late", jobstest.Lasting(5*time.Second, nil), jobstest.Secondly, []jobs.JobOption{jobs.WithJobTimeout(time.Second)}, never, never},
		{"scheduled that executes", jobstest.Lasting(5*time.Second, nil), jobstest.EachSecond, nil, never, never},
		{"not ready yet", jobstest.Stub{ReadyFunc: lateReady(4 * time.Second)}, jobs.Once, nil, never, never},
		{"in Ready", jobstest.Stub{ReadyFunc: func() bool { time.Sleep(5 * time.Second); return true }}, jobstest.Secondly, nil, never, never},
		{"stopped", jobstest.Stub{}, jobstest.Secondly, nil, func(p *jobs.Pool, _ string) { jobstest.StopPool(p) }, never},
		{
			"waiting for its lock", jobstest.Stub{}, jobstest.Secondly, nil,
			func(p *jobs.Pool, id string) { p.JobLock(id) },
			func(p *jobs.Pool, id string) { p.JobUnlock(id) },
		},
		{
			"to run now", jobstest.Lasting(5*time.Second, nil), jobstest.Secondly, nil,
			func(p *jobs.Pool, id string) { _ = p.RunNow(id) }, never,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var executions atomic.Int32
				job := tt.job
				job.ExecuteFunc = func() error { executions.Add(1); return jobstest.Stub{ExecuteFunc: tt.job.ExecuteFunc}.Execute() }
				id := jobstest.Register(t, p, job, tt.trigger(), tt.opts...)
				jobstest.Advance(time.Second + time.Second/2)
				tt.before(p, id)
				jobstest.Advance(time.Second + time.Second/4)
				begun := executions.Load()
				start := time.Now()
				p.UnregisterJob(id)
				assert.Zero(t, time.Since(start), "it returns at once")
				assert.Nil(t, p.GetJob(id))
				tt.after(p, id)
				jobstest.Advance(time.Hour)
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
func selfEnding(p *jobs.Pool, id *atomic.Value, method string, l *jobstest.Timeline) jobstest.Stub {
	end := func(in string) {
		if in == method {
			p.UnregisterJob(id.Load().(string))
			l.Mark()
			time.Sleep(time.Second)
		}
	}
	return jobstest.Stub{
		ExecuteFunc: func() error {
			end("Execute")
			if method == "Execute" {
				return jobstest.ErrBroken
			}
			return nil
		},
		StatusFunc: func() error { end("Status"); return jobstest.ErrBroken },
		ReadyFunc:  func() bool { time.Sleep(time.Millisecond); end("Ready"); return true },
	}
}

func TestUnregisterJobReturnsAtOnceFromInsideTheJobsOwnMethods(t *testing.T) {
	for method, want := range map[string]time.Duration{
		"Execute": time.Millisecond,
		"Status":  30 * time.Second,
		"Ready":   time.Millisecond,
	} {
		t.Run(method, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var id atomic.Value
				laps := jobstest.NewTimeline()
				id.Store(jobstest.Register(t, p, selfEnding(p, &id, method, laps), jobs.Every(time.Hour)))
				jobstest.Advance(2 * time.Hour)
				assert.Equal(t, []time.Duration{want}, laps.Moments())
				assert.Nil(t, p.GetJob(id.Load().(string)))
				assert.Equal(t, "Running", p.GetStatus(), "what it returns then is nobody's failure")
			})
		})
	}
}

func TestNoGoroutineOfAJobRemainsOnceItIsUnregisteredAndItsCallsHaveReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // without a Shutdown: the bubble waits for all goroutines
		p := jobs.NewPool(jobstest.Quiet)
		hang := make(chan struct{})
		var ids []string
		for _, job := range []jobstest.Stub{
			{},
			{ExecuteFunc: func() error { <-hang; return nil }},
			{ReadyFunc: func() bool { <-hang; return true }},
			{StatusFunc: func() error { <-hang; return nil }},
			jobstest.NeverReady,
			jobstest.Lasting(0, jobstest.ErrBroken),
		} {
			for _, trigger := range []jobs.Trigger{jobs.Once(), jobs.Retry(2), jobs.Every(time.Minute), jobs.On(jobstest.Each(time.Second))} {
				ids = append(ids, jobstest.Register(t, p, job, trigger))
			}
		}
		jobstest.Advance(45 * time.Second)
		for _, id := range ids {
			go p.JobLock(id)
			go p.GetJob(id).Ready()
		}
		jobstest.Advance(time.Second)
		for _, id := range ids {
			p.UnregisterJob(id)
			p.JobUnlock(id)
		}
		locked := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Second))
		p.JobLock(locked)
		jobstest.Advance(time.Minute)
		p.UnregisterJob(locked) // its execution waits for a lock that is never given back
		close(hang)
		jobstest.Advance(time.Minute)
		for range p.Jobs() {
			t.Error("a job is left")
		}
	})
}

func TestNothingOfAnUnregisteredJobHoldsUpTheRestart(t *testing.T) {
	forOneAnswer := func(l *jobstest.Timeline) func() bool {
		return func() bool {
			if l.Mark() > 1 {
				time.Sleep(time.Hour)
			}
			return true
		}
	}
	for _, tt := range []struct {
		name string
		job  func() jobstest.Stub
	}{
		{"Ready", func() jobstest.Stub { return jobstest.Stub{ReadyFunc: forOneAnswer(jobstest.NewTimeline())} }},
		{"late Execute", func() jobstest.Stub { return jobstest.Lasting(time.Hour, nil) }},
		{"late Status", func() jobstest.Stub {
			return jobstest.Stub{StatusFunc: func() error { time.Sleep(time.Hour); return nil }}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, tt.job(), jobs.Every(2*time.Hour), jobs.WithJobTimeout(time.Second))
				other := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: other.Execute}, jobs.Every(50*time.Second))
				jobstest.Advance(40 * time.Second)
				jobstest.StopPool(p) // if it is not stopped yet
				jobstest.Advance(time.Minute)
				require.Equal(t, "Stopped", p.GetStatus())
				p.UnregisterJob(id)
				jobstest.Advance(0)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, jobstest.Times(time.Second, 0, 100), other.Moments())
			})
		})
	}
}

func TestExecutionOfAnUnregisteredJobStopsNobodyWhenItGetsLate(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.Every(time.Minute))
		id := jobstest.Register(t, p, jobstest.Lasting(time.Hour, jobstest.ErrBroken), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Minute))
		jobstest.Advance(time.Second)
		p.UnregisterJob(id)
		jobstest.Advance(2 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Times(time.Minute, 0, 1, 2), laps.Moments())
	})
}

func TestUnregisteredJobMayBeRegisteredAgain(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		job := jobstest.Stub{ExecuteFunc: func() error { laps.Mark(); time.Sleep(time.Minute); return nil }}
		id := jobstest.Register(t, p, job, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		p.UnregisterJob(id)
		p.UnregisterJob(id)
		again := jobstest.Register(t, p, job, jobs.Every(time.Hour))
		assert.NotEqual(t, id, again)
		jobstest.Advance(time.Minute)
		assert.Equal(t, jobstest.Times(time.Second, 0, 1), laps.Moments())
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, again).Executions)
	})
}

// A pool belongs to a bubble, and what it keeps must not be touched from outside. Once it was shut down, nothing of
// that is.
func TestUnregisterJobMayBeCalledWhenTheBubbleOfThePoolIsOver(t *testing.T) {
	for _, k := range jobstest.Kinds {
		t.Run(k.Type, func(t *testing.T) {
			var p *jobs.Pool
			var ids []string
			synctest.Test(t, func(t *testing.T) {
				p = jobs.NewPool(jobstest.Quiet)
				for _, job := range []jobs.Job{jobstest.Stub{}, jobstest.Lasting(time.Minute, nil), jobstest.Stub{ReadyFunc: func() bool { return false }}} {
					ids = append(ids, jobstest.Register(t, p, job, k.Trigger()))
				}
				jobstest.Advance(time.Second)
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
	n := jobstest.Rounds(25_000/jobstest.RaceFactor, 250_000)
	for _, k := range jobstest.Kinds {
		for _, opts := range [][]jobs.JobOption{nil, detached} {
			if opts != nil && k.Detached == "" {
				continue
			}
			t.Run(k.Type+map[bool]string{true: ", detached"}[opts != nil], func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					comeAndGo(t, p, k.Trigger, 1000, opts...)
					before := jobstest.FootprintNow()
					comeAndGo(t, p, k.Trigger, n, opts...)
					jobstest.FootprintNow().AssertNoMoreThan(t, before, n)
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
		id, err := p.Register(jobstest.Idler{}, trigger(), opts...)
		require.NoError(t, err)
		p.UnregisterJob(id)
		if i%500 == 0 {
			synctest.Wait()
		}
	}
}
