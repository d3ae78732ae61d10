package jobs_test

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/agentjobs/jobs"
)

// jobStates are the states of a job, the pool's included where it makes a difference.
var jobStates = map[string]state{
	"unknown id":         func(s *scene) { s.id = "nobody" },
	"not ready":          func(s *scene) { s.register(neverReady, hourly()) },
	"not ready, stopped": func(s *scene) { s.register(neverReady, hourly()); stopPool(s.p) },
	// Not ready, or whoever waits for the answer could as well find it executing, and not ask.
	"in its first Ready":    func(s *scene) { s.register(stub{ready: s.holdReady(1, false)}, hourly()) },
	"came while stopped":    func(s *scene) { haltPool(s.p); s.register(stub{}, hourly()) },
	"interval":              idle,
	"interval, locked":      func(s *scene) { locked(s) },
	"interval, awaits lock": func(s *scene) { locked(s); _ = s.p.RunNow(s.id); pass(0) },
	"interval, executing":   executing,
	"interval, in Status": func(s *scene) {
		s.register(stub{status: s.holdErr}, hourly())
		pass(30 * time.Second)
	},
	"interval, late":        late,
	"interval, Status late": statusLate,
	"stopped":               func(s *scene) { idle(s); stopPool(s.p) },
	"stopped, executing":    func(s *scene) { executing(s); stopPool(s.p) },
	"stopped, awaits lock":  func(s *scene) { locked(s); _ = s.p.RunNow(s.id); pass(0); stopPool(s.p) },
	"stopped, in Ready":     restarting(false), // as above
	"scheduled":             func(s *scene) { s.register(stub{}, eachHour()) },
	"scheduled, in Next":    inNext,
	"scheduled, executing":  func(s *scene) { s.register(stub{execute: s.holdErr}, eachSecond()) },
	"scheduled, finished":   func(s *scene) { s.register(stub{}, inASecond()); pass(time.Second) },
	"channel, executing":    func(s *scene) { s.register(stub{execute: s.holdErr}, jobs.Channel(make(chan any, 1))) },
	"channel, told":         told,
	"channel, broken":       func(s *scene) { s.register(lasting(0, errBroken), jobs.Channel(make(chan any))) },
	"channel, finished":     func(s *scene) { s.register(stub{}, jobs.Channel(make(chan any))) },
	"detached":              func(s *scene) { s.register(stub{}, hourly(), jobs.Detached()); stopPool(s.p) },
	"detached, failing":     func(s *scene) { s.register(lasting(0, errBroken), hourly(), jobs.Detached()) },
	"detached, executing":   func(s *scene) { s.register(stub{execute: s.holdErr}, hourly(), jobs.Detached()) },
	"detached, late":        func(s *scene) { s.register(stub{execute: s.holdErr}, hourly(), jobs.Detached()); pass(time.Minute) },
	"detached, abandoned":   abandoned,
	"detached channel, at it": func(s *scene) {
		s.register(stub{execute: s.holdErr}, jobs.Channel(make(chan any)), jobs.Detached())
		stopPool(s.p)
	},
	"detached channel, broken": func(s *scene) {
		s.register(lasting(0, errBroken), jobs.Channel(make(chan any)), jobs.Detached())
	},
	"single run, executing": func(s *scene) { s.register(stub{execute: s.holdErr}, jobs.Once()) },
	"single run, late":      func(s *scene) { limited(s, jobs.Once()); pass(time.Minute) },
	"single run, abandoned": func(s *scene) { limited(s, jobs.Once()); pass(2 * time.Minute) },
	"single run, finished":  func(s *scene) { s.register(stub{}, jobs.Once()) },
	"single run, failed":    func(s *scene) { s.register(lasting(0, errBroken), jobs.Once()) },
	"retry, executing":      func(s *scene) { s.register(stub{execute: s.holdErr}, threeTimes()) },
	"retry, late":           func(s *scene) { limited(s, threeTimes()); pass(time.Minute) },
	"retrying, waiting":     func(s *scene) { s.register(lasting(0, errBroken), threeTimes(), backingOff()) },
	"retrying, executing":   retryingExecuting,
	"retry, failed":         func(s *scene) { s.register(lasting(0, errBroken), threeTimes()) },
	"gone":                  func(s *scene) { idle(s); s.p.UnregisterJob(s.id) },
	"gone, locked":          func(s *scene) { locked(s); s.p.UnregisterJob(s.id) },
	"gone, executing":       func(s *scene) { executing(s); s.p.UnregisterJob(s.id) },
	"gone, late":            func(s *scene) { late(s); s.p.UnregisterJob(s.id) },
	"shut down":             func(s *scene) { idle(s); shutPool(s.p) },
	"shut down, not ready":  func(s *scene) { s.register(neverReady, hourly()); shutPool(s.p) },
	"shut down, executing":  func(s *scene) { executing(s); shutPool(s.p) },
	"shut down, finished":   func(s *scene) { s.register(stub{}, jobs.Once()); shutPool(s.p) },
	"shut down, gone":       func(s *scene) { idle(s); s.p.UnregisterJob(s.id); shutPool(s.p) },
}

