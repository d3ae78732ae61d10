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

// An agent is what the jobs have in common.
type agent struct {
	cfg    config
	gw     *client
	log    *slog.Logger
	usage  usage
	audit  *auditFeed
	giveUp func(cause error) // ends the agent
}

func newAgent(cfg config, log *slog.Logger, giveUp func(cause error)) *agent {
	a := &agent{cfg: cfg, gw: newClient(cfg.gateway), log: log, giveUp: giveUp}
	a.audit = &auditFeed{
		session: session{a.gw},
		log:     log.With("job", "audit"),
		stop:    make(chan interface{}),
		over:    make(chan struct{}),
	}
	return a
}

// register registers one job of each kind.
func (a *agent) register() error {
	var errs []error
	add := func(id string, err error) string {
		errs = append(errs, err)
		return id
	}
	found := &discovery{session: session{a.gw}, log: a.log.With("job", "discovery")}

	versionID := add(jobs.Register(&versionCheck{a}, jobs.Once(), jobs.WithName("version")))
	add(jobs.Register(&signOn{a, versionID}, jobs.Retry(5),
		jobs.WithName("sign-on"), jobs.WithRetryBackoff(100*time.Millisecond, time.Second)))
	discoveryID := add(jobs.Register(found, jobs.Every(a.cfg.discovery), jobs.WithName("discovery")))
	add(jobs.Register(&report{a, found, discoveryID}, jobs.Cron(a.cfg.schedule), jobs.WithName("report")))
	add(jobs.Register(&feed{session{a.gw}, &a.usage, a.log.With("job", "feed")}, jobs.Channel(nil),
		jobs.WithName("feed")))
	add(jobs.Register(jobs.JobFunc(a.heartbeat), jobs.Every(a.cfg.heartbeat), jobs.Detached(),
		jobs.WithName("heartbeat")))
	errs = append(errs, a.audit.register())
	return errors.Join(errs...)
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

// heartbeat is a detached interval job: the gateway is to hear from the agent also when it does not
// work. A job that is one function needs no type.
func (a *agent) heartbeat(ctx context.Context) error {
	if err := a.gw.call(ctx, http.MethodPost, "/heartbeat", nil); err != nil {
		return err
	}
	a.log.Info("beat", "job", "heartbeat")
	return nil
}

var errUnfit = errors.New("gateway cannot be worked with")

// A versionCheck is a single run job: it finds out once whether the gateway is one to work with.
type versionCheck struct{ *agent }

func (v *versionCheck) Ready() bool    { return v.gw.alive() == nil }
func (v *versionCheck) Status() error  { return nil }
func (v *versionCheck) Execute() error { return v.ExecuteContext(context.Background()) }

func (v *versionCheck) ExecuteContext(ctx context.Context) error {
	var is version
	err := v.gw.call(ctx, http.MethodGet, "/version", &is)
	if err == nil && is.Major != 2 {
		err = fmt.Errorf("version %d.%d, want 2.x", is.Major, is.Minor)
	}
	if err != nil {
		v.giveUp(fmt.Errorf("%w: %w", errUnfit, err))
		return err
	}
	v.log.Info("gateway fits", "job", "version", "version", fmt.Sprintf("%d.%d", is.Major, is.Minor))
	return nil
}

// A signOn is a retry job. It becomes ready when another job has finished.
type signOn struct {
	*agent
	versionID string
}

func (s *signOn) Ready() bool {
	return jobs.GetJobStatus(s.versionID) == jobs.JobStatusFinished.String()
}
func (s *signOn) Status() error  { return nil }
func (s *signOn) Execute() error { return s.ExecuteContext(context.Background()) }

func (s *signOn) ExecuteContext(ctx context.Context) error {
	var got credentials
	if err := s.gw.call(ctx, http.MethodPost, "/sign-on", &got); err != nil {
		return err
	}
	s.gw.token.Store(got.Token)
	s.log.Info("signed on", "job", "sign-on")
	return nil
}

// A session is what jobs embed that work with the gateway: they can start when the agent has signed
// on and the gateway answers, and cannot work when it does not answer.
type session struct{ gw *client }

func (s session) Ready() bool   { return s.gw.signedOn() && s.gw.alive() == nil }
func (s session) Status() error { return s.gw.alive() }

// A discovery is an interval job that keeps the list of the gateway's APIs.
type discovery struct {
	session
	log  *slog.Logger
	apis []string // guarded by the job's own lock, which each execution holds
}

func (d *discovery) Execute() error { return d.ExecuteContext(context.Background()) }

func (d *discovery) ExecuteContext(ctx context.Context) error {
	var apis []string
	if err := d.gw.call(ctx, http.MethodGet, "/apis", &apis); err != nil {
		return err
	}
	d.apis = apis
	d.log.Info("discovered", "apis", len(apis))
	return nil
}

// A report is a scheduled job that writes how often the discovered APIs were used. It does not need
// the gateway, and yet stops with the other attached jobs. It takes no time worth ending, so it has no ExecuteContext.
type report struct {
	*agent
	found       *discovery
	discoveryID string
}

// apis reads the list with the discovery job's lock held: for as long, discovery does not execute.
func (r *report) apis() []string {
	jobs.JobLock(r.discoveryID)
	defer jobs.JobUnlock(r.discoveryID)
	return slices.Clone(r.found.apis)
}

func (r *report) Ready() bool   { return len(r.apis()) > 0 }
func (r *report) Status() error { return nil }

func (r *report) Execute() error {
	text, err := json.MarshalIndent(r.usage.of(r.apis()), "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(r.cfg.reports, time.Now().Format("usage-150405.000.json"))
	if err := os.WriteFile(file+".part", text, 0o644); err != nil {
		return err
	}
	if err := os.Rename(file+".part", file); err != nil { // so that nobody reads half a report
		return err
	}
	r.log.Info("report written", "job", "report", "file", file)
	return nil
}
