package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A Pause is why, and for how long, a job is paused.
type Pause struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // zero if until Resume
	Reason string    `json:"reason"`
}

// A pause is a Pause with its timer, if it has an end. The timer ends with the pause. The job's mutex guards it.
type pause struct {
	Pause
	timer  *time.Timer
	timers int // how many there were: a timer that was stopped too late knows by that
}

// Pause makes a job begin nothing until Resume: no execution, no call of Ready or Status. An execution in flight goes
// on, and so does a call of Ready or Status. The job has no influence on its pool meanwhile: it neither stops it nor
// blocks its restart. Its status is Stopped, RunNow still executes it, and UnregisterJob and Shutdown work as always.
// The pause is not stored: a new process starts without.
//
// The reason, which must not be blank, is shown in JobInfo.Paused, the log and the event; a second call replaces it.
// Pause returns an error, and does nothing, if the reason is blank (ErrNoReason), the id is unknown (ErrUnknownJob), the
// job has ended (ErrEnded) or the pool was shut down (ErrShutdown).
func (p *Pool) Pause(id, reason string) error { return p.pause(id, time.Time{}, reason) }

// PauseUntil is Pause until the given time of the wall clock or Resume, whichever comes first. A time that has passed
// is an error that wraps ErrPassed; one after the year 9999, which JSON has no form for, is an error, too.
func (p *Pool) PauseUntil(id string, until time.Time, reason string) error {
	if !until.After(p.wallClock()) {
		return fmt.Errorf("pause job %q until %v: %w", id, until, ErrPassed)
	}
	shown := expressible(until.Round(0))
	if shown.IsZero() {
		return fmt.Errorf("pause job %q until %v: a time after the year 9999", id, until)
	}
	return p.pause(id, shown, reason)
}

// Resume ends a job's pause. If its next execution has become due meanwhile, an interval job executes at once, and a
// scheduled job at its next occurrence. It returns an error if the id is unknown (ErrUnknownJob), the job is not paused
// (ErrNotPaused) or the pool was shut down (ErrShutdown).
func (p *Pool) Resume(id string) error {
	return p.steer(id, "resume", func(j *job) (EventKind, string, error) {
		if !j.state().has(markPaused) {
			return "", "", ErrNotPaused
		}
		p.resumeLocked(j)
		return EventResumed, "", nil
	})
}

// Reschedule gives an interval or scheduled job another trigger: Every, Cron or On. All else of it stays: its id, name,
// lock, options, counters and history. An execution in flight goes on, and the new trigger decides what follows it. A new
// interval counts from the end of the last execution, if there was one; if that is past, the job executes at once. An
// occurrence that waits for its jitter is executed when that is over. An option that the new trigger has no use for, such
// as WithWallClock with Cron, has no effect for as long. The change is not stored: a new process starts with the trigger
// that it registers.
//
// Reschedule returns an error, and changes nothing, if the trigger is invalid, as Register does, or the trigger or the job
// is of another kind (ErrNotPeriodic), the id is unknown (ErrUnknownJob), the job has ended (ErrEnded) or the pool was shut
// down (ErrShutdown).
func (p *Pool) Reschedule(id string, trigger Trigger) error {
	j := p.registry.get(id)
	replacement, warnings, err := p.replacement(j, trigger)
	if err != nil {
		return fmt.Errorf("reschedule job %q: %w", id, err)
	}
	err = p.steer(id, "reschedule", func(j *job) (EventKind, string, error) {
		if j.state().over() {
			return "", "", ErrEnded
		}
		started := j.state().started()
		if started {
			j.kind().leave(j)
		}
		old := j.form.Swap(replacement)
		if warnings != nil || j.extra != nil {
			j.extraLocked().warnings = warnings
		}
		if started {
			replacement.kind.replace(old.kind, j)
		}
		return EventRescheduled, replacement.kind.trigger(), nil
	})
	if err == nil {
		j.logWarnings(warnings)
	}
	return err
}

// replacement returns what Reschedule gives a job, which is nil if it is unknown, and what its user may not have
// meant by that.
func (p *Pool) replacement(j *job, trigger Trigger) (*form, []string, error) {
	switch {
	case p.state().shut():
		return nil, nil, ErrShutdown
	case j == nil:
		return nil, nil, ErrUnknownJob
	case trigger == nil:
		return nil, nil, errNilTrigger
	case !j.traits().periodic || !trigger.traits().periodic:
		return nil, nil, ErrNotPeriodic
	}
	at := p.wallClock()
	kind, err := trigger.kind(j.task, j.settings, at)
	if err != nil {
		return nil, nil, err
	}
	return &form{kind, trigger.traits()}, kind.warnings(at), nil
}

