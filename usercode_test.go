package jobs_test

import (
	"bytes"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestAPanicThatIsNoFailureAnyMoreIsLoggedWithItsStack(t *testing.T) {
	var log bytes.Buffer
	logTo := jobs.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		told := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; panic("as told") }}, jobs.Channel(stop))
		late := func() error { time.Sleep(2 * time.Second); panic("too late") }
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: late}, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(5 * time.Second)
		for _, text := range []string{"panic: as told", "panic: too late", "stack=", "usercode_test.go"} {
			assert.Contains(t, log.String(), text)
		}
		assert.Zero(t, jobstest.InfoOf(t, p, told).Failures)
		p.UnregisterJob(told)
	}, logTo)
}

// A mishap is a way for user code not to return. Its function's name is in the stack of it.
type mishap struct {
	name string
	do   func()
	in   string
	text string
}

func blowUp()          { panic("100%d boom") }
func blowUpWithError() { panic(jobstest.ErrBroken) }
func dereferenceNil()  { var p *int; *p = 1 } //nolint:govet // that is the point
func panicWithNil()    { panic(nil) }         //nolint:govet // on purpose
func walkOut()         { runtime.Goexit() }

// A grenade is a value to panic with whose own methods panic.
type grenade struct{}

func (grenade) Error() string { panic("grenade") }

func throwGrenade() { panic(grenade{}) }

// A walkout is a value to panic with whose own methods end the goroutine.
type walkout struct{}

func (walkout) Error() string { runtime.Goexit(); return "" }

func throwWalkout() { panic(walkout{}) }

var mishaps = []mishap{
	{"panic", blowUp, "blowUp", "100%d boom"},
	{"panic with an error", blowUpWithError, "blowUpWithError", "it is broken"},
	{"runtime error", dereferenceNil, "dereferenceNil", "nil pointer"},
	{"panic with nil", panicWithNil, "panicWithNil", "nil"},
	{"Goexit", walkOut, "walkOut", "Goexit"},
	{"panic with a value that panics", throwGrenade, "throwGrenade", ""},
	{"panic with a value that ends the goroutine", throwWalkout, "throwWalkout", ""},
}

// forEachMishap calls f with each mishap, in a pool that is tapped.
func forEachMishap(t *testing.T, f func(t *testing.T, p *jobs.Pool, m mishap)) {
	for _, m := range mishaps {
		t.Run(m.name, func(t *testing.T) {
			tap := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				f(t, p, m)
				assert.Contains(t, tap.At(slog.LevelError), m.in, "the stack is in the log")
			}, tap.Option())
		})
	}
}

func TestPanicAndGoexitInExecuteAreErrors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trigger func() jobs.Trigger
		is      error
	}{
		{"single run", jobs.Once, jobs.ErrExecutingJob},
		{"retry", func() jobs.Trigger { return jobs.Retry(1) }, jobs.ErrExecutingRetryJob},
		{"interval", jobstest.Hourly, jobs.ErrExecutingJob},
		{"scheduled", jobstest.EachSecond, jobs.ErrExecutingJob},
	} {
		t.Run(tt.name, func(t *testing.T) {
			forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { m.do(); return nil }}, tt.trigger())
				jobstest.Advance(time.Second)
				info := jobstest.InfoOf(t, p, id)
				assert.EqualValues(t, 1, info.Executions)
				assert.EqualValues(t, 1, info.Failures)
				assert.ErrorIs(t, info.LastError, tt.is)
				assert.ErrorContains(t, info.LastError, m.text)
			})
		})
	}
}

func TestPanicAndGoexitInExecuteAreFollowedByFurtherExecutions(t *testing.T) {
	forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
		job := jobstest.Stub{ExecuteFunc: func() error { m.do(); return nil }}
		attached := jobstest.Register(t, p, job, jobs.Every(time.Hour))
		detached := jobstest.Register(t, p, job, jobs.Every(10*time.Second), jobs.Detached())
		retry := jobstest.Register(t, p, job, jobs.Retry(5))
		jobstest.Advance(0)
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(30 * time.Second)
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, attached).Executions)
		assert.EqualValues(t, 4, jobstest.InfoOf(t, p, detached).Executions)
		assert.EqualValues(t, 5, jobstest.InfoOf(t, p, retry).Executions)
		start := time.Now()
		p.JobLock(attached)
		assert.Zero(t, time.Since(start), "the lock was given back")
		p.JobUnlock(attached)
	})
}

func TestErrorPanickedWithIsTheCause(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { panic(jobstest.ErrBroken) }}, jobs.Once())
		jobstest.Advance(0)
		assert.ErrorIs(t, jobstest.InfoOf(t, p, id).LastError, jobstest.ErrBroken)
	})
}

