package jobs_test

import (
	"errors"
	"sync"
	"time"

	"github.com/agentjobs/jobs"
)

// A lapRecorder notes the moments at which something happens, as the time since it was made.
type lapRecorder struct {
	start time.Time
	mu    sync.Mutex
	laps  []time.Duration
}

func newLaps() *lapRecorder { return &lapRecorder{start: time.Now()} }

// lap notes now, and returns how many laps there are.
func (l *lapRecorder) lap() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.laps = append(l.laps, time.Since(l.start))
	return len(l.laps)
}

func (l *lapRecorder) all() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Duration{}, l.laps...)
}

// times returns ns times the unit.
func times(unit time.Duration, ns ...int) []time.Duration {
	durations := []time.Duration{}
	for _, n := range ns {
		durations = append(durations, time.Duration(n)*unit)
	}
	return durations
}

// An overlapMeter counts how many calls are in progress at the most.
type overlapMeter struct {
	mu        sync.Mutex
	now, most int
}

// during counts the call that lasts for d.
func (o *overlapMeter) during(d time.Duration) {
	o.mu.Lock()
	o.now++
	o.most = max(o.most, o.now)
	o.mu.Unlock()
	time.Sleep(d)
	o.mu.Lock()
	o.now--
	o.mu.Unlock()
}

func (o *overlapMeter) highest() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most
}

var errTrial = errors.New("trial went wrong")

// lapping notes each execution.
func lapping(l *lapRecorder) stub {
	return stub{execute: func() error { l.lap(); return nil }}
}

// lasting executes for d and then returns err.
func lasting(d time.Duration, err error) stub {
	return stub{execute: func() error { time.Sleep(d); return err }}
}

// neverReady is not ready.
var neverReady = stub{ready: func() bool { return false }}

// stopPool stops the pool by hand; one retry interval later it restarts.
func stopPool(p *jobs.Pool) { p.SetStatus(jobs.PoolStatusStopped) }

// A nextFunc is a cron.Schedule made of a function.
type nextFunc func(time.Time) time.Time

func (f nextFunc) Next(t time.Time) time.Time { return f(t) }

// each is a schedule of all multiples of d.
func each(d time.Duration) nextFunc {
	return func(t time.Time) time.Time { return t.Truncate(d).Add(d) }
}

// onceIn is a schedule of one moment, d from now.
func onceIn(d time.Duration) nextFunc {
	at := time.Now().Add(d)
	return func(t time.Time) time.Time {
		if t.Before(at) {
			return at
		}
		return time.Time{}
	}
}
