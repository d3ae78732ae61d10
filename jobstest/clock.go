package jobstest

import (
	"testing"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/clockhook"
	"github.com/agentjobs/jobs/internal/wallclock"
)

// A WallClock is the wall clock of the pools that were made with its Option. Timers do not follow it: they go by the
// monotonic clock, which nobody can set. Its methods are safe for concurrent use, in bubbles and out of them.
//
// A pool looks at the wall clock once a minute, so let a minute pass before you expect it to have noticed.
type WallClock struct{ clock *wallclock.Clock }

// Clock returns a wall clock that shows the right time, until a method changes that.
func Clock(testing.TB) *WallClock {
	return &WallClock{wallclock.New()}
}

// Option makes a pool read this clock where it would call time.Now. Pass it to [Pool] or [jobs.NewPool].
func (c *WallClock) Option() jobs.PoolOption {
	return clockhook.Option(c.clock.Now).(jobs.PoolOption)
}

// Now returns what the clock shows, together with the reading of the monotonic clock.
func (c *WallClock) Now() time.Time { return c.clock.Now() }

// Set makes the clock show t, as an operator or a time server does. Timers do not notice.
func (c *WallClock) Set(t time.Time) { c.Step(t.Sub(c.Now().Round(0))) }

// Step sets the clock forward by d or, if d is negative, back. Timers do not notice.
func (c *WallClock) Step(d time.Duration) { c.clock.Jump(d) }

// Sleep does to the clocks what a machine does that sleeps for d: on waking, the wall clock is d ahead, while
// the monotonic clock, and every timer with it, has stood still. It does not wait. A negative d is 0.
func (c *WallClock) Sleep(d time.Duration) { c.Step(max(d, 0)) }