func TestPanicAndGoexitInStatusAreErrors(t *testing.T) {
	forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
		var ok bool // the pool calls one Status after the other
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error {
			if !ok {
				ok = true
				m.do()
			}
			return nil
		}}, jobs.Every(time.Hour))
		other := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { other.Mark(); return nil }}, jobs.Every(time.Hour))
		jobstest.Advance(30*time.Second - 1)
		assert.Equal(t, "Running", p.GetStatus())
		jobstest.Advance(1)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.ErrorContains(t, p.Info().StopError, m.text)
		jobstest.Advance(time.Minute)
		assert.Equal(t, "Running", p.GetStatus(), "it restarts")
		assert.Contains(t, other.Moments(), 90*time.Second, "and goes on to call Status")
	})
}

func TestPanicAndGoexitInReadyAreNotReady(t *testing.T) {
	forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
		polls, executed := jobstest.NewTimeline(), jobstest.NewTimeline()
		job := jobstest.Stub{ExecuteFunc: executed.Execute}
		job.ReadyFunc = func() bool {
			if n := polls.Mark(); n != 4 {
				m.do()
			}
			return true
		}
		jobstest.Register(t, p, job, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		assert.Equal(t, jobstest.Times(time.Millisecond, 0, 10, 30, 70), polls.Moments())
		assert.Equal(t, jobstest.Times(time.Millisecond, 70), executed.Moments())
		assert.Equal(t, "Running", p.GetStatus())
		jobstest.StopPool(p)
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus(), "neither is it at a restart")
	})
}

func TestJobExecutionReadyIsFalseWhenReadyPanicsOrCallsGoexit(t *testing.T) {
	forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
		polls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if polls.Mark() > 1 {
				m.do()
			}
			return true
		}}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		answered, answer := false, true
		done := make(chan struct{})
		go func() {
			defer close(done)
			answer = p.GetJob(id).Ready()
			answered = true
		}()
		<-done
		assert.True(t, answered, "the caller's goroutine lives")
		assert.False(t, answer)
	})
}

// A trap is an error whose Error does not return.
type trap struct{ do func() }

func (e trap) Error() string { e.do(); return "" }

func TestPanicAndGoexitInAnErrorsErrorAreErrors(t *testing.T) {
	forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
		execution := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return trap{m.do} }}, jobs.Retry(2))
		wrapped := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return errors.Join(jobstest.ErrBroken, trap{m.do}) }}, jobs.Once())
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error { return trap{m.do} }}, jobs.Every(time.Hour))
		jobstest.Advance(0)
		for _, id := range []string{execution, wrapped} {
			info := jobstest.InfoOf(t, p, id)
			assert.Equal(t, jobs.JobStatusFailed, info.Status)
			assert.EqualValues(t, info.Executions, info.Failures)
			assert.NotPanics(t, func() { assert.NotEmpty(t, info.LastError.Error()) })
		}
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.NotPanics(t, func() { assert.NotEmpty(t, p.Info().StopError.Error()) })
	})
}

func TestPanicAndGoexitInNextAreErrors(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
			laps, asked := jobstest.NewTimeline(), jobstest.NewTimeline()
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.On(jobstest.NextFunc(func(now time.Time) time.Time {
				if asked.Mark() == 3 { // at registration, at once, after the first execution
					m.do()
				}
				return jobstest.Each(time.Minute)(now)
			})), opts...)
			jobstest.Advance(time.Minute)
			info := jobstest.InfoOf(t, p, id)
			assert.Error(t, info.LastError)
			assert.ErrorContains(t, info.LastError, m.text)
			assert.LessOrEqual(t, info.Failures, info.Executions)
			if len(opts) == 0 {
				assert.Equal(t, "Stopped", p.GetStatus())
			} else {
				assert.Equal(t, "Failed", p.GetJobStatus(id))
			}
			jobstest.Advance(10 * time.Minute)
			assert.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.Greater(t, len(laps.Moments()), 7, "it goes on")
		})
	}
}

func TestPanicAndGoexitInNextAtRegistrationAreErrors(t *testing.T) {
	forEachMishap(t, func(t *testing.T, p *jobs.Pool, m mishap) {
		var id string
		err := errors.New("Register has not returned")
		done := make(chan struct{})
		go func() {
			defer close(done)
			id, err = p.Register(jobstest.Stub{}, jobs.On(jobstest.NextFunc(func(time.Time) time.Time { m.do(); return time.Time{} })))
		}()
		<-done
		require.ErrorIs(t, err, jobs.ErrRegisteringJob)
		assert.ErrorContains(t, err, m.text)
		assert.Empty(t, id)
		assert.Equal(t, "Initializing", p.GetStatus())
	})
}

func TestAPanicWithNilIsNoGoexit(t *testing.T) {
	for setting, wants := range map[string]string{"panicnil=0": "panic: panic called with nil", "panicnil=1": "panic: <nil>"} {
		t.Setenv("GODEBUG", setting)
		for name, f := range map[string]func() error{
			wants:                   func() error { panic(any(nil)) },
			"runtime.Goexit called": goexit,
		} {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: f}, jobs.Once())
				synctest.Wait()
				require.ErrorContains(t, jobstest.InfoOf(t, p, id).LastError, name, setting)
			})
		}
	}
}
