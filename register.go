package jobs

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"
)

// A Trigger says when a job executes, and so what kind of job it is: Once, Retry, Every, Cron, On or
// Channel.
type Trigger interface {
	traits() *traits
	// kind returns what is particular to the job, or an error if the trigger is no good.
	kind(task Job, s *settings) (kind, error)
}

// Register registers a job and returns its id. It waits for nothing but On's schedule, and calls no method
// of the job: the job starts by itself, in another goroutine, as soon as its Ready returns true and, if it
// is attached, the pool is not Stopped.
//
// The error is an ErrRegisteringJob whose cause names what is wrong: a nil job or trigger, a trigger's
// argument, an option that means nothing for the kind of job, a pool that was shut down. Then nothing
// was registered. The error is logged too, as many callers drop it.
//
// Registering the same job value several times makes as many jobs of it.
func (p *Pool) Register(job Job, trigger Trigger, opts ...JobOption) (string, error) {
	j, err := p.newJob(job, trigger, opts)
	if err == nil {
		err = p.adopt(j)
	}
	if err != nil {
		typeName := kindName(trigger, opts)
		err = ErrRegisteringJob.because(err, typeName)
		p.log(slog.LevelError, "job registration failed", append(errorAttrs(err),
			slog.String("job", settingsOf(opts).name), slog.String("type", typeName))...)
		return "", err
	}
	j.set(atOnce)
	j.logDebug("job registered")
	return j.id, nil
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
			opt(s)
		}
	}
	return s
}

// kindName returns the name for a job that could not be registered.
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
	if task == nil {
		return nil, errors.New("nil job")
	}
	if trigger == nil {
		return nil, errors.New("nil trigger")
	}
	s := settingsOf(opts)
	traits := trigger.traits()
	if err := s.check(traits.options); err != nil {
		return nil, err
	}
	kind, err := trigger.kind(task, s)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("no id: %w", err)
	}
	j := &job{pool: p, task: task, id: id.String(), kind: kind, traits: traits, timeout: s.timeout}
	j.owner = j
	if traits.detachedName != "" && s.given&optDetached == 0 {
		j.change(0, markAttached)
	}
	j.name = s.nameOf(j.id, j.typeName())
	return j, nil
}

// adopt makes the job one of the pool's, and counts the call that logs it.
func (p *Pool) adopt(j *job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state().shut() {
		return ErrShutdown
	}
	j.kind.registered(j)
	if p.registered == 0 {
		p.limits.cycle.owner = (*limiter)(p)
	}
	p.registered++
	j.order = p.registered
	j.index = len(p.jobs)
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
	p.beginLog()
	return nil
}
