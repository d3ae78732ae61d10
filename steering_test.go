package jobs_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestAPausedJobBeginsNothingAndIsNotPolled(t *testing.T) {
	for name, c := range map[string]struct {
		trigger jobs.Trigger
		opts    []jobs.JobOption
	}{
		"interval":  {jobs.Every(time.Minute), nil},
		"detached":  {jobs.Every(time.Minute), []jobs.JobOption{jobs.Detached()}},
		"scheduled": {jobs.Cron("* * * * *"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				executions, polls := jobstest.NewTimeline(), jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute, StatusFunc: polls.Execute}, c.trigger, c.opts...)
				executions.AdvanceTo(150 * time.Second)
				before, polled := len(executions.Moments()), len(polls.Moments())
				require.NoError(t, p.Pause(id, "the gateway is being moved"))
				executions.AdvanceTo(10*time.Minute + 30*time.Second)
				assert.Len(t, executions.Moments(), before)
				assert.Len(t, polls.Moments(), polled)
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				assert.Equal(t, "Running", p.GetStatus())
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, jobs.ReasonPaused, info.Reason)
				assert.Equal(t, &jobs.Pause{Since: executions.Start.Add(150 * time.Second).Round(0), Reason: "the gateway is being moved"}, info.Paused)
				assert.Zero(t, info.NextRun)

				require.NoError(t, p.Resume(id))
				jobstest.Advance(0)
				want := []time.Duration{10*time.Minute + 30*time.Second}
				if name == "scheduled" {
					want = want[:0] // but at its next occurrence
				}
				assert.Equal(t, want, executions.Moments()[before:])
				jobstest.Advance(time.Minute)
				assert.Len(t, executions.Moments(), before+len(want)+1)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				assert.Nil(t, jobstest.InfoOf(t, p, id).Paused)
			})
		})
	}
}

func TestAJobThatIsResumedBeforeItIsDueKeepsItsTime(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		line := jobstest.NewTimeline()
		for _, trigger := range []jobs.Trigger{jobs.Every(time.Hour), jobs.Cron("0 * * * *")} {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: line.Execute}, trigger)
			line.AdvanceTo(time.Second)
			require.NoError(t, p.Pause(id, "for a moment"))
			require.NoError(t, p.Resume(id))
		}
		line.AdvanceTo(90 * time.Minute)
		assert.Equal(t, []time.Duration{0, time.Hour, time.Hour}, line.Moments())
	})
}

func TestWhatIsInFlightWhenAJobIsPausedGoesOnAndStopsNobody(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, jobstest.ErrBroken), jobs.Every(time.Hour))
		late := jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		for _, id := range []string{id, late} {
			require.NoError(t, p.Pause(id, "it fails"))
			assert.Equal(t, "Running", p.GetJobStatus(id), "executing")
		}
		jobstest.Advance(time.Minute)
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures)
		jobstest.Advance(10 * time.Minute)
		assert.Equal(t, "Failed", p.GetJobStatus(late))
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAPausedJobHoldsUpNobody(t *testing.T) {
	f := jobstest.NewFault()
	for name, bad := range map[string]jobstest.Stub{
		"not ready": {ExecuteFunc: f.Err, ReadyFunc: jobstest.NewFault().Absent},
		"refuses":   {ExecuteFunc: func() error { return jobstest.ErrBroken }, ReadyFunc: readyOnlyTheFirstTime()},
		"late":      {ExecuteFunc: func() error { jobstest.Take(3 * time.Hour); return nil }},
		"asked":     {ExecuteFunc: func() error { return jobstest.ErrBroken }, ReadyFunc: hangsTheSecondTime(3 * time.Hour)},
		"Status":    {StatusFunc: func() error { jobstest.Take(3 * time.Hour); return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				line := jobstest.NewTimeline()
				id := jobstest.Register(t, p, bad, jobs.Every(time.Hour))
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: line.Execute}, jobs.Every(time.Minute))
				jobstest.Advance(30 * time.Minute)
				if name != "not ready" {
					require.Equal(t, "Stopped", p.GetStatus())
				}
				require.NoError(t, p.Pause(id, "so that the others go on"))
				jobstest.Advance(15 * time.Minute) // an attempt may be 10 minutes away
				assert.Equal(t, "Running", p.GetStatus())
				assert.Empty(t, p.Info().HeldUpBy)
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				require.NoError(t, p.WaitRunning(ctx))
				before := len(line.Moments())
				jobstest.Advance(10 * time.Minute)
				assert.Len(t, line.Moments(), before+10)
			})
		})
	}
}

func readyOnlyTheFirstTime() func() bool {
	first := jobstest.OnlyFirst(func() error { return jobstest.ErrBroken })
	return func() bool { return first() != nil }
}

