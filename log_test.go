package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// everythingLogged has a pool do all that is logged.
func everythingLogged(t *testing.T, name string) *jobstest.Journal {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		add := func(job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) string {
			return jobstest.Register(t, p, job, trigger, append(opts, jobs.WithName(name))...)
		}
		broken := func() error { return jobstest.ErrBroken }
		end := make(chan bool)
		add(jobstest.Stub{ExecuteFunc: broken}, jobs.Retry(2))
		add(jobstest.Stub{ExecuteFunc: broken}, jobs.Once())
		add(jobstest.Stub{ExecuteFunc: func() error { panic("no") }}, jobs.Once())
		add(jobstest.Stub{}, jobs.On(jobstest.EverySecond()))
		add(jobstest.Stub{StatusFunc: jobstest.OnlyFirst(broken)}, jobs.Every(time.Hour))
		add(jobstest.Stub{StatusFunc: jobstest.OnlyFirst(jobstest.Sleeping(2 * time.Minute))}, jobs.Every(time.Hour))
		add(jobstest.Stub{ReadyFunc: func() bool { panic("no") }}, jobs.Every(time.Hour))
		add(jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second), jobs.Detached())
		add(jobs.JobFunc(newCauseLog().await), jobs.Channel(nil))
		id := add(jobstest.Stub{}, jobs.Every(time.Hour))
		_, err := p.Register(nil, jobs.Once(), jobs.WithName(name))
		require.Error(t, err)
		jobstest.Advance(10 * time.Minute)
		p.JobUnlock(id)
		p.SetStatus(jobs.PoolStatus(17))
		p.UpdateDurations(0, time.Minute)
		p.UnregisterJob(id)
		close(end)
		jobstest.Advance(0) // the return of an abandoned execution is logged while the pool is not shut down
	}, logged.Option(), jobs.WithExecutionTimeout(time.Minute), jobs.WithAbandonAfter(time.Minute))
	return logged
}

func TestLogMessagesAreConstant(t *testing.T) {
	messages := func(l *jobstest.Journal) (all []string) {
		for _, e := range l.AtLeast(slog.LevelDebug) {
			all = append(all, e.Message)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	first := messages(everythingLogged(t, "Ada"))
	assert.Equal(t, first, messages(everythingLogged(t, "Grace")))
	assert.Greater(t, len(first), 8)
	for _, m := range first {
		assert.Regexp(t, regexp.MustCompile(`^[A-Za-z :]+$`), m)
		assert.NotContains(t, m, "Ada")
		assert.NotContains(t, m, jobstest.ErrBroken.Error())
	}
}

func TestLogEntriesOfAJobHaveItsNameIDAndType(t *testing.T) {
	types := []string{jobs.JobTypeSingleRun, jobs.JobTypeRetry, jobs.JobTypeInterval, jobs.JobTypeDetachedInterval,
		jobs.JobTypeScheduled, jobs.JobTypeChannel}
	seen := map[string]bool{}
	for _, e := range everythingLogged(t, "Ada").AtLeast(slog.LevelDebug) {
		if _, ok := e.Attrs["id"]; !ok { // of the pool, or of a job that was not registered
			continue
		}
		assert.Equal(t, "Ada", e.Text("job"), e.Message)
		assert.Len(t, e.Text("id"), 36, e.Message)
		assert.Contains(t, types, e.Text("type"), e.Message)
		seen[e.Text("type")] = true
	}
	assert.Len(t, seen, len(types))
}

func TestLogEntriesAtErrorLevelHaveAnError(t *testing.T) {
	errors := everythingLogged(t, "Ada").AtLeast(slog.LevelError)
	assert.Greater(t, len(errors), 6)
	for _, e := range errors {
		if _, interval := e.Attrs["interval"]; !interval { // UpdateDurations has no error to tell
			assert.NotEmpty(t, e.Text("error"), e.Message)
		}
	}
}

func TestOneFailureIsOneLineAtErrorLevelAndWhatThePoolDoesThenIsAtInfo(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		healthy := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		assert.Empty(t, logged.AtLeast(slog.LevelInfo))
		before := len(logged.AtLeast(slog.LevelDebug))
		assert.Positive(t, before)
		p.UnregisterJob(healthy)
		assert.Len(t, logged.AtLeast(slog.LevelDebug), before+1)

		id := jobstest.FailPool(p)
		lines := logged.AtLeast(slog.LevelInfo)
		require.Len(t, lines, 2)
		assert.Equal(t, []string{"ERROR job execution failed", "INFO pool stopped"},
			[]string{lines[0].Level.String() + " " + lines[0].Message, lines[1].Level.String() + " " + lines[1].Message})
		for _, e := range lines {
			assert.Equal(t, []string{"culprit", id, jobs.JobTypeInterval}, []string{e.Text("job"), e.Text("id"), e.Text("type")})
			assert.Contains(t, e.Text("error"), jobstest.ErrBroken.Error())
		}
		jobstest.Advance(time.Minute)
		lines = logged.AtLeast(slog.LevelInfo)
		require.Len(t, lines, 3)
		assert.Equal(t, slog.LevelInfo, lines[2].Level)
		assert.Equal(t, "pool restarted", lines[2].Message)
		assert.Equal(t, 30*time.Second, lines[2].Attrs["down"].Duration())
		assert.EqualValues(t, 1, lines[2].Attrs["attempts"].Int64())
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Len(t, logged.AtLeast(slog.LevelInfo), 3)
	}, logged.Option())
}

