package jobs

import (
	"fmt"
	"log/slog"
	"time"
)

// longLife is for how many retry intervals a pool must have been Running, so that its next stop is no flapping.
const longLife = 10

// changeLocked changes the pool's status.
func (p *Pool) changeLocked(to poolWord) {
	p.word.Store(uint64(to))
	p.since = time.Now()
	p.announceLocked()
	p.lookAgainLocked()
}

// stopLocked stops the pool, because of a job if j is not nil, if the pool is still in the given life and not
// Stopped, and the job has a say in it. It returns the event, if it did.
func (p *Pool) stopLocked(life poolWord, j *job, err error) (stopped *untold) {
	if p.state() != life || life.status() == PoolStatusStopped || j != nil && !j.hasSay() {
		return nil
	}
	p.stopper, p.stopName, p.stopError = "", "", err
	if j != nil {
		p.stopper, p.stopName = j.id, j.name
	}
	p.stoppedAt = now()
	p.flaps = p.flapsLocked(j)
	p.refusal = refusal{}
	p.triedAt, p.doublings, p.attempts = p.stoppedAt, p.flaps, 0
	p.changeLocked(life.with(PoolStatusStopped))
	p.tellLocked(false)
	p.rewatchLocked()
	stopped = p.untoldLocked(EventPoolStopped, err)
	if j != nil {
		stopped.ID, stopped.Name, stopped.Type = j.id, j.name, j.typeName()
	}
	return stopped
}

// flapsLocked returns how often the first wait after a stop doubles, because of a job if j is not nil. A pool that has
// lived for less than the wait before its last restart waits twice as long, as after a refusal, so that jobs which
// fail again and again do not make the others restart all the time. A long life, or a stop by hand, begins anew.
func (p *Pool) flapsLocked(j *job) int {
	retry := p.durations().retryInterval
	switch life := time.Duration(p.stoppedAt - p.startedAt); {
	case j == nil, p.restarts == 0, life/longLife >= retry:
		return 0
	case life < backoff(retry, p.doublings):
		return nextDoublings(retry, p.doublings)
	}
	return p.doublings
}

// failed is called when something of the job has failed in the given life of the pool: it stops the pool, if that
// follows and the failure is not below the threshold, tells of the event, which may be nil, and logs. The call of the log
// handler already counts for the job.
func (j *job) failed(life poolWord, e *untold, of aspect, message string, err error, below bool) {
	var stopped *untold
	if !below {
		stopped = j.stopPool(life, err)
	}
	j.tellOf(e, func() { j.logFailed(of, message, err, below, stopped) })
}

// stopPool stops the pool because of the job, if that follows from its failure.
func (j *job) stopPool(life poolWord, err error) (stopped *untold) {
	j.pool.mu.Lock()
	defer j.pool.mu.Unlock()
	return j.pool.stopLocked(life, j, err)
}

// SetStatus stops or restarts the pool by hand. PoolStatusStopped stops it as a failure of a job would: the pool
// itself attempts to restart after the retry interval, however short its life was. PoolStatusRunning, on a stopped
// pool, makes an attempt at once; it happens on another goroutine, and fails if a job is not ready. After either, the
// waits between attempts begin with the retry interval again. Anything else, and any call after Shutdown, is logged
// and changes nothing.
func (p *Pool) SetStatus(status PoolStatus) {
	p.mu.Lock()
	word := p.state()
	var stopped *untold
	restart := status == PoolStatusRunning && word.status() == PoolStatusStopped && !word.closed() && p.held == nil
	if restart {
		p.flaps = 0
		p.demandLocked(atOnce)
	} else if status == PoolStatusStopped {
		stopped = p.stopLocked(word, nil, errSetStopped)
	}
	if !restart {
		p.beginLog()
	}
	p.mu.Unlock()
	p.tellPool(stopped)
	if stopped != nil {
		p.writeAside(slog.LevelInfo, "pool stopped", errorAttrs(errSetStopped)...)
	} else if !restart {
		p.writeAside(slog.LevelWarn, "status not set", slog.String("from", word.status().String()), slog.String("to", status.String()))
	}
}

var errSetStopped = fmt.Errorf("%w: by SetStatus", ErrStopped)

// hasSay reports whether the job can affect its pool's status.
func (j *job) hasSay() bool { return j.state().hasSay() }

// leftLocked acts on an attached job having been unregistered.
func (p *Pool) leftLocked(j *job) {
	p.clearLateLocked(j)
	p.forgiveLocked(j)
	if p.attached == 0 {
		p.flaps = 0
		p.demandLocked(p.stoppedAt)
	}
	p.recountLocked()
}

// noteLateLocked records that a call of the job is late, and returns the event if that has stopped the pool. A failure
// below the threshold does not.
func (p *Pool) noteLateLocked(j *job, err error, below bool) (stopped *untold) {
	if !j.hasSay() {
		return nil
	}
	p.addLateLocked(j)
	if below {
		return nil
	}
	return p.stopLocked(p.state(), j, err)
}

func (p *Pool) addLateLocked(j *job) {
	if p.late == nil {
		p.late = make(map[*job]struct{})
	}
	p.late[j] = struct{}{}
}

// clearLateLocked removes the job from the late ones, if no call of it is late any more, or matters. If it was the last, a
// restart is attempted, but not before one retry interval after the stop.
func (p *Pool) clearLateLocked(j *job) {
	if _, ok := p.late[j]; !ok || j.state().has(lateExecute|lateStatus) && j.hasSay() {
		return
	}
	delete(p.late, j)
	if len(p.late) == 0 && p.state().status() == PoolStatusStopped {
		p.demandLocked(p.stoppedAt)
	}
}
