package jobs_test

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestWithStatusIntervalAndWithRetryInterval(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		failing, sweeps := newFault(), newTimeline()
		register(t, p, stub{status: func() error { sweeps.mark(); return failing.err() }}, jobs.Every(forAges))
		sweeps.fill(10 * time.Second)
		failing.mend()
		sweeps.fill(30 * time.Second)
		assert.Equal(t, seconds(4, 15, 19, 23, 27), sweeps.moments())
	}, jobs.WithStatusInterval(4*time.Second), jobs.WithRetryInterval(7*time.Second))
}

func TestWithExecutionTimeout(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  []jobs.PoolOption
		limit time.Duration
	}{
		{"5 minutes unless set", nil, 5 * time.Minute},
		{"set", []jobs.PoolOption{jobs.WithExecutionTimeout(time.Second)}, time.Second},
		{"0 is none", []jobs.PoolOption{jobs.WithExecutionTimeout(0)}, forAges},
		{"less is none", []jobs.PoolOption{jobs.WithExecutionTimeout(-1)}, forAges},
	} {
		t.Run(c.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				end := make(chan bool)
				register(t, p, stub{execute: func() error { <-end; return nil }}, jobs.Every(time.Hour))
				pass(c.limit - 1)
				assert.Equal(t, "Running", p.GetStatus())
				if c.limit != forAges {
					pass(1)
					assert.Equal(t, "Stopped", p.GetStatus())
				}
				close(end)
			}, append(c.opts, jobs.WithStatusInterval(time.Hour))...)
		})
	}
}

func TestAnIntervalOptionOfZeroOrLessIsLoggedOnceAndIgnored(t *testing.T) {
	for _, order := range []string{"logger first", "logger last"} {
		t.Run(order, func(t *testing.T) {
			logged := new(journal)
			opts := []jobs.PoolOption{logged.option(), nil, jobs.WithStatusInterval(0), jobs.WithRetryInterval(-1)}
			if order == "logger last" {
				opts = []jobs.PoolOption{jobs.WithStatusInterval(0), jobs.WithRetryInterval(-1), logged.option()}
			}
			stray := new(journal)
			former := slog.Default()
			slog.SetDefault(slog.New(stray))
			defer slog.SetDefault(former)
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				sweeps := newTimeline()
				register(t, p, stub{status: sweeps.status}, jobs.Every(forAges))
				sweeps.fill(31 * time.Second)
				assert.Equal(t, seconds(30), sweeps.moments())
			}, opts...)
			assert.Len(t, logged.atLeast(warning), 2)
			assert.Empty(t, stray.atLeast(warning), "the pool has a logger of its own")
		})
	}
}

func TestWithAbandonAfterGivesALateExecutionUp(t *testing.T) {
	logged := new(journal)
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		end := make(chan bool)
		defer close(end)
		id := register(t, p, stub{execute: func() error {
			calls.mark()
			if len(calls.moments()) == 1 {
				<-end
				return errBroken
			}
			return nil
		}}, jobs.Every(7*time.Second), jobs.Detached())
		calls.fill(15*time.Second - 1) // limit 10, abandoned 5 later
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		assert.Zero(t, p.Info().Abandoned)
		lines := len(logged.atLeast(failing))
		calls.fill(15 * time.Second)
		assert.Equal(t, 1, p.Info().Abandoned, "it is counted")
		assert.Len(t, logged.atLeast(failing), lines+1, "and logged")
		p.JobLock(id) // its lock is released
		p.JobUnlock(id)
		assert.EqualValues(t, 1, infoOf(t, p, id).Failures)
		calls.fill(30 * time.Second)
		assert.Equal(t, seconds(0, 22, 29), calls.moments(), "and the job executes again")
		assert.Equal(t, "Running", p.GetJobStatus(id))
		end <- true // what the abandoned one returns is ignored
		pass(0)
		info := infoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures)
		assert.EqualValues(t, 3, info.Executions)
		assert.Equal(t, jobs.JobStatusRunning, info.Status)
	}, logged.option(), jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(5*time.Second))
}