func idle(s *scene)      { s.register(stub{}, hourly()) }
func locked(s *scene)    { idle(s); s.job.Lock(); s.locked = true }
func executing(s *scene) { s.register(stub{execute: s.holdErr}, hourly()) }
func late(s *scene)      { executing(s); pass(time.Minute) }

func statusLate(s *scene) {
	s.register(stub{status: s.holdErr}, hourly())
	pass(90 * time.Second)
}

// limited has a job with a limit that its kind has none without.
func limited(s *scene, trigger jobs.Trigger) {
	s.register(stub{execute: s.holdErr}, trigger, jobs.WithJobTimeout(time.Minute))
}

// abandoned has a job with an execution that was given up, and none else.
func abandoned(s *scene) {
	s.register(stub{execute: s.holdErr}, hourly(), jobs.Detached())
	pass(2 * time.Minute)
}

// restarting has a pool that asks its job whether it is ready for a restart.
func restarting(ready bool) state {
	return func(s *scene) {
		s.register(stub{ready: s.holdReady(2, ready)}, hourly())
		stopPool(s.p)
		pass(30 * time.Second)
	}
}

func told(s *scene) {
	s.register(stub{execute: s.holdErr}, jobs.Channel(make(chan any, 1)))
	stopPool(s.p)
}

func retryingExecuting(s *scene) {
	s.register(stub{execute: failsThen(s.holdErr)}, threeTimes())
}

// failsThen is an Execute that fails at its first call, and is f from then on.
func failsThen(f func() error) func() error {
	var called atomic.Bool
	return func() error {
		if !called.Swap(true) {
			return errBroken
		}
		return f()
	}
}

// poolStates are the states of a pool.
var poolStates = map[string]state{
	"zero":                        zero,
	"fresh":                       func(s *scene) {},
	"fresh, stopped":              func(s *scene) { stopPool(s.p) },
	"running, no attached job":    func(s *scene) { s.register(stub{}, jobs.Once()) },
	"running":                     idle,
	"running, one not ready":      func(s *scene) { s.register(neverReady, hourly()) },
	"running, one left to finish": func(s *scene) { executing(s); s.p.UnregisterJob(s.id) },
	"stopped":                     func(s *scene) { idle(s); stopPool(s.p) },
	"stopped, one executing":      func(s *scene) { executing(s); stopPool(s.p) },
	"stopped, held up":            late,
	"restarting":                  restarting(true),
	"refused to restart":          refusing,
	"shut down":                   func(s *scene) { idle(s); shutPool(s.p) },
	"shut down while stopped":     func(s *scene) { idle(s); stopPool(s.p); shutPool(s.p) },
	"shut down before use":        func(s *scene) { shutPool(s.p) },
	"shutting down":               func(s *scene) { executing(s); shutPool(s.p) },
}

// zero has a pool that nobody made, and which logs to what is the default.
func zero(s *scene) {
	before := slog.Default()
	s.t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(s.log))
	s.p = new(jobs.Pool)
}

func refusing(s *scene) {
	var unready fault
	s.register(stub{ready: unready.absent}, hourly())
	unready.cause()
	stopPool(s.p)
	pass(40 * time.Second)
}
