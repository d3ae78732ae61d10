package jobs_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestJobInfoOfAnIntervalJob(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start, failing := time.Now(), jobstest.NewFault()
		failing.Clear()
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { time.Sleep(2 * time.Second); return failing.Err() }},
			jobs.Every(10*time.Second), jobs.WithName("Ada"), jobs.Detached())
		jobstest.Advance(time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.Empty(t, info.NotExecuting, "it is executing")
		assert.True(t, info.NextRun.IsZero(), "nobody knows")
		assert.EqualValues(t, 1, info.Executions)

		jobstest.Advance(2 * time.Second)
		info = jobstest.InfoOf(t, p, id)
		assert.True(t, info.LastStart.Equal(start))
		assert.True(t, info.NextRun.Equal(start.Add(12*time.Second)))
		assert.NotEmpty(t, info.NotExecuting)
		assert.True(t, info.LastEnd.Equal(start.Add(2*time.Second)))
		assert.True(t, info.LastSuccess.Equal(info.LastEnd))
		info.LastStart, info.LastEnd, info.LastSuccess, info.NextRun, info.NotExecuting = time.Time{}, time.Time{}, time.Time{}, time.Time{}, ""
		assert.Equal(t, jobs.JobInfo{ID: id, Name: "Ada", Type: jobs.JobTypeDetachedInterval, Detached: true,
			Trigger: "Every(10s)", Interval: 10 * time.Second, Timeout: 5 * time.Minute, Status: jobs.JobStatusRunning, Executions: 1, LastDuration: 2 * time.Second, LastOutcome: jobs.OutcomeSuccess,
			Reason: jobs.ReasonNotDue}, info)

		failing.Set()
		jobstest.Advance(24 * time.Second) // failures at 14 and 26
		info = jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, []uint64{3, 2, 2}, []uint64{info.Executions, info.Failures, info.ConsecutiveFailures})
		assert.Equal(t, jobs.JobStatusFailed, info.Status)
		assert.ErrorIs(t, info.LastError, jobstest.ErrBroken)
		assert.ErrorIs(t, info.LastError, jobs.ErrExecutingJob)

		failing.Clear()
		jobstest.Advance(12 * time.Second)
		info = jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, []uint64{4, 2, 0}, []uint64{info.Executions, info.Failures, info.ConsecutiveFailures})
		assert.Equal(t, jobs.JobStatusRunning, info.Status)
		assert.True(t, info.LastStart.Equal(start.Add(36*time.Second)))
	})
}

func TestNextRunOfAScheduledJobIsItsNextOccurrence(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.Cron("@hourly"))
		jobstest.Advance(10 * time.Minute)
		assert.True(t, jobstest.InfoOf(t, p, id).NextRun.Equal(start.Add(time.Hour)))
		jobstest.Advance(time.Hour)
		assert.True(t, jobstest.InfoOf(t, p, id).NextRun.Equal(start.Add(2*time.Hour)))
		jobstest.FailPool(p)
		assert.True(t, jobstest.InfoOf(t, p, id).NextRun.IsZero(), "nobody knows while the pool is Stopped")
	})
}

func TestWhyAJobIsNotExecuting(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end, begun := make(chan bool), time.Now()
		defer close(end)
		reasons := map[string]string{}
		ask := func(name, id string) {
			why := jobstest.InfoOf(t, p, id).NotExecuting
			assert.NotEmpty(t, why, name)
			for other, same := range reasons {
				assert.NotEqual(t, same, why, "%s is told as %s", name, other)
			}
			reasons[name] = why
		}
		between := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		locked := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Second), jobs.Detached())
		finished := jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		failed := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Once())
		retrying := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Retry(2), jobs.WithRetryBackoff(time.Hour, time.Hour))
		late := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Once(), jobs.WithJobTimeout(time.Millisecond))
		unready := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Once())
		asking := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { <-end; return true }}, jobs.Once())
		unanswered := jobstest.Register(t, p, jobstest.Stub{}, jobs.On(jobstest.NextFunc(func(from time.Time) time.Time {
			if from.After(begun) {
				<-end
			}
			return from.Add(time.Millisecond)
		})))
		broken := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Channel(make(chan interface{})), jobs.Detached())
		jobstest.Advance(500 * time.Millisecond)
		p.JobLock(locked)
		jobstest.Advance(time.Second)
		ask("between executions", between)
		ask("waiting for its lock", locked)
		ask("finished", finished)
		ask("failed", failed)
		ask("waiting for the next attempt", retrying)
		ask("late", late)
		ask("not ready", unready)
		ask("asked whether it is ready", asking)
		ask("ended with an error", broken)
		ask("waiting for its schedule", unanswered)
		p.SetStatus(jobs.PoolStatusStopped)
		ask("pool stopped", between)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Shutdown(ctx)
		ask("pool shut down", between)
		p.JobUnlock(locked)
	})
}

