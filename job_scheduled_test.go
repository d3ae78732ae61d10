package jobs_test

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
	"github.com/agentjobs/jobs/schedule"
)

func TestParseScheduleReadsWhatPackageScheduleReads(t *testing.T) {
	parsed, err := jobs.ParseSchedule("CRON_TZ=America/New_York 30 2 * * SUN")
	require.NoError(t, err)
	want, err := schedule.Parse("CRON_TZ=America/New_York 30 2 * * SUN")
	require.NoError(t, err)
	assert.Equal(t, want, parsed)
}

func TestParseScheduleAndCronReportTheErrorOfPackageSchedule(t *testing.T) {
	_, want := schedule.Parse("0 61 * * * * *")
	require.EqualError(t, want, `schedule "0 61 * * * * *": minute field, item "61": 61 is out of range; allowed are 0-59`)
	parsed, err := jobs.ParseSchedule("0 61 * * * * *")
	assert.EqualError(t, err, want.Error())
	assert.True(t, parsed == nil, "not an interface that holds a nil pointer")
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		_, err := p.Register(jobstest.Stub{}, jobs.Cron("0 61 * * * * *"))
		assert.ErrorContains(t, err, want.Error())
		_, err = p.Register(jobstest.Stub{}, jobs.Cron("0 0 30 2 *"))
		assert.ErrorContains(t, err, `schedule "0 0 30 2 *" has no occurrence left`)
	})
}

// Expressions end in 2099: a clock beyond is taken for wrong, but not even that makes a 30 February.
func TestScheduledIsRefusedWhateverTheClockShowsIfItNeverHadAnOccurrence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, wall := jobs.NewPool(jobstest.Quiet), jobstest.NewWallClock()
		p.SetClock(wall.Now)
		defer jobstest.ShutDownNow(p)
		never, err := schedule.Parse("0 0 30 2 *")
		require.NoError(t, err)
		for _, year := range []int{1970, 2026, 2099, 2100, 2150} {
			wall.Jump(time.Date(year, 2, 1, 12, 0, 0, 0, time.UTC).Sub(wall.Now()))
			for _, trigger := range []jobs.Trigger{jobs.Cron("0 0 30 2 *"), jobs.On(never)} {
				_, err := p.Register(jobstest.Stub{}, trigger)
				assert.ErrorContains(t, err, "has no occurrence left", "%d", year)
			}
			_, err = p.Register(jobstest.Stub{}, jobs.Cron("0 0 * * *"))
			assert.NoError(t, err, "%d", year)
		}
	})
}

func TestScheduledExecutesAtEachOccurrenceOfItsCronExpression(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline() // a bubble begins at midnight
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.Cron("*/20 * * * *"))
		jobstest.Advance(time.Hour)
		assert.Equal(t, jobstest.Times(time.Minute, 20, 40, 60), laps.Moments())
	})
}

func TestScheduledExecutesAtEachOccurrenceOfAnySchedule(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			laps := jobstest.NewTimeline()
			at := jobstest.Times(time.Millisecond, 1, 1500, 1501, 200_000)
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.On(jobstest.NextFunc(func(now time.Time) time.Time {
				for _, d := range at {
					if moment := laps.Start.Add(d); moment.After(now) {
						return moment
					}
				}
				return now.Add(1000 * time.Hour)
			})), opts...)
			jobstest.Advance(time.Hour)
			assert.Equal(t, at, laps.Moments())
		})
	}
}

func TestScheduledIsNotExecutedWhenItIsReadyButAtItsNextOccurrence(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := jobstest.NewTimeline()
		job := jobstest.Stub{ExecuteFunc: laps.Execute}
		job.ReadyFunc = func() bool { time.Sleep(25 * time.Second); return true } // over two occurrences
		jobstest.Register(t, p, job, jobs.On(jobstest.Each(10*time.Second)))
		jobstest.Advance(40 * time.Second)
		assert.Equal(t, jobstest.Times(time.Second, 30, 40), laps.Moments())
	})
}

