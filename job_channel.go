package jobs

import (
	"errors"
	"time"

	"github.com/agentjobs/jobs/internal/stopchan"
)

// Channel executes a job that runs until it is told to stop (a channel job). It is told once, by a nil on stopChan,
// and not again before it has returned; a ContextJob also by the end of its context. If the pool finds the channel
// closed when it wants to tell the job, the job counts as told. Only a ContextJob may have a nil stopChan.
//
// If Execute returns an error without having been told, one nil is offered on stopChan all the same, to any other
// listener of the job's, until it is received, or the job starts again or is unregistered, or its pool is shut down.
// A nil that nobody received is taken back.
//
// Jobs of one pool may share a channel: one nil is sent for each job told, and counts for whichever returns next. If
// that is in doubt, because another has returned an error meanwhile, a job that returns nil counts as told, and is
// executed again. Jobs of different pools must not share a channel, since neither pool knows of the other's nils.
func Channel(stopChan chan interface{}) Trigger { return channel(stopChan) }

type channel chan interface{}

func (channel) traits() *traits { return &channelTraits }

func (stopChan channel) kind(task Job, _ *settings, _ time.Time) (kind, error) {
	if _, ok := task.(ContextJob); stopChan == nil && !ok {
		return nil, errors.New("nil stop channel: only a ContextJob can do without")
	}
	return &channelJob{stopChan: stopChan}, nil
}

var channelTraits = traits{
	name:         JobTypeChannel,
	detachedName: JobTypeDetachedChannel,
	options:      optDetached | optThreshold,
	told:         true,
}

// A channelJob executes until it is told to stop. The pool's mutex guards its Sharer, as all that it shares its
// channel with; without a stop channel it is the zero one.
type channelJob struct {
	basicKind
	stopchan.Sharer
	stopChan chan interface{}
}

// due lets a stopped pool's job be: it has not begun, so what was put on its channel stays there.
func (c *channelJob) due(j *job, at time.Time) (time.Time, bool) {
	return at, j.pool.state().admits(j.state())
}

func (*channelJob) trigger() string { return "Channel()" }

func (c *channelJob) after(j *job, o outcome) verdict {
	switch {
	case o.excuse != nil: // again, as soon as the pool lets it
		return verdict{phase: phaseStarted}
	case o.err == nil:
		return verdict{phase: phaseFinished, wait: forever}
	case !j.attached():
		return verdict{phase: phaseStarted, mark: markBroken, wait: forever}
	case j.belowThresholdLocked(j.failedInARow): // nothing else would execute it again
		return verdict{phase: phaseStarted, wait: j.pool.durations().retryInterval}
	}
	return verdict{phase: phaseStarted, wait: forever}
}

// registered makes the job known to its pool, and to those that share its channel.
func (c *channelJob) registered(j *job) {
	p := j.pool
	if c.stopChan != nil {
		p.stopChans.Join(&c.Sharer, c.stopChan)
	}
	if p.channels == nil {
		p.channels = make(map[*job]*channelJob)
	}
	p.channels[j] = c
}

func (c *channelJob) begin(j *job) {
	j.pool.mu.Lock()
	defer j.pool.mu.Unlock()
	c.Begin()
}

func (c *channelJob) ended(j *job, o outcome) outcome {
	if c.End(o.err != nil, o.excuse != nil) && o.excuse == nil {
		o.excuse = ErrStopped
	}
	if j.state().has(markGone) {
		j.pool.stopChans.Leave(&c.Sharer)
	}
	return o
}

// retire tells the job to end, if it is executing, and from then on nothing.
func (c *channelJob) retire(j *job) {
	p := j.pool
	executing := j.state().has(inExecute)
	c.Retire(executing)
	if j.state().has(markGone) {
		delete(p.channels, j)
		if !executing {
			p.stopChans.Leave(&c.Sharer)
		}
	}
}

// tellLocked tells the attached channel jobs, or all, that are executing to end, by their channels and by their
// contexts. The pool's mutex is held.
func (p *Pool) tellLocked(all bool) {
	for j, c := range p.channels {
		if all || j.attached() {
			j.mu.Lock() // waits for a claim that may yet be withdrawn
			if j.state().has(inExecute) {
				c.Tell()
				j.expireLocked(now(), longCall)
			}
			j.endContextLocked(ErrStopped)
			j.mu.Unlock()
		}
	}
}

// untellAttachedLocked withdraws the offers to attached channel jobs, which are about to start again. The pool's
// mutex is held.
func (p *Pool) untellAttachedLocked() {
	stopchan.Untell(func(yield func(*stopchan.Sharer) bool) {
		for j, c := range p.channels {
			if j.attached() && !yield(&c.Sharer) {
				return
			}
		}
	})
}
