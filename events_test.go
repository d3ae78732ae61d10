package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A witness notes the events that it is told of.
type witness struct {
	mu     sync.Mutex
	events []jobs.Event
}

func (w *witness) see(e jobs.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *witness) option() jobs.PoolOption { return jobs.WithObserver(w.see) }

// seen returns the events so far, in the order of their numbers, and forgets them.
func (w *witness) seen() []jobs.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	slices.SortFunc(events, func(a, b jobs.Event) int { return int(a.Seq) - int(b.Seq) })
	return events
}

// kinds returns what the events are, with the names of their jobs.
func kindsOf(events []jobs.Event) (kinds []string) {
	for _, e := range events {
		kinds = append(kinds, strings.TrimSpace(string(e.Kind)+" "+e.Name))
	}
	return kinds
}

func TestAnObserverIsToldOfAllThatHappensToAJob(t *testing.T) {
	for name, c := range map[string]struct {
		job     jobs.Job
		trigger jobs.Trigger
		pass    time.Duration
		want    string
	}{
		"single run":   {jobstest.Stub{}, jobs.Once(), time.Second, "began ended:success"},
		"that fails":   {jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Once(), time.Second, "began ended:failure"},
		"that panics":  {jobstest.Stub{ExecuteFunc: func() error { panic("no") }}, jobs.Once(), time.Second, "began ended:panic"},
		"Goexit":       {jobstest.Stub{ExecuteFunc: goexit}, jobs.Once(), time.Second, "began ended:panic"},
		"retry":        {jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Retry(2), time.Second, "began ended:failure began ended:failure"},
		"interval":     {jobstest.Stub{}, jobs.Every(time.Second), 1500 * time.Millisecond, "began ended:success began ended:success"},
		"scheduled":    {jobstest.Stub{}, jobs.Cron("* * * * *"), 90 * time.Second, "began ended:success"},
		"late":         {jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(func() error { jobstest.Take(15 * time.Second); return nil })}, jobs.Every(time.Hour), time.Minute, "began late:timeout pool-stopped ended:timeout pool-restarted began ended:success"},
		"abandoned":    {jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(func() error { jobstest.Take(time.Minute); return nil })}, jobs.Every(time.Hour), 2 * time.Minute, "began late:timeout pool-stopped abandoned:timeout pool-restarted began ended:success"},
		"Status fails": {jobstest.Stub{StatusFunc: jobstest.OnlyFirst(func() error { return jobstest.ErrBroken })}, jobs.Every(50 * time.Second), time.Minute, "began ended:success status-failed pool-stopped skipped pool-restarted began ended:success"},
		"Status hangs": {jobstest.Stub{StatusFunc: jobstest.OnlyFirst(func() error { jobstest.Take(40 * time.Second); return nil })}, jobs.Every(65 * time.Second), 2 * time.Minute, "began ended:success status-late pool-stopped skipped pool-restarted began ended:success"},
		"is refused":   {jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(func() error { return jobstest.ErrBroken }), ReadyFunc: readyButTheSecondTime()}, jobs.Every(time.Hour), 2 * time.Minute, "began ended:failure pool-stopped restart-refused pool-restarted began ended:success"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := new(witness)
				p := jobs.NewPool(jobstest.Quiet, w.option(), jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(10*time.Second))
				id := jobstest.Register(t, p, c.job, c.trigger, jobs.WithName("Ada"))
				jobstest.Advance(c.pass)
				p.UnregisterJob(id)
				require.NoError(t, p.Shutdown(context.Background()))
				events := w.seen()
				var kinds []string
				number := uint64(0)
				for i, e := range events {
					assert.EqualValues(t, i+1, e.Seq, "without gaps")
					assert.False(t, e.Time.IsZero())
					kind := string(e.Kind)
					if e.Outcome != "" {
						kind += ":" + string(e.Outcome)
					}
					kinds = append(kinds, kind)
					if e.Kind == jobs.EventBegan {
						number++
					}
					if strings.HasPrefix(kind, "pool") || e.Kind == jobs.EventRestartRefused {
						continue
					}
					assert.Equal(t, []string{id, "Ada"}, []string{e.ID, e.Name})
					switch e.Kind {
					case jobs.EventBegan, jobs.EventEnded, jobs.EventLate, jobs.EventAbandoned:
						assert.Equal(t, number, e.Execution)
						assert.False(t, e.Began.IsZero())
						assert.False(t, e.Due.After(e.Began))
					}
				}
				assert.Equal(t, "registered ready "+c.want+" unregistered pool-shut-down", strings.Join(kinds, " "))
				jobstest.Advance(time.Hour)
				assert.Empty(t, w.seen(), "nobody is told of anything after Shutdown has returned")
			})
		})
	}
}