func hangsTheSecondTime(d time.Duration) func() bool {
	calls := 0
	return func() bool {
		if calls++; calls == 2 {
			jobstest.Take(d)
		}
		return true
	}
}

func TestRunNowExecutesAPausedJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		line := jobstest.NewTimeline()
		for _, trigger := range []jobs.Trigger{jobs.Every(time.Minute), jobs.Cron("* * * * *")} {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: line.Execute}, trigger)
			jobstest.Advance(90 * time.Second)
			require.NoError(t, p.Pause(id, "by hand only"))
			before := len(line.Moments())
			require.NoError(t, p.RunNow(id))
			jobstest.Advance(time.Hour)
			assert.Len(t, line.Moments(), before+1)
			assert.Equal(t, "Stopped", p.GetJobStatus(id))
		}
	})
}

func TestAPauseEndsAtItsTimeByTheWallClock(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := jobstest.NewWallClock()
		p.SetClock(wall.Now)
		line := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: line.Execute}, jobs.Every(time.Minute))
		line.AdvanceTo(30 * time.Second)
		require.NoError(t, p.PauseUntil(id, wall.Now().Add(time.Hour), "an hour"))
		line.AdvanceTo(61 * time.Minute)
		assert.Equal(t, []time.Duration{0, time.Hour + 30*time.Second}, line.Moments())
		require.NoError(t, p.PauseUntil(id, wall.Now().Add(time.Hour), "an hour"))
		require.NoError(t, p.PauseUntil(id, wall.Now().Add(2*time.Hour), "two"))
		line.AdvanceTo(62 * time.Minute)
		wall.Jump(time.Hour)
		line.AdvanceTo(2 * time.Hour)
		assert.Len(t, line.Moments(), 2)
		assert.Equal(t, "two", jobstest.InfoOf(t, p, id).Paused.Reason)
		line.AdvanceTo(2*time.Hour + 2*time.Minute)
		assert.Greater(t, len(line.Moments()), 2)

		require.NoError(t, p.PauseUntil(id, wall.Now().Add(time.Minute), "a minute"))
		require.NoError(t, p.Pause(id, "and then for good"))
		before := len(line.Moments())
		jobstest.Advance(time.Hour)
		assert.Len(t, line.Moments(), before)
	})
}

func TestAJobThatIsResumedDuringAnAttemptIsAskedBeforeTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		f := jobstest.NewFault()
		f.Clear()
		line := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: line.Execute, ReadyFunc: f.Absent}, jobs.Every(time.Minute))
		slow := 0
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if slow++; slow == 2 {
				jobstest.Take(10 * time.Second)
			}
			return true
		}}, jobs.Every(time.Minute))
		jobstest.Advance(time.Second)
		require.NoError(t, p.Pause(id, "paused"))
		f.Set()
		p.SetStatus(jobs.PoolStatusStopped)
		jobstest.Advance(35 * time.Second) // the attempt is waiting for the slow one
		require.NoError(t, p.Resume(id))
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Stopped", p.GetStatus(), "it is not ready")
		f.Clear()
		jobstest.Advance(2 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestPausesAndTheirEndsAreToldAndLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, logged := new(witness), new(jobstest.Journal)
		p := jobs.NewPool(logged.Option(), w.option())
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Minute), jobs.WithName("Ada"))
		jobstest.Advance(time.Second)
		w.seen()
		require.NoError(t, p.Pause(id, "why"))
		require.NoError(t, p.Resume(id))
		require.NoError(t, p.PauseUntil(id, time.Now().Add(time.Second), "a second"))
		jobstest.Advance(2 * time.Second)
		events := w.seen()
		assert.Equal(t, []string{"paused Ada", "resumed Ada", "paused Ada", "resumed Ada"}, kindsOf(events))
		assert.Equal(t, []string{"why", "", "a second", "the pause has ended"}, []string{events[0].Reason, events[1].Reason, events[2].Reason, events[3].Reason})
		var lines []string
		for _, e := range logged.AtLeast(slog.LevelInfo) {
			lines = append(lines, e.Message+": "+e.Attrs["reason"].String())
		}
		assert.Equal(t, []string{"job paused: why", "job resumed: " + slog.Value{}.String(), "job paused: a second", "job resumed: the pause has ended"}, lines)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func TestAPauseIsJSON(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Minute))
		require.NoError(t, p.PauseUntil(id, time.Now().Add(time.Hour), "why"))
		info := jobstest.InfoOf(t, p, id)
		text, err := json.Marshal(info)
		require.NoError(t, err)
		var back jobs.JobInfo
		require.NoError(t, json.Unmarshal(text, &back))
		assert.Equal(t, info.Paused.Reason, back.Paused.Reason)
		assert.True(t, info.Paused.Until.Equal(back.Paused.Until))
	})
}

