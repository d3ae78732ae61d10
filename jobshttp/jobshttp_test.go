package jobshttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
	"github.com/agentjobs/jobs/jobshttp"
)

// get makes a request, and returns the answer.
func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	return do(h, http.MethodGet, path, header...)
}

func do(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// sick is a job whose Ready and Status fail while the fault is there.
func sick(fault *jobstest.Fault) jobs.Job {
	check := func(context.Context) error { return fault.Err() }
	return jobs.Func(func(context.Context) error { return nil }, jobs.WithReady(check), jobs.WithStatus(check))
}

func TestProbesAnswerWhatAnOrchestratorShouldDo(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h, fault := jobshttp.Handler(p), jobstest.NewFault()
		codes := func() [3]int {
			var codes [3]int
			for i, path := range []string{"/livez", "/readyz", "/startupz"} {
				codes[i] = get(h, path).Code
			}
			return codes
		}
		assert.Equal(t, [3]int{200, 503, 503}, codes(), "nothing is registered")
		fault.Set()
		jobstest.Register(t, p, sick(fault), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		assert.Equal(t, [3]int{200, 503, 503}, codes(), "it is not ready")
		fault.Clear()
		jobstest.Advance(time.Minute)
		assert.Equal(t, [3]int{200, 200, 200}, codes())
		fault.Set()
		jobstest.Advance(time.Minute)
		assert.Equal(t, [3]int{200, 503, 200}, codes(), "an outage: a new process would not end it")
		fault.Clear()
		jobstest.Advance(5 * time.Minute)
		assert.Equal(t, [3]int{200, 200, 200}, codes())
		require.NoError(t, p.Drain(context.Background()))
		assert.Equal(t, [3]int{200, 503, 200}, codes())
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Equal(t, [3]int{200, 503, 200}, codes())
	})
}

func TestProbesSpeakTextAndJSONAndShowNoErrors(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h, fault := jobshttp.Handler(p), jobstest.NewFault()
		fault.Clear()
		jobstest.Register(t, p, sick(fault), jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		fault.Set()
		jobstest.Advance(time.Minute)
		assert.Equal(t, "not ok\n", get(h, "/readyz").Body.String())
		assert.Equal(t, "[-] pool is Stopped\n[+] jobs 0 attached jobs have not started\n[+] open begins executions: yes\nnot ok\n", get(h, "/readyz?verbose").Body.String())
		assert.Equal(t, 200, get(h, "/readyz?exclude=pool").Code)
		for accept, contentType := range map[string]string{
			"application/json": "application/json", "application/health+json": "application/health+json", "*/*": "text/plain; charset=utf-8",
		} {
			w := get(h, "/readyz", "Accept", accept)
			assert.Equal(t, 503, w.Code)
			assert.Equal(t, contentType, w.Header().Get("Content-Type"))
			assert.NotContains(t, w.Body.String(), jobstest.ErrBroken.Error())
			if strings.HasSuffix(contentType, "json") {
				var answer struct{ Status string }
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
				assert.Equal(t, "fail", answer.Status)
			}
		}
	})
}

// What a page may hold: what is escaped, and the handler's own markup.
var markup = regexp.MustCompile(`(?i)<script[^ ]|<img|onerror=|javascript:`)

func TestPagesShowWhatIsWrongAndEscapeIt(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p, jobshttp.WithTitle("agent"))
		evil := `<script>alert(1)</script>"><img src=x onerror=alert(1)>`
		id := jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { return errors.New(evil) }), jobs.Every(time.Hour), jobs.WithName("bad "+evil))
		jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName(strings.Repeat("ä", 1<<19)))
		jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName("\xff"))
		jobstest.Advance(time.Second)
		for path, parts := range map[string][]string{
			"/":           {"Stopped", "bad &lt;script&gt;", "What has stopped it"},
			"/jobs":       {"bad &lt;script&gt;", "Every(1h0m0s)"},
			"/jobs/" + id: {"Last error", "alert(1)", "pool-running", "Every(1h0m0s)"},
			"/events":     {"pool-stopped", "bad &lt;script&gt;"},
		} {
			w := get(h, path)
			assert.Equal(t, 200, w.Code, path)
			assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
			body := w.Body.String()
			assert.NotRegexp(t, markup, strings.ReplaceAll(body, "onerror=alert(1)&gt;", ""), path)
			assert.Less(t, len(body), 100_000, path)
			for _, part := range parts {
				if path == "/jobs" && strings.HasPrefix(part, "Every") {
					continue // on the job's own page
				}
				assert.Contains(t, body, part, path)
			}
		}
		assert.Equal(t, 404, get(h, "/jobs/nobody").Code)
	})
}

