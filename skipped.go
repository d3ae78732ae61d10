package jobs

import (
	"cmp"
	"fmt"
	"time"
)

// A SkipReason is why an occurrence of a scheduled job, or a turn of an interval job, was not executed. Later versions may
// add more.
type SkipReason string

// The reasons to skip.
const (
	SkipExecuting SkipReason = "executing" // the execution for an earlier one had not returned
	SkipStopped   SkipReason = "stopped"   // the pool was Stopped
	SkipPaused    SkipReason = "paused"    // the job was paused
	SkipLocked    SkipReason = "locked"    // an earlier one waited for the job's lock, for its turn, see WithMaxConcurrent, or for its jitter
	SkipClock     SkipReason = "clock"     // the wall clock has jumped past it, or the machine slept
)

// A Misfire says what becomes of the occurrences of a scheduled job that come while its pool is Stopped, or while the job
// is paused.
type Misfire uint8

// What can become of them.
const (
	Skip    Misfire = iota // they are skipped, and counted in JobInfo.Skipped
	RunOnce                // when the pool restarts, or the job is resumed, one execution stands for all of them
)

func (m Misfire) String() string {
	switch m {
	case Skip:
		return "Skip"
	case RunOnce:
		return "RunOnce"
	}
	return fmt.Sprintf("Misfire(%d)", uint8(m))
}

// WithMisfire says what becomes of the occurrences of a scheduled job that come while its pool is Stopped, or while
// it is paused; without it they are skipped. Another value than Skip and RunOnce is an error.
func WithMisfire(policy Misfire) JobOption {
	return jobOption(func(s *settings) { s.given |= optMisfire; s.misfire = policy })
}

// WithCatchUp skips an occurrence of a scheduled job that could begin only more than atMost after its time: since the
// job's lock was held, another execution had the turn, the machine slept or the clock was set. Without it, an
// occurrence that is late is executed all the same, unless it is by more than a year. An execution that [RunOnce]
// asks for is late by nothing: it is due at the restart. Zero or less is an error.
func WithCatchUp(atMost time.Duration) JobOption {
	return jobOption(func(s *settings) { s.given |= optCatchUp; s.catchUp = atMost })
}

// Skips are what a job has skipped.
type skips struct {
	total  uint64
	reason SkipReason // the last one's
	untold uint64     // how many there is no event of yet; the job's word has markSkipped then
}

// skipLocked counts what was skipped, unless nothing begins any more.
//
//go:noinline
func (j *job) skipLocked(n uint64, reason SkipReason) {
	if n == 0 || j.pool.state().closed() {
		return
	}
	x := j.extraLocked()
	x.skips = skips{x.skips.total + n, reason, x.skips.untold + n}
	j.change(0, markSkipped)
}

// tellSkipped tells of what was skipped, if it was not told yet, in a step of the job's that is over or, if it is to go
// on, becomes so, since observers may end its goroutine: then it returns true, and there will be another step at once.
//
//go:noinline
func (j *job) tellSkipped(goingOn bool) (over bool) {
	j.mu.Lock()
	if !j.state().has(markSkipped) || j.hasQuitLocked() {
		j.mu.Unlock()
		return false
	}
	e := j.untoldLocked(EventSkipped, nil)
	e.Reason, e.Skipped = string(j.extra.skips.reason), j.extra.skips.untold
	j.extra.skips.untold = 0
	j.change(markSkipped, 0)
	if over = goingOn && e.ticket != 0; over {
		j.setLocked(atOnce)
	}
	j.mu.Unlock()
	j.tellOf(e, nothing)
	return over
}

// turnedAwayLocked counts a turn that has met a stopped pool, or a paused job, unless RunNow has asked for it.
//
//go:noinline
func (j *job) turnedAwayLocked(asked bool) {
	if asked || j.hasQuitLocked() || !j.traits().periodic || j.kind().misfire() {
		return
	}
	j.skipLocked(1, cmp.Or(j.keptByLocked(), SkipStopped)) // the pool may have restarted since
}

// keptByLocked returns what keeps the job from executing for as long as somebody wants it to; "" if nothing does.
func (j *job) keptByLocked() SkipReason {
	switch w := j.state(); {
	case w.has(markPaused):
		return SkipPaused
	case !j.pool.state().admits(w):
		return SkipStopped
	}
	return ""
}
