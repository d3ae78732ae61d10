package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

// A polled job counts how often it was asked for its Status, too. One counter does for all: one goroutine asks them.
type polled struct {
	*counter
	polls *atomic.Int64
}

func (p polled) Status() error {
	p.polls.Add(1)
	return nil
}

// poll lets n jobs idle while each is asked for its Status once a second.
func poll(s subject, n int) (metrics, error) {
	e, ok := s.(executor)
	if !ok {
		return nil, errNotApplicable
	}
	watch, ok := s.(poller)
	if !ok {
		return nil, errNotApplicable
	}
	if err := e.open(n); err != nil {
		return nil, err
	}
	every := window(time.Second)
	watch.poll(every)
	c := newCounters(n)
	var polls atomic.Int64
	for i := range c {
		if err := e.register(i, polled{&c[i], &polls}, time.Hour); err != nil {
			return nil, err
		}
	}
	if err := e.begin(); err != nil {
		return nil, err
	}
	c.await()
	takeFootprint()
	time.Sleep(2 * every)

	before, polledBefore := read(), polls.Load()
	time.Sleep(4 * every)
	after, polledAfter := read(), polls.Load()
	wall, cpu, mallocs := after.since(before)
	asked := float64(polledAfter - polledBefore)
	expected := float64(n) * wall.Seconds() / every.Seconds()
	if asked < expected/2 || asked > expected*2 {
		return nil, fmt.Errorf("%.0f calls of Status, not about %.0f", asked, expected)
	}
	return metrics{
		"cpu_s":  cpu.Seconds() * 10 / wall.Seconds(),
		"allocs": mallocs / asked,
	}, nil
}
