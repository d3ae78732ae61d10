package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A JobOption configures one job at its registration. One that does not apply to the kind of job makes the
// registration fail; a nil one is ignored.
type JobOption interface{ apply(s *settings) }

type jobOption func(*settings)

func (f jobOption) apply(s *settings) { f(s) }

// settings are the combined options of one registration.
type settings struct {
	given   options
	named   bool
	name    string // if blank, the id is the name
	timeout time.Duration
	jitter  time.Duration
	min     time.Duration
	max     time.Duration
	forget  time.Duration

	freshness time.Duration
	retrying  *retrying // nil without WithRetries; its Job is still to be set
	threshold int
	catchUp   time.Duration
	misfire   Misfire
}

// options is a set of options, such as those that apply to a kind of job.
type options uint16

const (
	optDetached options = 1 << iota
	optJitter
	optBackoff
	optForget
	optRetries
	optThreshold
	optCatchUp
	optMisfire
	optWallClock
	optFreshness
)

var optionNames = [...]string{"Detached", "WithJitter", "WithRetryBackoff", "WithForget", "WithRetries", "WithFailureThreshold", "WithCatchUp",
	"WithMisfire", "WithWallClock", "WithFreshness"}

// check returns an error for the first setting that is invalid for a kind with those options.
func (s *settings) check(allowed options) error {
	for i, name := range optionNames {
		if opt := options(1) << i; s.given&^allowed&opt != 0 {
			return fmt.Errorf("option %s means nothing for this kind of job", name)
		}
	}
	switch {
	case s.given&optThreshold != 0 && s.given&optDetached != 0:
		return errors.New("option WithFailureThreshold means nothing for a detached job")
	case s.given&optThreshold != 0 && s.threshold < 1:
		return fmt.Errorf("WithFailureThreshold(%d): want at least 1", s.threshold)
	case s.timeout < 0:
		return fmt.Errorf("WithJobTimeout(%v): a timeout below zero", s.timeout)
	case s.jitter < 0:
		return fmt.Errorf("WithJitter(%v): a jitter below zero", s.jitter)
	case s.min < 0 || s.max < s.min:
		return fmt.Errorf("WithRetryBackoff(%v, %v): want 0 <= min <= max", s.min, s.max)
	case s.forget < 0:
		return fmt.Errorf("WithForget(%v): a duration below zero", s.forget)
	case s.given&optCatchUp != 0 && s.catchUp <= 0:
		return fmt.Errorf("WithCatchUp(%v): want more than zero", s.catchUp)
	case s.misfire > RunOnce:
		return fmt.Errorf("WithMisfire(%v): want Skip or RunOnce", s.misfire)
	case s.given&optFreshness != 0 && s.freshness <= 0:
		return fmt.Errorf("WithFreshness(%v): it must be above zero", s.freshness)
	case s.retrying != nil:
		return s.retrying.check()
	}
	return nil
}

// texts returns the options, as Go writes them, except for those that JobInfo has a field for.
func (s *settings) texts() (texts []string) {
	add := func(opt options, format string, args ...any) {
		if s.given&opt != 0 {
			texts = append(texts, fmt.Sprintf(format, args...))
		}
	}
	add(optJitter, "WithJitter(%v)", s.jitter)
	add(optBackoff, "WithRetryBackoff(%v, %v)", s.min, s.max)
	add(optForget, "WithForget(%v)", s.forget)
	if r := s.retrying; r != nil {
		add(optRetries, "WithRetries(%d, %v, %v)", r.attempts, r.min, r.max)
	}
	add(optThreshold, "WithFailureThreshold(%d)", s.threshold)
	add(optCatchUp, "WithCatchUp(%v)", s.catchUp)
	add(optMisfire, "WithMisfire(%v)", s.misfire)
	add(optWallClock, "WithWallClock()")
	add(optFreshness, "WithFreshness(%v)", s.freshness)
	return texts
}

// WithName names the job: in JobExecution.GetName, JobInfo and the log. The name need not be unique. A job with a
// blank name is named by its id, one without this option by its type.
func WithName(name string) JobOption {
	return jobOption(func(s *settings) { s.named = true; s.name = name })
}

// nameOf returns the name of a job with that id and type.
func (s *settings) nameOf(id, typeName string) string {
	switch {
	case !s.named:
		return typeName
	case strings.TrimSpace(s.name) == "":
		return id
	}
	return s.name
}

