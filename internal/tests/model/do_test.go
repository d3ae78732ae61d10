package model

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// do does what the command says to the pool and to the model, and returns what is wrong with the answer.
func (r *run) do(c command) error {
	m := r.model
	switch c.do {
	case registers:
		return r.register(c)
	case setsStopped:
		r.pool.SetStatus(jobs.PoolStatusStopped)
		m.stop(nil)
	case setsRunning:
		r.pool.SetStatus(jobs.PoolStatusRunning)
		m.demandByHand()
	case updates:
		r.pool.UpdateDurations(c.to, c.and)
		m.update(c.to, c.and)
	case shutsDown:
		return r.shutdown(c.to)
	}
	if p := r.players[c.job]; p != nil && c.do != passes {
		return r.doTo(p, m.jobs[p.n], c)
	}
	return nil
}

func (r *run) doTo(p *player, j *modelJob, c command) error {
	part := []*jobstest.Part{p.Executions, p.StatusCalls, p.ReadyCalls}[c.part]
	switch c.do {
	case unregisters:
		p.Unregister()
		r.model.unregister(j)
	case from:
		part.Next(c.act)
	case inFlight:
		if part.Now(c.act); c.part == 0 {
			j.act, j.actSince = c.act, r.now()
		}
	case locks:
		r.lock(p, j)
	case unlocks:
		r.pool.JobUnlock(p.ID)
		if j.holder > free {
			j.holder = free
		}
	case runsNow:
		if err := r.pool.RunNow(p.ID); (err == nil) != r.model.runNow(j) {
			return fmt.Errorf("RunNow of %v answers %v", j, err)
		}
	case cancels:
		if err, want := r.pool.Cancel(p.ID), r.model.cancel(j); !errors.Is(err, want) {
			return fmt.Errorf("Cancel of %v answers %v, want %v", j, err, want)
		}
	case takes:
		return r.take(p, j)
	case asksReady:
		r.askReady(p, j)
	}
	return nil
}

// register registers a job, "and an error, and nothing is registered," if the pool was shut down or the
// schedule has no future occurrence.
func (r *run) register(c command) error {
	p := &player{Puppet: jobstest.NewPuppet(r, r.pool, fmt.Sprint("job ", c.job)), run: r, n: len(r.model.jobs), number: c.job, spec: c.spec}
	var job jobs.Job = p
	if c.spec.context {
		job = contextPlayer{p}
	}
	for i, part := range []*jobstest.Part{p.Executions, p.StatusCalls, p.ReadyCalls} {
		part.Next(c.spec.acts[i])
	}
	trigger, opts := r.trigger(p)
	if !r.model.registers(c.spec) {
		if _, err := r.pool.Register(job, trigger, opts...); !errors.Is(err, jobs.ErrRegisteringJob) {
			return fmt.Errorf("registered a job, though that was to fail: %v", err)
		}
		return nil
	}
	j := r.model.register(c.spec)
	p.Enroll(func(jobs.Job) (string, error) { return r.pool.Register(job, trigger, opts...) })
	j.id = p.ID
	r.players[c.job] = p
	r.handles = append(r.handles, r.pool.GetJob(p.ID))
	if handle := r.handles[p.n]; handle == nil || handle.GetID() != p.ID {
		return fmt.Errorf("%v is not known, though registered", j)
	}
	return nil
}

func (r *run) trigger(p *player) (trigger jobs.Trigger, opts []jobs.JobOption) {
	s := p.spec
	switch s.kind {
	case single:
		trigger = jobs.Once()
	case retry:
		trigger = jobs.Retry(s.attempts)
		opts = append(opts, jobs.WithRetryBackoff(s.min, s.max))
	case interval:
		trigger = jobs.Every(s.interval)
	case scheduled:
		trigger = jobs.On(jobstest.NextFunc(func(t time.Time) time.Time {
			if next := s.next(t.Sub(r.start)); next != notSet {
				return r.start.Add(next)
			}
			return time.Time{}
		}))
	case channel:
		p.Stop = make(chan interface{}, s.buffer)
		if s.shares {
			p.Stop = r.shared
		} else if s.context {
			p.Stop = nil
		}
		trigger = jobs.Channel(p.Stop)
	}
	if s.jitter > 0 {
		opts = append(opts, jobs.WithJitter(s.jitter))
	}
	if (s.periodic() || s.kind == channel) && !s.attached {
		opts = append(opts, jobs.Detached())
	}
	if s.threshold > 0 {
		opts = append(opts, jobs.WithFailureThreshold(int(s.threshold)))
	}
	if s.forget != notSet {
		opts = append(opts, jobs.WithForget(s.forget))
	}
	if limit := s.limit; r.abandonAfter > 0 && s.kind != channel && (limit > 0 || s.periodic()) {
		if limit == 0 {
			limit = leastLimit * r.unit
		}
		p.GivenUpAfter = limit + r.abandonAfter
	}
	return trigger, append(opts, jobs.WithJobTimeout(s.limit))
}

