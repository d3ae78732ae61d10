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

	task      Job
	lock      jobLock                 // guarded by mu
	readiness readiness               // guarded by mu
	cancel    context.CancelCauseFunc // ends the context of the execution in flight; guarded by mu
	runNow    bool                    // RunNow has asked for an execution that has not begun; guarded by mu
	record                            // guarded by mu

	name  string
	order uint64        // its number among the registrations of the pool
	index int           // where it stands in pool.jobs; guarded by pool.mu
	probe *probe        // the call of Status in flight, if it lasts; guarded by mu
	quiet chan struct{} // closed when no call of user code is in flight; made when waited for; guarded by mu
}

// A record is the bookkeeping of a job's executions. Each execution changes it twice, when it
// begins and when it ends or is found late, together with the job's word.
type record struct {
	executions   uint64
	failures     uint64
	failedInARow uint64
	lastStart    time.Time
	lastDuration time.Duration
	lastError    error
}

// A kind is what is particular to a kind of job. It says when the job executes and what follows from that; the hooks
// are for what else has to happen then. A kind that needs none of them takes them from basicKind.
type kind interface {
	// due reports whether the job, which could execute now, is to. If not, it has set the moment
	// of the next step. It is called by the job's step only, and may call user code; so it is told
	// what time it is, and returns what time it is then.
	due(j *job, at time.Time) (time.Time, bool)
	// after says what an execution that has ended leads to. The job's mutex is held.
	after(j *job, o outcome) verdict
	// failure returns what a failed execution is recorded as. The job's mutex is held.
	failure(j *job, cause error) error
	// nextRun returns when the job, which waits for that, executes next. Its mutex is held.
	nextRun(j *job) time.Time

	// registered is called once the job is one of its pool's. The pool's mutex is held.
	registered(j *job)
	// begin is called before an execution begins, with no mutex held.
	begin(j *job)
	// ended completes the outcome of an execution that has ended with whether the job was told to end. It is called
	// for kinds that are told only, with the pool's mutex held.
	ended(j *job, o outcome) outcome
	// resume is called before the job is set going after a restart. Its mutex is held.
	resume(j *job)
	// retire is called when the job is unregistered or its pool shut down: twice, if one follows the other.
	// Both mutexes are held.
	retire(j *job)
}

// basicKind is part of the kinds: the hooks, with nothing particular to do.
type basicKind struct{}

func (basicKind) due(_ *job, at time.Time) (time.Time, bool) { return at, true } // as soon as it can

func (basicKind) failure(j *job, cause error) error {
	return ErrExecutingJob.because(cause, j.typeName(), j.id)
}

func (basicKind) nextRun(j *job) time.Time        { return j.due.wall() }
func (basicKind) registered(*job)                 {}
func (basicKind) begin(*job)                      {}
func (basicKind) ended(_ *job, o outcome) outcome { return o }
func (basicKind) resume(*job)                     {}
func (basicKind) retire(*job)                     {}

// traits are what all jobs of a kind have in common.
type traits struct {
	name         string  // the JobType
	detachedName string  // the JobType of a detached one; empty if it is not a continuous job
	options      options // the options that mean something for it
	// periodic says that it takes its lock while it executes, that RunNow works, and that the
	// pool's time limit applies to its executions.
	periodic bool
	// told says that an execution lasts until it is told to end: a time limit is for its Status only.
	told bool
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
		o := outcome{err: err, excuse: context.Cause(ctx)}
		ctx.cancel(context.Canceled)
		end = j.ended(n, o)
	})
	return end
}

// An executionContext is the context of one execution.
type executionContext struct {
	context.Context
	cancel context.CancelCauseFunc
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
	j.lastStart = at // a moment before the claim: reading the clock again would be all too dear
	j.limitLocked(instantOf(at))
	if _, is := j.task.(ContextJob); is {
		ctx = new(executionContext)
		ctx.Context, ctx.cancel = context.WithCancelCause(context.Background())
		j.cancel = ctx.cancel
	}
	return ctx, true
}

// endContextLocked ends the context of the execution in flight, if it has one. That calls no user code: what waits
// for the end of a context is woken, or started on a goroutine of its own.
func (j *job) endContextLocked(cause error) {
	if j.cancel != nil {
		j.cancel(cause)
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
