// Package wallclock makes a wall clock that can be set. Only tests use it.
package wallclock

import (
	"sync/atomic"
	"time"
	"unsafe"
)

// A Clock can be set, while the time that timers use runs on. It starts out right.
type Clock struct {
	Start time.Time
	ahead atomic.Int64                      // by how much it was set
	Shown func(time.Duration) time.Duration // how long it shows to have passed, if it runs wrong
}

// New returns a clock that shows the time.
func New() *Clock { return &Clock{Start: time.Now()} }

// Jump sets the clock forward by d, or back.
func (w *Clock) Jump(d time.Duration) { w.ahead.Add(int64(d)) }

// Now returns what time.Now does outside a bubble: what the clock shows, and a reading of the monotonic clock.
func (w *Clock) Now() time.Time {
	passed := time.Since(w.Start)
	shown := passed
	if w.Shown != nil {
		shown = w.Shown(passed)
	}
	return clockReading(w.Start.Add(shown+time.Duration(w.ahead.Load())), passed)
}

var (
	anyReading = time.Now() // outside of all bubbles, and so with a monotonic reading
	year1885   = time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC)
)

// clockReading makes a time.Time of two readings that differ, which package time does not support.
func clockReading(wall time.Time, monotonic time.Duration) time.Time {
	reading := anyReading
	fields := (*struct {
		wall      uint64 // a bit that there is a monotonic reading, 33 bits of seconds since 1885, 30 of nanoseconds
		monotonic int64
		_         *time.Location
	})(unsafe.Pointer(&reading))
	fields.wall = 1<<63 | uint64(wall.Unix()-year1885.Unix())<<30 | uint64(wall.Nanosecond())
	fields.monotonic += int64(monotonic)
	if !reading.Round(0).Equal(wall) || reading.Sub(anyReading) != monotonic {
		panic("time.Time is not made as it was in Go 1.26")
	}
	return reading
}
