package main

import (
	"context"
	"strconv"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/reugn/go-quartz/quartz"
)

// The quartzSubject is a started scheduler in its default mode, but for the threshold above which it drops
// executions: with the default, 100 ms, it would leave out most of the first ones.
type quartzSubject struct {
	scheduler quartz.Scheduler
	keys      []*quartz.JobKey
}

// A delayTrigger is quartz's SimpleTrigger, with a first time that is at once.
type delayTrigger struct {
	every time.Duration
	begun bool
}

func (t *delayTrigger) NextFireTime(prev int64) (int64, error) {
	if !t.begun {
		t.begun = true
		return prev, nil
	}
	return prev + int64(t.every), nil
}

func (t *delayTrigger) Description() string { return "delay " + t.every.String() }

type quartzJob struct{ job jobs.Job }

func (j quartzJob) Execute(context.Context) error { return j.job.Execute() }

func (j quartzJob) Description() string { return "" }

func (s *quartzSubject) open(n int) (err error) {
	s.keys = make([]*quartz.JobKey, n)
	s.scheduler, err = quartz.NewStdScheduler(quartz.WithOutdatedThreshold(time.Hour))
	if err != nil {
		return err
	}
	s.scheduler.Start(context.Background())
	return nil
}

func (s *quartzSubject) register(i int, job jobs.Job, every time.Duration) error {
	s.keys[i] = quartz.NewJobKey("job-" + strconv.Itoa(i))
	return s.scheduler.ScheduleJob(quartz.NewJobDetail(quartzJob{job}, s.keys[i]), &delayTrigger{every: every})
}

func (s *quartzSubject) begin() error { return nil }

func (s *quartzSubject) unregister(i int) error {
	key := s.keys[i]
	s.keys[i] = nil
	return s.scheduler.DeleteJob(key)
}

func (s *quartzSubject) pace() pace { return grid }

func (s *quartzSubject) lookUp(i int) bool {
	_, err := s.scheduler.GetScheduledJob(s.keys[i])
	return err == nil
}

func (s *quartzSubject) expression() string { return "0 0 1,5,9,15,21 * * *" }

func (s *quartzSubject) parse(expression string) (func(time.Time) time.Time, error) {
	trigger, err := quartz.NewCronTriggerWithLoc(expression, time.Local)
	if err != nil {
		return nil, err
	}
	return func(t time.Time) time.Time {
		next, err := trigger.NextFireTime(t.UnixNano())
		if err != nil {
			return time.Time{}
		}
		return time.Unix(0, next)
	}, nil
}
