package jobs

import (
	"math"
	"runtime"
	"sync"
	"time"
)

// A cycle calls its owner's step again and again, each time at the moment that was set for it. Everything in this
// package that repeats is a cycle, and waits as one.
//
// Guarantees:
//   - there are never two steps at once;
//   - between steps there is at most a timer, and no goroutine;
//   - the moment of the next step can be set at any time, even during a step;
//   - once quit has returned no step begins; the one in flight runs to its end.
//
// A moment set during a step takes effect when the step has ended, and the last one set wins. So a step that has
// nothing to wait for (its pool is stopped) sets nothing, and whoever ends that state calls set: whichever comes
// first, the next step comes.
type cycle struct {
	owner stepper // immutable

	mu     sync.Mutex // guards what follows, and the owner's own fields
	stage  cycleStage
	putOff bool    // the expiry was put off, see pardon
	steps  uint32  // the number of the last step begun
	due    instant // when the next step is due; during a step, as set so far
	wasDue instant // when the last step begun was due
	expiry instant // when the step in flight times out, or never; reported only once armed
	timer  *time.Timer
}

// A stepper is the owner of a cycle. The cycle's mutex is not held when its methods are called.
type stepper interface {
	// step performs step n, which begins at the given time. It may call runtime.Goexit. It returns the current time,
	// or 0 if it does not know it.
	step(n uint32, at time.Time) instant
	// expired reports that step n has timed out; it may be called while the step is ending.
	expired(n uint32)
}

// A cycleStage is what a cycle is doing:
//
//	idle, waiting -> stepping             the step is due
//	stepping      -> idle or waiting      the step has ended, or was abandoned
//	idle <-> waiting                      set
//	idle, waiting -> ended                quit
//	stepping      -> ending -> ended      quit, and then the step has ended or was abandoned
type cycleStage uint8

const (
	cycleIdle cycleStage = iota
	cycleWaiting
	cycleStepping
	cycleEnding
	cycleEnded
)

// An instant is a reading of the monotonic clock: the time since the program began.
type instant time.Duration

const (
	atOnce  instant       = math.MinInt64 / 2 // before any other, and far enough from the limits to calculate with
	never   instant       = math.MaxInt64
	forever time.Duration = math.MaxInt64
)

// shortestWait is the minimum wait after a step. The runtime prefers due timers and new goroutines to those that have
// waited longer: a cycle with hardly a wait could starve others.
const shortestWait = 10 * time.Microsecond

var programStart = time.Now()

func now() instant { return instant(time.Since(programStart)) }

func instantOf(t time.Time) instant { return instant(t.Sub(programStart)) }

// after returns the instant d later: never if d is forever or the sum overflows.
func (i instant) after(d time.Duration) instant {
	if sum := i + instant(d); d < forever && (d <= 0 || sum >= i) {
		return sum
	}
	return never
}

// A process may not run for a while: it was sent SIGSTOP, or its machine is suspended. Then what is in flight is not to
// blame that a timeout has passed. So a timeout that is found much later than it was set for is put off for a moment; but
// once only, since timers of a process that gets too little of the processors are always late.
const (
	muchLater = 100 * time.Millisecond
	pardon    = time.Second
)

// missedAt reports whether at the given instant a timeout that was set for i has been found much later.
func (i instant) missedAt(at instant) bool { return time.Duration(at-i) > muchLater }

// set schedules the next step for the given instant: at once if that has passed, not at all if it is never.
func (c *cycle) set(at instant) {
	c.mu.Lock()
	c.setLocked(at)
	c.mu.Unlock()
}

func (c *cycle) setLocked(at instant) {
	switch c.stage {
	case cycleStepping:
		c.due = at
	case cycleIdle, cycleWaiting:
		c.due = at
		if c.awaitLocked(now(), 0) {
			// Ends with the step, which its owner ends.
			go c.runStep(c.beginLocked())
		}
	}
}

