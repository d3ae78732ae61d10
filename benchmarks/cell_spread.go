package main

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// spread lets n jobs execute at the same interval, their first executions spread evenly over it. The interval is such that
// they make 100,000 executions a second together, however many they are. It tells how late the executions are.
func spread(s subject, n int) (metrics, error) {
	e, ok := s.(executor)
	if !ok {
		return nil, errNotApplicable
	}
	every := time.Duration(n) * 10 * time.Microsecond
	observed := max(window(1500*time.Millisecond), 3*every)
	if err := e.open(n); err != nil {
		return nil, err
	}
	clock := &spreadClock{start: time.Now(), every: every, pace: e.pace()}
	tasks := newPunctuals(n, 2*int(observed/every)+2, clock)
	if err := registerSpread(e, tasks, every); err != nil {
		return nil, err
	}
	time.Sleep(max(window(500*time.Millisecond), every))

	executions := func() (sum int64) {
		for i := range tasks {
			sum += tasks[i].executions.Load()
		}
		return sum
	}
	clock.recording.Store(true)
	before, executedBefore := read(), executions()
	time.Sleep(observed)
	executedAfter, after := executions(), read()
	clock.recording.Store(false)
	wall, cpu, mallocs := after.since(before)
	executed := float64(executedAfter - executedBefore)
	m := metrics{
		"per_s":  executed / wall.Seconds(),
		"cpu_ns": float64(cpu) / executed,
		"allocs": mallocs / executed,
	}
	return m, addLateness(m, tasks)
}

// registerSpread registers job i at i/n of the interval, or delays its first execution by as much.
func registerSpread(e executor, tasks []punctual, every time.Duration) error {
	at := func(i int) time.Duration { return every * time.Duration(i) / time.Duration(len(tasks)) }
	later, canDelay := e.(staggerer)
	start := time.Now()
	for i := range tasks {
		var err error
		if canDelay {
			err = later.registerLater(i, &tasks[i], every, at(i))
		} else {
			for wait := at(i) - time.Since(start); wait > 0; wait = at(i) - time.Since(start) {
				if wait > time.Millisecond {
					time.Sleep(wait / 2)
				}
			}
			err = e.register(i, &tasks[i], every)
		}
		if err != nil {
			return err
		}
	}
	return e.begin()
}

type spreadClock struct {
	start     time.Time
	every     time.Duration
	pace      pace
	recording atomic.Bool
}

// A punctual job knows when it is due, and notes how late it is, in memory taken beforehand.
type punctual struct {
	clock      *spreadClock
	executions atomic.Int64

	mu   sync.Mutex // some peers execute a job twice at once
	due  time.Duration
	late []time.Duration // as many as there is room for
}

func newPunctuals(n, room int, clock *spreadClock) []punctual {
	tasks := make([]punctual, n)
	all := make([]time.Duration, n*room)
	for i := range tasks {
		tasks[i].clock = clock
		tasks[i].late = all[i*room : i*room : (i+1)*room]
	}
	return tasks
}

func (p *punctual) Execute() error {
	now := time.Since(p.clock.start)
	p.executions.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due == 0 {
		p.due = now
	}
	if p.clock.recording.Load() && len(p.late) < cap(p.late) {
		p.late = append(p.late, now-p.due)
	}
	p.due = nextDue(p.clock.pace, p.due, now, p.clock.every)
	return nil
}

func nextDue(p pace, due, now, every time.Duration) time.Duration {
	switch p {
	case grid:
		return due + every
	case gridSkipping:
		for due += every; due < now; {
			due += every
		}
		return due
	}
	return now + every
}

func (p *punctual) Status() error { return nil }

func (p *punctual) Ready() bool { return true }

func addLateness(m metrics, tasks []punctual) error {
	var all []time.Duration
	for i := range tasks {
		tasks[i].mu.Lock()
		all = append(all, tasks[i].late...)
		tasks[i].mu.Unlock()
	}
	if len(all) == 0 {
		return errors.New("no executions")
	}
	slices.Sort(all)
	m["p50_ms"] = milliseconds(all[len(all)/2])
	m["p99_ms"] = milliseconds(all[len(all)*99/100])
	m["max_ms"] = milliseconds(all[len(all)-1])
	return nil
}