// readyButTheSecondTime returns a Ready that is true at first, and then once false.
func readyButTheSecondTime() func() bool {
	var calls atomic.Int32
	return func() bool { return calls.Add(1) != 2 }
}

func TestEventsHaveWhatAnOperatorAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(witness)
		p := jobs.NewPool(jobstest.Quiet, w.option())
		start := time.Now()
		f := jobstest.NewFault()
		f.Clear()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { jobstest.Take(2 * time.Second); return f.Err() }, ReadyFunc: f.Absent}, jobs.Every(10*time.Second))
		jobstest.Advance(11 * time.Second) // it executes from 0 to 2, and from 12 to 14
		f.Set()
		jobstest.Advance(90 * time.Second) // attempts at 44 and 104
		f.Clear()
		jobstest.Advance(20 * time.Second)
		at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second).Round(0) }
		var began, ended, stopped, refused, restarted []jobs.Event
		for _, e := range w.seen() {
			switch e.Kind {
			case jobs.EventBegan:
				began = append(began, e)
			case jobs.EventEnded:
				ended = append(ended, e)
			case jobs.EventPoolStopped:
				stopped = append(stopped, e)
			case jobs.EventRestartRefused:
				refused = append(refused, e)
			case jobs.EventPoolRestarted:
				restarted = append(restarted, e)
			}
		}
		require.Len(t, began, 4)
		for i, due := range []int{0, 12, 104, 116} {
			assert.Equal(t, []time.Time{at(due), at(due), at(due)}, []time.Time{began[i].Due, began[i].Began, began[i].Time}, i)
		}
		require.Len(t, ended, 4)
		assert.Equal(t, 2*time.Second, ended[1].Took)
		assert.Equal(t, at(14), ended[1].Time)
		require.ErrorIs(t, ended[1].Error, jobs.ErrExecutingJob)
		require.Len(t, stopped, 1)
		assert.Equal(t, []any{id, "interval", at(14), jobs.PoolStatusStopped}, []any{stopped[0].ID, stopped[0].Type, stopped[0].Time, stopped[0].Status})
		require.ErrorIs(t, stopped[0].Error, jobstest.ErrBroken)
		require.Len(t, refused, 1)
		assert.Equal(t, 1, refused[0].Attempt)
		require.Len(t, restarted, 1)
		assert.Equal(t, []any{2, jobs.PoolStatusRunning}, []any{restarted[0].Attempt, restarted[0].Status})
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// What is due is what it was due at, not when it could begin.
func TestAnEventTellsHowLateAnExecutionHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(witness)
		p := jobs.NewPool(jobstest.Quiet, w.option())
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(10*time.Second))
		jobstest.Advance(5 * time.Second)
		p.JobLock(id)
		w.seen()
		jobstest.Advance(10 * time.Second)
		p.JobUnlock(id)
		synctest.Wait()
		began := w.seen()[0]
		assert.Equal(t, 5*time.Second, began.Began.Sub(began.Due))
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestAPanicOrGoexitInAnObserverChangesNothing(t *testing.T) {
	for name, fails := range map[string]func() error{"panic": func() error { panic("observer") }, "Goexit": goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logged := new(jobstest.Journal)
				var calls atomic.Int64
				before, after := new(witness), new(witness)
				p := jobs.NewPool(logged.Option(), before.option(), jobs.WithObserver(func(jobs.Event) { calls.Add(1); _ = fails() }), after.option())
				f := jobstest.NewFault()
				line := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { line.Mark(); return nil }}, jobs.Every(10*time.Second))
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: f.Err}, jobs.Once())
				jobstest.Advance(45 * time.Second)
				p.SetStatus(jobs.PoolStatusStopped)
				jobstest.Advance(5 * time.Second)
				p.SetStatus(jobs.PoolStatusRunning)
				jobstest.Advance(time.Second)
				p.UnregisterJob(id)
				require.NoError(t, p.Shutdown(context.Background()))
				assert.Equal(t, jobstest.Seconds(0, 10, 20, 30, 40, 50), line.Moments())
				events := before.seen()
				assert.Equal(t, events, after.seen(), "the others are told all the same")
				assert.EqualValues(t, len(events), calls.Load(), "and it is called again")
				assert.EqualValues(t, len(events), p.Info().ObserverFailures)
				assert.Equal(t, len(events), strings.Count(logged.At(slog.LevelError), "observer failed"))
			})
		})
	}
}

