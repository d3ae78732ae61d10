package jobs

import (
	"context"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A dancer is the owner of a cycle alone.
type dancer struct {
	cycle
	dance func(n uint32)

	notesMu  sync.Mutex
	start    instant
	begun    []time.Duration
	steps    []uint32
	late     []uint32
	dancing  atomic.Int32
	overlaps atomic.Int32
}

func newDancer(dance func(d *dancer, n uint32)) *dancer {
	d := &dancer{start: now()}
	d.owner = d
	d.dance = func(n uint32) { dance(d, n) }
	return d
}

func (d *dancer) step(n uint32, _ time.Time) instant {
	if d.dancing.Add(1) > 1 {
		d.overlaps.Add(1)
	}
	defer d.dancing.Add(-1)
	d.notesMu.Lock()
	d.begun = append(d.begun, time.Duration(now()-d.start))
	d.steps = append(d.steps, n)
	d.notesMu.Unlock()
	d.dance(n)
	return 0
}

func (d *dancer) expired(n uint32) {
	d.notesMu.Lock()
	defer d.notesMu.Unlock()
	d.late = append(d.late, n)
}

func (d *dancer) notes() (begun []time.Duration, late []uint32) {
	d.notesMu.Lock()
	defer d.notesMu.Unlock()
	return append([]time.Duration{}, d.begun...), append([]uint32{}, d.late...)
}

func (d *dancer) begunAt() []time.Duration { begun, _ := d.notes(); return begun }

func (d *dancer) setIn(wait time.Duration) { d.set(now().after(wait)) }

func (d *dancer) limitFor(limit time.Duration) {
	d.mu.Lock()
	d.expiry = now().after(limit)
	d.armExpiryLocked()
	d.mu.Unlock()
}

func (d *dancer) is(stage cycleStage) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stage == stage
}

func await(d time.Duration) { time.Sleep(d); synctest.Wait() }

func rest(*dancer, uint32) {}

func TestCycleStepsAtTheMomentThatIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDancer(func(d *dancer, n uint32) {
			if n < 4 {
				d.setIn(time.Duration(n) * time.Second)
			}
		})
		d.set(now())
		await(time.Hour)
		assert.Equal(t, []time.Duration{0, 1 * time.Second, 3 * time.Second, 6 * time.Second}, d.begunAt())
		assert.True(t, d.is(cycleIdle))
	})
}

func TestCycleTheMomentCanBeChangedWhileItIsAwaited(t *testing.T) {
	for name, c := range map[string]struct{ to, want time.Duration }{
		"sooner": {5 * time.Second, 5 * time.Second}, "later": {20 * time.Second, 20 * time.Second},
		"past": {time.Second, 2 * time.Second}, "never": {-1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDancer(rest)
				d.setIn(10 * time.Second)
				await(2 * time.Second)
				if c.to < 0 {
					d.set(never)
					await(time.Hour)
					assert.Empty(t, d.begunAt())
					return
				}
				d.set(d.start.after(c.to))
				await(time.Hour)
				assert.Equal(t, []time.Duration{c.want}, d.begunAt(), "one step, at the moment set last")
			})
		})
	}
}

func TestCycleAMomentSetDuringAStepCountsWhenItHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDancer(func(_ *dancer, n uint32) { time.Sleep(10 * time.Second) })
		d.set(now())
		await(time.Second)
		for range 3 {
			d.setIn(time.Hour)
			d.set(now())
		}
		await(5 * time.Second)
		assert.Len(t, d.begunAt(), 1, "never two steps at once")
		await(time.Hour)
		assert.Equal(t, []time.Duration{0, 10 * time.Second}, d.begunAt(), "and the last one set wins")
	})
}

func TestCycleAStaleTimerDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDancer(rest)
		d.setIn(10 * time.Second)
		d.fire() // the timer's, of an earlier wait
		synctest.Wait()
		assert.Empty(t, d.begunAt())
		d.set(never)
		d.fire()
		assert.Empty(t, d.begunAt())
		d.quit()
		d.fire()
		assert.Empty(t, d.begunAt())
	})
}

func TestCycleAStaleTimerDuringAStepIsNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDancer(func(*dancer, uint32) { time.Sleep(time.Second) })
		d.set(now())
		await(0)
		d.fire()
		_, late := d.notes()
		assert.Empty(t, late)
		assert.Len(t, d.begunAt(), 1)
		await(time.Second)
	})
}

