package jobs

import (
	"context"
	"errors"
	"log/slog"
)

// write calls the log handler, which is user code: no mutex may be held, and the call must count already, for the job
// or for its pool. What the handler panics with is its own.
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

// log logs what a caller of the pool has asked for in vain. Like all that is logged on a caller's behalf it is written
// on another goroutine, which the caller waits for: the handler may end that, and not the caller's.
func (p *Pool) log(level slog.Level, message string, attrs ...slog.Attr) {
	p.beginLog()
	defer p.endLog()
	apart(func() { p.write(nil, level, message, attrs...) })
}

// beginLog counts a call of the log handler; endLog ends it. What the line tells of becomes visible with the pool's
// mutex held, and so does the count: whoever shuts the pool down sees that, or is seen.
func (p *Pool) beginLog() { p.logging.Add(1) }

func (p *Pool) endLog() {
	if p.logging.Add(-1) == 0 && p.state().shut() { // else nobody waits for it
		p.mu.Lock()
		defer p.mu.Unlock()
		p.wakeSilentLocked()
	}
}

func (j *job) attrs() []slog.Attr {
	return []slog.Attr{slog.String("job", j.name), slog.String("id", j.id), slog.String("type", j.typeName())}
}

// errorAttrs are the attributes of an error: its text, and the stack if it comes from a panic.
func errorAttrs(err error) []slog.Attr {
	attrs := []slog.Attr{slog.String("error", err.Error())}
	if stack := stackOf(err); stack != nil {
		attrs = append(attrs, slog.String("stack", string(stack)))
	}
	return attrs
}

// logBadValue logs an error on account of which something was left as it is, if it is one.
func (p *Pool) logBadValue(err error) {
	if err != nil {
		p.log(slog.LevelError, "value ignored", errorAttrs(err)...)
	}
}

// logFailure logs an error; the call counts for the job already.
func (j *job) logFailure(message string, err error) {
	j.pool.write(j, slog.LevelError, message, errorAttrs(err)...)
}

// logFailed logs a failure and whether the pool has stopped because of it; the call counts for the job already.
func (j *job) logFailed(message string, err error, stopped bool) {
	j.logFailure(message, err)
	if stopped {
		j.pool.write(j, slog.LevelError, "pool stopped", slog.String("error", err.Error()))
	}
}

// logIgnored logs the end of an execution whose error is no failure any more; the call counts for the job already. A
// panic is worth more than a debug line all the same.
func (j *job) logIgnored(message string, err error) {
	switch {
	case err == nil:
		j.pool.write(j, slog.LevelDebug, message)
	case stackOf(err) != nil:
		j.logFailure(message, err)
	default:
		j.pool.write(j, slog.LevelDebug, message, slog.String("error", err.Error()))
	}
}

// logDebug logs what a caller has done with a job. The call counts for the pool already, and ends here.
func (j *job) logDebug(message string) {
	defer j.pool.endLog()
	if j.pool.logs(slog.LevelDebug) {
		apart(func() { j.pool.write(nil, slog.LevelDebug, message, j.attrs()...) })
	}
}

func (j *job) logWarning(message string) { j.pool.log(slog.LevelWarn, message, j.attrs()...) }

// logs reports whether anything of that level is logged at all. The handler's answer counts as its call, see write.
func (p *Pool) logs(level slog.Level) (yes bool) {
	userCode(caller{pool: p}, func() error {
		yes = p.handler().Enabled(context.Background(), level)
		return nil
	}, func(error) {})
	return yes
}

// stackOf returns the stack of the panic that err comes from, if it does. It calls no method of an
// error of the user's.
func stackOf(err error) []byte {
	for err != nil {
		switch e := err.(type) {
		case *panicError:
			return e.stack
		case *failure:
			return nil
		case *Error:
			err = e.cause
		default:
			err = errors.Unwrap(err)
		}
	}
	return nil
}
