package jobstest

import (
	"time"

	"github.com/agentjobs/jobs"
)

// A Registrar is a pool's, or the package's, mirrored functions.
type Registrar interface {
	RegisterSingleRunJob(jobs.Job) (string, error)
	RegisterSingleRunJobWithName(jobs.Job, string) (string, error)
	RegisterRetryJob(jobs.Job, int) (string, error)
	RegisterRetryJobWithName(jobs.Job, int, string) (string, error)
	RegisterIntervalJob(jobs.Job, time.Duration, ...jobs.JobOption) (string, error)
	RegisterIntervalJobWithName(jobs.Job, time.Duration, string, ...jobs.JobOption) (string, error)
	RegisterDetachedIntervalJob(jobs.Job, time.Duration, ...jobs.JobOption) (string, error)
	RegisterDetachedIntervalJobWithName(jobs.Job, time.Duration, string, ...jobs.JobOption) (string, error)
	RegisterScheduledJob(jobs.Job, string, ...jobs.JobOption) (string, error)
	RegisterScheduledJobWithName(jobs.Job, string, string, ...jobs.JobOption) (string, error)
	RegisterChannelJob(jobs.Job, chan interface{}) (string, error)
	RegisterChannelJobWithName(jobs.Job, chan interface{}, string) (string, error)
	RegisterDetachedChannelJob(jobs.Job, chan interface{}) (string, error)
	RegisterDetachedChannelJobWithName(jobs.Job, chan interface{}, string) (string, error)
}

// GlobalPool is the package-level functions as a registrar.
type GlobalPool struct{}

func (GlobalPool) RegisterSingleRunJob(j jobs.Job) (string, error) {
	return jobs.RegisterSingleRunJob(j)
}

func (GlobalPool) RegisterSingleRunJobWithName(j jobs.Job, name string) (string, error) {
	return jobs.RegisterSingleRunJobWithName(j, name)
}

func (GlobalPool) RegisterRetryJob(j jobs.Job, n int) (string, error) {
	return jobs.RegisterRetryJob(j, n)
}

func (GlobalPool) RegisterRetryJobWithName(j jobs.Job, n int, name string) (string, error) {
	return jobs.RegisterRetryJobWithName(j, n, name)
}

func (GlobalPool) RegisterIntervalJob(j jobs.Job, d time.Duration, o ...jobs.JobOption) (string, error) {
	return jobs.RegisterIntervalJob(j, d, o...)
}

func (GlobalPool) RegisterIntervalJobWithName(j jobs.Job, d time.Duration, name string, o ...jobs.JobOption) (string, error) {
	return jobs.RegisterIntervalJobWithName(j, d, name, o...)
}

func (GlobalPool) RegisterDetachedIntervalJob(j jobs.Job, d time.Duration, _ ...jobs.JobOption) (string, error) {
	return jobs.RegisterDetachedIntervalJob(j, d)
}

func (GlobalPool) RegisterDetachedIntervalJobWithName(j jobs.Job, d time.Duration, name string, _ ...jobs.JobOption) (string, error) {
	return jobs.RegisterDetachedIntervalJobWithName(j, d, name)
}

func (GlobalPool) RegisterScheduledJob(j jobs.Job, schedule string, o ...jobs.JobOption) (string, error) {
	return jobs.RegisterScheduledJob(j, schedule, o...)
}

func (GlobalPool) RegisterScheduledJobWithName(j jobs.Job, schedule, name string, o ...jobs.JobOption) (string, error) {
	return jobs.RegisterScheduledJobWithName(j, schedule, name, o...)
}

func (GlobalPool) RegisterChannelJob(j jobs.Job, c chan interface{}) (string, error) {
	return jobs.RegisterChannelJob(j, c)
}

func (GlobalPool) RegisterChannelJobWithName(j jobs.Job, c chan interface{}, name string) (string, error) {
	return jobs.RegisterChannelJobWithName(j, c, name)
}

func (GlobalPool) RegisterDetachedChannelJob(j jobs.Job, c chan interface{}) (string, error) {
	return jobs.RegisterDetachedChannelJob(j, c)
}

func (GlobalPool) RegisterDetachedChannelJobWithName(j jobs.Job, c chan interface{}, name string) (string, error) {
	return jobs.RegisterDetachedChannelJobWithName(j, c, name)
}

// A Registration is one call of each function of a registrar.
type Registration struct {
	Kind, Name string
	Detached   bool
	Register   func(Registrar, jobs.Job) (string, error)
}

// Registrations returns the calls. Channel jobs listen on stop.
func Registrations(stop chan interface{}) []Registration {
	return []Registration{
		{jobs.JobTypeSingleRun, "", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterSingleRunJob(j) }},
		{jobs.JobTypeSingleRun, "a", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterSingleRunJobWithName(j, "a") }},
		{jobs.JobTypeRetry, "", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterRetryJob(j, 3) }},
		{jobs.JobTypeRetry, "b", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterRetryJobWithName(j, 3, "b") }},
		{jobs.JobTypeInterval, "", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterIntervalJob(j, time.Hour) }},
		{jobs.JobTypeInterval, "c", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterIntervalJobWithName(j, time.Hour, "c") }},
		{jobs.JobTypeDetachedInterval, "", true, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterDetachedIntervalJob(j, time.Hour) }},
		{jobs.JobTypeDetachedInterval, "d", true, func(r Registrar, j jobs.Job) (string, error) {
			return r.RegisterDetachedIntervalJobWithName(j, time.Hour, "d")
		}},
		{jobs.JobTypeScheduled, "", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterScheduledJob(j, "@hourly") }},
		{jobs.JobTypeScheduled, "e", false, func(r Registrar, j jobs.Job) (string, error) {
			return r.RegisterScheduledJobWithName(j, "@hourly", "e")
		}},
		{jobs.JobTypeChannel, "", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterChannelJob(j, stop) }},
		{jobs.JobTypeChannel, "f", false, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterChannelJobWithName(j, stop, "f") }},
		{jobs.JobTypeDetachedChannel, "", true, func(r Registrar, j jobs.Job) (string, error) { return r.RegisterDetachedChannelJob(j, stop) }},
		{jobs.JobTypeDetachedChannel, "g", true, func(r Registrar, j jobs.Job) (string, error) {
			return r.RegisterDetachedChannelJobWithName(j, stop, "g")
		}},
	}
}