func TestAnAbandonedExecutionDoesNotHoldTheRestartUp(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan bool)
		defer close(end)
		id := register(t, p, stub{execute: onlyFirst(func() error { <-end; return nil })}, jobs.Every(forAges))
		pass(time.Minute - 1)
		require.Equal(t, "Stopped", p.GetStatus())
		pass(1) // abandoned
		assert.Equal(t, "Running", p.GetStatus())
		assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
	}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(50*time.Second))
}

func TestAnExecutionThatReturnsBeforeItIsAbandonedIsNot(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		register(t, p, stub{execute: func() error { calls.mark(); time.Sleep(12 * time.Second); return nil }},
			jobs.Every(time.Second), jobs.Detached())
		calls.fill(100 * time.Second)
		assert.Zero(t, p.Info().Abandoned)
		assert.Equal(t, seconds(0, 13, 26, 39, 52, 65, 78, 91), calls.moments())
	}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(5*time.Second))
}

func TestAbandonedSingleRunAndRetryJobs(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan bool)
		defer close(end)
		calls := newTimeline()
		hang := func() error { calls.mark(); <-end; return nil }
		single := register(t, p, stub{execute: hang}, jobs.Once(), jobs.WithJobTimeout(time.Second))
		pass(2 * time.Second)
		retry := register(t, p, stub{execute: hang}, jobs.Retry(2), jobs.WithJobTimeout(time.Second))
		calls.fill(time.Minute)
		assert.Equal(t, seconds(0, 2, 8), calls.moments(), "an attempt is late after 1 s and given up 5 s later")
		assert.Equal(t, 3, p.Info().Abandoned)
		assert.Equal(t, "Failed", p.GetJobStatus(single))
		assert.Equal(t, "Failed", p.GetJobStatus(retry))
	}, jobs.WithAbandonAfter(5*time.Second))
}

func TestWithoutWithAbandonAfterAJobNeverHasTwoExecutions(t *testing.T) {
	for _, opts := range [][]jobs.PoolOption{nil, {jobs.WithAbandonAfter(0)}, {jobs.WithAbandonAfter(-1)}} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := newTimeline()
			end := make(chan bool)
			id := register(t, p, stub{execute: func() error { calls.mark(); <-end; return nil }}, jobs.Every(time.Second))
			pass(99 * time.Hour)
			assert.Len(t, calls.moments(), 1)
			assert.Equal(t, "Failed", p.GetJobStatus(id))
			close(end)
		}, opts...)
	}
}

func TestWithOnStatusIsCalledWhenTheStatusHasChanged(t *testing.T) {
	var mu sync.Mutex
	var seen []jobs.PoolInfo
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{}, jobs.Once())
		pass(time.Second)
		culprit := haltPool(p)
		pass(time.Minute)
		require.NoError(t, p.Shutdown(context.Background()))
		mu.Lock()
		defer mu.Unlock()
		require.Len(t, seen, 4)
		assert.Equal(t, jobs.PoolStatusRunning, seen[0].Status)
		assert.Equal(t, jobs.PoolStatusStopped, seen[1].Status)
		assert.Equal(t, culprit, seen[1].StoppedBy)
		assert.Equal(t, 30*time.Second, seen[1].NextAttempt.Sub(seen[1].Since))
		assert.Equal(t, jobs.PoolStatusRunning, seen[2].Status)
		assert.Equal(t, 1, seen[2].Restarts)
		assert.Equal(t, jobs.PoolStatusStopped, seen[3].Status)
		assert.ErrorIs(t, seen[3].StopError, jobs.ErrShutdown)
	}, jobs.WithOnStatus(func(i jobs.PoolInfo) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, i)
	}))
}

