package jobs

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// A job is a pool's record of a registered job. Its cycle calls step; its kind knows what is particular to its kind.
//
// Mutexes are acquired in this order: the pool's, then a job's (its cycle's), then those of the pool's own cycles.
// User code is called under none.
//
// Fields are in the order in which an execution uses them, and those that a status look-up reads are together: with
// many jobs, cache misses dominate (a third of a look-up among 10,000).
type job struct {
	cycle                 // its mutex guards the fields below that say so
	timeout time.Duration // WithJobTimeout; 0 if none was given. Immutable, as are the fields below that do not say otherwise

	pool   *Pool
	id     string
	word   atomic.Uint64        // a jobWord, see there
	answer atomic.Uint32        // a restartAnswer
	life   uint32               // the generation of the pool in which it last executed; guarded by mu
	form   atomic.Pointer[form] // written with both mutexes held

	task        Job
	lock        jobLock           // guarded by mu
	readiness   readiness         // guarded by mu
	ctx         *executionContext // of the execution in flight, if it has one; guarded by mu
	record                        // guarded by mu
	lastOutcome outcomeCode       // of the last execution that ended, or is late; guarded by mu
	runNow      bool              // RunNow has asked for an execution that has not begun; guarded by mu
	inContext   bool              // executions have a context
	isFunc      bool              // it was made by Func
	index       int32             // its position in pool.jobs; guarded by pool.mu

	name     string
	settings *settings // those that it was registered with, as far as it does not hold them itself
	order    uint64    // its registration's number in the pool
	extra    *extra    // guarded by mu

	tickets tickets // of its events; issued with mu held
}

// An extra is the state of a job that few jobs have. It is made when it is needed, and guarded by the job's mutex.
type extra struct {
	probe *probe        // the call of Status in flight, if it is slow
	quiet chan struct{} // closed when no call of user code is in flight; made when waited for

	pause *pause      // nil if it is not paused
	slot  *slotWaiter // nil if it does not wait for one, see WithMaxConcurrent

	ready    *readyCall        // the call of Ready in flight, if it has a context
	status   *executionContext // of the call of Status in flight, if it has one
	notReady error             // why the job was not ready when it was last asked, if it said so
	warnings []string          // of its schedule; never changed, but replaced by Reschedule

	reports
	skips skips

	threshold uint64 // WithFailureThreshold; immutable; 0 if not set
	sickness  sickness
	said      []saying // what the log was last told; at most mostSaid
	delay     delay
	overdue   overdue
	freshness *freshness // nil without WithFreshness
}

// Reports are what an execution tells of itself. They last until the next one begins.
type reports struct {
	progress JobProgress
	attempts int // see WithRetries
}

func (j *job) extraLocked() *extra {
	if j.extra == nil {
		j.extra = new(extra)
	}
	return j.extra
}

// A form is what Reschedule replaces of a job.
type form struct {
	kind   kind
	traits *traits
}

func (j *job) kind() kind      { return j.form.Load().kind }
func (j *job) traits() *traits { return j.form.Load().traits }

func (j *job) attached() bool { return j.state().has(markAttached) }

// status returns the job's status. It repeats until the pool's word is the same before and after it has read the
// job's: otherwise it could see the job before, and the pool after, a change of the pool.
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

// retired reports whether the job must never begin anything again.
func (j *job) retired() bool { return j.state().has(markGone) || j.pool.state().closed() }

func (j *job) typeName() string {
	t := j.traits()
	if t.detachedName != "" && !j.attached() {
		return t.detachedName
	}
	return t.name
}

// growStack makes the goroutine's stack, which begins with 2 kB, large enough at once for telling observers and for most
// executions, while little is on it. Otherwise it would grow, and be copied, in the middle of both.
//
//go:noinline
func growStack() {
	var room [5500]byte
	runtime.KeepAlive(&room)
}

// step does what is due: ask whether the job is ready, start it, execute it, or forget it.
func (j *job) step(n uint32, at time.Time) instant {
	if s := &j.pool.settings; s.observers != nil || s.history != nil {
		growStack()
	}
	switch {
	case j.paused():
		j.tellSkipped(false)
		return 0
	case j.pool.state().closed(), j.state().has(markSkipped) && j.tellSkipped(true):
		return 0
	}
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
	at, due := j.kind().due(j, at)
	if !due {
		return 0
	}
	return j.execute(n, at, life)
}

