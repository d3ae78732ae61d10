package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/agentjobs/jobs"
)

// A feed is a channel job that consumes a stream until it is told to stop. Being a ContextJob it needs
// no stop channel: its context ends, with the reason.
type feed struct {
	session
	usage *usage
	log   *slog.Logger
}

// Execute is not called: ExecuteContext is, in its place.
func (f *feed) Execute() error { return f.ExecuteContext(context.Background()) }

func (f *feed) ExecuteContext(ctx context.Context) error {
	events := 0
	err := f.gw.stream(ctx, "/events", func(e event) {
		if events++; events == 1 {
			f.log.Info("stream open")
		}
		f.usage.count(e.API)
		f.log.Debug("event", "api", e.API)
	})
	if ctx.Err() != nil {
		f.log.Info("told to stop", "events", events, "reason", context.Cause(ctx))
	}
	return err
}

// An auditFeed is a detached channel job without a context, which renews its own registration when its stream breaks, as
// agents of the agent SDK do: somebody else listens on its stop channel, and the pool puts
// a nil there when Execute is to return, and also when it has returned an error of its own accord.
type auditFeed struct {
	session
	log       *slog.Logger
	stop      chan interface{}
	over      chan struct{}  // closed when the pool was shut down
	listeners sync.WaitGroup // the goroutines in listen

	mu sync.Mutex
	id string // guarded by mu
}

func (f *auditFeed) register() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	id, err := jobs.Register(f, jobs.Channel(f.stop), jobs.Detached(), jobs.WithName("audit"))
	f.id = id
	return err
}

func (f *auditFeed) Execute() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.listeners.Go(func() { f.listen(ctx, cancel) })
	events := 0
	return f.gw.stream(ctx, "/audit", func(event) {
		if events++; events == 1 {
			f.log.Info("stream open")
		}
	})
}

// listen takes the nil of one execution from the stop channel: it ends the stream or, if the stream
// has ended by itself, registers the job again.
func (f *auditFeed) listen(stream context.Context, end context.CancelFunc) {
	select {
	case <-f.stop:
	case <-f.over:
		return
	}
	if stream.Err() == nil {
		f.log.Info("told to stop")
		end()
		return
	}
	f.mu.Lock()
	jobs.UnregisterJob(f.id)
	f.mu.Unlock()
	err := f.register()
	switch {
	case err == nil:
		f.log.Info("registration renewed")
	case !errors.Is(err, jobs.ErrShutdown):
		f.log.Error("registration not renewed", "error", err)
	}
}

// A usage counts the uses of each API. The zero usage is ready for use.
type usage struct {
	mu   sync.Mutex
	uses map[string]int
}

func (u *usage) count(api string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.uses == nil {
		u.uses = make(map[string]int)
	}
	u.uses[api]++
}

func (u *usage) of(apis []string) map[string]int {
	u.mu.Lock()
	defer u.mu.Unlock()
	uses := make(map[string]int)
	for _, api := range apis {
		uses[api] = u.uses[api]
	}
	return uses
}