func TestAJobThatIsOverIsNotHeldAgainstTheRestart(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var unready jobstest.Fault
		slow := make(chan bool)
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: unready.Absent}, jobs.On(jobstest.NextFunc(func(from time.Time) time.Time {
			if p.Info().Jobs > 0 { // not while it is registered
				<-slow
				return time.Time{}
			}
			return from.Add(time.Hour)
		})))
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		unready.Set()
		jobstest.StopPool(p)
		jobstest.Advance(40 * time.Second)
		require.Len(t, p.Info().HeldUpBy, 1)
		close(slow) // its last occurrence was that
		jobstest.Advance(0)
		require.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Empty(t, p.Info().HeldUpBy)
		jobstest.Advance(10 * time.Minute)
		require.Equal(t, "Running", p.GetStatus())
		jobstest.StopPool(p)
		assert.Empty(t, p.Info().HeldUpBy)
	})
}

func TestJobsAreListedInTheOrderOfTheirRegistration(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var ids, listed []string
		for range 10 {
			ids = append(ids, jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour)))
		}
		p.UnregisterJob(ids[3])
		p.UnregisterJob(ids[0])
		ids = append(ids[1:3], ids[4:]...)
		ids = append(ids, jobstest.Register(t, p, jobstest.Stub{}, jobs.Once()))
		jobstest.Advance(0) // they execute beside this otherwise
		for info := range p.Jobs() {
			listed = append(listed, info.ID)
			assert.Equal(t, info, jobstest.InfoOf(t, p, info.ID))
		}
		assert.Equal(t, ids, listed)
		for range p.Jobs() {
			break // is allowed
		}
	})
}

func TestJobsMayBeUnregisteredWhileTheyAreListed(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for range 5 {
			jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		}
		n := 0
		for info := range p.Jobs() {
			p.UnregisterJob(info.ID)
			n++
		}
		assert.Equal(t, 5, n)
		assert.Zero(t, p.Info().Jobs)
	})
}

func TestPoolInfo(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		assert.Equal(t, jobs.PoolInfo{}, p.Info())
		jobstest.Advance(time.Second)
		start := time.Now()
		var unready jobstest.Fault
		failing := jobstest.NewFault()
		unready.Set()
		id := jobstest.Register(t, p, jobstest.Stub{StatusFunc: failing.Err, ReadyFunc: unready.Absent}, jobs.Every(jobstest.ForAges), jobs.WithName("Ada"))
		info := p.Info()
		unready.Clear()
		assert.True(t, info.Since.Equal(start))
		info.Since = time.Time{}
		assert.Equal(t, jobs.PoolInfo{Status: jobs.PoolStatusRunning, Jobs: 1, Unstarted: 1}, info)

		jobstest.Advance(time.Second)
		unready.Set()
		jobstest.Advance(30 * time.Second)
		info = p.Info() // stopped at start + 30
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		assert.True(t, info.Since.Equal(start.Add(30*time.Second)))
		assert.Equal(t, []string{id, "Ada"}, []string{info.StoppedBy, info.StoppedByName})
		assert.ErrorIs(t, info.StopError, jobstest.ErrBroken)
		assert.True(t, info.NextAttempt.Equal(start.Add(time.Minute)))
		assert.Empty(t, info.HeldUpBy)

		jobstest.Advance(30 * time.Second)
		info = p.Info()
		assert.True(t, info.NextAttempt.Equal(start.Add(2*time.Minute)))
		require.Len(t, info.HeldUpBy, 1)
		assert.Contains(t, info.HeldUpBy[0].String(), "Ada")

		unready.Clear()
		failing.Clear()
		jobstest.Advance(time.Minute)
		info = p.Info()
		assert.Equal(t, jobs.PoolStatusRunning, info.Status)
		assert.True(t, info.Since.Equal(start.Add(2*time.Minute)))
		assert.Equal(t, 1, info.Restarts)
		assert.True(t, info.NextAttempt.IsZero())
		assert.Empty(t, info.HeldUpBy)
	})
}

