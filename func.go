package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Func makes a job of functions that are given a context, and say by an error what is wrong: execute is called instead of
// ExecuteContext, and options tell the rest. Without them the job is always ready and healthy, as a [JobFunc] is. To
// register one without execute is an error; a nil option is ignored. One job may be registered several times.
func Func(execute func(ctx context.Context) error, opts ...FuncOption) Job {
	f := &funcJob{execute: execute}
	for _, opt := range opts {
		if opt != nil {
			opt.apply(f)
		}
	}
	return f
}

// A FuncOption gives a job that [Func] makes another function.
type FuncOption interface{ apply(f *funcJob) }

type funcOption func(*funcJob)

func (o funcOption) apply(f *funcJob) { o(f) }

// WithReady sets what a job's Ready does: the job is ready if f returns nil. Else f's error is the reason, which
// JobInfo.NotReady, HoldUp.Error and the log show. When it is called: see [Job]. A nil f is always ready.
//
// The context is derived from the pool's base context. It ends when f returns, at the timeout that the job's executions
// have, or would have if they were periodic ([WithJobTimeout], or else the pool's; ErrTimeout), when the job is
// unregistered (ErrUnregistered) and when the pool is shut down (ErrShutdown). A call that exceeds the timeout counts as
// not ready, whatever it returns later, and an attempt to restart the pool does not wait for it any longer. But Go cannot
// kill it: until it has returned the job is not executed, nor asked again, and the next attempt waits for that.
func WithReady(f func(ctx context.Context) error) FuncOption {
	return funcOption(func(j *funcJob) { j.ready = f })
}

// WithStatus sets what a job's Status does. When it is called, and what its error does: see [Job]. A nil f is always
// healthy. The context is as that of [WithReady], and ends at the timeout of Status.
func WithStatus(f func(ctx context.Context) error) FuncOption {
	return funcOption(func(j *funcJob) { j.status = f })
}

// A funcJob is a ContextJob made of functions. The pool calls them with a context; its methods are for others.
type funcJob struct {
	execute, ready, status func(ctx context.Context) error
}

var errNoExecute = errors.New("Func(nil): there is nothing to execute")

// funcOf returns the funcJob that a job is, also with WithRetries, or nil.
func funcOf(task Job) *funcJob {
	switch task := task.(type) {
	case *funcJob:
		return task
	case *retrying:
		return funcOf(task.Job)
	}
	return nil
}

func (f *funcJob) ExecuteContext(ctx context.Context) error {
	if f.execute == nil {
		return errNoExecute
	}
	return f.execute(ctx)
}

func (f *funcJob) Execute() error { return f.ExecuteContext(context.Background()) }
func (f *funcJob) Ready() bool    { return f.ready == nil || f.ready(context.Background()) == nil }

func (f *funcJob) Status() error {
	if f.status == nil {
		return nil
	}
	return f.status(context.Background())
}

// A readyCall is a call of Ready that has a context.
type readyCall struct {
	ready      func(ctx context.Context) error
	ctx        *executionContext
	since      instant
	due        instant     // when it times out
	putOff     bool        // that was put off, see pardon
	timer      *time.Timer // its timeout; nil if it has none. Stopped with the call
	forAttempt bool        // an attempt to restart waits for the answer
}

// beginReadyLocked returns the call of Ready that is about to be made, or nil if that has no context.
func (j *job) beginReadyLocked(forAttempt bool) *readyCall {
	if !j.isFunc {
		return nil
	}
	ready := funcOf(j.task).ready
	if ready == nil {
		return nil
	}
	call := &readyCall{ready: ready, ctx: j.newContext(), since: now(), forAttempt: forAttempt}
	if limit := time.Duration(j.statusLimit()); limit > 0 {
		call.ctx.deadline = time.Now().Add(limit)
		call.due = call.since.after(limit)
		call.timer = time.AfterFunc(limit, func() { j.readyExpired(call) })
	}
	j.extraLocked().ready = call
	return call
}

