package jobshttp

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// Nothing that a job does keeps a pool from answering, so the test has a question open that is never answered.
func TestAPoolThatDoesNotAnswerFailsItsProbesAndCostsOneGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(jobs.NewPool(jobstest.Quiet)).(*handler)
		code := func(path string) int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			return w.Code
		}
		assert.Equal(t, http.StatusOK, code("/livez"))
		wedged := make(chan struct{})
		h.questions.put(func() jobs.PoolInfo { <-wedged; return jobs.PoolInfo{} })
		before := len(jobstest.BubbleGoroutines())
		for range 100 {
			for _, path := range []string{"/livez", "/readyz", "/startupz"} {
				assert.Equal(t, http.StatusServiceUnavailable, code(path), path)
			}
		}
		assert.Len(t, jobstest.BubbleGoroutines(), before)
		close(wedged)
		synctest.Wait()
		assert.Equal(t, http.StatusOK, code("/livez"))
	})
}
