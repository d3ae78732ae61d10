package main

import (
	"time"

	"github.com/agentjobs/jobs"
	"github.com/go-co-op/gocron/v2"
)

// The gocronSubject is a started Scheduler in its default mode, in which it keeps no goroutine for a job. It finds a job by
// its id only among all of them; so the handles of its jobs are kept here.
type gocronSubject struct {
	scheduler gocron.Scheduler
	handles   []gocron.Job
}

func (s *gocronSubject) open(n int) (err error) {
	s.handles = make([]gocron.Job, n)
	s.scheduler, err = gocron.NewScheduler()
	if err != nil {
		return err
	}
	s.scheduler.Start()
	return nil
}

func (s *gocronSubject) register(i int, job jobs.Job, every time.Duration) error {
	handle, err := s.scheduler.NewJob(gocron.DurationJob(every), gocron.NewTask(job.Execute),
		gocron.WithStartAt(gocron.WithStartImmediately()))
	s.handles[i] = handle
	return err
}

func (s *gocronSubject) begin() error { return nil }

func (s *gocronSubject) unregister(i int) error {
	id := s.handles[i].ID()
	s.handles[i] = nil
	return s.scheduler.RemoveJob(id)
}

func (s *gocronSubject) pace() pace { return gridSkipping }

func (s *gocronSubject) lookUp(i int) bool {
	_, err := s.handles[i].IsRunning()
	return err == nil
}
