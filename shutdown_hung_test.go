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
	"github.com/agentjobs/jobs/internal/jobstest"
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
func registerAs(p *jobstest.Puppet, own func(func() error) error, trigger jobs.Trigger, opts ...jobs.JobOption) *jobstest.Puppet {
	p.Enroll(func(job jobs.Job) (string, error) {
		through := jobstest.Stub{
			ExecuteFunc: func() error { return own(job.Execute) },
			StatusFunc:  func() error { return own(job.Status) },
			ReadyFunc: func() (ready bool) {
				_ = own(func() error { ready = job.Ready(); return nil })
				return ready
			},
		}
		return p.Pool.Register(through, trigger, append(opts, jobs.WithName(p.Name))...)
	})
	return p
}

// tellingCases are what may hang, and what Shutdown is to say of it.
var tellingCases = []struct {
	name    string
	own     func(func() error) error
	trigger func(p *jobstest.Puppet) jobs.Trigger
	parts   func(p *jobstest.Puppet) []*jobstest.Part // that hang
	says    string
	stacks  int
}{
	{"Interval", ownOfInterval, always(jobs.Every(time.Hour)), inExecution, "in Execute", 1},
	{"Scheduled", ownOfScheduled, always(jobs.On(jobstest.EverySecond())), inExecution, "in Execute", 1},
	{"Channel", ownOfChannel, itsChannel, inExecution, "in Execute", 1},
	{"Single", ownOfSingle, always(jobs.Once()), inExecution, "in Execute", 1},
	{"Retry", ownOfRetry, always(jobs.Retry(2)), inExecution, "in Execute", 1},
	{"Status", ownOfStatus, always(jobs.Every(time.Hour)), func(p *jobstest.Puppet) []*jobstest.Part { return []*jobstest.Part{p.StatusCalls} }, "in Status", 1},
	{"Ready", ownOfReady, always(jobs.Every(time.Hour)), func(p *jobstest.Puppet) []*jobstest.Part { return []*jobstest.Part{p.ReadyCalls} }, "in Ready", 1},
	{"Both", ownOfBoth, always(jobs.Every(time.Hour)), func(p *jobstest.Puppet) []*jobstest.Part { return []*jobstest.Part{p.Executions, p.StatusCalls} },
		"in Execute and Status", 2},
}

func inExecution(p *jobstest.Puppet) []*jobstest.Part { return []*jobstest.Part{p.Executions} }

