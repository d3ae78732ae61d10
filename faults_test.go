package jobs_test

import (
	"errors"
	"sync/atomic"
	"time"
)

var errBroken = errors.New("it is broken")

// A fault is something that can be wrong with a job, and be mended.
type fault struct{ on atomic.Bool }

func newFault() *fault {
	f := new(fault)
	f.on.Store(true)
	return f
}

func (f *fault) mend() { f.on.Store(false) }

func (f *fault) cause() { f.on.Store(true) }

// err is an Execute or a Status that fails while the fault is there.
func (f *fault) err() error {
	if f.on.Load() {
		return errBroken
	}
	return nil
}

// absent is a Ready that refuses while the fault is there.
func (f *fault) absent() bool { return !f.on.Load() }

// enduring is an Execute or a Status that lasts for d.
func enduring(d time.Duration) func() error {
	return func() error { time.Sleep(d); return nil }
}

// onlyFirst is an Execute or a Status that is f at its first call, and then does nothing.
func onlyFirst(f func() error) func() error {
	var called atomic.Bool
	return func() error {
		if called.Swap(true) {
			return nil
		}
		return f()
	}
}

// lasting executes for d and then returns err.
func lasting(d time.Duration, err error) stub {
	return stub{execute: func() error { time.Sleep(d); return err }}
}

// neverReady is not ready.
var neverReady = stub{ready: func() bool { return false }}

// faltering fails the first time, and from then on executes for d each time and then returns err.
func faltering(d time.Duration, err error) stub {
	failed := false // executions follow each other
	return stub{execute: func() error {
		if !failed {
			failed = true
			return errBroken
		}
		time.Sleep(d)
		return err
	}}
}
