//go:build chromium

package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobshttp"
)

// An agent has a gateway that can be down, a job that needs it, and pages about both.
type agent struct {
	pool *jobs.Pool
	down atomic.Bool
	url  string
}

func newAgent(t *testing.T) *agent {
	a := &agent{pool: jobs.NewPool(jobs.WithStatusInterval(50*time.Millisecond), jobs.WithRetryInterval(200*time.Millisecond), jobs.WithHistory(0, 0))}
	check := func(context.Context) error {
		if a.down.Load() {
			return errors.New("the gateway is down <script>alert(1)</script>")
		}
		return nil
	}
	// The long name is that of the job which stops the pool.
	for name, status := range map[string]func(context.Context) error{"discovery": nil, "report <b>bold</b>": nil, strings.Repeat("long", 100): check} {
		_, err := a.pool.Register(jobs.Func(check, jobs.WithReady(check), jobs.WithStatus(status)), jobs.Every(time.Hour), jobs.WithName(name))
		require.NoError(t, err)
	}
	require.NoError(t, a.pool.WaitRunning(t.Context()))
	mux := http.NewServeMux()
	mux.Handle("/ops/pool/", http.StripPrefix("/ops/pool", jobshttp.Handler(a.pool, jobshttp.WithHosts("127.0.0.1"),
		jobshttp.WithAuthorize(func(*http.Request, jobshttp.Action) (string, error) { return "Ada", nil }))))
	server := httptest.NewServer(mux)
	a.url = server.URL + "/ops/pool/"
	t.Cleanup(func() {
		server.Close()
		assert.NoError(t, a.pool.Shutdown(context.Background()))
	})
	return a
}

// A tab is one of the browser's, and what it has complained of and asked for.
type tab struct {
	context.Context
	mu         sync.Mutex // guards what follows
	complaints []string
	requests   []string
}

func newTab(t *testing.T, actions ...chromedp.Action) *tab {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	browser, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	limited, cancel := context.WithTimeout(browser, 2*time.Minute)
	t.Cleanup(cancel)
	b := &tab{Context: limited}
	chromedp.ListenTarget(limited, b.hear)
	require.NoError(t, chromedp.Run(limited, append([]chromedp.Action{network.Enable(), log.Enable()}, actions...)...), "install it: apt-get install chromium")
	return b
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if !strings.Contains(e.Entry.Text, "favicon") && !strings.Contains(e.Entry.URL, "favicon") {
			b.complaints = append(b.complaints, e.Entry.Text)
		}
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprint(e.Type))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// text returns the text of the page at an address.
func (b *tab) text(t *testing.T, url string) (text string) {
	t.Helper()
	require.NoError(t, chromedp.Run(b, chromedp.Navigate(url), chromedp.Text("body", &text, chromedp.ByQuery)))
	return text
}

// eventually reads a page until it has all the parts.
func (b *tab) eventually(t *testing.T, url string, parts ...string) {
	t.Helper()
	text := ""
	require.Eventually(t, func() bool {
		text = b.text(t, url)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				return false
			}
		}
		return true
	}, 30*time.Second, 100*time.Millisecond, "%q should all be in the page", parts)
}

func TestAnOutageIsSeenAndItsEnd(t *testing.T) {
	for name, actions := range map[string][]chromedp.Action{"with JavaScript": nil, "without JavaScript": {emulation.SetScriptExecutionDisabled(true)}} {
		t.Run(name, func(t *testing.T) {
			a, b := newAgent(t), newTab(t, actions...)
			b.eventually(t, a.url, "Running", "Nothing.")
			a.down.Store(true)
			b.eventually(t, a.url, "Stopped", "What has stopped it", "the gateway is down <script>", "Next attempt", "What keeps it from restarting")
			a.down.Store(false)
			b.eventually(t, a.url, "Running", "Nothing.")
			b.eventually(t, a.url+"events", "pool-stopped", "pool-restarted")
			b.wasQuiet(t, a.url)
		})
	}
}

// A page that is left open tells of an outage and of its end, without a reload. While it is paused it asks for nothing.
func TestAnOpenPageIsKeptUpToDateUntilItIsPaused(t *testing.T) {
	a, b := newAgent(t), newTab(t)
	b.eventually(t, a.url, "Running")
	require.NoError(t, chromedp.Run(b, chromedp.Focus(`#live a`, chromedp.ByQuery)))
	a.down.Store(true)
	b.hears(t, "The pool is Stopped")
	var focused string
	require.NoError(t, chromedp.Run(b, chromedp.Evaluate(`document.activeElement.closest("#live")?.id ?? ""`, &focused)))
	assert.Equal(t, "live", focused, "an update takes nobody's focus")

	require.NoError(t, chromedp.Run(b, chromedp.Click(`#pause`, chromedp.ByQuery)))
	a.down.Store(false)
	require.NoError(t, a.pool.WaitRunning(t.Context()))
	asked := b.asked()
	require.NoError(t, chromedp.Run(b, chromedp.Evaluate(`document.dispatchEvent(new Event("visibilitychange"))`, nil)))
	assert.Equal(t, asked, b.asked())
	require.NoError(t, chromedp.Run(b, chromedp.Click(`#pause`, chromedp.ByQuery)))
	b.hears(t, "The pool is Running")
	assert.Greater(t, b.asked(), asked)
	b.wasQuiet(t, a.url)
}

