package jobs

import "strings"

// The calls of user code that may be in flight for a job, as bits of its word: at most one of each kind, but any
// number of calls of the log handler and of observers. From these bits follow what Shutdown waits for and names, why a job is not
// executing, and what blocks a restart.
//
// A call counts from before user code can see it until it has returned; one of the log handler or of an observer from
// before the event that it reports is visible. So where no call counts, none is yet to come. An abandoned execution no longer
// counts.
const (
	inExecute     jobWord = 1 << (16 + iota)
	inReady               // excludes inExecute
	inNext                // of its schedule
	inStatus              // the pool's, not one that an execution makes
	lateExecute           // with inExecute: it has exceeded its timeout
	lateStatus            // with inStatus: the same
	watchedStatus         // with inStatus: it is slow, and the job's probe watches it
	lateReady             // with inReady: it has exceeded its timeout, and so answered
	atBegin               // with inExecute: observers are being told, and it has not been called yet

	// The lowest bits of two counters.
	inLog       jobWord = 1 << 32
	inObserver  jobWord = 1 << 48
	logMask             = inObserver - inLog
	observeMask         = ^(inObserver - 1)

	inCall = inExecute | inReady | inNext | inStatus | logMask | observeMask
)

func (j *job) state() jobWord { return jobWord(j.word.Load()) }

// change clears some bits of the job's word and sets others, atomically.
func (j *job) change(clear, set jobWord) {
	for {
		w := j.word.Load()
		if j.word.CompareAndSwap(w, w&^uint64(clear)|uint64(set)) {
			return
		}
	}
}

// begin counts a call. One of a kind that excludes others is known not to be in flight.
func (j *job) begin(call jobWord) { j.word.Add(uint64(call)) }

// end stops counting a call.
func (j *job) end(call jobWord) {
	j.word.Add(-uint64(call))
	j.settle()
}

// settle is called when something has ended that somebody may wait for, or that keeps a retired job around. No mutex
// may be held.
func (j *job) settle() {
	if j.retired() { // checked here, to save an execution the call
		j.settleRetired()
	}
}

func (j *job) settleRetired() {
	p := j.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state().has(inCall) {
		return // whoever ends it settles again
	}
	if x := j.extra; x != nil && x.quiet != nil {
		close(x.quiet)
		x.quiet = nil
	}
	if j.lock.holder == heldByNobody {
		delete(p.departed, j.id) // it is there only if it was unregistered
	}
}

// whenQuiet returns a channel that is closed when no call of user code is in flight for the retired job, or nil if
// none is.
func (j *job) whenQuiet() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	x := j.extraLocked()
	if x.quiet == nil && j.state().has(inCall) {
		x.quiet = make(chan struct{})
	}
	return x.quiet
}

// callsInFlight names the calls of the job that have not returned, and returns what their stack traces show.
func (j *job) callsInFlight() (names string, callers []caller) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var calls []string
	w := j.state()
	executing, logging := inExecute, logMask
	if w.has(atBegin) {
		executing = 0
	}
	if w.has(observeMask) {
		logging = 0 // the line counts already, but follows when the observers have returned
	}
	for _, call := range []struct {
		bits jobWord
		name string
	}{
		{executing, "Execute"},
		{inReady, "Ready"},
		{inStatus, "Status"},
		{inNext, "its schedule's Next"},
		{logging, "the pool's logger"},
		{observeMask, "an observer"},
	} {
		if w.has(call.bits) {
			calls = append(calls, call.name)
		}
	}
	if w.has(inExecute) {
		callers = append(callers, caller{pool: j.pool, job: j, step: j.steps})
	}
	return strings.Join(calls, " and "), append(callers, caller{pool: j.pool, job: j})
}

// poolCalls are the calls in flight that count for a pool: two counters in one atomic.
type poolCalls int64

const (
	inPoolLog      poolCalls = 1
	inPoolObserver poolCalls = 1 << 32
)

func (p *Pool) beginCall(call poolCalls) { p.counted.Add(int64(call)) }

func (p *Pool) endCall(call poolCalls) {
	if p.counted.Add(-int64(call)) == 0 && p.state().shut() { // else nobody waits for it
		p.mu.Lock()
		defer p.mu.Unlock()
		p.wakeSilentLocked()
	}
}

// wakeSilentLocked is called after a call of user code that counts for the pool.
func (p *Pool) wakeSilentLocked() {
	if p.silent != nil && p.counted.Load() == 0 && !p.announcing {
		close(p.silent)
		p.silent = nil
	}
}

// whenSilent returns a channel that is closed when no call of user code counts for the pool, or nil if none does.
func (p *Pool) whenSilent() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent == nil && (p.counted.Load() > 0 || p.announcing) {
		p.silent = make(chan struct{})
	}
	return p.silent
}

// callsInFlight names the calls of user code that count for the pool and have not returned.
func (p *Pool) callsInFlight() (calls []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.announcing {
		calls = append(calls, "the function of WithOnStatus")
	}
	counted := poolCalls(p.counted.Load())
	if counted%inPoolObserver > 0 {
		calls = append(calls, "the pool's logger")
	}
	if counted >= inPoolObserver {
		calls = append(calls, "an observer")
	}
	return calls
}