// awaitLocked arms the timer for the next step, to wait at least for the shortest wait. If the step is due at the
// given instant, it returns true instead.
func (c *cycle) awaitLocked(at instant, shortest time.Duration) bool {
	wait := time.Duration(c.due - at)
	switch {
	case c.due == never:
		c.stage = cycleIdle
		c.disarmLocked()
	case wait <= 0:
		return true
	default:
		c.stage = cycleWaiting
		c.armLocked(max(wait, shortest))
	}
	return false
}

func (c *cycle) armLocked(wait time.Duration) {
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, c.fire)
	} else {
		c.timer.Reset(wait)
	}
}

func (c *cycle) disarmLocked() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

// fire is the timer's function. If it comes late (the timer was reset or stopped meanwhile), it finds nothing due,
// and does nothing.
func (c *cycle) fire() {
	at := time.Now()
	c.mu.Lock()
	switch passed := instantOf(at); {
	case c.stage == cycleWaiting && passed >= c.due:
		n := c.beginLocked()
		c.mu.Unlock()
		c.run(n, at)
	case c.inStepLocked() && passed >= c.expiry:
		if !c.putOff && c.expiry.missedAt(passed) {
			c.putOff = true
			c.expiry = passed.after(pardon)
			c.armLocked(pardon)
			c.mu.Unlock()
			return
		}
		n := c.steps
		c.expiry, c.putOff = never, false
		c.mu.Unlock()
		c.owner.expired(n)
	default:
		c.mu.Unlock()
	}
}

func (c *cycle) beginLocked() (n uint32) {
	c.stage = cycleStepping
	c.steps++
	c.wasDue, c.due = c.due, never
	c.expiry, c.putOff = never, false
	return c.steps
}

func (c *cycle) runStep(n uint32) { c.run(n, time.Now()) }

// runNext runs a step right after the previous one. It lets others go first, see shortestWait.
func (c *cycle) runNext(n uint32) {
	runtime.Gosched()
	c.runStep(n)
}

func (c *cycle) run(n uint32, at time.Time) {
	var end instant
	defer func() { c.end(n, end) }() // deferred, since the step may be user code that calls runtime.Goexit
	end = c.owner.step(n, at)
}

func (c *cycle) end(n uint32, at instant) {
	if at == 0 {
		at = now()
	}
	c.mu.Lock()
	c.endLocked(n, at)
	c.mu.Unlock()
}

// endLocked ends step n at the given instant, unless the step was abandoned and something else has followed it.
func (c *cycle) endLocked(n uint32, at instant) {
	if n != c.steps {
		return
	}
	switch c.stage {
	case cycleStepping:
		if c.awaitLocked(at, shortestWait) {
			// Ends with the step, which its owner ends.
			go c.runNext(c.beginLocked())
		}
	case cycleEnding:
		c.stage = cycleEnded
		c.disarmLocked()
	}
}

// abandonLocked goes on as if the step in flight had ended. From here on its owner must ignore that step:
// inFlightLocked(n) is false.
func (c *cycle) abandonLocked() {
	c.endLocked(c.steps, now())
}

// armExpiryLocked makes the timer, which is otherwise unused during a step, report when the step in flight times out.
func (c *cycle) armExpiryLocked() {
	if c.inStepLocked() && c.expiry != never {
		c.armLocked(time.Duration(c.expiry - now()))
	}
}

// quitLocked ends the cycle for good. A timeout armed for the step in flight stays armed.
func (c *cycle) quitLocked() {
	switch c.stage {
	case cycleIdle, cycleWaiting:
		c.stage = cycleEnded
		c.disarmLocked()
	case cycleStepping:
		c.stage = cycleEnding
	}
}

func (c *cycle) quit() {
	c.mu.Lock()
	c.quitLocked()
	c.mu.Unlock()
}

func (c *cycle) inStepLocked() bool { return c.stage == cycleStepping || c.stage == cycleEnding }

func (c *cycle) inFlightLocked(n uint32) bool { return n == c.steps && c.inStepLocked() }

func (c *cycle) hasQuitLocked() bool { return c.stage >= cycleEnding }
