package jobs

import (
	"log/slog"
	"runtime"
	"slices"
	"time"

	"github.com/agentjobs/jobs/internal/handover"
)

// longestBackoff is the limit of the doubling wait before a restart attempt. After it comes the retry interval again.
const longestBackoff = 10 * time.Minute

// A restartAnswer is how a job has answered the current, or the last, attempt to restart the pool:
//
//	none, ready, refused -> asked     by an attempt; a pending one is not asked again
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

// allReady asks the attached jobs that have started whether they are ready, and reports whether all are. It returns
// as soon as all were asked and one is not. A slow answer is waited for, here or by the next attempt, and not asked
// for again.
func (p *Pool) allReady(life poolWord, jobs []*job) bool {
	var asked []*job
	for _, j := range jobs {
		if w := j.state(); w.hasSay() && w.started() && !w.over() {
			asked = append(asked, j)
		}
	}
	handover.Run(len(asked), attempt{asked, now()})
	for {
		ready := true
		waiting := false
		for _, j := range asked {
			if w, answer := j.state(), j.restartAnswer(); w.hasSay() && !w.over() {
				ready = ready && answer != answerRefused
				waiting = waiting || answer == answerAsked
			}
		}
		if !ready || !waiting || p.state() != life {
			logPendingReady(asked)
			return ready
		}
		p.awaitRecount(asked)
	}
}

// awaitRecount waits until the answers are to be looked at again: after a status interval at the latest, so that an
// attempt that waits for long does so not without a word.
func (p *Pool) awaitRecount(asked []*job) {
	interval := time.NewTimer(p.durations().statusInterval)
	defer interval.Stop()
	select {
	case <-p.recounts:
	case <-interval.C:
		logPendingReady(asked)
	}
}

// logPendingReady logs which calls of Ready have not returned for long.
func logPendingReady(asked []*job) {
	for _, j := range asked {
		if j.restartAnswer() == answerAsked {
			j.logPendingReady()
		}
	}
}

func (j *job) logPendingReady() {
	j.mu.Lock()
	lasted := time.Duration(now() - j.readiness.refused)
	if !j.state().has(inReady) || lasted < longCall || j.hasQuitLocked() {
		j.mu.Unlock()
		return
	}
	j.begin(inLog)
	j.mu.Unlock()
	// Ends with the call of the log handler, which Shutdown waits for.
	go func() {
		defer j.end(inLog)
		j.warn(ofDelay, slog.LevelWarn, "call has not returned", "Ready", slog.String("call", "Ready"), duration("for", lasted))
	}()
}

// An attempt is the calls of Ready of the jobs that an attempt to restart the pool asks.
type attempt struct {
	jobs  []*job
	began instant
}

// Begin reports whether job i is to be asked; its previous answer is forgotten.
func (a attempt) Begin(i int) (struct{}, bool) {
	return struct{}{}, restartAnswer(a.jobs[i].answer.Swap(uint32(answerAsked))) != answerAsked
}

func (a attempt) Call(i int, _ struct{}) { a.jobs[i].answerRestart(a.began) }

func (a attempt) Slow(int, struct{}, time.Time) {} // Ready has no timeout

func (j *job) answerRestart(began instant) {
	j.askReady(byPool, began, func(ready bool) {
		answer := answerRefused
		if ready {
			answer = answerReady
		}
		j.answer.Store(uint32(answer))
		j.pool.recount()
	})
}

// recount makes an attempt that is waiting for answers look again.
func (p *Pool) recount() {
	select {
	case p.recounts <- struct{}{}:
	default:
	}
}

// recountLocked is recount after a change that an attempt in progress has to see.
func (p *Pool) recountLocked() {
	if p.trying {
		p.recount()
	}
}

// demandLocked asks for an attempt out of turn, as if the last one had been made at the given instant. An attempt
// already in progress does not satisfy it.
func (p *Pool) demandLocked(triedAt instant) {
	p.triedAt, p.doublings = triedAt, p.flaps
	p.demands++
	p.rewatchLocked()
}

