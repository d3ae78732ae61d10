package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

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

// reportStatus returns what the pool calls when its status has changed. The pool itself logs which
// error has stopped it; this tells what that means for the jobs.
func reportStatus(log *slog.Logger) func(jobs.PoolInfo) {
	return func(info jobs.PoolInfo) {
		switch {
		case info.Status == jobs.PoolStatusRunning:
			log.Info("pool is running", "restarts", info.Restarts)
		case errors.Is(info.StopError, jobs.ErrShutdown):
			log.Info("pool is shut down")
		default:
			attached, detached := continuousJobs()
			log.Warn("attached jobs stop, detached ones go on",
				"attached", strings.Join(attached, " "), "detached", strings.Join(detached, " "))
		}
	}
}

// continuousJobs returns the names of the jobs that a stop of the pool concerns, and of those that it
// does not.
func continuousJobs() (attached, detached []string) {
	for job := range jobs.Jobs() {
		switch {
		case job.Type == jobs.JobTypeSingleRun || job.Type == jobs.JobTypeRetry:
		case job.Detached:
			detached = append(detached, job.Name)
		default:
			attached = append(attached, job.Name)
		}
	}
	return attached, detached
}