func TestScheduledIsNeverExecutedEarlyByTheWallClock(t *testing.T) {
	for name, shown := range map[string]func(time.Duration) time.Duration{
		"slow":    func(d time.Duration) time.Duration { return d - d/100 },
		"unequal": func(d time.Duration) time.Duration { return d.Truncate(300 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				wall := jobstest.NewWallClock()
				wall.Shown = shown
				p.SetClock(wall.Now)
				shows := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
					shows.Note(wall.Now().Round(0).Sub(wall.Start))
					return nil
				}}, jobs.On(jobstest.Each(time.Minute)))
				jobstest.Advance(5*time.Minute + 10*time.Second)
				assert.Len(t, shows.Moments(), 5)
				for i, showed := range shows.Moments() {
					due := time.Duration(i+1) * time.Minute
					assert.GreaterOrEqual(t, showed, due)
					assert.Less(t, showed, due+time.Second)
				}
			})
		})
	}
}

func TestScheduledIsNeverExecutedTwiceAtOnceAndSkipsWhatPassesMeanwhile(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps, overlap := jobstest.NewTimeline(), new(jobstest.OverlapMeter)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			laps.Mark()
			overlap.During(25 * time.Second)
			return nil
		}}, jobs.On(jobstest.Each(10*time.Second)))
		jobstest.Advance(80 * time.Second)
		assert.Equal(t, jobstest.Times(time.Second, 10, 40, 70), laps.Moments())
		assert.Equal(t, 1, overlap.Highest())
	})
}

func TestScheduledSkipsTheOccurrencesThatPassWhileItIsStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		laps, detached := jobstest.NewTimeline(), jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.On(jobstest.Each(20*time.Second)))
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: detached.Execute}, jobs.On(jobstest.Each(20*time.Second)), jobs.Detached())
		jobstest.Advance(25 * time.Second)
		jobstest.StopPool(p) // until 55 s
		jobstest.Advance(60 * time.Second)
		assert.Equal(t, jobstest.Times(time.Second, 20, 60, 80), laps.Moments())
		assert.Equal(t, jobstest.Times(time.Second, 20, 40, 60, 80), detached.Moments())
	})
}

func TestScheduledSkipsTheOccurrencesAForwardJumpPassesWhileItIsStopped(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := jobstest.NewWallClock()
		p.SetClock(wall.Now)
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.On(jobstest.Each(time.Hour)))
		jobstest.Advance(50 * time.Minute)
		jobstest.StopPool(p)
		jobstest.Advance(time.Second)
		wall.Jump(30 * time.Minute)
		jobstest.Advance(59*time.Minute + 58*time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, jobstest.Times(time.Minute, 90), laps.Moments(), "at 02:00 by the clock, and not with the restart")
	})
}

func TestScheduledExecutesOnceAtOnceWhatAForwardJumpOrSleepHasMissed(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := jobstest.NewWallClock()
		p.SetClock(wall.Now)
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.On(jobstest.Each(time.Hour)))
		jobstest.Advance(10*time.Minute + 30*time.Second)
		wall.Jump(3 * time.Hour)
		jobstest.Advance(time.Minute) // a timer does not see it, so it has to look
		first := laps.Moments()
		assert.Len(t, first, 1)
		jobstest.Advance(49 * time.Minute)
		assert.Equal(t, append(first, time.Hour), laps.Moments(), "then at 04:00 by the clock")
	})
}

func TestScheduledSkipsTheOccurrencesAForwardJumpPassesWhileItIsExecuting(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := jobstest.NewWallClock()
		p.SetClock(wall.Now)
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { laps.Mark(); time.Sleep(10 * time.Minute); return nil }}, jobs.On(jobstest.Each(time.Hour)))
		jobstest.Advance(65 * time.Minute)
		wall.Jump(3 * time.Hour)
		jobstest.Advance(55 * time.Minute)
		assert.Equal(t, jobstest.Times(time.Hour, 1, 2), laps.Moments())
	}, jobs.WithExecutionTimeout(0))
}

