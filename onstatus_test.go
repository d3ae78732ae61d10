package jobs_test

import (
	"context"
	"errors"
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
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestWithOnStatusIsCalledWhenTheStatusHasChanged(t *testing.T) {
	var mu sync.Mutex
	var seen []jobs.PoolInfo
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		jobstest.Advance(time.Second)
		culprit := jobstest.FailPool(p)
		jobstest.Advance(time.Minute)
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		for range 5 {
			p.SetStatus(jobs.PoolStatusStopped)
			jobstest.Advance(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			jobstest.Advance(time.Second)
		}
		jobstest.Advance(time.Hour)
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		pool.Store(p)
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		jobstest.Advance(0)
		jobstest.FailPool(p)
		jobstest.Advance(time.Minute)
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
	exits := jobstest.HandlerFunc(func(r slog.Record) {
		if r.Message == "status function failed" {
			runtime.Goexit()
		}
	})
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		jobstest.Advance(0)
		jobstest.FailPool(p)
		jobstest.Advance(time.Minute)
		assert.Equal(t, 3, calls)
		require.NoError(t, p.Shutdown(t.Context()))
	}, exits.Option(), jobs.WithOnStatus(func(jobs.PoolInfo) {
		if calls++; calls == 1 {
			panic("no")
		}
	}))
}

func TestAWithOnStatusThatHangsHoldsNothingUp(t *testing.T) {
	var end chan bool
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end = make(chan bool)
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		jobstest.Advance(0)
		jobstest.FailPool(p)
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Running", p.GetStatus())
		close(end)
	}, jobs.WithOnStatus(func(jobs.PoolInfo) { <-end }))
}

func TestWithOnStatusThatFallsFarBehindMissesWhatIsInBetweenButNeverTheLatest(t *testing.T) {
	var end chan bool
	var told []jobs.PoolInfo
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end = make(chan bool)
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Once())
		const rounds = 1000
		for range rounds {
			p.SetStatus(jobs.PoolStatusStopped)
			jobstest.Advance(time.Second)
			p.SetStatus(jobs.PoolStatusRunning)
			jobstest.Advance(time.Second)
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(jobstest.ForAges))
		for range 20 { // Stopped for half a minute, and Running for another
			jobstest.Advance(30 * time.Second)
			jobstest.StopPool(p)
			jobstest.Advance(30 * time.Second)
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

func TestTheFirstAnnouncementCountsTheFirstJob(t *testing.T) {
	var infos []jobs.PoolInfo
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobstest.Register(t, p, jobstest.NeverReady, jobs.Every(time.Hour))
		jobstest.Advance(0)
		require.NotEmpty(t, infos)
		assert.Equal(t, 1, infos[0].Unstarted)
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) { infos = append(infos, info) }))
}

func TestAPoolStoppedDuringItsRestartAnnouncesItsNextAttempt(t *testing.T) {
	var stops []jobs.PoolInfo
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for range 1000 {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return errors.New("at once") }}, jobs.Every(time.Hour))
		}
		jobstest.Advance(time.Hour)
		require.Greater(t, len(stops), 10)
		for _, info := range stops {
			assert.False(t, info.NextAttempt.IsZero())
		}
	}, jobs.WithOnStatus(func(info jobs.PoolInfo) {
		if info.Status == jobs.PoolStatusStopped && !errors.Is(info.StopError, jobs.ErrShutdown) {
			stops = append(stops, info)
		}
	}))
}
