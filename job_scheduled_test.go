package jobs_test

import (
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
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
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		_, err := p.Register(stub{}, jobs.Cron("0 61 * * * * *"))
		assert.ErrorContains(t, err, want.Error())
		_, err = p.Register(stub{}, jobs.Cron("0 0 30 2 *"))
		assert.ErrorContains(t, err, `schedule "0 0 30 2 *" has no occurrence left`)
	})
}

func TestScheduledExecutesAtEachOccurrenceOfItsCronExpression(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline() // a bubble begins at midnight
		register(t, p, stub{execute: laps.execute}, jobs.Cron("*/20 * * * *"))
		pass(time.Hour)
		assert.Equal(t, times(time.Minute, 20, 40, 60), laps.moments())
	})
}

func TestScheduledExecutesAtEachOccurrenceOfAnySchedule(t *testing.T) {
	for _, opts := range [][]jobs.JobOption{nil, {jobs.Detached()}} {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			laps := newTimeline()
			at := times(time.Millisecond, 1, 1500, 1501, 200_000)
			register(t, p, stub{execute: laps.execute}, jobs.On(nextFunc(func(now time.Time) time.Time {
				for _, d := range at {
					if moment := laps.start.Add(d); moment.After(now) {
						return moment
					}
				}
				return now.Add(1000 * time.Hour)
			})), opts...)
			pass(time.Hour)
			assert.Equal(t, at, laps.moments())
		})
	}
}

func TestScheduledIsNotExecutedWhenItIsReadyButAtItsNextOccurrence(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newTimeline()
		job := stub{execute: laps.execute}
		job.ready = func() bool { time.Sleep(25 * time.Second); return true } // over two occurrences
		register(t, p, job, jobs.On(each(10*time.Second)))
		pass(40 * time.Second)
		assert.Equal(t, times(time.Second, 30, 40), laps.moments())
	})
}

func TestScheduledIsNeverExecutedEarlyByTheWallClock(t *testing.T) {
	for name, shown := range map[string]func(time.Duration) time.Duration{
		"slow":    func(d time.Duration) time.Duration { return d - d/100 },
		"unequal": func(d time.Duration) time.Duration { return d.Truncate(300 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				wall := newWallClock()
				wall.shown = shown
				p.SetClock(wall.now)
				shows := newTimeline()
				register(t, p, stub{execute: func() error {
					shows.note(wall.now().Round(0).Sub(wall.start))
					return nil
				}}, jobs.On(each(time.Minute)))
				pass(5*time.Minute + 10*time.Second)
				assert.Len(t, shows.moments(), 5)
				for i, showed := range shows.moments() {
					due := time.Duration(i+1) * time.Minute
					assert.GreaterOrEqual(t, showed, due)
					assert.Less(t, showed, due+time.Second)
				}
			})
		})
	}
}

func TestScheduledIsNeverExecutedTwiceAtOnceAndSkipsWhatPassesMeanwhile(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps, overlap := newTimeline(), new(overlapMeter)
		register(t, p, stub{execute: func() error {
			laps.mark()
			overlap.during(25 * time.Second)
			return nil
		}}, jobs.On(each(10*time.Second)))
		pass(80 * time.Second)
		assert.Equal(t, times(time.Second, 10, 40, 70), laps.moments())
		assert.Equal(t, 1, overlap.highest())
	})
}

func TestScheduledSkipsTheOccurrencesThatPassWhileItIsStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps, detached := newTimeline(), newTimeline()
		register(t, p, stub{execute: laps.execute}, jobs.On(each(20*time.Second)))
		register(t, p, stub{execute: detached.execute}, jobs.On(each(20*time.Second)), jobs.Detached())
		pass(25 * time.Second)
		stopPool(p) // until 55 s
		pass(60 * time.Second)
		assert.Equal(t, times(time.Second, 20, 60, 80), laps.moments())
		assert.Equal(t, times(time.Second, 20, 40, 60, 80), detached.moments())
	})
}

func TestScheduledSkipsTheOccurrencesAForwardJumpPassesWhileItIsStopped(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := newWallClock()
		p.SetClock(wall.now)
		laps := newTimeline()
		register(t, p, stub{execute: laps.execute}, jobs.On(each(time.Hour)))
		pass(50 * time.Minute)
		stopPool(p)
		pass(time.Second)
		wall.jump(30 * time.Minute)
		pass(59*time.Minute + 58*time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, times(time.Minute, 90), laps.moments(), "at 02:00 by the clock, and not with the restart")
	})
}

