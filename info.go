package jobs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// JobInfo is a consistent snapshot of a job: all of it was true at the same moment. It encodes as JSON and decodes
// again, errors as errors with the same text.
type JobInfo struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Type     string    `json:"type"` // one of the JobType constants
	Detached bool      `json:"detached"`
	Status   JobStatus `json:"status"`

	// How the job is configured: its trigger and options, as Go writes them, its interval, if it is an interval job,
	// and the timeout of its executions, 0 if there is none. A timeout that UpdateDurations sets counts from the next
	// execution on.
	Trigger  string        `json:"trigger"`
	Options  []string      `json:"options,omitempty"` // those that have no field here
	Interval time.Duration `json:"intervalNs,omitzero"`
	Timeout  time.Duration `json:"timeoutNs,omitzero"`

	// Executions counts the executions that have begun, Failures those that failed, and ConsecutiveFailures those
	// that failed since one last ended without failing. An execution fails when it returns an error or panics, unless
	// the pool had told it to end, and when it exceeds its timeout.
	Executions          uint64 `json:"executions"`
	Failures            uint64 `json:"failures"`
	ConsecutiveFailures uint64 `json:"consecutiveFailures"`

	LastStart    time.Time     `json:"lastStart,omitzero"`   // when the last execution began
	LastEnd      time.Time     `json:"lastEnd,omitzero"`     // when the last one returned or was abandoned
	LastSuccess  time.Time     `json:"lastSuccess,omitzero"` // when the last successful one ended
	LastOutcome  Outcome       `json:"lastOutcome,omitzero"` // of the last one that ended, or is late
	LastDuration time.Duration `json:"lastDurationNs"`       // how long the last one took that returned in time
	NextRun      time.Time     `json:"nextRun,omitzero"`     // when the next one is due, if known

	// LastStatusError is the error of the last call of Status, nil if that has succeeded; StatusFailures is how many have
	// failed in a row, and StatusFailingSince when the first of these did.
	LastStatusError    error     `json:"-"`
	StatusFailures     uint64    `json:"statusFailures,omitzero"`
	StatusFailingSince time.Time `json:"statusFailingSince,omitzero"`

	// Skipped counts the occurrences of a scheduled job, and the turns of an interval job, that came and were not
	// executed since it has started; LastSkip is why the last one was not. Of the occurrences that come while the job
	// executes, or waits, or while its pool is Stopped, all are counted if the trigger is a cron expression (1,000 at
	// a time at most); of an interval job, or one On another schedule, one.
	Skipped  uint64     `json:"skipped,omitzero"`
	LastSkip SkipReason `json:"lastSkip,omitzero"`

	// OverdueSince is when the execution was due that the log says is overdue, and StaleSince when the time passed in which it
	// had to succeed: zero if it is not overdue, or stale. See WithOverdueAfter and WithFreshness.
	OverdueSince time.Time `json:"overdueSince,omitzero"`
	StaleSince   time.Time `json:"staleSince,omitzero"`

	Paused   *Pause   `json:"paused,omitzero"`    // nil if it is not paused
	Warnings []string `json:"warnings,omitempty"` // what may not have been meant: see schedule.Warnings, and a jitter that is longer than it is from one execution to the next
	// LastError is the error of the last execution that failed, or of a schedule's Next that panicked. A success does
	// not clear it. What an execution returns that was told to end, or exceeded its timeout, is kept beside the reason:
	// errors.Is finds both, unless it is no more than the error or the cause of its context.
	LastError error `json:"-"`

	// NotReady is why the job was not ready when it was last asked, if it was not, and said so: see WithReady.
	NotReady error `json:"-"`

	Attempts int         `json:"attempts,omitzero"` // of the execution in flight, or of the last one, see WithRetries; 0 without
	Progress JobProgress `json:"progress,omitzero"` // how far the execution in flight is, or how far the last one got, see the function Progress

	Reason       Reason `json:"reason,omitzero"`       // why it is not executing now; empty if it is
	NotExecuting string `json:"notExecuting,omitzero"` // the same in plain English
}