func TestJSONSaysTheSame(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		id := jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error { return jobstest.ErrBroken }), jobs.Every(time.Hour), jobs.WithName("tokens"))
		jobstest.Advance(time.Second)
		var pool jobs.PoolInfo
		require.NoError(t, json.Unmarshal(get(h, "/api/v1/pool").Body.Bytes(), &pool))
		assert.Equal(t, []any{jobs.PoolStatusStopped, "tokens"}, []any{pool.Status, pool.StoppedByName})
		var list struct{ Jobs []jobs.JobInfo }
		require.NoError(t, json.Unmarshal(get(h, "/api/v1/jobs").Body.Bytes(), &list))
		require.Len(t, list.Jobs, 1)
		assert.Contains(t, list.Jobs[0].LastError.Error(), jobstest.ErrBroken.Error())
		var one struct {
			Job   jobs.JobInfo
			Gates []jobs.Gate
		}
		require.NoError(t, json.Unmarshal(get(h, "/api/v1/jobs/"+id).Body.Bytes(), &one))
		assert.Equal(t, id, one.Job.ID)
		assert.NotEmpty(t, one.Gates)
		var events struct {
			Events []struct{ Kind, Error string }
		}
		require.NoError(t, json.Unmarshal(get(h, "/api/v1/events").Body.Bytes(), &events))
		assert.Equal(t, "pool-stopped", events.Events[0].Kind)
		assert.Equal(t, 404, get(h, "/api/v1/jobs/nobody").Code)
	})
}

func TestJobsAreListedByStatusNameAndPage(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		for i := range 250 {
			trigger := jobs.Every(time.Hour)
			if i%2 == 0 {
				trigger = jobs.Once()
			}
			jobstest.Register(t, p, jobstest.Idler{}, trigger, jobs.WithName(fmt.Sprint("Tenant ", i)))
		}
		jobstest.Advance(time.Second)
		type page struct {
			Jobs  []jobs.JobInfo
			After string
		}
		read := func(query string) (list page) {
			require.NoError(t, json.Unmarshal(get(h, "/api/v1/jobs"+query).Body.Bytes(), &list))
			return list
		}
		first := read("")
		require.Len(t, first.Jobs, 100)
		second := read("?after=" + first.After)
		require.Len(t, second.Jobs, 100)
		assert.Equal(t, "Tenant 100", second.Jobs[0].Name)
		third := read("?after=" + second.After)
		assert.Len(t, third.Jobs, 50)
		assert.Empty(t, third.After)
		assert.Len(t, read("?status=finished&after="+first.After).Jobs, 75)
		assert.Len(t, read("?q=tenant+24").Jobs, 11)
		assert.Empty(t, read("?q=nobody").Jobs)
		assert.Contains(t, get(h, "/jobs").Body.String(), `rel="next"`)
		assert.Contains(t, get(h, "/jobs?q=nobody").Body.String(), "There is no such job")
	})
}

// Whoever asks within a second sees the same snapshot: a thousand viewers cost no more than one.
func TestOneSnapshotASecondServesAll(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		count := func() int {
			var list struct{ Jobs []jobs.JobInfo }
			require.NoError(t, json.Unmarshal(get(h, "/api/v1/jobs").Body.Bytes(), &list))
			return len(list.Jobs)
		}
		assert.Equal(t, 0, count())
		jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
		time.Sleep(time.Second - 1)
		assert.Equal(t, 0, count())
		time.Sleep(time.Nanosecond)
		assert.Equal(t, 1, count())
	})
}

