package jobs_test

import (
	"time"

	"github.com/robfig/cron/v3"

	"github.com/agentjobs/jobs"
)

func hourly() jobs.Trigger { return jobs.Every(time.Hour) }

func secondly() jobs.Trigger { return jobs.Every(time.Second) }

func inASecond() jobs.Trigger {
	return jobs.On(onceIn(time.Second))
}

func eachSecond() jobs.Trigger { return jobs.On(each(time.Second)) }

func eachHour() jobs.Trigger { return jobs.On(each(time.Hour)) }

func threeTimes() jobs.Trigger { return jobs.Retry(3) }

func backingOff() jobs.JobOption { return jobs.WithRetryBackoff(time.Hour, time.Hour) }

// everySecond is a schedule.
func everySecond() cron.Schedule { return cron.Every(time.Second) }

// A nextFunc is a cron.Schedule made of a function.
type nextFunc func(time.Time) time.Time

func (f nextFunc) Next(t time.Time) time.Time { return f(t) }

// each is a schedule of all multiples of d.
func each(d time.Duration) nextFunc {
	return func(t time.Time) time.Time { return t.Truncate(d).Add(d) }
}

// onceIn is a schedule of one moment, d from now.
func onceIn(d time.Duration) nextFunc {
	at := time.Now().Add(d)
	return func(t time.Time) time.Time {
		if t.Before(at) {
			return at
		}
		return time.Time{}
	}
}

// kinds has a trigger of each kind of job, and what an unnamed job of that kind is called.
var kinds = []struct {
	typ      string
	detached string // empty if there is no detached one
	trigger  func() jobs.Trigger
	allowed  map[string]bool
}{
	{jobs.JobTypeSingleRun, "", jobs.Once, map[string]bool{"WithForget": true}},
	{jobs.JobTypeRetry, "", func() jobs.Trigger { return jobs.Retry(2) },
		map[string]bool{"WithForget": true, "WithRetryBackoff": true}},
	{jobs.JobTypeInterval, jobs.JobTypeDetachedInterval, func() jobs.Trigger { return jobs.Every(time.Hour) },
		map[string]bool{"Detached": true, "WithJitter": true}},
	{jobs.JobTypeScheduled, jobs.JobTypeScheduled, func() jobs.Trigger { return jobs.On(everySecond()) },
		map[string]bool{"Detached": true, "WithJitter": true}},
	{jobs.JobTypeScheduled, jobs.JobTypeScheduled, func() jobs.Trigger { return jobs.Cron("@hourly") },
		map[string]bool{"Detached": true, "WithJitter": true}},
	{jobs.JobTypeChannel, jobs.JobTypeDetachedChannel, func() jobs.Trigger { return jobs.Channel(make(chan interface{})) },
		map[string]bool{"Detached": true}},
}
