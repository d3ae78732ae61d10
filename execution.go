package jobs

import (
	"context"
	"sync/atomic"
	"time"
)

// A job is what a pool keeps of a registered job. Its cycle calls step; what is particular to
// its kind, kind knows.
//
// Mutexes are taken in this order: the pool's, then a job's (its cycle's), then those of the cycles that
// the pool has for itself. User code is called under none.
//
// The fields stand in the order in which an execution uses them, and what a look-up of the status reads
// stands together: with many jobs it is cache misses that cost (a third of a look-up among 10,000).
type job struct {
	cycle                 // its mutex guards the fields below that say so
	timeout time.Duration // WithJobTimeout; 0 if none was given. Immutable, as are the fields below that do not say otherwise

	pool   *Pool
	id     string
	word   atomic.Uint64 // a jobWord, see there
	answer atomic.Uint32 // a restartAnswer
	life   uint32        // the generation of the pool in which it has executed last; guarded by mu
	kind   kind
	traits *traits

	task        Job
	lock        jobLock           // guarded by mu
	readiness   readiness         // guarded by mu
	ctx         *executionContext // of the execution in flight, if it has one; guarded by mu
	record                        // guarded by mu
	lastOutcome outcomeCode       // of the last execution that has ended, or is late; guarded by mu
	runNow      bool              // RunNow has asked for an execution that has not begun; guarded by mu
	index       int32             // where it stands in pool.jobs; guarded by pool.mu

	name  string
	order uint64        // its number among the registrations of the pool
	probe *probe        // the call of Status in flight, if it lasts; guarded by mu
	quiet chan struct{} // closed when no call of user code is in flight; made when waited for; guarded by mu
}

func (j *job) attached() bool { return j.state().has(markAttached) }

// status returns the job's status. It looks until the pool's word is the same before and after it has looked at the
// job's: two looks could show a job as it was before the pool has changed, and the pool as it is now.
func (j *job) status() JobStatus {
	pool := j.pool.state()
	for {
		w := j.state()
		now := j.pool.state()
		if now == pool {
			return statusOf(w, pool)
		}
		pool = now
	}
}

// retired reports whether the job is not to begin anything any more, for good.
func (j *job) retired() bool { return j.state().has(markGone) || j.pool.state().shut() }

func (j *job) typeName() string {
	t := j.traits
	if t.detachedName != "" && !j.attached() {
		return t.detachedName
	}
	return t.name
}

// step does what the job is due to do: ask whether it is ready, start, execute, or be forgotten.
func (j *job) step(n uint32, at time.Time) instant {
	switch j.state().phase() {
	case phaseFinished, phaseFailed:
		j.forget()
		return 0
	case phaseUnready:
		if !j.becomeReady() || !j.start() {
			return 0
		}
		at = time.Now()
	case phaseReady:
		if !j.start() {
			return 0
		}
	}
	life := j.pool.state()
	at, due := j.kind.due(j, at)
	if !due {
		return 0
	}
	return j.execute(n, at, life)
}

// forget unregisters the job, which has ended some time ago, unless its pool was shut down. It counts the call that
// logs it: whoever shuts the pool down sees that, or is seen.
func (j *job) forget() {
	j.begin(inLog)
	defer j.end(inLog)
	if !j.retired() {
		j.pool.UnregisterJob(j.id)
	}
}

// start makes a ready job a started one, if its pool lets it. If not it has nothing to wait for
// here: the restart sets it going. It looks first and writes then, other than an execution: a job that was let has
// started, even if its pool has been stopped since, and no restart attempt asks, or holds up for, one that was not.
func (j *job) start() bool {
	j.mu.Lock()
	_, ok := j.admittedLocked()
	if ok {
		j.change(phaseMask, phaseStarted)
	}
	last := ok && j.attached() && j.pool.unstarted.Add(-1) == 0
	j.mu.Unlock()
	if last {
		j.pool.allStarted()
	}
	return ok
}

// admittedLocked reports whether the pool lets the job begin something, and in which life of the pool. An execution
// writes into the job's word first, and looks at the pool then: so whoever stops the pool and then looks at
// the job sees what was written, or it is taken back. The other way round both could miss each other.
func (j *job) admittedLocked() (life poolWord, ok bool) {
	life = j.pool.state()
	return life, life.admits(j.state()) && !j.stoppedLocked()
}

// nextLocked sets the moment of the next step, unless RunNow has asked for an execution first.
func (j *job) nextLocked(from instant, wait time.Duration) {
	if j.runNow {
		wait = 0
	}
	j.setLocked(from.after(wait))
}

// execute executes the job, which was due in the life of the pool given, and returns what time it is then, or 0 if it
// cannot tell.
func (j *job) execute(n uint32, at time.Time, life poolWord) (end instant) {
	ctx, ok := j.beginExecution(at, life)
	if !ok {
		j.settle()
		return 0
	}
	if ctx != nil {
		return j.executeContext(n, ctx)
	}
	userCode(caller{pool: j.pool, job: j, step: n}, func() error { return inspect(j.task.Execute()) }, func(err error) {
		end = j.ended(n, outcome{err: err})
	})
	return end
}