func TestPoolInfoSaysThatAReadyThatHasNotReturnedHoldsTheRestartUp(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow jobstest.Fault
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if !slow.Absent() {
				time.Sleep(20 * time.Second)
			}
			return true
		}}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(0)
		slow.Set()
		jobstest.FailPool(p)
		jobstest.Advance(40 * time.Second)
		info := p.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		require.Len(t, info.HeldUpBy, 1)
		assert.Contains(t, info.HeldUpBy[0].String(), id)
		jobstest.Advance(10 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestThereIsNoNextAttemptWhileOneIsInProgress(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow jobstest.Fault
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if !slow.Absent() {
				time.Sleep(time.Minute)
			}
			return true
		}}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(time.Second)
		slow.Set()
		jobstest.StopPool(p)
		assert.Equal(t, time.Now().Add(30*time.Second).Round(0), p.Info().NextAttempt)
		jobstest.Advance(40 * time.Second) // the attempt has begun after 30
		assert.Zero(t, p.Info().NextAttempt)
		assert.Len(t, p.Info().HeldUpBy, 1)
		p.UpdateDurations(5*time.Minute, time.Hour)
		assert.Zero(t, p.Info().NextAttempt, "an interval that has become longer does not end it")
		jobstest.Advance(50 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestANextRunThatJSONHasNoFormForIsGivenInUTCOrNotAtAll(t *testing.T) {
	for _, c := range []struct {
		name       string
		next, want time.Time
	}{
		{"a zone of 30 hours", time.Date(2050, 1, 2, 7, 0, 0, 0, time.FixedZone("far", 30*60*60)), time.Date(2050, 1, 1, 1, 0, 0, 0, time.UTC)},
		{"a year of five digits", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Stub{}, jobs.On(jobstest.NextFunc(func(time.Time) time.Time { return c.next })))
				jobstest.Advance(time.Second)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, c.want, info.NextRun)
				_, err := json.Marshal(info)
				assert.NoError(t, err)
			})
		})
	}
}

func TestAnExecutionCountsFromItsBeginThoughTheScheduleTookLongToAnswer(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := 0
		slow := jobstest.NextFunc(func(at time.Time) time.Time {
			if asked++; asked == 3 { // once at the registration, once before the first execution
				time.Sleep(10 * time.Second)
			}
			return at.Truncate(time.Hour).Add(time.Hour)
		})
		start := time.Now()
		id := jobstest.Register(t, p, jobstest.Lasting(time.Second, nil), jobs.On(slow), jobs.WithJobTimeout(5*time.Second))
		jobstest.Advance(time.Second)
		require.NoError(t, p.RunNow(id)) // after it, the schedule is asked for the third time
		jobstest.Advance(5 * time.Second)
		require.NoError(t, p.RunNow(id)) // while it answers
		jobstest.Advance(10 * time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.EqualValues(t, 2, info.Executions)
		assert.Zero(t, info.Failures, info.LastError)
		assert.Equal(t, 12*time.Second, info.LastStart.Sub(start))
		assert.Equal(t, time.Second, info.LastDuration)
	})
}