// PoolInfo is a consistent snapshot of a pool. It encodes as JSON and decodes again, errors as errors with the same
// text.
type PoolInfo struct {
	Status   PoolStatus `json:"status"`
	Since    time.Time  `json:"since,omitzero"`  // since when it has had that status
	Jobs     int        `json:"jobs"`            // how many are registered
	ShutDown bool       `json:"shutDown"`        // Shutdown was called: it is Stopped for good
	Drained  bool       `json:"drained"`         // Drain was called: it begins nothing any more
	Paused   *Pause     `json:"paused,omitzero"` // nil unless PausePool was called: it is Stopped until ResumePool
	Restarts int        `json:"restarts"`        // how often the pool has restarted after a stop

	// Unstarted is the number of attached jobs that have not started: they are not ready yet, or were registered
	// while the pool was Stopped. When the pool is Running and this is 0, all are at work, see WaitRunning.
	Unstarted int `json:"unstarted"`

	// StoppedBy is the id of the job that last stopped the pool, StoppedByName its name, and StopError its error.
	// They remain after the restart. A pool that SetStatus or Shutdown stopped has only an error.
	StoppedBy     string `json:"stoppedBy,omitzero"`
	StoppedByName string `json:"stoppedByName,omitzero"`
	StopError     error  `json:"-"`

	NextAttempt time.Time `json:"nextAttempt,omitzero"` // when a stopped pool next attempts to restart; zero during an attempt, or if a late call blocks it
	HeldUp      int       `json:"heldUp"`               // how many jobs block the restart of a stopped pool
	HeldUpBy    []HoldUp  `json:"heldUpBy,omitempty"`   // the first of them in order of registration, at most 100

	// DeadEnd says, in plain English, who has refused ten attempts to restart in a row, and which jobs cannot execute
	// until that is ready; empty if nobody has. If its Ready waits for an execution of theirs, the pool cannot restart by
	// itself: unregister or pause the job, or let its Ready not depend on them.
	DeadEnd string `json:"deadEnd,omitzero"`

	Abandoned        int `json:"abandoned"`        // abandoned executions, see WithAbandonAfter
	ObserverFailures int `json:"observerFailures"` // calls of observers that panicked or called runtime.Goexit, see WithObserver
}

// A HoldUp says that a job blocks the restart of its pool, and why.
type HoldUp struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Type   string    `json:"type"` // one of the JobType constants
	Reason Reason    `json:"reason"`
	Since  time.Time `json:"since,omitzero"` // when the pending call began, or Ready returned false
	Error  string    `json:"error,omitzero"` // why it is not ready, if it has said so, see WithReady
}

// String says so in plain English, as in `interval job "traffic" (0b3a…) is not ready: no token`.
func (h HoldUp) String() string {
	text := fmt.Sprintf("%s job %q (%s) %s", h.Type, h.Name, h.ID, cmp.Or(sentences[h.Reason].ofHoldUp, string(h.Reason)))
	if h.Error != "" {
		text += ": " + h.Error
	}
	return text
}

// A Reason is why a job is not executing, or why it blocks the restart of its pool. Later versions may add more.
type Reason string

// The reasons. If several apply to a job, it has that of the first gate that is shut, see Explain.
const (
	ReasonLate         Reason = "late"          // its execution exceeded its timeout and has not returned
	ReasonStatusLate   Reason = "status-late"   // the same for a call of its Status; only blocks a restart
	ReasonFinished     Reason = "finished"      // it is done for good
	ReasonFailed       Reason = "failed"        // it has failed for good
	ReasonUnregistered Reason = "unregistered"  // UnregisterJob has removed it
	ReasonShutdown     Reason = "shutdown"      // its pool was shut down
	ReasonDrained      Reason = "drained"       // Drain was called
	ReasonBroken       Reason = "broken"        // a detached channel job that ended with an error
	ReasonPaused       Reason = "paused"        // Pause was called
	ReasonReadyLate    Reason = "ready-late"    // its Ready exceeded its timeout and has not returned, see WithReady
	ReasonReadyPending Reason = "ready-pending" // its Ready has not returned
	ReasonNextPending  Reason = "next-pending"  // its schedule's Next has not returned
	ReasonNotReady     Reason = "not-ready"     // its Ready returned false
	ReasonStopped      Reason = "stopped"       // it is attached, and its pool is Stopped
	ReasonLocked       Reason = "locked"        // it is waiting for its lock, see JobLock
	ReasonConcurrency  Reason = "concurrency"   // it is waiting until fewer jobs execute, see WithMaxConcurrent
	ReasonLogging      Reason = "logging"       // the pool's log handler has not returned
	ReasonObserving    Reason = "observing"     // an observer has not returned
	ReasonBackoff      Reason = "backoff"       // a retry job that is waiting for its next attempt
	ReasonNotDue       Reason = "not-due"       // its next execution is not due yet
)

