package main

import (
	"runtime"
	"time"
)

const (
	foreignLimit = 0.10 // of the machine's CPU time, used by others: above it a sample is not to be trusted
	spinLimit    = 1.25 // times the fastest spin: above it the machine was slower than it can be
	ticks        = 30 * time.Millisecond
	unknown      = -1
)

// foreign returns what share of the machine's CPU time went to others during a measurement, or unknown. The
// machine's account comes in ticks, so very little of it counts as nothing.
func foreign(wall, machine, own time.Duration) float64 {
	used := machine - own
	if used <= ticks {
		return 0
	}
	return float64(used) / (float64(wall) * float64(runtime.NumCPU()))
}

// spin does a piece of work that is always the same, three times, and returns how long the fastest took.
func spin() time.Duration {
	best := time.Hour
	x := uint64(1)
	for range 3 {
		start := time.Now()
		for range 1_000_000 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		best = min(best, time.Since(start))
	}
	runtime.KeepAlive(x)
	return best
}