func TestWithOnStatusIsCalledOneCallAfterTheOtherInOrder(t *testing.T) {
	var calling, overlaps, calls atomic.Int32
	var last atomic.Pointer[jobs.PoolInfo]
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{}, jobs.Once())
		for range 5 {
			p.SetStatus(jobs.PoolStatusStopped)
			pass(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(time.Second)
		}
		pass(time.Hour)
		assert.EqualValues(t, 11, calls.Load())
		assert.Zero(t, overlaps.Load())
		assert.Equal(t, 5, last.Load().Restarts)
	}, jobs.WithOnStatus(func(i jobs.PoolInfo) {
		if calling.Add(1) > 1 {
			overlaps.Add(1)
		}
		time.Sleep(10 * time.Second)
		calls.Add(1)
		last.Store(&i)
		calling.Add(-1)
	}))
}

func TestWithOnStatusMayPanicGoexitAndCallThePool(t *testing.T) {
	calls := new(atomic.Int32)
	var pool atomic.Pointer[jobs.Pool]
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		pool.Store(p)
		register(t, p, stub{}, jobs.Once())
		pass(0)
		haltPool(p)
		pass(time.Minute)
		assert.EqualValues(t, 3, calls.Load())
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithOnStatus(func(jobs.PoolInfo) {
		switch calls.Add(1) {
		case 1:
			panic("no")
		case 2:
			runtime.Goexit()
		}
		pool.Load().Info()
	}))
}

func TestNoAnnouncementIsLostToALogHandlerThatEndsTheGoroutine(t *testing.T) {
	var calls int
	exits := jobs.WithLogger(slog.New(exitsAt("status function failed")))
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{}, jobs.Once())
		pass(0)
		haltPool(p)
		pass(time.Minute)
		assert.Equal(t, 3, calls)
		require.NoError(t, p.Shutdown(t.Context()))
	}, exits, jobs.WithOnStatus(func(jobs.PoolInfo) {
		if calls++; calls == 1 {
			panic("no")
		}
	}))
}

// exitsAt is a log handler that ends the goroutine of who logs that message.
type exitsAt string

func (exitsAt) Enabled(context.Context, slog.Level) bool { return true }
func (h exitsAt) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h exitsAt) WithGroup(string) slog.Handler          { return h }
func (h exitsAt) Handle(_ context.Context, r slog.Record) error {
	if r.Message == string(h) {
		runtime.Goexit()
	}
	return nil
}

func TestAWithOnStatusThatHangsHoldsNothingUp(t *testing.T) {
	var end chan bool
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end = make(chan bool)
		register(t, p, stub{}, jobs.Once())
		pass(0)
		haltPool(p)
		pass(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		close(end)
	}, jobs.WithOnStatus(func(jobs.PoolInfo) { <-end }))
}

func TestWithOnStatusThatFallsFarBehindMissesWhatIsInBetweenButNeverTheLatest(t *testing.T) {
	var end chan bool
	var told []jobs.PoolInfo
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end = make(chan bool)
		register(t, p, stub{}, jobs.Once())
		const rounds = 1000
		for range rounds {
			p.SetStatus(jobs.PoolStatusStopped)
			pass(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			pass(time.Second)
		}
		close(end)
		synctest.Wait()
		assert.Less(t, len(told), rounds/10, "of two each round: else they would fill the memory")
		assert.Equal(t, []int{0, 0, 1, 1, 2}, restartsOf(told[:5]), "the earliest come first")
		assert.Equal(t, p.Info(), told[len(told)-1])
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) {
		<-end
		told = append(told, info)
	}))
}

func restartsOf(infos []jobs.PoolInfo) (counts []int) {
	for _, info := range infos {
		counts = append(counts, info.Restarts)
	}
	return counts
}

func TestShutdownHasOnlyTheLatestStatusAnnounced(t *testing.T) {
	var announced []jobs.PoolInfo
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{}, jobs.Every(forAges))
		for range 20 { // Stopped for half a minute, and Running for another
			pass(30 * time.Second)
			stopPool(p)
			pass(30 * time.Second)
		}
		before := len(announced)
		start := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.LessOrEqual(t, time.Since(start), 20*time.Minute, "the call in progress, and the latest")
		require.Len(t, announced, before+1)
		assert.Equal(t, p.Info(), announced[before])
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) {
		announced = append(announced, info)
		time.Sleep(10 * time.Minute)
	}))
}
