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
)

// everythingLogged has a pool do all that is logged.
func everythingLogged(t *testing.T, name string) *journal {
	logged := new(journal)
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		add := func(job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) string {
			return register(t, p, job, trigger, append(opts, jobs.WithName(name))...)
		}
		broken := func() error { return errBroken }
		end := make(chan bool)
		add(stub{execute: broken}, jobs.Retry(2))
		add(stub{execute: broken}, jobs.Once())
		add(stub{execute: func() error { panic("no") }}, jobs.Once())
		add(stub{}, jobs.On(everySecond()))
		add(stub{status: onlyFirst(broken)}, jobs.Every(time.Hour))
		add(stub{status: onlyFirst(enduring(2 * time.Minute))}, jobs.Every(time.Hour))
		add(stub{ready: func() bool { panic("no") }}, jobs.Every(time.Hour))
		add(stub{execute: func() error { <-end; return nil }}, jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second), jobs.Detached())
		add(jobs.JobFunc(newCauseLog().await), jobs.Channel(nil))
		id := add(stub{}, jobs.Every(time.Hour))
		_, err := p.Register(nil, jobs.Once(), jobs.WithName(name))
		require.Error(t, err)
		pass(10 * time.Minute)
		p.JobUnlock(id)
		p.SetStatus(jobs.PoolStatus(17))
		p.UpdateDurations(0, time.Minute)
		p.UnregisterJob(id)
		close(end)
	}, logged.option(), jobs.WithExecutionTimeout(time.Minute), jobs.WithAbandonAfter(time.Minute))
	return logged
}

func TestLogMessagesAreConstant(t *testing.T) {
	messages := func(l *journal) (all []string) {
		for _, e := range l.atLeast(slog.LevelDebug) {
			all = append(all, e.message)
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
		assert.NotContains(t, m, errBroken.Error())
	}
}

func TestLogEntriesOfAJobHaveItsNameIDAndType(t *testing.T) {
	types := []string{jobs.JobTypeSingleRun, jobs.JobTypeRetry, jobs.JobTypeInterval, jobs.JobTypeDetachedInterval,
		jobs.JobTypeScheduled, jobs.JobTypeChannel}
	seen := map[string]bool{}
	for _, e := range everythingLogged(t, "Ada").atLeast(slog.LevelDebug) {
		if _, ok := e.attrs["id"]; !ok { // of the pool, or of a job that was not registered
			continue
		}
		assert.Equal(t, "Ada", e.text("job"), e.message)
		assert.Len(t, e.text("id"), 36, e.message)
		assert.Contains(t, types, e.text("type"), e.message)
		seen[e.text("type")] = true
	}
	assert.Len(t, seen, len(types))
}

func TestLogEntriesAtErrorLevelHaveAnError(t *testing.T) {
	errors := everythingLogged(t, "Ada").atLeast(failing)
	assert.Greater(t, len(errors), 6)
	for _, e := range errors {
		if _, interval := e.attrs["interval"]; !interval { // UpdateDurations has no error to tell
			assert.NotEmpty(t, e.text("error"), e.message)
		}
	}
}

func TestAFailureAndAStoppedPoolAreLoggedAtErrorLevelAndLifecycleAtDebug(t *testing.T) {
	logged := new(journal)
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		healthy := register(t, p, stub{}, jobs.Every(time.Hour))
		pass(time.Second)
		assert.Empty(t, logged.atLeast(slog.LevelInfo))
		before := len(logged.atLeast(slog.LevelDebug))
		assert.Positive(t, before)
		p.UnregisterJob(healthy)
		assert.Len(t, logged.atLeast(slog.LevelDebug), before+1)

		id := haltPool(p)
		lines := logged.atLeast(slog.LevelInfo)
		require.Len(t, lines, 2)
		for _, e := range lines {
			assert.Equal(t, slog.LevelError, e.level)
			assert.Equal(t, []string{"culprit", id, jobs.JobTypeInterval}, []string{e.text("job"), e.text("id"), e.text("type")})
			assert.Contains(t, e.text("error"), errBroken.Error())
		}
		assert.NotEqual(t, lines[0].message, lines[1].message)
		pass(time.Minute)
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Len(t, logged.atLeast(slog.LevelInfo), 2)
	}, logged.option())
}

func TestStopsAndRestartsByHandAreLogged(t *testing.T) {
	logged := new(journal)
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{}, jobs.Once())
		synctest.Wait()
		since := func() (lines []string) {
			synctest.Wait()
			for _, e := range logged.atLeast(slog.LevelDebug) {
				lines = append(lines, e.level.String()+" "+e.message)
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
		assert.Equal(t, []string{"ERROR pool stopped", "DEBUG pool restarted", "ERROR pool stopped", "DEBUG pool restarted", "WARN status not set"},
			since()[before:])
	}, logged.option())
}

