package jobs

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"strings"
	"unsafe"
)

// A caller says on whose behalf user code is called. Its array makes the compiler pass it on the stack, where a stack
// trace shows its value: that is how Shutdown knows whose goroutine it is looking at, at no cost to a call.
type caller struct {
	pool *Pool  // nil if it does not count for one
	job  *job   // nil if it is not on behalf of one
	step uint32 // the step that is an execution; 0 for other calls
	_    [2]bool
}

// trace returns how a stack trace shows a call for that caller.
func (c caller) trace() string {
	return fmt.Sprintf("%s %#x, %#x,", c.pool.trace(), uintptr(unsafe.Pointer(c.job)), c.step)
}

// trace returns how a stack trace shows a call for any caller of the pool's.
func (p *Pool) trace() string { return fmt.Sprintf("%s%p,", traceStart, p) }

const traceStart = userCodeName + "({"

// userCodeName is how stack traces name the function userCode.
const userCodeName = "github.com/agentjobs/jobs.userCode"

// traceOf returns the caller's trace that a stack trace contains, or "".
func traceOf(stack string) string {
	_, args, found := strings.Cut(stack, traceStart)
	if !found {
		return ""
	}
	end := 0
	for range 3 { // pool, job and step
		end += strings.IndexByte(args[end:], ',') + 1
	}
	return traceStart + args[:end]
}

// calls reports whether the current goroutine is in a call of user code that counts for the pool.
func (p *Pool) calls() bool { return strings.Contains(string(debug.Stack()), p.trace()) }

// calls reports whether the current goroutine is in a call of user code that counts for the job.
func (j *job) calls() bool {
	trace, _, _ := strings.Cut(caller{pool: j.pool, job: j}.trace(), ", 0x0,")
	return strings.Contains(string(debug.Stack()), trace+",")
}

// userCode calls f, which calls user code, and passes done how it ended: what f returned, or a *panicError. Every
// call of user code goes through here.
//
// done is called exactly once, whatever f does. After a runtime.Goexit the goroutine is lost, so what must happen
// after user code belongs in done, not after the call of userCode.
//
//go:noinline
func userCode(who caller, f func() error, done func(error)) {
	returned := false
	defer func() {
		if !returned {
			failed := &panicError{text: "runtime.Goexit called"}
			defer func() { done(failed) }()
			failed.explain(recover())
		}
	}()
	err := f()
	returned = true
	done(err)
}

// apart calls f, which calls user code, on its own goroutine and waits for it to end: if the user code ends its
// goroutine, the caller's is not lost.
func apart(f func()) {
	over := make(chan struct{})
	// Ends with f, which the caller waits for.
	go func() {
		defer close(over)
		f()
	}()
	<-over
}

// A panicError stands for the result of user code that did not return.
type panicError struct {
	text  string
	value any
	stack []byte
}

// explain records what happened: a panic with that value or, if it is nil, a Goexit; but with GODEBUG=panicnil=1 a
// panic's value may be nil, too. The value's own methods are user code: fmt contains their panics, and a Goexit in one
// leaves the error as it was.
func (e *panicError) explain(value any) {
	e.stack = debug.Stack()
	inside, _, _ := bytes.Cut(e.stack, []byte(userCodeName+"("))
	if value != nil || !bytes.Contains(inside, []byte("\nruntime.Goexit(")) {
		text := fmt.Sprintf("panic: %v", value)
		e.text, e.value = text, value
	}
}

func (e *panicError) Error() string { return e.text }

// Unwrap returns the panic value, if that is an error.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}