func TestRefusedPausesResumptionsAndCancellations(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		done := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		idle := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		busy := jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		soon := time.Now().Add(time.Hour)
		for name, c := range map[string]struct {
			err  error
			want error
		}{
			"unknown":          {p.Pause("nobody", "why"), jobs.ErrUnknownJob},
			"no reason":        {p.Pause(idle, " \t"), jobs.ErrNoReason},
			"no reason, until": {p.PauseUntil(idle, soon, ""), jobs.ErrNoReason},
			"has passed":       {p.PauseUntil(idle, time.Now(), "why"), jobs.ErrPassed},
			"has ended":        {p.Pause(done, "why"), jobs.ErrEnded},
			"resume unknown":   {p.Resume("nobody"), jobs.ErrUnknownJob},
			"resume":           {p.Resume(idle), jobs.ErrNotPaused},
			"cancel unknown":   {p.Cancel("nobody"), jobs.ErrUnknownJob},
			"cancel idle":      {p.Cancel(idle), jobs.ErrNotExecuting},
			"cancel busy":      {p.Cancel(busy), jobs.ErrNoContext},
			"wait":             {p.UnregisterAndWait(context.Background(), "nobody"), jobs.ErrUnknownJob},
		} {
			assert.ErrorIs(t, c.err, c.want, name)
		}
		require.NoError(t, p.PauseUntil(idle, soon, "why")) // its timer ends with the pool
		jobstest.Advance(time.Minute)
		require.NoError(t, p.Shutdown(context.Background()))
		require.ErrorIs(t, p.Pause(idle, "why"), jobs.ErrShutdown)
		require.ErrorIs(t, p.Resume(idle), jobs.ErrShutdown)
		require.ErrorIs(t, p.Cancel(idle), jobs.ErrShutdown)
		p.UnregisterJob(idle)
	})
}

func TestCancelEndsTheContextOfTheExecutionInFlight(t *testing.T) {
	for name, c := range map[string]struct {
		trigger jobs.Trigger
		status  string
		begun   int
	}{
		"interval":   {jobs.Every(time.Minute), "Running", 2},
		"scheduled":  {jobs.Cron("* * * * *"), "Running", 2},
		"channel":    {jobs.Channel(nil), "Running", 2},
		"single run": {jobs.Once(), "Failed", 1},
		"retry":      {jobs.Retry(3), "Failed", 1},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var causes []error
				id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
					causes = append(causes, nil)
					<-ctx.Done()
					causes[len(causes)-1] = context.Cause(ctx)
					return ctx.Err()
				}), c.trigger)
				jobstest.Advance(70 * time.Second)
				require.Len(t, causes, 1)
				require.NoError(t, p.Cancel(id))
				synctest.Wait() // until the execution has returned
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, jobs.OutcomeTold, info.LastOutcome)
				assert.Zero(t, info.Failures)
				jobstest.Advance(70 * time.Second)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, c.status, p.GetJobStatus(id))
				assert.Len(t, causes, c.begun)
				assert.Equal(t, jobs.ErrCanceled, causes[0])
			})
		})
	}
}

func TestUnregisterAndWaitReturnsWhenTheLastCallHasReturned(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobs.Every(time.Hour), jobs.WithName("slow"))
		jobstest.Advance(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begun := time.Now()
		err := p.UnregisterAndWait(ctx, id)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, `"slow"`)
		require.ErrorContains(t, err, "Execute")
		assert.Equal(t, time.Second, time.Since(begun))
		assert.Nil(t, p.GetJob(id), "it is unregistered all the same")

		id = jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		begun = time.Now()
		require.NoError(t, p.UnregisterAndWait(context.Background(), id))
		assert.Equal(t, 59*time.Second, time.Since(begun))
		idle := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		require.NoError(t, p.UnregisterAndWait(context.Background(), idle))
	})
}

func TestUnregisterAndWaitFromInsideTheJobIsAnErrorAtOnce(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		errs := make(chan error, 2)
		other := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			j, _ := jobs.FromContext(ctx)
			errs <- p.UnregisterAndWait(context.Background(), other)
			errs <- p.UnregisterAndWait(context.Background(), j.GetID())
			return nil
		}), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		require.NoError(t, <-errs, "another may be waited for")
		require.ErrorIs(t, <-errs, jobs.ErrInsideCall)
	})
}

func TestPausePoolLastsUntilResumePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, logged := new(witness), new(jobstest.Journal)
		p := jobs.NewPool(logged.Option(), w.option())
		line, detached := jobstest.NewTimeline(), jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: line.Execute}, jobs.Every(time.Minute))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: detached.Execute}, jobs.Every(time.Minute), jobs.Detached())
		line.AdvanceTo(30 * time.Second)
		w.seen()
		require.NoError(t, p.PausePool("maintenance"))
		require.NoError(t, p.PausePool("still maintenance"))
		p.SetStatus(jobs.PoolStatusRunning) // is logged, and changes nothing
		line.AdvanceTo(24 * time.Hour)
		assert.Equal(t, jobstest.Seconds(0), line.Moments())
		assert.InDelta(t, 24*60, len(detached.Moments()), 1)
		info := p.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		assert.Equal(t, &jobs.Pause{Since: line.Start.Add(30 * time.Second).Round(0), Reason: "still maintenance"}, info.Paused)
		require.ErrorIs(t, info.StopError, jobs.ErrStopped)
		require.ErrorContains(t, info.StopError, "maintenance")
		assert.Zero(t, info.NextAttempt)
		require.NoError(t, p.ResumePool())
		synctest.Wait()
		assert.Equal(t, "Running", p.GetStatus())
		assert.Nil(t, p.Info().Paused)
		assert.Len(t, line.Moments(), 2)
		require.ErrorIs(t, p.ResumePool(), jobs.ErrNotPaused)
		require.ErrorIs(t, p.PausePool(" "), jobs.ErrNoReason)
		var kinds []string
		for _, e := range w.seen() {
			if e.ID == "" {
				kinds = append(kinds, string(e.Kind)+" "+e.Reason)
			}
		}
		assert.Equal(t, []string{"pool-stopped ", "pool-paused maintenance", "pool-paused still maintenance", "pool-resumed ", "pool-restarted "}, kinds)
		require.NoError(t, p.Shutdown(context.Background()))
		require.ErrorIs(t, p.PausePool("late"), jobs.ErrShutdown)
		require.ErrorIs(t, p.ResumePool(), jobs.ErrShutdown)
	})
}

func TestAPoolThatIsPausedBeforeItsFirstJobStartsNothing(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		require.NoError(t, p.PausePool("not yet"))
		line := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: line.Execute}, jobs.Every(time.Minute))
		jobstest.Advance(time.Hour)
		assert.Empty(t, line.Moments())
		require.NoError(t, p.ResumePool())
		jobstest.Advance(0)
		assert.Len(t, line.Moments(), 1)
	})
}

// One that is paused while an attempt is waiting for an answer does not restart, whatever that is.
func TestPausePoolDuringAnAttemptPreventsTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: hangsTheSecondTime(10 * time.Second)}, jobs.Every(time.Minute))
		jobstest.Advance(time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		jobstest.Advance(35 * time.Second)
		require.NoError(t, p.PausePool("why"))
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Stopped", p.GetStatus())
		require.NoError(t, p.ResumePool())
		jobstest.Advance(0)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestAPausedPoolStaysSoWhoeverFailsOrLeaves(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(10*time.Minute, jobstest.ErrBroken), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		require.NoError(t, p.PausePool("why"))
		jobstest.Advance(8 * time.Minute) // it is late, and then returns
		jobstest.Advance(8 * time.Minute)
		p.UnregisterJob(id)
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.NotNil(t, p.Info().Paused)
	})
}

func TestDrainLetsWhatIsInFlightEndByItself(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		for _, c := range []struct {
			trigger jobs.Trigger
			opts    []jobs.JobOption
		}{
			{jobs.Every(time.Minute), nil}, {jobs.Every(time.Minute), []jobs.JobOption{jobs.Detached()}},
			{jobs.Once(), nil}, {jobs.Retry(3), []jobs.JobOption{jobs.WithRetryBackoff(time.Minute, time.Minute)}}, {jobs.Cron("* * * * *"), nil},
		} {
			jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
				calls.Mark()
				jobstest.Take(30 * time.Second)
				assert.NoError(t, ctx.Err(), "its context has not ended")
				return jobstest.ErrBroken
			}), c.trigger, append(c.opts, jobs.WithName("drained"))...)
		}
		polls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { polls.Mark(); return false }}, jobs.Once())
		channel := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			<-ctx.Done()
			jobstest.Take(5 * time.Second)
			return ctx.Err()
		}), jobs.Channel(nil), jobs.Detached())
		stop := make(chan interface{})
		told := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; told.Mark(); return nil }}, jobs.Channel(stop))
		calls.AdvanceTo(10 * time.Second)
		asked := len(polls.Moments())
		require.NoError(t, p.Drain(context.Background()))
		assert.Equal(t, 30*time.Second, time.Since(calls.Start), "the last has ended")
		assert.Equal(t, jobstest.Seconds(10), told.Moments())
		jobstest.Advance(time.Hour)
		assert.Len(t, calls.Moments(), 4, "nothing begins any more")
		assert.Len(t, polls.Moments(), asked)
		assert.Equal(t, "Stopped", p.GetJobStatus(channel))
		info := p.Info()
		assert.Equal(t, []any{jobs.PoolStatusStopped, true, false}, []any{info.Status, info.Drained, info.ShutDown})
		for j := range p.Jobs() {
			assert.Contains(t, []jobs.Reason{jobs.ReasonDrained, jobs.ReasonFailed}, j.Reason)
		}
		_, err := p.Register(jobstest.Stub{}, jobs.Once())
		require.ErrorIs(t, err, jobs.ErrDrained)
		require.ErrorIs(t, p.RunNow(channel), jobs.ErrDrained)
		require.ErrorIs(t, p.WaitRunning(context.Background()), jobs.ErrDrained)
		require.NoError(t, p.Drain(context.Background()), "again")
		p.SetStatus(jobs.PoolStatusRunning)
		require.ErrorIs(t, p.PausePool("why"), jobs.ErrDrained)
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Stopped", p.GetStatus())
	})
}

