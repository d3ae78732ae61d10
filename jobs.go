// Package jobs runs the background jobs of a long-running program: at an interval, on a cron schedule, with retries,
// or until told to stop.
//
// A program registers jobs with a pool. The pool executes each on its own goroutine, polls their health, and stops
// and restarts all attached jobs together (one-for-all supervision): while one of them cannot work, none does. The
// package-level functions use a default pool; [NewPool] makes others.
//
//	id, err := jobs.Register(job, jobs.Every(time.Minute), jobs.WithName("discovery"))
//
// # Kinds of job
//
// A job's trigger decides when it executes, and so what kind of job it is. A single run job ([Once]) executes once, a
// retry job ([Retry]) until it succeeds or has no attempts left. Continuous jobs execute for as long as they are
// registered: an interval job ([Every]) repeatedly, a scheduled job ([Cron], [On]) at each occurrence of a schedule,
// and a channel job ([Channel]) once, until told to stop.
//
// # Attached and detached
//
// Continuous jobs are attached to their pool unless registered with [Detached]. When an execution of an attached job
// fails or exceeds its timeout, or its Status returns an error, the pool is Stopped: no attached job begins an
// execution. After the retry interval the pool calls Ready of each attached job that has started; one that never
// started does not block a restart. If all return true, all start again together; if not, the next attempt comes
// after a longer wait. Single run, retry and detached jobs are neither stopped nor restarted, and never stop the
// others.
//
// # Contexts
//
// A [JobFunc], or any job that also has ExecuteContext (a [ContextJob]), is given a context. It ends when the
// execution should: at its timeout, when the job is unregistered, when the pool is shut down and, for channel jobs,
// when the pool stops. [context.Cause] says which. [Func] makes a job whose Ready and Status are given a context, too.
// [WithMiddleware] wraps executions, and [Progress] tells how far one is.
//
// # Health
//
// [Pool.Info] says what a pool is doing and why, [Pool.Job] and [Pool.Jobs] say the same of jobs. A readiness probe
// should fail while the pool is not Running or Unstarted is not 0. A liveness probe should not: a new process would
// not end the outage.
//
// # Operation
//
// [Pool.Explain] says what a job waits for, [Pool.Events] what has happened, and [WithObserver] tells of it as it
// happens. [Pool.Pause] and [Pool.PausePool] hold back a job, or all that are attached; [Pool.Drain] lets what is in
// flight end by itself before [Pool.Shutdown]. The repository's docs/OPERATIONS.md is for whoever is called at night.
//
// # Guarantees
//
// A job never has two executions at once (but see [WithAbandonAfter]), and its Ready never runs concurrently with
// itself or an execution. No execution of an attached job begins while the pool is Stopped. A panic in a job is an
// error of that job. A job's methods may call any function of this package. Between executions a job costs a timer
// and no goroutine. The repository's docs/GUARANTEES.md names the tests of each promise.
//
// # Testing
//
// Package jobstest tests that a job behaves, and has a pool for tests. In a testing/synctest bubble, hours pass in an
// instant. A pool belongs to the bubble that first uses it: jobstest.Pool makes one, or a test of code that uses the
// package-level functions begins with SetDefaultPool(nil) and ends with [Shutdown]. A goroutine in a real network read is
// not durably blocked, so the bubble's clock stands still until the read returns: use fakes or net.Pipe.
//
// # The agent SDK
//
// The package is a drop-in replacement for github.com/Axway/agent-sdk/pkg/jobs. [RegisterIntervalJob] and the SDK's
// other functions are shorthand for [Register], for programs that migrate. The SDK itself goes on using its own package, and
// so a pool of its own, unless cmd/jobsforward has replaced that. The repository's docs/MIGRATION.md lists the steps and
// the differences.
package jobs

import (
	"context"
	"iter"
	"sync/atomic"
)

// The values of JobInfo.Type. A detached scheduled job has the same type as an attached one.
const (
	JobTypeSingleRun        = "single run"
	JobTypeRetry            = "retry"
	JobTypeInterval         = "interval"
	JobTypeChannel          = "channel"
	JobTypeDetachedChannel  = "detached channel"
	JobTypeDetachedInterval = "detached interval"
	JobTypeScheduled        = "scheduled"
)

// A Job is background work. Its methods are called on the pool's goroutines, perhaps before Register has returned the
// job's id. A method that panics, or calls runtime.Goexit, has failed: Ready is then false, and the others return an
// error.
type Job interface {
	// Execute does the work. It is never called while another call of it is in progress.
	Execute() error
	// Status returns an error if the job cannot do its work. The pool calls it at each status interval for attached
	// jobs that are Running, concurrently with Execute. An error stops all attached jobs until all are ready again.
	Status() error
	// Ready reports whether the job can start. It is called until it returns true before the first execution, and
	// again before each restart of the pool. It may do real work and block: it has no timeout. It is never called
	// while Execute, or another call of Ready, is in progress.
	Ready() bool
}

