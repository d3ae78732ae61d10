package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

const promised = 12 * time.Second // from the start until all are back after an outage of three seconds

func TestAgentRunsEachKindOfJobAndComesBackAfterAnOutage(t *testing.T) {
	expectNoLeak(t)
	g := newGateway(20*time.Millisecond, time.Minute, testLog(t))
	server := httptest.NewServer(g.handler())
	t.Cleanup(server.Close)
	cfg := quick(t)
	cfg.gateway = server.URL
	began := time.Now()
	a := startAgent(t, cfg)

	poll(t, "every job has executed", func() bool {
		all := a.jobs()
		return a.pool().Status == jobs.PoolStatusRunning && len(all) == 7 && executed(all) == 7
	})
	before := a.jobs()
	types := map[string]string{}
	for name, job := range before {
		types[name] = job.Type
	}
	require.Equal(t, map[string]string{
		"version":   jobs.JobTypeSingleRun,
		"sign-on":   jobs.JobTypeRetry,
		"discovery": jobs.JobTypeInterval,
		"report":    jobs.JobTypeScheduled,
		"feed":      jobs.JobTypeChannel,
		"heartbeat": jobs.JobTypeDetachedInterval,
		"audit":     jobs.JobTypeDetachedChannel,
	}, types)
	assert.Equal(t, jobs.JobStatusFinished, before["version"].Status)
	assert.Equal(t, jobs.JobStatusFinished, before["sign-on"].Status)
	assert.EqualValues(t, 3, before["sign-on"].Executions, "the gateway refuses two attempts")
	expectReports(t, cfg.reports)

	g.takeDown()
	a.expectStopped(before)

	g.comeUp()
	poll(t, "everything is back", func() bool {
		now := a.jobs()
		return a.pool().Status == jobs.PoolStatusRunning && now["feed"].Executions > before["feed"].Executions &&
			now["discovery"].Status == jobs.JobStatusRunning && now["report"].Status == jobs.JobStatusRunning &&
			now["audit"].ID != before["audit"].ID && now["audit"].Executions == 1
	})
	require.Equal(t, 1, a.pool().Restarts)
	require.Less(t, time.Since(began), promised)
	require.NoError(t, a.end())
}

// expectStopped expects of an agent whose gateway is down that the attached jobs stop and the
// detached ones go on.
func (a *running) expectStopped(before map[string]jobs.JobInfo) {
	a.t.Helper()
	attached := []string{"discovery", "report", "feed"}
	poll(a.t, "the pool is stopped", func() bool { return a.pool().Status == jobs.PoolStatusStopped })
	why := a.pool()
	assert.Contains(a.t, attached, why.StoppedByName)
	assert.Error(a.t, why.StopError)

	poll(a.t, "no attached job executes", func() bool {
		now := a.jobs()
		return now["discovery"].Status == jobs.JobStatusStopped && now["report"].Status == jobs.JobStatusStopped && now["feed"].Status == jobs.JobStatusStopped
	})
	stopped := a.jobs()
	poll(a.t, "the heart beats, and the audit job is a new one", func() bool {
		now := a.jobs()
		return now["heartbeat"].Executions >= stopped["heartbeat"].Executions+3 &&
			now["audit"].ID != "" && now["audit"].ID != before["audit"].ID
	})
	now := a.jobs()
	for _, name := range attached {
		assert.Equal(a.t, stopped[name].Executions, now[name].Executions, name)
	}
	assert.Equal(a.t, jobs.JobStatusFinished, now["sign-on"].Status)
	assert.Equal(a.t, http.StatusServiceUnavailable, a.get("/readyz"))
}

func TestOutageOfThePretendGateway(t *testing.T) {
	expectNoLeak(t)
	cfg := quick(t)
	cfg.outageAfter, cfg.outage = 100*time.Millisecond, 300*time.Millisecond
	a := startAgent(t, cfg)
	poll(t, "the pool has stopped and is running again", func() bool { return a.pool().Restarts > 0 })
	poll(t, "the feed is back", func() bool { return a.jobs()["feed"].Executions > 1 })
	require.NoError(t, a.end())
}

func TestTheLogOfAnOutageTellsTheWholeStoryInUnderFifteenLines(t *testing.T) {
	expectNoLeak(t)
	cfg := quick(t)
	cfg.outageAfter, cfg.outage = 100*time.Millisecond, 500*time.Millisecond
	log := new(lines)
	a := startAgentWith(t, cfg, slog.New(slog.NewTextHandler(log, nil)))
	poll(t, "the pool has restarted", func() bool { return a.pool().Restarts > 0 })
	poll(t, "that is in the log", func() bool { return strings.Contains(log.String(), "pool restarted") })
	require.NoError(t, a.end())
	text := log.String()
	for _, part := range []string{
		"agent started", "all attached jobs have started", "gateway goes down", `"pool stopped" job=`, `"restart refused" job=`, "gateway is up again",
		`"pool restarted" down=`, "agent ends",
	} {
		_, rest, found := strings.Cut(text, part)
		require.True(t, found, "%s is not in, or not in its place in\n%s", part, log)
		text = rest
	}
	assert.Less(t, strings.Count(log.String(), "\n"), 15, "%s", log)
}

