package jobstest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

// A Puppet is a job that does what it is told, also while it executes, and watches its pool: what must never happen
// to a job fails the test at once, with the puppet's history (puppet_alarms.go says what). It is registered once, by
// Register or Enroll, and lives in a bubble.
//
//	pup := NewPuppet(t, p, "digger").Register(jobs.Every(time.Minute))
//	pup.Executions.Next(Hangs)          // each execution that begins from here on
//	pup.Executions.Now(Fails)           // those in flight
//	pup.ReadyCalls.Next(Fails)          // it is not ready
//	pup.StatusCalls.Next(Fails.In(time.Second))
//	pup.Executions.Moments()            // when executions began, since the puppet was made
type Puppet struct {
	Name                                string
	Executions, StatusCalls, ReadyCalls *Part
	Stop                                chan interface{} // to be passed to jobs.Channel
	TakesContext                        bool             // it is a ContextJob; set it before it is registered
	// GivenUpAfter is how long after its beginning an execution is abandoned, where the pool does that: its timeout
	// and WithAbandonAfter. One that old may have another one beside it.
	GivenUpAfter time.Duration

	alarm    assert.TestingT
	Pool     overseer
	born     time.Time
	enrolled chan struct{} // closed when it is registered, and what follows is known
	ID       string
	Attached bool

	mu       sync.Mutex // guards what follows, and the parts' calls
	history  []string
	told     []error // see ToldBy
	sighting sighting
	end      *ending
}

// An Act is what a puppet does when it is called.
type Act struct {
	Deed  string
	After time.Duration
}

// What puppets can do.
var (
	Succeeds = Act{Deed: "succeeds"}
	Fails    = Act{Deed: "fails"} // of Ready: is not ready
	Panics   = Act{Deed: "panics"}
	Exits    = Act{Deed: "exits"} // its goroutine
	Hangs    = Act{Deed: "hangs"} // until it is told otherwise
	Obeys    = Act{Deed: "obeys"} // works until its stop channel or the end of its context tells it to stop
)

// In is the act, after d, unless the puppet is told otherwise meanwhile.
func (a Act) In(d time.Duration) Act { return Act{a.Deed, d} }

// ErrPuppet is why a puppet fails, ErrNil what it was told by if that was a nil.
var (
	ErrPuppet = errors.New("the puppet was told to fail")
	ErrNil    = errors.New("a nil on the stop channel")
)

// NewPuppet returns a puppet that is ready, healthy, and succeeds at once.
func NewPuppet(alarm assert.TestingT, pool overseer, name string) *Puppet {
	p := &Puppet{Name: name, alarm: alarm, Pool: pool, born: time.Now(),
		Stop: make(chan interface{}), enrolled: make(chan struct{})}
	for name, part := range map[string]**Part{"execution": &p.Executions, "Status": &p.StatusCalls, "Ready": &p.ReadyCalls} {
		*part = newPart(name, p)
	}
	return p
}

// Register registers the puppet, under its name.
func (p *Puppet) Register(trigger jobs.Trigger, opts ...jobs.JobOption) *Puppet {
	p.Enroll(func(job jobs.Job) (string, error) {
		return p.Pool.Register(job, trigger, append(opts, jobs.WithName(p.Name))...)
	})
	return p
}

// Enroll registers the puppet by a function that is given the job.
func (p *Puppet) Enroll(register func(job jobs.Job) (string, error)) {
	id, err := register(p.job())
	if err != nil {
		p.raise("cannot be registered: %v", err)
		return
	}
	info, _ := p.Pool.Job(id)
	p.ID, p.Attached = id, !info.Detached && info.Type != jobs.JobTypeSingleRun && info.Type != jobs.JobTypeRetry
	close(p.enrolled)
}

// job returns the puppet as the kind of job that it is.
func (p *Puppet) job() jobs.Job {
	if p.TakesContext {
		return contextPuppet{p}
	}
	return p
}

func (p *Puppet) Execute() error { return p.Executions.perform(context.Background()) }
func (p *Puppet) Status() error  { return p.StatusCalls.perform(context.Background()) }
func (p *Puppet) Ready() bool    { return p.ReadyCalls.perform(context.Background()) == nil }

// A contextPuppet is a puppet that is executed with a context.
type contextPuppet struct{ *Puppet }

func (p contextPuppet) ExecuteContext(ctx context.Context) error { return p.ExecuteWith(ctx) }

// ExecuteWith is an execution with a context, even of a puppet that is no ContextJob.
func (p *Puppet) ExecuteWith(ctx context.Context) error { return p.Executions.perform(ctx) }

// Release ends all calls in flight, and makes those to come succeed at once.
func (p *Puppet) Release() {
	for _, part := range []*Part{p.Executions, p.StatusCalls, p.ReadyCalls} {
		part.Next(Succeeds)
		part.Now(Succeeds)
	}
}

// ToldBy returns what told its executions to end: ErrNil, if they obeyed it, or the cause with which their context
// ended while they were in flight, whether they obeyed it or not.
func (p *Puppet) ToldBy() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]error{}, p.told...)
}

func (p *Puppet) noteTold(by error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, by)
	p.noteLocked("told by: %v", by)
}

// A Part is one of a puppet's methods.
type Part struct {
	Timeline // of when its calls began
	name     string
	puppet   *Puppet
	act      Act
	begun    int                 // how many calls there were
	calls    map[int]*puppetCall // in flight, by number
}

type puppetCall struct {
	number int
	begun  time.Time
	first  Act
	orders chan Act // capacity 1: the last one given
}

func newPart(name string, p *Puppet) *Part {
	return &Part{Timeline: Timeline{Start: p.born}, name: name, puppet: p, act: Succeeds, calls: map[int]*puppetCall{}}
}

// Next makes each call from the next one on do that.
func (x *Part) Next(a Act) {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	x.act = a
}

// NextAct returns what the next call does.
func (x *Part) NextAct() Act {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	return x.act
}

// Now makes the calls in flight do that, and returns how many there are.
func (x *Part) Now(a Act) int {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	for _, c := range x.calls {
		c.order(a)
	}
	return len(x.calls)
}

// NowOnly makes the call of that number, from 1 on, do that, and reports whether it is in flight.
func (x *Part) NowOnly(number int, a Act) bool {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	c := x.calls[number]
	if c != nil {
		c.order(a)
	}
	return c != nil
}

// InFlight returns how many calls are in flight.
func (x *Part) InFlight() int {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	return len(x.calls)
}

// order is called with the puppet's mutex held.
func (c *puppetCall) order(a Act) {
	select {
	case <-c.orders:
	default:
	}
	c.orders <- a
}

func (x *Part) perform(ctx context.Context) error {
	<-x.puppet.enrolled
	c := x.begin()
	defer x.over(c)
	defer context.AfterFunc(ctx, func() { x.puppet.noteTold(context.Cause(ctx)) })()
	return x.play(ctx, c)
}

func (x *Part) play(ctx context.Context, c *puppetCall) error {
	for a := c.first; ; {
		if a.After > 0 {
			select {
			case a = <-c.orders:
				continue
			case <-time.After(a.After):
			}
		}
		switch a.Deed {
		case Fails.Deed:
			return ErrPuppet
		case Panics.Deed:
			panic(ErrPuppet)
		case Exits.Deed:
			runtime.Goexit()
		case Hangs.Deed:
			a = <-c.orders
		case Obeys.Deed:
			select {
			case a = <-c.orders:
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-x.puppet.Stop:
				x.puppet.noteTold(ErrNil)
				return nil
			}
		default:
			return nil
		}
	}
}
