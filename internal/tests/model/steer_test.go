package model

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// The model of what operators do: pauses, reschedules, RunNow, drains and misfires. It is apart from the other one, since
// here nothing fails and nothing lasts: so it says to the nanosecond when each job executes, and how often it did not. That no
// gate is shut during an execution, and one is at any other time, is checked besides.

// A helmsman is the model of a pool that is steered.
type helmsman struct {
	held, drained bool
	jobs          []*steered
}

// A steered job is an interval or scheduled one, which succeeds at once.
type steered struct {
	h        *helmsman
	id       string
	every    time.Duration // of an interval job
	cron     time.Duration // of one with an occurrence at each multiple of that
	attached bool
	runOnce  bool // WithMisfire(RunOnce)

	started     bool
	paused      bool
	pausedUntil time.Duration // notSet without an end
	due         time.Duration // of what is to come; notSet if there is nothing
	came        time.Duration // the first occurrence that has come while it was paused; notSet if none has
	refused     time.Duration // the occurrence that has met a stopped pool, with RunOnce; notSet if none has
	from        time.Duration // the occurrences after this one have not been looked at
	executions  []time.Duration
	skipped     uint64
}

func (j *steered) admitted() bool { return !j.attached || !j.h.held }

// occurrences returns how many there are after from, up to now, of those at each multiple of every.
func occurrences(from, now, every time.Duration) uint64 { return uint64(now/every - from/every) }

// plan looks for the next occurrence: all since the last look were skipped.
func (j *steered) plan(now time.Duration) {
	j.skipped += occurrences(j.from, now, j.cron)
	j.from, j.due = now, now-now%j.cron+j.cron
}

func (j *steered) start(now time.Duration) {
	j.started, j.from = true, now
	if j.cron > 0 {
		j.plan(now)
		return
	}
	j.due = now
	j.isDue(now)
}

// isDue: its time has come.
func (j *steered) isDue(now time.Duration) {
	j.due = notSet
	switch {
	case j.h.drained:
	case j.paused && j.cron > 0:
		j.came = now
	case j.paused:
		j.skipped++ // "a turn that met a paused job"
	case j.admitted():
		j.from = now
		j.execute(now)
	case j.runOnce && j.cron > 0:
		j.refused, j.from = now, now
	default:
		j.skipped++
		j.from = now
	}
}

func (j *steered) execute(now time.Duration) {
	j.executions = append(j.executions, now)
	switch {
	case j.cron == 0:
		j.due = now + j.every
	case j.paused: // it looks when it is resumed
		j.due, j.came = notSet, notSet
	default:
		j.plan(now)
	}
}

// goesOn: the pool has restarted, or the job was resumed. What is to come stays.
func (j *steered) goesOn(now time.Duration) {
	switch {
	case j.h.drained:
	case !j.started:
		if j.admitted() {
			j.start(now)
		}
	case j.runOnce && j.cron > 0 && (j.came != notSet || j.refused != notSet):
		if j.came != notSet { // that is the one that is executed
			j.from = max(j.from, j.came)
		}
		j.came, j.refused = notSet, notSet
		if j.admitted() {
			j.execute(now)
		} else {
			j.refused, j.due = now, notSet
		}
	case j.due > now && j.due != notSet:
	case j.cron == 0:
		j.isDue(now)
	default:
		if j.came != notSet && j.came < j.from { // of a schedule that was replaced since
			j.skipped++
		}
		j.came = notSet
		j.plan(now)
	}
}

// pass lets time pass until now.
func (h *helmsman) pass(now time.Duration) {
	for {
		var next *steered
		at := now
		for _, j := range h.jobs {
			for _, t := range []time.Duration{j.due, j.pausedUntil} {
				if t <= at {
					next, at = j, t
				}
			}
		}
		switch {
		case next == nil:
			return
		case next.pausedUntil == at:
			next.resume(at)
		default:
			next.isDue(at)
		}
	}
}

func (j *steered) resume(now time.Duration) {
	j.paused, j.pausedUntil = false, notSet
	j.goesOn(now)
}

