package jobs_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/agentjobs/jobs"
)

// A timeline notes when something happens, counted from its making.
type timeline struct {
	start time.Time

	mu    sync.Mutex
	marks []time.Duration
}

func newTimeline() *timeline { return &timeline{start: time.Now()} }

// mark notes that it happens now.
func (l *timeline) mark() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = append(l.marks, time.Since(l.start))
}

// moments returns what was noted.
func (l *timeline) moments() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Duration{}, l.marks...)
}

// fill lets the bubble's time pass until d after the timeline's making.
func (l *timeline) fill(d time.Duration) { pass(d - time.Since(l.start)) }

// execute is an Execute that notes when it is called.
func (l *timeline) execute() error { l.mark(); return nil }

// status is a Status that notes when it is called.
func (l *timeline) status() error { l.mark(); return nil }

// ready is a Ready that notes when it is called.
func (l *timeline) ready() bool { l.mark(); return true }

// seconds makes durations of numbers of seconds.
func seconds(s ...float64) []time.Duration {
	d := make([]time.Duration, len(s))
	for i := range s {
		d[i] = time.Duration(s[i] * float64(time.Second))
	}
	return d
}

var errBroken = errors.New("broken")

// A fault is something that can be wrong with a job, and be mended.
type fault struct{ on atomic.Bool }

func newFault() *fault {
	f := new(fault)
	f.on.Store(true)
	return f
}

func (f *fault) mend()  { f.on.Store(false) }
func (f *fault) cause() { f.on.Store(true) }

// err is an Execute or a Status that fails while the fault is there.
func (f *fault) err() error {
	if f.on.Load() {
		return errBroken
	}
	return nil
}

// absent is a Ready that refuses while the fault is there.
func (f *fault) absent() bool { return !f.on.Load() }

// forAges is longer than any test lasts.
const forAges = 10000 * time.Hour

// haltPool registers a job of which the only execution, at once, stops the pool and which is ready
// from then on.
func haltPool(p *jobs.Pool) (id string) {
	var done atomic.Bool
	id, _ = p.Register(stub{execute: func() error {
		if done.Swap(true) {
			return nil
		}
		return errBroken
	}}, jobs.Every(forAges), jobs.WithName("culprit"))
	pass(0)
	return id
}

// enduring is an Execute or a Status that lasts for d.
func enduring(d time.Duration) func() error {
	return func() error { time.Sleep(d); return nil }
}

// onlyFirst is an Execute or a Status that is f at its first call, and then does nothing.
func onlyFirst(f func() error) func() error {
	var called atomic.Bool
	return func() error {
		if called.Swap(true) {
			return nil
		}
		return f()
	}
}

// everySecond is a schedule.
func everySecond() cron.Schedule { return cron.Every(time.Second) }