// WithJobTimeout sets the timeout of each execution of the job, and of each call of its Status, instead of the pool's
// execution timeout; 0 means the pool's, and below 0 is an error. Executions of single run and retry jobs have no
// timeout unless this sets one; those of channel jobs never have one, so for them it applies to Status only.
//
// An execution that exceeds its timeout fails at that moment. Go cannot kill it: until it returns, the job keeps its
// lock and is not executed again. A ContextJob's context ends with ErrTimeout.
func WithJobTimeout(timeout time.Duration) JobOption {
	return jobOption(func(s *settings) { s.timeout = timeout })
}

// Detached makes an interval, scheduled or channel job execute whatever the status of its pool: it is not stopped and
// restarted with the others, its failures do not stop them, and its Status is not called.
func Detached() JobOption {
	return jobOption(func(s *settings) { s.given |= optDetached })
}

// An Option is an option of a job or, in NewPool, of all jobs of a pool that it applies to. A job's own wins.
type Option interface {
	JobOption
	PoolOption
}

// WithJitter adds a random time of up to max to each wait of an interval or scheduled job, or of all those of a pool,
// so that many jobs, or many agents, do not all execute at the same moment. It also delays the first execution of an
// interval job, the one after a restart, and what a scheduled job catches up on after sleep or a jump of the clock;
// but not RunNow. A max below zero is an error.
func WithJitter(max time.Duration) Option { return withJitter(max) }

type withJitter time.Duration

func (max withJitter) apply(s *settings) { s.given |= optJitter; s.jitter = time.Duration(max) }

func (max withJitter) applyTo(s *poolSettings) {
	defaults := new(settings)
	max.apply(defaults)
	if err := defaults.check(optJitter); err != nil {
		s.reject(err)
	}
	s.ofJobs = defaults
}

// completed returns a job's settings, with those of its pool for all jobs.
func (s *settings) completed(defaults *settings, allowed options) *settings {
	switch {
	case defaults == nil, s.given&optJitter != 0, allowed&optJitter == 0:
		return s
	case s == &noSettings:
		return defaults
	}
	s.given |= optJitter
	s.jitter = defaults.jitter
	return s
}

// WithRetryBackoff makes a retry job wait after each failed attempt: min after the first, then twice as long each
// time, up to max. Without it there is no wait. A min below zero, or a max below min, is an error.
func WithRetryBackoff(min, max time.Duration) JobOption {
	return jobOption(func(s *settings) { s.given |= optBackoff; s.min, s.max = min, max })
}

// WithForget unregisters a single run or retry job automatically, the given time after it has ended; without it its
// record is kept until UnregisterJob. A pool that was shut down forgets nothing any more. A duration below zero is an
// error.
func WithForget(after time.Duration) JobOption {
	return jobOption(func(s *settings) { s.given |= optForget; s.forget = after })
}

// WithFailureThreshold makes the n-th failure in a row of an attached job's executions, or of its Status, stop the pool;
// without it the first does. A failure below the threshold is counted and logged as a warning: an interval or scheduled
// job goes on at its next time, and a channel job is executed again after the retry interval. An execution that exceeds
// its timeout is one failure, however long it then hangs. An n below 1 is an error.
func WithFailureThreshold(n int) JobOption {
	return jobOption(func(s *settings) { s.given |= optThreshold; s.threshold = n })
}

// A PoolOption configures a pool in NewPool. A nil one is ignored. An invalid one makes every registration with the
// pool fail, with an error that names it.
type PoolOption interface{ applyTo(s *poolSettings) }

type poolOption func(*poolSettings)

func (f poolOption) applyTo(s *poolSettings) { f(s) }

// poolSettings are the combined options of a pool. Their zero values, except for the durations, are the defaults.
type poolSettings struct {
	clock        func() time.Time // the wall clock; nil for time.Now
	logger       *slog.Logger
	abandonAfter time.Duration
	overdueAfter time.Duration // 0 for the status interval
	onStatus     func(PoolInfo)
	ofJobs       *settings // of its jobs, as far as they have none of their own; nil if there are none
	observers    []func(Event)
	history      *history
	durations
	slots      *slots // nil if the number of executions is not limited
	middleware []func(ExecuteFunc) ExecuteFunc
	execute    ExecuteFunc             // the middleware around a job; nil if there is none
	base       context.Context         // the parent of the executions' contexts; nil for context.Background
	endBase    context.CancelCauseFunc // ends that; nil if base is
	invalid    error                   // why nothing can be registered
}

// reject records that an option is invalid.
func (s *poolSettings) reject(err error) { s.invalid = errors.Join(s.invalid, err) }

