package model

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A script is what is done to a pool and its jobs, in order. It follows from its seed.
type script struct {
	seed                                         uint64
	unit                                         time.Duration // what its durations are of the order of 100 of
	tick                                         time.Duration // of which all its durations are multiples; 0 if they are not
	statusEvery, retryEvery, limit, abandonAfter time.Duration
	commands                                     []command
}

// A command is done after a wait, to a job if it is one for a job.
type command struct {
	wait time.Duration
	do   deed
	job  int
	spec *jobSpec // to register
	part int      // of acts: 0 the execution, 1 Status, 2 Ready
	act  jobstest.Act
	to   time.Duration // UpdateDurations' first, or Shutdown's patience
	and  time.Duration // UpdateDurations' second
}

type deed string

const (
	registers   deed = "register"
	unregisters deed = "unregister"
	from        deed = "from now on"
	inFlight    deed = "those in flight"
	locks       deed = "lock"
	unlocks     deed = "unlock"
	runsNow     deed = "run now"
	cancels     deed = "cancel"
	takes       deed = "take a value from the stop channel"
	asksReady   deed = "ask whether it is ready"
	setsStopped deed = "set Stopped"
	setsRunning deed = "set Running"
	updates     deed = "update durations"
	shutsDown   deed = "shut down"
	passes      deed = "pass"
)

func (c command) String() string {
	text := fmt.Sprintf("+%v %s", c.wait, c.do)
	switch c.do {
	case registers:
		return fmt.Sprintf("%s job %d: %+v", text, c.job, *c.spec)
	case from, inFlight:
		return fmt.Sprintf("%s: %s of job %d %s after %v", text, [...]string{"execution", "Status", "Ready"}[c.part], c.job, c.act.Deed, c.act.After)
	case updates:
		return fmt.Sprintf("%s %v, %v", text, c.to, c.and)
	case shutsDown:
		return fmt.Sprintf("%s within %v", text, c.to)
	case setsStopped, setsRunning, passes:
		return text
	}
	return fmt.Sprintf("%s: job %d", text, c.job)
}

func (s *script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "status every %v, retry every %v, limit %v, abandon after %v\n", s.statusEvery, s.retryEvery, s.limit, s.abandonAfter)
	for i, c := range s.commands {
		fmt.Fprintf(&b, "%3d %v\n", i, c)
	}
	return b.String()
}

// A jobSpec says as what a job is registered.
type jobSpec struct {
	kind      string
	attached  bool
	context   bool // it is a ContextJob
	permanent bool // its errors are Permanent
	shares    bool // its stop channel is the one that jobs share
	buffer    int  // of its stop channel
	attempts  int
	interval  time.Duration // or that of its schedule
	jitter    time.Duration
	until     time.Duration // the end of its schedule
	limit     time.Duration
	min, max  time.Duration // of WithRetryBackoff
	forget    time.Duration
	threshold uint64 // of failures in a row; 0 if not set
	acts      [3]jobstest.Act
}

const (
	single    = jobs.JobTypeSingleRun
	retry     = jobs.JobTypeRetry
	interval  = jobs.JobTypeInterval
	scheduled = jobs.JobTypeScheduled
	channel   = jobs.JobTypeChannel
)

func (s *jobSpec) periodic() bool { return s.kind == interval || s.kind == scheduled }

// next returns the first occurrence of the job's schedule after t.
func (s *jobSpec) next(t time.Duration) time.Duration {
	if next := t - t%s.interval + s.interval; next <= s.until {
		return next
	}
	return notSet
}

// backoff: min after the first failed attempt, "then twice as long each time, up to max".
func (s *jobSpec) backoff(failed uint64) time.Duration {
	return min(s.min<<(failed-1), s.max)
}

// tickUnits is, in units, a tick. All durations are a few of them, so that much falls into one instant.
const tickUnits = 20

// leastLimit is, in units, the shortest of the pool's time limits.
const leastLimit = 60

// A writer writes a script. So that no two things happen at the same time by chance its durations are odd
// numbers of nanoseconds, unless it seeks ties.
type writer struct {
	*rand.Rand
	*script
	jobs []*jobSpec
}

func write(seed uint64, ties bool) *script {
	w := &writer{Rand: rand.New(rand.NewPCG(seed, 0)), script: &script{seed: seed}}
	w.unit = pick(w, time.Millisecond, time.Millisecond, 40*time.Millisecond, 3*time.Second)
	if ties {
		w.tick = tickUnits * w.unit
	}
	w.statusEvery, w.retryEvery, w.limit = w.some(40, 150), w.some(40, 150), w.aLimit(leastLimit, 250)
	if w.one(3) {
		w.abandonAfter = w.some(20, 150)
	}
	if ties && w.one(3) {
		w.crowd()
	}
	for range 8 + w.IntN(25) {
		w.commands = append(w.commands, w.command())
	}
	return w.script
}

