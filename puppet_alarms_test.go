package jobs_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agentjobs/jobs"
)

// What a puppet raises the alarm for:
//
//   - an execution begins beside another one, unless that is old enough to have been given up;
//   - Ready is called beside itself or an execution, or Status beside itself;
//   - Status is called of a job that is not attached;
//   - an execution of an attached job begins while its pool is Stopped;
//   - a call of whatever method begins after UnregisterJob, or Shutdown, has returned.
//
// An execution begins when its job claims it, a moment before the puppet is called. In between no time
// passes in a bubble; but the pool may be stopped, or the job unregistered, in that moment. So the puppet
// accuses only if the pool was Stopped at an earlier time, or if more executions were claimed than when it
// was last seen Stopped, without a restart since.

// An overseer is what a puppet knows of its pool.
type overseer interface {
	Register(job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) (string, error)
	UnregisterJob(id string)
	GetJob(id string) jobs.JobExecution
	Job(id string) (jobs.JobInfo, bool)
	Info() jobs.PoolInfo
}

// A sighting is what was seen of a Stopped pool. Until its next restart there are no more executions.
type sighting struct {
	valid      bool
	restarts   int
	executions uint64
}

// An ending is what was to be the puppet's last moment.
type ending struct {
	event  string
	at     time.Time
	unseen int  // executions claimed before it that have not called the puppet yet
	calls  bool // Ready and Status may have been about to be called
}

// look has the puppet look at its pool: the more often, the sharper its eye for an execution that begins
// at the very time at which the pool was stopped.
func (p *puppet) look() {
	info := p.pool.Info()
	if info.Status != jobs.PoolStatusStopped {
		return
	}
	if own, ok := p.pool.Job(p.id); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sighting = sighting{true, info.Restarts, own.Executions}
	}
}

// unregister unregisters the puppet. From then on no call of it begins.
func (p *puppet) unregister() {
	handle := p.pool.GetJob(p.id)
	p.pool.UnregisterJob(p.id)
	p.ends("UnregisterJob has returned", handle)
}

// ends says that nothing of the puppet may begin any more, but for what had been claimed.
func (p *puppet) ends(event string, handle jobs.JobExecution) {
	claimed := 0
	if handle != nil && slices.Contains([]string{"Running", "Retrying", "Failed"}, handle.GetStatus().String()) {
		claimed = 1
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.execution.calls {
		if !p.givenUpLocked(c) {
			claimed = 0
		}
	}
	if p.end == nil {
		p.noteLocked("%s", event)
		p.end = &ending{event: event, at: time.Now(), unseen: claimed, calls: true}
	}
}

// isOver says that nothing of the puppet is in flight any more, or begins, after what has happened.
func (p *puppet) isOver(event string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noteLocked("%s", event)
	p.end = &ending{event: event, at: time.Now()}
	for _, x := range []*part{p.execution, p.status, p.ready} {
		for _, c := range x.calls {
			if x != p.execution || !p.givenUpLocked(c) {
				p.raiseLocked("%s %d is in flight, though %s", x.name, c.number, event)
			}
		}
	}
}

func (p *puppet) givenUpLocked(c *puppetCall) bool {
	return p.givenUpAfter > 0 && time.Since(c.begun) >= p.givenUpAfter
}

func (x *part) begin() *puppetCall {
	p := x.puppet
	info := p.pool.Info()
	own, _ := p.pool.Job(p.id)
	p.mu.Lock()
	defer p.mu.Unlock()
	x.begun++
	c := &puppetCall{number: x.begun, begun: time.Now(), first: x.act, orders: make(chan act, 1)}
	x.mark()
	p.noteLocked("%s %d begins, pool %v", x.name, c.number, info.Status)
	p.checkOverlapLocked(x)
	p.checkEndLocked(x)
	if x == p.execution {
		p.checkStoppedLocked(info, own)
	} else if x == p.status && !p.attached {
		p.raiseLocked("Status is called of a job that is not attached")
	}
	x.calls[c.number] = c
	return c
}

func (x *part) over(c *puppetCall) {
	x.puppet.mu.Lock()
	defer x.puppet.mu.Unlock()
	delete(x.calls, c.number)
	x.puppet.noteLocked("%s %d ends", x.name, c.number)
}

func (p *puppet) checkOverlapLocked(x *part) {
	beside := []*part{x}
	switch x {
	case p.execution:
		beside = append(beside, p.ready)
	case p.ready:
		beside = append(beside, p.execution)
	}
	for _, other := range beside {
		for _, c := range other.calls {
			if other != p.execution || !p.givenUpLocked(c) {
				p.raiseLocked("%s begins beside %s %d", x.name, other.name, c.number)
			}
		}
	}
}

func (p *puppet) checkEndLocked(x *part) {
	switch end := p.end; {
	case end == nil:
	case time.Now().After(end.at), x == p.execution && end.unseen == 0, x != p.execution && !end.calls:
		p.raiseLocked("%s begins, though %s", x.name, end.event)
	case x == p.execution:
		end.unseen--
	}
}

func (p *puppet) checkStoppedLocked(info jobs.PoolInfo, own jobs.JobInfo) {
	if !p.attached || info.Status != jobs.PoolStatusStopped {
		return
	}
	seen := p.sighting
	if info.Since.Before(time.Now()) ||
		seen.valid && seen.restarts == info.Restarts && own.Executions > seen.executions {
		p.raiseLocked("execution begins while the pool is Stopped, since %v", info.Since.Sub(p.born))
	}
}

func (p *puppet) noteLocked(format string, args ...any) {
	p.history = append(p.history, fmt.Sprintf("%v: ", time.Since(p.born))+fmt.Sprintf(format, args...))
}

func (p *puppet) raise(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.raiseLocked(format, args...)
}

// raiseLocked fails the test, which goes on: this may be any goroutine.
func (p *puppet) raiseLocked(format string, args ...any) {
	const shown = 50
	p.alarm.Errorf("puppet %q: %s\n%s", p.name, fmt.Sprintf(format, args...),
		strings.Join(p.history[max(0, len(p.history)-shown):], "\n"))
}