func TestCycleNoStepBeginsAfterStop(t *testing.T) {
	for name, prepare := range map[string]func(d *dancer){
		"idle": func(*dancer) {}, "waiting": func(d *dancer) { d.setIn(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDancer(rest)
				prepare(d)
				d.quit()
				d.set(now())
				d.setIn(time.Second)
				await(time.Hour)
				assert.Empty(t, d.begunAt())
				assert.True(t, d.is(cycleEnded))
			})
		})
	}
}

func TestCycleTheStepInFlightAtAStopRunsToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Bool
		d := newDancer(func(d *dancer, _ uint32) { time.Sleep(time.Second); d.set(now()); ended.Store(true) })
		d.set(now())
		await(0)
		d.quit()
		assert.True(t, d.is(cycleEnding))
		await(time.Hour)
		assert.True(t, ended.Load())
		assert.Len(t, d.begunAt(), 1)
		assert.True(t, d.is(cycleEnded))
	})
}

func TestCycleALimitIsToldOnce(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := newDancer(func(d *dancer, n uint32) { d.limitFor(2 * time.Second); time.Sleep(time.Minute) })
			d.set(now())
			await(time.Second)
			if stopped {
				d.quit() // the limit still counts
			}
			await(time.Second - 1)
			_, late := d.notes()
			assert.Empty(t, late)
			await(1)
			d.fire()
			await(time.Hour)
			_, late = d.notes()
			assert.Equal(t, []uint32{1}, late)
		})
	}
}

func TestCycleALimitEndsWithItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDancer(func(d *dancer, n uint32) {
			if n == 1 {
				d.limitFor(2 * time.Second)
				d.set(now())
				return
			}
			time.Sleep(time.Minute)
		})
		d.set(now())
		await(time.Hour)
		_, late := d.notes()
		assert.Empty(t, late)
		assert.Len(t, d.begunAt(), 2)
	})
}

func TestCycleAnAbandonedStepHasNoSayAnyMore(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "later": time.Second, "never": -1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var inFlight atomic.Bool
				d := newDancer(func(d *dancer, n uint32) {
					if n == 1 {
						time.Sleep(time.Minute)
						d.mu.Lock()
						inFlight.Store(d.inFlightLocked(n))
						d.mu.Unlock()
						return
					}
					time.Sleep(10 * time.Minute)
				})
				d.set(now())
				await(10 * time.Second)
				d.mu.Lock()
				if wait >= 0 {
					d.setLocked(now().after(wait))
				}
				d.abandonLocked()
				assert.False(t, d.inFlightLocked(1))
				d.mu.Unlock()
				await(100 * time.Second) // the abandoned one has ended
				assert.False(t, inFlight.Load())
				if wait < 0 {
					assert.Len(t, d.begunAt(), 1)
					assert.True(t, d.is(cycleIdle))
					return
				}
				assert.Equal(t, []time.Duration{0, 10*time.Second + wait}, d.begunAt())
				assert.True(t, d.is(cycleStepping), "its end does not end the step that came after it")
				await(time.Hour)
				assert.True(t, d.is(cycleIdle))
			})
		})
	}
}

func TestCycleAnAbandonedStepOfAStoppedCycleEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDancer(func(*dancer, uint32) { time.Sleep(time.Minute) })
		d.set(now())
		await(time.Second)
		d.quit()
		d.mu.Lock()
		d.abandonLocked()
		d.mu.Unlock()
		assert.True(t, d.is(cycleEnded))
		await(time.Hour)
		assert.True(t, d.is(cycleEnded))
		assert.Len(t, d.begunAt(), 1)
	})
}

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
		d.quit()
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

// A pause of the process cannot be shown in a bubble, where time passes only while everything waits: the timer's function
// is called here as it would be after one.
func TestCycleATimeoutThatIsFoundMuchLaterIsPutOffOnce(t *testing.T) {
	for name, c := range map[string]struct {
		later time.Duration
		want  time.Duration
	}{
		"in time":      {0, 0},
		"a bit later":  {muchLater, 0},
		"much later":   {muchLater + 1, pardon},
		"an hour late": {time.Hour, pardon},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDancer(func(*dancer, uint32) { time.Sleep(time.Hour) })
				d.set(now())
				await(time.Minute)
				d.mu.Lock()
				d.expiry = now() - instant(c.later)
				d.mu.Unlock()
				d.fire()
				if c.want > 0 {
					await(c.want - 1)
					_, late := d.notes()
					assert.Empty(t, late)
					await(1)
				}
				_, late := d.notes()
				assert.Equal(t, []uint32{1}, late)
				await(2 * time.Hour)
				_, late = d.notes()
				assert.Len(t, late, 1)
			})
		})
	}
}

