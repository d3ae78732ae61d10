package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// The coded errors. What the library returns or records is one of these with its details filled
// in: errors.Is tells which, and errors.Unwrap, errors.Is and errors.As see the cause.
var (
	// ErrRegisteringJob is what every refused registration returns.
	ErrRegisteringJob = &Error{code: 1600, format: "%v job registration failed"}
	// ErrExecutingJob is what a failed execution is recorded as (JobInfo.LastError).
	ErrExecutingJob = &Error{code: 1601, format: "Error in %v job %v execution"}
	// ErrExecutingRetryJob is what a failed attempt of a retry job is recorded as.
	ErrExecutingRetryJob = &Error{code: 1602, format: "Error in %v job %v execution, %v more retries"}
)

// The reasons for which an execution's context ends before the execution does; context.Cause
// returns one of them. They are also the causes of what is refused for the same reason.
var (
	// ErrTimeout - the execution, or a call of Status, has exceeded its timeout. It is context.DeadlineExceeded, too.
	ErrTimeout error = timeoutError{}
	// ErrUnregistered - the job was unregistered.
	ErrUnregistered = errors.New("jobs: job unregistered")
	// ErrShutdown - the pool was shut down.
	ErrShutdown = errors.New("jobs: pool shut down")
	// ErrStopped - the pool has stopped its jobs.
	ErrStopped = errors.New("jobs: pool stopped")
)

// Why RunNow has refused to execute a job, beside the reasons above.
var (
	// ErrUnknownJob - no job is registered with that id.
	ErrUnknownJob = errors.New("jobs: no job has that id")
	// ErrNotPeriodic - the job is neither an interval nor a scheduled job.
	ErrNotPeriodic = errors.New("jobs: neither an interval nor a scheduled job")
	// ErrNotReady - the job has not started, as its Ready has not returned true yet.
	ErrNotReady = errors.New("jobs: job not ready yet")
	// ErrEnded - the job has come to its end: it is Finished or Failed for good.
	ErrEnded = errors.New("jobs: job has ended")
)

// ErrInsideCall is why Shutdown with a context that never ends returns at once: its caller is inside one of the calls
// of user code that it would wait for.
var ErrInsideCall = errors.New("jobs: called from inside a call that it would wait for, with a context that never ends")

// timeoutError is the type of ErrTimeout.
type timeoutError struct{}

func (timeoutError) Error() string        { return "jobs: timeout exceeded" }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
func (timeoutError) Timeout() bool        { return true } // as of a net.Error

// Error is a coded error. It is immutable and safe for concurrent use.
type Error struct {
	code   int
	format string
	args   []any
	cause  error
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

// FormatError returns an error of the same code whose text has args filled in.
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
func (e *Error) Unwrap() error {
	if f, ok := e.cause.(*failure); ok {
		return f.err
	}
	return e.cause
}

// MarshalText returns what Error does, so that JSON shows the text.
func (e *Error) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// because returns the error with its details and its cause filled in.
func (e *Error) because(cause error, args ...any) *Error {
	return &Error{code: e.code, format: e.format, args: args, cause: cause}
}

// Permanent marks an error as one that trying again cannot cure: a retry job whose execution
// returns it, wrapped or not, is not tried again. Other kinds of job take it as any other error.
// Permanent(nil) is nil. The text is err's, and errors.Is and errors.As see err.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

// A failure is an error of user code whose methods have been called already, where a panic of
// theirs is caught, so that nothing need call them again.
type failure struct {
	err       error
	text      string
	permanent bool
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

// inspect returns the failure behind an error of user code, or nil. It calls methods of err.
func inspect(err error) error {
	if err == nil {
		return nil
	}
	looks := 1000 // an error that unwraps to itself has no end
	return &failure{err: err, permanent: holdsPermanent(err, &looks), text: err.Error()}
}

func holdsPermanent(err error, looks *int) bool {
	if _, ok := err.(*permanentError); ok || err == nil || *looks == 0 {
		return ok
	}
	*looks--
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return holdsPermanent(err, looks) })
	}
	return holdsPermanent(errors.Unwrap(err), looks)
}

func isPermanent(err error) bool {
	f, ok := err.(*failure)
	return ok && f.permanent
}
