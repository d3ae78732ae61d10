package jobs

import (
	"context"
	"log/slog"
	"time"
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
	trying    bool              // an attempt is in progress
	late      map[*job]struct{} // attached jobs with a call that is late: no attempt while there is one

	abandonedRuns int
	answered      chan struct{} // of one: an attempt is to look at the answers again
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
		p.answered = make(chan struct{}, 1)
	}
	p.cycle.set(p.turnDueLocked())
}

func (p *Pool) turnDueLocked() instant {
	switch word := p.state(); {
	case word.shut():
		return never
	case word.running() && p.attached > 0:
		return p.sweptAt.after(p.statusInterval())
	case word.running() || len(p.late) > 0:
		return never
	case p.triedAt == atOnce:
		return atOnce
	case word.status() == PoolStatusStopped:
		return p.triedAt.after(backoff(p.retryInterval(), p.doublings))
	}
	return never
}

// turn is the step of the watch's cycle.
func (p *Pool) turn() {
	defer p.turned() // deferred, since a log handler may call runtime.Goexit
	switch life, demands, due := p.beginTurn(); {
	case !due:
	case life.running():
		p.sweep(life, p.swept)
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

// resume sets an attached job going, after a restart. One that is not ready goes on being polled.
func (j *job) resume() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if w := j.state(); !w.has(markAttached) || w.phase() < phaseReady || w.over() {
		return
	}
	if s, ok := j.kind.(*scheduledJob); ok {
		s.skip(j.pool.wallClock())
	}
	j.setLocked(atOnce)
}

// sweep calls the Status of the attached jobs.
func (p *Pool) sweep(life poolWord, jobs []*job) {
	s := survey{
		jobs: jobs,
		ask: func(j *job) {
			if j.attached() && p.state() == life {
				j.checkHealth(life)
			}
		},
		slow: (*job).watchHealth,
	}
	s.run()
}

// changeLocked gives the pool another status.
func (p *Pool) changeLocked(to poolWord) {
	p.word.Store(uint64(to))
	p.since = time.Now()
	p.announceLocked()
	p.lookAgainLocked()
}

// A stoppage is what a stop has left to do without the pool's mutex. The zero one is none.
type stoppage struct {
	happened bool
	cancels  []context.CancelCauseFunc // end the contexts of the channel jobs
}

// stopLocked stops the pool, on account of a job or of nobody, if it still lives the life given, is not
// Stopped, and the job has a say in it.
func (p *Pool) stopLocked(life poolWord, j *job, err error) stoppage {
	if p.state() != life || life.status() == PoolStatusStopped || j != nil && !j.watched() {
		return stoppage{}
	}
	p.stopper, p.stopName, p.stopError = "", "", err
	if j != nil {
		p.stopper, p.stopName = j.id, j.name
	}
	p.stoppedAt = now()
	p.triedAt, p.doublings = p.stoppedAt, 0
	p.changeLocked(life.with(PoolStatusStopped))
	cancels := p.tellAttachedLocked()
	p.rewatchLocked()
	return stoppage{happened: true, cancels: cancels}
}

// finish does the rest, and logs the failure that the stop is due to.
func (s stoppage) finish(j *job, message string, err error) {
	endContexts(s.cancels, ErrStopped)
	j.logFailure(message, err)
	if s.happened {
		j.log(slog.LevelError, "pool stopped", slog.String("error", err.Error()))
	}
}

// failed is called when something of the job has failed in the life of the pool given: it stops the
// pool, if that follows, and logs.
func (j *job) failed(life poolWord, message string, err error) {
	j.pool.mu.Lock()
	stop := j.pool.stopLocked(life, j, err)
	j.pool.mu.Unlock()
	stop.finish(j, message, err)
}

func endContexts(cancels []context.CancelCauseFunc, cause error) {
	for _, cancel := range cancels {
		cancel(cause)
	}
}

// watched reports whether the job has a say in what its pool does.
func (j *job) watched() bool { return j.state()&(markAttached|markGone) == markAttached }

// noteLateLocked takes note of a call of the job that is late, and stops the pool.
func (p *Pool) noteLateLocked(life poolWord, j *job, err error) stoppage {
	if !j.watched() {
		return stoppage{}
	}
	if p.late == nil {
		p.late = make(map[*job]struct{})
	}
	p.late[j] = struct{}{}
	return p.stopLocked(life, j, err)
}

// lateReturned is called when a late call of the job has returned.
func (p *Pool) lateReturned(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settleLateLocked(j)
}

// settleLateLocked takes the job off the late ones, if no call of it is late any more. If it was the
// last, a restart is attempted, though not before one retry interval after the stop.
func (p *Pool) settleLateLocked(j *job) {
	if _, ok := p.late[j]; !ok || j.late() && !j.state().has(markGone) {
		return
	}
	delete(p.late, j)
	if len(p.late) == 0 {
		p.demandLocked(p.stoppedAt)
	}
}

func (j *job) late() bool {
	return j.state().phase() == phaseLate || healthState(j.health.Load()) == healthLate
}

// unwatchLocked draws the consequences of an attached job having been unregistered.
func (p *Pool) unwatchLocked(j *job) {
	p.settleLateLocked(j)
	if p.attached == 0 {
		p.demandLocked(p.stoppedAt)
	}
	p.recount()
}
