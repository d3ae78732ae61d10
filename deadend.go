package jobs

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A refusal is who has kept a stopped pool from restarting, and how often in a row. The pool's mutex guards it.
type refusal struct {
	by      *job // see refusers
	inARow  int  // attempts that it refused
	deadEnd string
}

// manyRefusals is how many attempts the same job refuses before that seems to be a dead end.
const manyRefusals = 10

// refusers returns a job that has refused the attempt, and the number of all that have: the one that has refused the
// last, too, or else the first in order of registration. Only the turn that has made the attempt calls it.
func (p *Pool) refusers() (by *job, n int) {
	last := p.lastRefuser()
	for _, j := range p.swept {
		if j == nil || j.holdUp() != ReasonNotReady {
			continue
		}
		if n++; by == nil || j == last || by != last && j.order < by.order {
			by = j
		}
	}
	return by, n
}

func (p *Pool) lastRefuser() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refusal.by
}

// refusedLocked records that an attempt was refused, and reports whether that is a dead end since now.
func (p *Pool) refusedLocked(by *job) (isDeadEnd bool) {
	if p.refusal.by != by {
		p.refusal = refusal{by: by}
	}
	p.refusal.inARow++
	return by != nil && p.refusal.inARow == manyRefusals
}

// forgiveLocked forgets the refusals of a job that has no say any more.
func (p *Pool) forgiveLocked(j *job) {
	if p.refusal.by == j {
		p.refusal = refusal{}
	}
}

// logRefusal logs that an attempt to restart was refused, and whether that seems to be a dead end. It holds up no turn. The
// call counts already.
func (p *Pool) logRefusal(e *untold, by *job, n int, next time.Duration, isDeadEnd bool) {
	if by == nil {
		return
	}
	chain := ""
	if isDeadEnd {
		chain = p.chain(by)
		p.mu.Lock()
		if p.refusal.by == by {
			p.refusal.deadEnd = chain
		}
		p.mu.Unlock()
	}
	// Ends with the calls of the log handler, which Shutdown waits for.
	go func() {
		defer by.end(inLog)
		by.warnUnready("restart refused", slog.Int("refused_by", n), slog.Int("attempt", e.Attempt), duration("next_attempt_in", next))
		if isDeadEnd {
			p.write(by, slog.LevelWarn, "restart is at a dead end", slog.String("chain", chain))
		}
	}()
}

// mostInChain is how many of the jobs that wait for another one are named.
const mostInChain = 3

// chain says who has refused, and whose executions wait for that: those whose last one has not succeeded, so that another
// one might change something.
func (p *Pool) chain(by *job) string {
	var waiting []string
	more := 0
	for _, j := range p.swept {
		if j == nil || j == by || !j.isStuck() {
			continue
		}
		if len(waiting) == mostInChain {
			more++
			continue
		}
		waiting = append(waiting, j.String())
	}
	text := fmt.Sprintf("%s has not been ready in %d attempts in a row", by, manyRefusals)
	if waiting == nil {
		return text
	}
	text += ", and until it is there is no execution of " + strings.Join(waiting, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + ", which failed"
}

// isStuck reports whether the job's last execution failed, and another one has to wait for the restart.
func (j *job) isStuck() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	w := j.state()
	return w.hasSay() && w.started() && !w.over() && !w.has(inExecute) && j.failedInARow > 0
}
