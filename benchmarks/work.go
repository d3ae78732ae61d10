package main

import (
	"sync/atomic"
	"time"
)

// A counter is the job that most cells use: it counts its executions. It fills a cache line of its own, so that
// jobs on different cores do not disturb each other.
type counter struct {
	executions atomic.Int64
	_          [56]byte
}

func (c *counter) Execute() error {
	c.executions.Add(1)
	return nil
}

func (c *counter) Status() error { return nil }

func (c *counter) Ready() bool { return true }

type counters []counter

// newCounters makes n counters, in memory that has been written to.
func newCounters(n int) counters {
	c := make(counters, n)
	for i := range c {
		c[i].executions.Store(0)
	}
	return c
}

func (c counters) total() (sum int64) {
	for i := range c {
		sum += c[i].executions.Load()
	}
	return sum
}

// await waits until each counter has counted at least one execution.
func (c counters) await() {
	for i := range c {
		for c[i].executions.Load() == 0 {
			time.Sleep(50 * time.Microsecond)
		}
	}
}

// registerAll registers a job for each of the counters.
func registerAll(e executor, c counters, every time.Duration) error {
	for i := range c {
		if err := e.register(i, &c[i], every); err != nil {
			return err
		}
	}
	return nil
}

// startAll opens the executor for its jobs and some more, registers them, and waits until each has executed once.
func startAll(e executor, c counters, more int, every time.Duration) error {
	if err := e.open(len(c) + more); err != nil {
		return err
	}
	if err := registerAll(e, c, every); err != nil {
		return err
	}
	if err := e.begin(); err != nil {
		return err
	}
	c.await()
	return nil
}
