package jobs_test

import (
	"context"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

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
		tap := new(logTap)
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