// Cancel ends the context of a job's execution in flight, with ErrCanceled as its cause. The outcome is OutcomeTold,
// whatever error it then returns: an interval or scheduled job goes on at its next time, a channel job is executed
// again, and a single run or retry job is Failed. Cancel returns an error, and does nothing, if the id is unknown
// (ErrUnknownJob), no execution is in flight (ErrNotExecuting), it has no context, since the job is no ContextJob and
// there is no middleware (ErrNoContext), or the pool was shut down (ErrShutdown).
func (p *Pool) Cancel(id string) error {
	return p.steer(id, "cancel", func(j *job) (EventKind, string, error) {
		switch {
		case !j.state().has(inExecute):
			return "", "", ErrNotExecuting
		case j.ctx == nil:
			return "", "", ErrNoContext
		}
		j.endContextLocked(ErrCanceled)
		return EventCanceled, "", nil
	})
}

// steer does something to a job with both mutexes held, and then tells and logs what was done, and for what reason.
func (p *Pool) steer(id, verb string, do func(j *job) (done EventKind, reason string, err error)) error {
	j := p.registry.get(id)
	done, reason, n, err := p.steered(j, do)
	if err != nil {
		return fmt.Errorf("%s job %q: %w", verb, id, err)
	}
	p.steeredBy(j, n, done, reason)
	return nil
}

// steeredBy tells and logs what was done to a job. Both calls count already.
func (p *Pool) steeredBy(j *job, n ticket, done EventKind, reason string) {
	j.tellAside(done, n, reason)
	attrs := j.attrs()
	if reason != "" {
		attrs = append(attrs, slog.String("reason", reason))
	}
	p.writeAside(slog.LevelInfo, "job "+string(done), attrs...)
}

func (p *Pool) steered(j *job, do func(j *job) (EventKind, string, error)) (done EventKind, reason string, n ticket, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state().shut():
		return "", "", 0, ErrShutdown
	case j == nil:
		return "", "", 0, ErrUnknownJob
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state().has(markGone) {
		return "", "", 0, ErrUnknownJob
	}
	if done, reason, err = do(j); err != nil {
		return "", "", 0, err
	}
	p.beginLog()
	return done, reason, j.issueLocked(), nil
}

func (p *Pool) pause(id string, until time.Time, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return fmt.Errorf("pause job %q: %w", id, ErrNoReason)
	}
	return p.steer(id, "pause", func(j *job) (EventKind, string, error) {
		if j.state().over() {
			return "", "", ErrEnded
		}
		p.pauseLocked(j, until, reason)
		return EventPaused, reason, nil
	})
}

// pauseLocked pauses a job, or changes its pause. Both mutexes are held.
func (p *Pool) pauseLocked(j *job, until time.Time, reason string) {
	x := j.extraLocked()
	if x.pause == nil {
		x.pause = &pause{Pause: Pause{Since: time.Now().Round(0)}}
		j.change(0, markPaused)
		if w := j.state(); w.has(markAttached) {
			if !w.started() {
				p.unstarted.Add(-1)
				p.lookAgainLocked()
			}
			p.clearLateLocked(j)
			p.recountLocked()
			p.forgiveLocked(j)
		}
	}
	x.pause.Until, x.pause.Reason = until.Round(0), reason
	x.pause.stop()
	if !until.IsZero() {
		p.awaitEndLocked(j, x.pause)
	}
}

// awaitEndLocked sets the timer of a pause that has an end. The wall clock can be set, so it looks at it once a minute.
func (p *Pool) awaitEndLocked(j *job, of *pause) {
	of.timers++
	n := of.timers
	wait := min(of.Until.Sub(p.wallClock().Round(0)), longestSleep)
	of.timer = time.AfterFunc(wait, func() {
		if ticket, over := p.pauseOver(j, of, n); over {
			p.steeredBy(j, ticket, EventResumed, "the pause has ended")
		}
	})
}

// pauseOver ends the pause if its time has come, and reports whether it has. It counts the calls that tell and log it.
func (p *Pool) pauseOver(j *job, of *pause, timer int) (n ticket, over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.extra.pause != of || of.timers != timer || j.hasQuitLocked():
		return 0, false
	case of.Until.After(p.wallClock().Round(0)):
		p.awaitEndLocked(j, of)
		return 0, false
	}
	p.resumeLocked(j)
	p.beginLog()
	return j.issueLocked(), true
}

