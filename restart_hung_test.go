package jobs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What hangs, by default: it is never doubled, its pool waits for it, and says for whom.

// onHungStage is jobstest.OnStage with a timeout of ten seconds.
func onHungStage(t *testing.T, f func(t *testing.T, s *jobstest.Stage), opts ...jobs.PoolOption) {
	t.Helper()
	jobstest.OnStage(t, f, append([]jobs.PoolOption{jobs.WithExecutionTimeout(10 * time.Second)}, opts...)...)
}

func TestHungThePoolWaitsForAllThatHangAndNamesThem(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		interval := s.Hanging("interval", jobs.Every(time.Second))
		scheduled := s.Hanging("scheduled", jobs.On(jobstest.EverySecond()))
		channel := s.ChannelPuppet("channel")
		idle := s.Puppet("idle").Register(jobs.Every(time.Second))
		s.Hanging("single", jobs.Once(), jobs.WithJobTimeout(time.Second))
		s.Hanging("retry", jobs.Retry(3), jobs.WithJobTimeout(time.Second))
		s.Hanging("detached", jobs.Every(time.Second), jobs.Detached())
		s.Advance(time.Hour)
		culprits := []*jobstest.Puppet{interval, scheduled}
		s.AssertHeldUpBy(culprits, "execution that is late")
		for info := range s.Jobs() {
			if info.Name != "channel" && info.Name != "idle" {
				assert.Contains(t, info.NotExecuting, "outrun its time limit", info.Name)
				assert.Equal(t, jobs.JobStatusFailed, info.Status, info.Name)
				assert.EqualValues(t, 1, info.Executions, info.Name)
			}
		}
		assert.Equal(t, "its pool is stopped", jobstest.InfoOf(t, s.Pool, idle.ID).NotExecuting)
		scheduled.Executions.Now(jobstest.Panics)
		s.Advance(time.Hour)
		s.AssertHeldUpBy(culprits[:1], "execution that is late")
		begun := len(idle.Executions.Moments())
		interval.Executions.Next(jobstest.Succeeds)
		scheduled.Executions.Next(jobstest.Succeeds)
		interval.Executions.Now(jobstest.Succeeds)
		s.Advance(0)
		assert.Equal(t, "Running", s.GetStatus())
		s.AssertBegun(interval, 0, 7200)
		assert.Len(t, idle.Executions.Moments(), begun+1)
		assert.Len(t, channel.Executions.Moments(), 2)
	})
}

func TestHungInExecuteStatusAndReadyOneAfterTheOther(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		names := []string{"in Execute", "in Status", "in Ready"}
		all := make([]*jobstest.Puppet, len(names))
		for i, name := range names {
			all[i] = s.Puppet(name).Register(jobs.Every(jobstest.ForAges))
		}
		s.Advance(25 * time.Second)
		all[0].Executions.Next(jobstest.Hangs)
		require.NoError(t, s.RunNow(all[0].ID)) // late at 35
		all[1].StatusCalls.Next(jobstest.Hangs) // late at 40
		all[2].ReadyCalls.Next(jobstest.Hangs)
		s.Advance(time.Hour)
		s.AssertHeldUpBy(all[:2], "has an execution that is late", "has a call of Status that is late")
		assert.Len(t, all[2].ReadyCalls.Moments(), 1, "there is no attempt while a call is late")
		all[0].Executions.Next(jobstest.Succeeds)
		all[0].Executions.Now(jobstest.Fails)
		s.Advance(time.Hour)
		s.AssertHeldUpBy(all[1:2], "has a call of Status that is late")
		all[1].StatusCalls.Next(jobstest.Succeeds)
		all[1].StatusCalls.Now(jobstest.Fails)
		s.Advance(time.Hour)
		s.AssertHeldUpBy(all[2:], "has a call of Ready that has not returned")
		assert.Equal(t, "its Ready has not returned", jobstest.InfoOf(t, s.Pool, all[2].ID).NotExecuting)
		assert.Equal(t, []int{2, 2, 2}, []int{len(all[0].ReadyCalls.Moments()), len(all[1].ReadyCalls.Moments()), len(all[2].ReadyCalls.Moments())})
		all[2].ReadyCalls.Now(jobstest.Succeeds)
		s.Advance(0)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, []int{3, 2, 2}, []int{len(all[0].Executions.Moments()), len(all[1].Executions.Moments()), len(all[2].Executions.Moments())})
	})
}

func TestHungForLongerThanARestartTakes(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Hanging("sleeper", jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(time.Minute))
		other := s.ChannelPuppet("other")
		s.Advance(5 * time.Second)
		jobstest.StopPool(s.Pool)
		s.Advance(30 * time.Second)
		assert.Equal(t, "Running", s.GetStatus(), "it is within its limit")
		assert.Equal(t, "Running", s.GetJobStatus(p.ID))
		s.Advance(25 * time.Second)
		info := s.Info()
		assert.Equal(t, jobs.PoolStatusStopped, info.Status)
		assert.Equal(t, p.ID, info.StoppedBy)
		assert.ErrorIs(t, info.StopError, jobs.ErrTimeout)
		s.Advance(140 * time.Second)
		s.AssertHeldUpBy([]*jobstest.Puppet{p}, "execution that is late")
		p.Executions.Next(jobstest.Succeeds)
		p.Executions.Now(jobstest.Fails)
		s.Advance(0)
		assert.Equal(t, 2, s.Info().Restarts)
		s.AssertBegun(p, 0, 200)
		s.AssertBegun(other, 0, 35, 200)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, s.Pool, p.ID).Failures)
	})
}