// hungCast puts a puppet of each case on the stage, of which those of the set hang, and shuts the pool down.
func hungCast(s *jobstest.Stage, set int) error {
	for i, c := range tellingCases {
		p := s.Puppet("job " + c.name)
		if c.name == "Channel" {
			p.Executions.Next(jobstest.Obeys)
		}
		if set&(1<<i) != 0 {
			for _, part := range c.parts(p) {
				part.Next(jobstest.Hangs)
			}
		}
		registerAs(p, c.own, c.trigger(p))
	}
	s.Advance(40 * time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.ShutdownWatched(ctx)
}

func TestHungShutdownShowsTheStacksOfExactlyThoseWhoDidNotStop(t *testing.T) {
	for set := range 1 << len(tellingCases) { // who hangs
		jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
			go func() { _ = ownOfNobody(func() error { time.Sleep(time.Hour); return nil }) }()
			err := hungCast(s, set)
			if set == 0 {
				assert.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
			stacks := 0
			for i, c := range tellingCases {
				p, own := s.Puppets[i], "jobs_test.ownOf"+c.name+"("
				if set&(1<<i) == 0 {
					assert.NotContains(t, err.Error(), p.Name)
					assert.NotContains(t, err.Error(), p.ID)
					assert.NotContains(t, err.Error(), own)
					continue
				}
				assert.ErrorContains(t, err, `"`+p.Name+`" (`+p.ID+") "+c.says)
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
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		for _, name := range []string{"asleep", "awake"} {
			p := s.Puppet(name)
			p.Executions.Next(jobstest.Hangs)
			registerAs(p, ownOfInterval, jobs.Every(time.Hour))
		}
		s.Advance(time.Second)
		s.Puppets[1].Executions.Now(jobstest.Succeeds)
		s.Advance(0)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := s.ShutdownWatched(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "asleep")
		assert.NotContains(t, err.Error(), "awake")
		assert.Equal(t, 1, strings.Count(err.Error(), "jobs_test.ownOfInterval("))
	})
}

// One execution is given up while Shutdown waits, one returns then, and one has not been given up.
func TestHungAndAbandonedDuringShutdown(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		abandoned := s.Abandonable("abandoned", jobs.Every(time.Second))
		patient := s.Hanging("patient", jobs.Once()) // which has no limit
		s.Advance(12 * time.Second)
		patient.Executions.Now(jobstest.Fails.In(8 * time.Second))
		ends := jobstest.NewTimeline()
		go func() { assert.NoError(t, s.Shutdown(context.Background())); ends.Mark() }()
		for _, c := range []struct {
			until time.Duration
			names string
		}{{2 * time.Second, "abandoned patient"}, {3 * time.Second, "patient"}} {
			ctx, cancel := context.WithTimeout(context.Background(), c.until)
			err := s.ShutdownWatched(ctx) // at 14, and at 17
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			for _, p := range []*jobstest.Puppet{abandoned, patient} {
				assert.Equal(t, strings.Contains(c.names, p.Name), strings.Contains(err.Error(), p.ID), p.Name)
			}
		}
		require.NoError(t, s.ShutdownWatched(context.Background()))
		s.Advance(0)
		assert.Equal(t, jobstest.Seconds(8), ends.Moments())
		assert.Equal(t, 1, s.Info().Abandoned)
		s.Advance(time.Hour)
		abandoned.Executions.Now(jobstest.Panics)
		s.Advance(time.Hour)
		s.AssertBegun(abandoned, 0)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, s.Pool, abandoned.ID).Failures)
		assert.Equal(t, "Failed", s.GetJobStatus(patient.ID), "it failed by itself, and was told nothing")
	})
}

// Status and Ready are not given up, and so Shutdown waits for them.
func TestHungInStatusOrReadyIsWaitedForByShutdown(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		status := s.Puppet("status").Register(jobs.Every(jobstest.ForAges))
		status.StatusCalls.Next(jobstest.Hangs)
		ready := s.Puppet("ready")
		ready.ReadyCalls.Next(jobstest.Hangs)
		ready.Register(jobs.Every(jobstest.ForAges))
		s.Advance(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		err := s.ShutdownWatched(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, status.ID+") in Status")
		assert.ErrorContains(t, err, ready.ID+") in Ready")
	})
}

func TestHungShutdownDoesNotShowAnAbandonedExecutionOfAJobThatHangsInReady(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Abandonable("sleeper", jobs.Every(jobstest.ForAges))
		s.Advance(39 * time.Second)
		p.ReadyCalls.Next(jobstest.Hangs)
		s.Advance(time.Hour)
		require.Equal(t, 1, p.Executions.InFlight())
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		err := s.ShutdownWatched(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, p.ID+") in Ready")
		assert.Equal(t, 1, strings.Count(err.Error(), "\n\ngoroutine "))
		assert.NotContains(t, err.Error(), "Execute")
	})
}

// A job the failure of which is being logged is waited for, too. Its schedule, if it has one, is not to blame.
func TestHungShutdownNamesTheLoggerAsWhatAJobIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan bool)
		p := jobs.NewPool(jobstest.HandlerFunc(func(r slog.Record) {
			if r.Level == slog.LevelError {
				<-end
			}
		}).Option())
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: goexit}, jobs.Every(time.Hour), jobs.WithName("fails"))
		jobstest.Register(t, p, jobstest.Stub{ReadyFunc: func() bool { panic("no") }}, jobs.Once(), jobs.WithName("panics"))
		jobstest.Advance(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := p.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 2, strings.Count(err.Error(), ") in the pool's logger"))
		assert.Equal(t, 2, strings.Count(err.Error(), "HandlerFunc.Handle("), "with its stack")
		assert.NotContains(t, err.Error(), "Next")
		close(end)
		require.NoError(t, p.Shutdown(context.Background()))
	})
}
