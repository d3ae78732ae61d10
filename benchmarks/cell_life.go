package main

import (
	"runtime"
	"time"
)

// unregisterFor limits how long jobs are unregistered: some peers need longer the more jobs they have.
const unregisterFor = 2 * time.Second

// life registers n jobs with an interval of an hour, waits until each has executed once, looks at what idle jobs hold, and
// unregisters them.
func life(s subject, n int) (metrics, error) {
	e, ok := s.(executor)
	if !ok {
		return nil, errNotApplicable
	}
	c := newCounters(n)
	if err := e.open(n); err != nil {
		return nil, err
	}
	empty, residentEmpty := takeFootprint(), resident()

	start := time.Now()
	if err := registerAll(e, c, time.Hour); err != nil {
		return nil, err
	}
	registered := time.Since(start)
	if err := e.begin(); err != nil {
		return nil, err
	}
	c.await()
	executed := time.Since(start)
	residentFull := resident()

	defer runtime.KeepAlive(c) // or it would count as given back
	defer runtime.KeepAlive(e)
	perJob := func(x float64) float64 { return x / float64(n) }
	full := takeFootprint()
	m := metrics{
		"register_ns": perJob(float64(registered)),
		"executed_ms": milliseconds(executed),
		"bytes":       perJob(full.bytes - empty.bytes),
		"goroutines":  perJob(full.goroutines - empty.goroutines),
		"heap_mb":     (full.bytes - empty.bytes) / 1e6,
	}
	if residentFull > 0 {
		m["resident_mb"] = (residentFull - residentEmpty) / 1e6
	}
	if n < largest {
		err := unregisterAll(e, n, empty, m)
		return m, err
	}
	return m, nil
}

// unregisterAll measures unregistering; what is left behind only if there was time for all jobs.
func unregisterAll(e executor, n int, empty footprint, m metrics) error {
	start := time.Now()
	gone := 0
	for gone < n && (gone%64 != 0 || time.Since(start) < unregisterFor) {
		if err := e.unregister(gone); err != nil {
			return err
		}
		gone++
	}
	m["unregister_ns"] = float64(time.Since(start)) / float64(gone)
	if gone == n {
		left := takeFootprint()
		m["left_bytes"] = (left.bytes - empty.bytes) / float64(n)
		m["left_goroutines"] = (left.goroutines - empty.goroutines) / float64(n)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }
