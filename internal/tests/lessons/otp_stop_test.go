package lessons

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A restartLoop is a way in which child2 keeps its pool from restarting.
type restartLoop struct {
	name  string
	enter func(s *jobstest.Stage, child2 *jobstest.Puppet)
	call  string // of child2 that is in flight then; none if it is empty
}

// restartLoops lead to a pool that is Stopped since 10 seconds before, or longer, and in the loop.
var restartLoops = []restartLoop{
	{"it refuses at each attempt", func(s *jobstest.Stage, child2 *jobstest.Puppet) {
		child2.ReadyCalls.Next(jobstest.Fails)
		jobstest.StopPool(s.Pool)
		s.Advance(50 * time.Second)
	}, ""},
	{"it is in its Ready", func(s *jobstest.Stage, child2 *jobstest.Puppet) {
		child2.ReadyCalls.Next(jobstest.Hangs)
		jobstest.StopPool(s.Pool)
		s.Advance(50 * time.Second)
	}, "Ready"},
	{"its execution is late", func(s *jobstest.Stage, child2 *jobstest.Puppet) {
		child2.Executions.Next(jobstest.Hangs)
		require.NoError(s.T, s.RunNow(child2.ID))
		s.Advance(50 * time.Second)
	}, "Execute"},
	{"its Status is late", func(s *jobstest.Stage, child2 *jobstest.Puppet) {
		child2.StatusCalls.Next(jobstest.Hangs)
		s.Advance(80 * time.Second)
	}, "Status"},
}

// inRestartLoops runs f in each loop, with child1, which obeys, as the one that waits for the restart.
func inRestartLoops(t *testing.T, f func(t *testing.T, s *jobstest.Stage, loop restartLoop, child1, child2 *jobstest.Puppet)) {
	for _, loop := range restartLoops {
		t.Run(loop.name, func(t *testing.T) {
			jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
				child1, child2 := otpPair(s)
				loop.enter(s, child2)
				require.Equal(t, "Stopped", s.GetStatus())
				f(t, s, loop, child1, child2)
			}, jobs.WithExecutionTimeout(10*time.Second))
		})
	}
}

// hanging_restart_loop: a child that cannot restart keeps its supervisor trying. The supervisor must still
// answer what is asked of it, let go of the child, and end when it is told to (OTP-9549: it did not).
func TestOTPHangingRestartLoopLetsGoOfTheChild(t *testing.T) {
	inRestartLoops(t, func(t *testing.T, s *jobstest.Stage, loop restartLoop, child1, child2 *jobstest.Puppet) {
		start, attempt := time.Now(), s.Info().NextAttempt
		child2.Unregister()
		assert.Zero(t, time.Since(start))
		s.Advance(0)
		if loop.call == "" { // the pool does not know that this was the only one to refuse
			require.False(t, attempt.IsZero())
			s.Advance(time.Until(attempt))
		}
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 1, child1.Executions.InFlight())
		assert.Empty(t, s.Info().HeldUpBy)
	})
}

func TestOTPHangingRestartLoopEndsAtShutdown(t *testing.T) {
	inRestartLoops(t, func(t *testing.T, s *jobstest.Stage, loop restartLoop, child1, child2 *jobstest.Puppet) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := s.ShutdownWatched(ctx)
		if loop.call == "" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.ErrorContains(t, err, child2.ID+") in "+loop.call)
			assert.NotContains(t, err.Error(), child1.ID)
		}
		child2.Release()
		require.NoError(t, s.ShutdownWatched(context.Background()))
		s.Advance(time.Hour)
		assert.Equal(t, "Stopped", s.GetStatus(), "it does not restart when the call returns")
		s.AssertBegun(child1, 0)
	})
}

