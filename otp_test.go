package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// These tests, and those of otp_stop_test.go and otp_scale_test.go, put the questions of the test suite of
// Erlang/OTP's supervisor (lib/stdlib/test/supervisor_SUITE.erl) to a pool, which is what that calls a
// one_for_all supervisor. Each says which case it corresponds to, and what that checks there.

// otpPair is a channel job that obeys and an interval job, registered in this order.
func otpPair(s *stage) (channel, interval *puppet) {
	channel = s.channelPuppet("child1")
	interval = s.puppet("child2").register(jobs.Every(time.Hour))
	s.pass(0)
	return channel, interval
}

// one_for_all_other_child_fails_restart: child 1 has failed, both are being restarted, child 1 runs again,
// and then child 2 fails to start. Child 1 must be stopped again, before both are restarted.
func TestOTPOneForAllOtherChildFailsRestart(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		child1, child2 := otpPair(s)
		child1.execution.now(fails)
		child2.execution.next(fails.in(time.Second))
		s.pass(0)
		require.Equal(t, child1.id, s.Info().StoppedBy)
		s.pass(30 * time.Second)
		require.Equal(t, 1, child1.execution.inFlight(), "child 1 has restarted")
		s.pass(time.Second) // and child 2 fails
		info := s.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		assert.Equal(t, child2.id, info.StoppedBy)
		assert.Equal(t, 30*time.Second, time.Until(info.NextAttempt), "the restart before was one")
		assert.Zero(t, child1.execution.inFlight(), "child 1 was stopped again")
		child2.execution.next(succeeds)
		s.pass(30 * time.Second)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 1, child1.execution.inFlight())
		s.assertBegun(child1, 0, 30, 61)
		s.assertBegun(child2, 0, 30, 61)
	})
}

// The same with what a pool can find out before it starts anything: child 2 gets unready while the pool
// waits for child 1 to say whether it is ready. A restart starts all of them or none.
func TestOTPOneForAllOtherChildIsUnreadyDuringTheRestart(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		child1, child2 := otpPair(s)
		child1.execution.now(fails)
		child1.ready.next(hangs)
		s.pass(40 * time.Second)
		require.Equal(t, 1, child1.ready.inFlight(), "the attempt lasts")
		child2.ready.next(fails)
		child1.ready.now(fails) // the attempt at 30 fails at 40; the next comes at 100
		child1.ready.next(succeeds)
		s.pass(59 * time.Second)
		s.assertBegun(child1, 0)
		s.pass(time.Second)
		assert.Equal(t, "Stopped", s.GetStatus(), "now it is child 2 that is not ready")
		assert.Equal(t, 2*time.Minute, time.Until(s.Info().NextAttempt))
		child2.ready.next(succeeds)
		s.pass(2 * time.Minute)
		s.assertBegun(child1, 0, 220)
		s.assertBegun(child2, 0, 220)
	})
}

// one_for_all_escalation: a child that can never start again makes the supervisor give up, after as many
// restarts as are allowed: it ends all children and itself, for its own supervisor to decide. A pool has
// nobody above it. It stays Stopped, and so does every child, tries for ever with a backoff, tells what it
// waits for, and is all there when the child has recovered.
func TestOTPOneForAllEscalation(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		child1, child2 := otpPair(s)
		child1.execution.now(fails)
		child2.ready.next(fails)
		s.pass(time.Hour)
		assert.Equal(t, seconds(0, 30, 90, 210, 450, 930, 960, 1020, 1140, 1380, 1860, 1890, 1950, 2070, 2310,
			2790, 2820, 2880, 3000, 3240), child2.ready.moments())
		s.assertBegun(child1, 0)
		s.assertBegun(child2, 0)
		info := s.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		require.Len(t, info.HeldUpBy, 1)
		assert.Contains(t, info.HeldUpBy[0], child2.id)
		assert.Contains(t, info.HeldUpBy[0], "is not ready")
		child2.ready.next(succeeds)
		s.pass(time.Until(info.NextAttempt))
		s.assertBegun(child1, 0, 3720)
		s.assertBegun(child2, 0, 3720)
		assert.Equal(t, 1, s.Info().Restarts)
	})
}

