// Package jobshttp serves probes and status pages of a pool of jobs.
//
//	http.Handle("/pool/", http.StripPrefix("/pool", jobshttp.Handler(pool)))
//
// For probes there are /livez, /readyz and /startupz; for people /, /jobs, /jobs/{id} and /events, which need no
// JavaScript; and for programs the same as JSON under /api/v1/. The repository's docs/HTTP.md describes them.
//
// Pages show names and errors of jobs to whoever can reach them: mount the handler where only operators can, or behind
// what asks who they are. Nothing can be changed through it, unless WithAuthorize says who may.
package jobshttp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/agentjobs/jobs"
)

// An Option configures a Handler.
type Option interface{ apply(h *handler) }

type option func(*handler)

func (f option) apply(h *handler) { f(h) }

// WithHosts makes the handler answer only requests whose Host header, without the port, is one of these: a page of another
// origin that has its name resolved to this machine (DNS rebinding) gets 421. Without it, any host is answered.
func WithHosts(hosts ...string) Option {
	return option(func(h *handler) { h.hosts = append(h.hosts, hosts...) })
}

// WithRedact makes the handler show what f returns instead of each text that comes from an error or an operator's
// reason. f must be safe for concurrent use. If it panics, "(not shown)" is shown.
func WithRedact(f func(text string) string) Option {
	return option(func(h *handler) { h.redact = f })
}

// WithTitle sets the title of the pages; "jobs" by default.
func WithTitle(title string) Option {
	return option(func(h *handler) { h.title = title })
}

type handler struct {
	pool   *jobs.Pool
	hosts  []string
	redact func(string) string
	title  string

	authorize func(*http.Request, Action) (who string, err error) // nil if nothing can be changed

	mux      *http.ServeMux
	answers  http.Handler // the mux or, where something can be changed, what guards it
	snapshot snapshots
	startup  startup

	questions questions
}

// Handler returns a handler of the probes and pages of a pool; nil means the default pool, as it is when a request
// comes. It can be mounted under any prefix, with http.StripPrefix, and starts no goroutine while nobody asks.
func Handler(pool *jobs.Pool, opts ...Option) http.Handler {
	h := &handler{pool: pool, title: "jobs", mux: http.NewServeMux()}
	for _, opt := range opts {
		if opt != nil {
			opt.apply(h)
		}
	}
	h.mux.HandleFunc("GET /livez", h.livez)
	h.mux.HandleFunc("GET /readyz", h.readyz)
	h.mux.HandleFunc("GET /startupz", h.startupz)
	h.mux.HandleFunc("GET /{$}", h.overviewPage)
	h.mux.HandleFunc("GET /jobs", h.jobsPage)
	h.mux.HandleFunc("GET /jobs/{id}", h.jobPage)
	h.mux.HandleFunc("GET /events", h.eventsPage)
	h.mux.HandleFunc("GET /api/v1/pool", h.poolJSON)
	h.mux.HandleFunc("GET /api/v1/jobs", h.jobsJSON)
	h.mux.HandleFunc("GET /api/v1/jobs/{id}", h.jobJSON)
	h.mux.HandleFunc("GET /api/v1/events", h.eventsJSON)
	h.mux.HandleFunc("GET /static/{name}", asset)
	h.answers = h.mux
	if h.authorize != nil {
		for _, path := range []string{"/jobs/{id}/{action}", "/pool/{action}"} {
			h.mux.HandleFunc("GET "+path, h.confirmPage)
			h.mux.HandleFunc("POST "+path, h.act)
		}
		h.answers = http.NewCrossOriginProtection().Handler(h.mux)
	}
	return h
}

func (h *handler) of() *jobs.Pool {
	if h.pool != nil {
		return h.pool
	}
	return jobs.DefaultPool()
}

// headers are those of all answers. Pages load nothing but the style sheet and the script beside them, and are shown
// in no frame.
var headers = map[string]string{
	"Cache-Control":           "no-store",
	"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
	"Referrer-Policy":         "no-referrer",
	"X-Content-Type-Options":  "nosniff",
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	if !h.allows(r.Host) {
		http.Error(w, "no such host here", http.StatusMisdirectedRequest)
		return
	}
	h.answers.ServeHTTP(w, r)
}

func (h *handler) allows(host string) bool {
	if h.hosts == nil {
		return true
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.Trim(host, "[]")
	return slices.ContainsFunc(h.hosts, func(allowed string) bool { return strings.EqualFold(allowed, host) })
}

// mostText is how much of a text a page or an answer shows.
const mostText = 4096

// text returns a text as it may be shown.
func (h *handler) text(of string) (shown string) {
	if h.redact != nil && of != "" {
		shown = "(not shown)"
		func() {
			defer func() { _ = recover() }()
			shown = h.redact(of)
		}()
	} else {
		shown = of
	}
	return cut(shown, mostText)
}

// cut returns a text, valid and of so many bytes at most.
func cut(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf("… (%d bytes)", len(text))
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// gates returns what an execution of the job passes, of which the texts may be shown.
func (h *handler) gates(id string) []jobs.Gate {
	gates := h.of().Explain(id)
	for i := range gates {
		gates[i].By, gates[i].Opens = h.text(gates[i].By), h.text(gates[i].Opens)
	}
	return gates
}

// history returns the executions of the job that the pool has kept, of which the texts may be shown.
func (h *handler) history(id string) []jobs.Execution {
	history := h.of().History(id)
	for i := range history {
		history[i].Name, history[i].Error = cut(history[i].Name, mostName), h.text(history[i].Error)
	}
	return history
}

// errorText returns the text of an error, or "".
func (h *handler) errorText(err error) string {
	if err == nil {
		return ""
	}
	return h.text(err.Error())
}
