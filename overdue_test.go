package jobs_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// warningsOf are the kinds of event of which an operator is told without anything having failed.
type warningsOf struct {
	mu   sync.Mutex
	seen []jobs.Event
}

func (w *warningsOf) Option() jobs.PoolOption {
	return jobs.WithObserver(func(e jobs.Event) {
		switch e.Kind {
		case jobs.EventOverdue, jobs.EventStale, jobs.EventRecovered:
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen = append(w.seen, e)
		}
	})
}

// take returns the kinds and reasons since the last call.
func (w *warningsOf) take() (seen []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.seen {
		seen = append(seen, string(e.Kind)+": "+e.Reason)
	}
	w.seen = nil
	return seen
}

// A sticky schedule fires each minute. Its Next does not return while it is held.
type sticky struct{ held *jobstest.Fault }

func newSticky() sticky {
	s := sticky{jobstest.NewFault()}
	s.held.Clear()
	return s
}

func (s sticky) Next(t time.Time) time.Time {
	for s.held.Err() != nil {
		time.Sleep(time.Second)
	}
	return t.Truncate(time.Minute).Add(time.Minute)
}

// holds is an observer that does not return from an event of that kind while it is held.
func (s sticky) holds(kind jobs.EventKind) jobs.PoolOption {
	return jobs.WithObserver(func(e jobs.Event) {
		for e.Kind == kind && s.held.Err() != nil {
			time.Sleep(time.Second)
		}
	})
}

func TestAnExecutionThatIsDueAndDoesNotBeginIsOverdue(t *testing.T) {
	for name, c := range map[string]struct{ observer bool }{
		"since its schedule does not return": {},
		"since an observer does not return":  {observer: true},
	} {
		for _, detached := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				log, schedule, observer := new(jobstest.Journal), newSticky(), newSticky()
				held, reason := schedule.held, jobs.ReasonNextPending
				if c.observer {
					held, reason = observer.held, jobs.ReasonObserving
				}
				var told warningsOf
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					opts := []jobs.JobOption{jobs.WithName("sticky")}
					if detached {
						opts = append(opts, jobs.Detached())
					}
					id := jobstest.Register(t, p, jobstest.Idler{}, jobs.On(schedule), opts...)
					jobstest.Advance(150 * time.Second)
					held.Set()
					jobstest.Advance(time.Minute)
					executions := jobstest.InfoOf(t, p, id).Executions
					assert.Zero(t, jobstest.InfoOf(t, p, id).OverdueSince, "it has not been for long enough")
					assert.Empty(t, log.AtLeast(slog.LevelInfo))

					jobstest.Advance(time.Minute)
					info := jobstest.InfoOf(t, p, id)
					assert.Equal(t, executions, info.Executions)
					assert.Equal(t, reason, info.Reason)
					assert.InDelta(t, 75, time.Since(info.OverdueSince).Seconds(), 30)
					assert.Equal(t, jobs.PoolStatusRunning, p.Status(), "it is a warning, and never a stop")
					lines := log.AtLeast(slog.LevelInfo)
					require.Len(t, lines, 1)
					assert.Equal(t, slog.LevelWarn, lines[0].Level)
					assert.Equal(t, []string{"job is overdue", id, "sticky", string(reason)},
						[]string{lines[0].Message, lines[0].Text("id"), lines[0].Text("job"), lines[0].Text("reason")})
					assert.InDelta(t, 60, lines[0].Attrs["for"].Duration().Seconds(), 31)

					jobstest.Advance(11 * time.Minute)
					lines = log.AtLeast(slog.LevelInfo)
					require.Len(t, lines, 2, "once in ten minutes")
					assert.NotZero(t, lines[1].Attrs["kept_back"].Uint64())

					held.Clear()
					jobstest.Advance(2 * time.Minute)
					info = jobstest.InfoOf(t, p, id)
					assert.Greater(t, info.Executions, executions)
					assert.Zero(t, info.OverdueSince)
					assert.Equal(t, []string{"overdue: " + string(reason), "recovered: overdue"}, told.take())
					lines = log.AtLeast(slog.LevelInfo)
					require.Len(t, lines, 3)
					assert.Equal(t, "job is no longer overdue", lines[2].Message)
					jobstest.Advance(time.Hour)
					assert.Len(t, log.AtLeast(slog.LevelInfo), 3)
				}, log.Option(), observer.holds(jobs.EventEnded), told.Option())
			})
		}
	}
}

func TestALineAboutAnOverdueJobDoesNotWaitForTheObserverThatDelaysIt(t *testing.T) {
	log, observer := new(jobstest.Journal), newSticky()
	observer.held.Set()
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Minute))
		other := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.Advance(10 * time.Minute)
		require.Len(t, linesOf(log, slog.LevelWarn, "job is overdue"), 1)
		assert.Zero(t, jobstest.InfoOf(t, p, other).OverdueSince, "it is not due")
		observer.held.Clear()
		jobstest.Advance(time.Minute)
	}, log.Option(), observer.holds(jobs.EventEnded))
}

