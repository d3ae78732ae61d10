package jobstest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobstest"
)

// A recorder is a test that may fail without failing the one it is in.
type recorder struct {
	testing.TB
	text     bytes.Buffer
	failed   bool
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Failed() bool     { return r.failed }

func (r *recorder) Logf(format string, args ...any) { fmt.Fprintf(&r.text, format+"\n", args...) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.Logf(format, args...)
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(r)
}
func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// end does what the end of a test does.
func (r *recorder) end() string {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return r.text.String()
}

var errBroken = errors.New("broken")

func idle(context.Context) error { return nil }

func TestHarnessIsTheDefaultPoolUntilTheTestEnds(t *testing.T) {
	before := jobs.DefaultPool()
	synctest.Test(t, func(t *testing.T) {
		h := jobstest.Pool(t)
		assert.Same(t, h.Pool, jobs.DefaultPool())
		id, err := jobs.Register(jobs.JobFunc(idle), jobs.Every(time.Hour))
		require.NoError(t, err)
		h.Advance(24 * time.Hour)
		h.ExpectExecutions(id, 25)
		h.ExpectJob(id, jobs.JobStatusRunning)
		assert.Equal(t, 25, h.Executions(id))
	})
	assert.Same(t, before, jobs.DefaultPool())
}

func TestHarnessFailsStopsAndRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := jobstest.Pool(t)
		id := h.Add(jobs.JobFunc(idle), jobs.Every(time.Minute), jobs.WithName("sync"))
		h.Settle()
		h.Fail(id, errBroken)
		h.Advance(time.Minute)
		h.ExpectStatus(jobs.PoolStatusStopped)
		require.ErrorIs(t, h.Info().StopError, errBroken)
		h.Restart()
		h.Stop()
		h.ExpectJob(id, jobs.JobStatusStopped)
		h.WaitFor(func() bool { return h.Status() == jobs.PoolStatusRunning })

		var kinds []jobs.EventKind
		for _, e := range h.Events() {
			kinds = append(kinds, e.Kind)
		}
		assert.Contains(t, kinds, jobs.EventPoolRestarted)
	})
}

func TestHarnessPrintsTheHistoryWhenAnAssertionFails(t *testing.T) {
	for name, fail := range map[string]func(h *jobstest.Harness, id string){
		"the pool is Running, want Stopped": func(h *jobstest.Harness, _ string) { h.ExpectStatus(jobs.PoolStatusStopped) },
		"has executed 2 times, want 7":      func(h *jobstest.Harness, id string) { h.ExpectExecutions(id, 7) },
		"is Running, want Failed":           func(h *jobstest.Harness, id string) { h.ExpectJob(id, jobs.JobStatusFailed) },
		`no job has the id "none"`:          func(h *jobstest.Harness, _ string) { h.Executions("none") },
		"waited for 24h0m0s in vain":        func(h *jobstest.Harness, _ string) { h.WaitFor(func() bool { return false }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(*testing.T) {
				r := new(recorder)
				h := jobstest.Pool(r)
				id := h.Add(jobs.JobFunc(idle), jobs.Every(time.Hour), jobs.WithName("sync"))
				h.Advance(time.Hour)
				func() {
					defer func() { _ = recover() }()
					fail(h, id)
				}()
				out := r.end()
				assert.True(t, r.failed)
				assert.Contains(t, out, name)
				assert.Regexp(t, `\n +1h0m0s  ended +sync #2 success after`, out)
			})
		})
	}
}

func TestHarnessShowsTheLogOnlyOfATestThatFails(t *testing.T) {
	for _, failed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := new(recorder)
			h := jobstest.Pool(r)
			h.Add(jobs.JobFunc(func(context.Context) error { return errBroken }), jobs.Every(time.Hour))
			h.Settle()
			r.failed = failed
			assert.Equal(t, failed, strings.Contains(r.end(), "pool stopped"))
		})
	}
}

func TestHarnessNamesWhatHangsAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, release := new(recorder), make(chan struct{})
		h := jobstest.Pool(r)
		h.Add(jobs.JobFunc(func(context.Context) error { <-release; return nil }), jobs.Every(time.Hour), jobs.WithName("stubborn"))
		h.Settle()
		out := r.end()
		close(release)
		assert.True(t, r.failed)
		assert.Contains(t, out, "stubborn")
		assert.Contains(t, out, "harness_test.go")
	})
}

