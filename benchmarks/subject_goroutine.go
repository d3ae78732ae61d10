package main

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agentjobs/jobs"
)

// The goroutineSubject is what one writes by hand: for each job a goroutine with a timer, and a map of them
// under a mutex, so that one can ask how a job is and end it.
type goroutineSubject struct {
	names []string

	mu    sync.RWMutex
	loops map[string]*loop
}

type loop struct {
	job    jobs.Job
	every  time.Duration
	status atomic.Int32
	done   chan struct{}
}

const (
	loopIdle int32 = 1 + iota
	loopExecuting
	loopFailed
)

func (l *loop) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-timer.C:
		}
		l.status.Store(loopExecuting)
		if err := l.job.Execute(); err != nil {
			l.status.Store(loopFailed)
		} else {
			l.status.Store(loopIdle)
		}
		timer.Reset(l.every)
	}
}

func (s *goroutineSubject) open(n int) error {
	s.loops = make(map[string]*loop)
	s.names = make([]string, n)
	for i := range s.names {
		s.names[i] = "job-" + strconv.Itoa(i)
	}
	return nil
}

func (s *goroutineSubject) register(i int, job jobs.Job, every time.Duration) error {
	l := &loop{job: job, every: every, done: make(chan struct{})}
	s.mu.Lock()
	s.loops[s.names[i]] = l
	s.mu.Unlock()
	go l.run() // until unregister
	return nil
}

func (s *goroutineSubject) begin() error { return nil }

func (s *goroutineSubject) unregister(i int) error {
	s.mu.Lock()
	l := s.loops[s.names[i]]
	delete(s.loops, s.names[i])
	s.mu.Unlock()
	close(l.done)
	return nil
}

func (s *goroutineSubject) pace() pace { return afterLast }

func (s *goroutineSubject) lookUp(i int) bool {
	s.mu.RLock()
	l := s.loops[s.names[i]]
	s.mu.RUnlock()
	return l != nil && l.status.Load() != 0
}

func (s *goroutineSubject) poll(every time.Duration) {
	go func() { // until the process ends
		for range time.Tick(every) {
			s.mu.RLock()
			for _, l := range s.loops {
				if l.status.Load() != loopFailed && l.job.Status() != nil {
					l.status.Store(loopFailed)
				}
			}
			s.mu.RUnlock()
		}
	}()
}