func TestHeadersMethodsAndHosts(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p, jobshttp.WithHosts("agent.example", "::1"))
		for _, host := range []string{"agent.example", "AGENT.example:8080", "[::1]:8080", "[::1]"} {
			r := httptest.NewRequest(http.MethodGet, "/jobs", nil)
			r.Host = host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, 200, w.Code, host)
		}
		assert.Equal(t, http.StatusMisdirectedRequest, get(h, "/").Code, "another host")
		h = jobshttp.Handler(p)
		for _, path := range []string{"/", "/jobs", "/events", "/livez", "/api/v1/pool", "/nothing"} {
			w := get(h, path)
			assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), path)
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"), path)
			assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'", path)
			assert.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
			assert.NotContains(t, w.Body.String(), "style=", path)
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			assert.Equal(t, http.StatusMethodNotAllowed, do(h, method, "/jobs").Code)
		}
		assert.Equal(t, 200, do(h, http.MethodHead, "/jobs").Code)
	})
}

func TestWithRedactNoErrorTextIsShownAsItIs(t *testing.T) {
	for name, f := range map[string]func(string) string{
		"replaced": func(text string) string { return strings.ReplaceAll(text, "secret", "***") },
		"panics":   func(string) string { panic("oops") },
	} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				h := jobshttp.Handler(p, jobshttp.WithRedact(f))
				id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
					jobs.Progress(ctx, 1, 2, "secret")
					return errors.New("password secret")
				}), jobs.Every(time.Hour))
				other := jobstest.Register(t, p, jobs.Func(func(context.Context) error { return nil }, jobs.WithReady(func(context.Context) error {
					return errors.New("no secret")
				})), jobs.Every(time.Hour))
				jobstest.Advance(2 * time.Minute)
				require.NoError(t, p.Pause(other, "secret"))
				for _, path := range []string{"/", "/jobs", "/jobs/" + id, "/jobs/" + other, "/events", "/api/v1/pool", "/api/v1/jobs", "/api/v1/jobs/" + id,
					"/api/v1/jobs/" + other, "/api/v1/events"} {
					assert.NotContains(t, get(h, path).Body.String(), "secret", path)
				}
			}, jobs.WithHistory(0, 0))
		})
	}
}

func TestAHandlerIsMountedUnderAnyPrefixAndServesTheDefaultPool(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		jobs.SetDefaultPool(p)
		defer jobs.SetDefaultPool(nil)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName("tokens"))
		mux := http.NewServeMux()
		mux.Handle("/ops/pool/", http.StripPrefix("/ops/pool", jobshttp.Handler(nil)))
		assert.Contains(t, get(mux, "/ops/pool/jobs").Body.String(), `href="jobs/`+id+`"`)
		assert.Contains(t, get(mux, "/ops/pool/jobs/"+id).Body.String(), `href="../static/style.`)
		assert.Equal(t, 404, get(mux, "/livez").Code)
	})
}

// A pool whose mutex is held for ever does not answer. Nothing that a job does can bring that about, so the test has a job
// hold up the snapshot instead: it cannot.
func TestNoJobKeepsThePageFromBeingShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		hang := make(chan struct{})
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-hang; return nil }, StatusFunc: func() error { <-hang; return nil }}, jobs.Every(time.Hour))
		jobstest.Advance(time.Minute)
		h := jobshttp.Handler(p)
		for _, path := range []string{"/", "/jobs", "/events", "/livez", "/readyz"} {
			assert.Equal(t, 200, get(h, path).Code, path)
		}
		close(hang)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}

func BenchmarkPageOfAHundredThousandJobs(b *testing.B) {
	p := jobs.NewPool(jobstest.Quiet)
	defer func() { _ = p.Shutdown(context.Background()) }()
	for i := range 100_000 {
		_, err := p.Register(jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName(fmt.Sprint("job ", i)))
		require.NoError(b, err)
	}
	for _, path := range []string{"/", "/jobs", "/jobs?q=job+99999"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				get(jobshttp.Handler(p), path) // a new one each time, so that each takes its snapshot
			}
		})
	}
}