// paused reports whether the job is to begin nothing before Resume sets it going again, not even what RunNow asks for.
// One that has ended has nothing left to begin.
func (j *job) paused() bool {
	if !j.state().has(markPaused) { // checked here, to save a step the lock
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.pausedLocked() {
		return false
	}
	if j.state().started() && j.kind().isDue(j) {
		j.turnedAwayLocked(false)
	}
	return true
}

func (j *job) pausedLocked() bool {
	w := j.state()
	return w.has(markPaused) && !w.over() && !j.runNow
}

// forget unregisters the job, some time after it has ended, unless its pool was shut down. It first counts the call
// that logs this: so either Shutdown sees the call, or this sees the shutdown.
func (j *job) forget() {
	j.begin(inLog)
	defer j.end(inLog)
	if !j.retired() {
		j.pool.UnregisterJob(j.id)
	}
}

// start makes a ready job a started one, if its pool admits it. If not, there is nothing to wait for here: the
// restart sets it going. Unlike an execution it looks first and then writes: a job that was admitted has started,
// even if its pool was stopped since, and no restart attempt asks, or is blocked by, one that was not.
func (j *job) start() bool {
	j.mu.Lock()
	_, ok := j.admittedLocked()
	ok = ok && !j.state().has(markPaused)
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
// first writes to the job's word, and then looks at the pool: so whoever stops the pool and then looks at the job
// sees what was written, or it is withdrawn. The other way round, each could miss the other.
func (j *job) admittedLocked() (life poolWord, ok bool) {
	life = j.pool.state()
	return life, life.admits(j.state()) && !j.hasQuitLocked()
}

// nextLocked schedules the next step, at once if RunNow has asked for an execution.
func (j *job) nextLocked(from instant, wait time.Duration) {
	if j.runNow {
		from, wait = atOnce, 0
	}
	j.setLocked(from.after(wait))
}

// execute executes the job, which was due in the given life of the pool, and returns the current time, or 0 if it
// does not know it.
func (j *job) execute(n uint32, at time.Time, life poolWord) (end instant) {
	ctx, ticket, ok := j.beginExecution(at, life)
	switch {
	case !ok:
		j.settle()
		j.tellSkipped(false)
		return 0
	case ticket != 0:
		return j.callObserved(n, ctx, ticket)
	case ctx != nil:
		return j.call(n, ctx)
	}
	// Not by call, since most executions pass here: the stack that their goroutine begins with just suffices. If it had to
	// grow, an execution would cost twice as much.
	userCode(caller{pool: j.pool, job: j, step: n}, func() error { return inspect(j.task.Execute()) }, func(err error) {
		end = j.ended(n, outcome{err: err})
	})
	return end
}

// callObserved tells that the execution has begun, and then makes the call.
//
//go:noinline
func (j *job) callObserved(n uint32, ctx *executionContext, began ticket) (end instant) {
	told := false
	defer func() {
		if !told { // an observer has called runtime.Goexit, which changes nothing for the execution
			end = j.call(n, ctx)
		}
	}()
	j.tellBegan(began)
	told = true
	return j.call(n, ctx)
}

// call makes the call of user code that is the execution.
func (j *job) call(n uint32, ctx *executionContext) (end instant) {
	userCode(caller{pool: j.pool, job: j, step: n}, func() error {
		if ctx == nil {
			return inspect(j.task.Execute())
		}
		if middleware := j.pool.settings.execute; middleware != nil {
			return ctx.execute(middleware)
		}
		return inspect(j.task.(ContextJob).ExecuteContext(ctx))
	}, func(err error) {
		o := outcome{err: err}
		if ctx != nil {
			o.excuse = ctx.excuse()
			ctx.cancel(context.Canceled)
		}
		end = j.ended(n, o)
	})
	return end
}

// An executionContext is the context of one execution, or of one call of a Func's Ready or Status. The job's own timer
// ends it at its timeout: so it has a deadline, but no timer.
type executionContext struct {
	context.Context
	cancel   context.CancelCauseFunc
	job      *job
	deadline time.Time // zero if there is none
	endedFor error     // why the pool ended it, if it did; guarded by the job's mutex
	inner    *inner    // nil without middleware
}

// An executionKey finds an executionContext in its own values, or in those of one derived from it.
type executionKey struct{}

// executionOf returns the context of the execution that has ctx, or from which that is derived; nil if there is none.
func executionOf(ctx context.Context) *executionContext {
	if ctx == nil {
		return nil
	}
	c, _ := ctx.Value(executionKey{}).(*executionContext)
	return c
}

func (c *executionContext) Value(key any) any {
	if key == (executionKey{}) {
		return c
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

// excuse returns why the pool ended the context, if it did: then what the execution returns is no failure. The end of
// the base context is no excuse.
func (c *executionContext) excuse() error {
	c.job.mu.Lock()
	defer c.job.mu.Unlock()
	return c.endedFor
}

// FromContext returns the job whose execution has that context, or one derived from it, and whether there is one. It
// works from the start of ExecuteContext, even before Register has returned the job's id. The functions of [WithReady]
// and [WithStatus] find their job in the same way.
func FromContext(ctx context.Context) (JobExecution, bool) {
	if c := executionOf(ctx); c != nil {
		return c.job, true
	}
	return nil, false
}

// beginExecution begins an execution: it acquires the job's lock if its kind does that, claims the execution, and
// records it. It is given the current time and the life of the pool in which the job was due, and returns its context, if it
// has one, and the ticket of the event that it has begun, if anybody is to be told. If it is not ok, there is
// nothing to wait for here: a restart sets the job going, or it is retired.
func (j *job) beginExecution(at time.Time, dueIn poolWord) (ctx *executionContext, n ticket, ok bool) {
	j.kind().begin(j)
	j.mu.Lock()
	defer j.mu.Unlock()
	asked := j.runNow // executes even if it is paused
	j.runNow = false
	if w := j.state(); w.has(markPaused) && !asked || !dueIn.admits(w) || w.has(markAttached) && j.pool.state() != dueIn {
		// Checked before the wait for the turn, too: what came while the pool was stopped is skipped, even if the
		// pool has restarted since, or when the turn comes.
		j.turnedAwayLocked(asked)
		return nil, 0, false
	}
	at, ok = j.takeTurnLocked(at)
	if !ok {
		return nil, 0, false
	}
	if !asked && j.kind().tooLate(j) {
		j.releaseLocked()
		j.skipLocked(1, SkipLocked)
		j.setLocked(atOnce)
		return nil, 0, false
	}
	j.begin(inExecute)
	life, ok := j.admittedLocked()
	if !ok || j.state().has(markPaused) && !asked {
		j.change(inExecute, 0)
		j.releaseLocked()
		j.turnedAwayLocked(asked)
		return nil, 0, false
	}
	j.life = life.generation()
	j.executions++
	if j.extra != nil {
		j.extra.reports = reports{}
	}
	j.begun, j.lastStart = instantOf(at), wallTime(at.UnixNano()) // just before the claim: reading the clock again would cost too much
	if j.inContext {
		ctx = j.newContext()
		if j.pool.settings.execute != nil {
			ctx.inner = &inner{turn: make(chan struct{}, 1)}
		}
		j.ctx = ctx
	}
	if n = j.issueLocked(); n != 0 {
		j.begin(atBegin)
	} else {
		j.startClockLocked(at)
	}
	return ctx, n, true
}

// startClockLocked starts the timeout of the execution that has begun, if it has one, when user code is about to be called.
func (j *job) startClockLocked(at time.Time) {
	begun := instantOf(at)
	if j.limitLocked(begun) && j.ctx != nil {
		j.ctx.deadline = at.Add(time.Duration(j.expiry - begun))
	}
}

// newContext returns a context for an execution, or for another call. It calls no user code: its parent is package
// context's own, and only that one has the base context as its parent.
func (j *job) newContext() *executionContext {
	ctx := &executionContext{job: j}
	base := j.pool.settings.base
	if base == nil {
		base = context.Background()
	}
	ctx.Context, ctx.cancel = context.WithCancelCause(base)
	return ctx
}

// endContextLocked ends the context of the execution in flight, if it has one.
func (j *job) endContextLocked(cause error) { j.ctx.endLocked(cause) }

// endLocked ends the context, if it is not nil, with the job's mutex held. That calls no user code: what waits for a
// context to end is woken, or started on its own goroutine.
func (c *executionContext) endLocked(cause error) {
	if c != nil && c.endedFor == nil {
		c.endedFor = cause
		c.cancel(cause)
	}
}

// takeTurnLocked waits until nothing else keeps the job from executing: the holder of its lock, a call of Ready, or as
// many executions as there may be. It is given, and returns, the current time. It reports false, and holds nothing, if
// the job was retired meanwhile.
func (j *job) takeTurnLocked(at time.Time) (time.Time, bool) {
	slots := j.slots()
	var place *slotWaiter
	for !j.hasQuitLocked() {
		if j.traits().periodic {
			waited, granted := j.lockForExecutionLocked()
			if !granted {
				break
			}
			if waited {
				at = time.Now()
			}
		}
		asked := j.state().has(inReady)
		if !asked {
			if slots == nil || slots.take(&place) {
				return at, true
			}
		}
		// Not while holding the lock: Ready may be waiting for it, or what has the slot.
		j.unlockLocked()
		if asked {
			j.awaitAnswerLocked(byPool)
		} else if j.awaitSlotLocked(place) {
			if j.canBeginLocked() {
				return time.Now(), true
			}
			slots.release() // not while waiting for anything else
		}
		at = time.Now()
	}
	return at, false
}

// canBeginLocked acquires the job's lock, if its executions do that and need not wait, and reports whether nothing keeps it
// from executing.
func (j *job) canBeginLocked() bool {
	return !j.state().has(inReady) && (!j.traits().periodic || j.lock.acquireNow(heldByExecution))
}

// releaseLocked releases what executions of the job take.
func (j *job) releaseLocked() {
	if slots := j.slots(); slots != nil {
		slots.release()
	}
	j.unlockLocked()
}

// unlockLocked releases the job's lock, if its executions acquire it.
func (j *job) unlockLocked() {
	if j.traits().periodic {
		j.lock.release()
	}
}