// lock has a caller wait for the job's lock; "the old id works until the last of them is gone", and then not.
func (r *run) lock(p *player, j *modelJob) {
	if j.gone && j.holder == free {
		return
	}
	r.callers++
	caller := r.callers
	j.queue = append(j.queue, lockWaiter{caller, r.now()})
	go func() {
		r.pool.JobLock(p.ID)
		r.note(event{what: lockIsHeld, job: p.n, caller: caller})
	}()
}

// take takes a value from the job's stop channel, as "another goroutine listening there" does.
func (r *run) take(p *player, j *modelJob) error {
	if j.kind != channel || j.context {
		return nil
	}
	took := false
	select {
	case value := <-p.Stop:
		if took = true; value != nil {
			return fmt.Errorf("%v is told to end by %v", j, value)
		}
	default:
	}
	if want := j.open && !j.took || j.listening; took != want && !j.shares && !j.doubtful {
		return fmt.Errorf("there is a nil on the stop channel of %v: %v, want %v", j, took, want)
	}
	j.took = j.took || took && j.open
	j.listening = j.listening && !took
	j.doubtful = j.doubtful && !took
	return nil
}

// askReady calls JobExecution.Ready, which "returns its answer; while an execution is in progress it answers
// true without calling; after UnregisterJob false".
func (r *run) askReady(p *player, j *modelJob) {
	if j.asking != nobody || j.userAsks {
		return
	}
	j.userAsks = !j.executing && !j.gone && !r.model.shut
	asks, executing := j.userAsks, j.executing && !j.gone && !r.model.shut
	go func() {
		ready := r.handles[p.n].Ready()
		if !asks && ready != executing {
			r.Errorf("Ready of %v answers %v", j, ready)
		}
		if asks {
			r.note(event{what: userIsTold, job: p.n, ready: ready})
		}
	}()
}

// shutdown: "wait for every call of user code (abandoned ones aside); at ctx's end an error that names the
// jobs still in one, with their stacks".
func (r *run) shutdown(patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m, begun := r.model, r.now()
	m.shutdown()
	err := r.pool.Shutdown(ctx)
	took := r.now() - begun
	for i, handle := range r.handles {
		r.player(i).Ends("Shutdown has returned", handle)
	}
	synctest.Wait()
	if err := r.check(); err != nil {
		return err
	}
	m = r.model
	calls, most := 0, 0 // those that return at the end of its context may be among them, or not
	for _, j := range m.jobs {
		busy, just := j.callsInFlight(), m.justInFlight(j)
		calls, most = calls+busy, most+busy+just
		named := err != nil && strings.Contains(err.Error(), j.id)
		if err != nil && (busy > 0 && !named || busy+just == 0 && named) {
			return fmt.Errorf("%v has %d calls in flight at the end of Shutdown, which says %w", j, busy, err)
		}
	}
	shown := 0
	if err != nil {
		shown = stacksIn(err.Error())
	}
	switch {
	case err == nil && calls > 0:
		return fmt.Errorf("Shutdown returns nil with %d calls in flight", calls)
	case err == nil && m.now != max(begun, m.quietSince):
		return fmt.Errorf("Shutdown returns nil, but the last call has ended at %v", m.quietSince)
	case err != nil && (most == 0 || took != patience || !errors.Is(err, context.DeadlineExceeded)):
		return fmt.Errorf("Shutdown fails after %v, with %d calls in flight: %w", took, calls, err)
	case err != nil && (shown < calls || shown > most):
		return fmt.Errorf("Shutdown does not show the stacks of %d calls: %w", calls, err)
	}
	return nil
}

func (r *run) player(n int) *player {
	for _, p := range r.players {
		if p.n == n {
			return p
		}
	}
	return nil
}

var stackIn = regexp.MustCompile(`\n\n(?:(\d+) goroutines with this stack|goroutine )`)

// stacksIn returns the number of the goroutines whose stacks the text of an error shows.
func stacksIn(text string) (n int) {
	for _, match := range stackIn.FindAllStringSubmatch(text, -1) {
		alike, _ := strconv.Atoi(match[1])
		n += max(alike, 1)
	}
	return n
}
