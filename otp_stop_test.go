package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// A restartLoop is a way in which child2 keeps its pool from restarting.
type restartLoop struct {
	name  string
	enter func(s *stage, child2 *puppet)
	call  string // of child2 that is in flight then; none if it is empty
}

// restartLoops lead to a pool that is Stopped since 10 seconds before, or longer, and in the loop.
var restartLoops = []restartLoop{
	{"it refuses at each attempt", func(s *stage, child2 *puppet) {
		child2.ready.next(fails)
		stopPool(s.Pool)
		s.pass(50 * time.Second)
	}, ""},
	{"it is in its Ready", func(s *stage, child2 *puppet) {
		child2.ready.next(hangs)
		stopPool(s.Pool)
		s.pass(50 * time.Second)
	}, "Ready"},
	{"its execution is late", func(s *stage, child2 *puppet) {
		child2.execution.next(hangs)
		require.NoError(s.t, s.RunNow(child2.id))
		s.pass(50 * time.Second)
	}, "Execute"},
	{"its Status is late", func(s *stage, child2 *puppet) {
		child2.status.next(hangs)
		s.pass(80 * time.Second)
	}, "Status"},
}

// inRestartLoops runs f in each loop, with child1, which obeys, as the one that waits for the restart.
func inRestartLoops(t *testing.T, f func(t *testing.T, s *stage, loop restartLoop, child1, child2 *puppet)) {
	for _, loop := range restartLoops {
		t.Run(loop.name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage) {
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
	inRestartLoops(t, func(t *testing.T, s *stage, loop restartLoop, child1, child2 *puppet) {
		start, attempt := time.Now(), s.Info().NextAttempt
		child2.unregister()
		assert.Zero(t, time.Since(start))
		s.pass(0)
		if loop.call == "" { // the pool does not know that this was the only one to refuse
			require.False(t, attempt.IsZero())
			s.pass(time.Until(attempt))
		}
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 1, child1.execution.inFlight())
		assert.Empty(t, s.Info().HeldUpBy)
	})
}

func TestOTPHangingRestartLoopEndsAtShutdown(t *testing.T) {
	inRestartLoops(t, func(t *testing.T, s *stage, loop restartLoop, child1, child2 *puppet) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := s.shutdown(ctx)
		if loop.call == "" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.ErrorContains(t, err, child2.id+") in "+loop.call)
			assert.NotContains(t, err.Error(), child1.id)
		}
		child2.release()
		require.NoError(t, s.shutdown(context.Background()))
		s.pass(time.Hour)
		assert.Equal(t, "Stopped", s.GetStatus(), "it does not restart when the call returns")
		s.assertBegun(child1, 0)
	})
}

func TestOTPHangingRestartLoopAnswersSetStatus(t *testing.T) {
	inRestartLoops(t, func(t *testing.T, s *stage, _ restartLoop, child1, child2 *puppet) {
		start, before := time.Now(), s.Info()
		stopPool(s.Pool)
		assert.Equal(t, before, s.Info(), "it is Stopped already")
		s.SetStatus(jobs.PoolStatusRunning)
		assert.Zero(t, time.Since(start))
		s.pass(0)
		assert.Equal(t, "Stopped", s.GetStatus(), "asking for an attempt makes nobody ready")
		require.Len(t, s.Info().HeldUpBy, 1)
		assert.Contains(t, s.Info().HeldUpBy[0], child2.id)
		s.assertBegun(child1, 0)
		child2.release()
		s.SetStatus(jobs.PoolStatusRunning)
		s.pass(0)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 1, child1.execution.inFlight())
	})
}

func TestOTPHangingRestartLoopTakesInAnotherChild(t *testing.T) {
	inRestartLoops(t, func(t *testing.T, s *stage, _ restartLoop, _, child2 *puppet) {
		child3 := s.puppet("child3").register(jobs.Every(time.Hour))
		single := s.puppet("single").register(jobs.Once())
		s.pass(0)
		assert.Len(t, child3.ready.moments(), 1)
		assert.Empty(t, child3.execution.moments())
		assert.Equal(t, "Finished", s.GetJobStatus(single.id))
		child3.unregister()
		assert.Equal(t, 3, s.Info().Jobs)
		assert.Error(t, s.RunNow(child2.id))
	})
}

// sup_stop_timeout: of two children one obeys when it is told to stop, and one sleeps on. The supervisor ends
// after the time that both are given; the one reports that it was shut down, the other that it was killed.
// Go cannot kill: Shutdown's error says who was told and has not obeyed.
func TestOTPSupStopTimeout(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		obedient, sleeper := otpContexts(s)
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := s.shutdown(ctx)
		assert.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, sleeper.id)
		assert.NotContains(t, err.Error(), obedient.id)
		assert.Equal(t, []error{jobs.ErrShutdown}, obedient.toldBy())
		assert.Equal(t, []error{jobs.ErrShutdown}, sleeper.toldBy())
		assert.Equal(t, "Stopped", s.GetJobStatus(obedient.id))
		assert.Equal(t, "Running", s.GetJobStatus(sleeper.id), "it executes")
		sleeper.execution.now(fails)
		require.NoError(t, s.shutdown(context.Background()))
		assert.Equal(t, "Stopped", s.GetJobStatus(sleeper.id))
		assert.Zero(t, infoOf(t, s.Pool, sleeper.id).Failures, "it had been told")
	})
}

// The same for a stop of the pool: the sleeper holds nobody up and is not doubled. It starts again when it
// has woken up.
func TestOTPSupStopTimeoutOfAPoolThatRestarts(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		obedient, sleeper := otpContexts(s)
		stopPool(s.Pool)
		s.pass(0)
		for _, p := range []*puppet{obedient, sleeper} {
			assert.Equal(t, []error{jobs.ErrStopped}, p.toldBy(), p.name)
		}
		sleeper.execution.next(obeys)
		s.pass(40 * time.Second)
		assert.Equal(t, "Running", s.GetStatus())
		s.assertBegun(obedient, 0, 30)
		s.assertBegun(sleeper, 0)
		sleeper.execution.now(fails)
		s.pass(0)
		s.assertBegun(sleeper, 0, 40)
		assert.Equal(t, "Running", s.GetStatus(), "it had been told")
		assert.Zero(t, infoOf(t, s.Pool, sleeper.id).Failures)
	})
}

// otpContexts are two channel jobs that are told by their contexts. The one obeys and the other sleeps.
func otpContexts(s *stage) (obedient, sleeper *puppet) {
	obedient, sleeper = s.puppet("obedient"), s.puppet("sleeper")
	obedient.execution.next(obeys)
	sleeper.execution.next(hangs)
	for _, p := range []*puppet{obedient, sleeper} {
		p.takesContext = true
		p.register(jobs.Channel(nil))
	}
	s.pass(0)
	return obedient, sleeper
}