// sentences describe the reasons in plain English.
var sentences = map[Reason]struct{ ofJob, ofHoldUp string }{
	ReasonLate:         {"its last execution has exceeded its timeout and has not returned", "has an execution that is late"},
	ReasonStatusLate:   {ofHoldUp: "has a call of Status that is late"},
	ReasonFinished:     {ofJob: "it has finished"},
	ReasonFailed:       {ofJob: "it has failed for good"},
	ReasonUnregistered: {ofJob: "it was unregistered"},
	ReasonShutdown:     {ofJob: "its pool was shut down"},
	ReasonDrained:      {ofJob: "its pool was drained"},
	ReasonBroken:       {ofJob: "it has ended with an error"},
	ReasonPaused:       {ofJob: "it is paused"},
	ReasonReadyLate:    {"its Ready has exceeded its timeout and has not returned", "has a call of Ready that is late"},
	ReasonReadyPending: {"its Ready has not returned", "has a call of Ready that has not returned"},
	ReasonNextPending:  {ofJob: "its schedule has not answered"},
	ReasonNotReady:     {"it is not ready", "is not ready"},
	ReasonStopped:      {ofJob: "its pool is stopped"},
	ReasonLocked:       {ofJob: "it waits for its lock"},
	ReasonConcurrency:  {ofJob: "it waits until fewer jobs execute"},
	ReasonLogging:      {ofJob: "the pool's log handler has not returned"},
	ReasonObserving:    {ofJob: "an observer has not returned"},
	ReasonBackoff:      {ofJob: "it waits for its next attempt"},
	ReasonNotDue:       {ofJob: "its next execution is not due yet"},
}

// info returns a snapshot of the job. It acquires only the job's mutex.
func (j *job) info() JobInfo {
	j.mu.Lock()
	defer j.mu.Unlock()
	pool := j.pool.state()
	reason := j.reasonLocked(pool)
	var told reports
	if j.extra != nil {
		told = j.extra.reports
	}
	info := JobInfo{
		ID:                  j.id,
		Name:                j.name,
		Type:                j.typeName(),
		Detached:            j.traits().detachedName != "" && !j.attached(),
		Status:              statusOf(j.state(), pool),
		Trigger:             j.kind().trigger(),
		Options:             j.settings.texts(),
		Interval:            j.kind().period(),
		Timeout:             max(0, time.Duration(j.executionLimit())),
		Executions:          j.executions,
		Failures:            j.failures,
		ConsecutiveFailures: j.failedInARow,
		LastStart:           j.lastStart.time(),
		LastEnd:             j.lastEnd.time(),
		LastSuccess:         j.lastSuccess.time(),
		LastOutcome:         outcomes[j.lastOutcome],
		LastDuration:        j.lastDuration,
		LastError:           j.lastError,
		NotReady:            j.notReadyLocked(),
		Attempts:            told.attempts,
		Progress:            told.progress,
		NextRun:             j.nextRunLocked(pool),
		OverdueSince:        j.overdueSinceLocked(pool),
		StaleSince:          j.staleSinceLocked(),
		Paused:              j.pausedFor(),
		Warnings:            slices.Clone(j.warningsLocked()),
		Reason:              reason,
		NotExecuting:        sentences[reason].ofJob,
	}
	if j.extra != nil {
		s := j.extra.sickness
		info.Skipped, info.LastSkip = j.extra.skips.total, j.extra.skips.reason
		info.LastStatusError, info.StatusFailures, info.StatusFailingSince = s.err, s.inARow, s.since
	}
	return info
}