func TestScheduledGoesByTheClockAsItIsAfterABackwardJump(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{"schedule": jobs.On(jobstest.Each(time.Hour)), "cron": jobs.Cron("0 * * * *")} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				wall := jobstest.NewWallClock()
				p.SetClock(wall.Now)
				laps := jobstest.NewTimeline()
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, trigger)
				jobstest.Advance(30*time.Minute + 30*time.Second)
				wall.Jump(-40 * time.Minute)
				jobstest.Advance(2 * time.Hour)
				assert.Equal(t, jobstest.Times(time.Minute, 40, 100), laps.Moments(), "at 00:00 and 01:00 by the clock")
			})
		})
	}
}

func TestScheduledIsFinishedWhenNextIsZeroOrNotLater(t *testing.T) {
	for name, end := range map[string]func(time.Time) time.Time{
		"zero":    func(time.Time) time.Time { return time.Time{} },
		"same":    func(now time.Time) time.Time { return now },
		"earlier": func(now time.Time) time.Time { return now.Add(-time.Hour) },
	} {
		for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
			t.Run(name, func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					laps := jobstest.NewTimeline()
					var asked atomic.Int32
					id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: laps.Execute}, jobs.On(jobstest.NextFunc(func(now time.Time) time.Time {
						asked.Add(1)
						if len(laps.Moments()) < 2 {
							return now.Add(time.Minute)
						}
						return end(now)
					})), opts...)
					jobstest.Advance(2*time.Minute - 1)
					assert.Equal(t, "Running", p.GetJobStatus(id))
					jobstest.Advance(1)
					assert.Equal(t, "Finished", p.GetJobStatus(id))
					ended := asked.Load()
					jobstest.StopPool(p)
					jobstest.Advance(time.Hour)
					assert.Equal(t, "Running", p.GetStatus())
					assert.Equal(t, "Finished", p.GetJobStatus(id), "and never started again")
					assert.Equal(t, jobstest.Times(time.Minute, 1, 2), laps.Moments())
					assert.Equal(t, ended, asked.Load())
				})
			})
		}
	}
}

func TestScheduledExecutesOnceThoughTheClockIsPutRightByLessThanASecond(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := jobstest.NewWallClock()
		p.SetClock(wall.Now)
		laps := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			laps.Mark()
			wall.Jump(-300 * time.Millisecond)
			return nil
		}}, jobs.Cron("0 * * * *"))
		jobstest.Advance(90 * time.Minute)
		assert.Equal(t, 1, len(laps.Moments()))
	})
}

func TestAScheduleThatTakesItsTimeDelaysNoExecution(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := jobstest.NewTimeline()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.NextFunc(func(from time.Time) time.Time {
			time.Sleep(2 * time.Second)
			return calls.Start.Add(from.Sub(calls.Start).Truncate(10*time.Second) + 10*time.Second)
		})))
		calls.AdvanceTo(9 * time.Second)
		assert.Equal(t, 10*time.Second, jobstest.InfoOf(t, p, id).NextRun.Sub(calls.Start))
		calls.AdvanceTo(41 * time.Second)
		assert.Equal(t, jobstest.Seconds(10, 20, 30, 40), calls.Moments())
	})
}

