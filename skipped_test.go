package jobs_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// holds are ways to keep a job from executing, and their ends.
var holds = map[jobs.SkipReason]struct{ hold, free func(p *jobs.Pool, id string) }{
	jobs.SkipStopped: {func(p *jobs.Pool, _ string) { _ = p.PausePool("x") }, func(p *jobs.Pool, _ string) { _ = p.ResumePool() }},
	jobs.SkipPaused:  {func(p *jobs.Pool, id string) { _ = p.Pause(id, "x") }, func(p *jobs.Pool, id string) { _ = p.Resume(id) }},
	jobs.SkipLocked:  {(*jobs.Pool).JobLock, (*jobs.Pool).JobUnlock},
}

func TestSkippedCountsWhatWasNotExecutedAndSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		trigger jobs.Trigger
		reason  jobs.SkipReason
		want    uint64
	}{ // held from 90 to 390 seconds
		"a cron expression in a stopped pool": {jobs.Cron("* * * * *"), jobs.SkipStopped, 5},
		"paused":                              {jobs.Cron("* * * * *"), jobs.SkipPaused, 5},
		"locked, but for the first, which is executed":   {jobs.Cron("* * * * *"), jobs.SkipLocked, 4},
		"an interval in a stopped pool":                  {jobs.Every(time.Minute), jobs.SkipStopped, 1},
		"an interval, paused":                            {jobs.Every(time.Minute), jobs.SkipPaused, 1},
		"an interval, locked, which is only late":        {jobs.Every(time.Minute), jobs.SkipLocked, 0},
		"a schedule of one's own in a stopped pool":      {jobs.On(cron.Every(time.Minute)), jobs.SkipStopped, 1},
		"a schedule of one's own, paused":                {jobs.On(cron.Every(time.Minute)), jobs.SkipPaused, 1},
		"what comes each second, of which not all count": {jobs.Cron("* * * * * * *"), jobs.SkipStopped, 300},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := new(witness)
				p := jobs.NewPool(jobstest.Quiet, w.option())
				defer jobstest.ShutDownNow(p)
				id := jobstest.Register(t, p, jobstest.Idler{}, c.trigger)
				jobstest.Advance(90500 * time.Millisecond)
				holds[c.reason].hold(p, id)
				jobstest.Advance(5 * time.Minute)
				executed := jobstest.InfoOf(t, p, id).Executions
				holds[c.reason].free(p, id)
				jobstest.Advance(3 * time.Minute)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, c.want, info.Skipped)
				assert.Greater(t, info.Executions, executed, "it goes on")
				if c.want > 0 {
					assert.Equal(t, c.reason, info.LastSkip)
				}
				told := uint64(0)
				for _, e := range w.seen() {
					if e.Kind == jobs.EventSkipped {
						told += e.Skipped
						assert.Equal(t, []string{id, string(c.reason)}, []string{e.ID, e.Reason})
					}
				}
				assert.Equal(t, c.want, told)
				text, err := json.Marshal(info)
				require.NoError(t, err)
				var again jobs.JobInfo
				require.NoError(t, json.Unmarshal(text, &again))
				assert.Equal(t, []any{info.Skipped, info.LastSkip}, []any{again.Skipped, again.LastSkip})
			})
		})
	}
}

func TestWhatASchedulesLastExecutionHasSkippedIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(witness)
		p := jobs.NewPool(jobstest.Quiet, w.option())
		defer jobstest.ShutDownNow(p)
		id := jobstest.Register(t, p, jobstest.Lasting(time.Hour, nil), jobs.Cron("0 0-5 0 1 1 ? 2000"))
		jobstest.Advance(2 * time.Hour)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, []any{jobs.JobStatusFinished, uint64(4)}, []any{info.Status, info.Skipped})
		told := uint64(0)
		for _, e := range w.seen() {
			told += e.Skipped
		}
		assert.EqualValues(t, 4, told)
	})
}

