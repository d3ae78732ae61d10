package lessons

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// These tests, and those of otp_stop_test.go and otp_scale_test.go, put the questions of the test suite of
// Erlang/OTP's supervisor (lib/stdlib/test/supervisor_SUITE.erl) to a pool, which is what that calls a
// one_for_all supervisor. Each says which case it corresponds to, and what that checks there.

// otpPair is a channel job that obeys and an interval job that is due again before the first restart, registered in
// this order.
func otpPair(s *jobstest.Stage) (channel, interval *jobstest.Puppet) {
	channel = s.ChannelPuppet("child1")
	interval = s.Puppet("child2").Register(jobs.Every(20 * time.Second))
	s.Advance(0)
	return channel, interval
}

// one_for_all_other_child_fails_restart: child 1 has failed, both are being restarted, child 1 runs again,
// and then child 2 fails to start. Child 1 must be stopped again, before both are restarted.
func TestOTPOneForAllOtherChildFailsRestart(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		child1, child2 := otpPair(s)
		child1.Executions.Now(jobstest.Fails)
		child2.Executions.Next(jobstest.Fails.In(time.Second))
		s.Advance(0)
		require.Equal(t, child1.ID, s.Info().StoppedBy)
		s.Advance(30 * time.Second)
		require.Equal(t, 1, child1.Executions.InFlight(), "child 1 has restarted")
		s.Advance(time.Second) // and child 2 fails
		info := s.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		assert.Equal(t, child2.ID, info.StoppedBy)
		assert.Equal(t, time.Minute, time.Until(info.NextAttempt), "the restart before was one")
		assert.Zero(t, child1.Executions.InFlight(), "child 1 was stopped again")
		child2.Executions.Next(jobstest.Succeeds)
		s.Advance(time.Minute)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, 1, child1.Executions.InFlight())
		s.AssertBegun(child1, 0, 30, 91)
		s.AssertBegun(child2, 0, 30, 91)
	})
}

// The same with what a pool can find out before it starts anything: child 2 gets unready while the pool
// waits for child 1 to say whether it is ready. A restart starts all of them or none.
func TestOTPOneForAllOtherChildIsUnreadyDuringTheRestart(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		child1, child2 := otpPair(s)
		child1.Executions.Now(jobstest.Fails)
		child1.ReadyCalls.Next(jobstest.Hangs)
		s.Advance(40 * time.Second)
		require.Equal(t, 1, child1.ReadyCalls.InFlight(), "the attempt lasts")
		child2.ReadyCalls.Next(jobstest.Fails)
		child1.ReadyCalls.Now(jobstest.Fails) // the attempt at 30 fails at 40; the next comes at 100
		child1.ReadyCalls.Next(jobstest.Succeeds)
		s.Advance(59 * time.Second)
		s.AssertBegun(child1, 0)
		s.Advance(time.Second)
		assert.Equal(t, "Stopped", s.GetStatus(), "now it is child 2 that is not ready")
		assert.Equal(t, 2*time.Minute, time.Until(s.Info().NextAttempt))
		child2.ReadyCalls.Next(jobstest.Succeeds)
		s.Advance(2 * time.Minute)
		s.AssertBegun(child1, 0, 220)
		s.AssertBegun(child2, 0, 220)
	})
}

// one_for_all_escalation: a child that can never start again makes the supervisor give up, after as many
// restarts as are allowed: it ends all children and itself, for its own supervisor to decide. A pool has
// nobody above it. It stays Stopped, and so does every child, tries for ever with a backoff, tells what it
// waits for, and is all there when the child has recovered.
func TestOTPOneForAllEscalation(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		child1, child2 := otpPair(s)
		child1.Executions.Now(jobstest.Fails)
		child2.ReadyCalls.Next(jobstest.Fails)
		s.Advance(time.Hour)
		assert.Equal(t, jobstest.Seconds(0, 30, 90, 210, 450, 930, 960, 1020, 1140, 1380, 1860, 1890, 1950, 2070, 2310,
			2790, 2820, 2880, 3000, 3240), child2.ReadyCalls.Moments())
		s.AssertBegun(child1, 0)
		s.AssertBegun(child2, 0)
		info := s.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		require.Len(t, info.HeldUpBy, 1)
		assert.Contains(t, info.HeldUpBy[0].String(), child2.ID)
		assert.Contains(t, info.HeldUpBy[0].String(), "is not ready")
		child2.ReadyCalls.Next(jobstest.Succeeds)
		s.Advance(time.Until(info.NextAttempt))
		s.AssertBegun(child1, 0, 3720)
		s.AssertBegun(child2, 0, 3720)
		assert.Equal(t, 1, s.Info().Restarts)
	})
}

