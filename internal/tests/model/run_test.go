package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// An event is something that a job, or who waits for something, has seen.
type event struct {
	at      time.Duration
	what    moment
	job     int
	call    int // the number of the execution
	act     jobstest.Act
	failed  bool // of ends
	forGood bool // the error is Permanent
	echo    bool // the error is the cause with which its context has ended
	told    bool // an execution has taken a nil from its stop channel
	caller  int  // of JobLock
	ready   bool
	info    jobs.PoolInfo
	since   time.Duration
}

type moment string

const (
	execBegins   moment = "execution begins"
	execEnds     moment = "execution ends"
	statusBegins moment = "Status is called"
	statusEnds   moment = "Status returns"
	readyBegins  moment = "Ready is called"
	readyEnds    moment = "Ready returns"
	lockIsHeld   moment = "JobLock returns"
	userIsTold   moment = "JobExecution.Ready returns"
	poolChanges  moment = "the pool is"
)

func (e event) String() string {
	text := fmt.Sprintf("    %v: job %d: %s", e.at, e.job, e.what)
	switch e.what {
	case poolChanges:
		return fmt.Sprintf("    %v: %s %v", e.at, e.what, e.info.Status)
	case execBegins, statusBegins, readyBegins:
		return fmt.Sprintf("%s, and %s after %v", text, e.act.Deed, e.act.After)
	case execEnds, statusEnds, readyEnds:
		return fmt.Sprintf("%s, failed %v, told %v", text, e.failed, e.told)
	}
	return fmt.Sprintf("%s, caller %d", text, e.caller)
}

// A player is a puppet that keeps a record.
type player struct {
	*jobstest.Puppet
	run    *run
	n      int // its number in the model
	number int // in the script
	spec   *jobSpec
}

type contextPlayer struct{ *player }

func (p *player) Execute() error {
	return p.perform(p.Executions, execBegins, execEnds, p.Puppet.Execute)
}
func (p *player) Status() error {
	return p.perform(p.StatusCalls, statusBegins, statusEnds, p.Puppet.Status)
}

func (p *player) Ready() bool {
	return p.perform(p.ReadyCalls, readyBegins, readyEnds, func() error {
		if !p.Puppet.Ready() {
			return jobstest.ErrPuppet
		}
		return nil
	}) == nil
}

func (p contextPlayer) ExecuteContext(ctx context.Context) error {
	return p.perform(p.Executions, execBegins, execEnds, func() error { return p.ExecuteWith(ctx) })
}

func (p *player) nils() (n int) {
	for _, by := range p.ToldBy() {
		if by == jobstest.ErrNil {
			n++
		}
	}
	return n
}

func (p *player) perform(x *jobstest.Part, begins, ends moment, call func() error) (err error) {
	e := event{what: begins, job: p.n, act: x.NextAct()}
	e.call = p.run.note(e)
	nils, returned := p.nils(), false
	defer func() {
		e.forGood = returned && err != nil && p.spec.permanent
		e.what, e.failed, e.told = ends, err != nil || !returned, p.nils() > nils
		p.run.note(e)
	}()
	err = call()
	returned = true
	if err != nil && p.spec.permanent {
		return jobs.Permanent(err)
	}
	e.echo = err != nil && err != jobstest.ErrPuppet
	return err
}

// A run is a script that is being played, and what has come of it.
type run struct {
	*script
	pool    *jobs.Pool
	start   time.Time
	model   *model
	players map[int]*player     // by the numbers in the script
	handles []jobs.JobExecution // by the numbers in the model
	shared  chan interface{}
	callers int // of JobLock so far

	mu      sync.Mutex // guards what follows
	history []fmt.Stringer
	events  []event // since the model was told of the last ones
	calls   int
	alarms  []string
}

// A commandGiven is a command in the history.
type commandGiven struct {
	n  int
	at time.Duration
	command
}

func (c commandGiven) String() string { return fmt.Sprintf("%3d %v: %v", c.n, c.at, c.command) }

// note takes down an event. A call's number is the number of its begin.
func (r *run) note(e event) (call int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.at = time.Since(r.start)
	if e.call == 0 {
		r.calls++
		e.call = r.calls
	}
	r.events = append(r.events, e)
	r.history = append(r.history, e)
	return e.call
}

// Errorf makes a run what puppets raise the alarm at.
func (r *run) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.alarms = append(r.alarms, strings.TrimSpace(strings.SplitN(fmt.Sprintf(format, args...), "\n", 2)[0]))
}

func (r *run) drain() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

func (r *run) now() time.Duration { return time.Since(r.start) }

func newRun(s *script) *run {
	r := &run{script: s, model: newModel(s), start: time.Now(), players: map[int]*player{},
		shared: make(chan interface{}, s.seed%3)}
	r.pool = jobs.NewPool(jobstest.Quiet, jobs.WithStatusInterval(s.statusEvery), jobs.WithRetryInterval(s.retryEvery),
		jobs.WithExecutionTimeout(s.limit), jobs.WithAbandonAfter(s.abandonAfter),
		jobs.WithOnStatus(func(info jobs.PoolInfo) {
			r.note(event{what: poolChanges, info: info, since: info.Since.Sub(r.start)})
		}))
	return r
}

// play plays the script, and returns what is wrong. In the end everything is released and the pool shut
// down, so that the bubble tells what is left.
func (r *run) play() error {
	err := r.playAll()
	if err != nil {
		r.record(remark("      this is wrong: " + err.Error() + "; and in the end:"))
	}
	if endErr := r.end(); err == nil {
		err = endErr
	}
	return err
}

func (r *run) playAll() error {
	for i, c := range r.commands {
		if err := r.passes(c.wait); err != nil {
			return err
		}
		r.record(commandGiven{i, r.now(), c})
		if err := r.give(c); err != nil {
			return err
		}
	}
	r.record(remark("      all is mended"))
	return r.recovers()
}

// give gives a command, and looks at what comes of it at once.
func (r *run) give(c command) error {
	err := r.do(c)
	synctest.Wait()
	if err == nil {
		err = r.check()
	}
	return err
}

// passes lets time pass, and looks at the pool at its end and, if all that happens does so at a tick, at each.
func (r *run) passes(d time.Duration) error {
	step := d
	if r.tick > 0 && d > 0 {
		step = r.tick
	}
	for left := d; ; left -= step {
		jobstest.Advance(step)
		if err := r.check(); err != nil || left <= step {
			return err
		}
	}
}

type remark string

func (r remark) String() string { return string(r) }

func (r *run) record(line fmt.Stringer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, line)
}

// end releases everything, and shuts the pool down: then nothing is in flight or begins any more.
func (r *run) end() error {
	for _, p := range r.players {
		p.Release()
	}
	err := r.pool.Shutdown(context.Background())
	for _, p := range r.players {
		p.Release() // what was given up, and began after the last release
		for range r.callers {
			r.handles[p.n].Unlock() // and so serves the next
		}
	}
	synctest.Wait()
	for _, p := range r.players {
		p.IsOver("Shutdown has returned nil")
	}
	jobstest.Advance(time.Hour)
	if err == nil && len(r.alarms) > 0 {
		err = fmt.Errorf("%s", strings.Join(slices.Compact(r.alarms), "\n"))
	}
	return err
}

// story returns what has happened.
func (r *run) story() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, line := range r.history {
		fmt.Fprintln(&b, line)
	}
	return b.String()
}
