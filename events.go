package jobs

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// An EventKind is what has happened. New kinds may come with any version: ignore those you do not know.
type EventKind string

// The kinds of event of a job. Those of an execution have its number and when it began.
const (
	EventRegistered   EventKind = "registered"   // the job was registered
	EventUnregistered EventKind = "unregistered" // the job was unregistered
	EventPaused       EventKind = "paused"       // Pause or PauseUntil was called, with a reason
	EventResumed      EventKind = "resumed"      // its pause has ended
	EventRescheduled  EventKind = "rescheduled"  // Reschedule was called; the reason is the new trigger
	EventCanceled     EventKind = "canceled"     // Cancel has ended the context of its execution
	EventReady        EventKind = "ready"        // its Ready has returned true for the first time
	EventBegan        EventKind = "began"        // an execution has begun
	EventEnded        EventKind = "ended"        // an execution has ended; a late one, with the outcome timeout, when it has returned
	EventLate         EventKind = "late"         // an execution has exceeded its timeout
	EventSkipped      EventKind = "skipped"      // occurrences or turns were not executed: how many, and the SkipReason of the last
	EventAbandoned    EventKind = "abandoned"    // a late execution was abandoned, see WithAbandonAfter
	EventStatusFailed EventKind = "status-failed"
	EventOverdue      EventKind = "overdue"     // an execution is due, and has not begun, see WithOverdueAfter; the reason is why not
	EventStale        EventKind = "stale"       // it has not succeeded for longer than WithFreshness allows; the reason is why it is not executing
	EventRecovered    EventKind = "recovered"   // it is no longer what the reason says: "overdue" or "stale"
	EventStatusLate   EventKind = "status-late" // a call of its Status has exceeded its timeout
)

// The kinds of event of a pool, with its status.
const (
	EventPoolStopped    EventKind = "pool-stopped"    // with the job whose failure has stopped it, if one has, and the error
	EventRestartRefused EventKind = "restart-refused" // an attempt to restart it has failed, since a job is not ready
	EventPoolRestarted  EventKind = "pool-restarted"
	EventPoolPaused     EventKind = "pool-paused"  // PausePool was called, with a reason
	EventPoolResumed    EventKind = "pool-resumed" // ResumePool was called
	EventPoolDrained    EventKind = "pool-drained" // Drain was called
	EventPoolShutDown   EventKind = "pool-shut-down"
)

// An Event is something that has happened to a job or a pool. Fields that mean nothing for its kind are zero; later
// versions may add more.
type Event struct {
	Seq  uint64    // counts the pool's events from 1
	Time time.Time // by the wall clock
	Kind EventKind

	ID, Name, Type string // of the job

	Execution uint64        // the number of the execution, from 1 for each job
	Due       time.Time     // when the execution was due
	Began     time.Time     // when it has begun
	Took      time.Duration // how long it has taken; so far, if it is late
	Outcome   Outcome       // how it has ended

	Skipped uint64 // how many occurrences or turns

	Error   error
	Reason  string     // the reason that the caller of the function that caused the event gave, or what the kind says
	Status  PoolStatus // of the pool, after an event of the pool
	Attempt int        // the number of the attempt to restart since the stop, from 1
}

// WithObserver makes the pool call f for each event, for metrics and the like; several observers are called one after
// the other. An event is told after its state has changed, in the goroutine in which that has happened or one that it
// waits for. The events of one job are told in order, and so are those of the pool; but those of different jobs at the
// same time. So f must be safe for concurrent use, and be quick: what it is told of waits for it. A panic or
// runtime.Goexit in f is logged, counted in PoolInfo.ObserverFailures and without further effect. f may call all
// methods of the pool. A nil f is ignored.
func WithObserver(f func(Event)) PoolOption {
	return poolOption(func(s *poolSettings) {
		if f != nil {
			s.observers = append(s.observers, f)
		}
	})
}

// A ticket is an event's place among those of its job or, if it is one of the pool's, of the pool; 0 is none.
type ticket uint64

// tickets are those of one job, or of the pool. They are issued with the mutex held under which the state changes that
// the event is about, and served when it is not: so events are told in order.
type tickets struct {
	issued, served atomic.Uint64
}

