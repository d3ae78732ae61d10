package jobs_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

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