func TestOccurrencesThatComeWhileTheJobExecutesAreSkipped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(150*time.Second, nil), jobs.Cron("* * * * *"))
		jobstest.Advance(220 * time.Second) // from 60 to 210
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, []any{uint64(1), uint64(2), jobs.SkipExecuting}, []any{info.Executions, info.Skipped, info.LastSkip})
	})
}

func TestRescheduleCountsWhatTheOldScheduleHasSkipped(t *testing.T) {
	for name, after := range map[string]jobs.Trigger{"to a schedule": jobs.Cron("0 12 * * *"), "to an interval": jobs.Every(24 * time.Hour)} {
		for reason, want := range map[jobs.SkipReason]uint64{jobs.SkipStopped: 4, jobs.SkipPaused: 4, jobs.SkipLocked: 3, jobs.SkipExecuting: 4} {
			t.Run(fmt.Sprintf("%s, %s", name, reason), func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					lasts := time.Duration(0)
					if reason == jobs.SkipExecuting {
						lasts = 5 * time.Minute
					}
					id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { jobstest.Take(lasts); return nil }}, jobs.Cron("* * * * *"))
					jobstest.Advance(90 * time.Second)
					executed := jobstest.InfoOf(t, p, id).Executions
					if h, ok := holds[reason]; ok {
						h.hold(p, id)
						defer h.free(p, id)
					}
					before := jobstest.InfoOf(t, p, id).Skipped
					jobstest.Advance(240 * time.Second)
					require.NoError(t, p.Reschedule(id, after))
					jobstest.Advance(time.Second)
					if h, ok := holds[reason]; ok {
						h.free(p, id)
					}
					jobstest.Advance(5 * time.Minute)
					info := jobstest.InfoOf(t, p, id)
					assert.Equal(t, []any{want, reason}, []any{info.Skipped - before, info.LastSkip}, "executed before: %d", executed)
				})
			})
		}
	}
}

func TestDelaysOfOneOccurrenceAddUpForWithCatchUp(t *testing.T) {
	for other, executions := range map[time.Duration]uint64{time.Minute: 1, 3 * time.Minute: 0} {
		t.Run(other.String(), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Cron("0 * * * *"), jobs.WithCatchUp(5*time.Minute))
				jobstest.Advance(30 * time.Minute)
				p.JobLock(id)
				jobstest.Advance(32 * time.Minute) // 2 minutes late
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { jobstest.Take(time.Minute + other); return nil }}, jobs.Every(24*time.Hour), jobs.Detached())
				jobstest.Advance(time.Minute)
				p.JobUnlock(id) // from now on it waits for the only slot
				jobstest.Advance(10 * time.Minute)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, []any{executions, 1 - executions}, []any{info.Executions, info.Skipped})
			}, jobs.WithMaxConcurrent(1))
		})
	}
}

func TestAJobThatExecutesInTimeSkipsNothing(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{
		"cron": jobs.Cron("* * * * *"), "interval": jobs.Every(time.Minute), "schedule": jobs.On(cron.Every(time.Minute)),
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Lasting(time.Second, nil), trigger, jobs.WithJitter(time.Second))
				jobstest.Advance(24*time.Hour + 30*time.Second)
				require.NoError(t, p.RunNow(id))
				jobstest.Advance(24 * time.Hour)
				assert.Zero(t, jobstest.InfoOf(t, p, id).Skipped)
			})
		})
	}
}

func TestWhatComesBeforeAJobIsReadyIsNotSkipped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return time.Since(start) > time.Hour }}, jobs.Cron("* * * * *"))
		jobstest.Advance(3 * time.Hour)
		assert.Zero(t, jobstest.InfoOf(t, p, id).Skipped)
	})
}

func TestManySkippedOccurrencesAreCountedToAThousand(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Cron("* * * * * * *"))
		jobstest.Advance(500 * time.Millisecond)
		require.NoError(t, p.Pause(id, "x"))
		jobstest.Advance(7 * 24 * time.Hour)
		require.NoError(t, p.Resume(id))
		jobstest.Advance(time.Minute)
		assert.EqualValues(t, 1000, jobstest.InfoOf(t, p, id).Skipped)
	})
}

