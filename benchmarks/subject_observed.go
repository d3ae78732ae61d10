//go:build !before

package main

import "github.com/agentjobs/jobs"

// The library of an earlier commit may have no observers.
func init() {
	subjects[observed] = func() subject { return new(observedSubject) }
}

// The observedSubject is this library with an observer that does nothing.
type observedSubject struct{ jobsSubject }

func (s *observedSubject) open(n int) error {
	s.pool = jobs.NewPool(jobs.WithObserver(func(jobs.Event) {}))
	s.ids = make([]string, n)
	return nil
}