// readyExpired is the timer's function: the call, if still in flight, has exceeded its timeout. That is its answer.
func (j *job) readyExpired(call *readyCall) {
	err := j.markLateReady(call)
	if err != nil {
		defer j.end(inLog)
		j.warn(ofReady, slog.LevelWarn, "call of Ready is late", "", errorAttrs(err)...)
	}
}

func (j *job) markLateReady(call *readyCall) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.extra.ready != call || j.hasQuitLocked() {
		return nil
	}
	if !call.putOff && call.due.missedAt(now()) {
		call.putOff = true
		call.timer.Reset(pardon)
		return nil
	}
	j.begin(inLog)
	j.change(0, lateReady)
	call.ctx.endLocked(ErrTimeout)
	err := fmt.Errorf("ready: %w", exceeded(time.Duration(now()-call.since)))
	j.extra.notReady = err
	if call.forAttempt && j.answer.CompareAndSwap(uint32(answerAsked), uint32(answerRefused)) {
		j.pool.recount()
	}
	return err
}

// endReadyLocked ends a call of Ready, and records why the job is not ready, if it is not. It reports whether the call
// was late.
func (j *job) endReadyLocked(call *readyCall, err error) (late bool) {
	if call != nil {
		if call.timer != nil {
			call.timer.Stop()
		}
		call.ctx.cancel(context.Canceled)
		j.extra.ready = nil
	}
	late = j.state().has(lateReady)
	switch {
	case j.hasQuitLocked():
	case !late && err != nil:
		j.extraLocked().notReady = err
	case !late && j.extra != nil:
		j.extra.notReady = nil
	case late && err != nil && !isEcho(err, ErrTimeout):
		j.extra.notReady = &endedError{j.extra.notReady, err}
	}
	return late
}

// logReady logs what Ready has returned besides its answer; the call already counts for the job.
func (j *job) logReady(err error, late bool) {
	switch {
	case panicOf(err) != nil:
		j.logFailure(ofReady, "call of Ready failed", err)
	case late:
		j.logIgnored(ofReady, "late call of Ready has returned", err)
	default:
		j.logIgnored(ofReady, "job is not ready", err)
	}
}

// callFuncsStatus is callStatus for a Func.
func (j *job) callFuncsStatus(life poolWord, limit timeLimit) {
	status := funcOf(j.task).status
	if status == nil {
		j.statusReturned(life, nil, nil)
		return
	}
	ctx := j.beginStatusContext(limit)
	userCode(caller{pool: j.pool, job: j}, func() error { return inspect(status(ctx)) }, func(err error) {
		j.statusReturned(life, j.endStatusContext(ctx), err)
	})
}

// beginStatusContext returns the context of the call of Status in flight.
func (j *job) beginStatusContext(limit timeLimit) *executionContext {
	ctx := j.newContext()
	if limit > 0 {
		ctx.deadline = time.Now().Add(time.Duration(limit))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch w := j.state(); {
	case w.has(lateStatus): // already
		ctx.endLocked(ErrTimeout)
	case w.has(markGone):
		ctx.endLocked(ErrUnregistered)
	case j.hasQuitLocked():
		ctx.endLocked(ErrShutdown)
	}
	j.extraLocked().status = ctx
	return ctx
}

// endStatusContext ends the context, and returns why the pool has ended it before, if it did.
func (j *job) endStatusContext(ctx *executionContext) (excuse error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.extra.status = nil
	ctx.cancel(context.Canceled)
	return ctx.endedFor
}

// endCallsLocked ends the contexts of calls of Ready and Status in flight.
func (j *job) endCallsLocked(cause error) {
	if x := j.extra; x != nil {
		x.status.endLocked(cause)
		if x.ready != nil {
			x.ready.ctx.endLocked(cause)
		}
	}
}
