package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A JobOption sets something about one job as it is registered. One that means nothing for the kind
// of job makes the registration fail; a nil one is ignored.
type JobOption func(*settings)

// settings is what the options of one registration amount to.
type settings struct {
	given   options
	named   bool
	name    string // blank for the id
	timeout time.Duration
	jitter  time.Duration
	min     time.Duration
	max     time.Duration
	forget  time.Duration
}

// options is a set of options; a kind of job has the set of those that mean something for it.
type options uint8

const (
	optDetached options = 1 << iota
	optJitter
	optBackoff
	optForget
)

var optionNames = [...]string{"Detached", "WithJitter", "WithRetryBackoff", "WithForget"}

// check reports the first setting that is no good for a kind with those options.
func (s *settings) check(allowed options) error {
	for i, name := range optionNames {
		if opt := options(1) << i; s.given&^allowed&opt != 0 {
			return fmt.Errorf("option %s means nothing for this kind of job", name)
		}
	}
	switch {
	case s.timeout < 0:
		return fmt.Errorf("WithJobTimeout(%v): a timeout below zero", s.timeout)
	case s.jitter < 0:
		return fmt.Errorf("WithJitter(%v): a jitter below zero", s.jitter)
	case s.min < 0 || s.max < s.min:
		return fmt.Errorf("WithRetryBackoff(%v, %v): want 0 <= min <= max", s.min, s.max)
	case s.forget < 0:
		return fmt.Errorf("WithForget(%v): a duration below zero", s.forget)
	}
	return nil
}

// WithName names the job: in JobExecution.GetName, JobInfo and the log. The name need not be unique. A job with a
// blank name has its id as its name, one without this option its type.
func WithName(name string) JobOption {
	return func(s *settings) { s.named = true; s.name = name }
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

// WithJobTimeout limits how long each execution of the job, and each call of its Status, may last,
// instead of the pool's execution timeout; 0 stands for that. A timeout below 0 is an error. Executions of
// single run and retry jobs have none unless this gives one; those of channel jobs have none at
// all, so for them it limits Status only.
//
// An execution that exceeds its timeout has failed at that moment. Go cannot kill it: until it returns
// the job keeps its lock and is not executed again. A ContextJob's context ends with ErrTimeout.
func WithJobTimeout(timeout time.Duration) JobOption {
	return func(s *settings) { s.timeout = timeout }
}

// Detached makes an interval, scheduled or channel job one that runs on whatever its pool does: it
// is not stopped and restarted with the others, its failures do not stop them, and its Status is not
// called.
func Detached() JobOption {
	return func(s *settings) { s.given |= optDetached }
}

// WithJitter adds a random time of at most max to each wait of an interval or scheduled job, so that
// many jobs, or many agents, do not all execute at the same moment. A max below zero is an error.
func WithJitter(max time.Duration) JobOption {
	return func(s *settings) { s.given |= optJitter; s.jitter = max }
}

// WithRetryBackoff makes a retry job wait after each failed attempt: min after the first, then twice
// as long each time, up to max. Without it attempts follow at once. It is an error if min is below
// zero or max below min.
func WithRetryBackoff(min, max time.Duration) JobOption {
	return func(s *settings) { s.given |= optBackoff; s.min, s.max = min, max }
}

// WithForget unregisters a single run or retry job by itself, the given time after it has ended;
// without it its record is kept until UnregisterJob. A pool that was shut down forgets nothing any more. A
// duration below zero is an error.
func WithForget(after time.Duration) JobOption {
	return func(s *settings) { s.given |= optForget; s.forget = after }
}

// A PoolOption sets something about a pool as NewPool makes it. A nil one is ignored. A bad value makes every
// registration with the pool fail, with an error that names it.
type PoolOption func(*poolSettings)

// poolSettings is what the options of a pool amount to. The zero poolSettings, but for the durations, are the defaults.
type poolSettings struct {
	logger       *slog.Logger
	abandonAfter time.Duration
	onStatus     func(PoolInfo)
	durations
	base    context.Context         // the parent of the executions' contexts; nil for context.Background
	endBase context.CancelCauseFunc // ends that; nil if base is
	invalid error                   // of the options: why nothing can be registered
}

// reject notes that an option is no good.
func (s *poolSettings) reject(err error) { s.invalid = errors.Join(s.invalid, err) }

// WithLogger sets where the pool logs to. The default, also for nil, is what slog.Default returns at
// the time. Lifecycle events are logged at debug level, failures and a stopped pool at error level,
// with the attributes job (the name), id, type and error.
func WithLogger(logger *slog.Logger) PoolOption {
	return func(s *poolSettings) { s.logger = logger }
}

// WithStatusInterval sets how often the pool calls the jobs' Status; 30 seconds by default. An
// interval of 0 or less is an error.
func WithStatusInterval(interval time.Duration) PoolOption {
	return func(s *poolSettings) {
		s.reject(checkInterval("WithStatusInterval", interval))
		s.statusInterval = interval
	}
}

// WithRetryInterval sets how long after a stop the pool first tries to restart; 30 seconds by
// default. An interval of 0 or less is an error.
func WithRetryInterval(interval time.Duration) PoolOption {
	return func(s *poolSettings) {
		s.reject(checkInterval("WithRetryInterval", interval))
		s.retryInterval = interval
	}
}

// WithExecutionTimeout sets how long an execution of an interval or scheduled job, and any call of
// Status, may last; 5 minutes by default. A timeout of 0 or less means that there is none.
func WithExecutionTimeout(timeout time.Duration) PoolOption {
	return func(s *poolSettings) { s.executionTimeout = timeout }
}

// WithAbandonAfter makes the pool give up an execution that has not returned the given time after
// its timeout: the job's lock is released, the job may execute again, and PoolInfo.Abandoned
// counts it. The goroutine goes on until it returns, and is ignored. Without this option, or with 0
// or less, a job never has two executions at once, however long one hangs, and the pool waits.
func WithAbandonAfter(after time.Duration) PoolOption {
	return func(s *poolSettings) { s.abandonAfter = after }
}

// WithOnStatus makes the pool call f each time its status has changed, in order, one call after the
// other. It is called on a goroutine of its own and may call any method of the pool. If it falls far
// behind, changes in between are left out, but never the latest.
func WithOnStatus(f func(PoolInfo)) PoolOption {
	return func(s *poolSettings) { s.onStatus = f }
}

// WithBaseContext makes the context that f returns the parent of every execution's context, so that executions find its
// values. NewPool calls f, once; a nil context is an error, and a nil f is ignored. When the base context ends the executions' contexts end with
// its cause, but nothing is stopped: what they return then counts as at any other time. Use Shutdown to end a pool.
func WithBaseContext(f func() context.Context) PoolOption {
	return func(s *poolSettings) {
		if f == nil {
			return
		}
		base := f()
		if base == nil {
			s.reject(errors.New("WithBaseContext: a nil context"))
			return
		}
		// One of package context's, so that contexts are made and ended without calling methods of the caller's.
		s.base, s.endBase = context.WithCancelCause(base)
	}
}

// durations are what can be set about the times of a pool, see UpdateDurations. They are immutable: others take
// their place.
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

// durations returns those in force now.
func (p *Pool) durations() *durations {
	if d := p.times.Load(); d != nil {
		return d
	}
	return &defaultDurations
}

// checkInterval returns an error if an interval that was given to the function of that name is no good.
func checkInterval(function string, interval time.Duration) error {
	if interval <= 0 {
		return fmt.Errorf("%s(%v): an interval must be above zero", function, interval)
	}
	return nil
}
