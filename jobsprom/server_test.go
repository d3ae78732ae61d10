//go:build prometheus

package jobsprom_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// These tests need a Prometheus server and promtool (apt-get install prometheus), and -tags prometheus.

func TestARealPrometheusScrapesAllFamilies(t *testing.T) {
	for name, openMetrics := range map[string]bool{"text": false, "OpenMetrics": true} {
		t.Run(name, func(t *testing.T) {
			p, r := newPool("agent")
			defer func() { require.NoError(t, p.Shutdown(context.Background())) }()
			for _, name := range []string{"report", "quote \" and\nline", "\xff"} {
				register(t, p, doing(nothing), jobs.Every(10*time.Millisecond), jobs.WithName(name))
			}
			agent := httptest.NewServer(promhttp.HandlerFor(r, promhttp.HandlerOpts{EnableOpenMetrics: openMetrics, Registry: nil}))
			defer agent.Close()
			server := startPrometheus(t, strings.TrimPrefix(agent.URL, "http://"))
			eventually(t, server, `count(up == 1)`, func(v string) bool { return v == "1" })
			eventually(t, server, `count(jobs_executions_total{outcome="success"} > 5)`, func(v string) bool { return v == "3" })
			eventually(t, server, `count(jobs_execution_duration_seconds_count > 5)`, func(v string) bool { return v == "3" })
			eventually(t, server, `jobs_pool_status{status="Running"}`, func(v string) bool { return v == "1" })
			eventually(t, server, `count(scrape_samples_scraped > 50)`, func(v string) bool { return v == "1" })
		})
	}
}

// startPrometheus starts a server on loopback that scrapes the target, and returns its address.
func startPrometheus(t *testing.T, target string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	folder := t.TempDir()
	config := filepath.Join(folder, "prometheus.yml")
	rules, err := filepath.Abs("alerts.yml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
rule_files: [%q]
scrape_configs:
  - job_name: agent
    static_configs: [{targets: [%q]}]
`, rules, target), 0o600))
	command := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(folder, "data"),
		"--web.listen-address="+address, "--log.level=error")
	command.Stderr = os.Stderr
	require.NoError(t, command.Start(), "install it: apt-get install prometheus")
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
	})
	return address
}

// eventually waits until a query has the wanted value.
func eventually(t *testing.T, server, query string, is func(value string) bool) {
	t.Helper()
	last := ""
	require.Eventually(t, func() bool {
		last = ask(server, query)
		return is(last)
	}, time.Minute, 100*time.Millisecond, "%s is %q", query, last)
}

func ask(server, query string) string {
	response, err := http.Get("http://" + server + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Data.Result) == 0 {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1])
}

func TestTheAlertsFireWhenTheyShould(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "testdata/alerts_test.yml"}} {
		out, err := exec.Command("promtool", args...).CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
}
