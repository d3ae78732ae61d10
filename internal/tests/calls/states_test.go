package calls

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// jobStates are the states of a job, the pool's included where it makes a difference.
var jobStates = map[string]state{
	"unknown id":         func(s *scene) { s.id = "nobody" },
	"not ready":          func(s *scene) { s.register(jobstest.NeverReady, jobstest.Hourly()) },
	"not ready, stopped": func(s *scene) { s.register(jobstest.NeverReady, jobstest.Hourly()); jobstest.StopPool(s.p) },
	// Not ready, or whoever waits for the answer could as well find it executing, and not ask.
	"in its first Ready":    func(s *scene) { s.register(jobstest.Stub{ReadyFunc: s.holdReady(1, false)}, jobstest.Hourly()) },
	"came while stopped":    func(s *scene) { jobstest.FailPool(s.p); s.register(jobstest.Stub{}, jobstest.Hourly()) },
	"interval":              idle,
	"interval, locked":      func(s *scene) { locked(s) },
	"interval, awaits lock": func(s *scene) { locked(s); _ = s.p.RunNow(s.id); jobstest.Advance(0) },
	"interval, executing":   executing,
	"interval, in Status": func(s *scene) {
		s.register(jobstest.Stub{StatusFunc: s.holdErr}, jobstest.Hourly())
		jobstest.Advance(30 * time.Second)
	},
	"interval, late":        late,
	"interval, Status late": statusLate,
	"stopped":               func(s *scene) { idle(s); jobstest.StopPool(s.p) },
	"stopped, executing":    func(s *scene) { executing(s); jobstest.StopPool(s.p) },
	"stopped, awaits lock":  func(s *scene) { locked(s); _ = s.p.RunNow(s.id); jobstest.Advance(0); jobstest.StopPool(s.p) },
	"stopped, in Ready":     restarting(false), // as above
	"scheduled":             func(s *scene) { s.register(jobstest.Stub{}, jobstest.EachHour()) },
	"scheduled, in Next":    inNext,
	"scheduled, executing":  func(s *scene) { s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobstest.EachSecond()) },
	"scheduled, finished":   func(s *scene) { s.register(jobstest.Stub{}, jobstest.InASecond()); jobstest.Advance(time.Second) },
	"channel, executing":    func(s *scene) { s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobs.Channel(make(chan any, 1))) },
	"channel, told":         told,
	"channel, broken":       func(s *scene) { s.register(jobstest.Lasting(0, jobstest.ErrBroken), jobs.Channel(make(chan any))) },
	"channel, finished":     func(s *scene) { s.register(jobstest.Stub{}, jobs.Channel(make(chan any))) },
	"detached": func(s *scene) {
		s.register(jobstest.Stub{}, jobstest.Hourly(), jobs.Detached())
		jobstest.StopPool(s.p)
	},
	"detached, failing": func(s *scene) {
		s.register(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.Hourly(), jobs.Detached())
	},
	"detached, executing": func(s *scene) { s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobstest.Hourly(), jobs.Detached()) },
	"detached, late": func(s *scene) {
		s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobstest.Hourly(), jobs.Detached())
		jobstest.Advance(time.Minute)
	},
	"detached, abandoned": abandoned,
	"detached channel, at it": func(s *scene) {
		s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobs.Channel(make(chan any)), jobs.Detached())
		jobstest.StopPool(s.p)
	},
	"detached channel, broken": func(s *scene) {
		s.register(jobstest.Lasting(0, jobstest.ErrBroken), jobs.Channel(make(chan any)), jobs.Detached())
	},
	"single run, executing": func(s *scene) { s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobs.Once()) },
	"single run, late":      func(s *scene) { limited(s, jobs.Once()); jobstest.Advance(time.Minute) },
	"single run, abandoned": func(s *scene) { limited(s, jobs.Once()); jobstest.Advance(2 * time.Minute) },
	"single run, finished":  func(s *scene) { s.register(jobstest.Stub{}, jobs.Once()) },
	"single run, failed":    func(s *scene) { s.register(jobstest.Lasting(0, jobstest.ErrBroken), jobs.Once()) },
	"retry, executing":      func(s *scene) { s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobstest.ThreeTimes()) },
	"retry, late":           func(s *scene) { limited(s, jobstest.ThreeTimes()); jobstest.Advance(time.Minute) },
	"retrying, waiting": func(s *scene) {
		s.register(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.ThreeTimes(), jobstest.BackingOff())
	},
	"retrying, executing":  retryingExecuting,
	"retry, failed":        func(s *scene) { s.register(jobstest.Lasting(0, jobstest.ErrBroken), jobstest.ThreeTimes()) },
	"gone":                 func(s *scene) { idle(s); s.p.UnregisterJob(s.id) },
	"gone, locked":         func(s *scene) { locked(s); s.p.UnregisterJob(s.id) },
	"gone, executing":      func(s *scene) { executing(s); s.p.UnregisterJob(s.id) },
	"gone, late":           func(s *scene) { late(s); s.p.UnregisterJob(s.id) },
	"shut down":            func(s *scene) { idle(s); jobstest.ShutDownNow(s.p) },
	"shut down, not ready": func(s *scene) { s.register(jobstest.NeverReady, jobstest.Hourly()); jobstest.ShutDownNow(s.p) },
	"shut down, executing": func(s *scene) { executing(s); jobstest.ShutDownNow(s.p) },
	"shut down, finished":  func(s *scene) { s.register(jobstest.Stub{}, jobs.Once()); jobstest.ShutDownNow(s.p) },
	"shut down, gone":      func(s *scene) { idle(s); s.p.UnregisterJob(s.id); jobstest.ShutDownNow(s.p) },
}

