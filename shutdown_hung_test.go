package jobs_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// Each function is a job's own: that is how one knows whose stack it is.
//
//go:noinline
func ownOfInterval(f func() error) error { return f() }

//go:noinline
func ownOfScheduled(f func() error) error { return f() }

//go:noinline
func ownOfChannel(f func() error) error { return f() }

//go:noinline
func ownOfSingle(f func() error) error { return f() }

//go:noinline
func ownOfRetry(f func() error) error { return f() }

//go:noinline
func ownOfStatus(f func() error) error { return f() }

//go:noinline
func ownOfReady(f func() error) error { return f() }

//go:noinline
func ownOfBoth(f func() error) error { return f() }

//go:noinline
func ownOfNobody(f func() error) error { return f() }

// registerAs registers the puppet as a job all methods of which have that function in their stacks.
func registerAs(p *puppet, own func(func() error) error, trigger jobs.Trigger, opts ...jobs.JobOption) *puppet {
	p.enroll(func(job jobs.Job) (string, error) {
		through := stub{
			execute: func() error { return own(job.Execute) },
			status:  func() error { return own(job.Status) },
			ready: func() (ready bool) {
				_ = own(func() error { ready = job.Ready(); return nil })
				return ready
			},
		}
		return p.pool.Register(through, trigger, append(opts, jobs.WithName(p.name))...)
	})
	return p
}

// tellingCases are what may hang, and what Shutdown is to say of it.
var tellingCases = []struct {
	name    string
	own     func(func() error) error
	trigger func(p *puppet) jobs.Trigger
	parts   func(p *puppet) []*part // that hang
	says    string
	stacks  int
}{
	{"Interval", ownOfInterval, always(jobs.Every(time.Hour)), inExecution, "in Execute", 1},
	{"Scheduled", ownOfScheduled, always(jobs.On(everySecond())), inExecution, "in Execute", 1},
	{"Channel", ownOfChannel, itsChannel, inExecution, "in Execute", 1},
	{"Single", ownOfSingle, always(jobs.Once()), inExecution, "in Execute", 1},
	{"Retry", ownOfRetry, always(jobs.Retry(2)), inExecution, "in Execute", 1},
	{"Status", ownOfStatus, always(jobs.Every(time.Hour)), func(p *puppet) []*part { return []*part{p.status} }, "in Status", 1},
	{"Ready", ownOfReady, always(jobs.Every(time.Hour)), func(p *puppet) []*part { return []*part{p.ready} }, "in Ready", 1},
	{"Both", ownOfBoth, always(jobs.Every(time.Hour)), func(p *puppet) []*part { return []*part{p.execution, p.status} },
		"in Execute and Status", 2},
}

func inExecution(p *puppet) []*part { return []*part{p.execution} }

// hungCast puts a puppet of each case on the stage, of which those of the set hang, and shuts the pool down.
func hungCast(s *stage, set int) error {
	for i, c := range tellingCases {
		p := s.puppet("job " + c.name)
		if c.name == "Channel" {
			p.execution.next(obeys)
		}
		if set&(1<<i) != 0 {
			for _, part := range c.parts(p) {
				part.next(hangs)
			}
		}
		registerAs(p, c.own, c.trigger(p))
	}
	s.pass(40 * time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.shutdown(ctx)
}

func TestHungShutdownShowsTheStacksOfExactlyThoseWhoDidNotStop(t *testing.T) {
	for set := range 1 << len(tellingCases) { // who hangs
		onStage(t, func(t *testing.T, s *stage) {
			go func() { _ = ownOfNobody(func() error { time.Sleep(time.Hour); return nil }) }()
			err := hungCast(s, set)
			if set == 0 {
				assert.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
			stacks := 0
			for i, c := range tellingCases {
				p, own := s.puppets[i], "jobs_test.ownOf"+c.name+"("
				if set&(1<<i) == 0 {
					assert.NotContains(t, err.Error(), p.name)
					assert.NotContains(t, err.Error(), p.id)
					assert.NotContains(t, err.Error(), own)
					continue
				}
				assert.ErrorContains(t, err, `"`+p.name+`" (`+p.id+") "+c.says)
				assert.Equal(t, c.stacks, strings.Count(err.Error(), own), c.name)
				stacks += c.stacks
			}
			assert.Equal(t, stacks, strings.Count(err.Error(), "\ngoroutine "))
			assert.NotContains(t, err.Error(), "ownOfNobody")
		}, jobs.WithExecutionTimeout(0))
	}
}

// Two jobs that are the same in all but what they do: the stack is of the one that hangs.
func TestHungShutdownTellsTwinsApart(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		for _, name := range []string{"asleep", "awake"} {
			p := s.puppet(name)
			p.execution.next(hangs)
			registerAs(p, ownOfInterval, jobs.Every(time.Hour))
		}
		s.pass(time.Second)
		s.puppets[1].execution.now(succeeds)
		s.pass(0)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := s.shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "asleep")
		assert.NotContains(t, err.Error(), "awake")
		assert.Equal(t, 1, strings.Count(err.Error(), "jobs_test.ownOfInterval("))
	})
}