func TestShutdownEndsWhatDrainHasNotWaitedFor(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }), jobs.Every(time.Hour), jobs.WithName("long"), jobs.WithJobTimeout(time.Hour))
		jobstest.Advance(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		err := p.Drain(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "pool drained, but not everything has returned")
		require.ErrorContains(t, err, `"long"`)
		assert.Equal(t, 10*time.Second, time.Since(begun))
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, 10*time.Second, time.Since(begun))
	})
}

func TestDrainOfAStoppedOrUnusedPool(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, p *jobs.Pool){
		"unused": func(*testing.T, *jobs.Pool) {},
		"stopped": func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Minute))
			jobstest.Advance(time.Second)
			p.SetStatus(jobs.PoolStatusStopped)
		},
		"restarting": func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: hangsTheSecondTime(10 * time.Second)}, jobs.Every(time.Minute))
			jobstest.Advance(time.Second)
			p.SetStatus(jobs.PoolStatusStopped)
			jobstest.Advance(35 * time.Second)
		},
		"shut down": func(t *testing.T, p *jobs.Pool) { jobstest.ShutDownNow(p) },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				prepare(t, p)
				require.NoError(t, p.Drain(context.Background()))
				jobstest.Advance(time.Hour)
				assert.Equal(t, "Stopped", p.GetStatus())
			})
		})
	}
}

func TestDrainFromInsideAJobIsAnErrorAtOnce(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		errs := make(chan error, 1)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { errs <- p.Drain(context.Background()); return nil }}, jobs.Once())
		jobstest.Advance(time.Second)
		require.ErrorIs(t, <-errs, jobs.ErrInsideCall)
	})
}

func TestRescheduleChangesWhenAJobExecutes(t *testing.T) {
	for name, c := range map[string]struct {
		before, after jobs.Trigger
		opts          []jobs.JobOption
		kind, trigger string
		want          []time.Duration // after 150 seconds
	}{
		"a shorter interval counts from the last execution": {
			jobs.Every(2 * time.Minute), jobs.Every(time.Minute), nil,
			jobs.JobTypeInterval, "Every(1m0s)", jobstest.Seconds(180, 240, 300)},
		"one that has passed executes at once": {
			jobs.Every(2 * time.Minute), jobs.Every(20 * time.Second), nil,
			jobs.JobTypeInterval, "Every(20s)", jobstest.Seconds(150, 170, 190, 210, 230, 250, 270, 290)},
		"a longer interval": {
			jobs.Every(time.Minute), jobs.Every(100 * time.Second), nil,
			jobs.JobTypeInterval, "Every(1m40s)", jobstest.Seconds(220)},
		"detached": {
			jobs.Every(time.Minute), jobs.Every(100 * time.Second), []jobs.JobOption{jobs.Detached()},
			jobs.JobTypeDetachedInterval, "Every(1m40s)", jobstest.Seconds(220)},
		"another expression": {
			jobs.Cron("* * * * *"), jobs.Cron("*/2 * * * *"), nil,
			jobs.JobTypeScheduled, `Cron("*/2 * * * *")`, jobstest.Seconds(240)},
		"from an interval to an expression": {
			jobs.Every(2 * time.Minute), jobs.Cron("* * * * *"), nil,
			jobs.JobTypeScheduled, `Cron("* * * * *")`, jobstest.Seconds(180, 240, 300)},
		"from an expression to an interval": {
			jobs.Cron("* * * * *"), jobs.Every(100 * time.Second), nil,
			jobs.JobTypeInterval, "Every(1m40s)", jobstest.Seconds(220)},
		"from an expression that has had no occurrence yet to an interval": {
			jobs.Cron("0 3 * * *"), jobs.Every(100 * time.Second), nil,
			jobs.JobTypeInterval, "Every(1m40s)", jobstest.Seconds(150, 250)},
		"a schedule of one's own": {
			jobs.Every(2 * time.Minute), jobs.On(cron.Every(40 * time.Second)), nil,
			jobs.JobTypeScheduled, "On(cron.ConstantDelaySchedule)", jobstest.Seconds(190, 230, 270)},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				executions := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute}, c.before, append(c.opts, jobs.WithName("tokens"))...)
				executions.AdvanceTo(150 * time.Second)
				before := jobstest.InfoOf(t, p, id)

				require.NoError(t, p.Reschedule(id, c.after))
				synctest.Wait()
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, []any{id, "tokens", c.kind, c.trigger}, []any{info.ID, info.Name, info.Type, info.Trigger})
				events := p.Events()
				e := events[len(events)-1]
				assert.Equal(t, []any{jobs.EventRescheduled, id, c.kind, c.trigger}, []any{e.Kind, e.ID, e.Type, e.Reason})
				executions.AdvanceTo(5*time.Minute + time.Second)
				assert.Equal(t, c.want, executions.Moments()[before.Executions:])
				assert.EqualValues(t, len(executions.Moments()), jobstest.InfoOf(t, p, id).Executions, "it goes on counting")
			})
		})
	}
}