// A Status that takes its time, within its limit, is not asked again, and neither stops nor delays anything.
func TestHungInStatusWithinItsLimit(t *testing.T) {
	jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Puppet("thinker").Register(jobs.Every(time.Minute))
		other := s.Puppet("other").Register(jobs.Every(time.Minute))
		p.StatusCalls.Next(jobstest.Hangs)
		s.Advance(300 * time.Second)
		assert.Equal(t, "Running", s.GetStatus())
		assert.Equal(t, jobstest.Seconds(30), p.StatusCalls.Moments())
		assert.Len(t, other.StatusCalls.Moments(), 10)
		s.AssertBegun(p, 0, 60, 120, 180, 240, 300)
		jobstest.StopPool(s.Pool)
		s.Advance(29 * time.Second) // until 329, its limit is 330
		assert.Empty(t, s.Info().HeldUpBy)
		p.StatusCalls.Now(jobstest.Fails)
		s.Advance(time.Second)
		assert.Equal(t, "Running", s.GetStatus(), "it was asked before the stop")
		s.Advance(30 * time.Second)
		assert.Equal(t, jobstest.Seconds(30, 360), p.StatusCalls.Moments())
	})
}

// What gets late while the pool asks whether all are ready holds the restart up like what was late before.
func TestHungSinceTheAttemptBegan(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		slow := s.Puppet("slow in Ready").Register(jobs.Every(jobstest.ForAges))
		p := s.Hanging("sleeper", jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(35*time.Second))
		s.Advance(0)
		slow.ReadyCalls.Next(jobstest.Hangs)
		jobstest.StopPool(s.Pool)
		s.Advance(34 * time.Second)
		s.AssertHeldUpBy([]*jobstest.Puppet{slow}, "call of Ready that has not returned")
		s.Advance(time.Second)
		s.AssertHeldUpBy([]*jobstest.Puppet{slow, p}, "call of Ready that has not returned", "execution that is late")
		slow.ReadyCalls.Next(jobstest.Succeeds)
		slow.ReadyCalls.Now(jobstest.Succeeds)
		s.Advance(time.Hour)
		s.AssertHeldUpBy([]*jobstest.Puppet{p}, "execution that is late")
		s.AssertBegun(slow, 0)
		p.Executions.Next(jobstest.Succeeds)
		p.Executions.Now(jobstest.Succeeds)
		s.Advance(0)
		s.AssertBegun(slow, 0, 3635)
	})
}

func TestHungAndUnregistered(t *testing.T) {
	for name, end := range map[string]jobstest.Act{"returns": jobstest.Succeeds, "fails": jobstest.Fails, "panics": jobstest.Panics, "exits": jobstest.Exits} {
		t.Run(name, func(t *testing.T) {
			onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
				first, second := s.Hanging("first", jobs.Every(time.Second)), s.Hanging("second", jobs.On(jobstest.EverySecond()))
				third := s.Puppet("third").Register(jobs.Every(jobstest.ForAges))
				third.StatusCalls.Next(jobstest.Hangs)
				other := s.Puppet("other").Register(jobs.Every(jobstest.ForAges))
				s.Advance(time.Minute)
				first.Unregister()
				s.Advance(0)
				s.AssertHeldUpBy([]*jobstest.Puppet{second}, "execution that is late")
				second.Unregister()
				s.Advance(0)
				assert.Equal(t, 1, s.Info().Restarts)
				s.Advance(50 * time.Second) // third's Status is late
				third.Unregister()
				s.Advance(time.Minute)
				assert.Equal(t, 2, s.Info().Restarts)
				assert.Equal(t, 3, s.Departed(), "as long as they hang")
				for _, p := range []*jobstest.Puppet{first, second, third} {
					p.Executions.Now(end)
					p.StatusCalls.Now(end)
				}
				s.Advance(0)
				assert.Zero(t, s.Departed())
				s.Advance(time.Hour)
				assert.Equal(t, "Running", s.GetStatus())
				assert.Equal(t, 2, s.Info().Restarts)
				s.AssertBegun(first, 0)
				assert.Len(t, other.Executions.Moments(), 3)
			})
		})
	}
}

// Who waits for a job that hangs waits, and whoever does not want to wait gets an answer at once.
func TestHungWhatCanBeAskedOfIt(t *testing.T) {
	onHungStage(t, func(t *testing.T, s *jobstest.Stage) {
		p := s.Hanging("sleeper", jobs.Every(jobstest.ForAges), jobs.Detached())
		s.Advance(time.Hour)
		start := time.Now()
		assert.Error(t, s.RunNow(p.ID))
		assert.True(t, s.GetJob(p.ID).Ready(), "an execution is answer enough")
		assert.Equal(t, "Failed", s.GetJobStatus(p.ID))
		s.JobUnlock(p.ID)
		assert.Zero(t, time.Since(start))
		locked := jobstest.NewTimeline()
		go func() { s.JobLock(p.ID); locked.Mark(); time.Sleep(time.Minute); s.JobUnlock(p.ID) }()
		s.Advance(time.Hour)
		assert.Empty(t, locked.Moments(), "it still has its lock")
		p.Executions.Next(jobstest.Succeeds)
		p.Executions.Now(jobstest.Succeeds)
		s.Advance(0)
		assert.Len(t, locked.Moments(), 1)
		require.NoError(t, s.RunNow(p.ID))
		s.Advance(time.Minute)
		s.AssertBegun(p, 0, 7260)
	})
}
