package jobshttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/agentjobs/jobs"
)

// patience is how long a pool may take to say how it is before it counts as wedged.
const patience = time.Second

// A check is one part of a probe.
type check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

// livez: a pool that is Stopped is alive. A new process would not end the outage for which it is.
func (h *handler) livez(w http.ResponseWriter, r *http.Request) {
	_, ok := h.ask()
	says := "the pool answers"
	if !ok {
		says = fmt.Sprintf("the pool does not answer within %v", patience)
	}
	answer(w, r, []check{{"pool", ok, says}})
}

// readyz: the pool is Running, and each attached job has started.
func (h *handler) readyz(w http.ResponseWriter, r *http.Request) {
	info, ok := h.ask()
	if !ok {
		answer(w, r, []check{{"pool", false, "does not answer"}})
		return
	}
	answer(w, r, []check{
		{"pool", info.Status == jobs.PoolStatusRunning, "is " + info.Status.String()},
		{"jobs", info.Unstarted == 0, fmt.Sprintf("%d attached jobs have not started", info.Unstarted)},
		{"open", !info.ShutDown && !info.Drained, "begins executions: " + yes(!info.ShutDown && !info.Drained)},
	})
}

// startupz: from when the pool was ready for the first time, for good.
func (h *handler) startupz(w http.ResponseWriter, r *http.Request) {
	info, ok := h.ask()
	done := ok && h.startup.isDone(&info)
	answer(w, r, []check{{"startup", done, "each attached job has started: " + yes(done)}})
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// A question is put to the pool by one probe, and its answer serves those who come before it is there: a pool that does not
// answer costs one goroutine, however often it is probed.
type question struct {
	answered chan struct{} // closed when the answer is there
	info     jobs.PoolInfo
}

type questions struct {
	mu   sync.Mutex // guards open
	open *question  // nil if there is none
}

// put puts a question, unless one is open.
func (q *questions) put(ask func() jobs.PoolInfo) *question {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open != nil {
		return q.open
	}
	put := &question{answered: make(chan struct{})}
	q.open = put
	go func() { // ends when the pool answers
		put.info = ask()
		q.mu.Lock()
		defer q.mu.Unlock()
		q.open = nil
		close(put.answered)
	}()
	return put
}

// ask asks the pool how it is, and reports whether it has answered in time.
func (h *handler) ask() (info jobs.PoolInfo, ok bool) {
	put := h.questions.put(func() jobs.PoolInfo { return h.of().Info() })
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-put.answered:
		return put.info, true
	case <-late.C:
		return info, false
	}
}

// answer answers a probe, but for the checks that the query excludes: 200 if all are well, and 503 if not.
func answer(w http.ResponseWriter, r *http.Request, checks []check) {
	excluded := r.URL.Query()["exclude"]
	checks = slices.DeleteFunc(checks, func(c check) bool { return slices.Contains(excluded, c.Name) })
	code, status := http.StatusOK, "pass"
	if slices.ContainsFunc(checks, func(c check) bool { return !c.OK }) {
		code, status = http.StatusServiceUnavailable, "fail"
	}
	_, verbose := r.URL.Query()["verbose"]
	switch accept := r.Header.Get("Accept"); {
	case strings.Contains(accept, "application/health+json"):
		writeJSON(w, "application/health+json", code, healthOf(status, checks))
	case strings.Contains(accept, "application/json"):
		writeJSON(w, "application/json", code, map[string]any{"status": status, "checks": checks})
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(code)
		if verbose {
			for _, c := range checks {
				_, _ = fmt.Fprintf(w, "[%s] %s %s\n", map[bool]string{true: "+", false: "-"}[c.OK], c.Name, c.Says)
			}
		}
		_, _ = fmt.Fprintln(w, map[string]string{"pass": "ok", "fail": "not ok"}[status])
	}
}

// healthOf has the form of the Internet draft "Health Check Response Format for HTTP APIs".
func healthOf(status string, checks []check) any {
	type detail struct {
		Status string `json:"status"`
		Output string `json:"output"`
	}
	details := make(map[string][]detail)
	for _, c := range checks {
		status := "pass"
		if !c.OK {
			status = "fail"
		}
		details[c.Name] = []detail{{status, c.Says}}
	}
	return map[string]any{"status": status, "checks": details}
}

func writeJSON(w http.ResponseWriter, contentType string, code int, v any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}