func TestRescheduleDuringAnExecutionDecidesWhatFollowsIt(t *testing.T) {
	for name, c := range map[string]struct {
		after jobs.Trigger
		want  time.Duration
	}{
		"interval":  {jobs.Every(15 * time.Second), 105 * time.Second},
		"scheduled": {jobs.Cron("*/2 * * * *"), 120 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				executions := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
					jobstest.Take(90 * time.Second)
					return executions.Execute()
				}}, jobs.Every(time.Hour))
				jobstest.Advance(30 * time.Second)
				require.NoError(t, p.Reschedule(id, c.after))
				assert.Equal(t, "Running", p.GetJobStatus(id))
				executions.AdvanceTo(4 * time.Minute)
				assert.Equal(t, []time.Duration{90 * time.Second, c.want + 90*time.Second}, executions.Moments())
			})
		})
	}
}

func TestRescheduleLosesNoOccurrenceThatWaitsForItsJitter(t *testing.T) {
	for name, after := range map[string]jobs.Trigger{"to an expression": jobs.Cron("0 12 * * *"), "to an interval": jobs.Every(24 * time.Hour)} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				executions := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute}, jobs.Cron("0 3 * * *"), jobs.WithJitter(time.Hour))
				jobstest.Advance(0)
				require.NoError(t, p.RunNow(id)) // so that an interval does not begin at once
				jobstest.Advance(0)
				executions.AdvanceTo(3 * time.Hour)
				planned := jobstest.InfoOf(t, p, id).NextRun.Sub(executions.Start)
				require.Greater(t, planned, 3*time.Hour, "as it is with all but one in 3.6 million million seeds")

				require.NoError(t, p.Reschedule(id, after))
				executions.AdvanceTo(11 * time.Hour)
				assert.Equal(t, []time.Duration{0, planned}, executions.Moments())
			})
		})
	}
}

func TestRescheduleKeepsAMisfireThatWaitsForTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron("*/10 * * * *"), jobs.WithMisfire(jobs.RunOnce))
		calls.AdvanceTo(15 * time.Minute)
		require.NoError(t, p.PausePool("x"))
		calls.AdvanceTo(25 * time.Minute)
		require.NoError(t, p.Reschedule(id, jobs.Cron("*/30 * * * *")))
		calls.AdvanceTo(28 * time.Minute)
		require.NoError(t, p.ResumePool())
		calls.AdvanceTo(31 * time.Minute)
		assert.Equal(t, jobstest.Times(time.Minute, 10, 28, 30), calls.Moments())
		assert.Zero(t, jobstest.InfoOf(t, p, id).Skipped)
	})
}

