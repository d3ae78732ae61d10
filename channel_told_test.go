package jobs_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestChannelIsToldToStopWhenThePoolStops(t *testing.T) {
	for name, fail := range map[string]func(p *jobs.Pool){
		"SetStatus": func(p *jobs.Pool) { p.SetStatus(jobs.PoolStatusStopped) },
		"a failure": func(p *jobs.Pool) {
			_, _ = p.RegisterIntervalJob(stub{execute: func() error { return errChannel }}, time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(stop)
				id := register(t, p, w, jobs.Channel(stop))
				pass(time.Second)
				fail(p)
				pass(0)
				assert.EqualValues(t, 1, w.told.Load(), "at once")
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				pass(channelRestart - 1)
				assert.EqualValues(t, 1, w.begun.Load())
				assert.Empty(t, received(stop), "one nil only")
			})
		})
	}
}

func TestChannelThatWasToldIsExecutedAgainWithTheRestart(t *testing.T) {
	for name, result := range map[string]error{"returns nil": nil, "returns an error": errChannel} {
		t.Run(name, func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(stop)
				w.result = result
				id := register(t, p, w, jobs.Channel(stop))
				for round := range int32(5) {
					pass(time.Second)
					require.Equal(t, round+1, w.begun.Load())
					require.Equal(t, "Running", p.GetJobStatus(id))
					stopped(p)
					require.Equal(t, round+1, w.told.Load())
					require.Equal(t, "Stopped", p.GetJobStatus(id))
					pass(channelRestart)
					require.Equal(t, "Running", p.GetStatus())
				}
				info := infoOf(t, p, id)
				assert.EqualValues(t, 6, info.Executions)
				assert.Zero(t, info.Failures, "what it returns when told is no failure")
				require.NoError(t, info.LastError)
			})
		})
	}
}

func TestChannelToldIsANilThatDoesNotComeBackOut(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil) // looks at another channel
		id := register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		w.returns(nil)
		assert.Equal(t, "Finished", p.GetJobStatus(id), "it was not told")
		assert.Empty(t, received(stop), "the nil was taken back")
	})
}

func TestChannelFailsIfItReturnsAnErrorBeforeItTookTheNil(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil)
		id := register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		w.returns(errChannel)
		assert.EqualValues(t, 1, infoOf(t, p, id).Failures, "it was not told")
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		assert.Empty(t, p.Info().StoppedBy, "what fails while the pool is Stopped is recorded only")
		pass(channelRestart)
		assert.EqualValues(t, 2, w.begun.Load())
		assert.Equal(t, "Running", p.GetStatus())
		assert.Empty(t, received(stop))
		close(w.done)
	})
}

func TestChannelTakesBackAtMostAsManyValuesAsItPutInItself(t *testing.T) {
	for name, c := range map[string]struct{ capacity, own, during int }{
		"room":              {3, 2, 3},
		"full":              {2, 2, 2},
		"full with one":     {1, 1, 1},
		"nothing of theirs": {2, 0, 1},
	} {
		for what, end := range map[string]func(t *testing.T, p *jobs.Pool, w *channelWorker, id string){
			"when Execute has returned": func(_ *testing.T, _ *jobs.Pool, w *channelWorker, _ string) { w.returns(nil) },
			"at a restart":              func(*testing.T, *jobs.Pool, *channelWorker, string) { pass(channelRestart) },
			"at UnregisterJob": func(_ *testing.T, p *jobs.Pool, w *channelWorker, id string) {
				p.UnregisterJob(id)
				w.returns(errChannel)
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					stop := make(chan interface{}, c.capacity)
					for range c.own {
						stop <- "theirs"
					}
					w := newChannelWorker(nil)
					id := register(t, p, w, jobs.Channel(stop))
					synctest.Wait()
					assert.Len(t, stop, c.own)
					stopped(p)
					assert.Len(t, stop, c.during)
					end(t, p, w, id)
					assert.Len(t, received(stop), c.own)
					p.UnregisterJob(id)
					close(w.done)
				})
			})
		}
	}
}

func TestChannelValuesOfOthersStayWhereTheyAreWhenTheNilWasTaken(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 2)
		tidy := make(chan bool)
		register(t, p, stub{execute: func() error { <-stop; <-tidy; return nil }}, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		synctest.Wait()
		stop <- "mine"
		p.SetStatus(jobs.PoolStatusRunning)
		synctest.Wait()
		require.Equal(t, "Running", p.GetStatus())
		assert.Equal(t, []interface{}{"mine"}, received(stop))
		close(tidy)
	})
}

func TestChannelNilWaitsForRoomInAFullChannel(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 1)
		stop <- "theirs"
		w := newChannelWorker(nil)
		id := register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		assert.Equal(t, "theirs", <-stop)
		synctest.Wait()
		require.Len(t, stop, 1)
		assert.Nil(t, <-stop)
		w.returns(errChannel)
		assert.Zero(t, infoOf(t, p, id).Failures, "it was told")
		assert.Empty(t, received(stop))
		close(w.done)
	})
}

func TestChannelNotToldGoesOnAtTheRestartAndTheOfferIsWithdrawn(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil)
		id := register(t, p, w, jobs.Channel(stop))
		for range 3 {
			synctest.Wait()
			stopped(p)
			assert.Equal(t, "Running", p.GetJobStatus(id), "executing")
			pass(channelRestart)
			require.Equal(t, "Running", p.GetStatus())
			assert.Empty(t, received(stop))
		}
		assert.EqualValues(t, 1, w.begun.Load())
		w.returns(errChannel)
		info := infoOf(t, p, id)
		assert.EqualValues(t, 1, info.Failures, "a failure in the new life of the pool")
		assert.Equal(t, id, p.Info().StoppedBy)
		close(w.done)
	})
}

func TestChannelToldThatOutlastsTheRestartIsExecutedAgainOnceItHasReturned(t *testing.T) {
	for name, result := range map[string]error{"returns nil": nil, "returns an error": errChannel} {
		t.Run(name, func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(nil)
				var asked atomic.Int32
				w.ready = func() bool { asked.Add(1); return true }
				id := register(t, p, w, jobs.Channel(stop))
				synctest.Wait()
				stopped(p)
				require.Equal(t, []interface{}{nil}, received(stop)) // and cleans up for a while
				pass(channelRestart)
				require.Equal(t, "Running", p.GetStatus())
				assert.EqualValues(t, 1, asked.Load(), "an execution in flight counts as ready")
				assert.EqualValues(t, 1, w.begun.Load())
				pass(time.Minute)
				w.returns(result)
				assert.EqualValues(t, 2, w.begun.Load(), "at once")
				assert.Zero(t, infoOf(t, p, id).Failures)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Empty(t, received(stop))
				w.returns(errChannel)
				assert.EqualValues(t, 1, infoOf(t, p, id).Failures, "the nil counts once")
				close(w.done)
			})
		})
	}
}

func TestChannelToldBeforeGetsNoSecondNilWhenThePoolStopsAgain(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil)
		register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		require.Equal(t, []interface{}{nil}, received(stop))
		pass(channelRestart)
		stopped(p)
		assert.Empty(t, received(stop), "it was told already, and has not returned")
		w.returns(nil)
		assert.EqualValues(t, 1, w.begun.Load(), "the pool is stopped")
		pass(channelRestart)
		assert.EqualValues(t, 2, w.begun.Load())
		close(w.done)
	})
}
