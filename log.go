package jobs

import (
	"context"
	"errors"
	"log/slog"
)

// log logs. No mutex may be held, since a log handler is user code; what it panics with is its own.
func (p *Pool) log(level slog.Level, message string, attrs ...slog.Attr) {
	defer func() { _ = recover() }()
	logger := p.logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.LogAttrs(context.Background(), level, message, attrs...)
}

func (j *job) log(level slog.Level, message string, attrs ...slog.Attr) {
	j.pool.log(level, message, append(j.attrs(), attrs...)...)
}

func (j *job) attrs() []slog.Attr {
	return []slog.Attr{slog.String("job", j.name), slog.String("id", j.id), slog.String("type", j.typeName())}
}

// logError logs an error of the library's own making, with the stack if it comes from a panic.
func (p *Pool) logError(message string, err error, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String("error", err.Error()))
	if stack := stackOf(err); stack != nil {
		attrs = append(attrs, slog.String("stack", string(stack)))
	}
	p.log(slog.LevelError, message, attrs...)
}

func (j *job) logFailure(message string, err error) { j.pool.logError(message, err, j.attrs()...) }

// logIgnored logs the end of an execution whose error is no failure any more. A panic is worth more than
// a debug line all the same.
func (j *job) logIgnored(message string, err error) {
	switch {
	case err == nil:
		j.logDebug(message)
	case stackOf(err) != nil:
		j.logFailure(message, err)
	default:
		j.logDebug(message, slog.String("error", err.Error()))
	}
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

// logDebug logs an event of a job's life.
func (j *job) logDebug(message string, attrs ...slog.Attr) {
	if j.pool.logs(slog.LevelDebug) {
		j.log(slog.LevelDebug, message, attrs...)
	}
}

// logs reports whether anything of that level is logged at all.
func (p *Pool) logs(level slog.Level) (yes bool) {
	defer func() { _ = recover() }()
	logger := p.logger
	if logger == nil {
		logger = slog.Default()
	}
	return logger.Enabled(context.Background(), level)
}

func (j *job) logWarning(message string) { j.log(slog.LevelWarn, message) }

// logIgnored logs an error on account of which something was left as it is, if it is one.
func (p *Pool) logIgnored(err error) {
	if err != nil {
		p.logError("value ignored", err)
	}
}
