package jobs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestPuppetDoesNotAccuseAPoolOfWhatItMayDo(t *testing.T) {
	for name, do := range map[string]func(pool *careless, p *puppet){
		"an execution beside one that was given up": func(_ *careless, p *puppet) {
			p.givenUpAfter = time.Minute
			p.register(nil)
			executed(p)
			pass(time.Minute)
			executed(p)
			p.execution.nowOnly(1, succeeds)
		},
		"Ready beside one that was given up": func(_ *careless, p *puppet) {
			p.givenUpAfter = time.Minute
			p.register(nil)
			executed(p)
			pass(time.Minute)
			go p.Ready()
			synctest.Wait()
		},
		"an execution that was claimed as the pool was stopped": func(pool *careless, p *puppet) {
			p.register(nil)
			pool.job.Executions++
			pool.halt()
			p.look()
			executed(p)
		},
		"an execution after a restart at the time of the stop": func(pool *careless, p *puppet) {
			p.register(nil)
			pool.halt()
			p.look()
			pool.info.Restarts++ // and it was stopped again
			pool.job.Executions++
			executed(p)
		},
		"an execution of a detached job in a Stopped pool": func(pool *careless, p *puppet) {
			pool.job.Detached = true
			p.register(nil)
			pool.halt()
			p.look()
			pool.job.Executions++
			pass(time.Second)
			executed(p)
		},
		"an execution that was claimed as the job was unregistered": func(pool *careless, p *puppet) {
			pool.handle = handleOf{status: jobs.JobStatusRunning}
			p.register(nil)
			p.unregister()
			executed(p)
		},
		"Ready that was about to be called as the job was unregistered": func(_ *careless, p *puppet) {
			p.register(nil)
			p.unregister()
			go p.Ready()
			synctest.Wait()
		},
		"Status and Ready beside each other, and Status beside an execution": func(_ *careless, p *puppet) {
			p.register(nil)
			go func() { _ = p.Status() }()
			synctest.Wait()
			go p.Ready()
			synctest.Wait()
			p.ready.now(succeeds)
			synctest.Wait()
			executed(p)
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, withCareless(t, do)) })
	}
}

func TestPuppetDoesAsItIsTold(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		p := s.puppet("servant").register(jobs.Every(time.Second), jobs.Detached())
		failures := func() uint64 { return infoOf(t, s.Pool, p.id).Failures }
		s.pass(0)
		for i, a := range []act{fails, panics, exits} {
			p.execution.next(a)
			s.pass(time.Second)
			require.EqualValues(t, i+1, failures(), a.deed)
		}
		p.execution.next(fails.in(time.Second))
		s.pass(2*time.Second - 1)
		assert.Equal(t, 1, p.execution.inFlight())
		s.pass(1)
		assert.EqualValues(t, 4, failures())
		p.execution.next(hangs)
		s.pass(time.Hour)
		assert.Equal(t, 1, p.execution.now(succeeds.in(time.Minute)))
		s.pass(time.Minute - 1)
		assert.Equal(t, 1, p.execution.now(fails), "told otherwise in the meantime")
		p.execution.next(succeeds)
		s.pass(0)
		assert.Zero(t, p.execution.now(fails), "in between there is nothing in flight")
		assert.EqualValues(t, 5, failures())
	}, jobs.WithExecutionTimeout(0), jobs.WithStatusInterval(time.Hour))
}

func TestPuppetObeysItsStopChannelAndItsContext(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		channel := s.channelPuppet("channel")
		context := s.puppet("context")
		context.takesContext = true
		context.execution.next(obeys)
		context.register(jobs.Channel(nil))
		deaf := s.puppet("deaf")
		deaf.takesContext = true
		deaf.execution.next(hangs)
		deaf.register(jobs.Channel(nil))
		s.pass(time.Second)
		stopPool(s.Pool)
		s.pass(0)
		assert.Equal(t, []error{errNil}, channel.toldBy())
		assert.Equal(t, []error{jobs.ErrStopped}, context.toldBy())
		assert.Equal(t, []error{jobs.ErrStopped}, deaf.toldBy())
		assert.Equal(t, []int{0, 0, 1}, []int{channel.execution.inFlight(), context.execution.inFlight(), deaf.execution.inFlight()})
	})
}

func TestPuppetAnswersForItsReadyAndItsStatus(t *testing.T) {
	onStage(t, func(t *testing.T, s *stage) {
		p := s.puppet("patient")
		p.ready.next(fails)
		p.register(jobs.Every(forAges))
		s.pass(9 * time.Millisecond)
		p.ready.next(hangs)
		s.pass(time.Minute)
		assert.Equal(t, "Initializing", s.GetJobStatus(p.id))
		p.ready.now(succeeds)
		s.pass(0)
		assert.Len(t, p.ready.moments(), 2)
		s.assertBegun(p, 60.009)
		p.status.next(fails)
		s.pass(time.Minute)
		assert.Equal(t, "Stopped", s.GetStatus())
		assert.ErrorIs(t, s.Info().StopError, errPuppet)
	})
}
