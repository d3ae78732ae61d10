// Package jobs runs the background jobs of a long-running program: at an interval, by a cron schedule, with retries,
// or until told to stop.
//
// A program registers jobs with a pool. The pool executes each in a goroutine of its own, polls their health, and stops and
// restarts all attached jobs together (one-for-all supervision): while one of them cannot work, none does. There is a
// default pool behind the package-level functions, and [NewPool] makes others.
//
//	id, err := jobs.Register(job, jobs.Every(time.Minute), jobs.WithName("discovery"))
//
// # Kinds of job
//
// A trigger says when a job executes, and so what kind of job it is. A single run job ([Once]) executes once, a retry job
// ([Retry]) until it succeeds or has no attempts left. The continuous jobs execute for as long as they are
// registered: an interval job ([Every]) again and again, a scheduled job ([Cron], [On]) at each occurrence of a schedule,
// and a channel job ([Channel]) once, until it is told to stop.
//
// # Attached and detached
//
// Continuous jobs are attached to their pool unless they are registered with [Detached]. When an execution of an attached job fails or
// exceeds its timeout, or its Status returns an error, the pool is Stopped: no attached job begins an execution. After the
// retry interval the pool asks the Ready of each attached job that has started. If all return true, all start again together; if not, the next attempt
// comes after a longer wait. Single run, retry and detached jobs are neither stopped nor restarted, and stop nobody.
//
// # Contexts
//
// A [JobFunc], or any job that has ExecuteContext as well (a [ContextJob]), is given a context. It ends when the execution is to end:
// at its timeout, when the job is unregistered, when the pool is shut down and, for channel jobs, when the pool stops.
// [context.Cause] says which.
//
// # Health
//
// [Pool.Info] says what a pool does and why, [Pool.Job] and [Pool.Jobs] the same of jobs. A readiness probe should fail while the pool is
// not Running or Unstarted is not 0. A liveness probe should not: a new process would not end the outage.
//
// # What can be relied on
//
// A job never has two executions at once (but see [WithAbandonAfter]), and its Ready is never called beside itself or an
// execution. No execution of an attached job begins while the pool is Stopped. A panic in a job is an error of that job. The
// methods of a job may call any function of this package. A job between executions costs a timer and no goroutine.
// The repository's docs/GUARANTEES.md names the tests of each promise.
//
// # Testing
//
// In a testing/synctest bubble hours pass at once. A pool belongs to the bubble that uses it first: a test of code
// that uses the package-level functions begins with SetDefaultPool(nil) and ends with [Shutdown]. A goroutine in a real network
// read is not durably blocked, so the bubble's clock stands still until the read returns: use fakes or net.Pipe.
//
// # The agent SDK
//
// The package is a drop-in replacement for github.com/Axway/agent-sdk/pkg/jobs. [RegisterIntervalJob] and the SDK's other functions are
// short forms of [Register], for programs that move over. The repository's docs/MIGRATING.md lists the differences.
package jobs

import (
	"context"
	"iter"
	"sync/atomic"
)

// The types of job, as in JobInfo.Type. A detached scheduled job is of the same type as an attached one.
const (
	JobTypeSingleRun        = "single run"
	JobTypeRetry            = "retry"
	JobTypeInterval         = "interval"
	JobTypeChannel          = "channel"
	JobTypeDetachedChannel  = "detached channel"
	JobTypeDetachedInterval = "detached interval"
	JobTypeScheduled        = "scheduled"
)

// A Job is what a program wants done. Its methods are called on goroutines of the pool's. A method that
// panics, or calls runtime.Goexit, has failed: Ready is false then, and the others return an error.
type Job interface {
	// Execute does the job. It is never called while another call of it is in progress.
	Execute() error
	// Status returns an error if the job cannot do its work. The pool calls it at each status interval,
	// for attached jobs that are Running, and also while Execute is in progress. An error stops all
	// attached jobs, until all are ready again.
	Status() error
	// Ready reports whether the job can start. It is asked until it is true before the first execution,
	// and again before each restart of the pool. It may do real work and block. It is never called while
	// Execute, or another call of Ready, is in progress.
	Ready() bool
}

// A ContextJob is a Job that is executed with a context. ExecuteContext is called instead of Execute.
//
// Each execution has a context of its own, see FromContext and WithBaseContext. Its deadline is the execution's timeout, if
// it has one. It ends when the execution returns, at its timeout (ErrTimeout, and its Err is context.DeadlineExceeded), when
// the job is unregistered (ErrUnregistered), when the pool is shut down (ErrShutdown) and, for channel jobs, when the pool
// stops (ErrStopped); context.Cause tells which, also of contexts derived from it, whose Err is context.Canceled. An error that ExecuteContext returns after we ended its context is logged
// and is no failure.
type ContextJob interface {
	Job
	ExecuteContext(ctx context.Context) error
}

// A JobFunc is a ContextJob that is always ready and healthy.
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
	// GetName returns the job's name, or its type if it was given none.
	GetName() string
	// Ready calls the job's Ready and returns its answer, after waiting for a call in progress. While an
	// execution is in progress it returns true without calling; for a job that was unregistered, or
	// whose pool was shut down, false. It does not start the job. Not to be called from the job's own Ready,
	// which would wait for itself.
	Ready() bool
	// GetJob returns the JobExecution itself.
	GetJob() JobExecution
	// Lock waits for the job's lock and takes it, as JobLock does.
	Lock()
	// Unlock gives the job's lock back, as JobUnlock does.
	Unlock()

	info() JobInfo // so that only this package has implementations
}

func (j *job) GetStatus() JobStatus { return j.status() }
func (j *job) GetID() string        { return j.id }
func (j *job) GetName() string      { return j.name }
func (j *job) GetJob() JobExecution { return j }

func (j *job) Ready() (ready bool) {
	apart(func() { j.askReady(byUser, func(yes bool) { ready = yes }) })
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

// SetDefaultPool makes p the pool behind the package-level functions; with nil, a fresh one is made at
// their next use. The pool before it goes on as it is; whoever wants it to end calls its Shutdown.
func SetDefaultPool(p *Pool) { defaultPool.Store(p) }

// Register registers a job with the default pool, see Pool.Register.
func Register(job Job, trigger Trigger, opts ...JobOption) (string, error) {
	return DefaultPool().Register(job, trigger, opts...)
}

// Info returns what there is to know about the default pool.
func Info() PoolInfo { return DefaultPool().Info() }

// Jobs returns the jobs of the default pool, see Pool.Jobs.
func Jobs() iter.Seq[JobInfo] { return DefaultPool().Jobs() }

// GetJobInfo returns what there is to know about the job of the default pool with that id, see Pool.Job.
func GetJobInfo(id string) (JobInfo, bool) { return DefaultPool().Job(id) }

// WaitRunning waits until all attached jobs of the default pool are at work, see Pool.WaitRunning.
func WaitRunning(ctx context.Context) error { return DefaultPool().WaitRunning(ctx) }

// RunNow makes a job of the default pool execute now, see Pool.RunNow.
func RunNow(id string) error { return DefaultPool().RunNow(id) }

// Shutdown ends the default pool, see Pool.Shutdown.
func Shutdown(ctx context.Context) error { return DefaultPool().Shutdown(ctx) }