func TestAnObserverThatHangsHoldsUpOnlyWhatItIsToldOf(t *testing.T) {
	for _, kind := range []jobs.EventKind{
		jobs.EventRegistered, jobs.EventReady, jobs.EventBegan, jobs.EventEnded, jobs.EventStatusFailed, jobs.EventPoolStopped, jobs.EventRestartRefused,
		jobs.EventPoolRestarted, jobs.EventLate, jobs.EventAbandoned, jobs.EventStatusLate, jobs.EventUnregistered,
	} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hang := make(chan bool)
				var hung atomic.Bool
				p := jobs.NewPool(jobstest.Quiet, jobs.WithExecutionTimeout(10*time.Second), jobs.WithAbandonAfter(time.Minute), jobs.WithObserver(func(e jobs.Event) {
					if e.Kind == kind && e.Name != "well" && !hung.Swap(true) {
						<-hang
					}
				}))
				line := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: line.Execute}, jobs.Every(time.Minute), jobs.WithName("well"))
				troubled := jobstest.OnlyFirst(func() error { return jobstest.ErrBroken })
				slow := jobstest.OnlyFirst(func() error { jobstest.Take(5 * time.Minute); return nil })
				var ids []string
				for _, job := range []jobs.Job{
					jobstest.Stub{ExecuteFunc: troubled, ReadyFunc: readyButTheSecondTime()},
					jobstest.Stub{StatusFunc: jobstest.OnlyFirst(func() error { return jobstest.ErrBroken })},
					jobstest.Stub{StatusFunc: jobstest.OnlyFirst(func() error { jobstest.Take(time.Minute); return nil })},
					jobstest.Stub{ExecuteFunc: slow},
				} {
					ids = append(ids, jobstest.Register(t, p, job, jobs.Every(20*time.Minute)))
				}
				begun := time.Now()
				jobstest.Advance(2 * time.Hour)
				p.UnregisterJob(ids[0])
				assert.LessOrEqual(t, time.Since(begun), 2*time.Hour+time.Millisecond)
				require.True(t, hung.Load())
				assert.Equal(t, "Running", p.GetStatus())
				before := len(line.Moments())
				jobstest.Advance(time.Hour)
				assert.InDelta(t, 60, len(line.Moments())-before, 1)

				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				err := p.Shutdown(ctx)
				require.ErrorContains(t, err, "an observer")
				for _, innocent := range []string{") in Execute", ") in Status", ") in Ready", "logger"} {
					assert.NotContains(t, err.Error(), innocent)
				}
				close(hang)
				require.NoError(t, p.Shutdown(context.Background()))
				jobstest.Advance(10 * time.Minute) // an abandoned execution may go on
			})
		})
	}
}

func TestAnObserverMayCallEveryMethodOfThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *jobs.Pool
		var left atomic.Int32
		left.Store(50)
		p = jobs.NewPool(jobstest.Quiet, jobs.WithObserver(func(e jobs.Event) {
			if left.Add(-1) < 0 {
				return
			}
			p.Info()
			p.Events()
			for range p.Jobs() {
			}
			_, _ = p.Register(jobstest.Stub{}, jobs.Every(time.Minute))
			p.GetJobStatus(e.ID)
			_ = p.RunNow(e.ID)
			p.UnregisterJob(e.ID)
			p.SetStatus(jobs.PoolStatusStopped)
			p.SetStatus(jobs.PoolStatusRunning)
			p.UpdateDurations(time.Minute, time.Minute)
			assert.ErrorIs(t, errorOfShutdownInside(p, e), jobs.ErrInsideCall)
		}))
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Minute))
		jobstest.Advance(time.Hour)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// errorOfShutdownInside shuts the pool down at the very last event, and otherwise returns the error of that.
func errorOfShutdownInside(p *jobs.Pool, e jobs.Event) error {
	if e.Seq < 40 {
		return fmt.Errorf("not yet: %w", jobs.ErrInsideCall)
	}
	return p.Shutdown(context.Background())
}