func TestAnOccurrenceThatPassesWhileThePoolIsStoppedIsSkippedAlsoByAJobThatHadToWait(t *testing.T) {
	t.Run("for its lock", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := jobstest.NewTimeline()
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.Each(10*time.Second)))
			jobstest.Advance(time.Second)
			p.JobLock(id)
			jobstest.StopPool(p) // from 1 to 31: it misses 10, 20 and 30
			jobstest.Advance(31 * time.Second)
			require.Equal(t, "Running", p.GetStatus())
			p.JobUnlock(id)
			calls.AdvanceTo(45 * time.Second)
			assert.Equal(t, jobstest.Seconds(40), calls.Moments())
		})
	})
	t.Run("for the answer of its Ready", func(t *testing.T) {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			var slow jobstest.Fault
			calls := jobstest.NewTimeline()
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute, ReadyFunc: func() bool {
				if !slow.Absent() {
					time.Sleep(12 * time.Second)
				}
				return true
			}}, jobs.On(jobstest.Each(40*time.Second)))
			jobstest.Advance(time.Second)
			slow.Set()
			jobstest.StopPool(p) // until 43, as Ready lasts from 31 on: it misses 40
			calls.AdvanceTo(85 * time.Second)
			require.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, jobstest.Seconds(80), calls.Moments())
		})
	})
}

func TestCron509_AClockSetBackByHoursDoesNotSilenceAJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		clock := jobstest.NewWallClock()
		p.SetClock(clock.Now)
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.On(jobstest.Each(time.Minute)))
		calls.AdvanceTo(90 * time.Second)
		clock.Jump(-10 * time.Hour)
		calls.AdvanceTo(5*time.Minute + time.Second)
		assert.GreaterOrEqual(t, len(calls.Moments()), 4)
	})
}

// The goroutine that looks at the clock is late, and finds that a restart has skipped the occurrence meanwhile.
func TestScheduledSkipsAnOccurrenceThatARestartHasSkippedJustNow(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		var readings atomic.Int32
		p.SetClock(func() time.Time {
			if readings.Add(1) == 2 { // after the schedule has answered
				time.Sleep(45 * time.Second)
			}
			return time.Now()
		})
		executions := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { executions.Mark(); return nil }}, jobs.On(jobstest.NextFunc(func(t time.Time) time.Time {
			if first := start.Add(10 * time.Second); t.Before(first) {
				return first
			}
			return t.Add(time.Hour)
		})))
		jobstest.Advance(time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		jobstest.Advance(40 * time.Second)
		require.Equal(t, 1, p.Info().Restarts)
		jobstest.Advance(time.Hour + time.Minute)
		assert.Equal(t, jobstest.Seconds(3645), executions.Moments())
	})
}

func TestRunNowDuringACallOfNextThatPanicsExecutesTheJobThen(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		executions := jobstest.NewTimeline()
		calls := 0
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { executions.Mark(); return nil }}, jobs.On(jobstest.NextFunc(func(t time.Time) time.Time {
			if calls++; calls == 2 {
				time.Sleep(2 * time.Second)
				panic("no")
			}
			return t.Add(24 * time.Hour)
		})), jobs.Detached())
		jobstest.Advance(time.Second)
		require.NoError(t, p.RunNow(id))
		jobstest.Advance(time.Hour)
		assert.Equal(t, jobstest.Seconds(2), executions.Moments())
	})
}

// A job that has come to its end blocks nothing, whatever it is in.
func TestAScheduledJobThatFinishesWhileItsReadyHangsLetsThePoolRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		hang := make(chan struct{})
		var hangs atomic.Bool
		calls := 0
		id := jobstest.Register(t, p, jobstest.Stub{
			ExecuteFunc: func() error { time.Sleep(10 * time.Second); return nil },
			ReadyFunc: func() bool {
				if hangs.Load() {
					<-hang
				}
				return true
			},
		}, jobs.On(jobstest.NextFunc(func(t time.Time) time.Time {
			if calls++; calls <= 2 {
				return t.Add(time.Second)
			}
			time.Sleep(5 * time.Second)
			return time.Time{}
		})))
		jobstest.Advance(2 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		hangs.Store(true)
		jobstest.Advance(10 * time.Second) // the execution is over, and the schedule is asked
		p.SetStatus(jobs.PoolStatusRunning)
		jobstest.Advance(time.Minute)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, p.Info().HeldUpBy)
		close(hang)
	})
}

