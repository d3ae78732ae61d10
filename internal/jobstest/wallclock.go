package jobstest

import "github.com/agentjobs/jobs/internal/wallclock"

// A WallClock can be set, while the time that timers use runs on.
type WallClock = wallclock.Clock

// NewWallClock returns a clock that starts out right.
func NewWallClock() *WallClock { return wallclock.New() }
