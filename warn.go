package jobs

import (
	"hash/maphash"
	"log/slog"
	"sync"
	"time"
)

// An aspect is what a line of the log about a job is about. A job has no line about an aspect twice in quietFor, unless
// it has since had mostSaid others.
type aspect uint8

const (
	ofExecution aspect = iota // a failure
	ofAttempt                 // one of an execution's failed, see WithRetries
	ofStatus                  // a failure, or that it is late
	ofSchedule                // its Next has failed
	ofReady                   // its Ready has failed, or is late
	ofReadiness               // it is not ready, or refuses a restart
	ofDelay                   // something has not returned for long
	ofDue                     // it is overdue
	ofFreshness               // it is stale
	ofLock                    // JobUnlock without effect
)

// quietFor is how long a line is not repeated.
const quietFor = 10 * time.Minute

// mostSaid is how many lines are remembered of a job.
const mostSaid = 16

// A saying is a line about a job that was logged. The job's mutex guards it.
type saying struct {
	at    instant
	text  uint32 // a hash of it
	kept  uint32 // how often the same was kept back since
	of    aspect
	level int8 // the highest at which it was to be said: what is worse than that is said at once
	over  bool // what it was about has ended
}

var textSeed = maphash.MakeSeed()

func hashText(text string) uint32 { return uint32(maphash.String(textSeed, text)) }

// sayLocked reports whether a line with that text is to be logged now, whether the same was said before, at no lower level
// and without having ended, and how often it was kept back: since it was said a moment ago, or the pool has said enough
// for now.
func (j *job) sayLocked(of aspect, level slog.Level, text string) (ok, repeated bool, kept uint64) {
	said := saying{at: now(), text: hashText(text), of: of, level: int8(level)}
	s := j.extraLocked().sayingOf(of, said.text)
	switch {
	case s == nil:
		if !j.pool.lines.pass(j.pool) { // it was not said, and so the next one like it is no repetition
			return false, false, 0
		}
		*j.extra.placeFor() = said
		return true, false, 0
	case said.level <= s.level && time.Duration(said.at-s.at) < quietFor:
		s.kept++
		s.over = false
		return false, true, 0
	case !j.pool.lines.pass(j.pool):
		s.kept++
		return false, true, 0
	}
	repeated, kept = !s.over && said.level <= s.level, uint64(s.kept)
	*s = said
	return true, repeated, kept
}

// sayingOf returns what was said with that text, or nil.
func (x *extra) sayingOf(of aspect, text uint32) *saying {
	for i := range x.said {
		if s := &x.said[i]; s.of == of && s.text == text {
			return s
		}
	}
	return nil
}

// placeFor returns the place for what is said now: a new one, or that of the oldest.
func (x *extra) placeFor() *saying {
	if len(x.said) < mostSaid {
		x.said = append(x.said, saying{})
		return &x.said[len(x.said)-1]
	}
	oldest := 0
	for i := range x.said {
		if x.said[i].at < x.said[oldest].at {
			oldest = i
		}
	}
	return &x.said[oldest]
}

// hushLocked notes that what the log was told about an aspect of the job has ended.
func (j *job) hushLocked(of aspect) {
	if j.extra == nil {
		return
	}
	for i := range j.extra.said {
		if s := &j.extra.said[i]; s.of == of {
			s.over = true
		}
	}
}

// warn logs something about a job, unless it was said a while ago; the call already counts for the job. What follows from
// the text is in the message and the attributes.
func (j *job) warn(of aspect, level slog.Level, message, text string, attrs ...slog.Attr) {
	j.mu.Lock()
	ok, repeated, kept := j.sayLocked(of, level, message+text)
	j.mu.Unlock()
	if !ok {
		return
	}
	if repeated {
		level = min(level, slog.LevelWarn)
	}
	j.pool.write(j, level, message, keptBack(kept, attrs...)...)
}

// keptBack adds how many lines were kept back, if any were.
func keptBack(n uint64, attrs ...slog.Attr) []slog.Attr {
	if n == 0 {
		return attrs
	}
	return append(attrs, slog.Uint64("kept_back", n))
}

// mostLines is how many lines about troubles of jobs a pool logs in a second at most; the last tells how many there
// would have been.
const mostLines = 100

// lineLimit limits the number of lines that are logged in any second.
type lineLimit struct {
	mu    sync.Mutex // guards what follows; no other is acquired while it is held
	last  []instant  // when the last lines were logged, as a ring
	next  int
	kept  uint64      // how many were not
	timer *time.Timer // tells of them; nil if there are none
}

// pass reports whether one more line is to be logged now. If not, it is counted.
func (l *lineLimit) pass(p *Pool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := now()
	switch {
	case len(l.last) < mostLines-1:
		l.last = append(l.last, at)
		return true
	case time.Duration(at-l.last[l.next]) >= time.Second:
		l.last[l.next] = at
		l.next = (l.next + 1) % len(l.last)
		return true
	}
	l.kept++
	if l.timer == nil && !p.state().shut() {
		// Ends by itself a second later, or with the pool: that is shut first, and then calls stop.
		l.timer = time.AfterFunc(time.Second, func() { p.tellKept() })
	}
	return false
}

// stop ends the timer.
func (l *lineLimit) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
}

// tellKept logs how many lines were kept back in the last second.
func (p *Pool) tellKept() {
	l := &p.lines
	l.mu.Lock()
	kept := l.kept
	l.kept, l.timer = 0, nil
	l.mu.Unlock()
	p.mu.Lock()
	shut := p.state().shut()
	if !shut {
		p.beginLog()
	}
	p.mu.Unlock()
	if !shut {
		defer p.endLog()
		p.write(nil, slog.LevelWarn, "too many lines to log each", keptBack(kept)...)
	}
}
