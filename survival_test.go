package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
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

func TestTakingANilBackLeavesTheValuesOfOthersInTheChannel(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 3)
		stop <- "theirs"
		stop <- "too"
		done := make(chan struct{})
		id := register(t, p, stub{execute: func() error { <-done; return nil }}, jobs.Channel(stop))
		synctest.Wait()
		p.SetStatus(jobs.PoolStatusStopped)
		synctest.Wait()
		assert.Len(t, stop, 3)
		pass(30 * time.Second)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		require.Len(t, stop, 2)
		assert.Equal(t, "theirs", <-stop)
		assert.Equal(t, "too", <-stop)
		close(done)
	})
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

func TestShutdownOfAStoppedPoolChangesNoStatus(t *testing.T) {
	var seen []jobs.PoolStatus
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, stub{execute: func() error { return errors.New("no") }}, jobs.Every(time.Second))
		pass(time.Second)
		before := p.Info()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, before.Since, p.Info().Since)
		assert.Equal(t, id, p.Info().StoppedBy)
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) { seen = append(seen, info.Status) }))
	assert.Equal(t, []jobs.PoolStatus{jobs.PoolStatusRunning, jobs.PoolStatusStopped}, seen)
}

func TestAJobWhoseNextRunHasNoFormInJSONIsListedWithoutIt(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		farAway := nextFunc(func(time.Time) time.Time { return time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) })
		id := register(t, p, stub{}, jobs.On(farAway))
		synctest.Wait()
		assert.Zero(t, infoOf(t, p, id).NextRun)
		_, err := json.Marshal(slices.Collect(p.Jobs()))
		assert.NoError(t, err)
	})
}

// A ring is an error that unwraps to itself, in one way or twice over.
type (
	ring  struct{}
	rings struct{}
)

func (ring) Error() string      { return "ring" }
func (r ring) Unwrap() error    { return r }
func (rings) Error() string     { return "rings" }
func (r rings) Unwrap() []error { return []error{r, r} }

func TestAnErrorThatUnwrapsToItselfIsAnyOtherError(t *testing.T) {
	for _, err := range []error{ring{}, rings{}} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			id := register(t, p, stub{execute: func() error { return err }}, jobs.Retry(3))
			synctest.Wait()
			assert.EqualValues(t, 3, infoOf(t, p, id).Executions)
			assert.Equal(t, "Failed", p.GetJobStatus(id))
		})
	}
}

func TestAPermanentErrorIsFoundInsideOthers(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		err := errors.Join(errors.New("first"), errors.Join(nil, jobs.Permanent(errors.New("second"))))
		id := register(t, p, stub{execute: func() error { return err }}, jobs.Retry(3))
		synctest.Wait()
		assert.EqualValues(t, 1, infoOf(t, p, id).Executions)
	})
}

func TestPoolInfoHasNoNextAttemptWhileOneIsInProgress(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow atomic.Bool
		register(t, p, stub{ready: func() bool {
			if slow.Load() {
				time.Sleep(time.Minute)
			}
			return true
		}}, jobs.Every(time.Hour))
		synctest.Wait()
		slow.Store(true)
		p.SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, time.Now().Add(30*time.Second).Round(0), p.Info().NextAttempt)
		pass(40 * time.Second)
		assert.Zero(t, p.Info().NextAttempt)
		assert.Len(t, p.Info().HeldUpBy, 1)
		pass(time.Minute)
		assert.Equal(t, jobs.PoolStatusRunning, p.Info().Status)
	})
}