// temporary_bystander: a temporary child that goes down with the others of a one_for_all supervisor is not
// restarted with them. Ours that are not to be restarted do not even go down.
func TestOTPTemporaryBystander(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		failed := func(p *puppet) *puppet { p.execution.next(fails); return p }
		attached := s.puppet("attached").register(jobs.Every(forAges))
		bystanders := []*puppet{
			s.puppet("finished single run").register(jobs.Once()),
			failed(s.puppet("failed single run")).register(jobs.Once()),
			s.puppet("finished retry").register(jobs.Retry(5)),
			failed(s.puppet("failed retry")).register(jobs.Retry(1)),
			s.puppet("finished schedule").register(jobs.On(onceIn(time.Second))),
			s.puppet("detached interval").register(jobs.Every(forAges), jobs.Detached()),
			s.channelPuppet("detached channel", jobs.Detached()),
		}
		finished, broken := s.puppet("finished channel"), failed(s.puppet("broken detached channel"))
		bystanders = append(bystanders, finished.register(jobs.Channel(finished.stop)),
			broken.register(jobs.Channel(broken.stop), jobs.Detached()))
		s.pass(time.Second)
		statuses := func() (all []string) {
			for _, p := range bystanders {
				all = append(all, s.GetJobStatus(p.id))
			}
			return all
		}
		before := statuses()
		for restart := range 3 {
			attached.execution.next(fails)
			require.NoError(t, s.RunNow(attached.id))
			s.pass(0)
			require.Equal(t, "Stopped", s.GetStatus())
			attached.execution.next(succeeds)
			s.pass(30 * time.Second)
			assert.Equal(t, restart+1, s.Info().Restarts)
		}
		assert.Equal(t, before, statuses())
		for _, p := range bystanders {
			assert.Len(t, p.execution.moments(), 1, p.name)
			assert.Len(t, p.ready.moments(), 1, p.name)
			assert.Empty(t, p.toldBy(), p.name)
		}
	})
}

// multiple_restarts: a child that fails again and again, but more slowly than the supervisor's limit, is
// restarted each time. For a pool there is no limit, and no memory either: each stop waits for as long as
// the first one did.
func TestOTPMultipleRestarts(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		child1, child2 := otpPair(s)
		child2.execution.next(fails.in(40 * time.Second)) // 30 seconds later the pool restarts
		s.pass(time.Hour)                                 // child2's second execution
		want := []float64{0}
		for at := 3600.0; at < 3600+20*70; at += 70 {
			want = append(want, at)
		}
		for n := range 19 {
			s.pass(41 * time.Second)
			require.Equal(t, "Stopped", s.GetStatus())
			require.Zero(t, child1.execution.inFlight())
			s.pass(29 * time.Second)
			require.Equal(t, n+1, s.Info().Restarts)
			require.Equal(t, "Running", s.GetStatus())
		}
		s.assertBegun(child2, want...)
		want[1] = 0 // it was not told before
		s.assertBegun(child1, want[1:]...)
		assert.Len(t, child1.toldBy(), 19)
	}, jobs.WithStatusInterval(2*time.Hour))
}

// Several fail at the same moment, each in its own goroutine: that is one stop, by one of them, and one
// restart. (Two children that die together cost an OTP supervisor one restart as well.)
func TestOTPSimultaneousFailures(t *testing.T) {
	for name, failure := range map[string]act{"error": fails, "panic": panics, "Goexit": exits} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage) {
				var culprits []*puppet
				var ids []string
				for range 10 {
					p := s.puppet("culprit")
					p.execution.next(failure.in(time.Minute))
					culprits = append(culprits, p.register(jobs.Every(time.Hour)))
					ids = append(ids, p.id)
				}
				bystander := s.channelPuppet("bystander")
				s.pass(time.Minute)
				info := s.Info()
				assert.Contains(t, ids, info.StoppedBy)
				assert.Equal(t, 30*time.Second, time.Until(info.NextAttempt), "it is one stop")
				for _, p := range culprits {
					assert.EqualValues(t, 1, infoOf(t, s.Pool, p.id).Failures)
					p.execution.next(succeeds)
				}
				s.pass(31 * time.Second)
				assert.Equal(t, 1, s.Info().Restarts)
				for _, p := range culprits {
					s.assertBegun(p, 0, 90)
				}
				s.assertBegun(bystander, 0, 90)
				assert.Len(t, bystander.toldBy(), 1)
			})
		})
	}
}