func TestRescheduleWhileNothingExecutes(t *testing.T) {
	for name, hold := range map[string]struct {
		hold, free func(p *jobs.Pool, id string) error
	}{
		"the job is paused":   {func(p *jobs.Pool, id string) error { return p.Pause(id, "x") }, (*jobs.Pool).Resume},
		"the pool is stopped": {func(p *jobs.Pool, _ string) error { return p.PausePool("x") }, func(p *jobs.Pool, _ string) error { return p.ResumePool() }},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				executions := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute}, jobs.Every(time.Hour))
				jobstest.Advance(time.Second)
				require.NoError(t, hold.hold(p, id))
				require.NoError(t, p.Reschedule(id, jobs.Every(10*time.Minute)))
				executions.AdvanceTo(5 * time.Minute)
				require.NoError(t, hold.free(p, id))
				executions.AdvanceTo(15 * time.Minute)
				assert.Equal(t, jobstest.Seconds(0, 600), executions.Moments(), "it has succeeded, and so keeps its time")
			})
		})
	}
}

func TestRescheduleBeforeAJobIsReady(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		executions, ready := jobstest.NewTimeline(), jobstest.NewFault()
		ready.Set()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute, ReadyFunc: ready.Absent}, jobs.Cron("0 3 * * *"))
		jobstest.Advance(time.Minute)
		require.NoError(t, p.Reschedule(id, jobs.Every(time.Hour)))
		ready.Clear()
		executions.AdvanceTo(2 * time.Minute)
		assert.Len(t, executions.Moments(), 1, "an interval job executes as soon as it is ready")
	})
}

// Next is called without a mutex: what it answers for a schedule that was replaced meanwhile counts no more.
func TestRescheduleWhileTheOldScheduleIsAsked(t *testing.T) {
	for name, answer := range map[string]time.Duration{"it ends": 0, "it goes on": time.Hour} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				executions := jobstest.NewTimeline()
				asked := 0
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute}, jobs.On(jobstest.NextFunc(func(at time.Time) time.Time {
					if asked++; asked == 1 {
						return at.Add(time.Second) // at the registration
					}
					jobstest.Take(time.Minute)
					if answer == 0 {
						return time.Time{}
					}
					return at.Add(answer)
				})))
				jobstest.Advance(30 * time.Second)
				require.NoError(t, p.Reschedule(id, jobs.Every(time.Minute)))
				executions.AdvanceTo(150 * time.Second)
				assert.Equal(t, jobstest.Seconds(60, 120), executions.Moments(), "at once, when the schedule has answered")
			})
		})
	}
}

func TestRescheduleRefusals(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		every := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
		ended := jobstest.Register(t, p, jobstest.Idler{}, jobs.On(jobstest.NextFunc(func(at time.Time) time.Time {
			if at.After(time.Date(2000, 1, 1, 0, 0, 30, 0, time.UTC)) {
				return time.Time{}
			}
			return at.Add(time.Minute)
		})))
		once := jobstest.Register(t, p, jobstest.Idler{}, jobs.Once())
		jobstest.Advance(2 * time.Minute)
		before := jobstest.InfoOf(t, p, every)
		for name, c := range map[string]struct {
			id      string
			trigger jobs.Trigger
			want    error
			text    string
		}{
			"unknown":             {"nobody", jobs.Every(time.Minute), jobs.ErrUnknownJob, `reschedule job "nobody": jobs: no job has that id`},
			"no trigger":          {every, nil, nil, "nil trigger"},
			"a bad interval":      {every, jobs.Every(-time.Minute), nil, "interval -1m0s: it must be above zero"},
			"a bad expression":    {every, jobs.Cron("61 * * * *"), nil, "61"},
			"a nil schedule":      {every, jobs.On(nil), nil, "nil schedule"},
			"a panic in Next":     {every, jobs.On(jobstest.NextFunc(func(time.Time) time.Time { panic("oops") })), nil, "oops"},
			"another kind of job": {once, jobs.Every(time.Minute), jobs.ErrNotPeriodic, ""},
			"another kind":        {every, jobs.Retry(3), jobs.ErrNotPeriodic, ""},
			"ended":               {ended, jobs.Every(time.Minute), jobs.ErrEnded, ""},
		} {
			err := p.Reschedule(c.id, c.trigger)
			require.Error(t, err, name)
			assert.ErrorContains(t, err, c.text, name)
			if c.want != nil {
				assert.ErrorIs(t, err, c.want, name)
			}
		}
		assert.Equal(t, before, jobstest.InfoOf(t, p, every))
		require.NoError(t, p.Shutdown(context.Background()))
		assert.ErrorIs(t, p.Reschedule(every, jobs.Every(time.Minute)), jobs.ErrShutdown)
	})
}

func TestRescheduleWarnsOfExpressionsAsRegisterDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var journal jobstest.Journal
		p := jobs.NewPool(journal.Option())
		defer jobstest.ShutDownNow(p)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
		require.NoError(t, p.Reschedule(id, jobs.Cron("0 */5 * * * *")))
		assert.NotEmpty(t, jobstest.InfoOf(t, p, id).Warnings)
		assert.Equal(t, 1, journal.Count(slog.LevelWarn))
		require.NoError(t, p.Reschedule(id, jobs.Cron("0 0 * * *")))
		assert.Empty(t, jobstest.InfoOf(t, p, id).Warnings)
	})
}

