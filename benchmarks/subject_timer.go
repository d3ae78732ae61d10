package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/agentjobs/jobs"
)

// The timerSubject is a time.AfterFunc for each job that sets itself again, with nothing around it: no
// bookkeeping, no registry, and no care for what is still executing.
type timerSubject struct {
	timers []*time.Timer
}

type rearmed struct {
	timer atomic.Pointer[time.Timer]
	job   jobs.Job
	every time.Duration
}

func (r *rearmed) fire() {
	_ = r.job.Execute() // nothing here could use the error
	timer := r.timer.Load()
	for timer == nil { // the very first execution, ahead of register
		runtime.Gosched()
		timer = r.timer.Load()
	}
	timer.Reset(r.every)
}

func (s *timerSubject) open(n int) error {
	s.timers = make([]*time.Timer, n)
	return nil
}

func (s *timerSubject) register(i int, job jobs.Job, every time.Duration) error {
	r := &rearmed{job: job, every: every}
	timer := time.AfterFunc(0, r.fire)
	r.timer.Store(timer)
	s.timers[i] = timer
	return nil
}

func (s *timerSubject) begin() error { return nil }

func (s *timerSubject) unregister(i int) error {
	s.timers[i].Stop()
	s.timers[i] = nil
	return nil
}

func (s *timerSubject) pace() pace { return afterLast }
