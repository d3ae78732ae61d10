package calls

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// insides are the places from which a call is made: the job's methods, its stop receiver, its schedule and
// its error, and the functions of the pool's options.
var insides = map[string]state{
	"Execute":            inside(executing),
	"Execute, stopped":   inside(func(s *scene) { executing(s); jobstest.StopPool(s.p) }),
	"Execute, late":      inside(late),
	"Execute, gone":      inside(func(s *scene) { executing(s); s.p.UnregisterJob(s.id) }),
	"Execute, shut down": inside(func(s *scene) { executing(s); jobstest.ShutDownNow(s.p) }),
	"ExecuteContext": inside(func(s *scene) {
		s.registerAny(jobs.JobFunc(func(context.Context) error { return s.holdErr() }), jobstest.Hourly())
	}),
	"Execute of once":          inside(func(s *scene) { s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobs.Once()) }),
	"Execute of retry":         inside(retryingExecuting),
	"Execute of scheduled":     inside(jobStates["scheduled, executing"]),
	"Execute of channel":       inside(jobStates["channel, executing"]),
	"Execute of channel, told": inside(told),
	"Status":                   inside(jobStates["interval, in Status"]),
	"Status, late":             inside(statusLate),
	"first Ready":              inside(jobStates["in its first Ready"]),
	"Ready at a restart":       inside(restarting(true)),
	"stop receiver":            inside(stopReceiver),
	"Next":                     inside(inNext),
	"Error":                    inside(func(s *scene) { s.register(jobstest.Lasting(0, slowError{s}), jobstest.Hourly()) }),
	"WithOnStatus":             inside(inOnStatus),
	"log handler":              inside(inLogHandler),
}

// inside has the call made by who is on hold in the state.
func inside(state state) state {
	return func(s *scene) { state(s); s.inside = true }
}

func stopReceiver(s *scene) {
	stop, end := make(chan any), make(chan struct{})
	s.register(jobstest.Stub{ExecuteFunc: func() error { <-end; return nil }}, jobs.Channel(stop))
	go func() { <-stop; s.hold(); close(end) }()
	jobstest.StopPool(s.p)
}

// inNext holds at the second call: the first is the registration's.
func inNext(s *scene) {
	var calls atomic.Int32
	s.register(jobstest.Stub{}, jobs.On(jobstest.NextFunc(func(t time.Time) time.Time {
		if calls.Add(1) == 2 {
			s.hold()
		}
		return t.Add(time.Hour)
	})))
}

// A slowError takes its time to say what it is.
type slowError struct{ s *scene }

func (e slowError) Error() string { e.s.hold(); return "slow" }

func inOnStatus(s *scene) {
	s.p = jobs.NewPool(s.log.Option(), jobs.WithOnStatus(func(jobs.PoolInfo) { s.hold() }))
	idle(s)
}

// inLogHandler holds where the failure of a detached job is logged.
func inLogHandler(s *scene) {
	s.p = jobs.NewPool(jobs.WithLogger(slog.New(&holdingHandler{Journal: s.log, s: s})))
	s.register(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.Hourly(), jobs.Detached())
}

// A holdingHandler is on hold at the first error that is logged.
type holdingHandler struct {
	*jobstest.Journal
	s    *scene
	held atomic.Bool
}

func (h *holdingHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h *holdingHandler) WithGroup(string) slog.Handler      { return h }

func (h *holdingHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level == slog.LevelError && !h.held.Swap(true) {
		h.s.hold()
	}
	return h.Journal.Handle(ctx, r)
}
