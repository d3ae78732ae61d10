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
		info.LastStart, info.NextRun, info.NotExecuting = time.Time{}, time.Time{}, ""
		assert.Equal(t, jobs.JobInfo{ID: id, Name: "Ada", Type: jobs.JobTypeDetachedInterval, Detached: true,
			Status: jobs.JobStatusRunning, Executions: 1, LastDuration: 2 * time.Second}, info)

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
		assert.Contains(t, info.HeldUpBy[0], "Ada")

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
		assert.Contains(t, info.HeldUpBy[0], id)
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