func TestScheduledExecutesOnceAtOnceWhatAForwardJumpOrSleepHasMissed(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := newWallClock()
		p.SetClock(wall.now)
		laps := newTimeline()
		register(t, p, stub{execute: laps.execute}, jobs.On(each(time.Hour)))
		pass(10*time.Minute + 30*time.Second)
		wall.jump(3 * time.Hour)
		pass(time.Minute) // a timer does not see it, so it has to look
		first := laps.moments()
		assert.Len(t, first, 1)
		pass(49 * time.Minute)
		assert.Equal(t, append(first, time.Hour), laps.moments(), "then at 04:00 by the clock")
	})
}

func TestScheduledSkipsTheOccurrencesAForwardJumpPassesWhileItIsExecuting(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := newWallClock()
		p.SetClock(wall.now)
		laps := newTimeline()
		register(t, p, stub{execute: func() error { laps.mark(); time.Sleep(10 * time.Minute); return nil }}, jobs.On(each(time.Hour)))
		pass(65 * time.Minute)
		wall.jump(3 * time.Hour)
		pass(55 * time.Minute)
		assert.Equal(t, times(time.Hour, 1, 2), laps.moments())
	}, jobs.WithExecutionTimeout(0))
}

func TestScheduledGoesByTheClockAsItIsAfterABackwardJump(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{"schedule": jobs.On(each(time.Hour)), "cron": jobs.Cron("0 * * * *")} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				wall := newWallClock()
				p.SetClock(wall.now)
				laps := newTimeline()
				register(t, p, stub{execute: laps.execute}, trigger)
				pass(30*time.Minute + 30*time.Second)
				wall.jump(-40 * time.Minute)
				pass(2 * time.Hour)
				assert.Equal(t, times(time.Minute, 40, 100), laps.moments(), "at 00:00 and 01:00 by the clock")
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
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					laps := newTimeline()
					var asked atomic.Int32
					id := register(t, p, stub{execute: laps.execute}, jobs.On(nextFunc(func(now time.Time) time.Time {
						asked.Add(1)
						if len(laps.moments()) < 2 {
							return now.Add(time.Minute)
						}
						return end(now)
					})), opts...)
					pass(2*time.Minute - 1)
					assert.Equal(t, "Running", p.GetJobStatus(id))
					pass(1)
					assert.Equal(t, "Finished", p.GetJobStatus(id))
					ended := asked.Load()
					stopPool(p)
					pass(time.Hour)
					assert.Equal(t, "Running", p.GetStatus())
					assert.Equal(t, "Finished", p.GetJobStatus(id), "and never started again")
					assert.Equal(t, times(time.Minute, 1, 2), laps.moments())
					assert.Equal(t, ended, asked.Load())
				})
			})
		}
	}
}

func TestScheduledExecutesOnceThoughTheClockIsPutRightByLessThanASecond(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		wall := newWallClock()
		p.SetClock(wall.now)
		laps := newTimeline()
		register(t, p, stub{execute: func() error {
			laps.mark()
			wall.jump(-300 * time.Millisecond)
			return nil
		}}, jobs.Cron("0 * * * *"))
		pass(90 * time.Minute)
		assert.Equal(t, 1, len(laps.moments()))
	})
}

func TestAScheduleThatTakesItsTimeDelaysNoExecution(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		calls := newTimeline()
		id := register(t, p, stub{execute: calls.execute}, jobs.On(nextFunc(func(from time.Time) time.Time {
			time.Sleep(2 * time.Second)
			return calls.start.Add(from.Sub(calls.start).Truncate(10*time.Second) + 10*time.Second)
		})))
		calls.fill(9 * time.Second)
		assert.Equal(t, 10*time.Second, infoOf(t, p, id).NextRun.Sub(calls.start))
		calls.fill(41 * time.Second)
		assert.Equal(t, seconds(10, 20, 30, 40), calls.moments())
	})
}

func TestAnOccurrenceThatPassesWhileThePoolIsStoppedIsSkippedAlsoByAJobThatHadToWait(t *testing.T) {
	t.Run("for its lock", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			calls := newTimeline()
			id := register(t, p, stub{execute: calls.execute}, jobs.On(each(10*time.Second)))
			pass(time.Second)
			p.JobLock(id)
			stopPool(p) // from 1 to 31: it misses 10, 20 and 30
			pass(31 * time.Second)
			require.Equal(t, "Running", p.GetStatus())
			p.JobUnlock(id)
			calls.fill(45 * time.Second)
			assert.Equal(t, seconds(40), calls.moments())
		})
	})
	t.Run("for the answer of its Ready", func(t *testing.T) {
		inPool(t, func(t *testing.T, p *jobs.Pool) {
			var slow fault
			calls := newTimeline()
			register(t, p, stub{execute: calls.execute, ready: func() bool {
				if !slow.absent() {
					time.Sleep(12 * time.Second)
				}
				return true
			}}, jobs.On(each(40*time.Second)))
			pass(time.Second)
			slow.cause()
			stopPool(p) // until 43, as Ready lasts from 31 on: it misses 40
			calls.fill(85 * time.Second)
			require.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, seconds(80), calls.moments())
		})
	})
}

