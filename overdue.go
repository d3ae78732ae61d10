package jobs

import (
	"log/slog"
	"time"

	"github.com/agentjobs/jobs/internal/handover"
)

// WithOverdueAfter sets how long an execution may be due without beginning before its job is overdue; one status
// interval by default. It counts only while nothing is known that keeps the job from executing: not while the pool is
// Stopped, or the job is paused or waits for its lock. So what makes a job overdue is a schedule, an observer or a log
// handler that does not return, or a process that gets too little of the processors.
//
// It is a warning: the log, an event and JobInfo.OverdueSince tell of it, and nothing is stopped. The pool looks once a
// status interval, but at most every ten seconds; a job is overdue when looks that are so far apart have found the same
// execution due. A time of 0 or less is an error.
func WithOverdueAfter(after time.Duration) PoolOption {
	return poolOption(func(s *poolSettings) {
		s.reject(checkInterval("WithOverdueAfter", after))
		s.overdueAfter = after
	})
}

// WithFreshness says that an interval or scheduled job must succeed at least once in every such time, from its
// registration on, whatever keeps it from that: it fails, hangs, is paused or not ready, or its pool is Stopped. Without
// a success for longer the job is stale, until the next one.
//
// It is a warning: the log, an event and JobInfo.StaleSince tell of it, and nothing is stopped. The pool looks once a
// status interval, but at most every ten seconds. A time of 0 or less is an error.
func WithFreshness(every time.Duration) JobOption {
	return jobOption(func(s *settings) { s.given |= optFreshness; s.freshness = every })
}

// closestLooks is how often a pool looks at most, since that costs about as much as a sweep.
const closestLooks = 10 * time.Second

// A lookout finds jobs that do not do what they should, though nothing has failed. It looks at all of them once a status
// interval, also while the pool is Stopped or has no attached jobs, for as long as there are interval or scheduled ones.
type lookout struct {
	cycle    cycle
	periodic int              // how many of these there are; guarded by the pool's mutex
	lookedAt instant          // when it last looked; guarded by the pool's mutex
	waiting  map[*job]waiting // what was due at the last look, and could have begun; guarded by the pool's mutex, replaced and never changed
}

// A looker is a pool as its lookout's cycle sees it.
type looker Pool

func (l *looker) step(uint32, time.Time) instant {
	(*Pool)(l).lookOut()
	return 0
}

func (l *looker) expired(uint32) {} // a look has no timeout

// A waiting is an execution that is due, and nothing but time is known to keep it from beginning.
type waiting struct {
	step uint32  // the job's last
	at   instant // when a look first found it so
}

// relookLocked reschedules the next look after a change of anything that it depends on.
func (p *Pool) relookLocked() {
	if p.lookout.cycle.owner == nil {
		p.lookout.cycle.owner = (*looker)(p)
	}
	p.lookout.cycle.set(p.lookDueLocked())
}

func (p *Pool) lookDueLocked() instant {
	if p.lookout.periodic == 0 || p.state().closed() {
		return never
	}
	return p.lookout.lookedAt.after(max(p.durations().statusInterval, closestLooks))
}

// countPeriodicLocked counts n more jobs, if the lookout is for such as j.
func (p *Pool) countPeriodicLocked(j *job, n int) {
	if !j.traits().periodic {
		return
	}
	before := p.lookout.periodic
	p.lookout.periodic += n
	if before == 0 {
		p.lookout.lookedAt = now()
	}
	if p.lookout.periodic == 0 {
		p.lookout.waiting = nil // it keeps jobs
	}
	if before == 0 || p.lookout.periodic == 0 {
		p.relookLocked()
	}
}

// A look is one look at all jobs.
type look struct {
	at     instant // as of when
	after  time.Duration
	pool   poolWord
	before map[*job]waiting
	now    map[*job]waiting
	found  findings
}

// lookOut looks, if it is time, and tells of what it has found.
func (p *Pool) lookOut() {
	l := p.beginLook()
	if l == nil {
		return
	}
	for j := range p.registry.all() {
		l.lookAt(j)
	}
	p.mu.Lock()
	if p.lookout.waiting = l.now; p.lookout.periodic == 0 {
		p.lookout.waiting = nil
	}
	p.mu.Unlock()
	l.found.tell()
}

// beginLook returns nil if it is not time to look, and schedules the next one. After a pause of the process the jobs
// have had no chance since the look was due: it is as of then.
func (p *Pool) beginLook() *look {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.relookLocked()
	at, due := now(), p.lookDueLocked()
	if at < due {
		return nil
	}
	p.lookout.lookedAt = at
	after := p.settings.overdueAfter
	if after <= 0 {
		after = p.durations().statusInterval
	}
	return &look{at: due, after: after, pool: p.state(), before: p.lookout.waiting}
}

func (l *look) lookAt(j *job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.hasQuitLocked() {
		return
	}
	due, reason := j.dueSinceLocked(l.at, l.pool)
	if reason != "" && l.hasWaitedLocked(j) {
		l.noteOverdueLocked(j, due, reason)
	} else if x := j.extra; x != nil && x.overdue.since != 0 {
		x.overdue = overdue{}
		l.noteRecoveredLocked(j, "job is no longer overdue", "overdue")
	}
	if x := j.extra; x != nil && x.freshness != nil {
		l.noteFreshnessLocked(j, x.freshness)
	}
}