// issueLocked returns the ticket of an event of the job's, and counts the call that tells of it, if anybody is to be
// told. The job's mutex is held.
func (j *job) issueLocked() ticket {
	if j.pool.settings.observers == nil {
		return 0
	}
	j.begin(inObserver)
	return ticket(j.tickets.issued.Add(1))
}

// event returns an event of the job's.
func (j *job) event(kind EventKind, at time.Time) (e Event) {
	j.fill(&e, kind, at)
	return e
}

// fill fills in an event of the job's. It is not returned, since each copy uses up some of the stack that a goroutine
// begins with.
func (j *job) fill(e *Event, kind EventKind, at time.Time) {
	e.Time, e.Kind = at, kind
	e.ID, e.Name, e.Type = j.id, j.name, j.typeName()
}

// tell tells of an event of the job's, and then calls then. No mutex may be held.
func (j *job) tell(n ticket, e *Event, then func()) {
	j.pool.tell(caller{pool: j.pool, job: j}, &j.tickets, n, e, func() {
		if n != 0 {
			j.end(inObserver)
		}
		then()
	})
}

// tellOf tells of an event of the job's that may be nil, and then calls then.
func (j *job) tellOf(e *untold, then func()) {
	if e == nil {
		then()
		return
	}
	j.tell(e.ticket, &e.Event, then)
}

// tellAside tells of what a caller has done with the job, without letting observers hold the caller up.
func (j *job) tellAside(kind EventKind, n ticket, reason string) {
	if n == 0 {
		j.tellReason(kind, n, reason)
		return
	}
	aside(func() { j.tellReason(kind, n, reason) })
}

func (j *job) tellReason(kind EventKind, n ticket, reason string) {
	e := j.event(kind, time.Now().Round(0))
	e.Reason = reason
	j.tell(n, &e, nothing)
}

// nothing is what follows an event that nothing depends on.
func nothing() {}

// tellBegan tells that the execution in flight has begun. What the observers take does not count towards its timeout.
//
//go:noinline
func (j *job) tellBegan(n ticket) {
	var e Event
	j.fillBegan(&e)
	j.tell(n, &e, func() { j.told() })
}

func (j *job) told() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.change(atBegin, 0)
	j.startClockLocked(time.Now())
}

// fillBegan fills in the event of the execution in flight having begun.
func (j *job) fillBegan(e *Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fill(e, EventBegan, j.lastStart.time())
	j.describeLocked(e)
}

// describeLocked adds to an event which execution it is about.
func (j *job) describeLocked(e *Event) {
	e.Execution = j.executions
	e.Began = j.lastStart.time()
	e.Due = e.Began
	if j.wasDue != atOnce {
		e.Due = e.Began.Add(-time.Duration(j.begun - j.wasDue))
	}
}

// tellEnd tells of the end of an execution, and then calls then.
func (j *job) tellEnd(end *ending, then func()) {
	var e Event
	j.fillEnd(&e, end)
	if h := j.pool.settings.history; h != nil {
		h.add(&e)
	}
	j.tell(end.ticket, &e, then)
}

// fillEnd fills in the event of an execution having ended.
func (j *job) fillEnd(e *Event, end *ending) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fill(e, EventEnded, j.lastEnd.time())
	j.describeLocked(e)
	e.Took = time.Duration(j.lastEnd - j.lastStart)
	e.Outcome, e.Error = outcomes[j.lastOutcome], end.err
}

// An untold is an event that has yet to be told.
type untold struct {
	Event
	ticket ticket
}

// untoldLocked returns an event of the job's, and counts the call that tells of it. The job's mutex is held.
func (j *job) untoldLocked(kind EventKind, err error) *untold {
	e := &untold{Event: j.event(kind, time.Now().Round(0)), ticket: j.issueLocked()}
	e.Error = err
	return e
}

// untoldLocked returns an event of the pool's, and counts the call that tells of it. The pool's mutex is held.
func (p *Pool) untoldLocked(kind EventKind, err error) *untold {
	e := &untold{Event: Event{Time: time.Now().Round(0), Kind: kind, Status: p.state().status(), Error: err}}
	if p.settings.observers != nil {
		p.beginCall(inPoolObserver)
		e.ticket = ticket(p.tickets.issued.Add(1))
	}
	return e
}

