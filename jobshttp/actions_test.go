package jobshttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
	"github.com/agentjobs/jobs/jobshttp"
)

func post(h http.Handler, path, reason string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{"reason": {reason}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func ada(*http.Request, jobshttp.Action) (string, error) { return "Ada", nil }

func TestWithoutAuthorizeNothingCanBeChanged(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		for _, path := range []string{"/jobs/" + id + "/pause", "/pool/stop"} {
			assert.Equal(t, http.StatusNotFound, get(h, path).Code)
			assert.Equal(t, http.StatusNotFound, post(h, path, "x").Code)
		}
		assert.NotContains(t, get(h, "/jobs/"+id).Body.String(), "Pause…")
		assert.Nil(t, jobstest.InfoOf(t, p, id).Paused)
	})
}

func TestActionsAreConfirmedAndThenDone(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		var asked []jobshttp.Action
		h := jobshttp.Handler(p, jobshttp.WithAuthorize(func(r *http.Request, a jobshttp.Action) (string, error) {
			asked = append(asked, a)
			return "Ada", nil
		}))
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
			}
			return ctx.Err()
		}), jobs.Every(time.Hour), jobs.WithName("tokens"))
		jobstest.Advance(time.Second)
		assert.Contains(t, get(h, "/jobs/"+id).Body.String(), id+"/pause")
		page := get(h, "/jobs/"+id+"/pause").Body.String()
		assert.Contains(t, page, "Pause tokens")
		assert.Contains(t, page, `method="post"`)
		assert.Empty(t, asked, "looking changes nothing")

		at := "/jobs/" + id
		for _, step := range []struct {
			path, reason string
			code         int
			location     string
		}{
			{at + "/cancel", "", 303, "../" + id},
			{at + "/pause", "", 409, ""}, // without a reason
			{at + "/pause", "too loud", 303, "../" + id},
			{at + "/run", "", 303, "../" + id},
			{at + "/resume", "", 303, "../" + id},
			{at + "/resume", "", 409, ""}, // it is not paused
			{"/pool/stop", "maintenance", 303, "../"},
			{"/pool/restart", "", 303, "../"},
			{"/pool/restart", "", 409, ""},
			{"/jobs/nobody/pause", "x", 404, ""},
			{at + "/explode", "x", 404, ""},
		} {
			w := post(h, step.path, step.reason)
			assert.Equal(t, step.code, w.Code, "%s: %s", step.path, w.Body)
			assert.Equal(t, step.location, w.Header().Get("Location"), step.path)
			jobstest.Advance(0)
		}
		reasons := map[jobs.EventKind]string{}
		for _, e := range p.Events() {
			reasons[e.Kind] = e.Reason
		}
		assert.Equal(t, []string{"Ada: too loud", "Ada: maintenance"}, []string{reasons[jobs.EventPaused], reasons[jobs.EventPoolPaused]})
		assert.Contains(t, reasons, jobs.EventCanceled)
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
		assert.Equal(t, jobshttp.Action{Name: "cancel", Job: id}, asked[0])
		jobstest.Advance(2 * time.Minute)
	})
}

func TestActionsOfOthersAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		authorize func(*http.Request, jobshttp.Action) (string, error)
		header    []string
	}{
		"another origin":   {ada, []string{"Origin", "https://evil.example"}},
		"another site":     {ada, []string{"Sec-Fetch-Site", "cross-site"}},
		"not allowed":      {func(*http.Request, jobshttp.Action) (string, error) { return "", errors.New("no") }, nil},
		"authorize panics": {func(*http.Request, jobshttp.Action) (string, error) { panic("no") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				h := jobshttp.Handler(p, jobshttp.WithAuthorize(c.authorize))
				id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
				jobstest.Advance(time.Second)
				assert.Equal(t, http.StatusForbidden, post(h, "/jobs/"+id+"/pause", "x", c.header...).Code)
				assert.Nil(t, jobstest.InfoOf(t, p, id).Paused)
			})
		})
	}
}

// endless is a body that does not end.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	e.read += len(b)
	if e.read > 1<<30 {
		return 0, io.EOF
	}
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestAnActionUnderAnotherHostIsRefusedEvenFromItsOwnOrigin(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		asked := false
		h := jobshttp.Handler(p, jobshttp.WithHosts("agent.example"), jobshttp.WithAuthorize(func(*http.Request, jobshttp.Action) (string, error) {
			asked = true
			return "Ada", nil
		}))
		r := httptest.NewRequest(http.MethodPost, "http://rebound.example/pool/stop", strings.NewReader("reason=x"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://rebound.example") // a name that was resolved to this machine
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, http.StatusMisdirectedRequest, w.Code)
		assert.False(t, asked)
		assert.Nil(t, p.Info().Paused)
	})
}

func TestALargeBodyIsNotRead(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p, jobshttp.WithAuthorize(ada))
		body := new(endless)
		r := httptest.NewRequest(http.MethodPost, "/pool/stop", body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, http.StatusBadRequest, w.Code)
		assert.Less(t, body.read, 1<<20)
		require.Nil(t, p.Info().Paused)
	})
}