func TestTheLongestStatusIntervalIsAsLongAWaitForReady(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var polls atomic.Int32
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { polls.Add(1); return false }}, jobs.Once())
		jobstest.Advance(2 * time.Minute) // all but as often as the doubled wait has a number
		p.UpdateDurations(math.MaxInt64, 0)
		before := polls.Load()
		jobstest.Advance(24 * time.Hour)
		assert.Equal(t, before, polls.Load())
	}, jobs.WithStatusInterval(time.Second))
}

func TestScheduledKeepsAnOccurrenceThatWaitsForItsJitterWhenTheClockIsSetBack(t *testing.T) {
	for name, back := range map[string]time.Duration{
		"to after the occurrence":  2 * time.Second,
		"to before the occurrence": 2 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 { // jitters
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					wall := jobstest.NewWallClock()
					p.SetClock(wall.Now)
					calls := jobstest.NewTimeline()
					jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron("CRON_TZ=UTC 0 1 * * *"), jobs.WithJitter(6*time.Hour))
					calls.AdvanceTo(time.Hour + 10*time.Second)
					before := len(calls.Moments()) // hardly ever 1
					wall.Jump(-back)
					calls.AdvanceTo(20 * time.Hour)
					if before == 0 {
						assert.Len(t, calls.Moments(), 1, "today's")
					}
				})
			}
		})
	}
}

func TestScheduledSpreadsWhatItCatchesUpOnByItsJitter(t *testing.T) {
	const jitter = 30 * time.Minute
	for name, c := range map[string]struct {
		job  jobs.JobOption
		pool jobs.PoolOption
	}{
		"its own": {jobs.WithJitter(jitter), nil}, "the pool's": {nil, jobs.WithJitter(jitter)},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				wall := jobstest.NewWallClock()
				p.SetClock(wall.Now)
				calls := jobstest.NewTimeline()
				for range 100 {
					jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron("CRON_TZ=UTC 0 3 * * *"), c.job)
				}
				calls.AdvanceTo(time.Hour)
				wall.Jump(8 * time.Hour)
				calls.AdvanceTo(3 * time.Hour)
				at := calls.Moments()
				require.Len(t, at, 100)
				assert.GreaterOrEqual(t, at[0], time.Hour)
				assert.LessOrEqual(t, at[99], time.Hour+31*time.Minute, "a minute at most until the jump is noticed, and the jitter")
				assert.Greater(t, at[50]-at[0], 5*time.Minute)
			}, c.pool)
		})
	}
}

func TestAClockThatIsWrongForAWhileFinishesNoScheduledJob(t *testing.T) {
	const years = 365 * 24 * time.Hour
	for name, c := range map[string]struct {
		expr  string // clocks in bubbles begin in 2000
		jump  time.Duration
		wrong time.Duration // how long
	}{
		"beyond 2099":                {"CRON_TZ=UTC * * * * *", 101 * years, 2 * time.Minute},
		"beyond 2099 for days":       {"CRON_TZ=UTC * * * * *", 101 * years, 100 * time.Hour},
		"beyond the schedule's year": {"CRON_TZ=UTC * * * * * 2000", 20 * years, 23 * time.Hour},
		"before":                     {"CRON_TZ=UTC * * * * * 2000", -29 * years, 100 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				wall := jobstest.NewWallClock()
				p.SetClock(wall.Now)
				calls := jobstest.NewTimeline()
				id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron(c.expr))
				calls.AdvanceTo(90 * time.Second)
				require.Equal(t, jobstest.Seconds(60), calls.Moments())
				wall.Jump(c.jump)
				calls.AdvanceTo(90*time.Second + c.wrong)
				assert.Equal(t, "Running", p.GetJobStatus(id))
				assert.Len(t, calls.Moments(), 1, "no execution out of its year")
				wall.Jump(-c.jump)
				calls.AdvanceTo(90*time.Second + c.wrong + 10*time.Minute)
				assert.InDelta(t, 10, len(calls.Moments())-1, 1)
			})
		})
	}
}

