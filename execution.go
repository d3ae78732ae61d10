package jobs

import (
	"context"
	"sync/atomic"
	"time"
)

// A job is what a pool keeps of a registered job. Its cycle calls step; what is particular to
// its kind, kind knows.
//
// Mutexes are taken in this order: the pool's, then a job's (its cycle's). User code is called
// under neither.
type job struct {
	cycle // its mutex guards the fields below that say so

	// Immutable.
	pool  *Pool
	task  Job
	id    string
	name  string
	kind  kind
	limit time.Duration // WithJobTimeout; 0 if none was given
	order uint64        // the how manieth registration of the pool it was

	word   atomic.Uint32 // a jobWord; written with mu held
	health atomic.Uint32 // a healthState
	answer atomic.Uint32 // a restartAnswer
	index  int           // where it stands in pool.jobs; guarded by pool.mu

	// Guarded by mu.
	lock      jobLock
	readiness readiness
	probe     *probe                  // the call of Status in flight, if it lasts
	cancel    context.CancelCauseFunc // ends the context of the execution in flight
	quiet     chan struct{}           // closed when no call of user code is in flight; made when waited for
	calls     int32                   // calls of user code in flight, but for Status and abandoned ones
	runNow    bool                    // RunNow has asked for an execution that has not begun
	record
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

// A kind is what is particular to a kind of job.
type kind interface {
	traits() *traits
	// due reports whether the job, which could execute now, is to. If not, it has set the moment
	// of the next step. It is called by the job's step only, and may call user code.
	due(j *job) bool
	// after says what an execution that has ended leads to. The job's mutex is held.
	after(j *job, o outcome) verdict
}

// traits are what all jobs of a kind have in common.
type traits struct {
	name         string  // the JobType
	detachedName string  // the JobType of a detached one; empty if it is not a continuous job
	options      options // the options that mean something for it
	// periodic says that it takes its lock while it executes, that RunNow works, and that the
	// pool's time limit applies to its executions.
	periodic bool
	// endless says that an execution is expected to last: a time limit is for its Status only.
	endless bool
}

func (j *job) state() jobWord     { return jobWord(j.word.Load()) }
func (j *job) setState(w jobWord) { j.word.Store(uint32(w)) }
func (j *job) status() JobStatus  { return statusOf(j.state(), j.pool.state()) }
func (j *job) attached() bool     { return j.state().has(markAttached) }

// retired reports whether the job is not to begin anything any more, for good.
func (j *job) retired() bool { return j.state().has(markGone) || j.pool.state().shut() }

func (j *job) typeName() string {
	t := j.kind.traits()
	if t.detachedName != "" && !j.attached() {
		return t.detachedName
	}
	return t.name
}

// step does what the job is due to do: ask whether it is ready, start, execute, or be forgotten.
func (j *job) step(n uint32) {
	switch j.state().phase() {
	case phaseFinished, phaseFailed:
		j.pool.UnregisterJob(j.id)
		return
	case phaseUnready:
		if !j.becomeReady() || !j.start() {
			return
		}
	case phaseReady:
		if !j.start() {
			return
		}
	}
	if j.kind.due(j) {
		j.execute(n)
	}
}

// start makes a ready job a started one, if its pool lets it. If not it has nothing to wait for
// here: the restart sets it going.
func (j *job) start() bool {
	j.mu.Lock()
	ok := j.advanceLocked(phaseReady, phaseStarted)
	j.mu.Unlock()
	if ok && j.attached() {
		j.pool.jobStarted()
	}
	return ok
}

// advanceLocked moves the job from one phase to the next, if its pool lets it. It moves first, and
// looks at the pool then: so whoever stops the pool and then looks at the job sees the move, or it
// is taken back. The other way round both could miss each other.
func (j *job) advanceLocked(from, to jobWord) bool {
	j.setState(j.state().with(to))
	if j.pool.state().admits(j.state()) && !j.stoppedLocked() {
		return true
	}
	j.setState(j.state().with(from))
	return false
}

// nextLocked sets the moment of the next step, unless RunNow has asked for an execution first.
func (j *job) nextLocked(from instant, wait time.Duration) {
	if j.runNow {
		wait = 0
	}
	j.setLocked(from.after(wait))
}

func (j *job) execute(n uint32) {
	ctx, ok := j.begin()
	if !ok {
		j.pool.dismiss(j)
		return
	}
	userCode(caller{job: j, step: n}, func() error {
		if ctx != nil {
			return inspect(j.task.(ContextJob).ExecuteContext(ctx))
		}
		return inspect(j.task.Execute())
	}, func(err error) {
		o := outcome{err: err}
		if ctx != nil {
			o.excuse = context.Cause(ctx)
		}
		j.ended(n, o)
	})
}

// begin begins an execution: takes the job's lock if its kind does that, claims the execution, and
// writes it down. It returns a context for a ContextJob. If the answer is no, the job has nothing
// to wait for here: a restart sets it going, or it is retired.
func (j *job) begin() (ctx context.Context, ok bool) {
	if c, ok := j.kind.(*channelJob); ok {
		j.pool.mu.Lock()
		c.signal.begin()
		j.pool.mu.Unlock()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.runNow = false
	if !j.takeTurnLocked() {
		return nil, false
	}
	if !j.advanceLocked(phaseStarted, phaseExecuting) {
		j.runNow = false
		j.releaseLocked()
		return nil, false
	}
	start := time.Now()
	j.calls++
	j.executions++
	j.lastStart = start
	if limit := j.executionLimit(); limit > 0 {
		j.limitLocked(instantOf(start), limit)
	}
	if _, is := j.task.(ContextJob); is {
		ctx, j.cancel = context.WithCancelCause(context.Background())
	}
	return ctx, true
}

// takeTurnLocked waits until nothing else keeps the job from executing: whoever holds its lock, or
// a call of Ready. It reports false, and holds nothing, if the job was retired in the meantime.
func (j *job) takeTurnLocked() bool {
	for !j.stoppedLocked() {
		if j.kind.traits().periodic && !j.lockForExecutionLocked() {
			break
		}
		if !j.readiness.asking {
			return true
		}
		// Not with the lock in hand: Ready may be waiting for it.
		j.releaseLocked()
		j.awaitAnswerLocked()
	}
	return false
}

// releaseLocked gives the job's lock back, if its executions take it.
func (j *job) releaseLocked() {
	if j.kind.traits().periodic {
		j.lock.release()
	}
}

// executionLimit returns how long an execution may last; 0 or less means that it is not limited.
func (j *job) executionLimit() time.Duration {
	switch t := j.kind.traits(); {
	case t.endless:
		return 0
	case t.periodic && j.limit == 0:
		return j.pool.executionTimeout()
	}
	return j.limit
}