// temporary_bystander: a temporary child that goes down with the others of a one_for_all supervisor is not
// restarted with them. Ours that are not to be restarted do not even go down.
func TestOTPTemporaryBystander(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		failed := func(p *jobstest.Puppet) *jobstest.Puppet { p.Executions.Next(jobstest.Fails); return p }
		attached := s.Puppet("attached").Register(jobs.Every(jobstest.ForAges))
		bystanders := []*jobstest.Puppet{
			s.Puppet("finished single run").Register(jobs.Once()),
			failed(s.Puppet("failed single run")).Register(jobs.Once()),
			s.Puppet("finished retry").Register(jobs.Retry(5)),
			failed(s.Puppet("failed retry")).Register(jobs.Retry(1)),
			s.Puppet("finished schedule").Register(jobs.On(jobstest.OnceIn(time.Second))),
			s.Puppet("detached interval").Register(jobs.Every(jobstest.ForAges), jobs.Detached()),
			s.ChannelPuppet("detached channel", jobs.Detached()),
		}
		finished, broken := s.Puppet("finished channel"), failed(s.Puppet("broken detached channel"))
		bystanders = append(bystanders, finished.Register(jobs.Channel(finished.Stop)),
			broken.Register(jobs.Channel(broken.Stop), jobs.Detached()))
		s.Advance(time.Second)
		statuses := func() (all []string) {
			for _, p := range bystanders {
				all = append(all, s.GetJobStatus(p.ID))
			}
			return all
		}
		before := statuses()
		for restart := range 3 {
			s.Advance(jobstest.ALongLife)
			attached.Executions.Next(jobstest.Fails)
			require.NoError(t, s.RunNow(attached.ID))
			s.Advance(0)
			require.Equal(t, "Stopped", s.GetStatus())
			attached.Executions.Next(jobstest.Succeeds)
			s.Advance(30 * time.Second)
			assert.Equal(t, restart+1, s.Info().Restarts)
		}
		assert.Equal(t, before, statuses())
		for _, p := range bystanders {
			assert.Len(t, p.Executions.Moments(), 1, p.Name)
			assert.Len(t, p.ReadyCalls.Moments(), 1, p.Name)
			assert.Empty(t, p.ToldBy(), p.Name)
		}
	})
}

// multiple_restarts: a child that fails again and again, but more slowly than the supervisor's limit, is
// restarted each time. For a pool there is no limit, and whether the next wait is longer depends on its last life
// alone: if that was longer than the wait before it, each stop waits for as long as the first one did.
func TestOTPMultipleRestarts(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		child1, child2 := otpPair(s)
		child2.Executions.Next(jobstest.Fails.In(40 * time.Second)) // 30 seconds later the pool restarts
		s.Advance(20 * time.Second)                                 // child2's second execution
		want := []float64{0}
		for at := 20.0; at < 20+20*70; at += 70 {
			want = append(want, at)
		}
		for n := range 19 {
			s.Advance(41 * time.Second)
			require.Equal(t, "Stopped", s.GetStatus())
			require.Zero(t, child1.Executions.InFlight())
			s.Advance(29 * time.Second)
			require.Equal(t, n+1, s.Info().Restarts)
			require.Equal(t, "Running", s.GetStatus())
		}
		s.AssertBegun(child2, want...)
		want[1] = 0 // it was not told before
		s.AssertBegun(child1, want[1:]...)
		assert.Len(t, child1.ToldBy(), 19)
	}, jobs.WithStatusInterval(2*time.Hour))
}

// Several fail at the same moment, each in its own goroutine: that is one stop, by one of them, and one
// restart. (Two children that die together cost an OTP supervisor one restart as well.)
func TestOTPSimultaneousFailures(t *testing.T) {
	for name, failure := range map[string]jobstest.Act{"error": jobstest.Fails, "panic": jobstest.Panics, "Goexit": jobstest.Exits} {
		t.Run(name, func(t *testing.T) {
			jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
				var culprits []*jobstest.Puppet
				var ids []string
				for range 10 {
					p := s.Puppet("culprit")
					p.Executions.Next(failure.In(time.Minute))
					culprits = append(culprits, p.Register(jobs.Every(time.Hour)))
					ids = append(ids, p.ID)
				}
				bystander := s.ChannelPuppet("bystander")
				s.Advance(time.Minute)
				info := s.Info()
				assert.Contains(t, ids, info.StoppedBy)
				assert.Equal(t, 30*time.Second, time.Until(info.NextAttempt), "it is one stop")
				for _, p := range culprits {
					assert.EqualValues(t, 1, jobstest.InfoOf(t, s.Pool, p.ID).Failures)
					p.Executions.Next(jobstest.Succeeds)
				}
				s.Advance(31 * time.Second)
				assert.Equal(t, 1, s.Info().Restarts)
				for _, p := range culprits {
					s.AssertBegun(p, 0, 90)
				}
				s.AssertBegun(bystander, 0, 90)
				assert.Len(t, bystander.ToldBy(), 1)
			})
		})
	}
}
