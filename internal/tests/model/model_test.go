package model

import (
	"fmt"
	"math"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// The model is a pool reduced to who may do what, when. It is told what was done to a real pool and what
// the jobs have seen of it, in order, and says what is wrong with that:
//
//	job_test.go      what a job does, and who holds its lock
//	plan_test.go     when it executes next
//	ready_test.go    when it is asked whether it is ready
//	pool_test.go     when the pool stops
//	restart_test.go  when it restarts
//	sweep_test.go    whose Status it calls
//	told_test.go     how the model is told, and what the calls of the pool's methods change
//	choice_test.go   which orders of what happens in one instant it allows
//	live_test.go     what must happen again and again, and in the end
//
// Scripts (script_test.go) are played to a pool and to the model (run_test.go, do_test.go),
// and what the pool says of itself is compared (check_test.go) whenever everything is quiet.
//
// The model predicts all that follows from the specification, to the nanosecond. Where that leaves a choice, or two things
// happen at the same time, it follows the pool within bounds, and says so there. All times count from the
// script's begin. Quotations are the specification's.
type model struct {
	now  time.Duration
	err  error // the first thing that is wrong
	jobs []*modelJob

	statusEvery, retryEvery, limit, abandonAfter time.Duration

	status    jobs.PoolStatus
	shut      bool
	since     time.Duration
	turned    bool  // it became that in this instant, and not by a command, which finds everything at rest
	flaps     int   // how often the first wait after the stop has doubled
	stoppers  []int // the job that has stopped it last; more than one if they failed at the same time
	restarts  int
	abandoned int

	quietSince time.Duration // when the last call has returned
	spentAt    time.Duration // when one that shares its channel has last returned nil, and had taken none
	news       jobs.PoolInfo // what WithOnStatus was told last

	sweep   modelSweep
	attempt modelAttempt
	choices choices
	ahead   []event // that it has yet to be told of
}

const notSet = time.Duration(math.MaxInt64)

// A modelJob is a job's state. Times are notSet if what they stand for is not to come.
type modelJob struct {
	jobSpec
	n       int
	id      string
	gone    bool // unregistered
	retired bool // that, or its pool was shut down

	phase                     modelPhase
	retrying, failing, broken bool
	executions, failures, row uint64
	forgetAt                  time.Duration
	hurried                   bool // it was ready when its pool ran for no time at all: it may have started (see begins and adopt), or not

	// The execution in flight.
	executing, late  bool
	call             int // its number
	begun, lasted    time.Duration
	act              jobstest.Act // what it does
	actSince         time.Duration
	lateAt, giveUpAt time.Duration
	contextEnded     bool
	canceled         bool          // by Cancel, before anything else has ended its context
	foundLate        time.Duration // when one was late last
	forGood          bool          // its error was Permanent
	quietSince       time.Duration // when its last call has returned, of whatever method
	justReturned     int           // how many have returned then
	strays           int           // executions given up and not returned
	givenUpAt        time.Duration // when one was given up last

	// The last one.
	erred    bool // LastError is the error of one
	timedOut bool // and that was late
	well     bool // it has succeeded
	ended    time.Duration
	endedIn  int // the restarts by then

	// The next one may begin from due on and, if nothing is in its way, must by dueBy.
	due, dueBy time.Duration
	asked      bool // RunNow was called since the last one has begun
	askedIn    int  // the restarts when RunNow was called last
	again      bool // RunNow was called while it was executing or waiting
	perhaps    bool // it is not sure that this still counts: the stop may have been noticed, or only the restart at its end

	// Its lock: who has it and who waits. An execution has joined the queue between the two times.
	holder           int // a caller's number, held by an execution, or free
	queue            []lockWaiter
	joined, joinedBy time.Duration

	// Ready.
	asking           asker
	userAsks         bool
	userAnswer       bool
	pollAt, polledAt time.Duration
	polls            int
	answer           modelAnswer // to the restart attempt
	excused, slowAsk bool        // of this attempt: was executing; its Ready has taken time
	carried          bool        // the attempt found it being asked by the one before; it may be its turn after that

	// Status.
	checking, checkLate bool
	checkLateAt         time.Duration
	checkLife           int    // the restarts at that time
	swept               int    // the number of the last sweep that has called it
	sick                uint64 // how many have failed in a row
	owed, slowCheck     bool   // of this sweep: a call is due; it has taken time

	// Its stop channel, if that is its own: whether a nil is to be there, and whether it was taken.
	open, listening, took bool
	doubtful              bool          // it has ended with an error, and the pool restarted, at the same time: the nil for who listens may be there
	untoldAt              time.Duration // when the pool has restarted last while one was there, or had just been taken
	unsure                *unsureEnd    // what the pool made of its last end cannot be known yet
	unsureFailures        uint64
	atLimit               time.Duration // when a call of it last ended in the instant of its limit
}

type modelPhase int

const (
	isUnready modelPhase = iota
	isReady              // and waits for its pool
	isStarted
	isFinished
	isFailed
)

const (
	free        = 0
	byExecution = -1
)

type lockWaiter struct {
	caller int
	since  time.Duration
}

// An unsureEnd is how an execution has ended on a stop channel that jobs share. "A nil counts for
// whichever returns": so from outside nobody can say whether it was told to end. What the pool then makes
// of it must be consistent, and is adopted.
type unsureEnd struct {
	at     time.Duration
	failed bool
	obeyed bool // it took a nil, and no other that took none has returned nil meanwhile, for which that might count
}

func (m *model) wrong(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("at %v: "+format, append([]any{m.now}, args...)...)
	}
}

func (j *modelJob) String() string { return fmt.Sprintf("job %d (%s)", j.n, j.kind) }

// statusOf is "the first line that applies".
func (m *model) statusOf(j *modelJob) jobs.JobStatus {
	switch {
	case j.phase == isFinished:
		return jobs.JobStatusFinished
	case j.phase == isFailed, j.late:
		return jobs.JobStatusFailed
	case j.retrying:
		return jobs.JobStatusRetrying
	case j.failing:
		return jobs.JobStatusFailed
	case j.executing:
		return jobs.JobStatusRunning
	case m.shut, j.broken:
		return jobs.JobStatusStopped
	case j.phase < isStarted:
		return jobs.JobStatusInitializing
	case j.attached && m.status == jobs.PoolStatusStopped:
		return jobs.JobStatusStopped
	}
	return jobs.JobStatusRunning
}

// admits: "no execution of an attached job begins" while the pool is Stopped; the others are untouched.
func (m *model) admits(j *modelJob) bool {
	return !j.gone && !m.shut && (!j.attached || m.status == jobs.PoolStatusRunning)
}

// admitted is admits at any moment of this instant: an execution begins when it is claimed, and what
// happens at the same time may come in between.
func (m *model) admitted(j *modelJob) bool {
	return m.admits(j) || !j.gone && !m.shut && j.attached && m.turned
}

func (j *modelJob) waits(now time.Duration) bool {
	return j.phase == isStarted && !j.executing && j.due <= now
}

type asker int

const (
	nobody asker = iota
	byPoll
	byUser
	byAttempt
)

type modelAnswer int

const (
	isNone modelAnswer = iota
	isAsked
	isYes
	isNo
)
