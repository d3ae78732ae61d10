package main

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/agentjobs/jobs"
)

// endpoints tell people and probes how the agent is.
func endpoints() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", livez)
	mux.HandleFunc("GET /readyz", readyz)
	mux.HandleFunc("GET /jobs", listJobs)
	return mux
}

// livez answers 200 for as long as the process answers at all: also while the pool is Stopped. A probe that failed
// then would have the agent killed for an outage of its gateway, which no new process ends.
func livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
}

// readyz answers 200 while the pool is Running and each attached job has started. Otherwise it answers 503, and the
// body names the job that has stopped the pool (stoppedByName), the error (stopError), what blocks the
// restart (heldUpBy), and how many jobs have not started (unstarted).
func readyz(w http.ResponseWriter, _ *http.Request) {
	info := jobs.Info()
	code := http.StatusOK
	if info.Status != jobs.PoolStatusRunning || info.Unstarted > 0 {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, info)
}

func listJobs(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, slices.Collect(jobs.Jobs()))
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	_ = out.Encode(v) // the client has gone
}
