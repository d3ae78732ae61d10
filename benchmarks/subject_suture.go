package main

import (
	"context"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/thejerf/suture/v4"
)

// The sutureSubject is a supervisor with a service for each job: a loop with a timer, as suture has no intervals.
type sutureSubject struct {
	supervisor *suture.Supervisor
	tokens     []suture.ServiceToken
}

type service struct {
	job   jobs.Job
	every time.Duration
}

// Serve is restarted by the supervisor when it returns an error.
func (s *service) Serve(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		if err := s.job.Execute(); err != nil {
			return err
		}
		timer.Reset(s.every)
	}
}

func (s *sutureSubject) open(n int) error {
	s.tokens = make([]suture.ServiceToken, n)
	s.supervisor = suture.NewSimple("benchmarks")
	s.supervisor.ServeBackground(context.Background())
	return nil
}

func (s *sutureSubject) register(i int, job jobs.Job, every time.Duration) error {
	s.tokens[i] = s.supervisor.Add(&service{job: job, every: every})
	return nil
}

func (s *sutureSubject) begin() error { return nil }

func (s *sutureSubject) unregister(i int) error { return s.supervisor.Remove(s.tokens[i]) }

func (s *sutureSubject) pace() pace { return afterLast }