func TestJobThatHasEndedHasNoNextRun(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		for _, id := range []string{
			jobstest.Register(t, p, jobstest.Stub{}, jobs.Once()),
			jobstest.Register(t, p, jobstest.Lasting(0, jobstest.ErrBroken), jobs.Retry(2)),
			jobstest.Register(t, p, jobstest.Stub{}, jobstest.InASecond()),
			jobstest.Register(t, p, jobstest.Lasting(0, jobstest.ErrBroken), jobs.Channel(stop), jobs.Detached()),
		} {
			jobstest.Advance(2 * time.Second)
			assert.Zero(t, jobstest.InfoOf(t, p, id).NextRun, jobstest.InfoOf(t, p, id).Type)
		}
	})
}

// A mill is some jobs that execute all the time.
type mill struct {
	p     *jobs.Pool
	ids   [10]string
	calls [10]atomic.Uint64
}

func newMill(t *testing.T, p *jobs.Pool) *mill {
	m := &mill{p: p}
	for i := range m.ids {
		m.ids[i] = jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { m.calls[i].Add(1); return nil }}, jobs.Every(time.Microsecond))
	}
	return m
}

// checkStopped checks that no execution begins any more. One that begins is counted as it is claimed.
func (m *mill) checkStopped(t *testing.T) {
	var begun [len(m.ids)]uint64
	for i, id := range m.ids {
		begun[i] = jobstest.InfoOf(t, m.p, id).Executions
	}
	for range 3 {
		for i, id := range m.ids {
			for m.p.GetJobStatus(id) != "Stopped" { // one that was claimed before runs to its end
				runtime.Gosched()
			}
			assert.Equal(t, begun[i], m.calls[i].Load())
			assert.Equal(t, begun[i], jobstest.InfoOf(t, m.p, id).Executions)
		}
	}
}

func TestAJobInfoNeverHasMoreFailuresThanExecutions(t *testing.T) {
	p := jobs.NewPool(jobstest.Quiet)
	id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
		if rand.N(2) == 0 {
			return jobstest.ErrBroken
		}
		return nil
	}}, jobs.Every(time.Nanosecond), jobs.Detached())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 5000 {
				info, _ := p.Job(id)
				if info.Failures > info.Executions || info.ConsecutiveFailures > info.Failures ||
					(info.Failures > 0) != (info.LastError != nil) ||
					(info.ConsecutiveFailures > 0 && info.NotExecuting != "") != (info.Status == jobs.JobStatusFailed && info.NotExecuting != "") {
					assert.Fail(t, "inconsistent", "%+v", info)
					return
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, p.Shutdown(context.Background()))
}

func TestAJobWhoseNextRunHasNoFormInJSONIsListedWithoutIt(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		farAway := jobstest.NextFunc(func(time.Time) time.Time { return time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) })
		id := jobstest.Register(t, p, jobstest.Stub{}, jobs.On(farAway))
		synctest.Wait()
		assert.Zero(t, jobstest.InfoOf(t, p, id).NextRun)
		_, err := json.Marshal(slices.Collect(p.Jobs()))
		assert.NoError(t, err)
	})
}

// assertDecodes checks that v, encoded as JSON, decodes to an equal value.
func assertDecodes[T any](t *testing.T, v T) {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var got T
	require.NoError(t, json.Unmarshal(text, &got))
	again, err := json.Marshal(got)
	require.NoError(t, err)
	assert.Equal(t, string(text), string(again))
}

