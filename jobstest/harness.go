package jobstest

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agentjobs/jobs"
)

const (
	hangs  = time.Minute    // how long the end of a test waits for what is in progress
	inVain = 24 * time.Hour // how long WaitFor waits
)

// A Harness is a pool under test, in a bubble. Its methods are for the goroutine of the test.
type Harness struct {
	*jobs.Pool
	t     testing.TB
	began time.Time

	mu     sync.Mutex // guards what follows
	events []jobs.Event
	faults map[string]error // what the next execution of a job returns
	log    bytes.Buffer
}

// Pool returns a pool that is the default pool until the test ends. It must be called in a bubble, that is, in the
// function that synctest.Test was given. At the end of the test the pool is shut down, and what has not returned
// a minute of fake time later is an error that shows where it hangs.
//
// The pool's log lines are output of the test if that fails, and nothing otherwise. The options come after those of
// the harness: [jobs.WithLogger] replaces the log.
func Pool(t testing.TB, opts ...jobs.PoolOption) *Harness {
	t.Helper()
	if !inBubble() {
		t.Fatal("jobstest.Pool was called outside of a bubble, where a test has to wait for real: call it in synctest.Test")
	}
	h := &Harness{t: t, began: time.Now(), faults: make(map[string]error)}
	h.Pool = jobs.NewPool(append([]jobs.PoolOption{
		jobs.WithLogger(slog.New(slog.NewTextHandler(h, nil))),
		jobs.WithObserver(h.record),
		jobs.WithMiddleware(h.injectFault),
	}, opts...)...)
	before := jobs.DefaultPool()
	jobs.SetDefaultPool(h.Pool)
	t.Cleanup(func() {
		defer jobs.SetDefaultPool(before)
		ctx, cancel := context.WithTimeout(context.Background(), hangs)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("a job has not returned %v after the pool was shut down, so the program would not end: %v", hangs, err)
		}
		if t.Failed() {
			h.mu.Lock()
			defer h.mu.Unlock()
			t.Logf("the pool has logged:\n%s", h.log.String())
		}
	})
	return h
}

// Write adds a line to the log. It makes the Harness the writer of its log handler.
func (h *Harness) Write(line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(line)
}

func (h *Harness) record(e jobs.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func (h *Harness) injectFault(next jobs.ExecuteFunc) jobs.ExecuteFunc {
	return func(ctx context.Context) error {
		if job, ok := jobs.FromContext(ctx); ok {
			if err := h.takeFault(job.GetID()); err != nil {
				return err
			}
		}
		return next(ctx)
	}
}

func (h *Harness) takeFault(id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.faults[id]
	delete(h.faults, id)
	return err
}

// Add registers a job and returns its id; an error ends the test.
func (h *Harness) Add(job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) (id string) {
	h.t.Helper()
	id, err := h.Register(job, trigger, opts...)
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// Advance lets d of fake time pass, and then everything happen that is due.
func (h *Harness) Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Settle lets everything happen that is due now.
func (h *Harness) Settle() { synctest.Wait() }

// WaitFor lets time pass until the condition holds, and no longer than to within a second. If it does not hold within a
// day of fake time, the test ends with the history.
func (h *Harness) WaitFor(condition func() bool) {
	h.t.Helper()
	for begun := time.Now(); ; time.Sleep(time.Second) {
		synctest.Wait()
		if condition() {
			return
		}
		if time.Since(begun) >= inVain {
			h.t.Fatalf("waited for %v in vain\n%s", inVain, h.History())
		}
	}
}

// Executions returns how many executions of the job have begun; an unknown id ends the test.
func (h *Harness) Executions(id string) int {
	h.t.Helper()
	return int(h.job(id).Executions)
}

func (h *Harness) job(id string) jobs.JobInfo {
	h.t.Helper()
	info, ok := h.Job(id)
	if !ok {
		h.t.Fatalf("no job has the id %q\n%s", id, h.History())
	}
	return info
}

// Events returns all that has happened, in order for each job.
func (h *Harness) Events() []jobs.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]jobs.Event{}, h.events...)
}