func TestResumeKeepsTheRecordOfAJobThatEndedWhileItWasPaused(t *testing.T) {
	for name, resume := range map[string]func(p *jobs.Pool, id string) error{
		"by hand":   (*jobs.Pool).Resume,
		"by itself": func(*jobs.Pool, string) error { jobstest.Advance(time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobs.Once())
				jobstest.Advance(time.Second)
				require.NoError(t, p.PauseUntil(id, time.Now().Add(30*time.Minute), "x"))
				jobstest.Advance(2 * time.Minute)
				require.NoError(t, resume(p, id))
				jobstest.Advance(time.Second)
				assert.Equal(t, jobs.JobStatusFinished, jobstest.InfoOf(t, p, id).Status)
			})
		})
	}
}

func TestAnIntervalThatReplacesAScheduleThatDoesNotAnswerCountsFromTheLastExecution(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		executions, asked := jobstest.NewTimeline(), 0
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute}, jobs.On(jobstest.NextFunc(func(at time.Time) time.Time {
			if asked++; asked == 3 {
				jobstest.Take(time.Minute)
			}
			return at.Add(10 * time.Second)
		})))
		executions.AdvanceTo(20 * time.Second)
		require.NoError(t, p.Reschedule(id, jobs.Every(time.Hour)))
		executions.AdvanceTo(2 * time.Hour)
		assert.Equal(t, jobstest.Seconds(10, 3610), executions.Moments())
	})
}

func TestAPanicOfAScheduleThatWasReplacedStopsNobody(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := 0
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.On(jobstest.NextFunc(func(at time.Time) time.Time {
			if asked++; asked == 3 {
				jobstest.Take(time.Minute)
				panic("oops")
			}
			return at.Add(time.Second)
		})))
		jobstest.Advance(10 * time.Second)
		require.NoError(t, p.Reschedule(id, jobs.Cron("0 * * * *")))
		jobstest.Advance(2 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		info := jobstest.InfoOf(t, p, id)
		assert.NoError(t, info.LastError)
		assert.Equal(t, time.Hour, info.NextRun.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.Local)))
	})
}

func TestRescheduleLosesNoRunNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		p := jobs.NewPool(jobstest.Quiet, jobs.WithObserver(func(e jobs.Event) {
			if e.Kind == jobs.EventSkipped {
				<-hold
			}
		}))
		defer jobstest.ShutDownNow(p)
		executions := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute}, jobs.Every(time.Minute))
		jobstest.Advance(10 * time.Second)
		require.NoError(t, p.Pause(id, "x"))
		jobstest.Advance(2 * time.Minute) // a turn is skipped, and its observer keeps the step
		require.NoError(t, p.Resume(id))
		require.NoError(t, p.RunNow(id))
		require.NoError(t, p.Reschedule(id, jobs.Every(time.Hour)))
		close(hold)
		jobstest.Advance(time.Minute)
		assert.Len(t, executions.Moments(), 2)
	})
}

func TestRescheduleToAnIntervalKeepsTheFirstOccurrenceThatWaitsForItsJitter(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		executions := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: executions.Execute}, jobs.Cron("0 3 * * *"), jobs.WithJitter(time.Hour))
		executions.AdvanceTo(3 * time.Hour)
		planned := jobstest.InfoOf(t, p, id).NextRun.Sub(executions.Start)
		require.NoError(t, p.Reschedule(id, jobs.Every(24*time.Hour)))
		executions.AdvanceTo(5 * time.Hour)
		assert.Equal(t, []time.Duration{planned}, executions.Moments())
	})
}

func TestPauseUntilATimeThatJSONHasNoFormForIsAnError(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
		assert.ErrorContains(t, p.PauseUntil(id, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "x"), "10000")
		require.NoError(t, p.PauseUntil(id, time.Now().Add(time.Hour).In(time.FixedZone("odd", 25*3600)), "x"))
		_, err := json.Marshal(jobstest.InfoOf(t, p, id))
		assert.NoError(t, err)
	})
}

func TestUnregisterAndWaitCanBeCalledAgain(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.UnregisterAndWait(ctx, id), context.DeadlineExceeded)
		require.NoError(t, p.UnregisterAndWait(context.Background(), id))
		assert.Equal(t, 59*time.Second, time.Since(start))
		assert.ErrorIs(t, p.UnregisterAndWait(context.Background(), id), jobs.ErrUnknownJob)
	})
}
