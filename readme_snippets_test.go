package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// The snippets of README.md and docs/, where the compiler and the tests see them.

type discovery struct{ jobstest.Stub }

func TestTheExampleOfABubblePasses(t *testing.T) { testOutage(t) } // which go test only compiles as an example

func registerTraffic(job jobs.Job) (string, error) {
	id, err := jobs.Register(job, jobs.Every(time.Minute),
		jobs.WithName("traffic"),
		jobs.WithJobTimeout(10*time.Second),
		jobs.WithJitter(5*time.Second))
	return id, err
}

func registerRequest(url string) (string, error) {
	id, err := jobs.Register(jobs.JobFunc(func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return jobs.Permanent(err) // trying again will not help
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}), jobs.Retry(5), jobs.WithRetryBackoff(time.Second, time.Minute))
	return id, err
}

func registerSignOn(signOn func(context.Context) error) (string, error) {
	id, err := jobs.Register(jobs.JobFunc(signOn), jobs.Retry(5), // fewer, if signOn returns a jobs.Permanent error
		jobs.WithName("sign-on"), jobs.WithRetryBackoff(time.Second, time.Minute))
	return id, err
}

func livez(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusOK) // also while the pool is Stopped
}

func readyz(w http.ResponseWriter, _ *http.Request) {
	info := jobs.Info()
	if info.Status != jobs.PoolStatusRunning || info.Unstarted > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprintln(w, info.Status) // Info encodes as JSON, error texts included: not for everyone
}

func list(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(slices.Collect(jobs.Jobs()))
}

type report struct {
	jobstest.Stub
	discoveryID string
}

func (r report) write() error { return nil }

func (r report) Execute() error {
	jobs.JobLock(r.discoveryID) // waits until discovery has returned, and keeps it from starting
	defer jobs.JobUnlock(r.discoveryID)
	return r.write()
}

func TestTheSnippetsOfTheReadmeWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs.SetDefaultPool(jobs.NewPool(jobstest.Quiet))
		defer jobs.SetDefaultPool(nil)
		defer func() { require.NoError(t, jobs.Shutdown(context.Background())) }()

		response := httptest.NewRecorder()
		readyz(response, nil)
		assert.Equal(t, http.StatusServiceUnavailable, response.Code)
		assert.Equal(t, "Initializing\n", response.Body.String())

		discovery, err := registerTraffic(discovery{})
		require.NoError(t, err)
		reporting, err := jobs.RegisterIntervalJob(report{discoveryID: discovery}, time.Minute)
		require.NoError(t, err)
		request, err := registerRequest(":")
		require.NoError(t, err)
		jobstest.Advance(0)
		assert.Equal(t, "Running", jobs.GetJobStatus(reporting))
		assert.Equal(t, "Failed", jobs.GetJobStatus(request))

		response = httptest.NewRecorder()
		readyz(response, nil)
		assert.Equal(t, http.StatusOK, response.Code)
		response = httptest.NewRecorder()
		list(response, nil)
		var infos []map[string]any
		require.NoError(t, json.Unmarshal(response.Body.Bytes(), &infos))
		require.Len(t, infos, 3)
		assert.Equal(t, "traffic", infos[0]["name"])
		assert.Equal(t, "Failed", infos[2]["status"])
		assert.Contains(t, infos[2]["lastError"], "missing protocol scheme")
	})
}

func TestTheReadmesLivenessLastsWhileItsReadinessFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs.SetDefaultPool(jobs.NewPool(jobstest.Quiet))
		defer jobs.SetDefaultPool(nil)
		defer func() { require.NoError(t, jobs.Shutdown(context.Background())) }()
		codes := func() (codes []int) {
			for _, endpoint := range []http.HandlerFunc{livez, readyz} {
				response := httptest.NewRecorder()
				endpoint(response, nil)
				codes = append(codes, response.Code)
			}
			return codes
		}

		var ready atomic.Bool
		_, err := jobs.Register(jobstest.Stub{ReadyFunc: ready.Load}, jobs.Every(time.Minute))
		require.NoError(t, err)
		jobstest.Advance(0)
		assert.Equal(t, "Running", jobs.GetStatus())
		assert.Equal(t, []int{http.StatusOK, http.StatusServiceUnavailable}, codes(), "a job has not started")

		ready.Store(true)
		jobstest.Advance(time.Second)
		assert.Equal(t, []int{http.StatusOK, http.StatusOK}, codes())

		jobs.DefaultPool().SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, []int{http.StatusOK, http.StatusServiceUnavailable}, codes(), "the pool is Stopped")
	})
}

func TestTheReadmesSignOnEndsWithAPermanentError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs.SetDefaultPool(jobs.NewPool(jobstest.Quiet))
		defer jobs.SetDefaultPool(nil)
		defer func() { require.NoError(t, jobs.Shutdown(context.Background())) }()
		id, err := registerSignOn(func(context.Context) error { return jobs.Permanent(errors.New("refused")) })
		require.NoError(t, err)
		jobstest.Advance(time.Hour)
		info, _ := jobs.GetJobInfo(id)
		assert.Equal(t, jobs.JobStatusFailed, info.Status)
		assert.EqualValues(t, 1, info.Executions)
	})
}
