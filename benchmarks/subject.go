package main

import (
	"errors"
	"time"

	"github.com/agentjobs/jobs"
)

// A subject is what is measured. What it can do besides is said by the interfaces below; a cell
// that needs one that it has not is not applicable to it.
type subject any

// An executor executes jobs at an interval. Jobs have numbers; the executor keeps what it needs to find them again, in
// memory taken by open.
type executor interface {
	open(n int) error // makes room for n jobs
	// register makes a job execute for the first time at once, and then again and again.
	register(i int, job jobs.Job, every time.Duration) error
	begin() error // the jobs registered so far may execute, if they do not already
	unregister(i int) error
	pace() pace
}

// A staggerer can delay a job's first execution.
type staggerer interface {
	registerLater(i int, job jobs.Job, every, delay time.Duration) error
}

// A looker can tell of a single job how it is.
type looker interface {
	lookUp(i int) (found bool)
}

// A poller calls the Status of each job, again and again.
type poller interface {
	poll(every time.Duration)
}

// A parser reads cron expressions.
type parser interface {
	expression() string
	parse(expression string) (next func(time.Time) time.Time, err error)
}

// A pace says when a job's next execution is due.
type pace int

const (
	afterLast    pace = iota // an interval after the last one
	grid                     // an interval after the last one was due
	gridSkipping             // the same, but what has passed already is left out
)

var errNotApplicable = errors.New("not applicable")

// subjectNames are in the order of the table's columns.
var subjectNames = []string{"jobs", "timer", "goroutine", "suture", "robfig", "gocron", "quartz", "original"}

var subjects = map[string]func() subject{
	"jobs":      func() subject { return new(jobsSubject) },
	"timer":     func() subject { return new(timerSubject) },
	"goroutine": func() subject { return new(goroutineSubject) },
	"suture":    func() subject { return new(sutureSubject) },
	"robfig":    func() subject { return new(robfigSubject) },
	"gocron":    func() subject { return new(gocronSubject) },
	"quartz":    func() subject { return new(quartzSubject) },
	"original":  func() subject { return originalSubject{} },
}
