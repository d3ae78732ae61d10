package jobs

import (
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"
)

// longestBackoff is what the wait between restart attempts may double up to. The next one is the
// retry interval again.
const longestBackoff = 10 * time.Minute

// A restartAnswer says how a job has answered the current, or the last, attempt to restart the pool:
//
//	none, ready, refused -> asked     by an attempt; one that still waits is not asked again
//	asked -> ready, refused           its Ready has returned
type restartAnswer uint32

const (
	answerNone restartAnswer = iota
	answerAsked
	answerReady
	answerRefused
)

func (j *job) restartAnswer() restartAnswer { return restartAnswer(j.answer.Load()) }

func backoff(base time.Duration, doublings int) time.Duration { return base << doublings }

// nextDoublings returns how often the wait doubles after one more failure.
func nextDoublings(base time.Duration, doublings int) int {
	if backoff(base, doublings) > longestBackoff/2 {
		return 0
	}
	return doublings + 1
}

// allReady asks the attached jobs that have started whether they are ready, and reports whether all
// are. It returns as soon as all were asked and one is not. An answer that takes long is waited for,
// here or by the next attempt, and not asked for again.
func (p *Pool) allReady(life poolWord, jobs []*job) bool {
	var asked []*job
	for _, j := range jobs {
		if j.attached() && j.state().started() && !j.state().over() {
			asked = append(asked, j)
		}
	}
	s := survey{jobs: asked, ask: p.askRestart}
	s.run()
	for {
		ready := true
		waiting := false
		for _, j := range asked {
			if !j.state().has(markGone) {
				ready = ready && j.restartAnswer() != answerRefused
				waiting = waiting || j.restartAnswer() == answerAsked
			}
		}
		if !ready || !waiting || p.state() != life {
			return ready
		}
		<-p.answered
	}
}

func (p *Pool) askRestart(j *job) {
	if restartAnswer(j.answer.Swap(uint32(answerAsked))) == answerAsked {
		return
	}
	answer := answerRefused
	defer func() { // deferred, since Ready may call runtime.Goexit
		j.answer.Store(uint32(answer))
		p.recount()
	}()
	if j.askReady(byPool) {
		answer = answerReady
	}
}

// recount makes an attempt that waits for answers look again.
func (p *Pool) recount() {
	select {
	case p.answered <- struct{}{}:
	default:
	}
}

// demandLocked asks for an attempt out of turn, as if the last one had been made at the instant given.
// One that is in progress does not answer for it.
func (p *Pool) demandLocked(triedAt instant) {
	p.triedAt, p.doublings = triedAt, 0
	p.demands++
	p.rewatchLocked()
}

// tryRestart restarts the pool and sets its jobs going, if all are ready and nothing has come in
// between. It is told how many demands the attempt answers for.
func (p *Pool) tryRestart(life poolWord, demands int, ready bool) {
	p.mu.Lock()
	switch {
	case p.state() != life || len(p.late) > 0:
		p.mu.Unlock()
		return
	case !ready:
		if p.demands == demands {
			p.triedAt = now()
			p.doublings = nextDoublings(p.retryInterval(), p.doublings)
		}
		p.mu.Unlock()
		return
	}
	p.untellAttachedLocked()
	p.restarts++
	p.trying = false
	p.sweptAt = now()
	p.changeLocked(life.with(PoolStatusRunning))
	p.swept = append(p.swept[:0], p.jobs...) // with those that came during the attempt
	p.mu.Unlock()
	for i, j := range p.swept {
		j.resume()
		if i%64 == 63 {
			runtime.Gosched() // lets those resumed use the processor, and their goroutines be used again
		}
	}
	p.log(slog.LevelDebug, "pool restarted")
}

// SetStatus stops or restarts the pool by hand. PoolStatusStopped stops it as a failure of a job would.
// PoolStatusRunning, on a stopped pool, is an attempt to restart it at once; it happens in another
// goroutine, and fails if a job is not ready. Anything else, and any call after Shutdown, is logged
// and changes nothing.
func (p *Pool) SetStatus(status PoolStatus) {
	p.mu.Lock()
	word := p.state()
	var stop stoppage
	restart := status == PoolStatusRunning && word.status() == PoolStatusStopped && !word.shut()
	if restart {
		p.demandLocked(atOnce)
	} else if status == PoolStatusStopped {
		stop = p.stopLocked(word, nil, errSetStopped)
	}
	p.mu.Unlock()
	endContexts(stop.cancels, ErrStopped)
	if stop.happened {
		p.logError("pool stopped", errSetStopped)
	} else if !restart {
		p.log(slog.LevelWarn, "status not set", slog.String("from", word.status().String()), slog.String("to", status.String()))
	}
}

var errSetStopped = fmt.Errorf("%w: by SetStatus", ErrStopped)

// UpdateDurations sets both the status interval and the retry interval to retryInterval, and the
// execution timeout. It acts at once: waits that have begun end the new interval after they began, and
// the backoff of restart attempts starts at the new one; a new timeout applies to calls that begin
// from now on. A retryInterval of 0 or less is logged and leaves the intervals as they are; an
// executionTimeout of 0 or less means that there is no limit.
func (p *Pool) UpdateDurations(retryInterval, executionTimeout time.Duration) {
	p.formerLimit.Store(&formerLimit{p.executionTimeout(), now()})
	p.setExecutionTimeout(executionTimeout)
	if err := setInterval(&p.retryEvery, "retry interval", retryInterval); err != nil {
		p.logIgnored(err)
		return
	}
	p.statusEvery.Store(int64(retryInterval))
	p.mu.Lock()
	p.doublings = 0
	p.rewatchLocked()
	jobs := slices.Clone(p.jobs)
	p.mu.Unlock()
	for _, j := range jobs {
		j.rewaitReady()
	}
}
