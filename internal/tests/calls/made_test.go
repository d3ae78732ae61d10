package calls

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A surface is what a pool's methods and the package-level functions have in common.
type surface interface {
	jobstest.Registrar
	Register(jobs.Job, jobs.Trigger, ...jobs.JobOption) (string, error)
	UnregisterJob(id string)
	UpdateDurations(retryInterval, executionTimeout time.Duration)
	GetJob(id string) jobs.JobExecution
	GetJobStatus(id string) string
	GetJobInfo(id string) (jobs.JobInfo, bool)
	JobByName(name string) (jobs.JobInfo, bool)
	GetStatus() string
	Info() jobs.PoolInfo
	Jobs() iter.Seq[jobs.JobInfo]
	WaitRunning(ctx context.Context) error
	JobLock(id string)
	JobUnlock(id string)
	RunNow(id string) error
	Shutdown(ctx context.Context) error
}

// poolMethods are a pool's methods as a surface.
type poolMethods struct{ *jobs.Pool }

func (p poolMethods) GetJobInfo(id string) (jobs.JobInfo, bool) { return p.Job(id) }

// packageFunctions are the package-level functions as a surface.
type packageFunctions struct{ jobstest.GlobalPool }

func (packageFunctions) Register(j jobs.Job, t jobs.Trigger, opts ...jobs.JobOption) (string, error) {
	return jobs.Register(j, t, opts...)
}

func (packageFunctions) UnregisterJob(id string)                    { jobs.UnregisterJob(id) }
func (packageFunctions) UpdateDurations(d, e time.Duration)         { jobs.UpdateDurations(d, e) }
func (packageFunctions) GetJob(id string) jobs.JobExecution         { return jobs.GetJob(id) }
func (packageFunctions) GetJobStatus(id string) string              { return jobs.GetJobStatus(id) }
func (packageFunctions) GetStatus() string                          { return jobs.GetStatus() }
func (packageFunctions) JobLock(id string)                          { jobs.JobLock(id) }
func (packageFunctions) JobUnlock(id string)                        { jobs.JobUnlock(id) }
func (packageFunctions) RunNow(id string) error                     { return jobs.RunNow(id) }
func (packageFunctions) Info() jobs.PoolInfo                        { return jobs.Info() }
func (packageFunctions) Jobs() iter.Seq[jobs.JobInfo]               { return jobs.Jobs() }
func (packageFunctions) GetJobInfo(id string) (jobs.JobInfo, bool)  { return jobs.GetJobInfo(id) }
func (packageFunctions) JobByName(name string) (jobs.JobInfo, bool) { return jobs.JobByName(name) }
func (packageFunctions) WaitRunning(ctx context.Context) error      { return jobs.WaitRunning(ctx) }
func (packageFunctions) Shutdown(ctx context.Context) error         { return jobs.Shutdown(ctx) }

// word names an error by what it is.
func word(err error) string {
	switch {
	case err == nil:
		return "nil"
	case errors.Is(err, jobs.ErrStopped):
		return "ErrStopped"
	case errors.Is(err, jobs.ErrTimeout):
		return "ErrTimeout"
	case errors.Is(err, context.DeadlineExceeded): // which ErrTimeout is, too
		return "deadline"
	case errors.Is(err, jobs.ErrUnknownJob):
		return "ErrUnknownJob"
	case errors.Is(err, jobs.ErrNotPeriodic):
		return "ErrNotPeriodic"
	case errors.Is(err, jobs.ErrLate):
		return "ErrLate"
	case errors.Is(err, jobs.ErrNotReady):
		return "ErrNotReady"
	case errors.Is(err, jobs.ErrEnded):
		return "ErrEnded"
	case errors.Is(err, jobs.ErrUnregistered):
		return "ErrUnregistered"
	case errors.Is(err, jobs.ErrShutdown):
		return "ErrShutdown"
	}
	return "error"
}

