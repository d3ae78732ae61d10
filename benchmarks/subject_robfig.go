package main

import (
	"time"

	"github.com/agentjobs/jobs"
	"github.com/robfig/cron/v3"
)

// The robfigSubject is a Cron with a schedule of our own, since its Every knows whole seconds only. The jobs of a cell are
// registered before it starts, as it sorts all of them again for each that comes later.
type robfigSubject struct {
	cron    *cron.Cron
	entries []cron.EntryID
}

type delayed struct {
	first, every time.Duration
	begun        bool
}

func (d *delayed) Next(t time.Time) time.Time {
	if !d.begun {
		d.begun = true
		return t.Add(d.first)
	}
	return t.Add(d.every)
}

func (s *robfigSubject) open(n int) error {
	s.cron = cron.New()
	s.entries = make([]cron.EntryID, n)
	return nil
}

func (s *robfigSubject) register(i int, job jobs.Job, every time.Duration) error {
	return s.registerLater(i, job, every, 0)
}

func (s *robfigSubject) registerLater(i int, job jobs.Job, every, delay time.Duration) error {
	s.entries[i] = s.cron.Schedule(&delayed{first: delay, every: every}, robfigJob{job})
	return nil
}

type robfigJob struct{ job jobs.Job }

func (j robfigJob) Run() { _ = j.job.Execute() } // robfig/cron has no use for errors

func (s *robfigSubject) begin() error {
	s.cron.Start()
	return nil
}

func (s *robfigSubject) unregister(i int) error {
	s.cron.Remove(s.entries[i])
	return nil
}

func (s *robfigSubject) pace() pace { return afterLast }

func (s *robfigSubject) lookUp(i int) bool { return s.cron.Entry(s.entries[i]).Valid() }

func (s *robfigSubject) expression() string { return "0 0 1,5,9,15,21 * * *" }

var withSeconds = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

func (s *robfigSubject) parse(expression string) (func(time.Time) time.Time, error) {
	schedule, err := withSeconds.Parse(expression)
	if err != nil {
		return nil, err
	}
	return schedule.Next, nil
}