func TestStopsAndRestartsByHandAreLogged(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		synctest.Wait()
		since := func() (lines []string) {
			synctest.Wait()
			for _, e := range logged.AtLeast(slog.LevelDebug) {
				lines = append(lines, e.Level.String()+" "+e.Message)
			}
			return lines
		}
		before := len(since())
		for range 2 {
			p.SetStatus(jobs.PoolStatusStopped)
			p.SetStatus(jobs.PoolStatusRunning)
			synctest.Wait()
		}
		p.SetStatus(jobs.PoolStatusRunning)
		assert.Equal(t, []string{"INFO pool stopped", "INFO pool restarted", "INFO pool stopped", "INFO pool restarted", "WARN status not set"},
			since()[before:])
	}, logged.Option())
}

func TestWhatALateAndAnAbandonedExecutionReturnIsLogged(t *testing.T) {
	for message, abandonAfter := range map[string]time.Duration{"late execution has returned": 0, "abandoned execution has returned": time.Second} {
		t.Run(message, func(t *testing.T) {
			logged := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(func() error { time.Sleep(time.Minute); return jobstest.ErrBroken })}, jobs.Every(time.Hour),
					jobs.Detached(), jobs.WithJobTimeout(time.Second))
				jobstest.Advance(2 * time.Minute)
				var found []jobstest.Entry
				for _, e := range logged.AtLeast(slog.LevelDebug) {
					if e.Message == message {
						found = append(found, e)
					}
				}
				require.Len(t, found, 1)
				assert.Contains(t, found[0].Text("error"), jobstest.ErrBroken.Error())
			}, logged.Option(), jobs.WithAbandonAfter(abandonAfter))
		})
	}
}

func TestWithoutALoggerAPoolLogsToWhatIsTheDefaultThen(t *testing.T) {
	former := slog.Default()
	defer slog.SetDefault(former)
	for name, p := range map[string]*jobs.Pool{
		"zero pool": new(jobs.Pool), "no option": jobs.NewPool(), "nil": jobs.NewPool(jobs.WithLogger(nil)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logged := new(jobstest.Journal)
				slog.SetDefault(slog.New(logged))
				jobstest.FailPool(p)
				assert.Len(t, logged.AtLeast(slog.LevelError), 1)
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}

func TestALogHandlerMayCallThePoolAndPanic(t *testing.T) {
	var p *jobs.Pool
	for name, f := range map[string]func(){
		"panic": func() { panic("no") },
		"calls the pool": func() {
			for info := range p.Jobs() {
				p.JobLock(info.ID + "x")
				p.GetJobStatus(info.ID)
			}
			p.Info()
			p.UpdateDurations(30*time.Second, time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p = jobs.NewPool(jobstest.HandlerFunc(func(slog.Record) { f() }).Option())
				id := jobstest.FailPool(p)
				jobstest.Advance(time.Minute)
				assert.Equal(t, "Running", p.GetStatus())
				p.UnregisterJob(id)
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}

func TestALogHandlerThatCallsGoexitHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.HandlerFunc(func(r slog.Record) {
			if r.Level >= slog.LevelInfo {
				runtime.Goexit() // as t.FailNow does
			}
		}).Option())
		failing := func() error { return errors.New("no") }
		var executions atomic.Int32
		never := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failing}, jobs.Retry(3))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { executions.Add(1); return failing() }}, jobs.Every(time.Second))
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: failing}, jobs.Every(time.Hour))
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { panic("not yet") }}, jobs.Once())
		jobstest.Advance(95 * time.Second)
		assert.EqualValues(t, 3, executions.Load(), "at 0, 30 and 90 s")
		assert.Equal(t, "Failed", p.GetJobStatus(never))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		result := make(chan error, 1)
		go func() {
			defer close(result)
			result <- p.Shutdown(ctx)
		}()
		err, returned := <-result
		assert.True(t, returned)
		assert.NoError(t, err)
	})
}