func TestEventsKeepsTheLastThatAreNeitherBeginningsNorGoodEnds(t *testing.T) {
	for name, opts := range map[string][]jobs.PoolOption{"observed": {jobs.WithObserver(func(jobs.Event) {})}, "not observed": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := jobs.NewPool(append(opts, jobstest.Quiet)...)
				jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Second), jobs.WithName("good"))
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Every(time.Minute), jobs.Detached(), jobs.WithName("bad"))
				jobstest.Advance(time.Minute + time.Second)
				assert.Equal(t, []string{"registered good", "registered bad", "ready bad", "ended bad", "ended bad"}, without(kindsOf(p.Events()), "ready good"))
				jobstest.Advance(10 * time.Hour)
				events := p.Events()
				require.Len(t, events, 256)
				last := events[255]
				assert.Equal(t, []any{jobs.EventEnded, "bad", jobs.OutcomeFailure, uint64(602)}, []any{last.Kind, last.Name, last.Outcome, last.Execution})
				assert.True(t, slices.IsSortedFunc(events, func(a, b jobs.Event) int { return int(a.Seq) - int(b.Seq) }))
				require.NoError(t, p.Shutdown(context.Background()))
			})
		})
	}
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == one })
}

// Outside a bubble, for the sake of real parallelism.
func TestTheEventsOfOneJobAreToldInOrder(t *testing.T) {
	var mu sync.Mutex
	last := map[string]jobs.Event{}
	var seqs []uint64
	next := map[jobs.EventKind][]jobs.EventKind{
		"":                   {jobs.EventRegistered},
		jobs.EventRegistered: {jobs.EventReady, jobs.EventUnregistered},
		jobs.EventReady:      {jobs.EventBegan, jobs.EventUnregistered},
		jobs.EventBegan:      {jobs.EventEnded, jobs.EventUnregistered},
		jobs.EventEnded:      {jobs.EventBegan, jobs.EventUnregistered},
	}
	p := jobs.NewPool(jobstest.Quiet, jobs.WithObserver(func(e jobs.Event) {
		mu.Lock()
		defer mu.Unlock()
		seqs = append(seqs, e.Seq)
		if e.ID == "" {
			return
		}
		was := last[e.ID]
		last[e.ID] = e
		switch {
		case was.Kind == jobs.EventUnregistered && e.Kind == jobs.EventEnded: // it was executing
		case !slices.Contains(next[was.Kind], e.Kind):
			t.Errorf("%s comes after %s", e.Kind, was.Kind)
		case e.Seq < was.Seq:
			t.Errorf("event %d comes after event %d", e.Seq, was.Seq)
		}
		runtime.Gosched()
	}))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				id, err := p.Register(jobstest.Stub{}, jobs.Every(time.Microsecond))
				require.NoError(t, err)
				for range 20 {
					runtime.Gosched()
				}
				p.UnregisterJob(id)
			}
		})
	}
	all.Wait()
	require.NoError(t, p.Shutdown(context.Background()))
	slices.Sort(seqs)
	for i, seq := range seqs {
		require.EqualValues(t, i+1, seq, "without gaps")
	}
	for _, e := range last {
		require.Contains(t, []jobs.EventKind{jobs.EventUnregistered, jobs.EventEnded}, e.Kind)
	}
}

func TestANilObserverIsIgnored(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		q := jobs.NewPool(jobstest.Quiet, jobs.WithObserver(nil))
		jobstest.Register(t, q, jobstest.Stub{}, jobs.Once())
		jobstest.Advance(time.Second)
		require.NoError(t, q.Shutdown(context.Background()))
	})
}

func TestAStopDoesNotWaitForAnObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *jobs.Pool
		status := make(chan string, 1)
		p = jobs.NewPool(jobstest.Quiet, jobs.WithObserver(func(e jobs.Event) {
			if e.Kind == jobs.EventEnded && e.Outcome == jobs.OutcomeFailure {
				status <- p.GetStatus()
			}
		}))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: jobstest.OnlyFirst(func() error { return errors.New("no") })}, jobs.Every(time.Hour))
		synctest.Wait()
		assert.Equal(t, "Stopped", <-status, "when the first is told of the failure")
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

// What has begun for observers has not been called yet: it is not executing.
func TestAnObserverThatHangsBeforeAnExecutionIsNamed(t *testing.T) {
	log := new(jobstest.Journal)
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		p := jobs.NewPool(log.Option(), jobs.WithObserver(func(e jobs.Event) {
			if e.Kind == jobs.EventBegan {
				<-hang
			}
		}))
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Minute))
		jobstest.Advance(10 * time.Minute)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, jobs.ReasonObserving, info.Reason)
		assert.False(t, info.OverdueSince.IsZero())
		assert.Len(t, linesOf(log, slog.LevelWarn, "job is overdue"), 1)
		close(hang)
		jobstest.Advance(time.Second)
		assert.Equal(t, jobs.ReasonNotDue, jobstest.InfoOf(t, p, id).Reason)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}
