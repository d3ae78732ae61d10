package jobs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// A stage is a pool with puppets.
type stage struct {
	*jobs.Pool
	t       *testing.T
	puppets []*puppet
}

// onStage runs f in a bubble, with a pool that logs nothing unless opts say otherwise. At the end it
// releases all puppets and shuts the pool down; nothing is left in flight or begins after that.
func onStage(t *testing.T, f func(t *testing.T, s *stage), opts ...jobs.PoolOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{Pool: jobs.NewPool(append([]jobs.PoolOption{quiet}, opts...)...), t: t}
		defer func() { // deferred, so that a test that fails ends
			s.release()
			assert.NoError(t, s.shutdown(context.Background()))
			s.release() // of those given up, the ones that begin beside another are told late
			pass(time.Hour)
		}()
		f(t, s)
	})
}

// release ends what is in flight, and lets nothing hang any more.
func (s *stage) release() {
	for _, p := range s.puppets {
		p.release()
	}
}

// puppet makes a puppet, which is still to be registered.
func (s *stage) puppet(name string) *puppet {
	p := newPuppet(s.t, s.Pool, name)
	s.puppets = append(s.puppets, p)
	return p
}

// channelPuppet registers a puppet that is a channel job and obeys.
func (s *stage) channelPuppet(name string, opts ...jobs.JobOption) *puppet {
	p := s.puppet(name)
	p.execution.next(obeys)
	return p.register(jobs.Channel(p.stop), opts...)
}

// pass lets time pass, and has the puppets look at the pool before and after.
func (s *stage) pass(d time.Duration) {
	s.look()
	pass(d)
	s.look()
}

func (s *stage) look() {
	for _, p := range s.puppets {
		p.look()
	}
}

// shutdown shuts the pool down. From then on nothing begins.
func (s *stage) shutdown(ctx context.Context) error {
	err := s.Shutdown(ctx)
	for _, p := range s.puppets {
		if err == nil {
			p.isOver("Shutdown has returned nil")
		} else {
			p.ends("Shutdown has returned", s.GetJob(p.id))
		}
	}
	return err
}

// assertBegun checks at which seconds of its life the puppet has begun its executions.
func (s *stage) assertBegun(p *puppet, at ...float64) {
	s.t.Helper()
	assert.Equal(s.t, seconds(at...), p.execution.moments(), p.name)
}

// hanging returns a puppet that hangs whenever it is executed.
func (s *stage) hanging(name string, trigger jobs.Trigger, opts ...jobs.JobOption) *puppet {
	p := s.puppet(name)
	p.execution.next(hangs)
	return p.register(trigger, opts...)
}

// assertHeldUpBy checks whom the pool waits for, and what for.
func (s *stage) assertHeldUpBy(puppets []*puppet, whats ...string) {
	s.t.Helper()
	lines := s.Info().HeldUpBy
	require.Len(s.t, lines, len(puppets))
	for i, p := range puppets {
		assert.Contains(s.t, lines[i], p.name)
		assert.Contains(s.t, lines[i], p.id)
		assert.Contains(s.t, lines[i], whats[min(i, len(whats)-1)])
	}
}

// abandonable returns a puppet that hangs whenever it is executed.
func (s *stage) abandonable(name string, trigger jobs.Trigger, opts ...jobs.JobOption) *puppet {
	p := s.puppet(name)
	p.givenUpAfter = 15 * time.Second
	p.execution.next(hangs)
	return p.register(trigger, opts...)
}
