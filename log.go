package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/agentjobs/jobs/internal/handover"
)

// write calls the log handler, which is user code: no mutex may be held, and the call must count already, for the job
// or for its pool. A panic of the handler is ignored.
func (p *Pool) write(j *job, level slog.Level, message string, attrs ...slog.Attr) {
	if j != nil {
		attrs = append(j.attrs(), attrs...)
	}
	userCode(caller{pool: p, job: j}, func() error {
		p.handler().LogAttrs(context.Background(), level, message, attrs...)
		return nil
	}, func(error) {})
}

func (p *Pool) handler() *slog.Logger {
	if p.settings.logger == nil {
		return slog.Default()
	}
	return p.settings.logger
}

// log logs a call of the pool's that has no effect.
func (p *Pool) log(level slog.Level, message string, attrs ...slog.Attr) {
	p.beginLog()
	p.writeAside(level, message, attrs...)
}

// writeAside writes a line on behalf of a caller, see aside.
func (p *Pool) writeAside(level slog.Level, message string, attrs ...slog.Attr) {
	aside(func() {
		defer p.endLog()
		p.write(nil, level, message, attrs...)
	})
}

// aside calls f, which calls user code, on another goroutine. Its caller waits for it, but no longer than a millisecond:
// user code that hangs or calls runtime.Goexit costs its own goroutine, and not the caller's. The call counts already.
func aside(f func()) {
	done := make(chan struct{})
	// Ends with f, which Shutdown waits for.
	go func() {
		defer close(done)
		f()
	}()
	soon := time.NewTimer(handover.Slow)
	defer soon.Stop()
	select {
	case <-done:
	case <-soon.C:
	}
}

// beginLog counts a call of the log handler; endLog ends it. What is logged becomes visible with the pool's mutex
// held, and so does the count: either Shutdown sees the call, or its caller sees the shutdown.
func (p *Pool) beginLog() { p.beginCall(inPoolLog) }
func (p *Pool) endLog()   { p.endCall(inPoolLog) }

func (j *job) attrs() []slog.Attr {
	return []slog.Attr{slog.String("job", j.name), slog.String("id", j.id), slog.String("type", j.typeName())}
}

// duration returns an attribute as people read it: no more exact than a millisecond.
func duration(key string, d time.Duration) slog.Attr {
	return slog.Duration(key, d.Round(time.Millisecond))
}

// errorAttrs are the attributes of an error: its text, and the stack if it comes from a panic.
func errorAttrs(err error) []slog.Attr {
	attrs := []slog.Attr{slog.String("error", err.Error())}
	if stack := stackOf(err); stack != nil {
		attrs = append(attrs, slog.String("stack", string(stack)))
	}
	return attrs
}

// logBadValue logs the error, if any, because of which something was left unchanged.
func (p *Pool) logBadValue(err error) {
	if err != nil {
		p.log(slog.LevelError, "value ignored", errorAttrs(err)...)
	}
}

// logFailure logs an error about an aspect of the job; the call already counts for the job. That of an attempt after
// which there is another one is a warning, unless it is a panic. The same again is one, too, and is not logged each time.
func (j *job) logFailure(of aspect, message string, err error) {
	j.logFailureAt(of, slog.LevelError, message, err)
}

func (j *job) logFailureAt(of aspect, level slog.Level, message string, err error) {
	attrs := errorAttrs(err)
	text := attrs[0].Value.String()
	if e, ok := err.(*Error); ok && e.attempt > 0 {
		attrs = append(attrs, slog.Uint64("attempt", e.attempt))
		if stackOf(err) == nil {
			level = slog.LevelWarn
		}
	}
	j.warn(of, level, message, text, attrs...)
}

// logFailed logs a failure, and tells and logs that it has stopped the pool, if it has; the call of the log handler
// already counts for the job. A failure below the threshold is a warning, unless it is a panic.
func (j *job) logFailed(of aspect, message string, err error, below bool, stopped *untold) {
	j.pool.tellPool(stopped)
	level := slog.LevelError
	if below && stackOf(err) == nil {
		level = slog.LevelWarn
	}
	j.logFailureAt(of, level, message, err)
	if stopped != nil {
		j.pool.write(j, slog.LevelInfo, "pool stopped", slog.String("error", err.Error()))
	}
}

// logReturned logs that an execution has returned whose failure was recorded before; the call already counts for the
// job. An error of its own is worth as much as that failure.
func (j *job) logReturned(message string, end *ending) {
	if end.err != nil && !end.echo {
		j.logFailure(ofExecution, message, end.err)
		return
	}
	j.logIgnored(ofExecution, message, end.err)
}

// logIgnored logs the end of an execution whose error is no longer a failure; the call already counts for the job. A
// panic is still worth more than a debug line.
func (j *job) logIgnored(of aspect, message string, err error) {
	switch {
	case err == nil:
		j.pool.write(j, slog.LevelDebug, message)
	case stackOf(err) != nil:
		j.logFailure(of, message, err)
	default:
		j.pool.write(j, slog.LevelDebug, message, slog.String("error", err.Error()))
	}
}

// logDebug logs what a caller has done with a job. The call already counts for the pool; its count ends here.
func (j *job) logDebug(message string) {
	p := j.pool
	enabled := false
	userCode(caller{pool: p}, func() error {
		enabled = p.handler().Enabled(context.Background(), slog.LevelDebug)
		return nil
	}, func(error) {
		if !enabled {
			p.endLog()
		}
	})
	if enabled {
		p.writeAside(slog.LevelDebug, message, j.attrs()...)
	}
}

// logUnlock logs that JobUnlock has had no effect.
func (j *job) logUnlock(message string) {
	j.mu.Lock()
	ok, _, kept := j.sayLocked(ofLock, slog.LevelWarn, message)
	j.mu.Unlock()
	if ok {
		j.pool.log(slog.LevelWarn, message, keptBack(kept, j.attrs()...)...)
	}
}

// stackOf returns the stack of the panic that err comes from, if any. It calls no methods of the user's errors.
func stackOf(err error) []byte {
	for err != nil {
		switch e := err.(type) {
		case *panicError, *failure:
			if panicked := panicOf(err); panicked != nil {
				return panicked.stack
			}
			return nil
		case *endedError:
			err = e.err
		case *Error:
			err = e.cause
		default:
			err = errors.Unwrap(err)
		}
	}
	return nil
}
