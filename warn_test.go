package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// linesOf returns the lines of at least the given level with that message.
func linesOf(log *jobstest.Journal, level slog.Level, message string) (lines []jobstest.Entry) {
	for _, e := range log.AtLeast(level) {
		if e.Message == message {
			lines = append(lines, e)
		}
	}
	return lines
}

func TestAJobThatIsNotReadyIsWarnedOfAfterAMinuteAndThenEachTenMinutes(t *testing.T) {
	log, broken := new(jobstest.Journal), jobstest.NewFault()
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		broken.Set()
		id := jobstest.Register(t, p, jobs.Func(func(context.Context) error { return nil }, jobs.WithReady(func(context.Context) error { return broken.Err() })),
			jobs.Every(time.Hour), jobs.WithName("tokens"))
		jobstest.Advance(time.Minute)
		assert.Empty(t, log.AtLeast(slog.LevelInfo), "most jobs need a moment")
		jobstest.Advance(time.Minute)
		lines := linesOf(log, slog.LevelWarn, "job is not ready")
		require.Len(t, lines, 1)
		assert.Equal(t, []string{id, "tokens", jobstest.ErrBroken.Error()}, []string{lines[0].Text("id"), lines[0].Text("job"), lines[0].Text("error")})
		jobstest.Advance(21 * time.Minute)
		lines = linesOf(log, slog.LevelWarn, "job is not ready")
		require.Len(t, lines, 3)
		assert.Greater(t, lines[1].Attrs["kept_back"].Uint64(), uint64(10), "one for each poll")

		broken.Clear()
		jobstest.Advance(time.Minute)
		lines = linesOf(log, slog.LevelInfo, "job ready")
		require.Len(t, lines, 1)
		assert.Equal(t, slog.LevelInfo, lines[0].Level)
		assert.Greater(t, lines[0].Attrs["after"].Duration(), 23*time.Minute)
	}, log.Option())
}

func TestAJobThatIsReadyWithinAMinuteSaysNothing(t *testing.T) {
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return time.Since(start) > 20*time.Second }}, jobs.Every(time.Hour))
		jobstest.Advance(time.Hour)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, log.AtLeast(slog.LevelInfo))
	}, log.Option())
}

func TestARestartThatIsRefusedIsWarnedOfWithWhoRefusesIt(t *testing.T) {
	log, broken := new(jobstest.Journal), jobstest.NewFault()
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		broken.Clear()
		ready := jobs.WithReady(func(context.Context) error { return broken.Err() })
		for _, name := range []string{"gateway", "tokens"} {
			jobstest.Register(t, p, jobs.Func(func(context.Context) error { return nil }, ready), jobs.Every(time.Hour), jobs.WithName(name))
		}
		jobstest.Advance(time.Second)
		broken.Set()
		jobstest.StopPool(p)
		jobstest.Advance(9 * time.Minute)
		lines := linesOf(log, slog.LevelWarn, "restart refused")
		require.Len(t, lines, 1, "and not one for each attempt")
		assert.Equal(t, []string{"gateway", jobstest.ErrBroken.Error()}, []string{lines[0].Text("job"), lines[0].Text("error")})
		assert.EqualValues(t, []int64{2, 1}, []int64{lines[0].Attrs["refused_by"].Int64(), lines[0].Attrs["attempt"].Int64()})
		assert.Equal(t, time.Minute, lines[0].Attrs["next_attempt_in"].Duration())
		jobstest.Advance(20 * time.Minute)
		lines = linesOf(log, slog.LevelWarn, "restart refused")
		require.Greater(t, len(lines), 1)
		assert.NotZero(t, lines[1].Attrs["kept_back"].Uint64())
	}, log.Option())
}

func TestTheSameFailureIsLoggedOnceInTenMinutesAndThenAsAWarning(t *testing.T) {
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var why atomic.Value
		why.Store("it is broken")
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return errors.New(why.Load().(string)) }}, jobs.Every(time.Minute), jobs.Detached())
		jobstest.Advance(9*time.Minute + 30*time.Second)
		lines := linesOf(log, slog.LevelWarn, "job execution failed")
		require.Len(t, lines, 1)
		assert.Equal(t, slog.LevelError, lines[0].Level)
		jobstest.Advance(time.Minute)
		lines = linesOf(log, slog.LevelWarn, "job execution failed")
		require.Len(t, lines, 2)
		assert.Equal(t, slog.LevelWarn, lines[1].Level)
		assert.EqualValues(t, 9, lines[1].Attrs["kept_back"].Uint64())

		why.Store("it is broken in another way")
		jobstest.Advance(time.Minute)
		lines = linesOf(log, slog.LevelWarn, "job execution failed")
		require.Len(t, lines, 3, "what is new is told at once")
		assert.Equal(t, slog.LevelError, lines[2].Level)
		assert.Contains(t, lines[2].Text("error"), why.Load())
	}, log.Option())
}

