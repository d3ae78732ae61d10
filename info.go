package jobs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// JobInfo is one consistent view of a job: all of it was true at the same moment.
type JobInfo struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Type     string    `json:"type"` // one of the JobType constants
	Detached bool      `json:"detached"`
	Status   JobStatus `json:"status"`

	// Executions counts the executions that have begun, Failures those of them that have failed, and
	// ConsecutiveFailures those that have failed since one last succeeded. An execution fails when it
	// returns an error or panics, unless the pool had told it to end, and when it outruns its time limit.
	Executions          uint64 `json:"executions"`
	Failures            uint64 `json:"failures"`
	ConsecutiveFailures uint64 `json:"consecutiveFailures"`

	LastStart    time.Time     `json:"lastStart,omitzero"`    // when the last execution began
	LastDuration time.Duration `json:"lastDuration"`          // how long the last one that has returned in time took
	LastError    error         `json:"lastError,omitempty"`   // of the last one that failed, or of a schedule's Next that panicked; a success does not clear it
	NextRun      time.Time     `json:"nextRun,omitzero"`      // when the next one is due, if that is known
	NotExecuting string        `json:"notExecuting,omitzero"` // why it is not executing now; empty if it is
}

// PoolInfo is one consistent view of a pool.
type PoolInfo struct {
	Status   PoolStatus `json:"status"`
	Since    time.Time  `json:"since,omitzero"` // when it became that
	Jobs     int        `json:"jobs"`           // how many are registered
	Restarts int        `json:"restarts"`       // how often the pool has restarted after a stop

	// Unstarted is how many attached jobs have not started: they are not ready yet, or came while the pool
	// was Stopped. A pool that is Running with none of them is all at work, see WaitRunning.
	Unstarted int `json:"unstarted"`

	// StoppedBy is the id of the job that has stopped the pool last, StoppedByName its name, and
	// StopError the error it did that with. They stay after the restart. A pool that SetStatus or
	// Shutdown has stopped has an error only.
	StoppedBy     string `json:"stoppedBy,omitzero"`
	StoppedByName string `json:"stoppedByName,omitzero"`
	StopError     error  `json:"-"`

	NextAttempt time.Time `json:"nextAttempt,omitzero"` // when a stopped pool next tries to restart; zero if it is trying, or held up
	HeldUpBy    []string  `json:"heldUpBy,omitempty"`   // what keeps a stopped pool from restarting, a line for each job

	Abandoned int `json:"abandoned"` // executions given up, see WithAbandonAfter
}

// info returns a view of the job. It holds the job's mutex only.
func (j *job) info() JobInfo {
	j.mu.Lock()
	defer j.mu.Unlock()
	pool := j.pool.state()
	return JobInfo{
		ID:                  j.id,
		Name:                j.name,
		Type:                j.typeName(),
		Detached:            j.traits.detachedName != "" && !j.attached(),
		Status:              statusOf(j.state(), pool),
		Executions:          j.executions,
		Failures:            j.failures,
		ConsecutiveFailures: j.failedInARow,
		LastStart:           j.lastStart.Round(0),
		LastDuration:        j.lastDuration,
		LastError:           j.lastError,
		NextRun:             j.nextRunLocked(pool),
		NotExecuting:        j.notExecutingLocked(pool),
	}
}

// nextRunLocked returns when the next execution is due, or the zero time if nobody knows.
func (j *job) nextRunLocked(pool poolWord) time.Time {
	if j.state().phase() != phaseStarted || j.cycle.stage != cycleWaiting || !pool.admits(j.state()) {
		return time.Time{}
	}
	return j.kind.nextRun(j)
}

// wall returns the instant as a time of the wall clock.
func (i instant) wall() time.Time {
	t := time.Now()
	return t.Add(time.Duration(i - instantOf(t))).Round(0)
}