// A handlerOf is a log handler made of functions.
type handlerOf struct {
	enabled func() bool
	handle  func(message string)
}

func (h handlerOf) Enabled(context.Context, slog.Level) bool {
	return h.enabled == nil || h.enabled()
}

func (h handlerOf) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h handlerOf) WithGroup(string) slog.Handler      { return h }

func (h handlerOf) Handle(_ context.Context, r slog.Record) error {
	if h.handle != nil {
		h.handle(r.Message)
	}
	return nil
}

// poolWith returns a pool that logs with h.
func poolWith(h handlerOf, opts ...jobs.PoolOption) *jobs.Pool {
	return jobs.NewPool(append([]jobs.PoolOption{jobs.WithLogger(slog.New(h))}, opts...)...)
}

func TestShutdownReturnsAtTheEndOfItsContextThoughTheLogHandlerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		p := poolWith(handlerOf{handle: func(string) { <-hang }})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		err := p.Shutdown(ctx)
		assert.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "the pool's logger")
		close(hang)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestShutdownWaitsForTheQuestionWhetherALevelIsLogged(t *testing.T) {
	for name, do := range map[string]func(p *jobs.Pool, id string){
		"registering":   func(p *jobs.Pool, _ string) { _, _ = p.Register(jobstest.Stub{}, jobs.Once()) },
		"unregistering": func(p *jobs.Pool, id string) { p.UnregisterJob(id) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var slow, asked atomic.Bool
				p := poolWith(handlerOf{enabled: func() bool {
					if slow.CompareAndSwap(true, false) {
						time.Sleep(time.Minute)
						asked.Store(true)
					}
					return true
				}})
				id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
				slow.Store(true)
				go do(p, id)
				jobstest.Advance(time.Second)
				require.NoError(t, p.Shutdown(context.Background()))
				assert.True(t, asked.Load(), "and for the line")
				synctest.Wait()
			})
		})
	}
}

// loggingCalls are calls of a pool, or of a job of its, that log on behalf of their caller.
var loggingCalls = map[string]func(p *jobs.Pool, id string){
	"Register":                func(p *jobs.Pool, _ string) { _, _ = p.Register(jobstest.Stub{}, jobs.Once()) },
	"Register, in vain":       func(p *jobs.Pool, _ string) { _, _ = p.Register(nil, jobs.Once()) },
	"UnregisterJob":           func(p *jobs.Pool, id string) { p.UnregisterJob(id) },
	"JobUnlock":               func(p *jobs.Pool, id string) { p.JobUnlock(id) },
	"SetStatus":               func(p *jobs.Pool, _ string) { p.SetStatus(jobs.PoolStatusStopped) },
	"SetStatus, in vain":      func(p *jobs.Pool, _ string) { p.SetStatus(jobs.PoolStatusInitializing) },
	"UpdateDurations in vain": func(p *jobs.Pool, _ string) { p.UpdateDurations(0, 0) },
}

func TestGoexitInTheLogHandlerEndsNoCaller(t *testing.T) {
	for name, call := range loggingCalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bad atomic.Bool
				p := poolWith(handlerOf{handle: func(string) {
					if bad.Load() {
						runtime.Goexit()
					}
				}})
				id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
				bad.Store(true)
				returned := false
				go func() {
					call(p, id)
					returned = true
				}()
				synctest.Wait()
				assert.True(t, returned)
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}

