package jobs

import (
	"fmt"
	"time"
)

// A GateName is the name of a gate, which says what holds if it is open. Later versions may add more.
type GateName string

// The gates that an execution passes, in this order.
const (
	GateRegistered  GateName = "registered"   // the job is registered
	GateNotEnded    GateName = "not-ended"    // it is neither Finished nor Failed for good
	GatePoolOpen    GateName = "pool-open"    // its pool was neither drained nor shut down
	GatePoolRunning GateName = "pool-running" // its pool is Running, if it is attached
	GateNotPaused   GateName = "not-paused"   // it is not paused
	GateReady       GateName = "ready"        // its Ready has returned true
	GateLock        GateName = "lock"         // nobody else holds its lock, as far as it has to wait for that
	GateConcurrency GateName = "concurrency"  // it need not wait until fewer jobs execute, see WithMaxConcurrent
	GateNotLate     GateName = "not-late"     // no execution of it is late
	GateSchedule    GateName = "schedule"     // it is due
)

// A Gate is one of the conditions of an execution. A job executes when all of them are open.
type Gate struct {
	Name   GateName  `json:"name"`
	Open   bool      `json:"open"`
	Reason Reason    `json:"reason,omitzero"` // why it is shut
	Since  time.Time `json:"since,omitzero"`  // since when it is shut, if known
	By     string    `json:"by,omitzero"`     // what has shut it, in plain English
	Opens  string    `json:"opens,omitzero"`  // what opens it next, in plain English; empty if nothing does
	At     time.Time `json:"at,omitzero"`     // when it opens, or is tried next, if known
}

// gateNames are the gates in order, by their index.
var gateNames = [...]GateName{
	GateRegistered, GateNotEnded, GatePoolOpen, GatePoolRunning, GateNotPaused, GateReady, GateLock, GateConcurrency,
	GateNotLate, GateSchedule,
}

// shutLocked returns why a gate is shut, or "" if it is open. The job's mutex is held.
func (j *job) shutLocked(gate int, pool poolWord) Reason {
	w := j.state()
	if w.has(inExecute) && gateNames[gate] != GateNotLate {
		if w.has(atBegin) && gateNames[gate] == GateSchedule {
			return ReasonObserving // it has begun, but was not called yet
		}
		return "" // it has passed
	}
	switch gateNames[gate] {
	case GateRegistered:
		if w.has(markGone) {
			return ReasonUnregistered
		}
	case GateNotEnded:
		switch {
		case w.phase() == phaseFinished:
			return ReasonFinished
		case w.phase() == phaseFailed:
			return ReasonFailed
		case w.has(markBroken):
			return ReasonBroken
		}
	case GatePoolOpen:
		switch {
		case pool.shut():
			return ReasonShutdown
		case pool.closed():
			return ReasonDrained
		}
	case GatePoolRunning:
		if !pool.closed() && !pool.admits(w) {
			return ReasonStopped
		}
	case GateNotPaused:
		if w.has(markPaused) {
			return ReasonPaused
		}
	case GateReady:
		switch {
		case w.has(lateReady):
			return ReasonReadyLate
		case w.has(inReady):
			return ReasonReadyPending
		case w.phase() == phaseUnready:
			return ReasonNotReady
		}
	case GateLock:
		if j.lock.executionWaits() {
			return ReasonLocked
		}
	case GateConcurrency:
		if j.extra != nil && j.extra.slot != nil {
			return ReasonConcurrency
		}
	case GateNotLate:
		if w.has(lateExecute) {
			return ReasonLate
		}
	case GateSchedule:
		return j.notDueLocked(w)
	}
	return ""
}

// notDueLocked returns why a job for which all other gates are open is not executing.
func (j *job) notDueLocked(w jobWord) Reason {
	switch {
	case w.over(), w.has(markBroken):
		return "" // nothing is scheduled
	case j.lock.executionWaits(), j.extra != nil && j.extra.slot != nil:
		return "" // it is due, and waits for what another gate tells
	case w.has(inNext):
		return ReasonNextPending
	case j.inStepLocked() && w.has(observeMask):
		return ReasonObserving
	case j.inStepLocked() && w.has(logMask):
		return ReasonLogging
	case w.has(markRetrying):
		return ReasonBackoff
	}
	return ReasonNotDue
}

