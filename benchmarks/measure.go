package main

import (
	"runtime"
	"time"
)

// Metrics are what a cell has measured, by name.
type metrics map[string]float64

// A footprint is what a process holds.
type footprint struct {
	bytes      float64 // of live objects and of stacks
	goroutines float64
}

// takeFootprint waits until goroutines that are ending have ended, and collects garbage.
func takeFootprint() footprint {
	for last, same := -1, 0; same < 3; {
		time.Sleep(10 * time.Millisecond)
		if n := runtime.NumGoroutine(); n == last {
			same++
		} else {
			last, same = n, 0
		}
	}
	runtime.GC()
	runtime.GC() // what the first one has put into sync.Pools' second chance
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{
		bytes:      float64(m.HeapAlloc + m.StackInuse),
		goroutines: float64(runtime.NumGoroutine()),
	}
}

// A reading is of what a process has used up so far.
type reading struct {
	at      time.Time
	cpu     time.Duration
	mallocs uint64
}

func read() reading {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return reading{at: time.Now(), cpu: cpuTime(), mallocs: m.Mallocs}
}

// since returns what was used up after an earlier reading.
func (r reading) since(earlier reading) (wall, cpu time.Duration, mallocs float64) {
	return r.at.Sub(earlier.at), r.cpu - earlier.cpu, float64(r.mallocs - earlier.mallocs)
}

// perCall calls f for a while, in batches each twice as large as the one before, and returns how long a call took, in
// nanoseconds, and how often it allocated, in the last batch.
func perCall(atLeast time.Duration, f func(i int)) (ns, allocs float64) {
	atLeast = window(atLeast)
	for batch := 1; ; batch *= 2 {
		before := read()
		for i := range batch {
			f(i)
		}
		wall, _, mallocs := read().since(before)
		if wall >= atLeast {
			return float64(wall) / float64(batch), mallocs / float64(batch)
		}
	}
}