// reschedule gives the job another trigger: an interval counts from the last execution.
func (j *steered) reschedule(now, every, cron time.Duration) {
	was := j.cron
	j.every, j.cron = every, cron
	if !j.started {
		return
	}
	pending := j.came != notSet
	if was > 0 {
		from := j.from
		if pending {
			from = max(from, j.came)
		}
		j.skipped += occurrences(from, now, was)
	}
	j.from = now
	switch {
	case cron == 0:
		j.came, j.refused, j.due = notSet, notSet, now
		if n := len(j.executions); n > 0 {
			j.due = max(now, j.executions[n-1]+every)
		}
		if pending {
			j.due = now
		}
		if j.due == now {
			j.isDue(now)
		}
	case j.paused:
		j.due = notSet
	default:
		j.plan(now)
	}
}

const (
	steeredRuns = 400
	steeredLong = 60 // commands
)

func TestASteeredPoolDoesWhatTheModelPredicts(t *testing.T) {
	for seed := range uint64(steeredRuns) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { (&voyage{T: t, Rand: rand.New(rand.NewPCG(seed, 1)), start: time.Now()}).play() })
		}) {
			return
		}
	}
}

// A voyage is a run of the pool beside its model.
type voyage struct {
	*testing.T
	*rand.Rand
	start time.Time
	pool  *jobs.Pool
	model helmsman
	log   []string

	mu   sync.Mutex
	seen []*jobstest.Timeline // guarded by mu
}

func (v *voyage) now() time.Duration { return time.Since(v.start) }

func (v *voyage) play() {
	v.pool = jobs.NewPool(jobstest.Quiet)
	for range steeredLong {
		// At odd nanoseconds: nothing else happens then.
		jobstest.Advance(time.Duration(v.Int64N(int64(25*time.Second)))&^1 + 1 - v.now()%2)
		v.model.pass(v.now())
		v.command()
		synctest.Wait()
		v.check()
	}
	require.NoError(v, v.pool.Shutdown(context.Background()))
}

func (v *voyage) note(format string, args ...any) {
	v.log = append(v.log, fmt.Sprintf("%v: ", v.now())+fmt.Sprintf(format, args...))
}

func (v *voyage) trigger() (trigger jobs.Trigger, every, cron time.Duration) {
	seconds := []int{5, 10, 15, 20, 30}[v.IntN(5)]
	d := time.Duration(seconds) * time.Second
	if v.IntN(2) == 0 {
		return jobs.Every(2 * d), 2 * d, 0
	}
	return jobs.Cron(fmt.Sprintf("*/%d * * * * * *", seconds)), 0, d
}

func (v *voyage) register() {
	trigger, every, cron := v.trigger()
	j := &steered{h: &v.model, every: every, cron: cron, attached: v.IntN(3) > 0, due: notSet, pausedUntil: notSet, came: notSet, refused: notSet}
	var opts []jobs.JobOption
	if !j.attached {
		opts = append(opts, jobs.Detached())
	}
	if cron > 0 && v.IntN(2) == 0 {
		j.runOnce = true
		opts = append(opts, jobs.WithMisfire(jobs.RunOnce))
	}
	n := len(v.model.jobs)
	v.mu.Lock()
	v.seen = append(v.seen, jobstest.NewTimeline())
	v.mu.Unlock()
	v.model.jobs = append(v.model.jobs, j)
	id, err := v.pool.Register(jobs.JobFunc(func(ctx context.Context) error { v.executes(ctx, n); return nil }), trigger, opts...)
	if v.model.drained {
		require.ErrorIs(v, err, jobs.ErrDrained)
		v.model.jobs = v.model.jobs[:n]
		v.mu.Lock()
		v.seen = v.seen[:n]
		v.mu.Unlock()
		return
	}
	require.NoError(v, err)
	j.id = id
	v.note("register %d: every %v, cron %v, attached %v, run once %v", n, every, cron, j.attached, j.runOnce)
	if j.admitted() {
		j.start(v.now())
	}
}

// executes is an execution of job n.
func (v *voyage) executes(ctx context.Context, n int) {
	v.mu.Lock()
	v.seen[n].Note(v.now())
	v.mu.Unlock()
	job, _ := jobs.FromContext(ctx)
	for _, g := range v.pool.Explain(job.GetID()) {
		assert.True(v, g.Open, "gate %s is shut during an execution of job %d", g.Name, n)
	}
}

func (v *voyage) executions(n int) []time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.seen[n].Moments()
}