func TestOTPHangingRestartLoopAnswersSetStatus(t *testing.T) {
	inRestartLoops(t, func(t *testing.T, s *jobstest.Stage, _ restartLoop, child1, child2 *jobstest.Puppet) {
		start, before := time.Now(), s.Info()
		jobstest.StopPool(s.Pool)
		assert.Equal(t, before, s.Info(), "it is Stopped already")
		s.SetStatus(jobs.PoolStatusRunning)
		assert.Zero(t, time.Since(start))
		s.Advance(0)
		assert.Equal(t, "Stopped", s.GetStatus(), "asking for an attempt makes nobody ready")
		require.Len(t, s.Info().HeldUpBy, 1)
		assert.Contains(t, s.Info().HeldUpBy[0].String(), child2.ID)
		s.AssertBegun(child1, 0)
		child2.Release()
		s.SetStatus(jobs.PoolStatusRunning)
		s.Advance(0)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 1, child1.Executions.InFlight())
	})
}

func TestOTPHangingRestartLoopTakesInAnotherChild(t *testing.T) {
	inRestartLoops(t, func(t *testing.T, s *jobstest.Stage, _ restartLoop, _, child2 *jobstest.Puppet) {
		child3 := s.Puppet("child3").Register(jobs.Every(time.Hour))
		single := s.Puppet("single").Register(jobs.Once())
		s.Advance(0)
		assert.Len(t, child3.ReadyCalls.Moments(), 1)
		assert.Empty(t, child3.Executions.Moments())
		assert.Equal(t, "Finished", s.GetJobStatus(single.ID))
		child3.Unregister()
		assert.Equal(t, 3, s.Info().Jobs)
		assert.Error(t, s.RunNow(child2.ID))
	})
}

// sup_stop_timeout: of two children one obeys when it is told to stop, and one sleeps on. The supervisor ends
// after the time that both are given; the one reports that it was shut down, the other that it was killed.
// Go cannot kill: Shutdown's error says who was told and has not obeyed.
func TestOTPSupStopTimeout(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		obedient, sleeper := otpContexts(s)
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := s.ShutdownWatched(ctx)
		assert.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, sleeper.ID)
		assert.NotContains(t, err.Error(), obedient.ID)
		assert.Equal(t, []error{jobs.ErrShutdown}, obedient.ToldBy())
		assert.Equal(t, []error{jobs.ErrShutdown}, sleeper.ToldBy())
		assert.Equal(t, "Stopped", s.GetJobStatus(obedient.ID))
		assert.Equal(t, "Running", s.GetJobStatus(sleeper.ID), "it executes")
		sleeper.Executions.Now(jobstest.Fails)
		require.NoError(t, s.ShutdownWatched(context.Background()))
		assert.Equal(t, "Stopped", s.GetJobStatus(sleeper.ID))
		assert.Zero(t, jobstest.InfoOf(t, s.Pool, sleeper.ID).Failures, "it had been told")
	})
}

// The same for a stop of the pool: the sleeper holds nobody up and is not doubled. It starts again when it
// has woken up.
func TestOTPSupStopTimeoutOfAPoolThatRestarts(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		obedient, sleeper := otpContexts(s)
		jobstest.StopPool(s.Pool)
		s.Advance(0)
		for _, p := range []*jobstest.Puppet{obedient, sleeper} {
			assert.Equal(t, []error{jobs.ErrStopped}, p.ToldBy(), p.Name)
		}
		sleeper.Executions.Next(jobstest.Obeys)
		s.Advance(40 * time.Second)
		assert.Equal(t, "Running", s.GetStatus())
		s.AssertBegun(obedient, 0, 30)
		s.AssertBegun(sleeper, 0)
		sleeper.Executions.Now(jobstest.Fails)
		s.Advance(0)
		s.AssertBegun(sleeper, 0, 40)
		assert.Equal(t, "Running", s.GetStatus(), "it had been told")
		assert.Zero(t, jobstest.InfoOf(t, s.Pool, sleeper.ID).Failures)
	})
}

// otpContexts are two channel jobs that are told by their contexts. The one obeys and the other sleeps.
func otpContexts(s *jobstest.Stage) (obedient, sleeper *jobstest.Puppet) {
	obedient, sleeper = s.Puppet("obedient"), s.Puppet("sleeper")
	obedient.Executions.Next(jobstest.Obeys)
	sleeper.Executions.Next(jobstest.Hangs)
	for _, p := range []*jobstest.Puppet{obedient, sleeper} {
		p.TakesContext = true
		p.Register(jobs.Channel(nil))
	}
	s.Advance(0)
	return obedient, sleeper
}