func TestOccurrencesThatTheClockJumpsOverAreSkippedButForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, wall := jobs.NewPool(jobstest.Quiet), jobstest.NewWallClock()
		p.SetClock(wall.Now)
		defer jobstest.ShutDownNow(p)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Cron("*/10 * * * *"))
		jobstest.Advance(11 * time.Minute)
		wall.Jump(time.Hour) // to 1:11
		jobstest.Advance(2 * time.Minute)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, []any{uint64(2), uint64(5), jobs.SkipClock}, []any{info.Executions, info.Skipped, info.LastSkip})
	})
}

func TestWithCatchUpWhatIsTooLateIsSkipped(t *testing.T) {
	for name, c := range map[string]struct {
		late   func(p *jobs.Pool, id string, wall *jobstest.WallClock, by time.Duration)
		reason jobs.SkipReason
	}{
		"locked": {func(p *jobs.Pool, id string, _ *jobstest.WallClock, by time.Duration) {
			p.JobLock(id)
			jobstest.Advance(30*time.Second + by) // from half a minute before it is due
			p.JobUnlock(id)
		}, jobs.SkipLocked},
		"the clock jumps": {func(_ *jobs.Pool, _ string, wall *jobstest.WallClock, by time.Duration) {
			wall.Jump(30*time.Second + by)
		}, jobs.SkipClock},
	} {
		for by, want := range map[time.Duration]uint64{4 * time.Minute: 1, 6 * time.Minute: 0} {
			t.Run(name+", late by "+by.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, wall := jobs.NewPool(jobstest.Quiet), jobstest.NewWallClock()
					p.SetClock(wall.Now)
					defer jobstest.ShutDownNow(p)
					id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Cron("0 * * * *"), jobs.WithCatchUp(5*time.Minute))
					jobstest.Advance(59*time.Minute + 30*time.Second)
					c.late(p, id, wall, by)
					jobstest.Advance(2 * time.Minute)
					info := jobstest.InfoOf(t, p, id)
					assert.EqualValues(t, []any{want, 1 - want}, []any{info.Executions, info.Skipped})
					if want == 0 {
						assert.Equal(t, c.reason, info.LastSkip)
					}
					jobstest.Advance(time.Hour)
					assert.Equal(t, want+1, jobstest.InfoOf(t, p, id).Executions, "the next one comes at its time")
				})
			})
		}
	}
}

func TestWhatRunOnceAsksForIsNotTooLateForWithCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		defer jobstest.ShutDownNow(p)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Cron("0 * * * *"), jobs.WithCatchUp(time.Minute), jobs.WithMisfire(jobs.RunOnce))
		jobstest.Advance(30 * time.Minute)
		require.NoError(t, p.Pause(id, "maintenance"))
		jobstest.Advance(2*time.Hour + 10*time.Minute)
		require.NoError(t, p.Resume(id))
		jobstest.Advance(time.Second)
		assert.Equal(t, uint64(1), jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestWithCatchUpAnOccurrenceThatWaitsForTheLockIsAsLateAfterReschedule(t *testing.T) {
	for name, c := range map[string]struct {
		triggers []jobs.Trigger
		unlocked time.Duration
		executes bool
	}{
		"in time":             {[]jobs.Trigger{jobs.Cron("30 * * * *")}, 64 * time.Minute, true},
		"too late":            {[]jobs.Trigger{jobs.Cron("30 * * * *")}, 66 * time.Minute, false},
		"once to an interval": {[]jobs.Trigger{jobs.Every(time.Hour), jobs.Cron("30 * * * *")}, 64 * time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron("0 * * * *"), jobs.WithCatchUp(5*time.Minute))
				calls.AdvanceTo(59 * time.Minute)
				p.JobLock(id)
				calls.AdvanceTo(61 * time.Minute)
				for _, trigger := range c.triggers {
					require.NoError(t, p.Reschedule(id, trigger))
				}
				calls.AdvanceTo(c.unlocked)
				p.JobUnlock(id)
				calls.AdvanceTo(91 * time.Minute)
				want, skipped := jobstest.Times(time.Minute, 90), uint64(1)
				if c.executes {
					want, skipped = append([]time.Duration{c.unlocked}, want...), 0
				}
				assert.Equal(t, want, calls.Moments())
				assert.Equal(t, skipped, jobstest.InfoOf(t, p, id).Skipped)
			})
		})
	}
}