func (j *job) pausedFor() *Pause {
	if x := j.extra; x != nil && x.pause != nil {
		of := x.pause.Pause
		return &of
	}
	return nil
}

func (j *job) warnings() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.warningsLocked()
}

func (j *job) warningsLocked() []string {
	if j.extra == nil {
		return nil
	}
	return j.extra.warnings
}

// nextRunLocked returns when the next execution is due, or the zero time if that is unknown.
func (j *job) nextRunLocked(pool poolWord) time.Time {
	if w := j.state(); w.phase() != phaseStarted || w.has(markPaused) || j.cycle.stage != cycleWaiting || !pool.admits(w) {
		return time.Time{}
	}
	return j.kind().nextRun(j)
}

// wall returns the instant as a wall clock time.
func (i instant) wall() time.Time {
	t := time.Now()
	return t.Add(time.Duration(i - instantOf(t))).Round(0)
}

// expressible returns t if JSON can express it, in UTC if that can be expressed only there, or else the zero time.
func expressible(t time.Time) time.Time {
	for _, t := range [...]time.Time{t, t.UTC()} {
		_, offset := t.Zone()
		if _, err := t.MarshalText(); err == nil && offset%60 == 0 { // seconds of an offset would be lost
			return t
		}
	}
	return time.Time{}
}

// Info returns a snapshot of the pool.
func (p *Pool) Info() PoolInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.infoLocked()
}

func (p *Pool) infoLocked() PoolInfo {
	info := PoolInfo{
		Status:    p.state().status(),
		ShutDown:  p.state().shut(),
		Drained:   p.state()&poolDrained != 0,
		Paused:    p.pausedFor(),
		Since:     p.since.Round(0),
		Jobs:      len(p.jobs),
		Restarts:  p.restarts,
		Unstarted: int(p.unstarted.Load()),
		StopError: p.stopError,
		StoppedBy: p.stopper, StoppedByName: p.stopName,
		Abandoned:        p.abandonedRuns,
		ObserverFailures: int(p.events.failures.Load()),
	}
	if info.Status == PoolStatusStopped && !p.state().closed() {
		info.HeldUp, info.HeldUpBy = p.holdUpsLocked()
		info.DeadEnd = p.refusal.deadEnd
		if due := p.turnDueLocked(); due > now() && due != never && !p.trying {
			info.NextAttempt = due.wall()
		}
	}
	return info
}

// mostHoldUps limits the list, so that the pool's mutex is not held longer the more there are.
const mostHoldUps = 100

// holdUpsLocked returns what keeps a stopped pool from restarting. It looks at each job once, and before the first
// attempt only at late ones: no other can block it yet, and a stop must not take longer the more jobs there are.
func (p *Pool) holdUpsLocked() (all int, listed []HoldUp) {
	type holdUp struct {
		job    *job
		reason Reason
	}
	var first []holdUp // in order of registration
	look := func(j *job) {
		reason := j.holdUp()
		if reason == "" {
			return
		}
		all++
		at, _ := slices.BinarySearchFunc(first, j, func(h holdUp, j *job) int { return byOrder(h.job, j) })
		if at < mostHoldUps {
			first = slices.Insert(first[:min(len(first), mostHoldUps-1)], at, holdUp{j, reason})
		}
	}
	if p.attempts > 0 {
		for _, j := range p.jobs {
			look(j)
		}
	} else {
		for j := range p.late {
			look(j)
		}
	}
	for _, h := range first {
		listed = append(listed, h.job.describeHoldUp(h.reason))
	}
	return all, listed
}

