package jobs

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agentjobs/jobs/internal/clockhook"
	"github.com/agentjobs/jobs/internal/stopchan"
)

// A Pool runs the jobs that are registered with it, each on its own goroutine while it executes, and stops and
// restarts the attached ones together. The zero Pool is ready to use; it must not be copied. All methods are safe for
// concurrent use, also from inside jobs.
//
// A pool starts no goroutine and no timer before it is used. Used in a testing/synctest bubble, it belongs to that
// bubble.
type Pool struct {
	// Set by NewPool and immutable from then on.
	settings poolSettings

	times     atomic.Pointer[durations] // nil for the defaults; written with mu held
	word      atomic.Uint64             // a poolWord; written with mu held
	registry  registry
	limits    limitWatch
	lines     lineLimit
	lookout   lookout
	unstarted atomic.Int64 // attached jobs that have not started
	counted   atomic.Int64 // poolCalls in flight
	events    eventLog
	tickets   tickets                       // of the pool's own events; issued with mu held
	changed   atomic.Pointer[chan struct{}] // closed when WaitRunning is to look again; made when it waits, and written with mu held

	mu         sync.Mutex // guards what follows
	jobs       []*job     // all that are registered, unordered
	registered uint64     // how many ever were
	attached   int        // how many of them are
	departed   map[string]*job
	channels   map[*job]*channelJob
	stopChans  stopchan.Set // of the channel jobs, until they are unregistered and not executing
	watch
	announcements
	silent chan struct{} // closed when no call of user code counts for the pool; made when waited for
}

// NewPool returns a new pool, independent of the default pool. It returns no error, so that a pool can be the value
// of a variable: an invalid option is an error of each registration.
func NewPool(opts ...PoolOption) *Pool {
	p := new(Pool)
	p.settings.durations = defaultDurations
	for _, opt := range opts {
		if opt != nil {
			opt.applyTo(&p.settings)
		}
	}
	p.composeMiddleware()
	p.times.Store(&p.settings.durations)
	return p
}

func init() {
	clockhook.Option = func(now func() time.Time) any {
		return poolOption(func(s *poolSettings) { s.clock = now })
	}
}

func (p *Pool) state() poolWord { return poolWord(p.word.Load()) }

func (p *Pool) wallClock() time.Time {
	if p.settings.clock != nil {
		return p.settings.clock()
	}
	return time.Now()
}

// UnregisterJob removes a job for good; for an unknown id it does nothing. It returns at once, also from inside the
// job's own methods: no further execution begins, the context of the one in flight ends with ErrUnregistered, and a
// channel job that is executing is told to stop. Once its calls have returned, no goroutine or timer of the job is
// left.
func (p *Pool) UnregisterJob(jobID string) {
	p.mu.Lock()
	j := p.registry.remove(jobID)
	if j == nil {
		p.mu.Unlock()
		return
	}
	p.removeLocked(j)

	started, n := p.retireLocked(j)
	if j.attached() {
		p.attached--
		if !started {
			p.unstarted.Add(-1)
			p.lookAgainLocked()
		}
		p.leftLocked(j)
	}
	p.countPeriodicLocked(j, -1)
	p.beginLog()
	p.mu.Unlock()
	j.tellAside(EventUnregistered, n, "")
	j.logDebug("job unregistered")
}

// retireLocked ends a job that was unregistered, and reports whether it had started, or nobody waited for that. It counts
// the call that tells of it.
func (p *Pool) retireLocked(j *job) (started bool, n ticket) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.change(0, markGone)
	j.retireLocked(ErrUnregistered)
	n = j.issueLocked()
	if j.state().has(inCall) || j.lock.holder != heldByNobody {
		p.departLocked(j)
	}
	return j.state().started() || j.state().has(markPaused), n
}

