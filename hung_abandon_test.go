package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What hangs in a pool that gives executions up: late after 10 seconds, given up 5 seconds later. The puppets
// know that, and tolerate a second execution beside one that is 15 seconds old.

func onAbandoningStage(t *testing.T, f func(t *testing.T, s *stage)) {
	t.Helper()
	onHungStage(t, func(t *testing.T, s *stage) { f(t, s) }, jobs.WithAbandonAfter(5*time.Second))
}

// abandonable returns a puppet that hangs whenever it is executed.
func (s *stage) abandonable(name string, trigger jobs.Trigger, opts ...jobs.JobOption) *puppet {
	p := s.puppet(name)
	p.givenUpAfter = 15 * time.Second
	p.execution.next(hangs)
	return p.register(trigger, opts...)
}

func TestHungAndAbandonedTwiceInARow(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.abandonable("sleeper", jobs.Every(5*time.Second), jobs.Detached())
		s.pass(34 * time.Second) // given up at 15, again from 20 on, and given up at 35
		assert.Equal(t, 1, s.Info().Abandoned)
		assert.Equal(t, 2, p.execution.inFlight())
		p.execution.next(succeeds)
		s.pass(time.Second)
		assert.Equal(t, 2, s.Info().Abandoned)
		info := infoOf(t, s.Pool, p.id)
		assert.Equal(t, jobs.JobStatusFailed, info.Status)
		assert.EqualValues(t, 2, info.ConsecutiveFailures)
		s.pass(5 * time.Second)
		s.assertBegun(p, 0, 20, 40)
		info = infoOf(t, s.Pool, p.id)
		assert.Equal(t, jobs.JobStatusRunning, info.Status)
		for number, end := range map[int]act{1: panics, 2: fails} {
			require.True(t, p.execution.nowOnly(number, end))
		}
		s.pass(0)
		assert.Equal(t, info, infoOf(t, s.Pool, p.id), "nobody cares any more")
		s.pass(time.Minute)
		assert.Len(t, p.execution.moments(), 15)
		assert.EqualValues(t, 2, infoOf(t, s.Pool, p.id).Failures)
	})
}

// What an execution that was given up does in the end is not taken for the end of the one that is in flight.
func TestHungAndAbandonedReturnsBesideTheNextExecution(t *testing.T) {
	for name, end := range map[string]act{"returns": succeeds, "fails": fails, "panics": panics, "exits": exits} {
		for kind, opts := range map[string][]jobs.JobOption{"attached": nil, "detached": detached} {
			t.Run(kind+" "+name, func(t *testing.T) {
				onAbandoningStage(t, func(t *testing.T, s *stage) {
					p := s.abandonable("sleeper", jobs.Every(25*time.Second), opts...)
					s.pass(45 * time.Second) // given up at 15, and executes again at 40, attached or not
					s.assertBegun(p, 0, 40)
					before := infoOf(t, s.Pool, p.id)
					require.True(t, p.execution.nowOnly(1, end))
					s.pass(0)
					assert.Equal(t, before, infoOf(t, s.Pool, p.id))
					assert.Equal(t, 1, p.execution.inFlight())
					assert.Equal(t, "Running", s.GetStatus())
					locked := newTimeline()
					go func() { s.JobLock(p.id); locked.mark(); s.JobUnlock(p.id) }()
					require.NoError(t, s.RunNow(p.id))
					s.pass(time.Second)
					assert.Empty(t, locked.moments(), "the lock is the second one's")
					assert.Len(t, p.execution.moments(), 2)
					p.execution.next(succeeds)
					p.execution.now(succeeds)
					s.pass(0)
					assert.Len(t, locked.moments(), 1)
					assert.Len(t, p.execution.moments(), 3, "by RunNow")
					assert.EqualValues(t, 1, infoOf(t, s.Pool, p.id).Failures)
				})
			})
		}
	}
}

