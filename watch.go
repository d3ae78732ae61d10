package jobs

import (
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
