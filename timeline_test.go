package jobs_test

import (
	"sync"
	"time"
)

// A timeline notes when something happens, counted from its making.
type timeline struct {
	start time.Time

	mu    sync.Mutex
	marks []time.Duration
}

func newTimeline() *timeline { return &timeline{start: time.Now()} }

// mark notes that it happens now, and returns how often it has happened.
func (l *timeline) mark() int { return l.note(time.Since(l.start)) }

// note notes that it happens at d.
func (l *timeline) note(d time.Duration) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = append(l.marks, d)
	return len(l.marks)
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
