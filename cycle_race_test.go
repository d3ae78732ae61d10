package jobs

import (
	"context"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCycleNeverTwoStepsAndNoneAfterStopWhateverComesTogether(t *testing.T) {
	for range 100 {
		d := newDancer(rest)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				for n := range 20 {
					d.setIn(time.Duration((n * i) % 3)) // at once, or all but
				}
			})
		}
		wg.Wait()
		d.stop()
		d.mu.Lock()
		last := d.cycle.steps
		d.mu.Unlock()
		d.set(now())
		d.fire()
		d.mu.Lock()
		assert.Equal(t, last, d.cycle.steps, "no step begins once stop has returned")
		d.mu.Unlock()
		assert.Zero(t, d.overlaps.Load())
	}
}

func TestCycleBetweenStepsThereIsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		for range 10 {
			newDancer(rest).setIn(time.Second)
		}
		// One that waited in a goroutine would be left at the end of the bubble, and fail the test.
	})
}

func TestCycleGoexitEndsAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDancer(func(d *dancer, n uint32) {
			if n < 3 {
				d.setIn(time.Second)
			}
			runtime.Goexit()
		})
		d.set(now())
		await(time.Hour)
		assert.Len(t, d.begunAt(), 3)
	})
}

func TestInstantsDoNotOverflow(t *testing.T) {
	assert.Equal(t, never, now().after(math.MaxInt64))
	assert.Equal(t, never, never.after(time.Second))
	assert.Equal(t, instant(1), instant(3).after(-2))
	assert.Less(t, atOnce.after(longestBackoff), now())
}

// A noop is a job of no interest.
type noop struct{}

func (noop) Execute() error { return nil }
func (noop) Status() error  { return nil }
func (noop) Ready() bool    { return true }

func TestAPoolWithoutContinuousJobsHasNoTimerOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(WithLogger(slog.New(slog.DiscardHandler)))
		waits := func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.cycle.mu.Lock()
			defer p.cycle.mu.Unlock()
			return p.cycle.stage != cycleIdle
		}
		_, err := p.Register(noop{}, Once())
		require.NoError(t, err)
		_, err = p.Register(noop{}, Retry(2))
		require.NoError(t, err)
		await(time.Hour)
		assert.False(t, waits())
		id, err := p.Register(noop{}, Every(time.Hour))
		require.NoError(t, err)
		assert.True(t, waits())
		p.UnregisterJob(id)
		assert.False(t, waits())
		require.NoError(t, p.Shutdown(context.Background()))
	})
}
