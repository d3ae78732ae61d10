package jobshttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
	"github.com/agentjobs/jobs/jobshttp"
)

// everyPage are the paths of all pages and documents, with those of a job.
func everyPage(id string) []string {
	return []string{"/", "/jobs", "/events", "/jobs/" + id, "/api/v1/pool", "/api/v1/jobs", "/api/v1/events", "/api/v1/jobs/" + id}
}

// spiteful is an error whose text is not to be had.
type spiteful struct{}

func (spiteful) Error() string { panic("no") }

func TestNamesAndErrorsOfAMegabyteFillNoPage(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h, huge := jobshttp.Handler(p), strings.Repeat("<b>&\x00\xff\u202e", 1<<17)
		notReady := jobs.Func(func(context.Context) error { return nil }, jobs.WithReady(func(context.Context) error { return errors.New(huge) }))
		blocked := jobstest.Register(t, p, notReady, jobs.Every(time.Hour), jobs.WithName(huge+"1"))
		for i := range 150 {
			jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName(fmt.Sprint(huge[:1<<12], i)))
		}
		id := jobstest.Register(t, p, jobs.JobFunc(func(ctx context.Context) error {
			jobs.Progress(ctx, 1, 2, huge)
			return errors.New(huge)
		}), jobs.Every(time.Minute), jobs.WithName(huge+"2"))
		jobstest.Advance(time.Hour)
		require.NoError(t, p.Pause(id, huge))
		jobstest.Advance(time.Second)
		for _, path := range append(everyPage(id), "/jobs/"+blocked) {
			body := get(h, path).Body
			assert.Less(t, body.Len(), 2<<20, path)
			assert.NotContains(t, body.String(), "<b>", path)
			assert.NotContains(t, body.String(), huge[:5000], path)
		}
	}, jobs.WithHistory(0, 0))
}

func TestErrorsWhoseTextIsNotToBeHadAreShownAllTheSame(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return spiteful{} }}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		for _, path := range everyPage(id) {
			assert.Equal(t, 200, get(h, path).Code, path)
		}
	})
}

func TestAThousandViewersAtOnceAreServedByOneSnapshotASecond(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		for round := range 3 {
			jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
			var viewers sync.WaitGroup
			bodies := make([]string, 1000)
			for i := range bodies {
				viewers.Go(func() { bodies[i] = get(h, "/api/v1/jobs").Body.String() })
			}
			viewers.Wait()
			var list struct{ Jobs []jobs.JobInfo }
			require.NoError(t, json.Unmarshal([]byte(bodies[0]), &list))
			assert.Len(t, list.Jobs, round+1)
			for _, body := range bodies {
				require.Equal(t, bodies[0], body)
			}
			jobstest.Register(t, p, jobstest.Idler{}, jobs.Once(), jobs.WithForget(time.Nanosecond))
			assert.Equal(t, bodies[0], get(h, "/api/v1/jobs").Body.String(), "within the second nobody asks the pool")
			jobstest.Advance(time.Second)
		}
	})
}

func TestNoGoroutineIsStartedWhileNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := len(jobstest.BubbleGoroutines())
		h := jobshttp.Handler(jobs.NewPool(jobstest.Quiet))
		assert.Len(t, jobstest.BubbleGoroutines(), before)
		for _, path := range append(everyPage("nobody"), "/livez", "/readyz", "/startupz") {
			get(h, path)
		}
		synctest.Wait()
		assert.Len(t, jobstest.BubbleGoroutines(), before)
	})
}

// stuck is a client that reads nothing until it is let go.
type stuck struct {
	http.ResponseWriter
	reads chan struct{}
}

func (s stuck) Write(b []byte) (int, error) {
	<-s.reads
	return 0, io.ErrClosedPipe
}

func TestASlowReaderHoldsUpNobody(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h, reads := jobshttp.Handler(p), make(chan struct{})
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		paths := append(everyPage(id), "/livez", "/readyz")
		for _, path := range paths {
			go h.ServeHTTP(stuck{httptest.NewRecorder(), reads}, httptest.NewRequest(http.MethodGet, path, nil))
		}
		synctest.Wait()
		for _, path := range paths {
			assert.Equal(t, 200, get(h, path).Code, path)
		}
		close(reads)
	})
}