func TestWithMisfireRunOnceExecutesOnceForAllThatWereMissed(t *testing.T) {
	for _, reason := range []jobs.SkipReason{jobs.SkipStopped, jobs.SkipPaused} {
		for name, trigger := range map[string]jobs.Trigger{"cron": jobs.Cron("*/10 * * * *"), "schedule": jobs.On(cron.Every(10 * time.Minute))} {
			t.Run(name+", "+string(reason), func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					calls := jobstest.NewTimeline()
					id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, trigger, jobs.WithMisfire(jobs.RunOnce))
					calls.AdvanceTo(15 * time.Minute)
					holds[reason].hold(p, id)
					calls.AdvanceTo(45 * time.Minute) // 20, 30 and 40 are missed
					holds[reason].free(p, id)
					calls.AdvanceTo(51 * time.Minute)
					want := jobstest.Times(time.Minute, 10, 45, 50)
					if name == "schedule" {
						want = want[:2] // it counts from then on
					}
					assert.Equal(t, want, calls.Moments())
					if name == "cron" {
						info := jobstest.InfoOf(t, p, id)
						assert.EqualValues(t, []any{uint64(2), reason}, []any{info.Skipped, info.LastSkip})
					}
				})
			})
		}
	}
}

func TestWithMisfireRunOnceExecutesNothingWhereNothingWasMissed(t *testing.T) {
	for _, reason := range []jobs.SkipReason{jobs.SkipStopped, jobs.SkipPaused} {
		t.Run(string(reason), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron("*/10 * * * *"), jobs.WithMisfire(jobs.RunOnce))
				calls.AdvanceTo(15 * time.Minute)
				holds[reason].hold(p, id)
				calls.AdvanceTo(18 * time.Minute)
				holds[reason].free(p, id)
				calls.AdvanceTo(31 * time.Minute)
				assert.Equal(t, jobstest.Times(time.Minute, 10, 20, 30), calls.Moments())
				assert.Zero(t, jobstest.InfoOf(t, p, id).Skipped)
			})
		})
	}
}

func TestWhatIsLateForTheLockIsNotBlamedOnTheClock(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Cron("* * * * *"), jobs.WithCatchUp(30*time.Second))
		jobstest.Advance(20 * time.Second)
		p.JobLock(id)
		jobstest.Advance(5*time.Minute + time.Second)
		p.JobUnlock(id)
		jobstest.Advance(time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, []any{uint64(5), jobs.SkipLocked}, []any{info.Skipped, info.LastSkip})
	})
}

// While it is in doubt whether a schedule has ended it is asked each minute.
func TestWhatWasMissedIsCountedOnceThoughTheEndIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, wall := jobs.NewPool(jobstest.Quiet), jobstest.NewWallClock()
		p.SetClock(wall.Now)
		defer jobstest.ShutDownNow(p)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Cron("0 0 * * * 2000"))
		jobstest.Advance(time.Hour)
		wall.Jump(400 * 24 * time.Hour)
		jobstest.Advance(2 * time.Minute)
		skipped := jobstest.InfoOf(t, p, id).Skipped
		jobstest.Advance(3 * time.Hour)
		assert.Equal(t, skipped, jobstest.InfoOf(t, p, id).Skipped)
		assert.Less(t, skipped, uint64(400))
	})
}
