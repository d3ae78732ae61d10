package jobs_test

import (
	"time"

	"github.com/agentjobs/jobs"
)

// What follows compiles only as long as the mirrored API is exactly what it was. It is the one list of those names:
// cmd/jobsforward takes what it forwards from here, and compiles this file against what it has written.

type (
	mirroredJob = interface {
		Execute() error
		Status() error
		Ready() bool
	}
	mirroredExecution = interface {
		GetStatus() jobs.JobStatus
		GetID() string
		GetName() string
		Ready() bool
		GetJob() jobs.JobExecution
		Lock()
		Unlock()
	}
	mirroredError = interface {
		Error() string
		FormatError(args ...interface{}) error
		GetErrorCode() int
	}
)

var (
	_ mirroredJob       = jobs.Job(nil)
	_ jobs.Job          = mirroredJob(nil)
	_ mirroredExecution = jobs.JobExecution(nil)
	_ mirroredError     = jobs.ErrRegisteringJob

	_ *jobs.Error = jobs.ErrRegisteringJob
	_ *jobs.Error = jobs.ErrExecutingJob
	_ *jobs.Error = jobs.ErrExecutingRetryJob

	_ func(timeout time.Duration) jobs.JobOption = jobs.WithJobTimeout

	_ func(jobs.Job) (string, error)                                                           = jobs.RegisterSingleRunJob
	_ func(jobs.Job, string) (string, error)                                                   = jobs.RegisterSingleRunJobWithName
	_ func(jobs.Job, int) (string, error)                                                      = jobs.RegisterRetryJob
	_ func(jobs.Job, int, string) (string, error)                                              = jobs.RegisterRetryJobWithName
	_ func(jobs.Job, time.Duration, ...jobs.JobOption) (string, error)                         = jobs.RegisterIntervalJob
	_ func(jobs.Job, time.Duration, string, ...jobs.JobOption) (string, error)                 = jobs.RegisterIntervalJobWithName
	_ func(jobs.Job, time.Duration) (string, error)                                            = jobs.RegisterDetachedIntervalJob
	_ func(jobs.Job, time.Duration, string) (string, error)                                    = jobs.RegisterDetachedIntervalJobWithName
	_ func(jobs.Job, string, ...jobs.JobOption) (string, error)                                = jobs.RegisterScheduledJob
	_ func(job jobs.Job, schedule, name string, o ...jobs.JobOption) (string, error)           = jobs.RegisterScheduledJobWithName
	_ func(jobs.Job, chan interface{}) (string, error)                                         = jobs.RegisterChannelJob
	_ func(jobs.Job, chan interface{}, string) (string, error)                                 = jobs.RegisterChannelJobWithName
	_ func(jobs.Job, chan interface{}) (string, error)                                         = jobs.RegisterDetachedChannelJob
	_ func(jobs.Job, chan interface{}, string) (string, error)                                 = jobs.RegisterDetachedChannelJobWithName
	_ func(jobID string)                                                                       = jobs.UnregisterJob
	_ func(retryInterval time.Duration, executionTimeout time.Duration)                        = jobs.UpdateDurations
	_ func(id string) jobs.JobExecution                                                        = jobs.GetJob
	_ func(id string) string                                                                   = jobs.GetJobStatus
	_ func() string                                                                            = jobs.GetStatus
	_ func(id string)                                                                          = jobs.JobLock
	_ func(id string)                                                                          = jobs.JobUnlock
	_ func(*jobs.Pool, jobs.Job) (string, error)                                               = (*jobs.Pool).RegisterSingleRunJob
	_ func(*jobs.Pool, jobs.Job, string) (string, error)                                       = (*jobs.Pool).RegisterSingleRunJobWithName
	_ func(*jobs.Pool, jobs.Job, int) (string, error)                                          = (*jobs.Pool).RegisterRetryJob
	_ func(*jobs.Pool, jobs.Job, int, string) (string, error)                                  = (*jobs.Pool).RegisterRetryJobWithName
	_ func(*jobs.Pool, jobs.Job, time.Duration, ...jobs.JobOption) (string, error)             = (*jobs.Pool).RegisterIntervalJob
	_ func(*jobs.Pool, jobs.Job, chan interface{}) (string, error)                             = (*jobs.Pool).RegisterChannelJob
	_ func(*jobs.Pool, jobs.Job, chan interface{}, string) (string, error)                     = (*jobs.Pool).RegisterChannelJobWithName
	_ func(*jobs.Pool, jobs.Job, chan interface{}) (string, error)                             = (*jobs.Pool).RegisterDetachedChannelJob
	_ func(*jobs.Pool, jobs.Job, chan interface{}, string) (string, error)                     = (*jobs.Pool).RegisterDetachedChannelJobWithName
	_ func(*jobs.Pool, jobs.Job, string, ...jobs.JobOption) (string, error)                    = (*jobs.Pool).RegisterScheduledJob
	_ func(*jobs.Pool, jobs.Job, string, string, ...jobs.JobOption) (string, error)            = (*jobs.Pool).RegisterScheduledJobWithName
	_ func(*jobs.Pool, jobs.Job, time.Duration, ...jobs.JobOption) (string, error)             = (*jobs.Pool).RegisterDetachedIntervalJob
	_ func(*jobs.Pool, jobs.Job, time.Duration, string, ...jobs.JobOption) (_ string, _ error) = (*jobs.Pool).RegisterIntervalJobWithName
	_ func(*jobs.Pool, jobs.Job, time.Duration, string, ...jobs.JobOption) (_ string, _ error) = (*jobs.Pool).RegisterDetachedIntervalJobWithName

	_ func(*jobs.Pool, string)                   = (*jobs.Pool).UnregisterJob
	_ func(*jobs.Pool, string) jobs.JobExecution = (*jobs.Pool).GetJob
	_ func(*jobs.Pool, string) string            = (*jobs.Pool).GetJobStatus
	_ func(*jobs.Pool) string                    = (*jobs.Pool).GetStatus
	_ func(*jobs.Pool, string)                   = (*jobs.Pool).JobLock
	_ func(*jobs.Pool, string)                   = (*jobs.Pool).JobUnlock
	_ func(*jobs.Pool, jobs.PoolStatus)          = (*jobs.Pool).SetStatus
)

// The options and the pool have names of their own.
var (
	_ jobs.JobOption
	_ jobs.Pool
	_ jobs.Error
)

// The statuses are constants of types that have names and words.
var (
	_ = [...]jobs.JobStatus{jobs.JobStatusInitializing, jobs.JobStatusRunning, jobs.JobStatusRetrying,
		jobs.JobStatusStopped, jobs.JobStatusFailed, jobs.JobStatusFinished}
	_ = [...]jobs.PoolStatus{jobs.PoolStatusInitializing, jobs.PoolStatusRunning, jobs.PoolStatusStopped}

	_ func() string = jobs.JobStatusRunning.String
	_ func() string = jobs.PoolStatusStopped.String
)

// The constants of the types are untyped strings, as they were.
const _ = "" + jobs.JobTypeSingleRun + jobs.JobTypeRetry + jobs.JobTypeInterval + jobs.JobTypeChannel +
	jobs.JobTypeDetachedChannel + jobs.JobTypeDetachedInterval + jobs.JobTypeScheduled