// "One that hangs costs its own call and is named as what it is."
func TestReadyIsNotBlamedForALogHandlerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		p := poolWith(handlerOf{handle: func(message string) {
			if message == "call of Ready failed" {
				<-hang
			}
		}})
		broken := jobstest.NewFault()
		broken.Clear()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if !broken.Absent() {
				panic("not now")
			}
			return true
		}}, jobs.Every(time.Hour), jobs.WithName("Ada"))
		jobstest.Advance(time.Second)
		broken.Set()
		p.SetStatus(jobs.PoolStatusStopped)
		jobstest.Advance(time.Minute)
		require.Len(t, p.Info().HeldUpBy, 1)
		assert.Contains(t, p.Info().HeldUpBy[0].String(), "is not ready")
		broken.Clear()
		jobstest.Advance(10 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus(), "nor does the handler keep the pool from restarting")
		close(hang)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestThePanicOfALateStatusIsLoggedWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap := new(jobstest.Journal)
		p := jobs.NewPool(tap.Option(), jobs.WithStatusInterval(time.Second), jobs.WithExecutionTimeout(time.Second))
		jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error {
			time.Sleep(5 * time.Second)
			panic("too late")
		}}, jobs.Every(time.Hour))
		jobstest.Advance(7 * time.Second)
		assert.Regexp(t, `late call of Status has returned .*error=panic: too late stack=goroutine`, tap.At(slog.LevelError))
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestShutdownWithAContextThatHasEndedDoesNotFailForItsOwnLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.NoError(t, p.Shutdown(ctx))
	})
}

func TestALogHandlerThatHangsHoldsNoCallerUp(t *testing.T) {
	for name, call := range loggingCalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var hangs atomic.Bool
				hang := make(chan struct{})
				p := jobs.NewPool(jobstest.HandlerFunc(func(slog.Record) {
					if hangs.Load() {
						<-hang
					}
				}).Option())
				id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
				jobstest.Advance(time.Second)
				hangs.Store(true)
				begun := time.Now()
				call(p, id)
				assert.Equal(t, time.Millisecond, time.Since(begun))
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				assert.ErrorContains(t, p.Shutdown(ctx), "the pool's logger", "which it waits for")
				close(hang)
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}

func TestADetachedJobThatIsLateIsNotSaidToHaveStoppedThePool(t *testing.T) {
	logged := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobs.Every(time.Hour), jobs.Detached(), jobs.WithJobTimeout(time.Second))
		jobstest.Advance(time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
	}, logged.Option())
	var messages []string
	for _, e := range logged.AtLeast(slog.LevelError) {
		messages = append(messages, e.Message)
	}
	assert.Equal(t, []string{"job execution is late"}, messages)
}

func TestALogHandlerThatHangsCostsItsOwnLineAndIsBlamed(t *testing.T) {
	for _, message := range []string{
		"pool restarted", "pool stopped", "job execution failed", "job status failed", "job status is late", "job execution is late",
		"late execution has returned", "late call of Status has returned", "call of Ready failed",
	} {
		t.Run(message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hang := make(chan bool)
				var hung atomic.Int32
				p := jobs.NewPool(jobs.WithExecutionTimeout(10*time.Second), jobstest.HandlerFunc(func(r slog.Record) {
					if r.Message == message && hung.Add(1) == 1 {
						<-hang
					}
				}).Option())
				calls := jobstest.NewTimeline()
				troubles := []func() error{
					func() error { return jobstest.ErrBroken },
					func() error { jobstest.Take(time.Minute); return jobstest.ErrBroken },
				}
				for _, trouble := range troubles {
					fault := jobstest.OnlyFirst(trouble)
					jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: fault}, jobs.Every(5*time.Minute))
					jobstest.Register(t, p, jobstest.Stub{StatusFunc: jobstest.OnlyFirst(trouble)}, jobs.Every(5*time.Minute))
				}
				panics := jobstest.OnlyFirst(func() error { panic("not ready") })
				jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return panics() == nil }}, jobs.Every(time.Minute))
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Every(time.Minute))
				jobstest.Advance(3 * time.Hour)
				require.EqualValues(t, 1, min(hung.Load(), 1))
				info := p.Info()
				assert.Equal(t, jobs.PoolStatusRunning, info.Status)
				assert.Empty(t, info.HeldUpBy)
				before := len(calls.Moments())
				jobstest.Advance(time.Hour)
				assert.Len(t, calls.Moments()[before:], 60)

				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				err := p.Shutdown(ctx)
				require.ErrorContains(t, err, "the pool's logger")
				for _, innocent := range []string{") in Execute", ") in Status", ") in Ready"} {
					assert.NotContains(t, err.Error(), innocent)
				}
				close(hang)
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}