func TestInfoDecodesToAnEqualValue(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		failing := jobstest.NewFault()
		good := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		bad := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: failing.Err, ReadyFunc: func() bool { return time.Now().Second() < 10 }}, jobs.Every(time.Hour), jobs.WithName("bad"))
		jobstest.Advance(time.Minute)
		pool := p.Info()
		require.Equal(t, jobs.PoolStatusStopped, pool.Status)
		require.Len(t, pool.HeldUpBy, 1)
		assertDecodes(t, pool)
		text, err := json.Marshal(pool)
		require.NoError(t, err)
		var decoded jobs.PoolInfo
		require.NoError(t, json.Unmarshal(text, &decoded))
		require.EqualError(t, decoded.StopError, pool.StopError.Error())
		assert.True(t, decoded.HeldUpBy[0].Since.Equal(pool.HeldUpBy[0].Since))
		decoded.HeldUpBy[0].Since = pool.HeldUpBy[0].Since
		assert.Equal(t, pool.HeldUpBy, decoded.HeldUpBy)
		for _, id := range []string{good, bad} {
			info := jobstest.InfoOf(t, p, id)
			assertDecodes(t, info)
			text, err := json.Marshal(info)
			require.NoError(t, err)
			assert.Contains(t, string(text), `"lastDurationNs":0`)
			var decoded jobs.JobInfo
			require.NoError(t, json.Unmarshal(text, &decoded))
			assert.Equal(t, info.Status, decoded.Status)
			assert.Equal(t, info.Reason, decoded.Reason)
			assert.True(t, info.LastStart.Equal(decoded.LastStart))
			if info.LastError == nil {
				assert.NoError(t, decoded.LastError)
			} else {
				assert.EqualError(t, decoded.LastError, info.LastError.Error())
			}
		}
		assertDecodes(t, jobs.JobInfo{})
		assertDecodes(t, jobs.PoolInfo{})
	}, jobs.WithRetryInterval(45*time.Second))
}

func TestAStatusDecodesFromItsWordOnly(t *testing.T) {
	for s := jobs.JobStatusInitializing; s <= jobs.JobStatusFinished; s++ {
		assertDecodes(t, s)
	}
	for s := jobs.PoolStatusInitializing; s <= jobs.PoolStatusStopped; s++ {
		assertDecodes(t, s)
	}
	job, pool := jobs.JobStatusFailed, jobs.PoolStatusStopped
	assert.ErrorContains(t, job.UnmarshalText([]byte("Fine")), `"Fine"`)
	assert.ErrorContains(t, pool.UnmarshalText([]byte("Finished")), `"Finished"`)
	assert.Equal(t, jobs.JobStatusFailed, job, "it is left as it was")
	assert.Equal(t, jobs.PoolStatusStopped, pool)
}

func TestOfManyHoldUpsTheFirstHundredAreListed(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		ready := jobstest.NewFault()
		ready.Clear()
		ids := make([]string, 250)
		for i := range ids {
			ids[i] = jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return ready.Err() == nil }}, jobs.Every(time.Hour))
		}
		p.UnregisterJob(ids[17])
		ids = append(ids[:17], ids[18:]...)
		jobstest.Advance(time.Second)
		ready.Set()
		p.SetStatus(jobs.PoolStatusStopped)
		jobstest.Advance(time.Minute)
		info := p.Info()
		assert.Equal(t, 249, info.HeldUp)
		require.Len(t, info.HeldUpBy, 100)
		for i, h := range info.HeldUpBy {
			require.Equal(t, ids[i], h.ID)
		}
	})
}

func TestAHoldUpSaysSinceWhen(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		hang := make(chan struct{})
		var bad atomic.Bool
		late := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-hang; return nil }}, jobs.Every(time.Hour), jobs.WithName("late"))
		slow := jobstest.Register(t, p, jobstest.Stub{StatusFunc: func() error {
			if time.Since(start) > 15*time.Second {
				<-hang
			}
			return nil
		}}, jobs.Every(time.Hour), jobs.WithName("slow"))
		no := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return !bad.Load() }}, jobs.Every(time.Hour), jobs.WithName("no"))
		pending := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
			if bad.Load() {
				<-hang
			}
			return true
		}}, jobs.Every(time.Hour), jobs.WithName("pending"))
		jobstest.Advance(5 * time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		bad.Store(true)
		p.SetStatus(jobs.PoolStatusRunning) // refused: before anything is late
		jobstest.Advance(time.Minute)
		want := []jobs.HoldUp{
			{late, "late", jobs.JobTypeInterval, jobs.ReasonLate, start, ""},
			{no, "no", jobs.JobTypeInterval, jobs.ReasonNotReady, start.Add(5 * time.Second), ""},
			{pending, "pending", jobs.JobTypeInterval, jobs.ReasonReadyPending, start.Add(5 * time.Second), ""},
		}
		got := p.Info().HeldUpBy
		require.Len(t, got, len(want))
		for i := range want {
			assert.Equal(t, want[i].Since.Sub(start), got[i].Since.Sub(start), want[i].Name)
			got[i].Since = want[i].Since
		}
		assert.Equal(t, want, got)
		assert.Equal(t, `interval job "no" (`+no+`) is not ready`, got[1].String())
		_ = slow
		close(hang)
		bad.Store(false)
	}, jobs.WithExecutionTimeout(10*time.Second), jobs.WithStatusInterval(20*time.Second))
}

