package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	token    = "let-me-in"
	refusals = 2 // how many attempts to sign on the gateway refuses

	hesitation = 250 * time.Millisecond // before a gateway that is down refuses a request
)

// A gateway is what the agent serves, or rather pretends to be that.
type gateway struct {
	events  time.Duration // from one event to the next
	session time.Duration // how long an audit stream lasts
	log     *slog.Logger

	mu       sync.Mutex // guards what follows
	up       context.Context
	goDown   context.CancelFunc // ends up, and with it all requests
	signOns  int
	listings int
}

func newGateway(events, session time.Duration, log *slog.Logger) *gateway {
	g := &gateway{events: events, session: session, log: log.With("gateway", "pretend")}
	g.comeUp()
	return g
}

func (g *gateway) comeUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.up, g.goDown = context.WithCancel(context.Background())
}

// takeDown cuts all requests short, and lets none in until comeUp.
func (g *gateway) takeDown() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.goDown()
}

// planOutage takes the gateway down once, for the time given. What it returns calls that off.
func (g *gateway) planOutage(after, lasting time.Duration) (callOff func()) {
	if lasting <= 0 {
		return func() {}
	}
	down := time.AfterFunc(after, func() {
		g.log.Warn("gateway goes down", "for", lasting)
		g.takeDown()
	})
	up := time.AfterFunc(after+lasting, func() {
		g.comeUp()
		g.log.Warn("gateway is up again")
	})
	return func() {
		down.Stop()
		up.Stop()
	}
}

func (g *gateway) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, version{Major: 2, Minor: 1})
	})
	mux.HandleFunc("POST /heartbeat", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /sign-on", g.signOn)
	mux.HandleFunc("GET /apis", signedOn(g.listAPIs))
	mux.HandleFunc("GET /events", signedOn(g.stream(0)))
	mux.HandleFunc("GET /audit", signedOn(g.stream(g.session)))
	return g.whileUp(mux)
}

// whileUp refuses all requests while the gateway is down, and ends them when it goes down.
func (g *gateway) whileUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		up := g.up
		g.mu.Unlock()
		if up.Err() != nil {
			select {
			case <-time.After(hesitation):
			case <-r.Context().Done():
			}
			http.Error(w, "gateway is down", http.StatusServiceUnavailable)
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(up, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

func signedOn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			http.Error(w, "sign on first", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// signOn refuses the first attempts, as a gateway does that is still busy with its own start.
func (g *gateway) signOn(w http.ResponseWriter, _ *http.Request) {
	g.mu.Lock()
	g.signOns++
	refused := g.signOns <= refusals
	g.mu.Unlock()
	if refused {
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, credentials{Token: token})
}

// listAPIs has one API more to show each time, until it has shown all.
func (g *gateway) listAPIs(w http.ResponseWriter, _ *http.Request) {
	apis := []string{"orders", "payments", "customers", "invoices"}
	g.mu.Lock()
	g.listings++
	shown := min(g.listings, len(apis))
	g.mu.Unlock()
	writeJSON(w, apis[:shown])
}

// stream sends events, one a line, until the client leaves, the gateway goes down or, if it is above
// 0, the time given has passed.
func (g *gateway) stream(lasting time.Duration) http.HandlerFunc {
	apis := []string{"orders", "orders", "payments"}
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := r.Context(), context.CancelFunc(func() {})
		if lasting > 0 {
			ctx, cancel = context.WithTimeout(ctx, lasting)
		}
		defer cancel()
		next := time.NewTicker(g.events)
		defer next.Stop()
		w.Header().Set("Content-Type", "application/x-ndjson")
		out, flusher := json.NewEncoder(w), http.NewResponseController(w)
		for n := 0; ; n++ {
			if out.Encode(event{API: apis[n%len(apis)]}) != nil || flusher.Flush() != nil {
				return
			}
			select {
			case <-next.C:
			case <-ctx.Done():
				return
			}
		}
	}
}
