package jobstest

import (
	"errors"
	"sync/atomic"
	"time"
)

var ErrBroken = errors.New("it is broken")

// A Fault is something that can be wrong with a job, and be mended.
type Fault struct{ On atomic.Bool }

func NewFault() *Fault {
	f := new(Fault)
	f.On.Store(true)
	return f
}

func (f *Fault) Clear() { f.On.Store(false) }

func (f *Fault) Set() { f.On.Store(true) }

// Err is an Execute or a Status that fails while the fault is there.
func (f *Fault) Err() error {
	if f.On.Load() {
		return ErrBroken
	}
	return nil
}

// Absent is a Ready that refuses while the fault is there.
func (f *Fault) Absent() bool { return !f.On.Load() }

// Sleeping is an Execute or a Status that lasts for d.
func Sleeping(d time.Duration) func() error {
	return func() error { time.Sleep(d); return nil }
}

// OnlyFirst is an Execute or a Status that is f at its first call, and then does nothing.
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
	failed := false // executions follow each other
	return Stub{ExecuteFunc: func() error {
		if !failed {
			failed = true
			return ErrBroken
		}
		time.Sleep(d)
		return err
	}}
}
