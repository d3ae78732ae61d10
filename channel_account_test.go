package jobs_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestChannelJobThatObeyedIsNotFinishedThoughAValueOfOthersIsInTheBuffer(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 1)
		tidy := make(chan bool)
		id := register(t, p, stub{execute: func() error { <-stop; <-tidy; return nil }}, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		stop <- "mine"
		pass(channelRestart)
		close(tidy)
		synctest.Wait()
		assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
	})
}

// Each of two that have failed is owed a nil for who listens. The listener that gets the first one unregisters its job.
func TestChannelSharedErrorKeepsItsNilWhenTheListenerOfAnotherIsServed(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		var ids []string
		for range 2 {
			w := newChannelWorker(nil)
			ids = append(ids, register(t, p, w, jobs.Channel(stop), jobs.Detached()))
			synctest.Wait()
			w.returns(errChannel)
		}
		for _, id := range ids {
			require.Nil(t, <-stop)
			p.UnregisterJob(id)
			synctest.Wait()
		}
		assert.Empty(t, received(stop))
	})
}

// One has failed, and whoever listens for it is served and unregisters it, while another is to stop.
func TestChannelSharedJobIsToldThoughTheListenerOfAnotherIsServed(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		failing, other := newChannelWorker(nil), newChannelWorker(nil)
		failed := register(t, p, failing, jobs.Channel(stop), jobs.Detached())
		id := register(t, p, other, jobs.Channel(stop))
		synctest.Wait()
		failing.returns(errChannel)
		stopped(p)
		require.Nil(t, <-stop) // by who listens for the failed one
		p.UnregisterJob(failed)
		assert.Equal(t, []interface{}{nil}, received(stop), "the other's")
		other.returns(errChannel)
		assert.Zero(t, infoOf(t, p, id).Failures)
		pass(channelRestart)
		assert.Empty(t, received(stop))
		close(other.done)
	})
}

// What was made in a bubble must not be used from outside, also not when the bubble is over.
func TestChannelJobMayBeUnregisteredAfterItsBubble(t *testing.T) {
	var p *jobs.Pool
	var ids []string
	synctest.Test(t, func(t *testing.T) {
		p = jobs.NewPool(quiet)
		stop := make(chan interface{}, 1)
		for range 3 {
			id := register(t, p, stub{execute: func() error { <-stop; return nil }}, jobs.Channel(stop), jobs.Detached())
			ids = append(ids, id)
		}
		ids = append(ids, register(t, p, stub{execute: func() error { return errChannel }}, jobs.Channel(stop), jobs.Detached()))
		synctest.Wait()
		require.NoError(t, p.Shutdown(context.Background()))
	})
	for _, id := range ids {
		p.UnregisterJob(id)
	}
	assert.Zero(t, p.Info().Jobs)
}
