// Package faulty has jobs with one fault each, of which jobstest.Conform is to say what it is. So its tests fail.
package faulty

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobstest"
)

// A right job is what the others are but for their fault.
type right struct{}

func (right) Ready() bool    { return true }
func (right) Status() error  { return nil }
func (right) Execute() error { return nil }

type ignoresItsContext struct{ right }

func (ignoresItsContext) ExecuteContext(context.Context) error {
	time.Sleep(time.Minute) // here it hangs
	return nil
}

func TestIgnoresItsContext(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return ignoresItsContext{} }, jobs.Every(time.Hour))
}

type slowStatus struct{ right }

func (slowStatus) Status() error {
	time.Sleep(2 * time.Second)
	return nil
}

func TestSlowStatus(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return slowStatus{} }, jobs.Every(time.Hour))
}

type leaks struct{ right }

func (leaks) Execute() error {
	go func() { select {} }() // here it leaks
	return nil
}

func TestLeaks(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return leaks{} }, jobs.Every(time.Hour))
}

type worksOnce struct {
	right
	done atomic.Bool
}

func (j *worksOnce) Execute() error {
	if j.done.Swap(true) {
		return errors.New("closed")
	}
	return nil
}

func TestWorksOnce(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return new(worksOnce) }, jobs.Every(time.Hour))
}

type deadEnd struct {
	right
	broken, seen *atomic.Bool
}

func (j *deadEnd) Ready() bool { return !j.seen.Load() }

func (j *deadEnd) Execute() error {
	j.seen.Store(j.broken.Load())
	if j.seen.Load() {
		return errors.New("no answer")
	}
	return nil
}

func TestDeadEnd(t *testing.T) {
	var broken atomic.Bool
	jobstest.Conform(t, func() jobs.Job { return &deadEnd{broken: &broken, seen: new(atomic.Bool)} }, jobs.Every(time.Hour),
		jobstest.WithFault(broken.Store))
}

type takesTwo struct {
	right
	stop chan interface{}
}

func (j takesTwo) Execute() error {
	<-j.stop
	<-j.stop
	return nil
}

func TestTakesTwo(t *testing.T) {
	stop := make(chan interface{})
	jobstest.Conform(t, func() jobs.Job { return takesTwo{stop: stop} }, jobs.Channel(stop))
}

type neverFails struct{ right }

func TestNeverFails(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return neverFails{} }, jobs.Every(time.Hour), jobstest.WithFault(func(bool) {}))
}

type staysLocked struct {
	right
	mu sync.Mutex
}

func (j *staysLocked) Execute() error {
	j.mu.Lock() // and never unlocks it
	return nil
}

func TestStaysLocked(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return new(staysLocked) }, jobs.Every(time.Hour), jobstest.InRealTime(),
		jobstest.WithLimit(100*time.Millisecond))
}

type panics struct{ right }

func (panics) Status() error { panic("no gateway") }

func TestPanics(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return panics{} }, jobs.Every(time.Hour))
}

type fails struct{ right }

func (fails) Execute() error { return errors.New("no gateway") }

func TestFails(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return fails{} }, jobs.Every(time.Hour))
}

type unready struct{ right }

func (unready) Ready() bool { return false }

func TestUnready(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return unready{} }, jobs.Every(time.Hour))
}

type races struct {
	right
	count int
}

func (j *races) Execute() error {
	j.count++
	return nil
}

func (j *races) Status() error {
	if j.count < 0 {
		return errors.New("never")
	}
	return nil
}

func TestRaces(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return new(races) }, jobs.Every(time.Hour))
}