func TestCron26_AClockSetForwardByHoursMakesOneRunAndNoBurst(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		clock := newWallClock()
		p.SetClock(clock.now)
		calls := newTimeline()
		register(t, p, stub{execute: calls.execute}, jobs.On(each(time.Hour)))
		calls.fill(90 * time.Second)
		clock.jump(10 * time.Hour)
		calls.fill(30 * time.Minute)
		assert.Equal(t, seconds(120), calls.moments(), "one for the ten hours, within a minute")
	})
}

func TestCron509_AClockSetBackByHoursDoesNotSilenceAJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		clock := newWallClock()
		p.SetClock(clock.now)
		calls := newTimeline()
		register(t, p, stub{execute: calls.execute}, jobs.On(each(time.Minute)))
		calls.fill(90 * time.Second)
		clock.jump(-10 * time.Hour)
		calls.fill(5*time.Minute + time.Second)
		assert.GreaterOrEqual(t, len(calls.moments()), 4)
	})
}

// The goroutine that looks at the clock is late, and finds that a restart has skipped the occurrence meanwhile.
func TestScheduledSkipsAnOccurrenceThatARestartHasSkippedJustNow(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		var readings atomic.Int32
		p.SetClock(func() time.Time {
			if readings.Add(1) == 2 { // after the schedule has answered
				time.Sleep(45 * time.Second)
			}
			return time.Now()
		})
		executions := newTimeline()
		register(t, p, stub{execute: func() error { executions.mark(); return nil }}, jobs.On(nextFunc(func(t time.Time) time.Time {
			if first := start.Add(10 * time.Second); t.Before(first) {
				return first
			}
			return t.Add(time.Hour)
		})))
		pass(time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		pass(40 * time.Second)
		require.Equal(t, 1, p.Info().Restarts)
		pass(time.Hour + time.Minute)
		assert.Equal(t, seconds(3645), executions.moments())
	})
}

func TestRunNowDuringACallOfNextThatPanicsExecutesTheJobThen(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		executions := newTimeline()
		calls := 0
		id := register(t, p, stub{execute: func() error { executions.mark(); return nil }}, jobs.On(nextFunc(func(t time.Time) time.Time {
			if calls++; calls == 2 {
				time.Sleep(2 * time.Second)
				panic("no")
			}
			return t.Add(24 * time.Hour)
		})), jobs.Detached())
		pass(time.Second)
		require.NoError(t, p.RunNow(id))
		pass(time.Hour)
		assert.Equal(t, seconds(2), executions.moments())
	})
}

// A job that has come to its end blocks nothing, whatever it is in.
func TestAScheduledJobThatFinishesWhileItsReadyHangsLetsThePoolRestart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		hang := make(chan struct{})
		var hangs atomic.Bool
		calls := 0
		id := register(t, p, stub{
			execute: func() error { time.Sleep(10 * time.Second); return nil },
			ready: func() bool {
				if hangs.Load() {
					<-hang
				}
				return true
			},
		}, jobs.On(nextFunc(func(t time.Time) time.Time {
			if calls++; calls <= 2 {
				return t.Add(time.Second)
			}
			time.Sleep(5 * time.Second)
			return time.Time{}
		})))
		pass(2 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		hangs.Store(true)
		pass(10 * time.Second) // the execution is over, and the schedule is asked
		p.SetStatus(jobs.PoolStatusRunning)
		pass(time.Minute)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, p.Info().HeldUpBy)
		close(hang)
	})
}

func TestTheLongestStatusIntervalIsAsLongAWaitForReady(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var polls atomic.Int32
		register(t, p, stub{ready: func() bool { polls.Add(1); return false }}, jobs.Once())
		pass(2 * time.Minute) // all but as often as the doubled wait has a number
		p.UpdateDurations(math.MaxInt64, 0)
		before := polls.Load()
		pass(24 * time.Hour)
		assert.Equal(t, before, polls.Load())
	}, jobs.WithStatusInterval(time.Second))
}