// tryRestart restarts the pool and sets its jobs going, if all are ready and nothing has intervened. It is given the
// number of demands that the attempt satisfies.
func (p *Pool) tryRestart(life poolWord, demands int, ready bool) {
	var refuser *job
	refusers := 0
	if !ready {
		refuser, refusers = p.refusers()
	}
	life, e, then := p.restart(life, demands, ready, refuser)
	p.tellPool(e)
	if e == nil {
		return
	}
	if e.Kind != EventPoolRestarted {
		p.logRefusal(e, then.refuser, refusers, then.wait, then.deadEnd)
		return
	}
	for i, j := range p.swept {
		j.resume(life)
		if i%64 == 63 {
			runtime.Gosched() // lets the resumed jobs run, and their goroutines be reused
		}
	}
	// Ends with the call of the log handler, which Shutdown waits for. It may be slow, and must not block the next
	// turn.
	go func() {
		defer p.endLog()
		p.write(nil, slog.LevelInfo, "pool restarted", duration("down", then.wait), slog.Int("attempts", e.Attempt))
	}()
}

// What comes of an attempt to restart, besides the event.
type consequence struct {
	wait    time.Duration // how long the pool was Stopped, or until the next attempt
	deadEnd bool          // the same job has now refused often
	refuser *job          // the job that has refused, whose line in the log counts already; nil if there is none
}

// restart makes the pool Running, if the attempt allows it, and returns its new life and the event. It leaves the jobs
// to be set going in p.swept, and has counted the call that logs it.
func (p *Pool) restart(life poolWord, demands int, ready bool, refuser *job) (newLife poolWord, e *untold, then consequence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state() != life || len(p.late) > 0 || p.held != nil:
		return 0, nil, then
	case p.unasked:
		p.demandLocked(atOnce)
		return 0, nil, then
	case !ready:
		e = p.untoldLocked(EventRestartRefused, nil)
		e.Attempt = p.attempts
		if p.demands == demands {
			p.triedAt = now()
			p.doublings = nextDoublings(p.durations().retryInterval, p.doublings)
		}
		if refuser != nil && refuser.state().has(markGone) {
			refuser = nil
		}
		if then.deadEnd = p.refusedLocked(refuser); refuser != nil {
			then.refuser = refuser
			refuser.begin(inLog)
		}
		then.wait = time.Duration(max(0, p.turnDueLocked()-now()))
		return 0, e, then
	}
	p.untellAttachedLocked()
	p.restarts++
	p.trying = false
	p.startedAt = now()
	p.sweptAt = p.startedAt
	p.beginLog()
	p.changeLocked(life.with(PoolStatusRunning))
	p.swept = append(p.swept[:0], p.jobs...) // including those registered during the attempt
	e = p.untoldLocked(EventPoolRestarted, nil)
	e.Attempt = p.attempts
	p.refusal = refusal{}
	then.wait = time.Duration(p.startedAt - p.stoppedAt)
	return p.state(), e, then
}

// resume sets an attached job going in a new life of the pool. One that is not ready is polled as before. One that
// has already executed in that life begins nothing: it was due or became ready at that very moment, or its execution
// was still in progress.
func (j *job) resume(life poolWord) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if w := j.state(); !w.hasSay() || w.phase() < phaseReady || w.over() || j.life == life.generation() {
		return
	}
	if !j.kind().resume(j, SkipStopped) {
		j.setLocked(atOnce)
	}
}

// UpdateDurations sets both the status interval and the retry interval to retryInterval, and the execution timeout.
// It takes effect at once: waits in progress end the new interval after they began, and the backoff of restart
// attempts starts again at the new one; a new timeout applies to calls that begin from now on. A retryInterval of 0
// or less is logged and leaves the intervals unchanged; an executionTimeout of 0 or less means that there is none.
func (p *Pool) UpdateDurations(retryInterval, executionTimeout time.Duration) {
	err := checkInterval("UpdateDurations", retryInterval)
	for _, j := range p.updateDurations(retryInterval, executionTimeout, err == nil) {
		j.rewaitReady()
	}
	p.logBadValue(err)
}

// updateDurations sets the durations, and returns the jobs whose waits may change.
func (p *Pool) updateDurations(interval, executionTimeout time.Duration, valid bool) (jobs []*job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setDurations(func(d *durations) {
		d.executionTimeout = executionTimeout
		if valid {
			d.retryInterval, d.statusInterval = interval, interval
		}
	})
	if valid {
		p.flaps, p.doublings = 0, 0
		p.rewatchLocked()
		p.relookLocked()
		jobs = slices.Clone(p.jobs)
	}
	return jobs
}

// setDurations changes some of the pool's durations. Its mutex is held.
func (p *Pool) setDurations(change func(*durations)) {
	d := *p.durations()
	change(&d)
	p.times.Store(&d)
}