func TestHarnessIsForBubbles(t *testing.T) {
	r := new(recorder)
	assert.Panics(t, func() { jobstest.Pool(r) })
	assert.Contains(t, r.text.String(), "outside of a bubble")
}

// orderOf returns the order in which jobs begin that are due at the same instants.
func orderOf(t *testing.T, seed uint64) (order []string) {
	var mu sync.Mutex
	synctest.Test(t, func(t *testing.T) {
		h := jobstest.Pool(t, jobstest.WithOrder(t, seed))
		for i := range 10 {
			name := fmt.Sprint(i)
			h.Add(jobs.JobFunc(func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
				return nil
			}),
				jobs.Cron("0 * * * *"), jobs.WithName(name))
		}
		h.Advance(3*time.Hour + time.Second)
	})
	return order
}

func TestWithOrderMakesTheOrderOfExecutionsThatOfTheSeed(t *testing.T) {
	want := orderOf(t, 7)
	require.Len(t, want, 30)
	for range 20 {
		require.Equal(t, want, orderOf(t, 7))
	}
	assert.NotEqual(t, want, orderOf(t, 8))
}

func TestWithOrderPrintsItsSeedWhenTheTestFails(t *testing.T) {
	r := new(recorder)
	jobstest.WithOrder(r, 42)
	assert.Empty(t, r.end())
	r.failed = true
	assert.Contains(t, r.end(), "WithOrder(t, 42)")
}

func TestClockIsThePoolsWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := jobstest.Clock(t)
		h := jobstest.Pool(t, clock.Option())
		id := h.Add(jobs.JobFunc(idle), jobs.Cron("0 6 * * *"))
		y, m, d := clock.Now().Date()
		clock.Set(time.Date(y, m, d+1, 5, 59, 0, 0, time.Local))
		h.Advance(3 * time.Minute)
		h.ExpectExecutions(id, 1)

		clock.Step(-time.Hour)
		h.Advance(time.Minute)
		h.ExpectExecutions(id, 1)
		before := clock.Now()
		clock.Sleep(24 * time.Hour)
		assert.Equal(t, 24*time.Hour, clock.Now().Round(0).Sub(before.Round(0)))
		assert.Zero(t, clock.Now().Sub(before), "the monotonic clock stands still")
		clock.Sleep(-time.Hour)
		assert.Equal(t, 24*time.Hour, clock.Now().Round(0).Sub(before.Round(0)))
	})
}

func TestClockWorksOutOfBubbles(t *testing.T) {
	clock := jobstest.Clock(t)
	clock.Step(-24 * time.Hour)
	p := jobs.NewPool(clock.Option())
	defer func() { require.NoError(t, p.Shutdown(context.Background())) }()
	id, err := p.Register(jobs.JobFunc(idle), jobs.Cron("0 6 * * *"))
	require.NoError(t, err)
	info, _ := p.Job(id)
	assert.True(t, info.NextRun.Before(time.Now()), "by the real clock that has passed: %v", info.NextRun)
}

func TestConformFindsADataRace(t *testing.T) {
	out, err := exec.Command(faulty(t, "-race"), "-test.timeout=100s", "-test.run=^TestRaces$").CombinedOutput()
	require.Error(t, err, "%s", out)
	assert.True(t, strings.Contains(string(out), "DATA RACE"), "%s", out)
}

func ExamplePool() {
	var t *testing.T // go test passes it
	if t != nil {
		synctest.Test(t, func(t *testing.T) {
			h := jobstest.Pool(t)
			id := h.Add(jobs.JobFunc(idle), jobs.Every(time.Hour))
			h.Advance(24 * time.Hour)
			h.ExpectExecutions(id, 25)
		})
	}
}

func ExampleClock() {
	clock := jobstest.Clock(nil)
	clock.Set(time.Date(2030, 1, 1, 6, 0, 0, 0, time.UTC))
	fmt.Println(clock.Now().UTC().Format("2006-01-02 15:04"))
	clock.Sleep(8 * time.Hour) // as a laptop does
	fmt.Println(clock.Now().UTC().Format("2006-01-02 15:04"))
	// Output:
	// 2030-01-01 06:00
	// 2030-01-01 14:00
}