// A ContextJob is a Job that is executed with a context: ExecuteContext is called instead of Execute.
//
// Each execution has its own context, see [FromContext] and [WithBaseContext]. Its deadline is the execution's
// timeout, if it has one. It ends when the execution returns, at its timeout ([ErrTimeout]; its Err is
// context.DeadlineExceeded), when the job is unregistered ([ErrUnregistered]), when the pool is shut down
// ([ErrShutdown]) and, for channel jobs, when the pool stops ([ErrStopped]); [context.Cause] says which, also of
// derived contexts, whose Err is context.Canceled. An error that ExecuteContext returns after the pool has ended its
// context is logged and kept in JobInfo.LastError, but is not a failure; to have exceeded the timeout is one.
type ContextJob interface {
	Job
	ExecuteContext(ctx context.Context) error
}

// A JobFunc is a ContextJob that is always ready and healthy. [Func] makes one that need not be.
type JobFunc func(ctx context.Context) error

// Execute calls f with a context that does not end.
func (f JobFunc) Execute() error { return f(context.Background()) }

// ExecuteContext calls f.
func (f JobFunc) ExecuteContext(ctx context.Context) error { return f(ctx) }

// Status returns nil.
func (f JobFunc) Status() error { return nil }

// Ready returns true.
func (f JobFunc) Ready() bool { return true }

// A JobExecution is a registered job. Its methods are safe for concurrent use.
type JobExecution interface {
	// GetStatus returns the job's status. It never waits.
	GetStatus() JobStatus
	// GetID returns the id that the registration returned.
	GetID() string
	// GetName returns the job's name, or its type if it was not given one.
	GetName() string
	// Ready calls the job's Ready and returns its answer, after waiting for any call in progress. During an execution
	// it returns true without calling; if the job was unregistered, or its pool shut down, false. It does not start
	// the job. The job's own Ready must not call it: it would wait for itself.
	Ready() bool
	// GetJob returns the JobExecution itself.
	GetJob() JobExecution
	// Lock waits for the job's lock and acquires it, as JobLock does.
	Lock()
	// Unlock releases the job's lock, as JobUnlock does.
	Unlock()

	info() JobInfo // so that only this package can implement it
}

func (j *job) GetStatus() JobStatus { return j.status() }
func (j *job) GetID() string        { return j.id }
func (j *job) GetName() string      { return j.name }
func (j *job) GetJob() JobExecution { return j }

func (j *job) Ready() (ready bool) {
	apart(func() { j.askReady(byUser, never, func(yes bool) { ready = yes }) })
	return ready
}

var defaultPool atomic.Pointer[Pool]

// DefaultPool returns the pool behind the package-level functions. It is made at first use.
func DefaultPool() *Pool {
	for {
		if p := defaultPool.Load(); p != nil {
			return p
		}
		defaultPool.CompareAndSwap(nil, NewPool())
	}
}

// SetDefaultPool makes p the pool behind the package-level functions; if p is nil, a new one is made at their next
// use. The previous pool goes on as it is; to end it, call its Shutdown.
func SetDefaultPool(p *Pool) { defaultPool.Store(p) }

// Register registers a job with the default pool, see [Pool.Register].
func Register(job Job, trigger Trigger, opts ...JobOption) (string, error) {
	return DefaultPool().Register(job, trigger, opts...)
}

// Info returns a snapshot of the default pool, see [Pool.Info].
func Info() PoolInfo { return DefaultPool().Info() }

// Jobs returns the jobs of the default pool, see [Pool.Jobs].
func Jobs() iter.Seq[JobInfo] { return DefaultPool().Jobs() }

// GetJobInfo returns a snapshot of the job of the default pool with that id, see [Pool.Job].
func GetJobInfo(id string) (JobInfo, bool) { return DefaultPool().Job(id) }

// JobByName returns a snapshot of the job of the default pool with that name, see [Pool.JobByName].
func JobByName(name string) (JobInfo, bool) { return DefaultPool().JobByName(name) }

// WaitRunning waits until all attached jobs of the default pool are at work, see [Pool.WaitRunning].
func WaitRunning(ctx context.Context) error { return DefaultPool().WaitRunning(ctx) }

// RunNow makes a job of the default pool execute now, see [Pool.RunNow].
func RunNow(id string) error { return DefaultPool().RunNow(id) }

// Shutdown ends the default pool, see [Pool.Shutdown].
func Shutdown(ctx context.Context) error { return DefaultPool().Shutdown(ctx) }
