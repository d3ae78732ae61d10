package calls

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A scene is a pool in some state with a job in some state, of which one call is made.
type scene struct {
	t    *testing.T
	p    *jobs.Pool
	via  surface // the pool's methods, or the package's functions
	log  *jobstest.Journal
	id   string
	job  jobs.JobExecution // also once it is unregistered; nil if there is none
	asks atomic.Int32      // how often the job's Ready was called

	locked bool // the job's lock is held until the call has been made

	// Who is on hold waits here for calls to make, and goes on when it is closed.
	cue    chan func()
	inside bool // the call is made by who is on hold
}

// hold is the part of user code in which it is when the call is made.
func (s *scene) hold() {
	for call := range s.cue {
		call()
	}
}

func (s *scene) holdErr() error { s.hold(); return nil }

// holdReady is a Ready that is on hold at that call, the first or the second, and gives that answer then.
func (s *scene) holdReady(at int32, answer bool) func() bool {
	return func() bool {
		if s.asks.Load() != at {
			return true
		}
		s.hold()
		return answer
	}
}

// register makes the scene's job.
func (s *scene) register(job jobstest.Stub, trigger jobs.Trigger, opts ...jobs.JobOption) {
	answer := job.Ready
	job.ReadyFunc = func() bool { s.asks.Add(1); return answer() }
	s.registerAny(job, trigger, opts...)
}

func (s *scene) registerAny(job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) {
	s.id = jobstest.Register(s.t, s.p, job, trigger, opts...)
	s.job = s.p.GetJob(s.id)
	jobstest.Advance(time.Second)
}

// A state brings a scene about. Its job, if there is one, has been registered for a second at least.
type state func(s *scene)

// A call is made in a scene, and says in a word what came of it.
type call struct {
	make func(s *scene) string
	then func(s *scene) string // if that shows only later; "" if the word was right
}

// play makes the call in the state, in a bubble and a pool of its own. If it has to wait for something,
// that comes about then, and its word is said with "waits, " in front.
func play(t *testing.T, state state, call call, packageLevel bool) (word string) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, log: new(jobstest.Journal), cue: make(chan func())}
		s.p = jobs.NewPool(s.log.Option(), jobs.WithExecutionTimeout(time.Minute), jobs.WithAbandonAfter(time.Minute))
		state(s)
		s.via = poolMethods{s.p}
		if packageLevel {
			jobs.SetDefaultPool(s.p)
			defer jobs.SetDefaultPool(nil)
			s.via = packageFunctions{}
		}
		words := make(chan string, 1)
		if s.job != nil { // whatever the state
			assert.Equal(t, s.id, s.job.GetID())
			assert.Equal(t, jobs.JobExecution(s.job), s.job.GetJob())
			assert.NotEmpty(t, s.job.GetName())
		}
		word = s.answer(call, words)
		close(s.cue)
		if s.locked {
			s.job.Unlock()
		}
		jobstest.Advance(5 * time.Minute) // until what waits has been abandoned, or its context has ended
		require.NoError(t, s.p.Shutdown(context.Background()))
		if word == "" {
			word = "waits, " + <-words
		}
	})
	return word
}

// answer makes the call, which puts its word into words, and returns that; or "" if there is none so far.
func (s *scene) answer(call call, words chan string) string {
	made := func() { words <- call.make(s) }
	if s.inside {
		s.cue <- made
	} else {
		go made()
	}
	synctest.Wait()
	select {
	case word := <-words:
		if call.then != nil {
			word = call.then(s)
		}
		return word
	default:
		return ""
	}
}

// A table says what comes of each call, by its column, in each state, by its row.
type table struct {
	calls []string
	rows  [][]string // the state, and a word for each call
}

func readTable(t *testing.T, text string) (tab table) {
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		fields := strings.Split(line, "|")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if i == 0 {
			tab.calls = fields[1:]
			continue
		}
		require.Len(t, fields, 1+len(tab.calls), line)
		tab.rows = append(tab.rows, fields)
	}
	return tab
}

// check plays every cell of the table, by way of the pool and of the package's functions. Every state
// must have a row.
func (tab table) check(t *testing.T, states map[string]state) {
	t.Helper()
	for way, packageLevel := range map[string]bool{"methods": false, "functions": true} {
		for _, row := range tab.rows {
			t.Run(way+"/"+row[0], func(t *testing.T) {
				require.Contains(t, states, row[0])
				came := []string{row[0]}
				for _, name := range tab.calls {
					require.Contains(t, allCalls, name)
					came = append(came, play(t, states[row[0]], allCalls[name], packageLevel))
				}
				assert.Equal(t, strings.Join(row, " | "), strings.Join(came, " | "))
			})
		}
	}
	assert.Len(t, tab.rows, len(states))
}