// holdUp returns how the job blocks its pool's restart, if it does.
func (j *job) holdUp() Reason {
	w := j.state()
	switch answer := j.restartAnswer(); {
	case !w.hasSay():
	case w.has(lateExecute):
		return ReasonLate
	case w.has(lateStatus):
		return ReasonStatusLate
	case w.over(): // its answer no longer counts
	case w.has(lateReady) && (answer == answerAsked || answer == answerRefused):
		return ReasonReadyLate
	case answer == answerAsked:
		return ReasonReadyPending
	case answer == answerRefused:
		return ReasonNotReady
	}
	return ""
}

// describeHoldUp says since when, and why, the job has blocked the restart for that reason; without that if it no longer
// does.
func (j *job) describeHoldUp(reason Reason) HoldUp {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := HoldUp{ID: j.id, Name: j.name, Type: j.typeName(), Reason: reason}
	switch w := j.state(); {
	case reason == ReasonLate && w.has(lateExecute):
		h.Since = j.lastStart.time()
	case reason == ReasonStatusLate && w.has(watchedStatus):
		h.Since = j.extra.probe.since.wall()
	case reason == ReasonReadyLate, reason == ReasonReadyPending, reason == ReasonNotReady:
		h.Since = j.readiness.refused.wall()
		if err := j.notReadyLocked(); err != nil && reason != ReasonReadyPending {
			h.Error = err.Error() // which calls no user code
		}
	}
	return h
}

// notReadyLocked returns why the job was not ready when it was last asked, if it said so.
func (j *job) notReadyLocked() error {
	if j.extra == nil {
		return nil
	}
	return j.extra.notReady
}

// String names the job for people.
func (j *job) String() string { return fmt.Sprintf("%s job %q (%s)", j.typeName(), j.name, j.id) }

func byOrder(a, b *job) int { return cmp.Compare(a.order, b.order) }

// A remoteError is a decoded error, of which only the text is left.
type remoteError string

func (e remoteError) Error() string { return string(e) }

// textOf returns the text of an error, or nil.
func textOf(err error) *remoteError {
	if err == nil {
		return nil
	}
	text := remoteError(err.Error())
	return &text
}

// errorOf returns the error with that text, or nil.
func errorOf(text *remoteError) error {
	if text == nil {
		return nil
	}
	return *text
}

// plainJobInfo and plainPoolInfo are what encoding/json can see; the JSON forms add the texts of errors.
type (
	plainJobInfo  JobInfo
	plainPoolInfo PoolInfo
	jobInfoJSON   struct {
		*plainJobInfo
		LastError       *remoteError `json:"lastError,omitzero"`
		LastStatusError *remoteError `json:"lastStatusError,omitzero"`
		NotReady        *remoteError `json:"notReady,omitzero"`
	}
	poolInfoJSON struct {
		*plainPoolInfo
		StopError *remoteError `json:"stopError,omitzero"`
	}
)

// MarshalJSON adds the texts of LastError, LastStatusError and NotReady.
func (i JobInfo) MarshalJSON() ([]byte, error) {
	return json.Marshal(jobInfoJSON{(*plainJobInfo)(&i), textOf(i.LastError), textOf(i.LastStatusError), textOf(i.NotReady)})
}

// UnmarshalJSON reads what MarshalJSON has written.
func (i *JobInfo) UnmarshalJSON(data []byte) error {
	form := jobInfoJSON{plainJobInfo: (*plainJobInfo)(i)}
	if err := json.Unmarshal(data, &form); err != nil || string(data) == "null" {
		return err
	}
	i.LastError, i.LastStatusError, i.NotReady = errorOf(form.LastError), errorOf(form.LastStatusError), errorOf(form.NotReady)
	return nil
}

// MarshalJSON adds the text of StopError.
func (i PoolInfo) MarshalJSON() ([]byte, error) {
	return json.Marshal(poolInfoJSON{(*plainPoolInfo)(&i), textOf(i.StopError)})
}

// UnmarshalJSON reads what MarshalJSON has written.
func (i *PoolInfo) UnmarshalJSON(data []byte) error {
	form := poolInfoJSON{plainPoolInfo: (*plainPoolInfo)(i)}
	if err := json.Unmarshal(data, &form); err != nil || string(data) == "null" {
		return err
	}
	i.StopError = errorOf(form.StopError)
	return nil
}