// tellPool tells of an event of the pool's. What it is called by does not wait for observers that hang: it may be what
// restarts the pool. e may be nil.
func (p *Pool) tellPool(e *untold) {
	switch {
	case e == nil:
	case e.ticket == 0:
		p.events.add(&e.Event)
	default:
		aside(func() {
			p.tell(caller{pool: p}, &p.tickets, e.ticket, &e.Event, func() { p.endCall(inPoolObserver) })
		})
	}
}

// An eventLog numbers a pool's events and keeps the last of them.
type eventLog struct {
	seq      atomic.Uint64
	failures atomic.Int64 // calls of observers that have not returned normally

	mu     sync.Mutex    // guards what follows; no other is acquired while it is held
	kept   []Event       // the last ones that are worth keeping, as a ring
	oldest int           // its first, once it is full
	served chan struct{} // closed when a ticket has been served that somebody waits behind; made when waited for
}

// mostKept is the number of events that are kept.
const mostKept = 256

// usual reports whether the event is a beginning or a good end, which are not kept.
func (e *Event) usual() bool {
	return e.Kind == EventBegan || e.Kind == EventEnded && (e.Outcome == OutcomeSuccess || e.Outcome == OutcomeTold)
}

// add gives the event its number, and keeps it unless it is a usual one.
func (l *eventLog) add(e *Event) {
	e.Seq = l.seq.Add(1)
	if e.usual() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) < mostKept {
		l.kept = append(l.kept, *e)
		return
	}
	l.kept[l.oldest] = *e
	l.oldest = (l.oldest + 1) % mostKept
}

// Events returns the last 256 events that are neither the beginning of an execution nor a good end, oldest first.
// They are kept whether or not there is an observer; without one, no other events are numbered.
func (p *Pool) Events() []Event {
	p.events.mu.Lock()
	events := slices.Clone(p.events.kept)
	p.events.mu.Unlock()
	slices.SortFunc(events, func(a, b Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return events
}

// await waits until it is a ticket's turn.
func (l *eventLog) await(t *tickets, n ticket) {
	for t.served.Load()+1 != uint64(n) {
		l.mu.Lock()
		if t.served.Load()+1 == uint64(n) {
			l.mu.Unlock()
			return
		}
		if l.served == nil {
			l.served = make(chan struct{})
		}
		served := l.served
		l.mu.Unlock()
		<-served
	}
}

// pass ends a ticket's turn. Whoever has the next one sees that, or is woken.
func (l *eventLog) pass(t *tickets, n ticket) {
	t.served.Store(uint64(n))
	if t.issued.Load() == uint64(n) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.served != nil {
		close(l.served)
		l.served = nil
	}
}

// tell tells the observers of an event, in its turn, and then calls then, whatever they do. If there are any, the call
// counts already. No mutex may be held.
func (p *Pool) tell(who caller, t *tickets, n ticket, e *Event, then func()) {
	if n == 0 {
		if !e.usual() {
			p.events.add(e)
		}
		then()
		return
	}
	p.events.await(t, n)
	p.events.add(e)
	p.tellFrom(0, who, e, func() {
		p.events.pass(t, n)
		then()
	})
}

// tellFrom tells the observers from one of them on. If one calls runtime.Goexit, the goroutine is lost, but the others
// are told and then is called all the same.
func (p *Pool) tellFrom(i int, who caller, e *Event, then func()) {
	observers := p.settings.observers
	defer func() {
		if i < len(observers) {
			p.tellFrom(i+1, who, e, then)
		}
	}()
	for ; i < len(observers); i++ {
		userCode(who, func() error { observers[i](*e); return nil }, p.observed)
	}
	then()
}

// observed is called when an observer has returned.
func (p *Pool) observed(err error) {
	if err != nil {
		p.events.failures.Add(1)
		if !p.lines.pass(p) {
			return
		}
		p.beginLog()
		defer p.endLog()
		p.write(nil, slog.LevelError, "observer failed", errorAttrs(err)...)
	}
}
