package jobs_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

// A puppet is a job that does what it is told, also while it executes, and watches its pool: what is never
// to happen to a job fails the test at once, with the puppet's history (puppet_alarms_test.go says what).
// It is registered once, by register or enroll, and lives in a bubble.
//
//	pup := newPuppet(t, p, "digger").register(jobs.Every(time.Minute))
//	pup.execution.next(hangs)           // each execution that begins from here on
//	pup.execution.now(fails)            // those in flight
//	pup.ready.next(fails)               // it is not ready
//	pup.status.next(fails.in(time.Second))
//	pup.execution.moments()             // when executions have begun, since the puppet was made
type puppet struct {
	name                     string
	execution, status, ready *part
	stop                     chan interface{} // what jobs.Channel is to be given
	takesContext             bool             // it is a ContextJob; set it before it is registered
	// givenUpAfter is how long after its begin an execution is given up, where the pool does that: its
	// time limit and WithAbandonAfter. One that old may have another one beside it.
	givenUpAfter time.Duration

	alarm    assert.TestingT
	pool     overseer
	born     time.Time
	enrolled chan struct{} // closed when it is registered, and what follows is known
	id       string
	attached bool

	mu       sync.Mutex // guards what follows, and the parts' calls
	history  []string
	told     []error // see toldBy
	sighting sighting
	end      *ending
}

// An act is what a puppet does when it is called.
type act struct {
	deed  string
	after time.Duration
}

var (
	succeeds = act{deed: "succeeds"}
	fails    = act{deed: "fails"} // of Ready: is not ready
	panics   = act{deed: "panics"}
	exits    = act{deed: "exits"} // its goroutine
	hangs    = act{deed: "hangs"} // whatever comes, until it is told otherwise
	obeys    = act{deed: "obeys"} // works until its stop channel or the end of its context tells it to stop
)

// in is the act, after d, unless the puppet is told otherwise in the meantime.
func (a act) in(d time.Duration) act { return act{a.deed, d} }

var (
	errPuppet = errors.New("the puppet was told to fail")
	errNil    = errors.New("a nil on the stop channel")
)

// newPuppet returns a puppet that is ready, healthy, and succeeds at once.
func newPuppet(alarm assert.TestingT, pool overseer, name string) *puppet {
	p := &puppet{name: name, alarm: alarm, pool: pool, born: time.Now(),
		stop: make(chan interface{}), enrolled: make(chan struct{})}
	for name, part := range map[string]**part{"execution": &p.execution, "Status": &p.status, "Ready": &p.ready} {
		*part = newPart(name, p)
	}
	return p
}

// register registers the puppet, under its name.
func (p *puppet) register(trigger jobs.Trigger, opts ...jobs.JobOption) *puppet {
	p.enroll(func(job jobs.Job) (string, error) {
		return p.pool.Register(job, trigger, append(opts, jobs.WithName(p.name))...)
	})
	return p
}

// enroll registers the puppet by the function, which is given the job to register.
func (p *puppet) enroll(register func(job jobs.Job) (string, error)) {
	id, err := register(p.job())
	if err != nil {
		p.raise("cannot be registered: %v", err)
		return
	}
	info, _ := p.pool.Job(id)
	p.id, p.attached = id, !info.Detached && info.Type != jobs.JobTypeSingleRun && info.Type != jobs.JobTypeRetry
	close(p.enrolled)
}

// job returns the puppet as the kind of job that it is.
func (p *puppet) job() jobs.Job {
	if p.takesContext {
		return contextPuppet{p}
	}
	return p
}

func (p *puppet) Execute() error { return p.execution.perform(context.Background()) }
func (p *puppet) Status() error  { return p.status.perform(context.Background()) }
func (p *puppet) Ready() bool    { return p.ready.perform(context.Background()) == nil }

// A contextPuppet is a puppet that is executed with a context.
type contextPuppet struct{ *puppet }

func (p contextPuppet) ExecuteContext(ctx context.Context) error { return p.executeWith(ctx) }

// executeWith is an execution with a context, also of a puppet that is no ContextJob.
func (p *puppet) executeWith(ctx context.Context) error { return p.execution.perform(ctx) }

// release ends all calls in flight, and has those to come succeed at once.
func (p *puppet) release() {
	for _, part := range []*part{p.execution, p.status, p.ready} {
		part.next(succeeds)
		part.now(succeeds)
	}
}

// toldBy returns by what its executions were told to end: errNil, if they obeyed it, or the cause with
// which their context ended while they were in flight, whether they obeyed it or not.
func (p *puppet) toldBy() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]error{}, p.told...)
}

func (p *puppet) noteTold(by error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, by)
	p.noteLocked("told by: %v", by)
}

// A part is one of a puppet's methods.
type part struct {
	timeline // of the begins of its calls
	name     string
	puppet   *puppet
	act      act
	begun    int                 // how many calls there were
	calls    map[int]*puppetCall // in flight, by number
}

type puppetCall struct {
	number int
	begun  time.Time
	first  act
	orders chan act // of one, the last that was given
}

func newPart(name string, p *puppet) *part {
	return &part{timeline: timeline{start: p.born}, name: name, puppet: p, act: succeeds, calls: map[int]*puppetCall{}}
}

// next has each call from the next one on do that.
func (x *part) next(a act) {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	x.act = a
}

// nextAct returns what the next call does.
func (x *part) nextAct() act {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	return x.act
}

// now has the calls in flight do that, and returns how many those are.
func (x *part) now(a act) int {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	for _, c := range x.calls {
		c.order(a)
	}
	return len(x.calls)
}

// nowOnly has the call of that number, from 1 on, do that, and reports whether it is in flight.
func (x *part) nowOnly(number int, a act) bool {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	c := x.calls[number]
	if c != nil {
		c.order(a)
	}
	return c != nil
}

// inFlight returns how many calls are in flight.
func (x *part) inFlight() int {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	return len(x.calls)
}

// order is called with the puppet's mutex held.
func (c *puppetCall) order(a act) {
	select {
	case <-c.orders:
	default:
	}
	c.orders <- a
}

func (x *part) perform(ctx context.Context) error {
	<-x.puppet.enrolled
	c := x.begin()
	defer x.over(c)
	defer context.AfterFunc(ctx, func() { x.puppet.noteTold(context.Cause(ctx)) })()
	return x.play(ctx, c)
}

func (x *part) play(ctx context.Context, c *puppetCall) error {
	for a := c.first; ; {
		if a.after > 0 {
			select {
			case a = <-c.orders:
				continue
			case <-time.After(a.after):
			}
		}
		switch a.deed {
		case fails.deed:
			return errPuppet
		case panics.deed:
			panic(errPuppet)
		case exits.deed:
			runtime.Goexit()
		case hangs.deed:
			a = <-c.orders
		case obeys.deed:
			select {
			case a = <-c.orders:
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-x.puppet.stop:
				x.puppet.noteTold(errNil)
				return nil
			}
		default:
			return nil
		}
	}
}
