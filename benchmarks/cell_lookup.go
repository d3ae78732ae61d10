package main

import (
	"errors"
	"sync"
	"time"
)

const (
	lookUpFor = 200 * time.Millisecond
	lookedUp  = 1024 // of so many jobs, in turn
)

// lookUp looks up the status of single jobs among n idle ones.
func lookUp(s subject, n int) (metrics, error) {
	e, isExecutor := s.(executor)
	l, isLooker := s.(looker)
	if !isExecutor || !isLooker {
		return nil, errNotApplicable
	}
	const churned = 100
	c := newCounters(n)
	if err := startAll(e, c, churned, time.Hour); err != nil {
		return nil, err
	}
	takeFootprint()
	missing := 0
	look := func(i int) {
		if !l.lookUp(i) {
			missing++
		}
	}
	turn := func(i int) { look(i % lookedUp) }
	m := metrics{}
	m["ns"], m["allocs"] = perCall(lookUpFor, turn)
	m["hot_ns"], _ = perCall(lookUpFor, func(int) { look(n / 2) })

	done := make(chan struct{})
	var churnErr error
	var ended sync.WaitGroup
	ended.Go(func() { churnErr = churn(e, n, churned, done) })
	m["churn_ns"], _ = perCall(lookUpFor, turn)
	close(done)
	ended.Wait()
	if missing > 0 {
		return nil, errors.New("a registered job was not found")
	}
	return m, churnErr
}

// churn registers and unregisters jobs until done, those numbered from first on.
func churn(e executor, first, many int, done <-chan struct{}) error {
	c := newCounters(many)
	for {
		for i := range c {
			select {
			case <-done:
				return nil
			default:
			}
			if err := e.register(first+i, &c[i], time.Hour); err != nil {
				return err
			}
			if i > 0 {
				if err := e.unregister(first + i - 1); err != nil {
					return err
				}
			}
		}
		if err := e.unregister(first + many - 1); err != nil {
			return err
		}
	}
}