func TestWhatALateAndAnAbandonedExecutionReturnIsLogged(t *testing.T) {
	for message, abandonAfter := range map[string]time.Duration{"late execution has returned": 0, "abandoned execution has returned": time.Second} {
		t.Run(message, func(t *testing.T) {
			logged := new(journal)
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				register(t, p, stub{execute: onlyFirst(func() error { time.Sleep(time.Minute); return errBroken })}, jobs.Every(time.Hour),
					jobs.Detached(), jobs.WithJobTimeout(time.Second))
				pass(2 * time.Minute)
				var found []entry
				for _, e := range logged.atLeast(slog.LevelDebug) {
					if e.message == message {
						found = append(found, e)
					}
				}
				require.Len(t, found, 1)
				assert.Contains(t, found[0].text("error"), errBroken.Error())
			}, logged.option(), jobs.WithAbandonAfter(abandonAfter))
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
				logged := new(journal)
				slog.SetDefault(slog.New(logged))
				haltPool(p)
				assert.Len(t, logged.atLeast(failing), 2)
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}

// A meddler is a log handler that calls the pool, or panics.
type meddler struct{ f func() }

func (m meddler) Enabled(context.Context, slog.Level) bool { return true }

func (m meddler) WithAttrs([]slog.Attr) slog.Handler { return m }

func (m meddler) WithGroup(string) slog.Handler { return m }

func (m meddler) Handle(context.Context, slog.Record) error { m.f(); return nil }

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
				p = jobs.NewPool(jobs.WithLogger(slog.New(meddler{f})))
				id := haltPool(p)
				pass(time.Minute)
				assert.Equal(t, "Running", p.GetStatus())
				p.UnregisterJob(id)
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}

// leaver is a log handler that ends the goroutine, as one that calls t.FailNow does.
type leaver struct{ slog.Handler }

func (leaver) Handle(context.Context, slog.Record) error { runtime.Goexit(); return nil }

func TestALogHandlerThatCallsGoexitHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobs.WithLogger(slog.New(leaver{slog.NewTextHandler(nil, nil)})))
		failing := func() error { return errors.New("no") }
		var executions atomic.Int32
		never := register(t, p, stub{execute: failing}, jobs.Retry(3))
		register(t, p, stub{execute: func() error { executions.Add(1); return failing() }}, jobs.Every(time.Second))
		register(t, p, stub{status: failing}, jobs.Every(time.Hour))
		register(t, p, stub{ready: func() bool { panic("not yet") }}, jobs.Once())
		pass(65 * time.Second)
		assert.EqualValues(t, 3, executions.Load(), "at 0, 30 and 60 s")
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

func (h handlerOf) WithGroup(string) slog.Handler { return h }

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
		"registering":   func(p *jobs.Pool, _ string) { _, _ = p.Register(stub{}, jobs.Once()) },
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
				id := register(t, p, stub{}, jobs.Once())
				slow.Store(true)
				go do(p, id)
				pass(time.Second)
				require.NoError(t, p.Shutdown(context.Background()))
				assert.True(t, asked.Load(), "and for the line")
				synctest.Wait()
			})
		})
	}
}

func TestGoexitInTheLogHandlerEndsNoCaller(t *testing.T) {
	for name, call := range map[string]func(p *jobs.Pool, id string){
		"Register":                func(p *jobs.Pool, _ string) { _, _ = p.Register(stub{}, jobs.Once()) },
		"Register, in vain":       func(p *jobs.Pool, _ string) { _, _ = p.Register(nil, jobs.Once()) },
		"UnregisterJob":           func(p *jobs.Pool, id string) { p.UnregisterJob(id) },
		"JobUnlock":               func(p *jobs.Pool, id string) { p.JobUnlock(id) },
		"SetStatus":               func(p *jobs.Pool, _ string) { p.SetStatus(jobs.PoolStatusStopped) },
		"SetStatus, in vain":      func(p *jobs.Pool, _ string) { p.SetStatus(jobs.PoolStatusInitializing) },
		"UpdateDurations in vain": func(p *jobs.Pool, _ string) { p.UpdateDurations(0, 0) },
		"Shutdown":                func(p *jobs.Pool, _ string) { _ = p.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bad atomic.Bool
				p := poolWith(handlerOf{handle: func(string) {
					if bad.Load() {
						runtime.Goexit()
					}
				}})
				id := register(t, p, stub{}, jobs.Every(time.Hour))
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
		broken := newFault()
		broken.mend()
		register(t, p, stub{ready: func() bool {
			if broken.on.Load() {
				panic("not now")
			}
			return true
		}}, jobs.Every(time.Hour), jobs.WithName("Ada"))
		pass(time.Second)
		broken.cause()
		p.SetStatus(jobs.PoolStatusStopped)
		pass(time.Minute)
		require.Len(t, p.Info().HeldUpBy, 1)
		assert.Contains(t, p.Info().HeldUpBy[0], "is not ready")
		broken.mend()
		pass(10 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus(), "nor does the handler keep the pool from restarting")
		close(hang)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestThePanicOfALateStatusIsLoggedWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tap := new(journal)
		p := jobs.NewPool(tap.option(), jobs.WithStatusInterval(time.Second), jobs.WithExecutionTimeout(time.Second))
		register(t, p, stub{status: func() error {
			time.Sleep(5 * time.Second)
			panic("too late")
		}}, jobs.Every(time.Hour))
		pass(7 * time.Second)
		assert.Regexp(t, `late call of Status has returned .*error=panic: too late stack=goroutine`, tap.at(slog.LevelError))
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestShutdownWithAContextThatHasEndedDoesNotFailForItsOwnLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(quiet)
		register(t, p, stub{}, jobs.Every(time.Hour))
		pass(time.Second)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.NoError(t, p.Shutdown(ctx))
	})
}
