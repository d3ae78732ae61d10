package jobs_test

import (
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A token is what one job fetches and another one needs.
type token struct{ held, outage atomic.Bool }

func (s *token) fetch() error {
	s.held.Store(!s.outage.Load())
	if s.outage.Load() {
		return errors.New("gateway timeout")
	}
	return nil
}

func (s *token) ready() bool { return s.held.Load() }

// A executes to get what the Ready of B wants, fails, and cannot execute again before B is ready.
func TestADeadEndOfReadinessIsNamedAfterTenAttempts(t *testing.T) {
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var s token
		fetching := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: s.fetch}, jobs.Every(time.Minute), jobs.WithName("fetches the token"))
		needing := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: s.ready}, jobs.Every(time.Minute), jobs.WithName("needs the token"))
		jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Minute), jobs.WithName("neither"))
		jobstest.Advance(10 * time.Minute)
		s.outage.Store(true)
		jobstest.Advance(3 * time.Minute)
		s.outage.Store(false)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.Empty(t, p.Info().DeadEnd, "it may be an outage like any other")

		jobstest.Advance(24 * time.Hour)
		info := p.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		for _, part := range []string{"needs the token", needing, "10 attempts", "fetches the token", fetching} {
			assert.Contains(t, info.DeadEnd, part)
		}
		assert.NotContains(t, info.DeadEnd, "neither")
		lines := linesOf(log, slog.LevelWarn, "restart is at a dead end")
		require.Len(t, lines, 1)
		assert.Equal(t, info.DeadEnd, lines[0].Text("chain"))
		var opens string
		for _, g := range p.Explain(fetching) {
			if g.Name == jobs.GatePoolRunning {
				opens = g.Opens
			}
		}
		assert.Contains(t, opens, info.DeadEnd)

		require.NoError(t, p.Pause(needing, "it waits for what cannot come"))
		jobstest.Advance(15 * time.Minute)
		assert.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, p.Info().DeadEnd)
		require.NoError(t, p.Resume(needing))
		jobstest.Advance(15 * time.Minute)
		assert.Equal(t, "Running", p.GetJobStatus(needing))
	}, log.Option())
}

func TestADeadEndNamesThreeOfThoseThatWaitAndCountsTheOthers(t *testing.T) {
	for name, c := range map[string]struct {
		failing int
		want    string
	}{
		"none waits": {0, `10 attempts in a row$`},
		"one waits":  {1, `no execution of interval job "0" \([-0-9a-f]+\), which failed$`},
		"three wait": {3, `no execution of interval job "0" \(.*\), interval job "1" \(.*\), interval job "2" \([-0-9a-f]+\), which failed$`},
		"five wait":  {5, `no execution of interval job "0" \(.*\), interval job "1" \(.*\), interval job "2" \([-0-9a-f]+\) and 2 more, which failed$`},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				for i := range c.failing {
					jobstest.Register(t, p, jobstest.Lasting(time.Second, jobstest.ErrBroken), jobs.Every(time.Hour), jobs.WithName(strconv.Itoa(i)))
				}
				jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName("well"))
				for range 2 {
					jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { return p.GetStatus() != "Stopped" }}, jobs.Every(time.Hour), jobs.WithName("refuses"))
				}
				jobstest.Advance(2 * time.Second)
				jobstest.StopPool(p)
				jobstest.Advance(24 * time.Hour)
				assert.Regexp(t, `^interval job "refuses" .*`+c.want, p.Info().DeadEnd)
			})
		})
	}
}

func TestARefusalByOneAfterTheOtherIsNoDeadEnd(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		for i := range int64(2) {
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool {
				if p.GetStatus() != "Stopped" {
					return true
				}
				return time.Now().Unix()/30%2 != i // they refuse in turns
			}}, jobs.Every(time.Minute))
		}
		jobstest.Advance(time.Second)
		jobstest.StopPool(p)
		jobstest.Advance(24 * time.Hour)
		assert.Equal(t, "Stopped", p.GetStatus())
		assert.NotZero(t, p.Info().HeldUp)
		assert.Empty(t, p.Info().DeadEnd)
	})
}

func TestADeadEndIsOfTheJobThatRefusesEachOfTenAttempts(t *testing.T) {
	var refused atomic.Int64
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now()
		whilePoolRuns := func(now func() bool) func() bool {
			return func() bool { return p.GetStatus() != "Stopped" || now() }
		}
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: whilePoolRuns(func() bool { return refused.Load()%2 == 1 })}, jobs.Every(time.Hour), jobs.WithName("now and then"))
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: whilePoolRuns(func() bool { return false })}, jobs.Every(time.Hour), jobs.WithName("always"))
		jobstest.Advance(time.Second)
		jobstest.StopPool(p)
		for p.Info().DeadEnd == "" && time.Since(start) < 24*time.Hour {
			jobstest.Advance(time.Second)
		}
		assert.Contains(t, p.Info().DeadEnd, `"always"`)
		assert.EqualValues(t, 11, refused.Load(), "the first attempt was taken for the other's")
	}, jobs.WithObserver(func(e jobs.Event) {
		if e.Kind == jobs.EventRestartRefused {
			refused.Add(1)
		}
	}))
}

// Two ways to write the two jobs of a dead end, as docs/OPERATIONS.md says.
func TestWhatAnotherJobNeedsIsFetchedByADetachedJobOrByReady(t *testing.T) {
	for name, register := range map[string]func(t *testing.T, p *jobs.Pool, s *token){
		"detached": func(t *testing.T, p *jobs.Pool, s *token) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: s.fetch}, jobs.Every(time.Minute), jobs.Detached())
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: s.ready, StatusFunc: func() error {
				if !s.held.Load() {
					return errors.New("no token")
				}
				return nil
			}}, jobs.Every(time.Minute))
		},
		"in Ready": func(t *testing.T, p *jobs.Pool, s *token) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: s.fetch, ReadyFunc: func() bool { return s.fetch() == nil }}, jobs.Every(time.Minute))
			jobstest.Register(t, p, jobstest.Stub{ReadyFunc: s.ready}, jobs.Every(time.Minute))
		},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var s token
				register(t, p, &s)
				jobstest.Advance(10 * time.Minute)
				require.Equal(t, "Running", p.GetStatus())
				s.outage.Store(true)
				jobstest.Advance(3 * time.Minute)
				assert.Equal(t, "Stopped", p.GetStatus())
				s.outage.Store(false)
				jobstest.Advance(15 * time.Minute)
				assert.Equal(t, "Running", p.GetStatus())
			})
		})
	}
}

func TestADeadEndEndsWithThePauseOfTheJobThatRefuses(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var s token
		s.held.Store(true)
		id := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: s.ready}, jobs.Every(time.Minute))
		jobstest.Advance(time.Second)
		s.held.Store(false)
		jobstest.StopPool(p)
		jobstest.Advance(24 * time.Hour)
		require.NotEmpty(t, p.Info().DeadEnd)
		require.NoError(t, p.Pause(id, "x"))
		assert.Empty(t, p.Info().DeadEnd)
	})
}