func TestHEADAndRangesAnswerAsForAWholePage(t *testing.T) {
	pool := jobs.NewPool(jobstest.Quiet)
	defer jobstest.ShutDownNow(pool)
	server := httptest.NewServer(jobshttp.Handler(pool))
	defer server.Close()
	for _, path := range []string{"/", "/jobs", "/events", "/api/v1/pool", "/livez", "/jobs/nobody"} {
		want := get(jobshttp.Handler(pool), path)
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			r, err := http.NewRequest(method, server.URL+path, nil)
			require.NoError(t, err)
			r.Header.Set("Range", "bytes=0-1,2-3,0-")
			resp, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, want.Code, resp.StatusCode, path)
			assert.Equal(t, want.Header().Get("Content-Type"), resp.Header.Get("Content-Type"), path)
			assert.Equal(t, method == http.MethodHead, len(body) == 0, path)
		}
	}
}

func TestNoRequestMakesTheHandlerPanic(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour))
		jobstest.Advance(time.Second)
		for _, path := range []string{
			"/jobs/%00", "/jobs/%2e%2e%2f", "/jobs/" + strings.Repeat("a", 1<<20), "/jobs?status=%ff&q=%00&after=%ff", "/jobs?after=.-1", "/jobs?after=.99999999999999999999",
			"/jobs?q=" + strings.Repeat("b", 1<<20), "/jobs?%zz", "/livez?exclude=%zz&exclude=&exclude=pool", "/static/", "/static/..%2f..%2fhandler.go", "/static/nothing",
			"//", "/jobs/../../etc", "/api/v1/", "/api/v2/pool", "/readyz/", "/jobs/a/b/c",
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, "PROPFIND"} {
				r := httptest.NewRequest(method, "/", nil)
				target, err := url.Parse("http://agent.example" + path)
				require.NoError(t, err)
				r.URL = target
				r.Header.Set("Accept", strings.Repeat("application/json;q=0.1,", 1000))
				w := httptest.NewRecorder()
				require.NotPanics(t, func() { h.ServeHTTP(w, r) })
				assert.Less(t, w.Code, 500, "%s %.100s", method, path)
				assert.Less(t, w.Body.Len(), 1<<16, "%s %.100s", method, path)
			}
		}
	})
}

func TestWhatAPageTakesDoesNotGrowWithTheNumberOfJobs(t *testing.T) {
	p := jobs.NewPool(jobstest.Quiet)
	defer jobstest.ShutDownNow(p)
	for i := range 20_000 {
		_, err := p.Register(jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName(fmt.Sprint("job ", i)))
		require.NoError(t, err)
	}
	require.NoError(t, p.WaitRunning(context.Background()))
	for _, path := range []string{"/", "/jobs", "/jobs?q=job+19999", "/api/v1/jobs"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := get(jobshttp.Handler(p), path)
		runtime.ReadMemStats(&after)
		require.Equal(t, 200, w.Code)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20<<20), path)
		assert.Less(t, w.Body.Len(), 1<<20, path)
	}
}

// Whoever pages through jobs that come and go meanwhile gets to the end.
func TestPagingGoesOnWhereTheLastJobWasThatIsGone(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		for i := range 250 {
			jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName(fmt.Sprint(i)))
		}
		seen, after := map[string]int{}, ""
		for range 3 {
			var page struct {
				Jobs  []jobs.JobInfo
				After string
			}
			require.NoError(t, json.Unmarshal(get(h, "/api/v1/jobs?after="+url.QueryEscape(after)).Body.Bytes(), &page))
			require.NotEmpty(t, page.Jobs)
			for _, j := range page.Jobs {
				seen[j.ID]++
			}
			after = page.After
			p.UnregisterJob(page.Jobs[len(page.Jobs)-1].ID)
			jobstest.Advance(time.Second)
		}
		assert.Empty(t, after)
		assert.GreaterOrEqual(t, len(seen), 248, "at most as many are passed over as have gone")
		for _, n := range seen {
			assert.Equal(t, 1, n)
		}
	})
}