func TestAFailureThatStopsThePoolIsAnErrorThoughTheSameWasAWarning(t *testing.T) {
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Every(time.Minute), jobs.WithFailureThreshold(4))
		jobstest.Advance(3*time.Minute + time.Second)
		lines := linesOf(log, slog.LevelWarn, "job execution failed")
		require.Len(t, lines, 2)
		assert.Equal(t, []slog.Level{slog.LevelWarn, slog.LevelError}, []slog.Level{lines[0].Level, lines[1].Level})
		assert.EqualValues(t, 2, lines[1].Attrs["kept_back"].Uint64(), "those in between are counted")
	}, log.Option())
}

func TestFailuresThatTakeTurnsAreEachLoggedOnceInTenMinutes(t *testing.T) {
	for different, want := range map[int]int{1: 1, 2: 2, 15: 15, 17: 540} { // of more than 16 the oldest is forgotten
		t.Run(strconv.Itoa(different), func(t *testing.T) {
			log := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				n := 0
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { n++; return fmt.Errorf("failure %d", n%different) }}, jobs.Every(time.Second), jobs.Detached())
				jobstest.Advance(9*time.Minute - time.Millisecond)
				assert.Len(t, linesOf(log, slog.LevelWarn, "job execution failed"), want)
			}, log.Option())
		})
	}
}

func TestAFailureThatComesAgainAfterASuccessIsAnErrorAgain(t *testing.T) {
	log, broken := new(jobstest.Journal), jobstest.NewFault()
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: broken.Err}, jobs.Every(time.Minute), jobs.Detached())
		jobstest.Advance(90 * time.Second)
		broken.Clear()
		jobstest.Advance(10 * time.Minute)
		broken.Set()
		jobstest.Advance(time.Minute)
		lines := linesOf(log, slog.LevelWarn, "job execution failed")
		require.Len(t, lines, 2)
		assert.Equal(t, slog.LevelError, lines[1].Level)
		assert.EqualValues(t, 1, lines[1].Attrs["kept_back"].Uint64())
	}, log.Option())
}

func TestWhatHasNotReturnedForAnHourIsWarnedOf(t *testing.T) {
	forever := func() error { jobstest.Take(100 * time.Hour); return nil }
	for name, c := range map[string]struct {
		job     jobs.Job
		trigger jobs.Trigger
		act     func(p *jobs.Pool)
		call    string
	}{
		"a single run job": {jobstest.Stub{ExecuteFunc: forever}, jobs.Once(), nil, "Execute"},
		"a retry job":      {jobstest.Stub{ExecuteFunc: forever}, jobs.Retry(3), nil, "Execute"},
		"a channel job that was told to end": {jobs.JobFunc(func(context.Context) error { return forever() }), jobs.Channel(nil),
			jobstest.StopPool, "Execute"},
		"the first Ready": {jobstest.Stub{ReadyFunc: func() bool { return forever() == nil }}, jobs.Every(time.Hour), nil, "Ready"},
		"the Ready of a restart": {jobstest.Stub{ReadyFunc: readyOnce(forever)}, jobs.Every(time.Hour),
			jobstest.StopPool, "Ready"},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(jobstest.Journal)
			synctest.Test(t, func(t *testing.T) {
				p := jobs.NewPool(log.Option())
				defer func() { jobstest.Advance(200 * time.Hour); jobstest.ShutDownNow(p) }()
				id := jobstest.Register(t, p, c.job, c.trigger)
				jobstest.Advance(time.Second)
				if c.act != nil {
					c.act(p)
					jobstest.Advance(31 * time.Second)
				}
				jobstest.Advance(58 * time.Minute)
				assert.Empty(t, linesOf(log, slog.LevelWarn, "call has not returned"))
				jobstest.Advance(3 * time.Minute)
				lines := linesOf(log, slog.LevelWarn, "call has not returned")
				require.Len(t, lines, 1)
				assert.Equal(t, []string{id, c.call}, []string{lines[0].Text("id"), lines[0].Text("call")})
				assert.InDelta(t, 60, lines[0].Attrs["for"].Duration().Minutes(), 2)
				jobstest.Advance(10 * time.Hour)
				lines = linesOf(log, slog.LevelWarn, "call has not returned")
				assert.Greater(t, len(lines), 8, "again and again")
				assert.LessOrEqual(t, len(lines), 62)
				assert.InDelta(t, 11, lines[len(lines)-1].Attrs["for"].Duration().Hours(), 1)
			})
		})
	}
}