// reasonLocked returns why the job is not executing, if it is not: the reason of the first gate that is shut.
func (j *job) reasonLocked(pool poolWord) Reason {
	for gate := range gateNames {
		if reason := j.shutLocked(gate, pool); reason != "" {
			return reason
		}
	}
	return ""
}

// Explain returns the gates that an execution of a job passes, in order, and for each that is shut since when, by
// what, and what opens it next. The first that is shut is JobInfo.Reason. If all are open, the job is executing. A gate
// behind one that is shut may have more to it than can be known: what is due is found when the gates before it are open.
// For an unknown id it returns nil.
func (p *Pool) Explain(id string) (gates []Gate) {
	j := p.registry.get(id)
	if j == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	info := p.infoLocked()
	j.mu.Lock()
	defer j.mu.Unlock()
	for gate, name := range gateNames {
		reason := j.shutLocked(gate, p.state())
		g := Gate{Name: name, Open: reason == "", Reason: reason}
		if !g.Open {
			g.By = sentences[reason].ofJob
			j.explainLocked(&g, &info)
		}
		gates = append(gates, g)
	}
	return gates
}

// explainLocked fills in what is known of a gate that is shut. Both mutexes are held.
func (j *job) explainLocked(g *Gate, pool *PoolInfo) {
	switch g.Reason {
	case ReasonFinished, ReasonFailed, ReasonBroken:
		g.Since = j.lastEnd.time()
	case ReasonShutdown, ReasonDrained:
		g.Since = pool.Since
	case ReasonStopped:
		g.Since, g.At = pool.Since, pool.NextAttempt
		g.By = j.pool.stoppedBy()
		g.Opens = "the next attempt to restart the pool"
		switch {
		case pool.Paused != nil:
			g.By = "its pool is paused: " + pool.Paused.Reason
			g.Opens = "ResumePool"
		case pool.HeldUp > 0:
			g.Opens += fmt.Sprintf(", which %d jobs block; the first is that %v", pool.HeldUp, pool.HeldUpBy[0])
			if pool.DeadEnd != "" {
				g.Opens += "; " + pool.DeadEnd
			}
		}
	case ReasonPaused:
		of := j.extra.pause
		g.Since, g.At = of.Since, of.Until
		g.By = "it is paused: " + of.Reason
		g.Opens = "Resume"
	case ReasonReadyPending, ReasonReadyLate:
		g.Opens = "the return of its Ready"
	case ReasonNotReady:
		g.Since = j.notReadySince()
		if err := j.notReadyLocked(); err != nil {
			g.By += ": " + err.Error()
		}
		g.Opens = "the next call of its Ready"
		if j.stage == cycleWaiting {
			g.At = j.due.wall()
		}
	case ReasonLocked:
		g.Opens = "JobUnlock"
	case ReasonConcurrency:
		g.Opens = "the end of another job's execution"
	case ReasonLate:
		g.Since = j.lastStart.time()
		g.Opens = "the return of its execution"
	case ReasonNextPending:
		g.Opens = "the answer of its schedule"
	case ReasonNotDue, ReasonBackoff:
		g.At = j.nextRunLocked(j.pool.state())
		if !g.At.IsZero() {
			g.Opens = "its time"
		}
	}
}

// notReadySince returns when Ready last returned false, or the zero time if it has not.
func (j *job) notReadySince() time.Time {
	if j.readiness.polls == 0 {
		return time.Time{}
	}
	return j.readiness.refused.wall()
}

// stoppedBy returns what has stopped the pool, in plain English. Its mutex is held.
func (p *Pool) stoppedBy() string {
	switch {
	case p.stopper != "":
		return fmt.Sprintf("its pool was stopped by job %q (%s): %v", p.stopName, p.stopper, p.stopError)
	case p.stopError != nil:
		return fmt.Sprintf("its pool is stopped: %v", p.stopError)
	}
	return sentences[ReasonStopped].ofJob
}
