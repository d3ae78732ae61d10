package jobs

import (
	"fmt"
	"time"

	"github.com/agentjobs/jobs/internal/handover"
)

// A watch is the part of a pool that stops and restarts the attached jobs together. Its cycle sweeps the jobs' Status
// while the pool is Running, and attempts to restart it while it is Stopped; it rests while there is nothing to do.
// The pool's mutex guards it.
type watch struct {
	cycle     cycle
	since     time.Time // when the pool's status last changed
	stopper   string    // the id of the job that last stopped it; empty if none did
	stopName  string    // its name
	stopError error
	restarts  int

	sweptAt   instant // when the last sweep began or, if none has since, the pool's life
	startedAt instant // when the pool last restarted
	stoppedAt instant
	triedAt   instant           // when the last attempt failed; initially stoppedAt
	flaps     int               // how often the first wait after the stop has doubled, see flapsLocked
	doublings int               // how often the wait for the next attempt has doubled; kept until the next stop
	demands   int               // how often an attempt was asked for out of turn
	attempts  int               // how many began since the stop
	trying    bool              // an attempt is in progress
	late      map[*job]struct{} // attached jobs with a late call: no attempt while there are any

	abandonedRuns int
	refusal       refusal
	held          *Pause        // nil unless PausePool was called; immutable, it is replaced
	unasked       bool          // a job was resumed that the attempt in progress has not asked
	recounts      chan struct{} // capacity 1: tells an attempt to look at the answers again
	swept         []*job        // the turn's own list, kept for reuse; nothing else may touch it
}

// A watchdog is a pool as its watch's cycle sees it.
type watchdog Pool

func (w *watchdog) step(uint32, time.Time) instant {
	(*Pool)(w).turn()
	return 0
}

func (w *watchdog) expired(uint32) {} // a turn has no timeout

// rewatchLocked reschedules the next turn after a change of anything that it depends on.
func (p *Pool) rewatchLocked() {
	if p.cycle.owner == nil {
		p.cycle.owner = (*watchdog)(p)
		p.recounts = make(chan struct{}, 1)
	}
	p.cycle.set(p.turnDueLocked())
}

func (p *Pool) turnDueLocked() instant {
	switch word := p.state(); {
	case word.closed():
		return never
	case word.running() && p.attached > 0:
		return p.sweptAt.after(p.durations().statusInterval)
	case word.running() || len(p.late) > 0 || p.held != nil:
		return never
	case p.triedAt == atOnce:
		return atOnce
	case word.status() == PoolStatusStopped:
		return p.triedAt.after(backoff(p.durations().retryInterval, p.doublings))
	}
	return never
}

// turn is the step of the watch's cycle.
func (p *Pool) turn() {
	defer p.turned()
	switch life, demands, due := p.beginTurn(); {
	case !due:
	case life.running():
		if !handover.Run(len(p.swept), sweep{p.swept, life}) {
			p.swept = nil // slow calls still use this list
		}
	default:
		p.tryRestart(life, demands, p.allReady(life, p.swept))
	}
}

// beginTurn returns what to do, if anything is due.
func (p *Pool) beginTurn() (life poolWord, demands int, due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	life, demands = p.state(), p.demands
	if now() < p.turnDueLocked() {
		return life, demands, false
	}
	p.swept = append(p.swept[:0], p.jobs...)
	if life.running() {
		p.sweptAt = now()
	} else {
		p.trying = true
		p.attempts++
	}
	return life, demands, true
}

// turned schedules the next turn.
func (p *Pool) turned() {
	clear(p.swept)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trying, p.unasked = false, false
	p.rewatchLocked()
}

// A sweep calls Status of the attached jobs that are Running, in one life of the pool.
type sweep struct {
	jobs []*job
	life poolWord
}

func (s sweep) Begin(i int) (timeLimit, bool) { return s.jobs[i].beginStatus(s.life) }

func (s sweep) Call(i int, limit timeLimit) { s.jobs[i].callStatus(s.life, limit) }

