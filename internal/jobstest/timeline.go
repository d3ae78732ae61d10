package jobstest

import (
	"sync"
	"time"
)

// A Timeline notes when something happens, counted from its creation.
type Timeline struct {
	Start time.Time

	mu    sync.Mutex
	marks []time.Duration
}

// NewTimeline makes an empty timeline that begins now.
func NewTimeline() *Timeline { return &Timeline{Start: time.Now()} }

// Mark notes that it happens now, and returns how often it has happened.
func (l *Timeline) Mark() int { return l.Note(time.Since(l.Start)) }

// Note notes that it happens at d.
func (l *Timeline) Note(d time.Duration) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = append(l.marks, d)
	return len(l.marks)
}

// Moments returns what was noted.
func (l *Timeline) Moments() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Duration{}, l.marks...)
}

// AdvanceTo lets the bubble's time pass until d after the timeline's creation.
func (l *Timeline) AdvanceTo(d time.Duration) { Advance(d - time.Since(l.Start)) }

// Execute is an Execute that notes when it is called.
func (l *Timeline) Execute() error { l.Mark(); return nil }

// Status is a Status that notes when it is called.
func (l *Timeline) Status() error { l.Mark(); return nil }

// Ready is a Ready that notes when it is called.
func (l *Timeline) Ready() bool { l.Mark(); return true }

// Seconds converts numbers of seconds to durations.
func Seconds(s ...float64) []time.Duration {
	d := make([]time.Duration, len(s))
	for i := range s {
		d[i] = time.Duration(s[i] * float64(time.Second))
	}
	return d
}

// Times returns ns times the unit.
func Times(unit time.Duration, ns ...int) []time.Duration {
	durations := []time.Duration{}
	for _, n := range ns {
		durations = append(durations, time.Duration(n)*unit)
	}
	return durations
}

// An OverlapMeter counts the most calls in progress at once.
type OverlapMeter struct {
	mu        sync.Mutex
	now, most int
}

// During counts a call that takes d.
func (o *OverlapMeter) During(d time.Duration) {
	o.mu.Lock()
	o.now++
	o.most = max(o.most, o.now)
	o.mu.Unlock()
	time.Sleep(d)
	o.mu.Lock()
	o.now--
	o.mu.Unlock()
}

// Highest returns that number.
func (o *OverlapMeter) Highest() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most
}