// lines are what is logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestASignalPausesAJobAndTheNextOneResumesIt(t *testing.T) {
	expectNoLeak(t)
	cfg := quick(t)
	a := startAgent(t, cfg)
	poll(t, "the agent is ready", func() bool { return a.get("/readyz") == http.StatusOK })
	cfg.steering <- os.Interrupt
	poll(t, "the job is paused", func() bool { return a.jobs()["report"].Paused != nil })
	cfg.steering <- os.Interrupt
	poll(t, "the job is resumed", func() bool { return a.jobs()["report"].Paused == nil })
	poll(t, "it goes on", func() bool { return a.jobs()["report"].Progress.Total > 0 })
	require.NoError(t, a.end())
}

func TestAuditFeedRenewsItsRegistrationAtTheEndOfEachSession(t *testing.T) {
	expectNoLeak(t)
	cfg := quick(t)
	cfg.session = 100 * time.Millisecond
	a := startAgent(t, cfg)
	poll(t, "the agent is ready", func() bool { return a.get("/readyz") == http.StatusOK })
	ids := map[string]bool{}
	poll(t, "the job has had three ids", func() bool {
		if audit, ok := a.jobs()["audit"]; ok {
			ids[audit.ID] = true
		}
		return len(ids) >= 3
	})
	assert.Zero(t, a.pool().Restarts, "a detached job stops nobody")
	require.NoError(t, a.end())
}

func TestAgentEndsIfTheGatewayDoesNotFit(t *testing.T) {
	expectNoLeak(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, version{Major: 3})
	}))
	t.Cleanup(server.Close)
	cfg := quick(t)
	cfg.gateway = server.URL
	a := startAgent(t, cfg)
	require.ErrorContains(t, <-a.ended, "cannot be worked with: version 3.0, want 2.x")
}

func TestOutageIsForThePretendGateway(t *testing.T) {
	cfg := quick(t)
	cfg.gateway, cfg.outage = "http://127.0.0.1:1", time.Second
	require.ErrorContains(t, start(t.Context(), cfg, "127.0.0.1:0", testLog(t)), "-outage")
}

func quick(t *testing.T) config {
	return config{
		reports:   t.TempDir(),
		interval:  100 * time.Millisecond,
		discovery: 50 * time.Millisecond,
		heartbeat: 50 * time.Millisecond,
		events:    20 * time.Millisecond,
		session:   time.Minute,
		schedule:  "* * * * * * *",
		steering:  make(chan os.Signal),
	}
}

func testLog(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// A running agent.
type running struct {
	t     *testing.T
	url   string
	ended chan error
	end   func() error
}

func startAgent(t *testing.T, cfg config) *running {
	t.Helper()
	return startAgentWith(t, cfg, testLog(t))
}

func startAgentWith(t *testing.T, cfg config, log *slog.Logger) *running {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	a := &running{t: t, url: urlOf(ln), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	former := jobs.DefaultPool()
	go func() {
		a.ended <- run(ctx, cfg, ln, log)
		close(a.ended)
	}()
	a.end = func() error {
		cancel()
		select {
		case err := <-a.ended:
			return err
		case <-time.After(promised):
			return errors.New("the agent does not end")
		}
	}
	t.Cleanup(func() { assert.NoError(t, a.end()) }) // nil if that was received before
	poll(t, "the agent has a pool of its own", func() bool { return jobs.DefaultPool() != former })
	return a
}

// pool returns what the pool says of itself. It expects of /readyz that it says the same, and of /livez that it answers 200
// in any case.
func (a *running) pool() jobs.PoolInfo {
	a.t.Helper()
	before, ready, info := jobs.Info(), a.get("/readyz"), jobs.Info()
	if before.Status == info.Status && before.Unstarted == info.Unstarted && before.Since.Equal(info.Since) {
		require.Equal(a.t, info.Status == jobs.PoolStatusRunning && info.Unstarted == 0, ready == http.StatusOK)
	}
	require.Equal(a.t, http.StatusOK, a.get("/livez"))
	return info
}

// jobs returns what the pool says of its jobs, by their names.
func (a *running) jobs() map[string]jobs.JobInfo {
	byName := make(map[string]jobs.JobInfo)
	for job := range jobs.Jobs() {
		byName[job.Name] = job
	}
	return byName
}

func (a *running) get(path string) (code int) {
	a.t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(a.url + path)
	require.NoError(a.t, err)
	require.NoError(a.t, resp.Body.Close())
	return resp.StatusCode
}

func executed(all map[string]jobs.JobInfo) (n int) {
	for _, job := range all {
		if job.Executions > 0 {
			n++
		}
	}
	return n
}

// expectReports expects that there is a report, and that each names only APIs.
func expectReports(t *testing.T, dir string) {
	t.Helper()
	var files []string
	poll(t, "there is a report", func() bool {
		files, _ = filepath.Glob(filepath.Join(dir, "*.json"))
		return len(files) > 0
	})
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var uses map[string]int
		require.NoError(t, json.Unmarshal(text, &uses), "%s", text)
		require.Contains(t, uses, "orders")
	}
}

// poll waits until the condition holds.
func poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(promised)
	defer deadline.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-deadline.C:
			require.FailNow(t, "waited in vain until "+what)
		}
	}
}

// expectNoLeak expects that the test leaves no goroutine behind.
func expectNoLeak(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		poll(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	})
}