// removeLocked takes the job out of the list of all.
func (p *Pool) removeLocked(j *job) {
	end := len(p.jobs) - 1
	last := p.jobs[end]
	p.jobs[j.index], last.index = last, j.index
	p.jobs[end] = nil
	p.jobs = p.jobs[:end]
	if end == 0 {
		p.jobs = nil // to free its memory
		p.lookForLimitsNow()
	}
}

// departLocked keeps an unregistered job known, until settle finds that nothing of it is left.
func (p *Pool) departLocked(j *job) {
	if p.departed == nil {
		p.departed = make(map[string]*job)
	}
	p.departed[j.id] = j
}

// lockable returns the job to lock for that id, even an unregistered one, for as long as its lock is held.
func (p *Pool) lockable(id string) *job {
	if j := p.registry.get(id); j != nil {
		return j
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.departed[id]
}

// Status returns the status of the pool. It acquires no lock.
func (p *Pool) Status() PoolStatus { return p.state().status() }

// Jobs returns the jobs registered when the iteration begins, in order of registration. Each JobInfo is made when it
// is its turn.
func (p *Pool) Jobs() iter.Seq[JobInfo] {
	return func(yield func(JobInfo) bool) {
		p.mu.Lock()
		jobs := slices.Clone(p.jobs)
		p.mu.Unlock()
		slices.SortFunc(jobs, byOrder)
		for _, j := range jobs {
			if !yield(j.info()) {
				return
			}
		}
	}
}

// Job returns a snapshot of the job with that id, and whether there is one.
func (p *Pool) Job(id string) (JobInfo, bool) {
	if j := p.registry.get(id); j != nil {
		return j.info(), true
	}
	return JobInfo{}, false
}

// JobByName returns a snapshot of the job with that name, and whether there is one; of several, the one that was
// registered first. It looks through all jobs.
func (p *Pool) JobByName(name string) (JobInfo, bool) {
	p.mu.Lock()
	var first *job
	for _, j := range p.jobs {
		if j.name == name && (first == nil || j.order < first.order) {
			first = j
		}
	}
	p.mu.Unlock()
	if first == nil {
		return JobInfo{}, false
	}
	return first.info(), true
}

// allStarted is called when the last attached job has started. It acquires the pool's mutex only if somebody waits
// for that: during registrations, each job may for a moment be the last one.
func (p *Pool) allStarted() {
	if p.changed.Load() != nil {
		p.mu.Lock()
		p.lookAgainLocked()
		p.mu.Unlock()
	}
}

// lookAgainLocked wakes those waiting in WaitRunning, if there is a reason to.
func (p *Pool) lookAgainLocked() {
	if changed := p.changed.Load(); changed != nil && (p.unstarted.Load() == 0 || p.state().closed()) {
		close(*changed)
		p.changed.Store(nil)
	}
}

// awaited returns the current state of what WaitRunning waits for, and a channel that is closed when it is to look
// again. The channel is made before the jobs are counted, since a start counts first, and then looks for the channel.
func (p *Pool) awaited() (word poolWord, unstarted int64, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed.Load() == nil {
		changed := make(chan struct{})
		p.changed.Store(&changed)
	}
	return p.state(), p.unstarted.Load(), *p.changed.Load()
}

// WaitRunning waits until the pool is Running and each of its attached jobs has started, that is, was ready. It
// returns nil then, an error that wraps ctx's cause if ctx ends first, and ErrShutdown or ErrDrained if the pool was.
// Before the first registration it waits for that, unless the pool's options are invalid: that is an error.
func (p *Pool) WaitRunning(ctx context.Context) error {
	for {
		word, unstarted, changed := p.awaited()
		switch {
		case p.settings.invalid != nil:
			return fmt.Errorf("the pool's options: %w", p.settings.invalid)
		case word.closed():
			return word.whyClosed()
		case word.running() && unstarted == 0:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("pool %v, %d attached jobs not started: %w", word.status(), unstarted, context.Cause(ctx))
		}
	}
}
