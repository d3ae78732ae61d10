package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// An ExecuteFunc is an execution, or the rest of one, as a middleware sees it: what it returns is its outcome.
type ExecuteFunc func(ctx context.Context) error

// WithMiddleware wraps each execution of each of the pool's jobs: in spans, log contexts, metrics. Given several times,
// the first is outermost. NewPool calls wrap once; what it returns is called for each execution, concurrently for
// different jobs. A nil wrap, or one that panics or returns nil, is an error.
//
// next executes the job and returns its error; if the job panics, next returns an error that stands for the panic. It wants
// the context that the middleware was given, or one derived from it, which is then the job's; any other is an error that
// next returns. What the middleware returns is the outcome of the execution. A middleware that does not call next
// takes the job's place; one that calls it again executes the job again, within the same execution. A call of next
// beside another, or after the execution, is an error. An execution lasts until the middleware and its calls of next have
// returned. A panic in the middleware is a panic of the execution.
//
// With middleware, executions of every job have a context. The attempts of [WithRetries] are made inside it.
func WithMiddleware(wrap func(next ExecuteFunc) ExecuteFunc) PoolOption {
	return poolOption(func(s *poolSettings) {
		if wrap == nil {
			s.reject(errors.New("WithMiddleware(nil)"))
			return
		}
		s.middleware = append(s.middleware, wrap)
	})
}

// composeMiddleware makes one ExecuteFunc of the middleware and, innermost, the job of the context.
func (p *Pool) composeMiddleware() {
	s := &p.settings
	if s.middleware == nil {
		return
	}
	s.execute = p.callJob
	for _, wrap := range slices.Backward(s.middleware) {
		userCode(caller{}, func() error {
			wrapped := wrap(s.execute)
			if wrapped == nil {
				return errors.New("a nil ExecuteFunc")
			}
			s.execute = wrapped
			return nil
		}, func(err error) {
			if err != nil {
				s.reject(fmt.Errorf("WithMiddleware: %w", err))
			}
		})
	}
}

var (
	errForeignContext = errors.New("jobs: middleware has called next with a context that is not derived from the one it was given")
	errNextBeside     = errors.New("jobs: middleware has called next while another call of it was in progress, or after its execution")
)

// inner is the calls of the job in one execution that middleware is around.
type inner struct {
	turn     chan struct{} // capacity 1: taken during a call, and for good at the end
	panicked *panicError   // what the last call stands for, if it has panicked; guarded by turn
}

// callJob is the innermost ExecuteFunc. The context is all that it knows.
func (p *Pool) callJob(ctx context.Context) (err error) {
	c := executionOf(ctx)
	if c == nil || c.job.pool != p || c.inner == nil {
		return errForeignContext
	}
	step, ok := c.enter()
	if !ok {
		return errNextBeside
	}
	defer func() { <-c.inner.turn }()
	userCode(caller{pool: p, job: c.job, step: step}, func() error { return callTask(ctx, c.job.task) }, func(failed error) {
		err = failed
		c.inner.panicked, _ = failed.(*panicError)
	})
	return err
}

// enter begins a call of the job, and returns the step that is its execution. It is not ok if there may be no such
// call.
func (c *executionContext) enter() (step uint32, ok bool) {
	select {
	case c.inner.turn <- struct{}{}:
	default:
		return 0, false
	}
	c.job.mu.Lock()
	defer c.job.mu.Unlock()
	if c.job.ctx != c { // it was abandoned
		<-c.inner.turn
		return 0, false
	}
	return c.job.steps, true
}

// execute calls the middleware, and waits until no call of the job is in progress that it has left behind. It returns
// nil, a *failure or a *panicError.
func (c *executionContext) execute(middleware ExecuteFunc) error {
	err := c.through(middleware)
	return inspectBeside(err, c.inner.panicked)
}

func (c *executionContext) through(middleware ExecuteFunc) error {
	defer func() { c.inner.turn <- struct{}{} }() // deferred, since the middleware may panic or call runtime.Goexit
	return middleware(c)
}

// callTask executes the job.
func callTask(ctx context.Context, task Job) error {
	if task, ok := task.(ContextJob); ok {
		return task.ExecuteContext(ctx)
	}
	return task.Execute()
}
