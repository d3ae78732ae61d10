package jobs

import (
	"fmt"
	"time"

	"github.com/agentjobs/jobs/internal/handover"
)

// A watch is the part of a pool that stops and restarts the attached jobs together. Its cycle sweeps
// the jobs' Status while the pool is Running, and tries to restart it while it is Stopped; it rests
// while there is nothing to do. The pool's mutex guards it.
type watch struct {
	cycle     cycle
	since     time.Time // when the pool's status has changed last
	stopper   string    // the id of the job that stopped it last; empty if none did
	stopName  string    // its name
	stopError error
	restarts  int

	sweptAt   instant // when the last sweep began or, if there was none since, the pool's life
	stoppedAt instant
	triedAt   instant           // when the last attempt failed; at first, stoppedAt
	doublings int               // how often the wait for the next one has doubled
	demands   int               // how often an attempt was asked for, out of turn
	attempts  int               // how many were begun since the stop
	trying    bool              // an attempt is in progress
	late      map[*job]struct{} // attached jobs with a call that is late: no attempt while there is one

	abandonedRuns int
	recounts      chan struct{} // of one: an attempt is to look at the answers again
	swept         []*job        // the turn's own list, kept to be used again; no other may touch it
}

// A watchdog is a pool as its watch's cycle sees it.
type watchdog Pool

func (w *watchdog) step(uint32, time.Time) instant {
	(*Pool)(w).turn()
	return 0
}

func (w *watchdog) expired(uint32) {} // a turn has no limit

// rewatchLocked sets the moment of the next turn, after anything that it depends on has changed.
func (p *Pool) rewatchLocked() {
	if p.cycle.owner == nil {
		p.cycle.owner = (*watchdog)(p)
		p.recounts = make(chan struct{}, 1)
	}
	p.cycle.set(p.turnDueLocked())
}

func (p *Pool) turnDueLocked() instant {
	switch word := p.state(); {
	case word.shut():
		return never
	case word.running() && p.attached > 0:
		return p.sweptAt.after(p.durations().statusInterval)
	case word.running() || len(p.late) > 0:
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
			p.swept = nil // slow calls go by this list
		}
	default:
		p.tryRestart(life, demands, p.allReady(life, p.swept))
	}
}

// beginTurn says what is to be done, if anything is due.
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

// turned sets the moment of the next turn.
func (p *Pool) turned() {
	clear(p.swept)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trying = false
	p.rewatchLocked()
}

// A sweep is the calls of Status of the attached jobs that are Running, in one life of the pool.
type sweep struct {
	jobs []*job
	life poolWord
}

func (s sweep) Begin(i int) (timeLimit, bool) { return s.jobs[i].beginStatus(s.life) }

func (s sweep) Call(i int, _ timeLimit) { s.jobs[i].callStatus(s.life) }

func (s sweep) Slow(i int, limit timeLimit, since time.Time) {
	s.jobs[i].watchStatus(instantOf(since), limit)
}

// beginStatus claims a call of the job's Status, on behalf of the life of the pool whose word is given, if the job is
// attached and Running and is not being asked already. It returns the limit of the call.
func (j *job) beginStatus(life poolWord) (limit timeLimit, ok bool) {
	for {
		w := j.state()
		if statusOf(w, life) != JobStatusRunning || w&(markAttached|markGone|inStatus) != markAttached {
			return limit, false
		}
		if j.word.CompareAndSwap(uint64(w), uint64(w|inStatus)) {
			break
		}
	}
	if j.pool.state() != life { // looked at after the claim, as in admittedLocked
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
func (j *job) callStatus(life poolWord) {
	userCode(caller{pool: j.pool, job: j}, func() error { return inspect(j.task.Status()) }, func(err error) {
		if err == nil {
			j.endStatus()
			return
		}
		j.begin(inLog)
		defer j.end(inLog)
		if late := j.endStatus(); late {
			j.logIgnored("late call of Status has returned", err)
		} else {
			j.failed(life, "job status failed", j.statusError(err))
		}
	})
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
	if j.probe.timer != nil {
		j.probe.timer.Stop()
	}
	j.probe = nil
	late = j.state().has(lateStatus)
	j.change(inStatus|watchedStatus|lateStatus, 0)
	return late
}

func (j *job) statusError(cause error) error {
	return fmt.Errorf("status of %s job %s: %w", j.typeName(), j.id, cause)
}
