package jobstest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentjobs/jobs"
)

// What a puppet raises the alarm for:
//
//  - an execution begins beside another one, unless that is old enough to have been abandoned;
//  - Ready runs concurrently with itself or an execution, or Status with itself;
//  - Status is called of a job that is not attached;
//  - an execution of an attached job begins while its pool is Stopped;
//  - a call of any method begins after UnregisterJob, or Shutdown, has returned.
//
// An execution begins when its job claims it, a moment before the puppet is called. In between no time passes in a
// bubble; but the pool may be stopped, or the job unregistered, in that moment. So the puppet raises the alarm only
// if the pool was Stopped at an earlier time, or if more executions were claimed than when it was last seen Stopped,
// without a restart since.

// An overseer is what a puppet knows of its pool.
type overseer interface {
	Register(job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) (string, error)
	UnregisterJob(id string)
	GetJob(id string) jobs.JobExecution
	Job(id string) (jobs.JobInfo, bool)
	Info() jobs.PoolInfo
}

// A sighting is what was seen of a Stopped pool. Until its next restart there must be no more executions.
type sighting struct {
	valid      bool
	restarts   int
	executions uint64
}

// An ending is what should be the puppet's last moment.
type ending struct {
	event  string
	at     time.Time
	unseen int  // executions claimed before it that have not reached the puppet yet
	calls  bool // Ready and Status may have been about to be called
}

// Look makes the puppet look at its pool: the more often, the sharper its eye for an execution that begins at the
// very time at which the pool was stopped.
func (p *Puppet) Look() {
	info := p.Pool.Info()
	if info.Status != jobs.PoolStatusStopped {
		return
	}
	if own, ok := p.Pool.Job(p.ID); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sighting = sighting{true, info.Restarts, own.Executions}
	}
}

// Unregister unregisters the puppet. From then on no call of it begins.
func (p *Puppet) Unregister() {
	handle := p.Pool.GetJob(p.ID)
	p.Pool.UnregisterJob(p.ID)
	p.Ends("UnregisterJob has returned", handle)
}

// Ends says that nothing of the puppet may begin any more, except what was already claimed.
func (p *Puppet) Ends(event string, handle jobs.JobExecution) {
	claimed := 0
	if handle != nil && slices.Contains([]string{"Running", "Retrying", "Failed"}, handle.GetStatus().String()) {
		claimed = 1
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.Executions.calls {
		if !p.givenUpLocked(c) {
			claimed = 0
		}
	}
	if p.end == nil {
		p.noteLocked("%s", event)
		p.end = &ending{event: event, at: time.Now(), unseen: claimed, calls: true}
	}
}

// IsOver says that nothing of the puppet is in flight any more, or begins, after what has happened.
func (p *Puppet) IsOver(event string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteLocked("%s", event)
	p.end = &ending{event: event, at: time.Now()}
	for _, x := range []*Part{p.Executions, p.StatusCalls, p.ReadyCalls} {
		for _, c := range x.calls {
			if x != p.Executions || !p.givenUpLocked(c) {
				p.raiseLocked("%s %d is in flight, though %s", x.name, c.number, event)
			}
		}
	}
}

func (p *Puppet) givenUpLocked(c *puppetCall) bool {
	return p.GivenUpAfter > 0 && time.Since(c.begun) >= p.GivenUpAfter
}

func (x *Part) begin() *puppetCall {
	p := x.puppet
	info := p.Pool.Info()
	own, _ := p.Pool.Job(p.ID)
	p.mu.Lock()
	defer p.mu.Unlock()
	x.begun++
	c := &puppetCall{number: x.begun, begun: time.Now(), first: x.act, orders: make(chan Act, 1)}
	x.Mark()
	p.noteLocked("%s %d begins, pool %v", x.name, c.number, info.Status)
	p.checkOverlapLocked(x)
	p.checkEndLocked(x)
	if x == p.Executions {
		p.checkStoppedLocked(info, own)
	} else if x == p.StatusCalls && !p.Attached {
		p.raiseLocked("Status is called of a job that is not attached")
	}
	x.calls[c.number] = c
	return c
}

func (x *Part) over(c *puppetCall) {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	delete(x.calls, c.number)
	x.puppet.noteLocked("%s %d ends", x.name, c.number)
}

func (p *Puppet) checkOverlapLocked(x *Part) {
	beside := []*Part{x}
	switch x {
	case p.Executions:
		beside = append(beside, p.ReadyCalls)
	case p.ReadyCalls:
		beside = append(beside, p.Executions)
	}
	for _, other := range beside {
		for _, c := range other.calls {
			if other != p.Executions || !p.givenUpLocked(c) {
				p.raiseLocked("%s begins beside %s %d", x.name, other.name, c.number)
			}
		}
	}
}

func (p *Puppet) checkEndLocked(x *Part) {
	switch end := p.end; {
	case end == nil:
	case time.Now().After(end.at), x == p.Executions && end.unseen == 0, x != p.Executions && !end.calls:
		p.raiseLocked("%s begins, though %s", x.name, end.event)
	case x == p.Executions:
		end.unseen--
	}
}

func (p *Puppet) checkStoppedLocked(info jobs.PoolInfo, own jobs.JobInfo) {
	if !p.Attached || info.Status != jobs.PoolStatusStopped {
		return
	}
	seen := p.sighting
	if info.Since.Before(time.Now()) ||
		seen.valid && seen.restarts == info.Restarts && own.Executions > seen.executions {
		p.raiseLocked("execution begins while the pool is Stopped, since %v", info.Since.Sub(p.born))
	}
}

func (p *Puppet) noteLocked(format string, args ...any) {
	p.history = append(p.history, fmt.Sprintf("%v: ", time.Since(p.born))+fmt.Sprintf(format, args...))
}

func (p *Puppet) raise(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.raiseLocked(format, args...)
}

// raiseLocked fails the test, which goes on: this may be any goroutine.
func (p *Puppet) raiseLocked(format string, args ...any) {
	const shown = 50
	p.alarm.Errorf("puppet %q: %s\n%s", p.Name, fmt.Sprintf(format, args...),
		strings.Join(p.history[max(0, len(p.history)-shown):], "\n"))
}