func TestAScheduleThatTheClockHasJumpedOverIsFinishedADayLater(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := jobstest.NewWallClock()
		p.SetClock(wall.Now)
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Cron("CRON_TZ=UTC 0 0 1 6 * 2000"))
		jobstest.Advance(time.Hour)
		wall.Jump(3 * 365 * 24 * time.Hour)
		jobstest.Advance(12 * time.Hour)
		wall.Jump(time.Hour) // that it jumps again is reason to doubt again
		jobstest.Advance(23 * time.Hour)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		assert.Zero(t, jobstest.InfoOf(t, p, id).NextRun)
		jobstest.Advance(2 * time.Hour)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Zero(t, jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestAClockFarAheadIsNoReasonToRefuseAScheduledJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := jobstest.NewWallClock()
		p.SetClock(wall.Now)
		wall.Jump(101 * 365 * 24 * time.Hour)
		calls := jobstest.NewTimeline()
		parsed, err := jobs.ParseSchedule("CRON_TZ=UTC * * * * *")
		require.NoError(t, err)
		for _, trigger := range []jobs.Trigger{jobs.Cron("CRON_TZ=UTC * * * * *"), jobs.On(parsed)} {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, trigger)
		}
		jobstest.Advance(2 * time.Minute)
		assert.Empty(t, calls.Moments())
		wall.Jump(-101 * 365 * 24 * time.Hour)
		jobstest.Advance(5 * time.Minute)
		assert.InDelta(t, 10, len(calls.Moments()), 2)
	})
}

// The computer begins in 1970, as one without a clock of its own does, and then asks what time it is.
func TestAJobIsNotExecutedForAnOccurrenceOfHalfACenturyAgo(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := jobstest.NewWallClock()
		p.SetClock(wall.Now)
		wall.Jump(time.Unix(0, 0).Sub(wall.Start))
		calls := jobstest.NewTimeline()
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: calls.Execute}, jobs.Cron("CRON_TZ=UTC 0 3 * * *"))
		jobstest.Advance(10 * time.Second)
		wall.Jump(-time.Unix(0, 0).Sub(wall.Start)) // to midnight
		calls.AdvanceTo(4 * time.Hour)
		assert.Equal(t, []time.Duration{3 * time.Hour}, calls.Moments())
	})
}

func TestAScheduleThatMayMeanSomethingElseIsWarnedOf(t *testing.T) {
	for _, expr := range []string{"0 0 12 * * ?", "0 0 3 * * *", "0 */5 * * * *", "*/10 * * * * *", "0 12 ? * 2-6"} {
		synctest.Test(t, func(t *testing.T) {
			logged := new(jobstest.Journal)
			p := jobs.NewPool(logged.Option())
			parsed, err := jobs.ParseSchedule(expr)
			require.NoError(t, err)
			for _, trigger := range []jobs.Trigger{jobs.Cron(expr), jobs.On(parsed)} {
				before := len(logged.AtLeast(slog.LevelWarn))
				info := jobstest.InfoOf(t, p, jobstest.Register(t, p, jobstest.Stub{}, trigger))
				require.Len(t, info.Warnings, 1, expr)
				lines := logged.AtLeast(slog.LevelWarn)[before:]
				require.Len(t, lines, 1)
				assert.Equal(t, []string{info.Warnings[0], info.ID}, []string{lines[0].Text("warning"), lines[0].Text("id")})
				info.Warnings[0] = "changed"
				assert.NotEqual(t, "changed", jobstest.InfoOf(t, p, info.ID).Warnings[0])
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for _, expr := range []string{"0 12 * * ? *", "0 3 * * *", "0 0 3 * * * *", "@daily"} {
			assert.Empty(t, jobstest.InfoOf(t, p, jobstest.Register(t, p, jobstest.Stub{}, jobs.Cron(expr))).Warnings, expr)
		}
	})
}
