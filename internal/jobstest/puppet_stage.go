package jobstest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// A Stage is a pool with puppets.
type Stage struct {
	*jobs.Pool
	T       *testing.T
	Puppets []*Puppet
}

// OnStage runs f in a bubble, with a pool that logs nothing unless opts say otherwise. At the end it releases all
// puppets and shuts the pool down; nothing is in flight or begins after that.
func OnStage(t *testing.T, f func(t *testing.T, s *Stage), opts ...jobs.PoolOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &Stage{Pool: jobs.NewPool(append([]jobs.PoolOption{Quiet}, opts...)...), T: t}
		defer func() { // deferred, so that a test that fails ends
			s.release()
			assert.NoError(t, s.ShutdownWatched(context.Background()))
			s.release() // of those abandoned, the ones that begin beside another are told late
			Advance(time.Hour)
		}()
		f(t, s)
	})
}

// release ends what is in flight, and lets nothing hang any more.
func (s *Stage) release() {
	for _, p := range s.Puppets {
		p.Release()
	}
}

// Puppet makes a puppet that is still to be registered.
func (s *Stage) Puppet(name string) *Puppet {
	p := NewPuppet(s.T, s.Pool, name)
	s.Puppets = append(s.Puppets, p)
	return p
}

// ChannelPuppet registers a puppet that is a channel job and obeys.
func (s *Stage) ChannelPuppet(name string, opts ...jobs.JobOption) *Puppet {
	p := s.Puppet(name)
	p.Executions.Next(Obeys)
	return p.Register(jobs.Channel(p.Stop), opts...)
}

// Advance lets time pass, and makes the puppets look at the pool before and after.
func (s *Stage) Advance(d time.Duration) {
	s.Look()
	Advance(d)
	s.Look()
}

// Look makes all puppets look at the pool.
func (s *Stage) Look() {
	for _, p := range s.Puppets {
		p.Look()
	}
}

// ShutdownWatched shuts the pool down. From then on nothing begins.
func (s *Stage) ShutdownWatched(ctx context.Context) error {
	err := s.Shutdown(ctx)
	for _, p := range s.Puppets {
		if err == nil {
			p.IsOver("Shutdown has returned nil")
		} else {
			p.Ends("Shutdown has returned", s.GetJob(p.ID))
		}
	}
	return err
}

// AssertBegun checks at which seconds of its life the puppet began its executions.
func (s *Stage) AssertBegun(p *Puppet, at ...float64) {
	s.T.Helper()
	assert.Equal(s.T, Seconds(at...), p.Executions.Moments(), p.Name)
}

// Hanging returns a puppet whose executions hang.
func (s *Stage) Hanging(name string, trigger jobs.Trigger, opts ...jobs.JobOption) *Puppet {
	p := s.Puppet(name)
	p.Executions.Next(Hangs)
	return p.Register(trigger, opts...)
}

// AssertHeldUpBy checks which puppets block the restart, and why.
func (s *Stage) AssertHeldUpBy(puppets []*Puppet, whats ...string) {
	s.T.Helper()
	lines := s.Info().HeldUpBy
	require.Len(s.T, lines, len(puppets))
	for i, p := range puppets {
		assert.Equal(s.T, p.Name, lines[i].Name)
		assert.Equal(s.T, p.ID, lines[i].ID)
		assert.Contains(s.T, lines[i].String(), whats[min(i, len(whats)-1)])
	}
}

// Abandonable returns a puppet whose executions hang and are abandoned.
func (s *Stage) Abandonable(name string, trigger jobs.Trigger, opts ...jobs.JobOption) *Puppet {
	p := s.Puppet(name)
	p.GivenUpAfter = 15 * time.Second
	p.Executions.Next(Hangs)
	return p.Register(trigger, opts...)
}
