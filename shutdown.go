package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
)

// Shutdown ends the pool for good: nothing begins any more, channel jobs are told to stop, the contexts
// of executions end with ErrShutdown, and Shutdown waits until every call of user code has returned,
// but for those of abandoned executions, and of a schedule's Next in a call of Register that has not
// returned. It returns nil then.
//
// If ctx ends first it returns an error that wraps ctx's cause and names the jobs that are still in a
// call, with the stacks of their goroutines where the runtime can tell. It may be called again, to wait
// again, and from many goroutines at once. From inside a job it waits for its caller too, and so until
// ctx's end.
//
// Afterwards the pool is Stopped, Register and RunNow return errors, and look-ups, locks and
// UnregisterJob work as before.
func (p *Pool) Shutdown(ctx context.Context) error {
	jobs := p.shut()
	for _, j := range jobs {
		if !within(ctx, j.whenQuiet()) {
			return p.unfinished(jobs, context.Cause(ctx))
		}
	}
	if !within(ctx, p.whenSilent()) {
		return p.unfinished(jobs, context.Cause(ctx))
	}
	return nil
}

// within waits for done, if there is one, and reports whether ctx lasted for as long.
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

// shut lets nothing begin any more, and returns the jobs in which something may be going on.
func (p *Pool) shut() (jobs []*job) {
	p.mu.Lock()
	jobs = slices.Clone(p.jobs)
	for _, j := range p.departed {
		jobs = append(jobs, j)
	}
	if p.state().shut() {
		p.mu.Unlock()
		return jobs
	}
	if p.state().status() != PoolStatusStopped {
		p.stopper, p.stopName, p.stopError = "", "", ErrShutdown
		p.changeLocked(p.state().with(PoolStatusStopped) | poolShut)
	} else {
		p.word.Store(uint64(p.state() | poolShut))
	}
	p.announceLatestLocked() // all others are news of a pool that goes on
	var cancels []context.CancelCauseFunc
	for _, j := range p.jobs {
		if cancel := j.shut(); cancel != nil {
			cancels = append(cancels, cancel)
		}
	}
	p.cycle.stop()
	p.limits.cycle.stop()
	p.recount()
	p.lookAgainLocked()
	p.mu.Unlock()
	endContexts(cancels, ErrShutdown)
	p.log(slog.LevelDebug, "pool shut down")
	return jobs
}

// shut ends the job, with its pool's mutex held. What it returns ends the context of its execution, or
// is nil.
func (j *job) shut() context.CancelCauseFunc {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c, ok := j.kind.(*channelJob); ok {
		j.endChannelLocked(c)
	}
	return j.retireLocked()
}

// whenQuiet returns a channel that is closed when no call of user code is in flight for the job, or nil
// if none is.
func (j *job) whenQuiet() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.quiet == nil && j.busyLocked() {
		j.quiet = make(chan struct{})
	}
	return j.quiet
}

// unfinished returns the error that names the jobs still in a call.
func (p *Pool) unfinished(jobs []*job, cause error) error {
	slices.SortFunc(jobs, byOrder)
	var busy []string
	stacks := stacksByCaller()
	var traces strings.Builder
	for _, j := range jobs {
		if calls, callers := j.callsInFlight(); calls != "" {
			busy = append(busy, fmt.Sprintf("%s in %s", j, calls))
			for _, who := range callers {
				for _, stack := range stacks[who.trace()] {
					traces.WriteString("\n\n" + stack)
				}
			}
		}
	}
	if p.whenSilent() != nil {
		busy = append(busy, "the function of WithOnStatus")
	}
	if len(busy) == 0 { // the last has returned at the same moment
		return nil
	}
	return fmt.Errorf("pool shut down, but not everything has returned (%w): %s%s", cause, strings.Join(busy, ", "), traces.String())
}

// callsInFlight names the methods of the job that have not returned, and says what their stacks show. An
// execution that was abandoned is none of them.
func (j *job) callsInFlight() (methods string, callers []caller) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var calls []string
	if phase := j.state().phase(); phase == phaseExecuting || phase == phaseLate {
		calls = append(calls, "Execute")
		callers = append(callers, caller{job: j, step: j.steps})
	}
	if j.readiness.asking {
		calls = append(calls, "Ready")
	}
	if healthState(j.health.Load()) != healthUnasked {
		calls = append(calls, "Status")
	}
	if len(calls) == 0 && j.busyLocked() {
		calls = append(calls, j.restOfCall())
		callers = append(callers, caller{job: j, step: j.steps})
	}
	return strings.Join(calls, " and "), append(callers, caller{job: j})
}

// restOfCall says what a job is in that is in none of its methods: a call counts until its end is logged.
func (j *job) restOfCall() string {
	const logger = "the pool's logger"
	if _, ok := j.kind.(*scheduledJob); ok {
		return "its schedule's Next or " + logger
	}
	return logger
}

// stacksByCaller returns the stack traces of the goroutines that are in user code, by their callers' trace.
func stacksByCaller() map[string][]string {
	stacks := make(map[string][]string)
	for _, stack := range allStacks() {
		if trace := callerTrace.FindString(stack); trace != "" {
			stacks[trace] = append(stacks[trace], stack)
		}
	}
	return stacks
}

// allStacks returns the stack trace of each goroutine, of as many as fit.
func allStacks() []string {
	buf := make([]byte, 1<<20)
	n := runtime.Stack(buf, true)
	for n == len(buf) && n < 64<<20 {
		buf = make([]byte, 2*n)
		n = runtime.Stack(buf, true)
	}
	return strings.Split(strings.TrimSpace(string(buf[:n])), "\n\n")
}
