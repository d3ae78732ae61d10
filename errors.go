package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// The coded errors. The library returns and records them with their details filled in: errors.Is tells which one it
// is, and errors.Unwrap, errors.Is and errors.As see the cause.
var (
	// ErrRegisteringJob is returned by every refused registration.
	ErrRegisteringJob = &Error{code: 1600, format: "%v job registration failed"}
	// ErrExecutingJob is recorded for a failed execution (JobInfo.LastError).
	ErrExecutingJob = &Error{code: 1601, format: "Error in %v job %v execution"}
	// ErrExecutingRetryJob is recorded for a failed attempt of a retry job.
	ErrExecutingRetryJob = &Error{code: 1602, format: "Error in %v job %v execution, %v more retries"}
)

// Why an execution's context ends before the execution does; context.Cause returns one of them. They are also the
// causes of refusals for the same reason.
var (
	// ErrTimeout - the execution, or a call of Status, exceeded its timeout. It also matches
	// context.DeadlineExceeded.
	ErrTimeout error = timeoutError{}
	// ErrUnregistered - the job was unregistered.
	ErrUnregistered = errors.New("jobs: job unregistered")
	// ErrShutdown - the pool was shut down.
	ErrShutdown = errors.New("jobs: pool shut down")
	// ErrStopped - the pool has stopped its jobs.
	ErrStopped = errors.New("jobs: pool stopped")
	// ErrCanceled - Cancel was called.
	ErrCanceled = errors.New("jobs: execution canceled")
)

// Why RunNow refuses to execute a job, besides the reasons above.
var (
	// ErrDrained - the pool was drained.
	ErrDrained = errors.New("jobs: pool drained")
	// ErrUnknownJob - no job is registered with that id.
	ErrUnknownJob = errors.New("jobs: no job has that id")
	// ErrNotPeriodic - the job is neither an interval nor a scheduled job.
	ErrNotPeriodic = errors.New("jobs: neither an interval nor a scheduled job")
	// ErrNotReady - the job has not started, because its Ready has not returned true yet.
	ErrNotReady = errors.New("jobs: job not ready yet")
	// ErrLate - the job's last execution has exceeded its timeout, and has not returned.
	ErrLate = errors.New("jobs: last execution is late")
	// ErrEnded - the job has ended: it is Finished or Failed for good.
	ErrEnded = errors.New("jobs: job has ended")
)

// Why a job cannot be paused, resumed or canceled, besides the reasons above.
var (
	// ErrNoReason - a blank reason was given.
	ErrNoReason = errors.New("jobs: no reason given")
	// ErrPassed - the time given has passed.
	ErrPassed = errors.New("jobs: time has passed")
	// ErrNotPaused - the job, or the pool, is not paused.
	ErrNotPaused = errors.New("jobs: not paused")
	// ErrNotExecuting - no execution of the job is in flight.
	ErrNotExecuting = errors.New("jobs: job not executing")
	// ErrNoContext - the job is no ContextJob, so its execution has no context that could end.
	ErrNoContext = errors.New("jobs: execution has no context")
)

// ErrInsideCall is the cause of the error that Shutdown returns at once if its context never ends and it is called
// from inside user code that it would wait for.
var ErrInsideCall = errors.New("jobs: called from inside a call that it would wait for, with a context that never ends")

// timeoutError is the type of ErrTimeout.
type timeoutError struct{}

func (timeoutError) Error() string        { return "jobs: timeout exceeded" }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
func (timeoutError) Timeout() bool        { return true } // as in net.Error

// Error is a coded error. It is immutable and safe for concurrent use.
type Error struct {
	code    int
	format  string
	args    []any
	cause   error
	attempt uint64 // the number of the failed attempt, if there will be another one
}

// Error returns the code and the text, and the cause if there is one, as in
// "[Error Code 1600] - scheduled job registration failed: <cause>".
func (e *Error) Error() string {
	text := e.format
	if len(e.args) > 0 {
		text = fmt.Sprintf(e.format, e.args...)
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return fmt.Sprintf("[Error Code %d] - %s", e.code, text)
}

// FormatError returns an error of the same code with args filled into its text.
func (e *Error) FormatError(args ...interface{}) error {
	return &Error{code: e.code, format: e.format, args: slices.Clone(args), cause: e.cause}
}

// GetErrorCode returns the code.
func (e *Error) GetErrorCode() int { return e.code }

// Is reports whether target is an *Error of the same code, whatever its details.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t != nil && t.code == e.code
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return original(e.cause) }

// MarshalText returns what Error does, so that JSON shows the text.
func (e *Error) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// because returns the error with its details and cause filled in.
func (e *Error) because(cause error, args ...any) *Error {
	return &Error{code: e.code, format: e.format, args: args, cause: cause}
}

// Permanent marks an error that retrying cannot cure: a retry job whose execution returns it, wrapped or not, is not
// retried. Other kinds of job treat it like any other error. Permanent(nil) is nil. The text is err's, and errors.Is
// and errors.As see err.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

// A failure is an error of user code whose methods were called where their panics are caught, so that nothing need
// call them again.
type failure struct {
	err       error
	text      string
	permanent bool
	panicked  *panicError // the panic that it stands for, if it does
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

// inspect returns an error of user code as a failure, or nil. It calls methods of err.
func inspect(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err: err, permanent: holds(err, isMarkedPermanent), text: err.Error()}
}

// inspectBeside is inspect of an error that may be, or wrap, the given panic.
func inspectBeside(err error, panicked *panicError) error {
	isIt := func(err error) bool { return err == panicked }
	switch {
	case panicked == nil || err == nil || !holds(err, isIt):
		return inspect(err)
	case isIt(err):
		return err
	}
	f := inspect(err).(*failure)
	f.panicked = panicked
	return f
}

// panicOf returns the panic that an outcome's error is or stands for, or nil.
func panicOf(err error) *panicError {
	switch e := err.(type) {
	case *panicError:
		return e
	case *failure:
		return e.panicked
	}
	return nil
}

func isMarkedPermanent(err error) bool { _, ok := err.(*permanentError); return ok }

// holds reports whether an error is such a one, or wraps one.
func holds(err error, is func(error) bool) bool {
	looks := 1000 // an error that unwraps to itself has no end
	return holdsWithin(&looks, err, is)
}

func holdsWithin(looks *int, err error, is func(error) bool) bool {
	if err == nil || is(err) || *looks == 0 {
		return err != nil && is(err)
	}
	*looks--
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return holdsWithin(looks, err, is) })
	}
	return holdsWithin(looks, errors.Unwrap(err), is)
}

// original returns the error that user code has returned.
func original(err error) error {
	if f, ok := err.(*failure); ok {
		return f.err
	}
	return err
}

// An endedError is an error that an execution has returned after it was to end, beside why it was to.
type endedError struct{ cause, err error }

// with returns the error of an execution together with what it returned after it was to end.
func (e *Error) with(returned error) *Error {
	both := *e
	both.cause = &endedError{e.cause, returned}
	return &both
}

func (e *endedError) Error() string { return e.cause.Error() + "; it returned: " + e.err.Error() }

// Unwrap returns both.
func (e *endedError) Unwrap() []error { return []error{e.cause, original(e.err)} }

// isEcho reports whether an error says no more than that the context of an execution has ended with that cause.
//
//go:noinline
func isEcho(err, cause error) bool {
	switch original(err) {
	case context.Canceled, context.DeadlineExceeded, cause:
		return cause != nil
	}
	return false
}

func isPermanent(err error) bool {
	f, ok := err.(*failure)
	return ok && f.permanent
}