// readyOnce is a Ready that is true the first time, and then does something else.
func readyOnce(then func() error) func() bool {
	first := true
	return func() bool {
		if first {
			first = false
			return true
		}
		return then() == nil
	}
}

func TestAChannelJobThatHasNotBeenToldIsNoCallThatHasNotReturned(t *testing.T) {
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil }), jobs.Channel(nil))
		jobstest.Advance(100 * time.Hour)
		assert.Empty(t, log.AtLeast(slog.LevelInfo))
	}, log.Option())
}

func TestAJitterLongerThanThePeriodIsWarnedOf(t *testing.T) {
	for name, c := range map[string]struct {
		trigger jobs.Trigger
		jitter  time.Duration
		want    int
	}{
		"interval":          {jobs.Every(time.Minute), time.Hour, 1},
		"interval, shorter": {jobs.Every(time.Minute), time.Minute, 0},
		"cron":              {jobs.Cron("*/5 * * * *"), time.Hour, 1},
		"cron, shorter":     {jobs.Cron("*/5 * * * *"), time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				first := jobstest.Register(t, p, jobstest.Idler{}, c.trigger, jobs.WithJitter(c.jitter))
				second := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(24*time.Hour), jobs.WithJitter(c.jitter))
				require.NoError(t, p.Reschedule(second, c.trigger))
				for _, id := range []string{first, second} {
					warnings := jobstest.InfoOf(t, p, id).Warnings
					require.Len(t, warnings, c.want)
					if c.want > 0 {
						assert.Contains(t, warnings[0], "WithJitter(1h0m0s) is longer than")
					}
				}
				assert.Equal(t, 2*c.want, log.Count(slog.LevelWarn))
			}, log.Option())
		})
	}
}

func TestAHundredThousandFailingJobsMakeAtMostAHundredLinesASecond(t *testing.T) {
	const jobsThatFail = 100_000 / jobstest.RaceFactor
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for range jobsThatFail {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Every(10*time.Second), jobs.Detached())
		}
		jobstest.Advance(500 * time.Millisecond)
		assert.LessOrEqual(t, len(log.AtLeast(slog.LevelInfo)), 100)
		assert.GreaterOrEqual(t, len(log.AtLeast(slog.LevelInfo)), 99)
		jobstest.Advance(time.Second)
		lines := log.AtLeast(slog.LevelInfo)
		assert.LessOrEqual(t, len(lines), 100)
		last := lines[len(lines)-1]
		assert.Equal(t, "too many lines to log each", last.Message)
		assert.EqualValues(t, jobsThatFail-len(lines)+1, last.Attrs["kept_back"].Uint64())
		for s := range 20 {
			before := len(log.AtLeast(slog.LevelInfo))
			jobstest.Advance(time.Second)
			assert.LessOrEqual(t, len(log.AtLeast(slog.LevelInfo))-before, 100, "second %d", s)
		}
	}, jobs.WithLogger(slog.New(atInfo{log})))
}

// atInfo drops debug lines.
type atInfo struct{ *jobstest.Journal }

