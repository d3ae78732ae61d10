package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What follows compiles only as long as the mirrored API is exactly what it was.

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

// The constants of the types are untyped strings, as they were.
const _ = "" + jobs.JobTypeSingleRun + jobs.JobTypeRetry + jobs.JobTypeInterval + jobs.JobTypeChannel +
	jobs.JobTypeDetachedChannel + jobs.JobTypeDetachedInterval + jobs.JobTypeScheduled

func TestJobTypesAreTheWordsTheyWere(t *testing.T) {
	assert.Equal(t, []string{
		"single run", "retry", "interval", "channel", "detached channel", "detached interval", "scheduled",
	}, []string{
		jobs.JobTypeSingleRun, jobs.JobTypeRetry, jobs.JobTypeInterval, jobs.JobTypeChannel,
		jobs.JobTypeDetachedChannel, jobs.JobTypeDetachedInterval, jobs.JobTypeScheduled,
	})
}

func TestStatusesAreInOrderAndTheirStringIsTheBareWord(t *testing.T) {
	jobWords := []string{"Initializing", "Running", "Retrying", "Stopped", "Failed", "Finished"}
	for i, status := range []jobs.JobStatus{
		jobs.JobStatusInitializing, jobs.JobStatusRunning, jobs.JobStatusRetrying,
		jobs.JobStatusStopped, jobs.JobStatusFailed, jobs.JobStatusFinished,
	} {
		assert.Equal(t, i, int(status))
		assert.Equal(t, jobWords[i], status.String())
	}
	poolWords := []string{"Initializing", "Running", "Stopped"}
	for i, status := range []jobs.PoolStatus{
		jobs.PoolStatusInitializing, jobs.PoolStatusRunning, jobs.PoolStatusStopped,
	} {
		assert.Equal(t, i, int(status))
		assert.Equal(t, poolWords[i], status.String())
	}
}

func TestJobExecutionHasUnexportedMethodsAndNoFurtherExportedOnes(t *testing.T) {
	exported, unexported := 0, 0
	execution := reflect.TypeFor[jobs.JobExecution]()
	for i := range execution.NumMethod() {
		if execution.Method(i).IsExported() {
			exported++
		} else {
			unexported++
		}
	}
	assert.Equal(t, reflect.TypeFor[mirroredExecution]().NumMethod(), exported)
	assert.Positive(t, unexported)
}

func TestErrorsHaveTheirCodesAndTexts(t *testing.T) {
	for _, tt := range []struct {
		err  *jobs.Error
		code int
		args []any
		text string
	}{
		{jobs.ErrRegisteringJob, 1600, []any{"scheduled"}, "scheduled job registration failed"},
		{jobs.ErrExecutingJob, 1601, []any{"interval", "ab-12"}, "Error in interval job ab-12 execution"},
		{jobs.ErrExecutingRetryJob, 1602, []any{"retry", "ab-12", 3}, "Error in retry job ab-12 execution, 3 more retries"},
	} {
		assert.Equal(t, tt.code, tt.err.GetErrorCode())
		formatted := tt.err.FormatError(tt.args...)
		assert.Equal(t, fmt.Sprintf("[Error Code %d] - %s", tt.code, tt.text), formatted.Error())
		assert.ErrorIs(t, formatted, tt.err)
		var coded *jobs.Error
		require.ErrorAs(t, formatted, &coded)
		assert.Equal(t, tt.code, coded.GetErrorCode())
		assert.NotErrorIs(t, formatted, errors.New(tt.text))
	}
	assert.NotErrorIs(t, jobs.ErrRegisteringJob.FormatError("x"), jobs.ErrExecutingJob)
}

func TestErrorTextIsCodeThenTextThenCause(t *testing.T) {
	_, err := jobs.NewPool(quiet).RegisterScheduledJob(stub{}, "nonsense")
	require.Error(t, err)
	cause := errors.Unwrap(err)
	require.Error(t, cause)
	assert.Equal(t, "[Error Code 1600] - scheduled job registration failed: "+cause.Error(), err.Error())
}

// A gripe is a cause to be found again by its type.
type gripe struct{ about string }

func (g gripe) Error() string { return g.about }

func TestReturnedErrorsUnwrapToTheirCauseAndNeverTakeItsPercentForAVerb(t *testing.T) {
	for _, tt := range []struct {
		name    string
		trigger jobs.Trigger
		is      error
		text    string
	}{
		{"single run", jobs.Once(), jobs.ErrExecutingJob, "[Error Code 1601] - Error in single run job %s execution: "},
		{"retry", jobs.Retry(1), jobs.ErrExecutingRetryJob, "[Error Code 1602] - Error in retry job %s execution, 0 more retries: "},
		{"interval", jobs.Every(time.Hour), jobs.ErrExecutingJob, "[Error Code 1601] - Error in interval job %s execution: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, lasting(0, gripe{"100%d of %s %!"}), tt.trigger)
				pass(0)
				err := infoOf(t, p, id).LastError
				assert.ErrorIs(t, err, tt.is)
				assert.ErrorIs(t, err, gripe{"100%d of %s %!"})
				var found gripe
				assert.ErrorAs(t, err, &found)
				assert.EqualError(t, err, fmt.Sprintf(tt.text, id)+"100%d of %s %!")
			})
		})
	}
}

func TestPackageFunctionsActOnTheGlobalPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs.SetDefaultPool(jobs.NewPool(quiet))
		defer jobs.SetDefaultPool(nil)
		assert.Equal(t, "Initializing", jobs.GetStatus())
		laps := newLaps()
		id, err := jobs.RegisterIntervalJobWithName(lapping(laps), time.Minute, "mine")
		require.NoError(t, err)
		pass(0)
		assert.Equal(t, "Running", jobs.GetStatus())
		assert.Equal(t, "Running", jobs.GetJobStatus(id))
		assert.Equal(t, "mine", jobs.GetJob(id).GetName())
		jobs.JobLock(id)
		pass(90 * time.Second)
		jobs.JobUnlock(id)
		pass(0)
		assert.Equal(t, times(time.Second, 0, 90), laps.all())
		jobs.UnregisterJob(id)
		assert.Nil(t, jobs.GetJob(id))
		require.NoError(t, jobs.Shutdown(context.Background()))
		assert.Equal(t, "Stopped", jobs.GetStatus())
	})
}