func (j *job) executeContext(n uint32, ctx *executionContext) (end instant) {
	userCode(caller{pool: j.pool, job: j, step: n}, func() error {
		return inspect(j.task.(ContextJob).ExecuteContext(ctx))
	}, func(err error) {
		o := outcome{err: err, excuse: ctx.excuse()}
		ctx.cancel(context.Canceled)
		end = j.ended(n, o)
	})
	return end
}

// An executionContext is the context of one execution. Its limit is the job's own timer's, which ends it: so it has a
// deadline, but no timer.
type executionContext struct {
	context.Context
	cancel   context.CancelCauseFunc
	job      *job
	deadline time.Time // zero if there is none
	told     error     // why the pool has ended it, if it has; guarded by the job's mutex
}

// An executionKey finds the job in the values of an executionContext, or of one that descends from it.
type executionKey struct{}

func (c *executionContext) Value(key any) any {
	if key == (executionKey{}) {
		return c.job
	}
	return c.Context.Value(key)
}

func (c *executionContext) Deadline() (time.Time, bool) {
	deadline, ok := c.Context.Deadline() // of the pool's base context
	if c.deadline.IsZero() || ok && deadline.Before(c.deadline) {
		return deadline, ok
	}
	return c.deadline, true
}

func (c *executionContext) Err() error {
	err := c.Context.Err()
	if err != nil && context.Cause(c.Context) == ErrTimeout {
		return context.DeadlineExceeded
	}
	return err
}

// excuse returns why the pool has ended the context, if it has: then what the execution returns is no failure. The end of
// the base context is no excuse.
func (c *executionContext) excuse() error {
	c.job.mu.Lock()
	defer c.job.mu.Unlock()
	return c.told
}

// FromContext returns the job whose execution has that context, or one that descends from it, and whether there is one.
// It works from the first line of ExecuteContext on, when Register may yet have to return the job's id.
func FromContext(ctx context.Context) (JobExecution, bool) {
	j, ok := ctx.Value(executionKey{}).(*job)
	return j, ok
}

// beginExecution begins an execution: takes the job's lock if its kind does that, claims the execution, and
// writes it down. It is told what time it is, and in which life of the pool the job was due, and returns a context for
// a ContextJob. If it is not ok, the job has nothing to wait for here: a restart sets it going, or it is retired.
func (j *job) beginExecution(at time.Time, dueIn poolWord) (ctx *executionContext, ok bool) {
	j.kind.begin(j)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.runNow = false
	if w := j.state(); !dueIn.admits(w) || w.has(markAttached) && j.pool.state() != dueIn {
		// Looked at before the wait for the turn, too: what came while the pool was stopped is skipped, even if
		// the pool has restarted since, or when the turn comes.
		return nil, false
	}
	at, ok = j.takeTurnLocked(at)
	if !ok {
		return nil, false
	}
	j.begin(inExecute)
	life, ok := j.admittedLocked()
	if !ok {
		j.change(inExecute, 0)
		j.releaseLocked()
		return nil, false
	}
	j.life = life.generation()
	j.executions++
	j.begun, j.lastStart = instantOf(at), wallTime(at.UnixNano()) // a moment before the claim: reading the clock again would be all too dear
	j.limitLocked(j.begun)
	if _, is := j.task.(ContextJob); is {
		ctx = j.newContextLocked(at)
		j.ctx = ctx
	}
	return ctx, true
}

// newContextLocked returns the context of the execution that has begun. It calls no user code: its parent is one of package
// context's, and only that has the base context as its own.
func (j *job) newContextLocked(at time.Time) *executionContext {
	ctx := &executionContext{job: j}
	base := j.pool.settings.base
	if base == nil {
		base = context.Background()
	}
	ctx.Context, ctx.cancel = context.WithCancelCause(base)
	if j.expiry != never {
		ctx.deadline = at.Add(time.Duration(j.expiry - j.begun))
	}
	return ctx
}

// endContextLocked ends the context of the execution in flight, if it has one. That calls no user code: what waits
// for the end of a context is woken, or started on a goroutine of its own.
func (j *job) endContextLocked(cause error) {
	if j.ctx != nil && j.ctx.told == nil {
		j.ctx.told = cause
		j.ctx.cancel(cause)
	}
}

// takeTurnLocked waits until nothing else keeps the job from executing: whoever holds its lock, or
// a call of Ready. It is told what time it is, and returns what time it is then. It reports false, and
// holds nothing, if the job was retired in the meantime.
func (j *job) takeTurnLocked(at time.Time) (time.Time, bool) {
	for !j.stoppedLocked() {
		if j.traits.periodic {
			waited, granted := j.lockForExecutionLocked()
			if !granted {
				break
			}
			if waited {
				at = time.Now()
			}
		}
		if !j.state().has(inReady) {
			return at, true
		}
		// Not with the lock in hand: Ready may be waiting for it.
		j.releaseLocked()
		j.awaitAnswerLocked(byPool)
		at = time.Now()
	}
	return at, false
}

// releaseLocked gives the job's lock back, if its executions take it.
func (j *job) releaseLocked() {
	if j.traits.periodic {
		j.lock.release()
	}
}