// dueSinceLocked returns since when an execution of the job has been due at the given instant, and why it has not begun
// although no gate but time is shut; no reason if that is not so.
func (j *job) dueSinceLocked(at instant, pool poolWord) (due instant, reason Reason) {
	switch due = j.due; {
	case j.inStepLocked() && due == never:
		due = j.wasDue
	case j.stage == cycleIdle:
		return 0, ""
	}
	w := j.state()
	if due >= at || w.has(inExecute) && !w.has(atBegin) {
		return 0, ""
	}
	for gate, name := range gateNames {
		if name != GateSchedule && j.shutLocked(gate, pool) != "" {
			return 0, ""
		}
	}
	return due, j.notDueLocked(w)
}

// An overdue is an execution of which was told that it is overdue.
type overdue struct {
	step  uint32 // the job's last
	since wallTime
}

// overdueSinceLocked returns since when the job is overdue, as far as was told, if that has not ended meanwhile.
func (j *job) overdueSinceLocked(pool poolWord) time.Time {
	if j.extra == nil || j.extra.overdue.since == 0 || j.extra.overdue.step != j.steps {
		return time.Time{}
	}
	if _, reason := j.dueSinceLocked(now(), pool); reason == "" {
		return time.Time{}
	}
	return j.extra.overdue.since.time()
}

// hasWaitedLocked notes that an execution of the job is due, and reports whether looks have found that for long enough.
func (l *look) hasWaitedLocked(j *job) bool {
	first, known := l.before[j]
	if !known || first.step != j.steps {
		first = waiting{j.steps, l.at}
	}
	if l.now == nil {
		l.now = make(map[*job]waiting)
	}
	l.now[j] = first
	return time.Duration(l.at-first.at) >= l.after
}

func (l *look) noteOverdueLocked(j *job, due instant, reason Reason) {
	if due == atOnce {
		due = l.now[j].at
	}
	var e *untold
	x := j.extraLocked()
	if x.overdue.since == 0 {
		x.overdue.since = wallTime(due.wall().UnixNano())
		e = j.untoldLocked(EventOverdue, nil)
		e.Due, e.Reason = x.overdue.since.time(), string(reason)
	}
	x.overdue.step = j.steps
	l.warnLocked(j, ofDue, "job is overdue", e, duration("for", time.Duration(l.at-due)), slog.String("reason", string(reason)))
}

// A freshness is what WithFreshness demands of a job, and how far that is met. The job's mutex guards it.
type freshness struct {
	every time.Duration // immutable
	from  instant       // of the last success or, before the first, of the registration
	stale wallTime      // since when it is stale, as far as was told; 0 if it is not
}

// noteFreshnessLocked tells if the job is stale, or no longer.
func (l *look) noteFreshnessLocked(j *job, f *freshness) {
	age := time.Duration(l.at - f.from)
	if age <= f.every || j.state().over() {
		if f.stale != 0 {
			f.stale = 0
			l.noteRecoveredLocked(j, "job is no longer stale", "stale")
		}
		return
	}
	reason := string(j.reasonLocked(l.pool))
	var e *untold
	if f.stale == 0 {
		f.stale = wallTime(f.from.after(f.every).wall().UnixNano())
		e = j.untoldLocked(EventStale, nil)
		e.Reason = reason
	}
	l.warnLocked(j, ofFreshness, "job is stale", e,
		duration("without_success_for", age), duration("freshness", f.every), slog.String("reason", reason))
}

// staleSinceLocked returns since when the job is stale, as far as was told, if it has not succeeded meanwhile.
func (j *job) staleSinceLocked() time.Time {
	if j.extra == nil || j.extra.freshness == nil {
		return time.Time{}
	}
	f := j.extra.freshness
	if time.Duration(now()-f.from) <= f.every {
		return time.Time{}
	}
	return f.stale.time()
}

func (l *look) noteRecoveredLocked(j *job, message, from string) {
	e := j.untoldLocked(EventRecovered, nil)
	e.Reason = from
	l.addLocked(finding{job: j, event: e, level: slog.LevelInfo, message: message})
}

// warnLocked adds a warning, with the event if it was not told before, unless there is nothing to say: see job.warn.
func (l *look) warnLocked(j *job, of aspect, message string, e *untold, attrs ...slog.Attr) {
	ok, _, kept := j.sayLocked(of, slog.LevelWarn, message)
	if !ok && e == nil {
		return
	}
	if !ok && !j.pool.lines.pass(j.pool) {
		message = ""
	}
	l.addLocked(finding{job: j, event: e, level: slog.LevelWarn, message: message, attrs: keptBack(kept, attrs...)})
}

// addLocked counts the call that logs the finding.
func (l *look) addLocked(f finding) {
	f.job.begin(inLog)
	l.found = append(l.found, f)
}

// A finding is what a look tells of a job.
type finding struct {
	job     *job
	event   *untold // nil if it was told before
	level   slog.Level
	message string // empty if it is not logged
	attrs   []slog.Attr
}

func (f *finding) tell() { f.job.tellOf(f.event, nothing) }

func (f *finding) log() {
	defer f.job.end(inLog)
	p := f.job.pool
	if f.message != "" && (f.level == slog.LevelWarn || p.lines.pass(p)) { // a warning has passed already
		p.write(f.job, f.level, f.message, f.attrs...)
	}
}

// Findings are first told, and then logged, one after another. None waits for observers or a log handler that does not
// return, nor its line for its event: that may be what keeps the job from executing.
type findings []finding

func (f findings) tell() {
	if f == nil {
		return
	}
	handover.Run(len(f), calls{f, (*finding).tell})
	handover.Run(len(f), calls{f, (*finding).log})
}

// Calls are what is done with each finding.
type calls struct {
	findings
	do func(*finding)
}

func (c calls) Begin(int) (struct{}, bool)    { return struct{}{}, true }
func (c calls) Call(i int, _ struct{})        { c.do(&c.findings[i]) }
func (c calls) Slow(int, struct{}, time.Time) {}