func (s sweep) Slow(i int, limit timeLimit, since time.Time) {
	s.jobs[i].watchStatus(instantOf(since), limit)
}

// beginStatus claims a call of the job's Status on behalf of the given life of the pool, if the job is attached and
// Running and no such call is in flight. It returns the call's timeout.
func (j *job) beginStatus(life poolWord) (limit timeLimit, ok bool) {
	for {
		w := j.state()
		if statusOf(w, life) != JobStatusRunning || !w.hasSay() || w.has(inStatus) {
			return limit, false
		}
		if j.word.CompareAndSwap(uint64(w), uint64(w|inStatus)) {
			break
		}
	}
	if j.pool.state() != life { // checked after the claim, as in admittedLocked
		j.end(inStatus)
		return limit, false
	}
	limit = j.statusLimit()
	if 0 < limit && limit < timeLimit(handover.Slow) {
		j.watchStatus(now(), limit) // it will be late before it is slow
	}
	return limit, true
}

// callStatus makes the call that was claimed.
func (j *job) callStatus(life poolWord, limit timeLimit) {
	if j.isFunc {
		j.callFuncsStatus(life, limit)
		return
	}
	userCode(caller{pool: j.pool, job: j}, func() error { return inspect(j.task.Status()) }, func(err error) {
		j.statusReturned(life, nil, err)
	})
}

// statusReturned ends the call of Status, and acts on its error. That is no failure if the call was told to end.
func (j *job) statusReturned(life poolWord, excuse, err error) {
	if err == nil {
		j.recover()
		j.endStatus()
		return
	}
	j.begin(inLog)
	defer j.end(inLog)
	switch late := j.endStatus(); {
	case late:
		j.logIgnored(ofStatus, "late call of Status has returned", err)
	case excuse != nil:
		j.logIgnored(ofStatus, "call of Status has ended as told", err)
	default:
		err = j.statusError(err)
		e, below := j.sicken(err)
		j.failed(life, e, ofStatus, "job status failed", err, below)
	}
}

// endStatus ends the call of Status, and reports whether it was late.
func (j *job) endStatus() (late bool) {
	defer j.settle()
	for {
		w := j.word.Load()
		if jobWord(w).has(watchedStatus) {
			return j.endWatchedStatus()
		}
		if j.word.CompareAndSwap(w, w&^uint64(inStatus)) {
			return false
		}
	}
}

func (j *job) endWatchedStatus() (late bool) {
	p := j.pool
	p.mu.Lock() // since the call may be late, see recordLateEnd
	defer p.mu.Unlock()
	if late = j.unwatchStatus(); late {
		p.clearLateLocked(j)
	}
	return late
}

func (j *job) unwatchStatus() (late bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if timer := j.extra.probe.timer; timer != nil {
		timer.Stop()
	}
	j.extra.probe = nil
	late = j.state().has(lateStatus)
	j.change(inStatus|watchedStatus|lateStatus, 0)
	return late
}

// A sickness is how a job's Status has failed until now. The job's word says whether its last call has.
type sickness struct {
	err    error // the last one
	since  time.Time
	inARow uint64
}

// sicken records that a call of Status has failed, and returns the event, and whether it takes more failures to stop the
// pool.
func (j *job) sicken(err error) (e *untold, below bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.untoldLocked(EventStatusFailed, err), j.sickenLocked(err)
}

func (j *job) sickenLocked(err error) (below bool) {
	s := &j.extraLocked().sickness
	if s.inARow == 0 {
		s.since = time.Now().Round(0)
	}
	s.err = err
	s.inARow++
	j.change(0, markSick)
	return j.belowThresholdLocked(s.inARow)
}

// recover records that a call of Status, which has not ended yet, has succeeded. If it is late, it has failed.
func (j *job) recover() {
	if !j.state().has(markSick) {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.state().has(lateStatus) {
		j.change(markSick, 0)
		j.extra.sickness = sickness{}
		j.hushLocked(ofStatus)
	}
}

func (j *job) statusError(cause error) error {
	return fmt.Errorf("status of %s job %s: %w", j.typeName(), j.id, cause)
}
