package jobs_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// shutGates returns why the gates are shut that are.
func shutGates(gates []jobs.Gate) (reasons []jobs.Reason) {
	for _, g := range gates {
		if !g.Open {
			reasons = append(reasons, g.Reason)
		}
	}
	return reasons
}

// gateOf returns the gate of a job with that name.
func gateOf(t *testing.T, p *jobs.Pool, id string, name jobs.GateName) jobs.Gate {
	t.Helper()
	for _, g := range p.Explain(id) {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("no gate %q", name)
	return jobs.Gate{}
}

func TestExplainNamesAllGatesInOrder(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Lasting(time.Minute, nil), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		var names []jobs.GateName
		for _, g := range p.Explain(id) {
			assert.True(t, g.Open, "it is executing")
			names = append(names, g.Name)
		}
		assert.Equal(t, []jobs.GateName{
			jobs.GateRegistered, jobs.GateNotEnded, jobs.GatePoolOpen, jobs.GatePoolRunning, jobs.GateNotPaused, jobs.GateReady, jobs.GateLock,
			jobs.GateConcurrency, jobs.GateNotLate, jobs.GateSchedule,
		}, names)
		assert.Nil(t, p.Explain("nobody"))
	})
}

func TestExplainTellsSinceWhenByWhatAndWhatComesNext(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		start := time.Now().Round(0)
		at := func(d time.Duration) time.Time { return start.Add(d) }
		f := jobstest.NewFault()
		f.Clear()
		culprit := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: f.Err, ReadyFunc: f.Absent}, jobs.Every(time.Minute), jobs.WithName("culprit"))
		idle := jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour))
		unready := jobstest.Register(t, p, jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		due := gateOf(t, p, idle, jobs.GateSchedule)
		assert.Equal(t, jobs.Gate{Name: jobs.GateSchedule, Reason: jobs.ReasonNotDue, By: due.By, Opens: "its time", At: at(time.Hour)}, due)
		not := gateOf(t, p, unready, jobs.GateReady)
		assert.Equal(t, jobs.ReasonNotReady, not.Reason)
		assert.Equal(t, at(630*time.Millisecond), not.Since, "the last refusal")
		assert.Equal(t, at(1270*time.Millisecond), not.At)

		f.Set()
		jobstest.Advance(2 * time.Minute) // it has failed at 60, and refused at 90
		stopped := gateOf(t, p, idle, jobs.GatePoolRunning)
		assert.Equal(t, []any{jobs.ReasonStopped, at(time.Minute), p.Info().NextAttempt}, []any{stopped.Reason, stopped.Since, stopped.At})
		assert.Contains(t, stopped.By, `"culprit" (`+culprit)
		assert.Contains(t, stopped.By, jobstest.ErrBroken.Error())
		assert.Contains(t, stopped.Opens, `"culprit"`, "which blocks it")
		require.NoError(t, p.PausePool("maintenance"))
		stopped = gateOf(t, p, idle, jobs.GatePoolRunning)
		assert.Equal(t, "ResumePool", stopped.Opens)
		assert.Zero(t, stopped.At)

		until := time.Now().Add(time.Hour).Round(0)
		require.NoError(t, p.PauseUntil(idle, until, "spring cleaning"))
		paused := gateOf(t, p, idle, jobs.GateNotPaused)
		assert.Equal(t, jobs.Gate{Name: jobs.GateNotPaused, Reason: jobs.ReasonPaused, Since: time.Now().Round(0), By: "it is paused: spring cleaning", Opens: "Resume", At: until}, paused)
	})
}

// Whatever a job waits for, its reason is that of the first gate that is shut.
func TestTheReasonIsThatOfTheFirstGateThatIsShut(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan bool)
		ids := map[string]string{
			"idle":     jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour)),
			"locked":   jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Second)),
			"finished": jobstest.Register(t, p, jobstest.Stub{}, jobs.Once()),
			"failed":   jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Once()),
			"retrying": jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return jobstest.ErrBroken }}, jobs.Retry(2), jobs.WithRetryBackoff(time.Hour, time.Hour)),
			"late":     jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Every(time.Hour), jobs.Detached(), jobs.WithJobTimeout(time.Second)),
			"unready":  jobstest.Register(t, p, jobstest.Stub{ReadyFunc: jobstest.NewFault().Absent}, jobs.Once()),
			"asked":    jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { <-end; return true }}, jobs.Once()),
			"broken":   jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { return jobstest.ErrBroken }), jobs.Channel(nil), jobs.Detached()),
			"busy":     jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Once()),
			"paused":   jobstest.Register(t, p, jobstest.Stub{}, jobs.Every(time.Hour)),
		}
		jobstest.Advance(500 * time.Millisecond)
		p.JobLock(ids["locked"])
		require.NoError(t, p.Pause(ids["paused"], "why"))
		jobstest.Advance(time.Minute)
		check := func(state string) {
			for name, id := range ids {
				info := jobstest.InfoOf(t, p, id)
				shut := append(shutGates(p.Explain(id)), "") // none, if it is executing
				assert.Equal(t, info.Reason, shut[0], "%s, %s", name, state)
				assert.Equal(t, name == "busy", shut[0] == "", name)
				text, err := json.Marshal(p.Explain(id))
				require.NoError(t, err)
				var back []jobs.Gate
				require.NoError(t, json.Unmarshal(text, &back))
				assert.Len(t, back, len(p.Explain(id)))
			}
		}
		check("running")
		require.NoError(t, p.PausePool("why"))
		check("stopped")
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Drain(ctx)
		check("drained")
		_ = p.Shutdown(ctx)
		check("shut down")
		p.JobUnlock(ids["locked"])
		close(end)
	})
}

func TestAJobThatIsDueAndWaitsForItsLockHasOneGateShut(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Minute))
		jobstest.Advance(time.Second)
		p.JobLock(id)
		jobstest.Advance(5 * time.Minute)
		for _, g := range p.Explain(id) {
			assert.Equal(t, g.Name != jobs.GateLock, g.Open, g.Name)
		}
		p.JobUnlock(id)
	})
}

func TestTheGateOfAPausedPoolSaysWhy(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		id := jobstest.FailPool(p)
		require.NoError(t, p.PausePool("the gateway is being moved"))
		for _, g := range p.Explain(id) {
			if g.Name == jobs.GatePoolRunning {
				assert.Contains(t, g.By, "the gateway is being moved")
			}
		}
	})
}
