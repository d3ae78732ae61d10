package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/agentjobs/jobs"
)

// An agent is what the jobs have in common. Those of one function need no type of their own.
type agent struct {
	cfg    config
	gw     *client
	log    *slog.Logger
	usage  usage
	audit  *auditFeed
	giveUp func(cause error) // ends the agent

	versionID, discoveryID string
	apis                   []string // guarded by the lock of the job discovery, which each of its executions holds
}

func newAgent(cfg config, log *slog.Logger, giveUp func(cause error)) *agent {
	a := &agent{cfg: cfg, gw: newClient(cfg.gateway), log: log, giveUp: giveUp}
	a.audit = &auditFeed{gw: a.gw, log: log.With("job", "audit"), stop: make(chan interface{}), over: make(chan struct{})}
	return a
}

// register registers one job of each kind.
func (a *agent) register() error {
	var errs []error
	add := func(name string, job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) string {
		id, err := jobs.Register(job, trigger, append(opts, jobs.WithName(name))...)
		errs = append(errs, err)
		return id
	}
	// Jobs that work with the gateway can start when it answers, and cannot work when it does not.
	ready, status := jobs.WithReady(a.gw.usable), jobs.WithStatus(a.gw.alive)

	a.versionID = add("version", jobs.Func(a.checkVersion, jobs.WithReady(a.gw.alive)), jobs.Once())
	add("sign-on", jobs.Func(a.signOn, jobs.WithReady(a.fits)), jobs.Retry(5), jobs.WithRetryBackoff(100*time.Millisecond, time.Second))
	a.discoveryID = add("discovery", jobs.Func(a.discover, ready, status), jobs.Every(a.cfg.discovery))
	add("report", jobs.Func(a.report, jobs.WithReady(a.discovered)), jobs.Cron(a.cfg.schedule))
	add("feed", jobs.Func(a.feed, ready, status), jobs.Channel(nil))
	add("heartbeat", jobs.JobFunc(a.heartbeat), jobs.Every(a.cfg.heartbeat), jobs.Detached())
	return errors.Join(append(errs, a.audit.register())...)
}

// logOf returns the log with the name of the job whose execution has that context.
func (a *agent) logOf(ctx context.Context) *slog.Logger {
	if job, ok := jobs.FromContext(ctx); ok {
		return a.log.With("job", job.GetName())
	}
	return a.log
}

// steer pauses the job report at each signal, and resumes it at the next, until ctx ends.
func (a *agent) steer(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			job, _ := jobs.JobByName("report")
			toggle := func() error { return jobs.DefaultPool().Pause(job.ID, s.String()) }
			if job.Paused != nil {
				toggle = func() error { return jobs.DefaultPool().Resume(job.ID) }
			}
			if err := toggle(); err != nil {
				a.log.Warn("job not steered", "error", err)
			}
		}
	}
}

func (a *agent) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	err := jobs.Shutdown(ctx)
	close(a.audit.over)
	a.audit.listeners.Wait()
	a.gw.http.CloseIdleConnections()
	return err
}

// heartbeat is a detached interval job: the gateway is to hear from the agent also when it does not work.
func (a *agent) heartbeat(ctx context.Context) error {
	return a.gw.call(ctx, http.MethodPost, "/heartbeat", nil)
}

var errUnfit = errors.New("gateway cannot be worked with")

// checkVersion is a single run job: it finds out once whether the gateway is one to work with.
func (a *agent) checkVersion(ctx context.Context) error {
	var is version
	err := a.gw.call(ctx, http.MethodGet, "/version", &is)
	if err == nil && is.Major != 2 {
		err = fmt.Errorf("version %d.%d, want 2.x", is.Major, is.Minor)
	}
	if err != nil {
		a.giveUp(fmt.Errorf("%w: %w", errUnfit, err))
	}
	return err
}

// fits is the Ready of a job that begins when another one has finished.
func (a *agent) fits(context.Context) error {
	if status := jobs.GetJobStatus(a.versionID); status != jobs.JobStatusFinished.String() {
		return fmt.Errorf("the check of the version is %s", status)
	}
	return nil
}

// signOn is a retry job.
func (a *agent) signOn(ctx context.Context) error {
	var got credentials
	if err := a.gw.call(ctx, http.MethodPost, "/sign-on", &got); err != nil {
		return err
	}
	a.gw.token.Store(got.Token)
	return nil
}

// discover is an interval job that keeps the list of the gateway's APIs.
func (a *agent) discover(ctx context.Context) error {
	var apis []string
	if err := a.gw.call(ctx, http.MethodGet, "/apis", &apis); err != nil {
		return err
	}
	a.apis = apis
	a.logOf(ctx).Debug("discovered", "apis", len(apis))
	return nil
}

// known returns the list with the lock of the job discovery held: for as long, that does not execute.
func (a *agent) known() []string {
	jobs.JobLock(a.discoveryID)
	defer jobs.JobUnlock(a.discoveryID)
	return slices.Clone(a.apis)
}

func (a *agent) discovered(context.Context) error {
	if len(a.known()) == 0 {
		return errors.New("no API has been discovered yet")
	}
	return nil
}

// report is a scheduled job that writes how often the discovered APIs were used. It does not need the gateway, and yet
// stops with the other attached jobs.
func (a *agent) report(ctx context.Context) error {
	apis := a.known()
	uses := make(map[string]int)
	for i, api := range apis {
		uses[api] = a.usage.of(api)
		jobs.Progress(ctx, int64(i+1), int64(len(apis)), api) // JobInfo shows it
	}
	text, err := json.MarshalIndent(uses, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(a.cfg.reports, time.Now().Format("usage-150405.000.json"))
	if err := os.WriteFile(file+".part", text, 0o644); err != nil {
		return err
	}
	a.logOf(ctx).Debug("report written", "file", file)
	return os.Rename(file+".part", file) // so that nobody reads half a report
}

// feed is a channel job that consumes a stream until its context ends.
func (a *agent) feed(ctx context.Context) error {
	log := a.logOf(ctx)
	return a.gw.stream(ctx, "/events", func(e event) {
		a.usage.count(e.API)
		log.Debug("event", "api", e.API)
	})
}
