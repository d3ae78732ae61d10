package jobstest

import (
	"errors"
	"sync/atomic"
	"time"
)

// ErrBroken is why jobs fail in tests, unless it matters.
var ErrBroken = errors.New("it is broken")

// A Fault is something that can be wrong with a job, and be cleared.
type Fault struct{ on atomic.Bool }

// NewFault returns a fault that is present.
func NewFault() *Fault {
	f := new(Fault)
	f.on.Store(true)
	return f
}

// Clear removes the fault.
func (f *Fault) Clear() { f.on.Store(false) }

// Set brings the fault back.
func (f *Fault) Set() { f.on.Store(true) }

// Err is an Execute or a Status that fails while the fault is present.
func (f *Fault) Err() error {
	if f.on.Load() {
		return ErrBroken
	}
	return nil
}

// Absent is a Ready that returns false while the fault is present.
func (f *Fault) Absent() bool { return !f.on.Load() }

// Sleeping is an Execute or a Status that takes d.
func Sleeping(d time.Duration) func() error {
	return func() error { Take(d); return nil }
}

// Take makes a method of a job take d of its bubble's time.
func Take(d time.Duration) { time.Sleep(d) }

// OnlyFirst is an Execute or a Status that calls f the first time, and then does nothing.
func OnlyFirst(f func() error) func() error {
	var called atomic.Bool
	return func() error {
		if called.Swap(true) {
			return nil
		}
		return f()
	}
}

// Lasting executes for d and then returns err.
func Lasting(d time.Duration, err error) Stub {
	return Stub{ExecuteFunc: func() error { time.Sleep(d); return err }}
}

// NeverReady is not ready.
var NeverReady = Stub{ReadyFunc: func() bool { return false }}

// Faltering fails the first time, and from then on executes for d each time and then returns err.
func Faltering(d time.Duration, err error) Stub {
	failed := false // executions never overlap
	return Stub{ExecuteFunc: func() error {
		if !failed {
			failed = true
			return ErrBroken
		}
		time.Sleep(d)
		return err
	}}
}