// Fail makes the next execution of the job end at once with err, and not call the job. An unknown id, or a nil
// error, ends the test.
func (h *Harness) Fail(id string, err error) {
	h.t.Helper()
	h.job(id)
	if err == nil {
		h.t.Fatal("Fail was given no error")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults[id] = err
}

// Stop stops the pool, as the failure of a job does, and lets the attached jobs end.
func (h *Harness) Stop() {
	h.SetStatus(jobs.PoolStatusStopped)
	synctest.Wait()
}

// Restart makes a stopped pool ask its jobs whether they are ready, and lets them begin. If one is not, the test goes
// on with an error that names it.
func (h *Harness) Restart() {
	h.t.Helper()
	h.SetStatus(jobs.PoolStatusRunning)
	synctest.Wait()
	h.ExpectStatus(jobs.PoolStatusRunning)
}

// ExpectExecutions is an error of the test, with the history, unless so many executions of the job have begun.
func (h *Harness) ExpectExecutions(id string, want int) {
	h.t.Helper()
	if info := h.job(id); int(info.Executions) != want {
		h.t.Errorf("job %s has executed %d times, want %d\n%s", info.Name, info.Executions, want, h.History())
	}
}

// ExpectStatus is an error of the test, with the history, unless the pool has that status.
func (h *Harness) ExpectStatus(want jobs.PoolStatus) {
	h.t.Helper()
	info := h.Info()
	if info.Status == want {
		return
	}
	var why strings.Builder
	if info.StopError != nil {
		fmt.Fprintf(&why, "\nstopped by %s: %v", info.StoppedByName, info.StopError)
	}
	for _, held := range info.HeldUpBy {
		fmt.Fprintf(&why, "\nheld up by %+v", held)
	}
	h.t.Errorf("the pool is %v, want %v%s\n%s", info.Status, want, why.String(), h.History())
}

// ExpectJob is an error of the test, with the history, unless the job has that status.
func (h *Harness) ExpectJob(id string, want jobs.JobStatus) {
	h.t.Helper()
	if info := h.job(id); info.Status != want {
		h.t.Errorf("job %s is %v, want %v: %s\n%s", info.Name, info.Status, want, info.NotExecuting, h.History())
	}
}

// History returns what has happened, a line for each event, with the fake time since the harness was made.
func (h *Harness) History() string {
	var lines strings.Builder
	lines.WriteString("history:")
	for _, e := range h.Events() {
		fmt.Fprintf(&lines, "\n%12v  %-15s", e.Time.Sub(h.began), e.Kind)
		if e.Name != "" {
			fmt.Fprintf(&lines, " %s", e.Name)
		}
		if e.Execution > 0 {
			fmt.Fprintf(&lines, " #%d", e.Execution)
		}
		if e.Outcome != "" {
			fmt.Fprintf(&lines, " %s after %v", e.Outcome, e.Took)
		}
		if e.Reason != "" {
			fmt.Fprintf(&lines, " (%s)", e.Reason)
		}
		if e.Error != nil {
			fmt.Fprintf(&lines, ": %v", e.Error)
		}
	}
	return lines.String()
}

// WithOrder makes the executions of a pool that are due at the same instant begin in an order that the seed decides. The
// runtime otherwise fires timers of one instant in another order each time. Each execution begins up to a millisecond
// late for that, by a time that depends on the seed, the job's name and the number of the execution: so give the jobs
// names. With the seed 0 a seed is drawn. A test that fails prints its seed.
func WithOrder(t testing.TB, seed uint64) jobs.PoolOption {
	t.Helper()
	for seed == 0 {
		seed = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the order of executions is that of jobstest.WithOrder(t, %d)", seed)
		}
	})
	var mu sync.Mutex
	executions := make(map[string]int)
	return jobs.WithMiddleware(func(next jobs.ExecuteFunc) jobs.ExecuteFunc {
		return func(ctx context.Context) error {
			job, ok := jobs.FromContext(ctx)
			if !ok {
				return next(ctx)
			}
			mu.Lock()
			executions[job.GetID()]++
			n := executions[job.GetID()]
			mu.Unlock()
			hash := fnv.New64a()
			fmt.Fprintf(hash, "%s %d", job.GetName(), n)
			late := time.NewTimer(time.Duration(rand.New(rand.NewPCG(seed, hash.Sum64())).Int64N(int64(time.Millisecond))))
			defer late.Stop()
			select {
			case <-late.C:
			case <-ctx.Done():
			}
			return next(ctx)
		}
	})
}
