package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// What hangs, by default: it is never doubled, its pool waits for it, and says for whom.

// onHungStage is onStage with a limit of ten seconds.
func onHungStage(t *testing.T, f func(t *testing.T, s *stage), opts ...jobs.PoolOption) {
	t.Helper()
	onStage(t, f, append([]jobs.PoolOption{jobs.WithExecutionTimeout(10 * time.Second)}, opts...)...)
}

func TestHungThePoolWaitsForAllThatHangAndNamesThem(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *stage) {
		interval := s.hanging("interval", jobs.Every(time.Second))
		scheduled := s.hanging("scheduled", jobs.On(everySecond()))
		channel := s.channelPuppet("channel")
		idle := s.puppet("idle").register(jobs.Every(time.Second))
		s.hanging("single", jobs.Once(), jobs.WithJobTimeout(time.Second))
		s.hanging("retry", jobs.Retry(3), jobs.WithJobTimeout(time.Second))
		s.hanging("detached", jobs.Every(time.Second), jobs.Detached())
		s.pass(time.Hour)
		culprits := []*puppet{interval, scheduled}
		s.assertHeldUpBy(culprits, "execution that is late")
		for info := range s.Jobs() {
			if info.Name != "channel" && info.Name != "idle" {
				assert.Contains(t, info.NotExecuting, "outrun its time limit", info.Name)
				assert.Equal(t, jobs.JobStatusFailed, info.Status, info.Name)
				assert.EqualValues(t, 1, info.Executions, info.Name)
			}
		}
		assert.Equal(t, "its pool is stopped", infoOf(t, s.Pool, idle.id).NotExecuting)
		scheduled.execution.now(panics)
		s.pass(time.Hour)
		s.assertHeldUpBy(culprits[:1], "execution that is late")
		begun := len(idle.execution.moments())
		interval.execution.next(succeeds)
		scheduled.execution.next(succeeds)
		interval.execution.now(succeeds)
		s.pass(0)
		assert.Equal(t, "Running", s.GetStatus())
		s.assertBegun(interval, 0, 7200)
		assert.Len(t, idle.execution.moments(), begun+1)
		assert.Len(t, channel.execution.moments(), 2)
	})
}

func TestHungInExecuteStatusAndReadyOneAfterTheOther(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *stage) {
		names := []string{"in Execute", "in Status", "in Ready"}
		all := make([]*puppet, len(names))
		for i, name := range names {
			all[i] = s.puppet(name).register(jobs.Every(forAges))
		}
		s.pass(25 * time.Second)
		all[0].execution.next(hangs)
		require.NoError(t, s.RunNow(all[0].id)) // late at 35
		all[1].status.next(hangs)               // late at 40
		all[2].ready.next(hangs)
		s.pass(time.Hour)
		s.assertHeldUpBy(all[:2], "has an execution that is late", "has a call of Status that is late")
		assert.Len(t, all[2].ready.moments(), 1, "there is no attempt while a call is late")
		all[0].execution.next(succeeds)
		all[0].execution.now(fails)
		s.pass(time.Hour)
		s.assertHeldUpBy(all[1:2], "has a call of Status that is late")
		all[1].status.next(succeeds)
		all[1].status.now(fails)
		s.pass(time.Hour)
		s.assertHeldUpBy(all[2:], "has a call of Ready that has not returned")
		assert.Equal(t, "its Ready has not returned", infoOf(t, s.Pool, all[2].id).NotExecuting)
		assert.Equal(t, []int{2, 2, 2}, []int{len(all[0].ready.moments()), len(all[1].ready.moments()), len(all[2].ready.moments())})
		all[2].ready.now(succeeds)
		s.pass(0)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, []int{3, 2, 2}, []int{len(all[0].execution.moments()), len(all[1].execution.moments()), len(all[2].execution.moments())})
	})
}

func TestHungForLongerThanARestartTakes(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *stage) {
		p := s.hanging("sleeper", jobs.Every(forAges), jobs.WithJobTimeout(time.Minute))
		other := s.channelPuppet("other")
		s.pass(5 * time.Second)
		stopPool(s.Pool)
		s.pass(30 * time.Second)
		assert.Equal(t, "Running", s.GetStatus(), "it is within its limit")
		assert.Equal(t, "Running", s.GetJobStatus(p.id))
		s.pass(25 * time.Second)
		info := s.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		assert.Equal(t, p.id, info.StoppedBy)
		assert.ErrorIs(t, info.StopError, jobs.ErrTimeout)
		s.pass(140 * time.Second)
		s.assertHeldUpBy([]*puppet{p}, "execution that is late")
		p.execution.next(succeeds)
		p.execution.now(fails)
		s.pass(0)
		assert.Equal(t, 2, s.Info().Restarts)
		s.assertBegun(p, 0, 200)
		s.assertBegun(other, 0, 35, 200)
		assert.EqualValues(t, 1, infoOf(t, s.Pool, p.id).Failures)
	})
}