func TestWithOverdueAfterSetsHowLongAnExecutionMayBeDue(t *testing.T) {
	log, schedule := new(jobstest.Journal), newSticky()
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.On(schedule))
		jobstest.Advance(time.Second)
		schedule.held.Set()
		jobstest.Advance(10 * time.Minute)
		assert.Zero(t, jobstest.InfoOf(t, p, id).OverdueSince)
		assert.Empty(t, log.AtLeast(slog.LevelInfo))
		jobstest.Advance(2 * time.Minute)
		assert.NotZero(t, jobstest.InfoOf(t, p, id).OverdueSince)
		schedule.held.Clear()
		jobstest.Advance(time.Second)
		assert.Zero(t, jobstest.InfoOf(t, p, id).OverdueSince, "from the moment on from which it is not")
	}, log.Option(), jobs.WithOverdueAfter(10*time.Minute))
}

func TestAnOverdueJobThatIsPausedIsNoLongerOverdue(t *testing.T) {
	schedule := newSticky()
	var told warningsOf
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.On(schedule))
		jobstest.Advance(time.Second)
		schedule.held.Set()
		jobstest.Advance(3 * time.Minute)
		require.NotZero(t, jobstest.InfoOf(t, p, id).OverdueSince)
		require.NoError(t, p.Pause(id, "its schedule hangs"))
		assert.Zero(t, jobstest.InfoOf(t, p, id).OverdueSince)
		jobstest.Advance(time.Minute)
		assert.Equal(t, []string{"overdue: next-pending", "recovered: overdue"}, told.take())
		schedule.held.Clear()
		jobstest.Advance(time.Minute)
	}, told.Option())
}

// Nobody has noted when it was due: at once.
func TestAnExecutionThatWasDueAtOnceIsOverdueSinceALookFoundIt(t *testing.T) {
	held := jobstest.NewFault()
	var calls atomic.Int32
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.On(jobstest.NextFunc(func(t time.Time) time.Time {
			for calls.Add(1) > 1 && held.Err() != nil { // the first is Register's
				time.Sleep(time.Second)
			}
			return t.Add(time.Hour)
		})))
		jobstest.Advance(61 * time.Second)
		assert.WithinDuration(t, start.Add(30*time.Second), jobstest.InfoOf(t, p, id).OverdueSince, time.Second)
		held.Clear()
		jobstest.Advance(time.Minute)
	})
}

func TestAPoolLooksAtMostEveryTenSeconds(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.NeverReady, jobs.Every(time.Hour), jobs.WithFreshness(11*time.Second))
		jobstest.Advance(19 * time.Second)
		assert.Zero(t, jobstest.InfoOf(t, p, id).StaleSince)
		jobstest.Advance(2 * time.Second)
		assert.NotZero(t, jobstest.InfoOf(t, p, id).StaleSince)
	}, jobs.WithStatusInterval(time.Second))
}

func TestUpdateDurationsSetsHowOftenAPoolLooks(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.NeverReady, jobs.Every(time.Hour), jobs.WithFreshness(time.Second))
		p.UpdateDurations(15*time.Second, time.Minute)
		jobstest.Advance(16 * time.Second)
		assert.NotZero(t, jobstest.InfoOf(t, p, id).StaleSince)
	})
}

func TestAJobThatAGateKeepsFromExecutingIsNotOverdue(t *testing.T) {
	lasting := jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil })
	for name, c := range map[string]struct {
		job jobs.Job
		act func(p *jobs.Pool, id string)
	}{
		"between executions": {jobstest.Idler{}, func(*jobs.Pool, string) {}},
		"executing":          {lasting, func(*jobs.Pool, string) {}},
		"not ready":          {jobstest.Stub{ReadyFunc: func() bool { return false }}, func(*jobs.Pool, string) {}},
		"paused":             {jobstest.Idler{}, func(p *jobs.Pool, id string) { _ = p.Pause(id, "a reason") }},
		"locked":             {jobstest.Idler{}, func(p *jobs.Pool, id string) { p.JobLock(id) }},
		"stopped":            {jobstest.Idler{}, func(p *jobs.Pool, _ string) { _ = p.PausePool("a reason") }},
		"beyond the most concurrent": {jobstest.Idler{}, func(p *jobs.Pool, _ string) {
			for range 2 {
				_, _ = p.Register(lasting, jobs.Once())
			}
		}},
		"drained": {jobstest.Idler{}, func(p *jobs.Pool, _ string) { _ = p.Drain(jobstest.MinuteTimeout()) }},
	} {
		t.Run(name, func(t *testing.T) {
			var told warningsOf
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, c.job, jobs.Every(10*time.Minute))
				jobstest.Advance(time.Second)
				c.act(p, id)
				for range 120 {
					jobstest.Advance(time.Minute)
					require.Zero(t, jobstest.InfoOf(t, p, id).OverdueSince)
				}
				assert.Empty(t, told.take())
				p.JobUnlock(id)
			}, told.Option(), jobs.WithMaxConcurrent(2), jobs.WithExecutionTimeout(0))
		})
	}
}