// allCalls are the calls by the columns' names: Foo is of the pool or, if there is no such method, of the
// JobExecution. What stands behind a name is its argument.
var allCalls = map[string]call{
	"GetJobStatus": {make: func(s *scene) string { return quotedIfEmpty(s.via.GetJobStatus(s.id)) }},
	"GetJob": {make: func(s *scene) string {
		switch s.via.GetJob(s.id) {
		case nil:
			return "nil"
		case s.job:
			return "it"
		}
		return "another"
	}},
	"Job": {make: func(s *scene) string {
		if info, ok := s.via.GetJobInfo(s.id); ok {
			return info.Status.String()
		}
		return "false"
	}},
	"GetStatus of it": {make: ofIt(func(s *scene) string { return s.job.GetStatus().String() })},
	"Ready":           {make: ofIt((*scene).ready)},
	"JobLock": {make: func(s *scene) string {
		s.via.JobLock(s.id)
		return s.whatLocked()
	}},
	"Lock": {make: ofIt(func(s *scene) string {
		s.job.Lock()
		return s.whatLocked()
	})},
	"JobUnlock": {make: func(s *scene) string { return s.unlocked(func() { s.via.JobUnlock(s.id) }) }},
	"Unlock":    {make: ofIt(func(s *scene) string { return s.unlocked(s.job.Unlock) })},
	"RunNow":    {make: func(s *scene) string { return word(s.via.RunNow(s.id)) }},
	"UnregisterJob": {make: func(s *scene) string {
		s.via.UnregisterJob(s.id)
		if s.p.GetJob(s.id) != nil {
			return "still there"
		}
		if s.job == nil {
			return "nothing"
		}
		return "then " + s.job.GetStatus().String()
	}},
	"GetStatus": {make: func(s *scene) string { return s.via.GetStatus() }},
	"Status":    {make: func(s *scene) string { return s.p.Status().String() }},
	"Info":      {make: func(s *scene) string { return s.via.Info().Status.String() }},
	"Jobs": {make: func(s *scene) string {
		n := 0
		for range s.via.Jobs() {
			n++
		}
		if n == s.via.Info().Jobs {
			return "all"
		}
		return "others"
	}},
	"unknown id":        {make: (*scene).unknown},
	"Register":          {make: (*scene).registered},
	"SetStatus Stopped": setStatus(jobs.PoolStatusStopped),
	"SetStatus Running": setStatus(jobs.PoolStatusRunning),
	"UpdateDurations": {make: func(s *scene) string {
		s.via.UpdateDurations(20*time.Minute, time.Minute)
		return s.via.GetStatus()
	}},
	"WaitRunning": {make: func(s *scene) string { return word(s.via.WaitRunning(jobstest.MinuteTimeout())) }},
	"Shutdown":    {make: func(s *scene) string { return word(s.via.Shutdown(jobstest.MinuteTimeout())) }},
}

func quotedIfEmpty(text string) string {
	if text == "" {
		return `""`
	}
	return text
}

// ofIt is a call of a method of the job, if there is one.
func ofIt(make func(s *scene) string) func(s *scene) string {
	return func(s *scene) string {
		if s.job == nil {
			return "-"
		}
		return make(s)
	}
}

// ready says what Ready has answered and, if it was the job's own answer, that it was asked.
func (s *scene) ready() string {
	before := s.asks.Load()
	answer := "false"
	if s.job.Ready() {
		answer = "true"
	}
	if s.asks.Load() > before {
		return "asks " + answer
	}
	return answer
}

// warns reports whether f has the pool log a warning.
func (s *scene) warns(f func()) bool {
	before := s.log.Count(slog.LevelWarn)
	f()
	return s.log.Count(slog.LevelWarn) > before
}

// whatLocked says whether the lock was taken, and gives it back.
func (s *scene) whatLocked() string {
	if s.job == nil || s.warns(s.job.Unlock) {
		return "nothing"
	}
	return "locks"
}

// unlocked says what has come of unlocking.
func (s *scene) unlocked(unlock func()) string {
	switch {
	case s.warns(unlock):
		return "logs"
	case s.locked && s.warns(s.job.Unlock): // it is not locked any more
		return "unlocks"
	}
	return "nothing"
}

// registered says what all the ways to register a job answer.
func (s *scene) registered() string {
	stop := make(chan interface{}, 20)
	job := jobstest.Stub{ReadyFunc: func() bool { return false }}
	answers := map[string]bool{}
	note := func(id string, err error) {
		answer := word(err)
		if id != "" {
			answer = "id"
		}
		answers[answer] = true
	}
	note(s.via.Register(job, jobs.Once()))
	for _, way := range jobstest.Registrations(stop) {
		note(way.Register(s.via, job))
	}
	if len(answers) > 1 {
		return "this and that"
	}
	for answer := range answers {
		return answer
	}
	return ""
}

// unknown makes all the calls that take an id, with one that nobody has.
func (s *scene) unknown() string {
	const id = "nobody"
	_, known := s.via.GetJobInfo(id)
	logs := s.warns(func() { s.via.JobLock(id); s.via.JobUnlock(id); s.via.UnregisterJob(id) })
	if known || logs || s.via.GetJob(id) != nil || s.via.GetJobStatus(id) != "" {
		return "something"
	}
	return word(s.via.RunNow(id))
}

// setStatus is a call that says what status the pool then has, and if it only logs.
func setStatus(status jobs.PoolStatus) call {
	logged := false
	return call{
		make: func(s *scene) string { logged = s.warns(func() { s.p.SetStatus(status) }); return "" },
		then: func(s *scene) string {
			if logged {
				return "logs"
			}
			return s.p.GetStatus()
		},
	}
}
