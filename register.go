package jobs

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// A Trigger decides when a job executes, and so what kind of job it is: Once, Retry, Every, Cron, On or Channel.
type Trigger interface {
	traits() *traits
	// kind returns what is particular to the job, or an error if the trigger is invalid at that time of the wall clock.
	kind(task Job, s *settings, at time.Time) (kind, error)
}

// A kind is what is particular to a kind of job. It decides when the job executes and what follows; the hooks are for
// what else has to happen then. Hooks that a kind does not need come from basicKind.
type kind interface {
	// due reports whether the job, which could execute now, is to. If not, it has scheduled the next step. It is
	// called by the job's step only, and may call user code; so it is given the current time, and returns it.
	due(j *job, at time.Time) (time.Time, bool)
	// after decides what follows an execution that has ended. The job's mutex is held.
	after(j *job, o outcome) verdict
	// failure returns what a failed execution is recorded as. The job's mutex is held.
	failure(j *job, cause error) error
	// nextRun returns when a job that is waiting executes next. Its mutex is held.
	nextRun(j *job) time.Time

	// trigger returns the trigger, as Go writes it.
	trigger() string
	// isDue is asked when the step of a paused job begins, and reports whether an interval has passed. If not, it has
	// scheduled the next step. The job's mutex is held.
	isDue(j *job) bool
	// period returns the interval of an interval job, or 0.
	period() time.Duration
	// warnings returns what its user may not have meant, as of the given time.
	warnings(at time.Time) []string

	// registered is called when the job joins its pool. The pool's mutex is held.
	registered(j *job)
	// begin is called before an execution begins, with no mutex held.
	begin(j *job)
	// ended completes the outcome of an ended execution with whether the job was told to end. It is called only for
	// kinds that are told, with the pool's mutex held.
	ended(j *job, o outcome) outcome
	// resume is called before the job is set going after a restart or a pause, and reports whether it keeps the
	// moment for which it is set already. Its mutex is held.
	resume(j *job, from SkipReason) (keeps bool)
	// misfire is called when a turn has met a stopped pool, or a paused job, and reports whether an execution is to stand for
	// it later: if not, it is skipped. The job's mutex is held.
	misfire() bool
	// tooLate reports whether what has waited for its turn has waited for too long. The job's mutex is held.
	tooLate(j *job) bool
	// leave is called when Reschedule is about to take this kind from a job that has started. Both mutexes are held.
	leave(j *job)
	// replace is called when Reschedule has given a job that has started this kind, and sets it going. Both mutexes are held.
	replace(old kind, j *job)
	// retire is called when the job is unregistered or its pool shut down: twice, if one follows the other. Both
	// mutexes are held.
	retire(j *job)
}

// basicKind is part of every kind: hooks that do nothing.
type basicKind struct{}

func (basicKind) due(_ *job, at time.Time) (time.Time, bool) { return at, true } // as soon as it can

func (basicKind) failure(j *job, cause error) error {
	return ErrExecutingJob.because(cause, j.typeName(), j.id)
}

func (basicKind) nextRun(j *job) time.Time        { return j.due.wall() }
func (basicKind) isDue(*job) bool                 { return false }
func (basicKind) period() time.Duration           { return 0 }
func (basicKind) warnings(time.Time) []string     { return nil }
func (basicKind) registered(*job)                 {}
func (basicKind) begin(*job)                      {}
func (basicKind) ended(_ *job, o outcome) outcome { return o }
func (basicKind) resume(*job, SkipReason) bool    { return false }
func (basicKind) misfire() bool                   { return false }
func (basicKind) tooLate(*job) bool               { return false }
func (basicKind) leave(*job)                      {}
func (basicKind) replace(kind, *job)              {} // only periodic jobs are rescheduled
func (basicKind) retire(*job)                     {}

// traits are what all jobs of a kind have in common.
type traits struct {
	name         string  // the JobType
	detachedName string  // the JobType of a detached one; empty if it is not a continuous job
	options      options // the options that apply to it
	// periodic: executions hold the job's lock, RunNow works, and the pool's execution timeout applies.
	periodic bool
	// told: an execution lasts until it is told to end, and a timeout is for Status only.
	told bool
}

var errNilTrigger = errors.New("nil trigger")