func TestJobInfoTellsHowTheLastExecutionEnded(t *testing.T) {
	for _, c := range []struct {
		execute func(ctx context.Context) error
		want    jobs.Outcome
	}{
		{func(context.Context) error { return nil }, jobs.OutcomeSuccess},
		{func(context.Context) error { return jobstest.ErrBroken }, jobs.OutcomeFailure},
		{func(context.Context) error { panic("no") }, jobs.OutcomePanic},
		{func(context.Context) error { runtime.Goexit(); return nil }, jobs.OutcomePanic},
		{func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, jobs.OutcomeTimeout},
	} {
		t.Run(string(c.want), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				start := time.Now()
				calls := 0
				id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
					if calls++; calls == 1 {
						time.Sleep(time.Second)
						return nil
					}
					return c.execute(ctx)
				}), jobs.Every(time.Hour), jobs.Detached(), jobs.WithJobTimeout(time.Minute))
				assert.Zero(t, jobstest.InfoOf(t, p, id).LastEnd)
				assert.Empty(t, jobstest.InfoOf(t, p, id).LastOutcome)
				jobstest.Advance(2 * time.Second)
				info := jobstest.InfoOf(t, p, id)
				assert.Equal(t, jobs.OutcomeSuccess, info.LastOutcome)
				assert.Equal(t, time.Second, info.LastEnd.Sub(start))
				assert.Equal(t, time.Second, info.LastSuccess.Sub(start))
				jobstest.Advance(time.Hour + 2*time.Minute)
				info = jobstest.InfoOf(t, p, id)
				assert.Equal(t, c.want, info.LastOutcome)
				end := time.Hour + time.Second
				if c.want == jobs.OutcomeTimeout {
					end += time.Minute
				}
				assert.Equal(t, end, info.LastEnd.Sub(start))
				if c.want == jobs.OutcomeSuccess {
					assert.Equal(t, end, info.LastSuccess.Sub(start))
				} else {
					assert.Equal(t, time.Second, info.LastSuccess.Sub(start))
				}
			})
		})
	}
}

func TestWhatAChannelJobWasToldToDoIsNeitherASuccessNorAFailure(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }}, jobs.Channel(stop))
		jobstest.Advance(time.Second)
		p.SetStatus(jobs.PoolStatusStopped)
		jobstest.Advance(time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, jobs.OutcomeTold, info.LastOutcome)
		assert.Zero(t, info.LastSuccess)
	})
}

func TestANullOrABadValueDecodesToNoChange(t *testing.T) {
	job := jobs.JobInfo{ID: "x", LastError: jobstest.ErrBroken}
	pool := jobs.PoolInfo{Jobs: 3, StopError: jobstest.ErrBroken}
	require.NoError(t, json.Unmarshal([]byte("null"), &job))
	require.NoError(t, json.Unmarshal([]byte("null"), &pool))
	assert.Error(t, json.Unmarshal([]byte(`{"status":"Fine"}`), &job))
	assert.Error(t, json.Unmarshal([]byte(`{"status":"Fine"}`), &pool))
	assert.Equal(t, jobstest.ErrBroken, job.LastError)
	assert.Equal(t, jobstest.ErrBroken, pool.StopError)
}