// hears waits until the page that is open says something of its own accord.
func (b *tab) hears(t *testing.T, wanted string) {
	t.Helper()
	require.NoError(t, chromedp.Run(b, chromedp.Poll(fmt.Sprintf(`document.getElementById("news").textContent.includes(%q)`, wanted), nil, chromedp.WithPollingTimeout(time.Minute))))
}

// asked returns how many requests there were so far.
func (b *tab) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.requests)
}

// wasQuiet: nothing was complained of, and nothing asked for of another origin.
func (b *tab) wasQuiet(t *testing.T, url string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.Empty(t, b.complaints)
	for _, request := range b.requests {
		assert.True(t, strings.HasPrefix(request, strings.TrimSuffix(url, "ops/pool/")), request)
	}
}

func TestAJobIsPausedAndResumedByHand(t *testing.T) {
	a, b := newAgent(t), newTab(t)
	info, _ := a.pool.JobByName("discovery")
	require.NoError(t, chromedp.Run(b,
		chromedp.Navigate(a.url+"jobs/"+info.ID),
		chromedp.Click(`//a[text()="Pause…"]`, chromedp.BySearch),
		chromedp.WaitVisible(`input[name=reason]`, chromedp.ByQuery),
		chromedp.SendKeys(`input[name=reason]`, "the gateway is being moved", chromedp.ByQuery),
		chromedp.Click(`button`, chromedp.ByQuery),
		chromedp.WaitVisible(`//a[text()="Resume…"]`, chromedp.BySearch),
	))
	info, _ = a.pool.JobByName("discovery")
	require.NotNil(t, info.Paused)
	assert.Equal(t, "Ada: the gateway is being moved", info.Paused.Reason)
	require.NoError(t, chromedp.Run(b,
		chromedp.Click(`//a[text()="Resume…"]`, chromedp.BySearch),
		chromedp.WaitVisible(`//button[text()="Resume"]`, chromedp.BySearch),
		chromedp.Click(`//button[text()="Resume"]`, chromedp.BySearch),
		chromedp.WaitVisible(`//a[text()="Pause…"]`, chromedp.BySearch),
	))
	info, _ = a.pool.JobByName("discovery")
	assert.Nil(t, info.Paused)
	b.wasQuiet(t, a.url)
}

// pages are one of each kind, of an agent with an outage of which a restart was refused already.
func (a *agent) pages(t *testing.T) []string {
	a.down.Store(true)
	require.Eventually(t, func() bool { return len(a.pool.Info().HeldUpBy) > 0 }, 30*time.Second, 10*time.Millisecond)
	info, _ := a.pool.JobByName("discovery")
	return []string{"", "jobs", "jobs?q=nothing", "jobs/" + info.ID, "jobs/nobody", "jobs/" + info.ID + "/pause", "pool/stop", "events"}
}

func TestNothingScrollsSidewaysOnANarrowScreen(t *testing.T) {
	a, b := newAgent(t), newTab(t, chromedp.EmulateViewport(320, 800))
	for _, page := range a.pages(t) {
		var wide int
		require.NoError(t, chromedp.Run(b, chromedp.Navigate(a.url+page), chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide)))
		assert.LessOrEqual(t, wide, 320, page)
	}
}

func TestAxeFindsNothing(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(os.Getenv("AXE"), "axe.min.js"))
	require.NoError(t, err, "AXE is the folder of the npm package axe-core: npm install axe-core")
	a := newAgent(t)
	for scheme, width := range map[string]int64{"light": 1200, "dark": 320} {
		b := newTab(t, chromedp.EmulateViewport(width, 900), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
		for _, page := range a.pages(t) {
			var found []struct{ ID, Help string }
			require.NoError(t, chromedp.Run(b,
				chromedp.Navigate(a.url+page),
				chromedp.Evaluate(string(script), nil),
				chromedp.Evaluate(`axe.run().then(r => r.violations.map(v => ({ID: v.id, Help: v.help + ": " + v.nodes.map(n => n.html).join(" ")})))`, &found,
					func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) })))
			assert.Empty(t, found, "%s %s", scheme, page)
		}
	}
}
