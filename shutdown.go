package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/agentjobs/jobs/internal/stacks"
)

// Shutdown ends the pool for good: nothing begins any more, channel jobs are told to stop, and the contexts of
// executions end with ErrShutdown. It then waits until every call of user code has returned, except those of
// abandoned executions, and of a schedule's Next in a call of Register that has not returned, and returns nil. User
// code is the methods of jobs, their errors and schedules, middleware, observers, the log handler, and the function of WithOnStatus.
//
// If ctx ends first, it returns an error that wraps ctx's cause and names the jobs still in a call, with the stacks
// of their goroutines where the runtime can tell. It may be called again, to wait again, and from many goroutines at
// once. From inside user code it waits for its caller too, and so until ctx ends; if ctx never ends, it waits for
// nothing and returns an error that wraps ErrInsideCall.
//
// Afterwards the pool is Stopped, Register and RunNow return errors, and look-ups, locks and UnregisterJob work as
// before.
func (p *Pool) Shutdown(ctx context.Context) error {
	ended := ctx.Done() // a nil ctx panics before anything has ended
	jobs := p.close()
	if ended == nil && p.calls() {
		return p.unfinished("shut down", jobs, ErrInsideCall)
	}
	if !allQuiet(ctx, jobs) || !within(ctx, p.whenSilent()) {
		return p.unfinished("shut down", jobs, context.Cause(ctx))
	}
	return nil
}

// Drain makes the pool begin nothing any more, and waits until what is in flight has ended by itself: no context ends, but
// those of channel jobs, which are told to stop. Then it returns nil. If ctx ends first, it returns the error that
// Shutdown would, and may be called again. Register and RunNow return errors that wrap ErrDrained from then on; what is
// left to do is Shutdown, which ends what Drain has not waited for:
//
//	_ = pool.Drain(ctx) // 30 seconds, say
//	err := pool.Shutdown(ctx2)
func (p *Pool) Drain(ctx context.Context) error {
	ended := ctx.Done() // a nil ctx panics before anything has ended
	jobs, first := p.markDrained()
	if first != nil {
		p.tellPool(first)
		p.writeAside(slog.LevelInfo, "pool drained")
	}
	if ended == nil && p.calls() {
		return p.unfinished("drained", jobs, ErrInsideCall)
	}
	if !allQuiet(ctx, jobs) {
		return p.unfinished("drained", jobs, context.Cause(ctx))
	}
	return nil
}

// markDrained marks the pool, once, and then counts the calls that log and tell of it.
func (p *Pool) markDrained() (jobs []*job, first *untold) {
	p.mu.Lock()
	defer p.mu.Unlock()
	jobs = p.knownLocked()
	if p.state().closed() {
		return jobs, nil
	}
	if p.state().status() != PoolStatusStopped {
		p.stopper, p.stopName, p.stopError = "", "", ErrDrained
		p.changeLocked(p.state().with(PoolStatusStopped) | poolDrained)
	} else {
		p.word.Store(uint64(p.state() | poolDrained))
	}
	p.tellLocked(true)
	p.lookAgainLocked()
	p.beginLog()
	return jobs, p.untoldLocked(EventPoolDrained, nil)
}

// allQuiet waits until no call of the retired jobs is in flight, and reports whether that came before ctx ended.
func allQuiet(ctx context.Context, jobs []*job) bool {
	for _, j := range jobs {
		if !within(ctx, j.whenQuiet()) {
			return false
		}
	}
	return true
}

// within waits for done, if it is not nil, and reports whether it came before ctx ended.
func within(ctx context.Context, done <-chan struct{}) bool {
	if done == nil {
		return true
	}
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// close lets nothing begin any more, and returns the jobs that may have calls in flight.
func (p *Pool) close() (jobs []*job) {
	jobs, first := p.markShut()
	if first != nil {
		p.tellPool(first)
		aside(func() {
			defer p.endLog()
			p.leaveBase()
			p.write(nil, slog.LevelDebug, "pool shut down")
		})
	}
	return jobs
}

// leaveBase releases what package context keeps for the pool with the base context, whose methods are user code. The
// executions' contexts have already ended.
func (p *Pool) leaveBase() {
	if p.settings.endBase != nil {
		userCode(caller{pool: p}, func() error { p.settings.endBase(ErrShutdown); return nil }, func(error) {})
	}
}

// markShut marks the pool, once, and then counts the calls that log and tell of it.
func (p *Pool) markShut() (jobs []*job, first *untold) {
	p.mu.Lock()
	defer p.mu.Unlock()
	jobs = p.knownLocked()
	if p.state().shut() {
		return jobs, nil
	}
	if p.state().status() != PoolStatusStopped {
		p.stopper, p.stopName, p.stopError = "", "", ErrShutdown
		p.changeLocked(p.state().with(PoolStatusStopped) | poolShut)
	} else {
		p.word.Store(uint64(p.state() | poolShut))
	}
	p.announceLatestLocked() // all others tell of a pool that is not shut down
	for _, j := range p.jobs {
		j.close()
	}
	p.cycle.quit()
	p.limits.cycle.quit()
	p.lookout.cycle.quit()
	p.lines.stop()
	p.lookAgainLocked()
	p.beginLog()
	return jobs, p.untoldLocked(EventPoolShutDown, nil)
}

// knownLocked returns the jobs that may have calls in flight.
func (p *Pool) knownLocked() []*job {
	jobs := slices.Clone(p.jobs)
	for _, j := range p.departed {
		jobs = append(jobs, j)
	}
	return jobs
}

// close ends the job, with its pool's mutex held.
func (j *job) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.retireLocked(ErrShutdown)
}

// The error of Shutdown names so many jobs at most, and has so many bytes of names and of stacks.
const (
	mostUnfinished    = 100
	mostNamesOfJobs   = 16 << 10
	mostStacksOfCalls = 48 << 10
)

// unfinished returns the error that names the jobs still in a call.
func (p *Pool) unfinished(what string, jobs []*job, cause error) error {
	slices.SortFunc(jobs, byOrder)
	var busy []string
	unnamed, room := 0, mostNamesOfJobs
	callers := []caller{{pool: p}}
	for _, j := range jobs {
		calls, who := j.callsInFlight()
		if calls == "" {
			continue
		}
		callers = append(callers, who...)
		if len(busy) == mostUnfinished || len(j.name) > room {
			unnamed++
			continue
		}
		room -= len(j.name)
		busy = append(busy, fmt.Sprintf("%s in %s", j, calls))
	}
	if unnamed > 0 {
		busy = append(busy, fmt.Sprintf("%d more jobs", unnamed))
	}
	busy = append(busy, p.callsInFlight()...)
	if len(busy) == 0 { // the last one has just returned
		return nil
	}
	traces := sync.OnceValue(func() map[string]bool {
		traces := make(map[string]bool)
		for _, who := range callers {
			traces[who.trace()] = true
		}
		return traces
	})
	shown := stacks.Of(userCodeName, func(stack string) bool { return traces()[traceOf(stack)] }, mostStacksOfCalls)
	return fmt.Errorf("pool %s, but not everything has returned (%w): %s%s", what, cause, strings.Join(busy, ", "), shown)
}