func (atInfo) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func TestWhateverIsWrongWithManyJobsMakesAtMostAHundredLinesASecond(t *testing.T) {
	executes := func(context.Context) error { return nil }
	fails := func(context.Context) error { return jobstest.ErrBroken }
	outage := jobstest.NewFault()
	for name, c := range map[string]struct {
		job  jobs.Job
		opts []jobs.JobOption
		pool jobs.PoolOption
		act  func(p *jobs.Pool, ids []string)
	}{
		"executions fail":        {job: jobs.JobFunc(fails)},
		"attempts fail":          {job: jobs.JobFunc(fails), opts: []jobs.JobOption{jobs.WithRetries(50, time.Millisecond, time.Millisecond)}},
		"they panic":             {job: jobs.JobFunc(func(context.Context) error { panic("oops") })},
		"they exceed their time": {job: jobs.JobFunc(func(ctx context.Context) error { jobstest.Take(time.Minute); return nil }), opts: []jobs.JobOption{jobs.WithJobTimeout(time.Second)}},
		"they are not ready":     {job: jobs.Func(executes, jobs.WithReady(fails))},
		"they are ready at last": {job: jobs.Func(executes, jobs.WithReady(func(context.Context) error { return outage.Err() })),
			act: func(*jobs.Pool, []string) { time.AfterFunc(70*time.Second, outage.Clear) }},
		"Ready panics":       {job: jobs.Func(executes, jobs.WithReady(func(context.Context) error { panic("oops") }))},
		"they are stale":     {job: jobs.Func(executes, jobs.WithReady(fails)), opts: []jobs.JobOption{jobs.WithFreshness(time.Minute)}},
		"an observer panics": {job: jobs.JobFunc(executes), pool: jobs.WithObserver(func(jobs.Event) { panic("oops") })},
		"they are not locked": {job: jobs.JobFunc(executes), act: func(p *jobs.Pool, ids []string) {
			for _, id := range ids {
				p.JobUnlock(id)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(jobstest.Journal)
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var ids []string
				for range 300 {
					ids = append(ids, jobstest.Register(t, p, c.job, jobs.Every(10*time.Second), append(c.opts, jobs.Detached())...))
				}
				if c.act != nil {
					c.act(p, ids)
				}
				for s := range 150 {
					before := len(log.AtLeast(slog.LevelInfo))
					jobstest.Advance(time.Second)
					require.LessOrEqual(t, len(log.AtLeast(slog.LevelInfo))-before, 100, "second %d", s)
				}
				require.NotEmpty(t, linesOf(log, slog.LevelWarn, "too many lines to log each"))
			}, jobs.WithLogger(slog.New(atInfo{log})), c.pool)
		})
	}
}

func TestAttemptsThatFailInTheSameWayAreLoggedOnceInTenMinutes(t *testing.T) {
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { return jobstest.ErrBroken }), jobs.Every(time.Minute), jobs.Detached(),
			jobs.WithRetries(3, time.Second, time.Second))
		jobstest.Advance(9 * time.Minute)
		lines := linesOf(log, slog.LevelWarn, "job attempt failed")
		require.Len(t, lines, 1)
		assert.Equal(t, slog.LevelWarn, lines[0].Level)
		assert.Equal(t, id, lines[0].Text("id"))
		jobstest.Advance(2 * time.Minute)
		lines = linesOf(log, slog.LevelWarn, "job attempt failed")
		require.Len(t, lines, 2)
		assert.InDelta(t, 19, lines[1].Attrs["kept_back"].Uint64(), 2)
	}, log.Option())
}

func TestMessagesAreTheSameForAllJobsAndIdsAreAttributes(t *testing.T) {
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}`)
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for i, trigger := range []jobs.Trigger{jobs.Every(time.Minute), jobs.Cron("* * * * *"), jobs.Once(), jobs.Retry(3), jobs.Channel(nil)} {
			for name, task := range map[string]jobs.Job{
				"fails":        jobs.JobFunc(func(context.Context) error { return jobstest.ErrBroken }),
				"panics":       jobs.JobFunc(func(context.Context) error { panic("oops") }),
				"hangs":        jobs.JobFunc(func(ctx context.Context) error { jobstest.Take(10 * time.Minute); return nil }),
				"not ready":    jobs.Func(func(context.Context) error { return nil }, jobs.WithReady(func(context.Context) error { return jobstest.ErrBroken })),
				"status fails": jobs.Func(func(context.Context) error { return nil }, jobs.WithStatus(func(context.Context) error { return jobstest.ErrBroken })),
			} {
				id := jobstest.Register(t, p, task, trigger, jobs.WithName(fmt.Sprint(name, i)))
				p.JobUnlock(id)
				_ = p.Pause(id, "a reason")
				_ = p.Resume(id)
			}
		}
		jobstest.Advance(time.Hour)
		require.Greater(t, len(log.AtLeast(slog.LevelDebug)), 50)
		for _, e := range log.AtLeast(slog.LevelDebug) {
			assert.NotRegexp(t, id, e.Message)
		}
	}, log.Option())
}

// The limit keeps back lines for a moment, and not for good: what was never said is no repetition.
func TestEachOfManyFailingJobsHasALineAtErrorLevel(t *testing.T) {
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for i := range 300 {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Every(time.Minute), jobs.Detached(),
				jobs.WithName(fmt.Sprint(i)))
		}
		jobstest.Advance(time.Hour)
		named := map[string]bool{}
		for _, e := range linesOf(log, slog.LevelError, "job execution failed") {
			named[e.Text("job")] = true
		}
		assert.Len(t, named, 300)
	}, log.Option())
}