// crowd registers many interval jobs at once, of which one stops the pool at the first sweep. They are due again when
// the pool restarts.
func (w *writer) crowd() {
	s := &jobSpec{kind: interval, attached: true, interval: w.statusEvery + w.retryEvery, until: notSet, forget: notSet,
		acts: [3]jobstest.Act{jobstest.Succeeds, jobstest.Succeeds, jobstest.Succeeds}}
	for range 5 + w.IntN(10) {
		w.register(0, s)
	}
	last := *s
	last.acts[1] = jobstest.Fails
	w.register(0, &last)
}

func (w *writer) register(wait time.Duration, s *jobSpec) {
	w.commands = append(w.commands, command{wait: wait, do: registers, job: len(w.jobs), spec: s})
	w.jobs = append(w.jobs, s)
}

func pick[T any](w *writer, of ...T) T { return of[w.IntN(len(of))] }
func (w *writer) one(in int) bool      { return w.IntN(in) == 0 }

// some returns a duration of between those numbers of units.
func (w *writer) some(least, most int) time.Duration {
	if w.tick > 0 {
		ticks := (least + w.IntN(most-least) + tickUnits/2) / tickUnits
		return time.Duration(max(ticks, min(least, 1))) * w.tick
	}
	return time.Duration(least)*w.unit + time.Duration(w.Int64N(int64(time.Duration(most-least)*w.unit))) | 1
}

func (w *writer) command() command {
	c := command{wait: w.some(0, pick(w, 5, 60, 60, 500)), job: w.IntN(max(1, len(w.jobs)))}
	if len(w.jobs) == 0 || len(w.jobs) < 8 && w.one(3) {
		c.do, c.job, c.spec = registers, len(w.jobs), w.newJob()
		w.jobs = append(w.jobs, c.spec)
		if w.one(2) {
			c.wait = w.some(0, 1)
		}
		return c
	}
	c.do = pick(w, from, from, from, from, from, inFlight, inFlight, inFlight, locks, locks, unlocks, unlocks, unlocks,
		runsNow, runsNow, cancels, cancels, takes, asksReady, setsStopped, setsRunning, passes, passes, unregisters,
		updates, pick(w, shutsDown, passes, passes))
	switch c.do {
	case from, inFlight:
		c.part = pick(w, 0, 0, 0, 1, 2)
		c.act = w.act(w.jobs[c.job], c.part)
		if c.do == inFlight && c.act.Deed == jobstest.Hangs.Deed {
			c.act = jobstest.Succeeds
		}
	case updates:
		c.to, c.and = w.some(40, 150), w.aLimit(leastLimit, 250)
	case shutsDown:
		c.to = w.some(1, 200)
	}
	return c
}

// aLimit is some time that a call may last. If several calls end in the instant of their limits, while an attempt is made,
// nothing shows which of them were late, and the model would have to try more orders than there is time for. So only the
// scripts that are played each time have that; in all others a limit is half a tick longer.
func (w *writer) aLimit(least, most int) time.Duration {
	limit := w.some(least, most)
	if w.seed > usualScripts {
		limit += w.tick / 2
	}
	return limit
}

func (w *writer) newJob() *jobSpec {
	s := &jobSpec{kind: pick(w, single, retry, interval, interval, interval, scheduled, channel, channel), forget: notSet, until: notSet}
	s.attached = !w.one(4) && s.kind != single && s.kind != retry
	s.context = w.one(4)
	if w.one(3) {
		s.limit = w.aLimit(40, 150)
	}
	switch s.kind {
	case single, retry:
		s.attempts = 1 + w.IntN(5)
		s.permanent = w.one(4)
		if w.one(4) {
			s.forget = w.some(1, 100) // else it may be gone before it was looked up
		}
		if s.kind == retry && w.one(2) {
			s.min = w.some(1, 50)
			s.max = s.min + w.some(0, 100)
		}
	case interval, scheduled:
		s.interval = w.some(30, 250)
		if w.one(3) {
			s.until = w.some(400, 1000) + s.interval
		}
		if w.one(3) && w.tick == 0 {
			s.jitter = w.some(1, 100)
		}
	case channel:
		s.shares = !s.context && w.one(3)
		s.buffer = w.IntN(3)
	}
	if s.attached && !s.shares && w.one(4) {
		s.threshold = 1 + w.Uint64N(3)
	}
	for part := range s.acts {
		if s.acts[part] = w.act(s, part); part > 0 && !w.one(4) {
			s.acts[part] = jobstest.Succeeds
		}
	}
	return s
}

// act makes up what a job does when it is called.
func (w *writer) act(s *jobSpec, part int) jobstest.Act {
	lasts := pick(w, w.some(0, 2), w.some(0, 2), w.some(0, 40), w.some(0, 40), w.some(0, 300))
	good, obey := jobstest.Succeeds, jobstest.Hangs
	if s.kind == channel || s.context {
		obey = jobstest.Obeys
	}
	if part == 0 && s.kind == channel {
		good = jobstest.Obeys
	}
	if part > 0 {
		obey = jobstest.Succeeds
		lasts = pick(w, 0, 0, lasts, w.some(60, 300))
	}
	return pick(w, good, good, good, good, jobstest.Fails, jobstest.Fails, pick(w, jobstest.Panics, jobstest.Exits), pick(w, jobstest.Hangs, obey, jobstest.Succeeds)).In(lasts)
}
