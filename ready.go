package jobs

import (
	"log/slog"
	"time"
)

const firstReadyWait = 10 * time.Millisecond

// A readiness is a job's record of the calls of its Ready. The job's mutex guards it.
type readiness struct {
	polls    uint8         // how often it was not ready when asked before the first execution
	waiting  int32         // how many of the pool's own (executions, askers) wait for a call to end
	refused  instant       // when it was last not ready; during an attempt's call, when that began
	answered chan struct{} // closed when the call in progress ends; made when waited for
}

// wakeLocked wakes those waiting for an answer; they look again.
func (r *readiness) wakeLocked() {
	if r.answered != nil {
		close(r.answered)
		r.answered = nil
	}
}

// due returns when the next poll is due.
func (r *readiness) due(longest time.Duration) instant {
	wait := firstReadyWait
	for range r.polls - 1 {
		if wait > longest/2 {
			return r.refused.after(longest)
		}
		wait *= 2
	}
	return r.refused.after(min(wait, longest))
}

// becomeReady asks a job that has not started yet, and reports whether it is ready and its step can go on. If it is not
// ready, it is asked again later.
func (j *job) becomeReady() (ready bool) {
	var n ticket
	j.askReady(byPool, never, func(yes bool) {
		j.mu.Lock()
		defer j.mu.Unlock()
		if ready = yes && !j.hasQuitLocked(); ready {
			j.change(phaseMask, phaseReady)
			if n = j.issueLocked(); n != 0 {
				j.setLocked(atOnce) // since an observer may end the goroutine, and with it this step
			}
			return
		}
		j.readiness.polls = min(j.readiness.polls+1, 60)
		j.setLocked(j.readiness.due(j.pool.durations().statusInterval))
	})
	j.logReadiness(ready)
	if ready {
		e := j.event(EventReady, time.Now().Round(0))
		j.tell(n, &e, nothing)
	}
	return ready && n == 0
}

// longUnready is how long a job may take to become ready without a word in the log.
const longUnready = time.Minute

// logReadiness logs that a job is not ready, or is at last, if that has taken long.
func (j *job) logReadiness(ready bool) {
	j.mu.Lock()
	took := time.Duration(now() - j.begun)
	if took <= longUnready || j.hasQuitLocked() {
		j.mu.Unlock()
		return
	}
	j.begin(inLog)
	j.mu.Unlock()
	// Ends with the call of the log handler, which Shutdown waits for. It may hang, and must not keep the job from executing.
	go func() {
		defer j.end(inLog)
		switch {
		case !ready:
			j.warnUnready("job is not ready", duration("for", took))
		case j.pool.lines.pass(j.pool):
			j.pool.write(j, slog.LevelInfo, "job ready", duration("after", took))
		}
	}()
}

// warnUnready logs that the job is not ready, or what follows from it, and why it is not, if it has said so.
func (j *job) warnUnready(message string, attrs ...slog.Attr) {
	j.mu.Lock()
	err := j.notReadyLocked()
	j.mu.Unlock()
	text := ""
	if err != nil {
		text = err.Error() // which calls no user code
		attrs = append(attrs, slog.String("error", text))
	}
	j.warn(ofReadiness, slog.LevelWarn, message, text, attrs...)
}

// An asker is whoever wants to know whether a job is ready. However many users ask, and however often, the pool's
// turn is next.
type asker bool

const (
	byPool asker = true
	byUser asker = false
)

// askReady calls the job's Ready and passes its answer to answered. It first waits for a call in progress. It does not call
// during an execution, which is answer enough, nor after the job was retired. Nor does a restart attempt ask a job
// that has ended since the attempt began: that blocks nothing. It is told when the attempt that asks began, or never if
// none does.
//
// After a runtime.Goexit in Ready, or in the log handler that is told of a panic, the goroutine is lost: what must
// happen belongs in answered, which is called before the log handler.
func (j *job) askReady(who asker, attempt instant, answered func(ready bool)) {
	j.mu.Lock()
	for {
		w := j.state()
		closed := who == byPool && j.pool.state().closed()
		if j.hasQuitLocked() || closed || w.has(inExecute) || who == byPool && w.over() {
			ready := !j.hasQuitLocked() && !closed
			j.mu.Unlock()
			answered(ready)
			return
		}
		if !w.has(inReady) && (who == byPool || j.readiness.waiting == 0) {
			break
		}
		j.awaitAnswerLocked(who)
	}
	j.begin(inReady)
	if who == byPool && attempt == never { // it is in the job's own step
		j.expireLocked(now(), longCall)
	}
	if attempt != never {
		j.readiness.refused = attempt
	}
	call := j.beginReadyLocked(attempt != never)
	j.mu.Unlock()

	ready := false
	userCode(caller{pool: j.pool, job: j}, func() error {
		if call != nil {
			err := call.ready(call.ctx)
			ready = err == nil
			return inspect(err)
		}
		ready = j.task.Ready()
		return nil
	}, func(err error) {
		if err != nil {
			j.begin(inLog)
			defer j.end(inLog)
		}
		j.mu.Lock()
		late := j.endReadyLocked(call, err)
		j.change(inReady|lateReady, 0)
		j.readiness.wakeLocked()
		ready = ready && err == nil && !late && !j.hasQuitLocked()
		if who == byPool && !ready {
			j.readiness.refused = now()
		}
		j.mu.Unlock()
		j.settle()
		if !late || attempt == never { // else the attempt has its answer
			answered(ready)
		}
		if err != nil {
			j.logReady(err, late)
		}
	})
}

// awaitAnswerLocked waits for the call in progress to end, for the pool to have had its turn, or for the job to be
// retired. It releases the mutex meanwhile.
func (j *job) awaitAnswerLocked(who asker) {
	r := &j.readiness
	if r.answered == nil {
		r.answered = make(chan struct{})
	}
	answered := r.answered
	if who == byPool {
		r.waiting++
	}
	j.mu.Unlock()
	<-answered
	j.mu.Lock()
	if who == byPool {
		r.waiting--
		r.wakeLocked() // they look again once the mutex is free: after the pool's turn has begun
	}
}

// rewaitReady adjusts the wait before the next poll, if there is one, to a status interval that was just set.
func (j *job) rewaitReady() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state().phase() != phaseUnready || j.cycle.stage != cycleWaiting {
		return
	}
	j.setLocked(j.readiness.due(j.pool.durations().statusInterval))
}
