package jobs_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

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
	_, err := jobs.NewPool(jobstest.Quiet).RegisterScheduledJob(jobstest.Stub{}, "nonsense")
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
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				id := jobstest.Register(t, p, jobstest.Lasting(0, gripe{"100%d of %s %!"}), tt.trigger)
				jobstest.Advance(0)
				err := jobstest.InfoOf(t, p, id).LastError
				assert.ErrorIs(t, err, tt.is)
				assert.ErrorIs(t, err, gripe{"100%d of %s %!"})
				var found gripe
				assert.ErrorAs(t, err, &found)
				assert.EqualError(t, err, fmt.Sprintf(tt.text, id)+"100%d of %s %!")
			})
		})
	}
}

// A ring is an error that unwraps to itself, in one way or twice over.
type (
	ring  struct{}
	rings struct{}
)

func (ring) Error() string      { return "ring" }
func (r ring) Unwrap() error    { return r }
func (rings) Error() string     { return "rings" }
func (r rings) Unwrap() []error { return []error{r, r} }

func TestAnErrorThatUnwrapsToItselfIsAnyOtherError(t *testing.T) {
	for _, err := range []error{ring{}, rings{}} {
		jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return err }}, jobs.Retry(3))
			synctest.Wait()
			assert.EqualValues(t, 3, jobstest.InfoOf(t, p, id).Executions)
			assert.Equal(t, "Failed", p.GetJobStatus(id))
		})
	}
}

func TestAPermanentErrorIsFoundInsideOthers(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		err := errors.Join(errors.New("first"), errors.Join(nil, jobs.Permanent(errors.New("second"))))
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return err }}, jobs.Retry(3))
		synctest.Wait()
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Executions)
	})
}

func TestPermanentKeepsItsError(t *testing.T) {
	assert.NoError(t, jobs.Permanent(nil))
	err := jobs.Permanent(jobstest.ErrBroken)
	assert.EqualError(t, err, jobstest.ErrBroken.Error())
	assert.ErrorIs(t, err, jobstest.ErrBroken)
}
