package jobstest

import (
	"time"

	"github.com/robfig/cron/v3"

	"github.com/agentjobs/jobs"
)

// Hourly is the trigger of an interval of an hour.
func Hourly() jobs.Trigger { return jobs.Every(time.Hour) }

// Secondly is the trigger of an interval of a second.
func Secondly() jobs.Trigger { return jobs.Every(time.Second) }

// InASecond is the trigger of a schedule with one occurrence.
func InASecond() jobs.Trigger { return jobs.On(OnceIn(time.Second)) }

// EachSecond is the trigger of a schedule of all whole seconds.
func EachSecond() jobs.Trigger { return jobs.On(Each(time.Second)) }

// EachHour is the trigger of a schedule of all whole hours.
func EachHour() jobs.Trigger { return jobs.On(Each(time.Hour)) }

// ThreeTimes is the trigger of a retry job.
func ThreeTimes() jobs.Trigger { return jobs.Retry(3) }

// BackingOff makes a retry job wait an hour before it executes again.
func BackingOff() jobs.JobOption { return jobs.WithRetryBackoff(time.Hour, time.Hour) }

// EverySecond is a schedule of all whole seconds, as robfig/cron makes it.
func EverySecond() cron.Schedule { return cron.Every(time.Second) }

// A NextFunc is a cron.Schedule made of a function.
type NextFunc func(time.Time) time.Time

func (f NextFunc) Next(t time.Time) time.Time { return f(t) }

// Each is a schedule of all multiples of d.
func Each(d time.Duration) NextFunc {
	return func(t time.Time) time.Time { return t.Truncate(d).Add(d) }
}

// OnceIn is a schedule with one occurrence, d from now.
func OnceIn(d time.Duration) NextFunc {
	at := time.Now().Add(d)
	return func(t time.Time) time.Time {
		if t.Before(at) {
			return at
		}
		return time.Time{}
	}
}

// Kinds has a trigger of each kind of job, and what an unnamed job of that kind is called.
var Kinds = []struct {
	Type     string
	Detached string // empty if there is no detached one
	Trigger  func() jobs.Trigger
	Allowed  map[string]bool
}{
	{jobs.JobTypeSingleRun, "", jobs.Once, map[string]bool{"WithForget": true}},
	{jobs.JobTypeRetry, "", func() jobs.Trigger { return jobs.Retry(2) },
		map[string]bool{"WithForget": true, "WithRetryBackoff": true}},
	{jobs.JobTypeInterval, jobs.JobTypeDetachedInterval, func() jobs.Trigger { return jobs.Every(time.Hour) },
		map[string]bool{"WithWallClock": true, "Detached": true, "WithJitter": true, "WithRetries": true, "WithFailureThreshold": true, "WithFreshness": true}},
	{jobs.JobTypeScheduled, jobs.JobTypeScheduled, func() jobs.Trigger { return jobs.On(EverySecond()) },
		map[string]bool{"Detached": true, "WithJitter": true, "WithRetries": true, "WithFailureThreshold": true, "WithCatchUp": true, "WithMisfire": true, "WithFreshness": true}},
	{jobs.JobTypeScheduled, jobs.JobTypeScheduled, func() jobs.Trigger { return jobs.Cron("@hourly") },
		map[string]bool{"Detached": true, "WithJitter": true, "WithRetries": true, "WithFailureThreshold": true, "WithCatchUp": true, "WithMisfire": true, "WithFreshness": true}},
	{jobs.JobTypeChannel, jobs.JobTypeDetachedChannel, func() jobs.Trigger { return jobs.Channel(make(chan interface{})) },
		map[string]bool{"Detached": true, "WithFailureThreshold": true}},
}
