package jobshttp_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
	"github.com/agentjobs/jobs/jobshttp"
)

var loaded = regexp.MustCompile(`(?:src|href)="\./(static/[a-z]+\.[0-9a-f]{16}\.(?:css|js))"`)

func TestPagesLoadOneStyleSheetAndOneSmallScriptWhoseNamesChangeWithThem(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		page := get(h, "/")
		links := loaded.FindAllStringSubmatch(page.Body.String(), -1)
		require.Len(t, links, 2)
		for _, link := range links {
			w := get(h, "/"+link[1])
			assert.Equal(t, 200, w.Code, link[1])
			assert.Less(t, w.Body.Len(), 5000, link[1])
			assert.Contains(t, w.Header().Get("Cache-Control"), "immutable")
			assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			assert.Contains(t, []string{"text/css; charset=utf-8", "text/javascript; charset=utf-8"}, w.Header().Get("Content-Type"))
			part := get(h, "/"+link[1], "Range", "bytes=0-3")
			assert.Equal(t, []any{http.StatusPartialContent, 4}, []any{part.Code, part.Body.Len()})
			assert.Empty(t, do(h, http.MethodHead, "/"+link[1]).Body.String())
		}
		assert.NotContains(t, page.Header().Get("Content-Security-Policy"), "unsafe")
		for _, path := range []string{"/static/", "/static/style.css", "/static/live.js", "/static/../handler.go"} {
			assert.NotEqual(t, 200, get(h, path).Code, path)
		}
	})
}

func TestAPageOnWhichNothingHappensIsNotSentAgain(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(24*time.Hour))
		jobstest.Advance(90 * time.Minute)
		for _, path := range []string{"/", "/jobs", "/jobs/" + id, "/events"} {
			first := get(h, path)
			etag := first.Header().Get("ETag")
			require.NotEmpty(t, etag, path)
			jobstest.Advance(5 * time.Second)
			again := get(h, path, "If-None-Match", etag)
			assert.Equal(t, http.StatusNotModified, again.Code, path)
			assert.Empty(t, again.Body.String(), path)
			assert.Equal(t, 200, get(h, path, "If-None-Match", `"other"`).Code, path)
		}
		etag := get(h, "/jobs/"+id).Header().Get("ETag")
		require.NoError(t, p.Pause(id, "too loud"))
		jobstest.Advance(time.Second)
		assert.Equal(t, 200, get(h, "/jobs/"+id, "If-None-Match", etag).Code)
	})
}

// What is replaced while somebody looks is in one element, and so is what is said about it. Without the script they are told nothing
// of a button that does nothing.
func TestPagesHaveOnePoliteLiveRegionAndAPauseButtonThatOnlyTheScriptShows(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		h := jobshttp.Handler(p)
		id := jobstest.Register(t, p, jobstest.Idler{}, jobs.Every(time.Hour), jobs.WithName(`"tokens"`))
		jobstest.Advance(time.Second)
		for path, of := range map[string]string{
			"/": "The pool", "/jobs": "&#34;tokens&#34;", "/jobs/" + id: "The job", "/events": "",
		} {
			body := get(h, path).Body.String()
			for _, once := range []string{`role="status"`, `id="live"`, `id="updates" hidden`, `<button type="button" id="pause">`, "<h1>", `<html lang="en">`} {
				assert.Equal(t, 1, strings.Count(body, once), "%s: %s", path, once)
			}
			if of != "" {
				assert.Contains(t, body, `data-of="`+of+`"`, path)
			}
			assert.Equal(t, strings.Count(body, "<table"), strings.Count(body, "<caption>"), path)
			assert.NotRegexp(t, `<th (?:[^s>]|s[^c])*>`, body, "each header cell has a scope")
		}
	})
}

func TestThePlotOfTheHistoryShowsDurationsAndOutcomes(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		n := 0
		id := jobstest.Register(t, p, jobs.JobFunc(func(context.Context) error {
			n++
			time.Sleep(time.Duration(n) * time.Second)
			if n == 3 {
				return jobstest.ErrBroken
			}
			return nil
		}), jobs.Every(time.Minute), jobs.Detached())
		h := jobshttp.Handler(p)
		assert.NotContains(t, get(h, "/jobs/"+id).Body.String(), "<svg", "there is no history yet")
		jobstest.Advance(10 * time.Minute)
		body := get(h, "/jobs/"+id).Body.String()
		assert.Contains(t, body, "the longest took 10s, and 1 went wrong")
		assert.Equal(t, 10, strings.Count(body, "<rect"), "%s", body)
		assert.Equal(t, 1, strings.Count(body, `class="bad"`))
		assert.Contains(t, body, `height="59"><title>10: success, 10s</title>`)
	}, jobs.WithHistory(0, 0))
}
