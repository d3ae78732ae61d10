package jobs

import (
	"fmt"
	"slices"
	"strconv"
)

// JobStatus is the status of a job. Its String is the bare word, "Running" for example.
type JobStatus int

const (
	// JobStatusInitializing - not executed yet: its Ready has not returned true, or its pool is stopped and will
	// start it.
	JobStatusInitializing JobStatus = iota
	// JobStatusRunning - executing, or between two executions with nothing wrong.
	JobStatusRunning
	// JobStatusRetrying - a retry job that has failed at least once and has not ended, even during its last attempt,
	// or if its pool was shut down.
	JobStatusRetrying
	// JobStatusStopped - stopped with its pool, to be restarted with it; or paused; or a detached channel job that ended
	// with an error; or its pool was shut down, or the job unregistered.
	JobStatusStopped
	// JobStatusFailed - a single run or retry job that ended with an error; a job with an execution
	// that has exceeded its timeout and has not returned; a detached interval or scheduled job
	// whose last execution failed.
	JobStatusFailed
	// JobStatusFinished - done for good, without an error.
	JobStatusFinished
)

var jobStatusNames = [...]string{"Initializing", "Running", "Retrying", "Stopped", "Failed", "Finished"}

// String returns the bare word, "Running" for example.
func (s JobStatus) String() string { return nameOf(jobStatusNames[:], int(s), "JobStatus") }

// MarshalText returns what String does, so that JSON shows the word.
func (s JobStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText has written. Any other text is an error.
func (s *JobStatus) UnmarshalText(text []byte) error {
	i, err := indexOf(jobStatusNames[:], text, "job status")
	if err == nil {
		*s = JobStatus(i)
	}
	return err
}

// PoolStatus is the status of a pool. Its String is the bare word, "Running" for example.
type PoolStatus int

const (
	// PoolStatusInitializing - nothing has been registered yet.
	PoolStatusInitializing PoolStatus = iota
	// PoolStatusRunning - the pool's jobs execute.
	PoolStatusRunning
	// PoolStatusStopped - no attached job begins an execution until the pool has restarted; or the pool was shut
	// down.
	PoolStatusStopped
)

var poolStatusNames = [...]string{"Initializing", "Running", "Stopped"}

// String returns the bare word, "Running" for example.
func (s PoolStatus) String() string { return nameOf(poolStatusNames[:], int(s), "PoolStatus") }

// MarshalText returns what String does, so that JSON shows the word.
func (s PoolStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText has written. Any other text is an error.
func (s *PoolStatus) UnmarshalText(text []byte) error {
	i, err := indexOf(poolStatusNames[:], text, "pool status")
	if err == nil {
		*s = PoolStatus(i)
	}
	return err
}

func indexOf(names []string, text []byte, what string) (int, error) {
	i := slices.Index(names, string(text))
	if i < 0 {
		return 0, fmt.Errorf("%q is no %s", text, what)
	}
	return i, nil
}

func nameOf(names []string, i int, typ string) string {
	if i < 0 || i >= len(names) {
		return typ + "(" + strconv.Itoa(i) + ")"
	}
	return names[i]
}

// A jobWord is everything that a job's status depends on, except for its pool's: a phase, some marks, and which calls
// of user code are in flight for the job. It is kept in one atomic, so that a single look answers each question about
// the job. Phase and marks change with the job's mutex held; so do its calls, except those of Status and of the log
// handler.
type jobWord uint64

// The phases of a job's life:
//
//	unready -> ready                      Ready has returned true
//	ready   -> started                    at once or, attached, as soon as the pool is Running
//	started -> started, finished, failed  an execution has ended
//	started -> finished                   a schedule has no occurrence left
const (
	phaseUnready jobWord = iota
	phaseReady
	phaseStarted
	phaseFinished
	phaseFailed

	phaseMask jobWord = 7
)

// The marks, which accompany the phase.
const (
	markAttached jobWord = 8 << iota // the pool coordinates it
	markGone                         // unregistered
	markRetrying                     // a retry job that has failed before
	markFailing                      // a detached interval or scheduled job whose last execution failed
	markBroken                       // a detached channel job that ended with an error
	markPaused                       // Pause was called; the job's extra says why
	markSick                         // its last Status has failed; the job's extra says how
	markSkipped                      // it has skipped something that nobody was told of; the job's extra says how much

	markTrouble = markRetrying | markFailing | markBroken
)

func (w jobWord) phase() jobWord        { return w & phaseMask }
func (w jobWord) has(bits jobWord) bool { return w&bits != 0 }
func (w jobWord) started() bool         { return w.phase() >= phaseStarted }
func (w jobWord) over() bool            { return w.phase() >= phaseFinished }
func (w jobWord) hasSay() bool          { return w&(markAttached|markGone|markPaused) == markAttached }

// A poolWord is a pool's status, whether it was drained or shut down, and its generation: each start begins a new one. It is
// kept in one atomic and written with the pool's mutex held.
type poolWord uint64

const (
	poolStatusMask poolWord = 3
	poolShut       poolWord = 4
	poolDrained    poolWord = 8
	poolGeneration poolWord = 16 // the first of its bits
)

func (w poolWord) status() PoolStatus { return PoolStatus(w & poolStatusMask) }
func (w poolWord) running() bool      { return w.status() == PoolStatusRunning }
func (w poolWord) shut() bool         { return w&poolShut != 0 }

// closed reports whether the pool begins nothing any more, and whyClosed returns what was called.
func (w poolWord) closed() bool { return w&(poolShut|poolDrained) != 0 }

func (w poolWord) whyClosed() error {
	if w.shut() {
		return ErrShutdown
	}
	return ErrDrained
}

// generation returns the number of the pool's life; it may wrap.
func (w poolWord) generation() uint32 { return uint32(w / poolGeneration) }

// with returns the word with another status; a start begins a generation.
func (w poolWord) with(s PoolStatus) poolWord {
	w = w&^poolStatusMask | poolWord(s)
	if s == PoolStatusRunning {
		w += poolGeneration
	}
	return w
}

// admits reports whether a job may begin something: its pool is open and, if the pool coordinates it, Running.
func (w poolWord) admits(j jobWord) bool {
	return !w.closed() && (w.running() || !j.has(markAttached))
}

// statusOf is the table of statuses: the first line that applies wins.
func statusOf(j jobWord, p poolWord) JobStatus {
	phase := j.phase()
	switch {
	case phase == phaseFinished:
		return JobStatusFinished
	case phase == phaseFailed, j.has(lateExecute):
		return JobStatusFailed
	case j.has(markRetrying):
		return JobStatusRetrying
	case j.has(markFailing):
		return JobStatusFailed
	case j.has(inExecute):
		return JobStatusRunning
	case p.closed(), j.has(markGone | markBroken | markPaused):
		return JobStatusStopped
	case phase < phaseStarted:
		return JobStatusInitializing
	case j.has(markAttached) && p.status() == PoolStatusStopped:
		return JobStatusStopped
	}
	return JobStatusRunning
}
