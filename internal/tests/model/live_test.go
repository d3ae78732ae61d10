package model

import (
	"fmt"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// That something does happen the model says too, of each moment (checkJob, checkSweep, checkAttempt). What follows does
// not lean on its predictions: it holds whatever has happened before.

// checkInterval: "within one life of the pool two executions are never closer than" the interval, from the end of one to
// the begin of the next, "executions still in flight belong to the new life", and RunNow's come at once. Nor are they in
// two lives, if the first has succeeded.
func (m *model) checkInterval(j *modelJob) {
	life := m.restarts
	if !j.attached || j.well {
		life = j.endedIn
	}
	if earliest := j.ended + j.interval; j.kind == interval && j.ended >= 0 && j.endedIn == life && m.now < earliest && !j.asked {
		m.wrong("%v executes again in this life of its pool, %v after it has ended, too early by %v", j, m.now-j.ended, earliest-m.now)
	}
	j.asked = j.again // that asks for another one after this
}

// recovers ends all faults of a pool that was not shut down, lets time pass, and returns what does not come back.
func (r *run) recovers() error {
	if r.model.shut {
		return nil
	}
	if err := r.mend(); err != nil {
		return err
	}
	const attempts = 3 // the one in progress may have failed already; one answers for it, and one is to spare
	for range attempts {
		if due := r.pool.Info().NextAttempt; !due.IsZero() {
			if err := r.passes(due.Sub(r.start) - r.now()); err != nil {
				return err
			}
		}
	}
	before, longest := r.executions(), time.Duration(0)
	for _, p := range r.players {
		longest = max(longest, p.spec.interval+p.spec.jitter)
		if p.spec.threshold > 0 { // a channel job is executed again after that
			longest = max(longest, r.model.retryEvery)
		}
	}
	if err := r.passes(longest + r.model.statusEvery + max(r.tick, 1)); err != nil { // one not ready yet is asked every status interval
		return err
	}
	if status := r.pool.GetStatus(); len(r.players) > 0 && status != "Running" {
		return fmt.Errorf("the pool is %v in the end, though all are ready and nothing is late: %+v", status, r.pool.Info())
	}
	for _, p := range r.players {
		if info, known := r.pool.Job(p.ID); known && !p.isBack(info, before[p.n]) {
			return fmt.Errorf("job %d does not execute any more, though its pool runs: %+v", p.n, info)
		}
	}
	return nil
}

// isBack says whether a job of a pool that runs has executed again, or has come to its end. Before is how often it had
// executed by the time that nothing kept it from doing so.
func (p *player) isBack(info jobs.JobInfo, before uint64) bool {
	switch {
	case info.Status == jobs.JobStatusFinished:
		return true
	case p.spec.periodic():
		return info.Executions > before
	case p.spec.kind == channel && !p.Attached && info.Status == jobs.JobStatusStopped: // it had ended with an error
		return info.Failures > 0
	case p.spec.kind == channel:
		return p.Executions.InFlight() == 1
	}
	return info.Executions > 0
}

func (r *run) executions() map[int]uint64 {
	n := map[int]uint64{}
	for _, p := range r.players {
		info, _ := r.pool.Job(p.ID)
		n[p.n] = info.Executions
	}
	return n
}

// mend has all jobs be well, those in flight too, and gives all locks back.
func (r *run) mend() error {
	for n := range len(r.players) {
		p := r.player(n)
		for part := range p.spec.acts {
			well := jobstest.Succeeds
			if part == 0 && p.spec.kind == channel {
				well = jobstest.Obeys
			}
			for _, do := range []deed{from, inFlight} {
				if err := r.do(command{do: do, job: p.number, part: part, act: well}); err != nil {
					return err
				}
			}
		}
	}
	if err := r.give(command{do: passes}); err != nil {
		return err
	}
	for n := range len(r.players) {
		for range r.callers {
			if j := r.model.jobs[n]; j.holder <= free && len(j.queue) == 0 {
				break
			}
			if err := r.give(command{do: unlocks, job: r.player(n).number}); err != nil {
				return err
			}
		}
	}
	return nil
}