func TestHungAndAbandonedContextsAreTheirOwn(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.puppet("sleeper")
		p.takesContext, p.givenUpAfter = true, 15*time.Second
		p.execution.next(hangs)
		p.register(jobs.Every(5*time.Second), jobs.Detached())
		s.pass(15 * time.Second)
		assert.Equal(t, []error{jobs.ErrTimeout}, p.toldBy())
		p.execution.next(obeys)
		s.pass(6 * time.Second)
		p.execution.nowOnly(1, succeeds)
		s.pass(time.Second)
		assert.Equal(t, []error{jobs.ErrTimeout}, p.toldBy(), "the second one has a context of its own")
		assert.Equal(t, 1, p.execution.inFlight())
		p.unregister()
		s.pass(0)
		assert.Equal(t, []error{jobs.ErrTimeout, jobs.ErrUnregistered}, p.toldBy())
	})
}

func TestHungAndAbandonedTheLastOfThemLetsThePoolGo(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		s.UpdateDurations(12*time.Second, 10*time.Second)
		first := s.abandonable("first", jobs.Every(forAges))
		second := s.abandonable("second", jobs.Every(forAges), jobs.WithJobTimeout(20*time.Second))
		second.givenUpAfter = 25 * time.Second
		s.pass(14 * time.Second)
		s.assertHeldUpBy([]*puppet{first}, "execution that is late")
		s.pass(time.Second)
		assert.Empty(t, s.Info().HeldUpBy, "second is within its limit")
		s.pass(10*time.Second - 1) // at 22 there would have been an attempt
		s.assertHeldUpBy([]*puppet{second}, "execution that is late")
		for _, p := range []*puppet{first, second} {
			p.execution.next(succeeds)
		}
		s.pass(1)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 2, s.Info().Abandoned)
		s.assertBegun(first, 0, 25)
		s.assertBegun(second, 0, 25)
	})
}

// A call of Status, or of Ready, is not given up: there is no telling what its job can do without an answer.
func TestHungInStatusOrReadyIsNotAbandoned(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.puppet("sleeper").register(jobs.Every(forAges))
		p.status.next(hangs)
		s.pass(time.Hour)
		s.assertHeldUpBy([]*puppet{p}, "call of Status that is late")
		p.ready.next(hangs)
		p.status.next(succeeds)
		p.status.now(succeeds)
		s.pass(time.Hour)
		s.assertHeldUpBy([]*puppet{p}, "call of Ready that has not returned")
		assert.Zero(t, s.Info().Abandoned)
		p.ready.now(succeeds)
		s.pass(0)
		s.assertBegun(p, 0, 7200)
	})
}

// The attempt to restart may ask an abandoned execution's job whether it is ready.
func TestHungAndAbandonedIsAskedWhetherItIsReady(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.abandonable("sleeper", jobs.Every(forAges))
		s.pass(39 * time.Second)
		p.ready.next(fails)
		s.pass(time.Hour)
		s.assertHeldUpBy([]*puppet{p}, "is not ready")
		s.assertBegun(p, 0)
		assert.Equal(t, 1, p.execution.inFlight())
		p.ready.next(succeeds)
		s.SetStatus(jobs.PoolStatusRunning)
		s.pass(0)
		assert.Equal(t, 2, p.execution.inFlight())
	})
}

func TestHungAndUnregisteredIsAbandonedToo(t *testing.T) {
	onAbandoningStage(t, func(t *testing.T, s *stage) {
		p := s.abandonable("sleeper", jobs.Every(time.Second))
		s.pass(12 * time.Second)
		p.unregister()
		s.pass(2 * time.Second)
		assert.Equal(t, 1, s.Departed())
		s.pass(time.Second)
		assert.Zero(t, s.Departed(), "nothing waits for it any more")
		assert.Equal(t, 1, s.Info().Abandoned)
		require.NoError(t, s.shutdown(context.Background()))
	})
}