// Register registers a job and returns its id. It waits for nothing but On's schedule, and calls no method of the
// job: the job starts by itself, on another goroutine, as soon as its Ready returns true and, if it is attached, the
// pool is not Stopped. So it may begin before Register has returned its id: [FromContext] tells an execution its job.
//
// The error is an ErrRegisteringJob whose cause names what is wrong: a nil job or trigger, an invalid argument or
// option, an option that does not apply to the kind of job or that NewPool was given, a pool that was shut down. Then nothing was registered. The error is
// also logged, as many callers drop it.
//
// Registering the same value several times makes as many jobs of it.
func (p *Pool) Register(job Job, trigger Trigger, opts ...JobOption) (string, error) {
	j, err := p.newJob(job, trigger, opts)
	var n ticket
	if err == nil {
		n, err = p.adopt(j)
	}
	if err != nil {
		typeName := kindName(trigger, opts)
		err = ErrRegisteringJob.because(err, typeName)
		p.log(slog.LevelError, "job registration failed", append(errorAttrs(err),
			slog.String("job", settingsOf(opts).name), slog.String("type", typeName))...)
		return "", err
	}
	j.tellAside(EventRegistered, n, "")
	j.set(atOnce)
	j.logDebug("job registered")
	j.logWarnings(j.warnings())
	return j.id, nil
}

// logWarnings logs what the user of the job's schedule may not have meant.
func (j *job) logWarnings(warnings []string) {
	for _, warning := range warnings {
		j.pool.log(slog.LevelWarn, "trigger may not do what was meant", append(j.attrs(), slog.String("warning", warning))...)
	}
}

// noSettings are the settings without an option. Nobody changes them.
var noSettings settings

func settingsOf(opts []JobOption) *settings {
	if len(opts) == 0 {
		return &noSettings
	}
	s := new(settings)
	for _, opt := range opts {
		if opt != nil {
			opt.apply(s)
		}
	}
	return s
}

// kindName returns the type of a job that could not be registered.
func kindName(trigger Trigger, opts []JobOption) string {
	if trigger == nil {
		return "unknown"
	}
	t := trigger.traits()
	if t.detachedName != "" && settingsOf(opts).given&optDetached != 0 {
		return t.detachedName
	}
	return t.name
}

func (p *Pool) newJob(task Job, trigger Trigger, opts []JobOption) (*job, error) {
	if p.settings.invalid != nil {
		return nil, fmt.Errorf("the pool's options: %w", p.settings.invalid)
	}
	if task == nil {
		return nil, errors.New("nil job")
	}
	if trigger == nil {
		return nil, errNilTrigger
	}
	f := funcOf(task)
	if f != nil && f.execute == nil {
		return nil, errNoExecute
	}
	s := settingsOf(opts)
	traits := trigger.traits()
	if err := s.check(traits.options); err != nil {
		return nil, err
	}
	s = s.completed(p.settings.ofJobs, traits.options)
	at := p.wallClock()
	kind, err := trigger.kind(task, s, at)
	if err != nil {
		return nil, err
	}
	if s.retrying != nil {
		s.retrying.Job = task
		task = s.retrying
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("no id: %w", err)
	}
	j := &job{pool: p, task: task, id: id.String(), timeout: s.timeout, settings: &noSettings}
	j.form.Store(&form{kind, traits})
	if s.given&^optDetached != 0 {
		j.settings = s
	}
	j.owner = j
	_, isContextJob := task.(ContextJob)
	j.inContext, j.isFunc = isContextJob || p.settings.execute != nil, f != nil
	if traits.detachedName != "" && s.given&optDetached == 0 {
		j.change(0, markAttached)
	}
	j.name = s.nameOf(j.id, j.typeName())
	if warnings := kind.warnings(at); warnings != nil {
		j.extraLocked().warnings = warnings
	}
	if s.freshness > 0 {
		j.extraLocked().freshness = &freshness{every: s.freshness}
	}
	if s.threshold > 1 {
		j.extraLocked().threshold = uint64(s.threshold)
	}
	return j, nil
}

// adopt adds the job to the pool, and counts the calls that log and tell of it.
func (p *Pool) adopt(j *job) (n ticket, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state().closed() {
		return 0, p.state().whyClosed()
	}
	n = j.issueLocked() // the first: nobody else knows the job yet
	j.begun = now()
	if x := j.extra; x != nil && x.freshness != nil {
		x.freshness.from = j.begun
	}
	j.kind().registered(j)
	if p.registered == 0 {
		p.limits.cycle.owner = (*limiter)(p)
	}
	p.registered++
	j.order = p.registered
	j.index = int32(len(p.jobs))
	p.jobs = append(p.jobs, j)
	p.registry.add(j)
	if j.attached() {
		p.attached++
		p.unstarted.Add(1)
	}
	if p.state().status() == PoolStatusInitializing {
		p.changeLocked(p.state().with(PoolStatusRunning)) // with the job counted
	}
	if j.attached() && p.attached == 1 {
		p.sweptAt = now()
		p.rewatchLocked()
	}
	p.countPeriodicLocked(j, 1)
	p.beginLog()
	return n, nil
}