// expressible returns a time that JSON has a form for: in UTC if t's zone has none, zero if its year has none.
func expressible(t time.Time) time.Time {
	for _, t := range [...]time.Time{t, t.UTC()} {
		if _, err := t.MarshalText(); err == nil {
			return t
		}
	}
	return time.Time{}
}

func (j *job) notExecutingLocked(pool poolWord) string {
	state := j.state()
	switch phase := state.phase(); {
	case state.has(lateExecute):
		return "its last execution has outrun its time limit and has not returned"
	case state.has(inExecute):
		return ""
	case phase == phaseFinished:
		return "it has finished"
	case phase == phaseFailed:
		return "it has failed for good"
	case state.has(markGone):
		return "it was unregistered"
	case pool.shut():
		return "its pool was shut down"
	case state.has(markBroken):
		return "it has ended with an error"
	case state.has(inReady):
		return "its Ready has not returned"
	case state.has(inNext):
		return "its schedule has not answered"
	case phase == phaseUnready:
		return "it is not ready"
	case !pool.admits(state):
		return "its pool is stopped"
	case j.lock.executionWaits():
		return "it waits for its lock"
	case j.inStepLocked() && state.has(logMask):
		return "the pool's log handler has not returned"
	case state.has(markRetrying):
		return "it waits for its next attempt"
	}
	return "its next execution is not due yet"
}

// Info returns what there is to know about the pool.
func (p *Pool) Info() PoolInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.infoLocked()
}

func (p *Pool) infoLocked() PoolInfo {
	info := PoolInfo{
		Status:    p.state().status(),
		Since:     p.since.Round(0),
		Jobs:      len(p.jobs),
		Restarts:  p.restarts,
		Unstarted: int(p.unstarted.Load()),
		StopError: p.stopError,
		StoppedBy: p.stopper, StoppedByName: p.stopName,
		Abandoned: p.abandonedRuns,
	}
	if info.Status == PoolStatusStopped && !p.state().shut() {
		info.HeldUpBy = p.holdUpsLocked()
		if due := p.turnDueLocked(); due > now() && due != never && !p.trying {
			info.NextAttempt = due.wall()
		}
	}
	return info
}

// holdUpsLocked returns what keeps a stopped pool from restarting. It looks at each job once, and before the first
// attempt only at those that are late: no other can hold it up yet, and a stop is to take no longer the more jobs there are.
func (p *Pool) holdUpsLocked() (lines []string) {
	type holdUp struct {
		*job
		reason string
	}
	var found []holdUp
	look := func(j *job) {
		if reason := j.holdUp(); reason != "" {
			found = append(found, holdUp{j, reason})
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
	slices.SortFunc(found, func(a, b holdUp) int { return byOrder(a.job, b.job) })
	for _, h := range found {
		lines = append(lines, fmt.Sprintf("%s %s", h.job, h.reason))
	}
	return lines
}

// holdUp says how the job keeps its pool from restarting, if it does.
func (j *job) holdUp() string {
	w := j.state()
	switch answer := j.restartAnswer(); {
	case !w.has(markAttached):
	case w.has(lateExecute):
		return "has an execution that is late"
	case w.has(lateStatus):
		return "has a call of Status that is late"
	case w.over(): // its answer does not count any more
	case answer == answerAsked:
		return "has a call of Ready that has not returned"
	case answer == answerRefused:
		return "is not ready"
	}
	return ""
}

// String names the job for people.
func (j *job) String() string { return fmt.Sprintf("%s job %q (%s)", j.typeName(), j.name, j.id) }

func byOrder(a, b *job) int { return cmp.Compare(a.order, b.order) }

// MarshalJSON adds the text of StopError, which encoding/json cannot see.
func (i PoolInfo) MarshalJSON() ([]byte, error) {
	type plain PoolInfo
	var stopError string
	if i.StopError != nil {
		stopError = i.StopError.Error()
	}
	return json.Marshal(struct {
		plain
		StopError string `json:"stopError,omitzero"`
	}{plain(i), stopError})
}