func (v *voyage) command() {
	now := v.now()
	if len(v.model.jobs) == 0 || len(v.model.jobs) < 4 && v.IntN(4) == 0 {
		v.register()
		return
	}
	n := v.IntN(len(v.model.jobs))
	j := v.model.jobs[n]
	switch v.IntN(12) {
	case 0, 1:
		v.note("pause %d", n)
		require.NoError(v, v.pool.Pause(j.id, "x"))
		j.paused, j.pausedUntil = true, notSet
	case 2:
		until := now + time.Duration(v.Int64N(int64(90*time.Second)))&^1 + 2
		v.note("pause %d until %v", n, until)
		require.NoError(v, v.pool.PauseUntil(j.id, v.start.Add(until), "x"))
		j.paused, j.pausedUntil = true, until
	case 3, 4:
		v.note("resume %d", n)
		if err := v.pool.Resume(j.id); !j.paused {
			require.ErrorIs(v, err, jobs.ErrNotPaused)
		} else {
			require.NoError(v, err)
			j.resume(now)
		}
	case 5:
		v.note("pause the pool")
		if err := v.pool.PausePool("x"); v.model.drained {
			require.ErrorIs(v, err, jobs.ErrDrained)
		} else {
			require.NoError(v, err)
			v.model.held = true
		}
	case 6, 7:
		v.note("resume the pool")
		v.resumePool(now)
	case 8, 9:
		trigger, every, cron := v.trigger()
		v.note("reschedule %d: every %v, cron %v", n, every, cron)
		require.NoError(v, v.pool.Reschedule(j.id, trigger))
		if !v.model.drained {
			j.reschedule(now, every, cron)
		}
	case 10:
		v.note("run %d now", n)
		v.runNow(j, now)
	case 11:
		if v.IntN(20) == 0 {
			v.note("drain")
			require.NoError(v, v.pool.Drain(context.Background()))
			v.model.drained = true
		}
	}
}

func (v *voyage) resumePool(now time.Duration) {
	switch err := v.pool.ResumePool(); {
	case v.model.drained:
		require.ErrorIs(v, err, jobs.ErrDrained)
	case !v.model.held:
		require.ErrorIs(v, err, jobs.ErrNotPaused)
	default:
		require.NoError(v, err)
		v.model.held = false
		for _, j := range v.model.jobs {
			if j.attached && !j.paused {
				j.goesOn(now)
			}
		}
	}
}

func (v *voyage) runNow(j *steered, now time.Duration) {
	switch err := v.pool.RunNow(j.id); {
	case v.model.drained:
		require.ErrorIs(v, err, jobs.ErrDrained)
	case !j.admitted():
		require.ErrorIs(v, err, jobs.ErrStopped)
	case !j.started:
		require.ErrorIs(v, err, jobs.ErrNotReady)
	default:
		require.NoError(v, err)
		j.execute(now)
	}
}

func (v *voyage) check() {
	for n, j := range v.model.jobs {
		info, known := v.pool.Job(j.id)
		require.True(v, known)
		if !slices.Equal(j.executions, v.executions(n)) || info.Skipped != j.skipped || (info.Paused != nil) != j.paused {
			v.Fatalf("job %d has executed at %v, want %v; skipped %d, want %d; paused %v, want %v\n%s", n, tail(v.executions(n)), tail(j.executions),
				info.Skipped, j.skipped, info.Paused != nil, j.paused, v.story())
		}
		var shut *jobs.Gate
		for _, g := range v.pool.Explain(j.id) {
			if !g.Open {
				shut = &g
				break
			}
		}
		require.NotNil(v, shut, "all gates of job %d are open, and it does not execute\n%s", n, v.story())
		require.Equal(v, shut.Reason, info.Reason)
		require.Equal(v, v.wantReason(j), info.Reason, "job %d\n%s", n, v.story())
	}
}

// wantReason returns why the job does not execute: its first shut gate.
func (v *voyage) wantReason(j *steered) jobs.Reason {
	switch {
	case v.model.drained:
		return jobs.ReasonDrained
	case !j.admitted():
		return jobs.ReasonStopped
	case j.paused:
		return jobs.ReasonPaused
	}
	return jobs.ReasonNotDue
}

func tail(of []time.Duration) []time.Duration { return of[max(0, len(of)-4):] }

func (v *voyage) story() (text string) {
	for _, line := range v.log {
		text += line + "\n"
	}
	return text
}