func TestCycleATimeoutIsPutOffOnceHoweverLateTimersAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDancer(func(*dancer, uint32) { time.Sleep(time.Hour) })
		d.set(now())
		await(time.Minute)
		for range 2 {
			d.mu.Lock()
			d.expiry = now() - instant(time.Hour)
			d.mu.Unlock()
			d.fire()
		}
		_, late := d.notes()
		assert.Equal(t, []uint32{1}, late)
		await(2 * time.Hour)
	})
}

// Here, too, what a pause of the process does is done by moving the time that was set into the past.
func TestACallOfStatusOrReadyThatIsFoundLateIsPutOffOnceHoweverLateTimersAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(WithLogger(slog.New(slog.DiscardHandler)))
		hangs := func(ctx context.Context) error { time.Sleep(time.Hour); return nil }
		none := func(context.Context) error { return nil }
		sick, err := p.Register(Func(none, WithStatus(hangs)), Every(time.Hour))
		require.NoError(t, err)
		unready, err := p.Register(Func(none, WithReady(hangs)), Every(time.Hour))
		require.NoError(t, err)
		await(31 * time.Second)
		status, ready := p.registry.get(sick), p.registry.get(unready)
		for late := range 2 {
			status.mu.Lock()
			watch := status.extra.probe
			watch.due = now() - instant(time.Hour)
			status.mu.Unlock()
			ready.mu.Lock()
			call := ready.extra.ready
			call.due = now() - instant(time.Hour)
			ready.mu.Unlock()
			status.statusExpired(watch)
			ready.readyExpired(call)
			await(0)
			assert.Equal(t, late > 0, status.state().has(lateStatus))
			assert.Equal(t, late > 0, ready.state().has(lateReady))
		}
		await(2 * time.Hour)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestNoTimerOutlivesAPoolBecauseOfLinesThatAreKeptBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(WithLogger(slog.New(slog.DiscardHandler)))
		require.NoError(t, p.Shutdown(context.Background()))
		for range 2 * mostLines { // as a late execution that returns after Shutdown's deadline may log
			p.lines.pass(p)
		}
		p.lines.mu.Lock()
		defer p.lines.mu.Unlock()
		assert.Nil(t, p.lines.timer)
	})
}

// A pause cannot be shown in a bubble: here all that a look compares is moved an hour into the past.
func TestALookAfterAPauseOfTheProcessFindsNothingThatHadNoChance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(WithLogger(slog.New(slog.DiscardHandler)))
		id, err := p.Register(idle{}, Every(2*time.Minute), WithFreshness(10*time.Minute))
		require.NoError(t, err)
		await(31 * time.Second)
		j := p.registry.get(id)
		p.mu.Lock()
		j.mu.Lock()
		p.lookout.lookedAt = p.lookout.lookedAt.after(-time.Hour)
		j.extra.freshness.from = j.extra.freshness.from.after(-time.Hour)
		j.mu.Unlock()
		p.relookLocked()
		p.mu.Unlock()
		await(0)
		info, _ := p.Job(id)
		assert.Zero(t, info.StaleSince)
		await(30 * time.Second)
		info, _ = p.Job(id)
		assert.NotZero(t, info.StaleSince, "now it has had a chance")
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestAPoolLooksForAsLongAsItHasIntervalOrScheduledJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(WithLogger(slog.New(slog.DiscardHandler)))
		looks := func() bool {
			l := &p.lookout.cycle
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.stage == cycleWaiting
		}
		var ids []string
		for _, trigger := range []Trigger{Once(), Every(time.Hour), Cron("@daily")} {
			id, err := p.Register(idle{}, trigger, nil)
			require.NoError(t, err)
			assert.Equal(t, len(ids) > 0, looks())
			ids = append(ids, id)
			await(20 * time.Second)
		}
		p.mu.Lock()
		assert.Equal(t, 30*time.Second, time.Duration(p.lookout.lookedAt-p.registry.get(ids[1]).begun), "the second job has not postponed the look")
		p.mu.Unlock()
		p.UnregisterJob(ids[1])
		assert.True(t, looks())
		p.UnregisterJob(ids[2])
		assert.False(t, looks())
		p.UnregisterJob(ids[0])
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// An idle job does nothing.
type idle struct{}

func (idle) Execute() error { return nil }
func (idle) Status() error  { return nil }
func (idle) Ready() bool    { return true }