// A Status that takes its time, within its limit, is not asked again, and neither stops nor delays anything.
func TestHungInStatusWithinItsLimit(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		p := s.puppet("thinker").register(jobs.Every(time.Minute))
		other := s.puppet("other").register(jobs.Every(time.Minute))
		p.status.next(hangs)
		s.pass(300 * time.Second)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, seconds(30), p.status.moments())
		assert.Len(t, other.status.moments(), 10)
		s.assertBegun(p, 0, 60, 120, 180, 240, 300)
		stopPool(s.Pool)
		s.pass(29 * time.Second) // until 329, its limit is 330
		assert.Empty(t, s.Info().HeldUpBy)
		p.status.now(fails)
		s.pass(time.Second)
		assert.Equal(t, "Running", s.GetStatus(), "it was asked before the stop")
		s.pass(30 * time.Second)
		assert.Equal(t, seconds(30, 360), p.status.moments())
	})
}

// What gets late while the pool asks whether all are ready holds the restart up like what was late before.
func TestHungSinceTheAttemptBegan(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *stage) {
		slow := s.puppet("slow in Ready").register(jobs.Every(forAges))
		p := s.hanging("sleeper", jobs.Every(forAges), jobs.WithJobTimeout(35*time.Second))
		s.pass(0)
		slow.ready.next(hangs)
		stopPool(s.Pool)
		s.pass(34 * time.Second)
		s.assertHeldUpBy([]*puppet{slow}, "call of Ready that has not returned")
		s.pass(time.Second)
		s.assertHeldUpBy([]*puppet{slow, p}, "call of Ready that has not returned", "execution that is late")
		slow.ready.next(succeeds)
		slow.ready.now(succeeds)
		s.pass(time.Hour)
		s.assertHeldUpBy([]*puppet{p}, "execution that is late")
		s.assertBegun(slow, 0)
		p.execution.next(succeeds)
		p.execution.now(succeeds)
		s.pass(0)
		s.assertBegun(slow, 0, 3635)
	})
}

func TestHungAndUnregistered(t *testing.T) {
	for name, end := range map[string]act{"returns": succeeds, "fails": fails, "panics": panics, "exits": exits} {
		t.Run(name, func(t *testing.T) {
			onHungStage(t, func(t *testing.T, s *stage) {
				first, second := s.hanging("first", jobs.Every(time.Second)), s.hanging("second", jobs.On(everySecond()))
				third := s.puppet("third").register(jobs.Every(forAges))
				third.status.next(hangs)
				other := s.puppet("other").register(jobs.Every(forAges))
				s.pass(time.Minute)
				first.unregister()
				s.pass(0)
				s.assertHeldUpBy([]*puppet{second}, "execution that is late")
				second.unregister()
				s.pass(0)
				assert.Equal(t, 1, s.Info().Restarts)
				s.pass(50 * time.Second) // third's Status is late
				third.unregister()
				s.pass(time.Minute)
				assert.Equal(t, 2, s.Info().Restarts)
				assert.Equal(t, 3, s.Departed(), "as long as they hang")
				for _, p := range []*puppet{first, second, third} {
					p.execution.now(end)
					p.status.now(end)
				}
				s.pass(0)
				assert.Zero(t, s.Departed())
				s.pass(time.Hour)
				assert.Equal(t, "Running", s.GetStatus())
				assert.Equal(t, 2, s.Info().Restarts)
				s.assertBegun(first, 0)
				assert.Len(t, other.execution.moments(), 3)
			})
		})
	}
}

// Who waits for a job that hangs waits, and whoever does not want to wait gets an answer at once.
func TestHungWhatCanBeAskedOfIt(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *stage) {
		p := s.hanging("sleeper", jobs.Every(forAges), jobs.Detached())
		s.pass(time.Hour)
		start := time.Now()
		assert.Error(t, s.RunNow(p.id))
		assert.True(t, s.GetJob(p.id).Ready(), "an execution is answer enough")
		assert.Equal(t, "Failed", s.GetJobStatus(p.id))
		s.JobUnlock(p.id)
		assert.Zero(t, time.Since(start))
		locked := newTimeline()
		go func() { s.JobLock(p.id); locked.mark(); time.Sleep(time.Minute); s.JobUnlock(p.id) }()
		s.pass(time.Hour)
		assert.Empty(t, locked.moments(), "it still has its lock")
		p.execution.next(succeeds)
		p.execution.now(succeeds)
		s.pass(0)
		assert.Len(t, locked.moments(), 1)
		require.NoError(t, s.RunNow(p.id))
		s.pass(time.Minute)
		s.assertBegun(p, 0, 7260)
	})
}