// WithLogger sets where the pool logs to. The default, also for nil, is whatever slog.Default returns at the time.
// The messages are the same for all jobs; their attributes are job (the name), id, type, error and others.
//
//   - error: a failure, unless another attempt follows or it was below the threshold; and always a panic
//   - warn: other failures, a call without effect, what does not go on (a job is not ready, a restart is refused, a call without a
//     timeout has not returned for an hour, a job is overdue or stale), and what may not have been meant
//   - info: the pool has stopped, or restarted; a job is ready after more than a minute, or no longer overdue or stale; what Pause and the like did
//   - debug: all else
//
// A line about a job with the same text within ten minutes is not logged; the next one has the number of those in
// kept_back, and is a warning at most, if the job has not succeeded since. A pool logs at most 100 troubles of jobs
// in a second. The handler is called on other goroutines than its callers', which wait a millisecond for it at most;
// only its Enabled is called by Register and UnregisterJob themselves.
func WithLogger(logger *slog.Logger) PoolOption {
	return poolOption(func(s *poolSettings) { s.logger = logger })
}

// WithStatusInterval sets how often the pool calls the jobs' Status; 30 seconds by default. An
// interval of 0 or less is an error.
func WithStatusInterval(interval time.Duration) PoolOption {
	return poolOption(func(s *poolSettings) {
		s.reject(checkInterval("WithStatusInterval", interval))
		s.statusInterval = interval
	})
}

// WithRetryInterval sets how long after a stop the pool first attempts to restart; 30 seconds by default. An interval
// of 0 or less is an error.
func WithRetryInterval(interval time.Duration) PoolOption {
	return poolOption(func(s *poolSettings) {
		s.reject(checkInterval("WithRetryInterval", interval))
		s.retryInterval = interval
	})
}

// WithExecutionTimeout sets the timeout of executions of interval and scheduled jobs, and of all calls of Status; 5
// minutes by default. A timeout of 0 or less means that there is none. One that is found more than 100 milliseconds
// after it has passed, since the process was stopped or its machine suspended meanwhile, is put off for a second,
// once.
func WithExecutionTimeout(timeout time.Duration) PoolOption {
	return poolOption(func(s *poolSettings) { s.executionTimeout = timeout })
}

// WithAbandonAfter makes the pool abandon an execution that has not returned the given time after its timeout: the
// job's lock is released, the job may execute again, and PoolInfo.Abandoned counts it. The goroutine goes on until it
// returns, and is ignored. Without this option, or with 0 or less, a job never has two executions at once, however
// long one hangs, and the pool waits.
func WithAbandonAfter(after time.Duration) PoolOption {
	return poolOption(func(s *poolSettings) { s.abandonAfter = after })
}

// WithOnStatus makes the pool call f after each change of its status, in order, one call at a time. f is called on
// its own goroutine and may call any method of the pool. If it falls far behind, intermediate changes are dropped,
// but never the latest.
func WithOnStatus(f func(PoolInfo)) PoolOption {
	return poolOption(func(s *poolSettings) { s.onStatus = f })
}

// WithBaseContext makes the context that f returns the parent of every execution's context, so that executions find
// its values. NewPool calls f, once; it is an error if that panics or returns nil, and a nil f is ignored. When the base context ends,
// the executions' contexts end with its cause, but nothing is stopped: what they return then counts as at any other
// time. Use Shutdown to end a pool.
func WithBaseContext(f func() context.Context) PoolOption {
	return poolOption(func(s *poolSettings) {
		if f == nil {
			return
		}
		// A context of package context's own, so that contexts are made and ended without calling the caller's methods.
		userCode(caller{}, func() error {
			base := f()
			if base == nil {
				return errors.New("a nil context")
			}
			s.base, s.endBase = context.WithCancelCause(base)
			return nil
		}, func(err error) {
			if err != nil {
				s.reject(fmt.Errorf("WithBaseContext: %w", err))
			}
		})
	})
}

// durations are the settings that UpdateDurations changes. They are immutable: it replaces them.
type durations struct {
	statusInterval   time.Duration
	retryInterval    time.Duration
	executionTimeout time.Duration // 0 or less: none
}

var defaultDurations = durations{
	statusInterval:   30 * time.Second,
	retryInterval:    30 * time.Second,
	executionTimeout: 5 * time.Minute,
}

// durations returns those currently in force.
func (p *Pool) durations() *durations {
	if d := p.times.Load(); d != nil {
		return d
	}
	return &defaultDurations
}

// checkInterval returns an error if an interval passed to the named function is invalid.
func checkInterval(function string, interval time.Duration) error {
	if interval <= 0 {
		return fmt.Errorf("%s(%v): an interval must be above zero", function, interval)
	}
	return nil
}
