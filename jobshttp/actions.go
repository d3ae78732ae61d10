package jobshttp

import (
	"errors"
	"net/http"
	"strings"

	"github.com/agentjobs/jobs"
)

// An Action is what somebody wants to do to a pool.
type Action struct {
	// Name is run, pause, resume or cancel, of a job; or stop or restart, of the pool: those are PausePool and ResumePool.
	Name string
	// Job is the id of the job; empty for the pool.
	Job string
	// Reason is why; pause and stop need one.
	Reason string
}

// WithAuthorize lets people act on the pool: run, pause, resume and cancel jobs, and stop and restart the pool, each
// by a POST request that is confirmed on a page of its own. f is asked before each, and returns who it is, which
// becomes part of the reason of pause and stop; or an error, and the answer is 403. f must be safe for concurrent
// use; if it panics, the answer is 403, too.
//
// Requests from pages of other origins are refused before that (see http.CrossOriginProtection). Without this option
// nothing can be changed.
func WithAuthorize(f func(r *http.Request, a Action) (who string, err error)) Option {
	return option(func(h *handler) { h.authorize = f })
}

// The actions on a job, and on the pool, by name, and what each is called.
var (
	jobActions  = map[string]string{"run": "Run now", "pause": "Pause", "resume": "Resume", "cancel": "Cancel the execution of"}
	poolActions = map[string]string{"stop": "Stop", "restart": "Restart"}
)

// mostBody is how much of a request's body is read.
const mostBody = 64 << 10

// actionOf returns the action that a request is for, and what that is. It reports false if there is none of that name.
func actionOf(r *http.Request) (a Action, title string, known bool) {
	a = Action{Name: r.PathValue("action"), Job: r.PathValue("id")}
	if a.Job == "" {
		title, known = poolActions[a.Name]
	} else {
		title, known = jobActions[a.Name]
	}
	return a, title, known
}

// confirmPage asks whether an action is meant.
func (h *handler) confirmPage(w http.ResponseWriter, r *http.Request) {
	a, title, known := actionOf(r)
	subject, prefix := "the pool", ".."
	if a.Job != "" {
		info, exists := h.of().Job(a.Job)
		known, subject, prefix = known && exists, cut(info.Name, mostName), "../.."
	}
	if !known {
		h.page(w, r, http.StatusNotFound, "missing.html", prefix, map[string]any{})
		return
	}
	h.page(w, r, http.StatusOK, "confirm.html", prefix, map[string]any{
		"Heading": title + " " + subject, "Action": a, "NeedsReason": a.needsReason(), "Button": strings.Fields(title)[0],
	})
}

func (a Action) needsReason() bool { return a.Name == "pause" || a.Name == "stop" }

// act does what was confirmed.
func (h *handler) act(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the request cannot be read, or is too large", http.StatusBadRequest)
		return
	}
	a, _, known := actionOf(r)
	if !known {
		http.Error(w, "there is no such action", http.StatusNotFound)
		return
	}
	a.Reason = strings.TrimSpace(r.PostFormValue("reason"))
	who, allowed := h.permits(r, a)
	if !allowed {
		http.Error(w, "not allowed", http.StatusForbidden)
		return
	}
	if err := h.do(a, who); err != nil {
		code := http.StatusConflict
		if errors.Is(err, jobs.ErrUnknownJob) {
			code = http.StatusNotFound
		}
		http.Error(w, h.text(err.Error()), code)
		return
	}
	// Relative, since the handler does not know where it is mounted.
	to := "../"
	if a.Job != "" {
		to = "../" + a.Job
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// permits asks whether the action is allowed, and who wants it.
func (h *handler) permits(r *http.Request, a Action) (who string, allowed bool) {
	defer func() { _ = recover() }()
	who, err := h.authorize(r, a)
	return who, err == nil
}

func (h *handler) do(a Action, who string) error {
	p, reason := h.of(), a.Reason
	if a.needsReason() && reason != "" && who != "" {
		reason = who + ": " + reason
	}
	switch a.Name {
	case "run":
		return p.RunNow(a.Job)
	case "pause":
		return p.Pause(a.Job, reason)
	case "resume":
		return p.Resume(a.Job)
	case "cancel":
		return p.Cancel(a.Job)
	case "stop":
		return p.PausePool(reason)
	}
	return p.ResumePool()
}
