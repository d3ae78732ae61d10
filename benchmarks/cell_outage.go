package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/agentjobs/jobs"
)

const (
	retryInterval = time.Second
	outages       = 3
)

// outage lets n jobs execute each 100 ms; overload each 10 ms, which is more than two cores can do. One of them fails, some
// times: how long until the pool reads Stopped, what executes after that, and how long until all execute again.
func outage(s subject, n int) (metrics, error) { return fail(s, n, 100*time.Millisecond) }

func overload(s subject, n int) (metrics, error) { return fail(s, n, 10*time.Millisecond) }

func fail(s subject, n int, every time.Duration) (metrics, error) {
	if _, ours := s.(*jobsSubject); !ours {
		return nil, errNotApplicable // nobody else stops the others when one fails
	}
	f := &field{
		pool: jobs.NewPool(jobs.WithRetryInterval(retryInterval), jobs.WithLogger(slog.New(slog.DiscardHandler))),
		jobs: make([]fallible, n),
		ids:  make([]string, n),
		base: time.Now(),
	}
	f.newGeneration()
	for i := range f.jobs {
		f.jobs[i].field = f
		id, err := f.pool.RegisterIntervalJob(&f.jobs[i], every)
		if err != nil {
			return nil, err
		}
		f.ids[i] = id
	}
	var stops, sinces, lasts, restarts []float64
	var begun float64
	for range outages {
		if err := f.awaitAll(); err != nil {
			return nil, err
		}
		time.Sleep(window(300 * time.Millisecond))
		o, err := f.breakDown()
		if err != nil {
			return nil, err
		}
		stops = append(stops, milliseconds(o.stopped))
		sinces = append(sinces, milliseconds(o.since))
		lasts = append(lasts, milliseconds(o.lastEntry))
		restarts = append(restarts, milliseconds(o.restarted-retryInterval))
		begun += float64(o.begunAfter)
	}
	return metrics{
		"stopped_ms": median(stops), "stopped_max_ms": slices.Max(stops), "since_ms": median(sinces), "last_ms": median(lasts),
		"begun_after": begun, "restart_ms": median(restarts),
	}, nil
}

// A field is a pool full of jobs, one of which can be made to fail.
type field struct {
	pool *jobs.Pool
	jobs []fallible
	ids  []string
	base time.Time

	armed      atomic.Bool
	failedAt   atomic.Int64 // the times are since base
	generation atomic.Int32
	fresh      atomic.Int64 // how many jobs have executed in this generation
	allAt      atomic.Int64 // when the last of them did for the first time
}

type fallible struct {
	field      *field
	executions atomic.Int64
	enteredAt  atomic.Int64
	seen       atomic.Int32 // the generation in which it executed last
}

func (f *fallible) Execute() error {
	now := int64(time.Since(f.field.base))
	f.executions.Add(1)
	f.enteredAt.Store(now)
	if g := f.field.generation.Load(); f.seen.Swap(g) != g && f.field.fresh.Add(1) == int64(len(f.field.jobs)) {
		f.field.allAt.Store(now)
	}
	if f.field.armed.Load() && f.field.armed.CompareAndSwap(true, false) {
		f.field.failedAt.Store(int64(time.Since(f.field.base)))
		return errors.New("failed")
	}
	return nil
}

func (f *fallible) Status() error { return nil }

func (f *fallible) Ready() bool { return true }

// newGeneration makes awaitAll wait for an execution of each job from now on.
func (f *field) newGeneration() {
	f.allAt.Store(0)
	f.fresh.Store(0)
	f.generation.Add(1)
}

// awaitAll waits until every job has executed in this generation.
func (f *field) awaitAll() error {
	for start := time.Now(); f.allAt.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			return fmt.Errorf("only %d of %d jobs have executed", f.fresh.Load(), len(f.jobs))
		}
	}
	return nil
}

// The outageTimes are since the failing Execute returned.
type outageTimes struct {
	stopped    time.Duration // until another goroutine has read Stopped
	since      time.Duration // until Info().Since, which the pool takes down right after it reads Stopped
	lastEntry  time.Duration // until the last Execute was entered
	begunAfter int           // executions that began after that, see beginnings
	restarted  time.Duration // until each job has executed again
}

func (f *field) breakDown() (outageTimes, error) {
	f.failedAt.Store(0)
	f.armed.Store(true)
	for stopped := false; !stopped; { // without a pause, so as to see it at once
		stopped = f.pool.GetStatus() == "Stopped"
	}
	stopped := time.Since(f.base)
	failed := time.Duration(f.failedAt.Load())
	since := f.pool.Info().Since.Sub(f.base)

	begun := f.beginnings()
	var last int64
	for i := range f.jobs {
		last = max(last, f.jobs[i].enteredAt.Load())
	}
	if f.pool.GetStatus() != "Stopped" {
		return outageTimes{}, errors.New("the pool has restarted too early")
	}
	f.newGeneration()
	if err := f.awaitAll(); err != nil {
		return outageTimes{}, err
	}
	return outageTimes{
		stopped:    stopped - failed,
		since:      since - failed,
		lastEntry:  max(0, time.Duration(last)-failed),
		begunAfter: begun,
		restarted:  time.Duration(f.allAt.Load()) - failed,
	}, nil
}

// beginnings counts, on a pool that reads Stopped, the jobs that execute though they did not read Running any more. A job
// that still read Running had claimed its execution before.
func (f *field) beginnings() (count int) {
	executions := make([]int64, len(f.jobs))
	for i, id := range f.ids {
		executions[i] = -1
		if f.pool.GetJobStatus(id) != "Running" {
			executions[i] = f.jobs[i].executions.Load()
		}
	}
	time.Sleep(retryInterval / 2)
	for i := range f.jobs {
		if executions[i] >= 0 && f.jobs[i].executions.Load() != executions[i] {
			count++
		}
	}
	return count
}