// What keeps the job from succeeding is an error, a hang, or somebody's decision: it is stale whatever it is.
func TestAJobThatHasNotSucceededWithinItsFreshnessIsStale(t *testing.T) {
	failing := jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}
	hanging := jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	for name, c := range map[string]struct {
		job jobs.Job
		act func(p *jobs.Pool, id string)
		opt jobs.JobOption
	}{
		"since it fails":            {failing, nil, nil},
		"since it fails, detached":  {failing, nil, jobs.Detached()},
		"since it exceeds its time": {hanging, nil, jobs.Detached()},
		"since it is not ready":     {jobstest.Stub{ReadyFunc: func() bool { return false }}, nil, nil},
		"since it is paused":        {jobstest.Idler{}, func(p *jobs.Pool, id string) { _ = p.Pause(id, "a reason") }, nil},
		"since it is locked":        {jobstest.Idler{}, func(p *jobs.Pool, id string) { p.JobLock(id) }, nil},
		"since its pool is stopped": {jobstest.Idler{}, func(p *jobs.Pool, _ string) { _ = p.PausePool("a reason") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(jobstest.Journal)
			var told warningsOf
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				registered := time.Now()
				id := jobstest.Register(t, p, c.job, jobs.Every(10*time.Minute), jobs.WithFreshness(time.Hour), c.opt)
				if c.act != nil {
					c.act(p, id)
				}
				jobstest.Advance(time.Hour)
				assert.Zero(t, jobstest.InfoOf(t, p, id).StaleSince)
				assert.Empty(t, linesOf(log, slog.LevelWarn, "job is stale"))
				status := p.GetStatus()

				jobstest.Advance(time.Minute)
				info := jobstest.InfoOf(t, p, id)
				assert.WithinDuration(t, registered.Add(time.Hour), info.StaleSince, 2*time.Second)
				assert.Len(t, told.take(), 1)
				lines := linesOf(log, slog.LevelWarn, "job is stale")
				require.Len(t, lines, 1)
				assert.Equal(t, id, lines[0].Text("id"))
				assert.InDelta(t, 3600, lines[0].Attrs["without_success_for"].Duration().Seconds(), 60)
				assert.Equal(t, status, p.GetStatus(), "it is a warning, and never a stop")

				jobstest.Advance(11 * time.Minute)
				lines = linesOf(log, slog.LevelWarn, "job is stale")
				require.Len(t, lines, 2, "once in ten minutes")
				assert.NotZero(t, lines[1].Attrs["kept_back"].Uint64())
				assert.Empty(t, told.take(), "observers are told once")
				p.JobUnlock(id)
			}, log.Option(), told.Option())
		})
	}
}

func TestASuccessEndsStaleness(t *testing.T) {
	log, broken := new(jobstest.Journal), jobstest.NewFault()
	var told warningsOf
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		broken.Clear()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: broken.Err}, jobs.Cron("*/10 * * * *"), jobs.WithFreshness(15*time.Minute), jobs.Detached())
		jobstest.Advance(10 * time.Hour)
		assert.Empty(t, told.take(), "it succeeds often enough")
		broken.Set()
		jobstest.Advance(20 * time.Minute)
		assert.Equal(t, []string{"stale: not-due"}, told.take())
		info := jobstest.InfoOf(t, p, id)
		assert.WithinDuration(t, info.LastSuccess.Add(15*time.Minute), info.StaleSince, time.Second)

		broken.Clear()
		require.NoError(t, p.RunNow(id))
		jobstest.Advance(time.Millisecond)
		assert.Zero(t, jobstest.InfoOf(t, p, id).StaleSince, "at once")
		jobstest.Advance(time.Minute)
		assert.Equal(t, []string{"recovered: stale"}, told.take(), "observers at the next look")
		require.Len(t, linesOf(log, slog.LevelInfo, "job is no longer stale"), 1)
		broken.Set()
		jobstest.Advance(20 * time.Minute)
		assert.Equal(t, []string{"stale: not-due"}, told.take(), "once more")
	}, log.Option(), told.Option())
}

func TestAJobThatHasEndedOrIsGoneIsNotStale(t *testing.T) {
	var told warningsOf
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		ended := jobstest.Register(t, p, jobstest.Idler{}, jobs.On(jobstest.OnceIn(time.Minute)), jobs.WithFreshness(time.Hour))
		gone := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return false }}, jobs.Every(time.Hour), jobs.WithFreshness(time.Hour))
		jobstest.Advance(30 * time.Minute)
		require.Equal(t, "Finished", p.GetJobStatus(ended))
		p.UnregisterJob(gone)
		jobstest.Advance(24 * time.Hour)
		assert.Empty(t, told.take())
		assert.Zero(t, jobstest.InfoOf(t, p, ended).StaleSince)
	}, told.Option())
}
