package main

import "time"

// rate lets n jobs execute each millisecond, as far as they can.
func rate(s subject, n int) (metrics, error) {
	e, ok := s.(executor)
	if !ok {
		return nil, errNotApplicable
	}
	c := newCounters(n)
	if err := startAll(e, c, 0, time.Millisecond); err != nil {
		return nil, err
	}
	time.Sleep(window(500 * time.Millisecond))

	before, executedBefore := read(), c.total()
	time.Sleep(window(2 * time.Second))
	executedAfter, after := c.total(), read()
	wall, cpu, mallocs := after.since(before)
	executed := float64(executedAfter - executedBefore)
	return metrics{
		"per_s":  executed / wall.Seconds(),
		"cpu_ns": float64(cpu) / executed,
		"allocs": mallocs / executed,
	}, nil
}
