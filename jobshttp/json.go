package jobshttp

import (
	"net/http"

	"github.com/agentjobs/jobs"
)

const plainJSON = "application/json"

// shownError is an error of which only the text is left that may be shown.
type shownError string

func (e shownError) Error() string { return string(e) }

func (h *handler) shown(err error) error {
	if err == nil {
		return nil
	}
	return shownError(h.errorText(err))
}

// shownPause returns a pause of which the reason may be shown.
func (h *handler) shownPause(p *jobs.Pause) *jobs.Pause {
	if p == nil {
		return nil
	}
	shown := *p
	shown.Reason = h.text(p.Reason)
	return &shown
}

func (h *handler) shownJob(j jobs.JobInfo) jobs.JobInfo {
	j.Name = cut(j.Name, mostText)
	j.LastError, j.NotReady, j.LastStatusError = h.shown(j.LastError), h.shown(j.NotReady), h.shown(j.LastStatusError)
	j.Paused = h.shownPause(j.Paused)
	j.Progress.Note = h.text(j.Progress.Note)
	return j
}

func (h *handler) poolJSON(w http.ResponseWriter, _ *http.Request) {
	info := h.snapshot.overviewOf(h.of()).pool
	info.StoppedByName = cut(info.StoppedByName, mostText)
	info.StopError, info.Paused, info.DeadEnd = h.shown(info.StopError), h.shownPause(info.Paused), h.text(info.DeadEnd)
	held := make([]jobs.HoldUp, 0, len(info.HeldUpBy))
	for _, u := range info.HeldUpBy {
		u.Name, u.Error = cut(u.Name, mostName), h.text(u.Error)
		held = append(held, u)
	}
	info.HeldUpBy = held
	writeJSON(w, plainJSON, http.StatusOK, info)
}

func (h *handler) jobsJSON(w http.ResponseWriter, r *http.Request) {
	page := h.snapshot.listOf(h.of(), queryOf(r))
	shown := make([]jobs.JobInfo, 0, len(page.jobs))
	for _, j := range page.jobs {
		shown = append(shown, h.shownJob(j))
	}
	writeJSON(w, plainJSON, http.StatusOK, map[string]any{"jobs": shown, "after": page.next})
}

func (h *handler) jobJSON(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	info, known := h.of().Job(id)
	if !known {
		writeJSON(w, plainJSON, http.StatusNotFound, map[string]string{"error": "no job has that id"})
		return
	}
	writeJSON(w, plainJSON, http.StatusOK, map[string]any{"job": h.shownJob(info), "gates": h.gates(id), "history": h.history(id)})
}

func (h *handler) eventsJSON(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, plainJSON, http.StatusOK, map[string]any{"events": h.events()})
}
