package main

import (
	"time"

	"github.com/agentjobs/jobs"
)

// The jobsSubject is this library, as it comes.
type jobsSubject struct {
	pool *jobs.Pool
	ids  []string
}

func (s *jobsSubject) open(n int) error {
	s.pool = jobs.NewPool()
	s.ids = make([]string, n)
	return nil
}

func (s *jobsSubject) register(i int, job jobs.Job, every time.Duration) (err error) {
	s.ids[i], err = s.pool.RegisterIntervalJob(job, every)
	return err
}

func (s *jobsSubject) begin() error { return nil }

func (s *jobsSubject) unregister(i int) error {
	s.pool.UnregisterJob(s.ids[i])
	s.ids[i] = ""
	return nil
}

func (s *jobsSubject) pace() pace { return afterLast }

func (s *jobsSubject) lookUp(i int) bool { return s.pool.GetJobStatus(s.ids[i]) != "" }

func (s *jobsSubject) poll(every time.Duration) { s.pool.UpdateDurations(every, 5*time.Minute) }

func (s *jobsSubject) expression() string { return "0 0 1,5,9,15,21 * * * *" }

func (s *jobsSubject) parse(expression string) (func(time.Time) time.Time, error) {
	schedule, err := jobs.ParseSchedule(expression)
	if err != nil {
		return nil, err
	}
	return schedule.Next, nil
}
