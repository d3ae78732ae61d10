package jobshttp

import (
	"bytes"
	"cmp"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/agentjobs/jobs"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"asset": func(name string) string { return addresses[name] }, "since": since, "lasted": lasted, "when": when, "frame": func(heading string, data map[string]any) map[string]any {
		return map[string]any{"Heading": heading, "Data": data}
	}, "name": func(name string) string { return cut(name, mostName) },
}).ParseFS(templateFiles, "templates/*.html"))

const (
	perPage  = 100 // jobs, and events
	mostName = 200 // bytes of a name
)

// since returns how long ago, or in how long, a time is.
func since(t time.Time) string {
	switch d := time.Since(t); {
	case t.IsZero():
		return "–"
	case d < 0:
		return "in " + rounded(-d)
	default:
		return rounded(d) + " ago"
	}
}

// lasted returns how long ago a time is.
func lasted(t time.Time) string { return rounded(time.Since(t)) }

// rounded is coarse, so that a page on which nothing happens stays the same.
func rounded(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// when returns a time as people and programs read it.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// page writes a page, unless the client has it as it is. Prefix leads from it to the top.
func (h *handler) page(w http.ResponseWriter, r *http.Request, code int, name, prefix string, data map[string]any) {
	data["Title"], data["Prefix"], data["CanAct"] = h.title, prefix, h.authorize != nil
	var out bytes.Buffer
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	etag := `"` + hash(out.Bytes()) + `"`
	w.Header().Set("ETag", etag)
	if code == http.StatusOK && r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(out.Bytes()) // the client has gone
}

// A trouble is a job that needs attention, and why.
type trouble struct {
	Job  jobs.JobInfo
	Says string
}

// troubleOf returns what is wrong with a job, or "".
func troubleOf(j *jobs.JobInfo) string {
	switch {
	case j.Reason == jobs.ReasonLate, j.Reason == jobs.ReasonStatusLate:
		return j.NotExecuting
	case j.StatusFailures > 0:
		return "its Status fails"
	case j.Status == jobs.JobStatusFailed:
		return "it has failed"
	case j.ConsecutiveFailures > 0:
		return "its last execution failed"
	case !j.StaleSince.IsZero():
		return "it has not succeeded for too long"
	case !j.OverdueSince.IsZero():
		return "it is due, and does not execute"
	case j.Reason == jobs.ReasonNotReady, j.Reason == jobs.ReasonReadyLate:
		return j.NotExecuting
	case j.Paused != nil:
		return "it is paused"
	}
	return ""
}

func (h *handler) overviewPage(w http.ResponseWriter, r *http.Request) {
	o := h.snapshot.overviewOf(h.of())
	holdUps := make([]string, 0, len(o.pool.HeldUpBy))
	for _, u := range o.pool.HeldUpBy {
		u.Error = h.text(u.Error)
		holdUps = append(holdUps, cut(u.String(), 1000))
	}
	h.page(w, r, http.StatusOK, "overview.html", ".", map[string]any{
		"Pool": o.pool, "StopError": h.errorText(o.pool.StopError), "HoldUps": holdUps, "Counts": o.counts, "Troubles": o.troubles, "More": o.more,
		"PauseReason": h.reasonOf(o.pool.Paused), "DeadEnd": h.text(o.pool.DeadEnd),
	})
}

func (h *handler) reasonOf(p *jobs.Pause) string {
	if p == nil {
		return ""
	}
	return h.text(p.Reason)
}

func queryOf(r *http.Request) query {
	q := r.URL.Query()
	return query{q.Get("status"), q.Get("q"), q.Get("after")}
}

func (q query) encode() string {
	values := url.Values{}
	for name, value := range map[string]string{"status": q.status, "q": q.text, "after": q.after} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values.Encode()
}

func (h *handler) jobsPage(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	page := h.snapshot.listOf(h.of(), q)
	data := map[string]any{"Jobs": page.jobs, "Status": cut(q.status, mostName), "Q": cut(q.text, mostName), "Statuses": statuses}
	if page.next != "" {
		data["Next"] = "?" + query{q.status, q.text, page.next}.encode()
	}
	h.page(w, r, http.StatusOK, "jobs.html", ".", data)
}

var statuses = []string{"Initializing", "Running", "Retrying", "Stopped", "Failed", "Finished"}

func (h *handler) jobPage(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	info, known := h.of().Job(id)
	if !known {
		h.page(w, r, http.StatusNotFound, "missing.html", "..", map[string]any{})
		return
	}
	history := h.history(id)
	plot := plotOf(history)
	slices.Reverse(history)
	h.page(w, r, http.StatusOK, "job.html", "..", map[string]any{
		"Job": info, "LastError": h.errorText(info.LastError), "NotReady": h.errorText(info.NotReady),
		"StatusError": h.errorText(info.LastStatusError), "Gates": h.gates(id), "History": history, "Plot": plot,
		"PauseReason": h.reasonOf(info.Paused), "Note": h.text(info.Progress.Note),
	})
}

// An eventView is an event as pages and JSON show it.
type eventView struct {
	Seq       uint64         `json:"seq"`
	Time      time.Time      `json:"time"`
	Kind      jobs.EventKind `json:"kind"`
	ID        string         `json:"id,omitzero"`
	Name      string         `json:"name,omitzero"`
	Type      string         `json:"type,omitzero"`
	Execution uint64         `json:"execution,omitzero"`
	Took      time.Duration  `json:"tookNs,omitzero"`
	Outcome   jobs.Outcome   `json:"outcome,omitzero"`
	Skipped   uint64         `json:"skipped,omitzero"`
	Error     string         `json:"error,omitzero"`
	Reason    string         `json:"reason,omitzero"`
	Attempt   int            `json:"attempt,omitzero"`
}

// events returns the events that the pool has kept, the latest first.
func (h *handler) events() []eventView {
	events := h.of().Events()
	slices.SortFunc(events, func(a, b jobs.Event) int { return cmp.Compare(b.Seq, a.Seq) })
	views := make([]eventView, 0, len(events))
	for _, e := range events {
		views = append(views, eventView{e.Seq, e.Time, e.Kind, e.ID, cut(e.Name, mostName), e.Type, e.Execution, e.Took, e.Outcome,
			e.Skipped, h.errorText(e.Error), h.text(e.Reason), e.Attempt})
	}
	return views
}

func (h *handler) eventsPage(w http.ResponseWriter, r *http.Request) {
	h.page(w, r, http.StatusOK, "events.html", ".", map[string]any{"Events": h.events()})
}
