// Command agent is a small agent that uses every kind of job for what that kind is for. It talks to a
// gateway, a pretend one of its own unless -gateway names another. With -outage 3s the gateway goes
// down for that long, and the log tells how the attached jobs stop together and come back together,
// while the detached ones go on. SIGUSR1 pauses the job report, and resumes it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobshttp"
)

// A config is what the flags say, and what they do not: the durations.
type config struct {
	gateway string        // its URL; empty for a pretend one
	outage  time.Duration // how long the pretend one goes down; 0 for not at all
	reports string        // the directory for usage reports

	steering chan os.Signal // each pauses or resumes a job

	outageAfter time.Duration // from when all attached jobs have started
	interval    time.Duration // the pool's status interval and retry interval
	discovery   time.Duration // from one discovery to the next
	heartbeat   time.Duration // from one heartbeat to the next
	events      time.Duration // from one event of the pretend gateway to the next
	session     time.Duration // after which the pretend gateway ends an audit stream
	schedule    string        // of the usage report
}

func defaults() config {
	return config{
		outageAfter: 2 * time.Second,
		interval:    time.Second,
		discovery:   2 * time.Second,
		heartbeat:   time.Second,
		events:      300 * time.Millisecond,
		session:     8 * time.Second,
		schedule:    "*/10 * * * * * *",
		steering:    make(chan os.Signal, 1),
	}
}

func main() {
	cfg := defaults()
	flag.StringVar(&cfg.gateway, "gateway", "", "`URL` of the gateway (default: a pretend one is started)")
	flag.DurationVar(&cfg.outage, "outage", 0, "take the pretend gateway down for this long, after a few seconds")
	flag.StringVar(&cfg.reports, "reports", "", "`directory` for the usage reports (default: a temporary one)")
	listen := flag.String("listen", "127.0.0.1:0", "`address` to serve probes and status pages on")
	lasting := flag.Duration("for", 0, "end after this long (default: at Ctrl-C)")
	verbose := flag.Bool("v", false, "log each event, and all that the pool does")
	flag.Parse()

	signal.Notify(cfg.steering, steeringSignals...)
	log := newLogger(*verbose)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *lasting > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, *lasting, fmt.Errorf("%v have passed", *lasting))
		defer cancel()
	}
	if err := start(ctx, cfg, *listen, log); err != nil {
		log.Error("agent failed", "error", err)
		os.Exit(1)
	}
}

var jobID = regexp.MustCompile(` [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// newLogger returns a logger for reading along: with the time since the start, and without the ids.
func newLogger(verbose bool) *slog.Logger {
	began := time.Now()
	opts := &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch {
			case a.Key == slog.TimeKey:
				return slog.String("t", fmt.Sprintf("%05.2f", time.Since(began).Seconds()))
			case a.Key == "id" && !verbose:
				return slog.Attr{}
			case a.Key == "error" && !verbose:
				return slog.String("error", jobID.ReplaceAllString(a.Value.String(), ""))
			}
			return a
		},
	}
	if verbose {
		opts.Level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}

func start(ctx context.Context, cfg config, listen string, log *slog.Logger) (err error) {
	if cfg.outage > 0 && cfg.gateway != "" {
		return errors.New("-outage is for the pretend gateway, and -gateway names another")
	}
	if cfg.reports == "" {
		cfg.reports, err = os.MkdirTemp("", "agent-reports-")
	} else {
		err = os.MkdirAll(cfg.reports, 0o755)
	}
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	return run(ctx, cfg, ln, log)
}

// run runs the agent, with its endpoints on ln, until ctx ends or the gateway turns out to be unfit.
func run(ctx context.Context, cfg config, ln net.Listener, log *slog.Logger) error {
	jobs.SetDefaultPool(jobs.NewPool(
		jobs.WithLogger(log),
		jobs.WithStatusInterval(cfg.interval),
		jobs.WithRetryInterval(cfg.interval),
	))
	defer serve(ln, jobshttp.Handler(nil, jobshttp.WithTitle("agent")), log)()
	log.Info("agent started", "status", urlOf(ln)+"/")
	pretend := newGateway(cfg.events, cfg.session, log)
	if cfg.gateway == "" {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer serve(ln, pretend.handler(), log)()
		cfg.gateway = urlOf(ln)
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	a := newAgent(cfg, log, giveUp)
	if err := a.register(); err != nil {
		giveUp(err)
	}
	go a.steer(ctx, cfg.steering)
	if jobs.WaitRunning(ctx) == nil {
		log.Info("all attached jobs have started")
		defer pretend.planOutage(cfg.outageAfter, cfg.outage)()
	}
	<-ctx.Done()
	log.Info("agent ends", "reason", context.Cause(ctx))
	return errors.Join(failure(ctx), a.shutdown())
}

// failure returns why the agent has given up, or nil if it was told to end.
func failure(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, errUnfit) || errors.Is(cause, jobs.ErrRegisteringJob) {
		return cause
	}
	return nil
}

func urlOf(ln net.Listener) string { return "http://" + ln.Addr().String() }

// serve serves on ln. What it returns ends that: requests may finish, but not for ever.
func serve(ln net.Listener, handler http.Handler, log *slog.Logger) (end func()) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: requestTimeout}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("server failed", "error", err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-ended
	}
}
