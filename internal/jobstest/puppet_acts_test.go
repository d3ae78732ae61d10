package jobstest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestPuppetDoesNotAccuseAPoolOfWhatItMayDo(t *testing.T) {
	for name, do := range map[string]func(pool *careless, p *Puppet){
		"an execution beside one that was given up": func(_ *careless, p *Puppet) {
			p.GivenUpAfter = time.Minute
			p.Register(nil)
			executed(p)
			Advance(time.Minute)
			executed(p)
			p.Executions.NowOnly(1, Succeeds)
		},
		"Ready beside one that was given up": func(_ *careless, p *Puppet) {
			p.GivenUpAfter = time.Minute
			p.Register(nil)
			executed(p)
			Advance(time.Minute)
			go p.Ready()
			synctest.Wait()
		},
		"an execution that was claimed as the pool was stopped": func(pool *careless, p *Puppet) {
			p.Register(nil)
			pool.job.Executions++
			pool.halt()
			p.Look()
			executed(p)
		},
		"an execution after a restart at the time of the stop": func(pool *careless, p *Puppet) {
			p.Register(nil)
			pool.halt()
			p.Look()
			pool.info.Restarts++ // and it was stopped again
			pool.job.Executions++
			executed(p)
		},
		"an execution of a detached job in a Stopped pool": func(pool *careless, p *Puppet) {
			pool.job.Detached = true
			p.Register(nil)
			pool.halt()
			p.Look()
			pool.job.Executions++
			Advance(time.Second)
			executed(p)
		},
		"an execution that was claimed as the job was unregistered": func(pool *careless, p *Puppet) {
			pool.handle = handleOf{status: jobs.JobStatusRunning}
			p.Register(nil)
			p.Unregister()
			executed(p)
		},
		"Ready that was about to be called as the job was unregistered": func(_ *careless, p *Puppet) {
			p.Register(nil)
			p.Unregister()
			go p.Ready()
			synctest.Wait()
		},
		"Status and Ready beside each other, and Status beside an execution": func(_ *careless, p *Puppet) {
			p.Register(nil)
			go func() { _ = p.Status() }()
			synctest.Wait()
			go p.Ready()
			synctest.Wait()
			p.ReadyCalls.Now(Succeeds)
			synctest.Wait()
			executed(p)
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, withCareless(t, do)) })
	}
}

func TestPuppetDoesAsItIsTold(t *testing.T) {
	OnStage(t, func(t *testing.T, s *Stage) {
		p := s.Puppet("servant").Register(jobs.Every(time.Second), jobs.Detached())
		failures := func() uint64 { return InfoOf(t, s.Pool, p.ID).Failures }
		s.Advance(0)
		for i, a := range []Act{Fails, Panics, Exits} {
			p.Executions.Next(a)
			s.Advance(time.Second)
			require.EqualValues(t, i+1, failures(), a.Deed)
		}
		p.Executions.Next(Fails.In(time.Second))
		s.Advance(2*time.Second - 1)
		assert.Equal(t, 1, p.Executions.InFlight())
		s.Advance(1)
		assert.EqualValues(t, 4, failures())
		p.Executions.Next(Hangs)
		s.Advance(time.Hour)
		assert.Equal(t, 1, p.Executions.Now(Succeeds.In(time.Minute)))
		s.Advance(time.Minute - 1)
		assert.Equal(t, 1, p.Executions.Now(Fails), "told otherwise in the meantime")
		p.Executions.Next(Succeeds)
		s.Advance(0)
		assert.Zero(t, p.Executions.Now(Fails), "in between there is nothing in flight")
		assert.EqualValues(t, 5, failures())
	}, jobs.WithExecutionTimeout(0), jobs.WithStatusInterval(time.Hour))
}

func TestPuppetObeysItsStopChannelAndItsContext(t *testing.T) {
	OnStage(t, func(t *testing.T, s *Stage) {
		channel := s.ChannelPuppet("channel")
		context := s.Puppet("context")
		context.TakesContext = true
		context.Executions.Next(Obeys)
		context.Register(jobs.Channel(nil))
		deaf := s.Puppet("deaf")
		deaf.TakesContext = true
		deaf.Executions.Next(Hangs)
		deaf.Register(jobs.Channel(nil))
		s.Advance(time.Second)
		StopPool(s.Pool)
		s.Advance(0)
		assert.Equal(t, []error{ErrNil}, channel.ToldBy())
		assert.Equal(t, []error{jobs.ErrStopped}, context.ToldBy())
		assert.Equal(t, []error{jobs.ErrStopped}, deaf.ToldBy())
		assert.Equal(t, []int{0, 0, 1}, []int{channel.Executions.InFlight(), context.Executions.InFlight(), deaf.Executions.InFlight()})
	})
}

func TestPuppetAnswersForItsReadyAndItsStatus(t *testing.T) {
	OnStage(t, func(t *testing.T, s *Stage) {
		p := s.Puppet("patient")
		p.ReadyCalls.Next(Fails)
		p.Register(jobs.Every(ForAges))
		s.Advance(9 * time.Millisecond)
		p.ReadyCalls.Next(Hangs)
		s.Advance(time.Minute)
		assert.Equal(t, "Initializing", s.GetJobStatus(p.ID))
		p.ReadyCalls.Now(Succeeds)
		s.Advance(0)
		assert.Len(t, p.ReadyCalls.Moments(), 2)
		s.AssertBegun(p, 60.009)
		p.StatusCalls.Next(Fails)
		s.Advance(time.Minute)
		assert.Equal(t, "Stopped", s.GetStatus())
		assert.ErrorIs(t, s.Info().StopError, ErrPuppet)
	})
}
