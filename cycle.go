package jobs

import (
	"math"
	"runtime"
	"sync"
	"time"
)

// A cycle calls its owner's step, again and again, each time at the moment that was set for it.
// Everything in this package that happens again and again is a cycle, and waits as one.
//
// What it guarantees:
//   - there are never two steps at once;
//   - between steps there is at most a timer, and no goroutine;
//   - the moment of the next step can be set at any time, also during a step;
//   - once stop has returned no step begins; the one in flight runs to its end.
//
// A moment that was set during a step counts when the step has ended, and the last one set wins.
// So a step that has nothing to wait for (its pool is stopped) sets nothing, and whoever ends
// that state calls set: no matter which of the two comes first, the next step comes.
type cycle struct {
	owner stepper // immutable

	mu     sync.Mutex // guards what follows, and the owner's own fields
	stage  cycleStage
	steps  uint32  // the number of the step begun last
	due    instant // when the next step is due; during a step: as set so far
	expiry instant // when the step in flight expires, or never; told once it is armed
	timer  *time.Timer
}

// A stepper is what a cycle turns. Neither method is called with the cycle's mutex held.
type stepper interface {
	// step is the step number n, which begins at the given time. It may end its goroutine with
	// runtime.Goexit. It returns what time it is, or 0 if it cannot tell.
	step(n uint32, at time.Time) instant
	// expired says that step n has reached its limit, and may be called while the step ends.
	expired(n uint32)
}

// A cycleStage says what a cycle is doing:
//
//	idle, waiting -> stepping             the step's moment has come
//	stepping      -> idle or waiting      the step has ended, or was abandoned
//	idle <-> waiting                      set
//	idle, waiting -> ended                stop
//	stepping      -> ending -> ended      stop, and then the step has ended or was abandoned
type cycleStage uint8

const (
	cycleIdle cycleStage = iota
	cycleWaiting
	cycleStepping
	cycleEnding
	cycleEnded
)

// An instant is a moment of the monotonic clock: the time since the program began.
type instant time.Duration

const (
	atOnce  instant       = math.MinInt64 / 2 // before any other, and far enough from the ends to reckon with
	never   instant       = math.MaxInt64
	forever time.Duration = math.MaxInt64
)

// shortestWait is what the wait after a step lasts at least. The runtime prefers a timer that is due, and a
// goroutine just made, to those that have waited longer: a cycle with hardly a wait could keep others from
// running.
const shortestWait = 10 * time.Microsecond

var programStart = time.Now()

func now() instant { return instant(time.Since(programStart)) }

func instantOf(t time.Time) instant { return instant(t.Sub(programStart)) }

// after returns the instant d later, which is never if d is forever, or it is too far away to have a
// number.
func (i instant) after(d time.Duration) instant {
	if sum := i + instant(d); d < forever && (d <= 0 || sum >= i) {
		return sum
	}
	return never
}

// set makes the next step begin at the given instant: at once if that has passed, not at all if
// it is never.
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

// awaitLocked arranges for the step that is due, unless it is due at once; then it returns true. It is
// told what time it is, and what a wait lasts at least.
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

// fire is the timer's. One that comes late (the timer was set anew or stopped in the meantime)
// finds that nothing is due, and does nothing.
func (c *cycle) fire() {
	at := time.Now()
	c.mu.Lock()
	switch passed := instantOf(at); {
	case c.stage == cycleWaiting && passed >= c.due:
		n := c.beginLocked()
		c.mu.Unlock()
		c.run(n, at)
	case c.inStepLocked() && passed >= c.expiry:
		n := c.steps
		c.expiry = never
		c.mu.Unlock()
		c.owner.expired(n)
	default:
		c.mu.Unlock()
	}
}

func (c *cycle) beginLocked() (n uint32) {
	c.stage = cycleStepping
	c.steps++
	c.due = never
	c.expiry = never
	return c.steps
}

func (c *cycle) runStep(n uint32) { c.run(n, time.Now()) }

// runNext runs a step that follows the one before at once. Others go first, see shortestWait.
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

// endLocked ends step n, unless it was abandoned and something else has come after it. It is told what
// time it is.
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

// abandonLocked goes on as if the step in flight had ended. That the step has no say any more is
// for its owner to see to: inFlightLocked(n) is false from here on.
func (c *cycle) abandonLocked() {
	c.endLocked(c.steps, now())
}

// armExpiryLocked makes the timer, which nothing else needs during a step, tell the owner when the step
// in flight has reached its limit.
func (c *cycle) armExpiryLocked() {
	if c.inStepLocked() && c.expiry != never {
		c.armLocked(time.Duration(c.expiry - now()))
	}
}

// stopLocked ends the cycle for good. A limit armed for the step in flight still counts.
func (c *cycle) stopLocked() {
	switch c.stage {
	case cycleIdle, cycleWaiting:
		c.stage = cycleEnded
		c.disarmLocked()
	case cycleStepping:
		c.stage = cycleEnding
	}
}

func (c *cycle) stop() {
	c.mu.Lock()
	c.stopLocked()
	c.mu.Unlock()
}

func (c *cycle) inStepLocked() bool { return c.stage == cycleStepping || c.stage == cycleEnding }

func (c *cycle) inFlightLocked(n uint32) bool { return n == c.steps && c.inStepLocked() }

func (c *cycle) stoppedLocked() bool { return c.stage >= cycleEnding }