func idle(s *scene)      { s.register(jobstest.Stub{}, jobstest.Hourly()) }
func locked(s *scene)    { idle(s); s.job.Lock(); s.locked = true }
func executing(s *scene) { s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobstest.Hourly()) }
func late(s *scene)      { executing(s); jobstest.Advance(time.Minute) }

func statusLate(s *scene) {
	s.register(jobstest.Stub{StatusFunc: s.holdErr}, jobstest.Hourly())
	jobstest.Advance(90 * time.Second)
}

// limited has a job with a limit that its kind has none without.
func limited(s *scene, trigger jobs.Trigger) {
	s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, trigger, jobs.WithJobTimeout(time.Minute))
}

// abandoned has a job with an execution that was given up, and none else.
func abandoned(s *scene) {
	s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobstest.Hourly(), jobs.Detached())
	jobstest.Advance(2 * time.Minute)
}

// restarting has a pool that asks its job whether it is ready for a restart.
func restarting(ready bool) state {
	return func(s *scene) {
		s.register(jobstest.Stub{ReadyFunc: s.holdReady(2, ready)}, jobstest.Hourly())
		jobstest.StopPool(s.p)
		jobstest.Advance(30 * time.Second)
	}
}

func told(s *scene) {
	s.register(jobstest.Stub{ExecuteFunc: s.holdErr}, jobs.Channel(make(chan any, 1)))
	jobstest.StopPool(s.p)
}

func retryingExecuting(s *scene) {
	s.register(jobstest.Stub{ExecuteFunc: failsThen(s.holdErr)}, jobstest.ThreeTimes())
}

// failsThen is an Execute that fails at its first call, and is f from then on.
func failsThen(f func() error) func() error {
	var called atomic.Bool
	return func() error {
		if !called.Swap(true) {
			return jobstest.ErrBroken
		}
		return f()
	}
}

// poolStates are the states of a pool.
var poolStates = map[string]state{
	"zero":                        zero,
	"fresh":                       func(s *scene) {},
	"fresh, stopped":              func(s *scene) { jobstest.StopPool(s.p) },
	"running, no attached job":    func(s *scene) { s.register(jobstest.Stub{}, jobs.Once()) },
	"running":                     idle,
	"running, one not ready":      func(s *scene) { s.register(jobstest.NeverReady, jobstest.Hourly()) },
	"running, one left to finish": func(s *scene) { executing(s); s.p.UnregisterJob(s.id) },
	"stopped":                     func(s *scene) { idle(s); jobstest.StopPool(s.p) },
	"stopped, one executing":      func(s *scene) { executing(s); jobstest.StopPool(s.p) },
	"stopped, held up":            late,
	"restarting":                  restarting(true),
	"refused to restart":          refusing,
	"shut down":                   func(s *scene) { idle(s); jobstest.ShutDownNow(s.p) },
	"shut down while stopped":     func(s *scene) { idle(s); jobstest.StopPool(s.p); jobstest.ShutDownNow(s.p) },
	"shut down before use":        func(s *scene) { jobstest.ShutDownNow(s.p) },
	"shutting down":               func(s *scene) { executing(s); jobstest.ShutDownNow(s.p) },
}

// zero has a pool that nobody made, and which logs to what is the default.
func zero(s *scene) {
	before := slog.Default()
	s.t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(s.log))
	s.p = new(jobs.Pool)
}

func refusing(s *scene) {
	var unready jobstest.Fault
	s.register(jobstest.Stub{ReadyFunc: unready.Absent}, jobstest.Hourly())
	unready.Set()
	jobstest.StopPool(s.p)
	jobstest.Advance(40 * time.Second)
}