// One execution is given up while Shutdown waits, one returns then, and one has not been given up.
func TestHungAndAbandonedDuringShutdown(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		abandoned := s.abandonable("abandoned", jobs.Every(time.Second))
		patient := s.hanging("patient", jobs.Once()) // which has no limit
		s.pass(12 * time.Second)
		patient.execution.now(fails.in(8 * time.Second))
		ends := newTimeline()
		go func() { assert.NoError(t, s.Shutdown(context.Background())); ends.mark() }()
		for _, c := range []struct {
			until time.Duration
			names string
		}{{2 * time.Second, "abandoned patient"}, {3 * time.Second, "patient"}} {
			ctx, cancel := context.WithTimeout(context.Background(), c.until)
			err := s.shutdown(ctx) // at 14, and at 17
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			for _, p := range []*puppet{abandoned, patient} {
				assert.Equal(t, strings.Contains(c.names, p.name), strings.Contains(err.Error(), p.id), p.name)
			}
		}
		require.NoError(t, s.shutdown(context.Background()))
		s.pass(0)
		assert.Equal(t, seconds(8), ends.moments())
		assert.Equal(t, 1, s.Info().Abandoned)
		s.pass(time.Hour)
		abandoned.execution.now(panics)
		s.pass(time.Hour)
		s.assertBegun(abandoned, 0)
		assert.EqualValues(t, 1, infoOf(t, s.Pool, abandoned.id).Failures)
		assert.Equal(t, "Failed", s.GetJobStatus(patient.id), "it failed by itself, and was told nothing")
	})
}

// Status and Ready are not given up, and so Shutdown waits for them.
func TestHungInStatusOrReadyIsWaitedForByShutdown(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		status := s.puppet("status").register(jobs.Every(forAges))
		status.status.next(hangs)
		ready := s.puppet("ready")
		ready.ready.next(hangs)
		ready.register(jobs.Every(forAges))
		s.pass(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		err := s.shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, status.id+") in Status")
		assert.ErrorContains(t, err, ready.id+") in Ready")
	})
}

func TestHungShutdownDoesNotShowAnAbandonedExecutionOfAJobThatHangsInReady(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.abandonable("sleeper", jobs.Every(forAges))
		s.pass(39 * time.Second)
		p.ready.next(hangs)
		s.pass(time.Hour)
		require.Equal(t, 1, p.execution.inFlight())
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		err := s.shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, p.id+") in Ready")
		assert.Equal(t, 1, strings.Count(err.Error(), "\n\ngoroutine "))
		assert.NotContains(t, err.Error(), "Execute")
	})
}

// A stickler is a log handler that hangs on errors.
type stickler struct {
	meddler
	end chan bool
}

func (h stickler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h stickler) Handle(_ context.Context, r slog.Record) error {
	if r.Level == failing {
		<-h.end
	}
	return nil
}

// A job the failure of which is being logged is waited for, too. Its schedule, if it has one, is not to blame.
func TestHungShutdownNamesTheLoggerAsWhatAJobIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan bool)
		p := jobs.NewPool(jobs.WithLogger(slog.New(stickler{end: end})))
		register(t, p, stub{execute: goexit}, jobs.Every(time.Hour), jobs.WithName("fails"))
		register(t, p, stub{ready: func() bool { panic("no") }}, jobs.Once(), jobs.WithName("panics"))
		pass(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := p.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 2, strings.Count(err.Error(), ") in the pool's logger"))
		assert.Equal(t, 2, strings.Count(err.Error(), "stickler.Handle("), "with its stack")
		assert.NotContains(t, err.Error(), "Next")
		close(end)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}