func TestAHoldUpForAReasonOfALaterVersionNamesIt(t *testing.T) {
	h := jobs.HoldUp{ID: "1", Name: "n", Type: "interval", Reason: "raining"}
	assert.Equal(t, `interval job "n" (1) raining`, h.String())
}

func TestInfoSaysThatThePoolWasShutDown(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		p.SetStatus(jobs.PoolStatusStopped)
		assert.False(t, p.Info().ShutDown)
		jobstest.ShutDownNow(p)
		assert.True(t, p.Info().ShutDown)
	})
}

func TestASuccessAfterTheEndOfTheContextIsOne(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil }), jobs.Once())
		jobstest.Advance(time.Second)
		jobstest.ShutDownNow(p)
		jobstest.Advance(time.Second)
		info := jobstest.InfoOf(t, p, id)
		assert.Equal(t, jobs.JobStatusFinished, info.Status)
		assert.Equal(t, jobs.OutcomeSuccess, info.LastOutcome)
		assert.Equal(t, info.LastEnd, info.LastSuccess)
	})
}

func TestInfoShowsHowAJobIsConfigured(t *testing.T) {
	type config struct {
		Trigger           string
		Options           []string
		Interval, Timeout time.Duration
	}
	second, minute := time.Second, time.Minute
	for name, c := range map[string]struct {
		trigger jobs.Trigger
		opts    []jobs.JobOption
		want    config
	}{
		"once":      {jobs.Once(), nil, config{"Once()", nil, 0, 0}},
		"forgotten": {jobs.Once(), []jobs.JobOption{jobs.WithForget(minute)}, config{"Once()", []string{"WithForget(1m0s)"}, 0, 0}},
		"retry": {jobs.Retry(3), []jobs.JobOption{jobs.WithRetryBackoff(second, minute), jobs.WithJobTimeout(second)},
			config{"Retry(3)", []string{"WithRetryBackoff(1s, 1m0s)"}, 0, second}},
		"interval": {jobs.Every(minute), []jobs.JobOption{jobs.WithName("x")}, config{"Every(1m0s)", nil, minute, 5 * minute}},
		"with all options": {jobs.Every(minute), []jobs.JobOption{jobs.WithJitter(second), jobs.WithRetries(2, second, minute), jobs.WithFailureThreshold(4), jobs.WithFreshness(minute)},
			config{"Every(1m0s)", []string{"WithJitter(1s)", "WithRetries(2, 1s, 1m0s)", "WithFailureThreshold(4)", "WithFreshness(1m0s)"}, minute, 5 * minute}},
		"expression": {jobs.Cron("CRON_TZ=UTC 0 3 * * *"), nil, config{`Cron("CRON_TZ=UTC 0 3 * * *")`, nil, 0, 5 * minute}},
		"schedule":   {jobs.On(cron.Every(minute)), nil, config{"On(cron.ConstantDelaySchedule)", nil, 0, 5 * minute}},
		"channel":    {jobs.Channel(make(chan any)), []jobs.JobOption{jobs.Detached()}, config{"Channel()", nil, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				info := jobstest.InfoOf(t, p, jobstest.Register(t, p, jobstest.Idler{}, c.trigger, c.opts...))
				assert.Equal(t, c.want, config{info.Trigger, info.Options, info.Interval, info.Timeout})
			})
		})
	}
}

func TestJobByNameFindsTheFirstOfThatName(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobs.SetDefaultPool(p)
		defer jobs.SetDefaultPool(nil)
		_, ok := p.JobByName("tokens")
		assert.False(t, ok)
		before := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName("other"))
		first := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName("tokens"))
		second := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName("tokens"))
		p.UnregisterJob(before) // so that the order of the pool's list is another one
		info, ok := p.JobByName("tokens")
		assert.True(t, ok)
		assert.Equal(t, first, info.ID)
		p.UnregisterJob(first)
		info, ok = jobs.JobByName("tokens")
		assert.True(t, ok)
		assert.Equal(t, second, info.ID)
	})
}