// stop stops the timer of a pause.
func (of *pause) stop() {
	of.timers++
	if of.timer != nil {
		of.timer.Stop()
		of.timer = nil
	}
}

// resumeLocked ends a job's pause and sets it going again, unless its next step is still to come. Both mutexes are held.
func (p *Pool) resumeLocked(j *job) {
	j.extra.pause.stop()
	j.extra.pause = nil
	j.change(markPaused, 0)
	if w := j.state(); w.has(markAttached) {
		if !w.started() {
			p.unstarted.Add(1)
		} else if p.trying {
			p.unasked = true
		}
		if w.has(lateExecute | lateStatus) {
			p.addLateLocked(j)
		}
	}
	if j.cycle.stage != cycleWaiting && !j.state().over() {
		j.kind().resume(j, SkipPaused)
		j.setLocked(atOnce)
	}
}

// PausePool stops the pool, as a failure of an attached job does, until ResumePool: unlike after SetStatus, it does not
// restart by itself. The reason, which must not be blank, is shown in PoolInfo.Paused, the log and the event; a second
// call replaces it. PausePool returns an error, and does nothing, if the reason is blank (ErrNoReason) or the pool was
// drained or shut down (ErrDrained, ErrShutdown).
func (p *Pool) PausePool(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return fmt.Errorf("pause pool: %w", ErrNoReason)
	}
	stopped, e, err := p.hold(reason)
	if err != nil {
		return fmt.Errorf("pause pool: %w", err)
	}
	p.tellPool(stopped)
	p.tellPool(e)
	p.writeAside(slog.LevelInfo, "pool paused", slog.String("reason", reason))
	return nil
}

// hold makes the pool Stopped until release, and counts the calls that log and tell of it.
func (p *Pool) hold(reason string) (stopped, e *untold, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if word := p.state(); word.closed() {
		return nil, nil, word.whyClosed()
	}
	since := time.Now().Round(0)
	if p.held != nil {
		since = p.held.Since
	}
	p.held = &Pause{Since: since, Reason: reason}
	stopped = p.stopLocked(p.state(), nil, fmt.Errorf("%w: paused: %s", ErrStopped, reason))
	p.rewatchLocked()
	p.beginLog()
	e = p.untoldLocked(EventPoolPaused, nil)
	e.Reason = reason
	return stopped, e, nil
}

// ResumePool ends PausePool: an attempt to restart the pool follows at once, on another goroutine. It returns an error
// if the pool is not paused (ErrNotPaused), or was drained or shut down (ErrDrained, ErrShutdown).
func (p *Pool) ResumePool() error {
	e, err := p.release()
	if err != nil {
		return fmt.Errorf("resume pool: %w", err)
	}
	p.tellPool(e)
	p.writeAside(slog.LevelInfo, "pool resumed")
	return nil
}

func (p *Pool) release() (*untold, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch word := p.state(); {
	case word.closed():
		return nil, word.whyClosed()
	case p.held == nil:
		return nil, ErrNotPaused
	}
	p.held = nil
	p.demandLocked(atOnce)
	p.beginLog()
	return p.untoldLocked(EventPoolResumed, nil), nil
}

// pausedFor returns why the pool is paused, or nil. Its mutex is held.
func (p *Pool) pausedFor() *Pause {
	if p.held == nil {
		return nil
	}
	held := *p.held
	return &held
}

// UnregisterAndWait unregisters a job, as UnregisterJob does, and waits until its last call has returned. If ctx ends
// first, it returns an error that wraps ctx's cause and names the calls; the job is unregistered all the same. It
// returns ErrUnknownJob for an unknown id. Called from inside a call of the job's, with a context that never ends, it
// waits for nothing and returns an error that wraps ErrInsideCall.
func (p *Pool) UnregisterAndWait(ctx context.Context, id string) error {
	ended := ctx.Done() // a nil ctx panics before anything has ended
	j := p.lockable(id) // also one that was unregistered before, and is still called
	if j == nil {
		return fmt.Errorf("unregister job %q: %w", id, ErrUnknownJob)
	}
	p.UnregisterJob(id)
	if ended == nil && j.calls() {
		return fmt.Errorf("unregister %s: %w", j, ErrInsideCall)
	}
	if !within(ctx, j.whenQuiet()) {
		calls, _ := j.callsInFlight()
		return fmt.Errorf("%s unregistered, but still in %s: %w", j, calls, context.Cause(ctx))
	}
	return nil
}
