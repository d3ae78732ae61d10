package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/agentjobs/jobs"
)

// An auditFeed is a detached channel job without a context, which renews its own registration when its stream breaks, as
// agents of the agent SDK do: somebody else listens on its stop channel, and the pool puts
// a nil there when Execute is to return, and also when it has returned an error of its own accord.
type auditFeed struct {
	gw        *client
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

func (f *auditFeed) Ready() bool   { return f.gw.usable(context.Background()) == nil }
func (f *auditFeed) Status() error { return nil } // the pool does not poll detached jobs

func (f *auditFeed) Execute() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.listeners.Go(func() { f.listen(ctx, cancel) })
	return f.gw.stream(ctx, "/audit", func(event) {})
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
		f.log.Debug("told to stop")
		end()
		return
	}
	f.mu.Lock()
	jobs.UnregisterJob(f.id)
	f.mu.Unlock()
	err := f.register()
	switch {
	case err == nil:
		f.log.Debug("registration renewed")
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

func (u *usage) of(api string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.uses[api]
}
