package jobs_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

func TestChannelIsToldToStopWhenThePoolStops(t *testing.T) {
	for name, fail := range map[string]func(p *jobs.Pool){
		"SetStatus": func(p *jobs.Pool) { p.SetStatus(jobs.PoolStatusStopped) },
		"a failure": func(p *jobs.Pool) {
			_, _ = p.RegisterIntervalJob(jobstest.Stub{ExecuteFunc: func() error { return errChannel }}, time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(stop)
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				jobstest.Advance(time.Second)
				fail(p)
				jobstest.Advance(0)
				assert.EqualValues(t, 1, w.told.Load(), "at once")
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				jobstest.Advance(channelRestart - 1)
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
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				for round := range int32(5) {
					jobstest.Advance(time.Second)
					require.Equal(t, round+1, w.begun.Load())
					require.Equal(t, "Running", p.GetJobStatus(id))
					stopped(p)
					require.Equal(t, round+1, w.told.Load())
					require.Equal(t, "Stopped", p.GetJobStatus(id))
					jobstest.Advance(channelRestart)
					require.Equal(t, "Running", p.GetStatus())
				}
				info := jobstest.InfoOf(t, p, id)
				assert.EqualValues(t, 6, info.Executions)
				assert.Zero(t, info.Failures, "what it returns when told is no failure")
				if result == nil {
					require.NoError(t, info.LastError)
					return
				}
				require.ErrorIs(t, info.LastError, errChannel)
				require.ErrorIs(t, info.LastError, jobs.ErrStopped, "why it was told")
			})
		})
	}
}

func TestChannelToldIsANilThatDoesNotComeBackOut(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil) // looks at another channel
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
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
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		w.returns(errChannel)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures, "it was not told")
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
		assert.Empty(t, p.Info().StoppedBy, "what fails while the pool is Stopped is recorded only")
		jobstest.Advance(channelRestart)
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
			"at a restart":              func(*testing.T, *jobs.Pool, *channelWorker, string) { jobstest.Advance(channelRestart) },
			"at UnregisterJob": func(_ *testing.T, p *jobs.Pool, w *channelWorker, id string) {
				p.UnregisterJob(id)
				w.returns(errChannel)
			},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					stop := make(chan interface{}, c.capacity)
					for range c.own {
						stop <- "theirs"
					}
					w := newChannelWorker(nil)
					id := jobstest.Register(t, p, w, jobs.Channel(stop))
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 2)
		tidy := make(chan bool)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; <-tidy; return nil }}, jobs.Channel(stop))
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 1)
		stop <- "theirs"
		w := newChannelWorker(nil)
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		assert.Equal(t, "theirs", <-stop)
		synctest.Wait()
		require.Len(t, stop, 1)
		assert.Nil(t, <-stop)
		w.returns(errChannel)
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures, "it was told")
		assert.Empty(t, received(stop))
		close(w.done)
	})
}

func TestChannelNotToldGoesOnAtTheRestartAndTheOfferIsWithdrawn(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil)
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		for range 3 {
			synctest.Wait()
			stopped(p)
			assert.Equal(t, "Running", p.GetJobStatus(id), "executing")
			jobstest.Advance(channelRestart)
			require.Equal(t, "Running", p.GetStatus())
			assert.Empty(t, received(stop))
		}
		assert.EqualValues(t, 1, w.begun.Load())
		w.returns(errChannel)
		info := jobstest.InfoOf(t, p, id)
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
				w.ReadyFunc = func() bool { asked.Add(1); return true }
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				synctest.Wait()
				stopped(p)
				require.Equal(t, []interface{}{nil}, received(stop)) // and cleans up for a while
				jobstest.Advance(channelRestart)
				require.Equal(t, "Running", p.GetStatus())
				assert.EqualValues(t, 1, asked.Load(), "an execution in flight counts as ready")
				assert.EqualValues(t, 1, w.begun.Load())
				jobstest.Advance(time.Minute)
				w.returns(result)
				assert.EqualValues(t, 2, w.begun.Load(), "at once")
				assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Empty(t, received(stop))
				w.returns(errChannel)
				assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures, "the nil counts once")
				close(w.done)
			})
		})
	}
}

func TestChannelToldBeforeGetsNoSecondNilWhenThePoolStopsAgain(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil)
		jobstest.Register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		require.Equal(t, []interface{}{nil}, received(stop))
		jobstest.Advance(channelRestart)
		stopped(p)
		assert.Empty(t, received(stop), "it was told already, and has not returned")
		w.returns(nil)
		assert.EqualValues(t, 1, w.begun.Load(), "the pool is stopped")
		jobstest.Advance(channelRestart)
		assert.EqualValues(t, 2, w.begun.Load())
		close(w.done)
	})
}

// withOffer runs a test with an attached or a detached job that has just returned an error untold.
func withOffer(t *testing.T, f func(t *testing.T, p *jobs.Pool, w *channelWorker, id string, stop chan interface{})) {
	t.Helper()
	for _, detached := range []bool{false, true} {
		t.Run(fmt.Sprintf("detached %v", detached), func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(nil)
				id := jobstest.Register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
				synctest.Wait()
				require.Empty(t, received(stop))
				w.returns(errChannel)
				require.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures)
				f(t, p, w, id, stop)
				close(w.done)
			})
		})
	}
}

func TestChannelErrorUntoldGetsExactlyOneNilUntilItIsTaken(t *testing.T) {
	withOffer(t, func(t *testing.T, p *jobs.Pool, _ *channelWorker, id string, stop chan interface{}) {
		jobstest.Advance(channelRestart - 1)
		assert.Equal(t, []interface{}{nil}, received(stop))
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
	})
}

func TestChannelErrorUntoldGetsItsNilAtOnceIfSomethingListens(t *testing.T) {
	for _, detached := range []bool{false, true} {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			var taken atomic.Int32
			quit := make(chan struct{})
			go func() {
				for {
					select {
					case <-stop:
						taken.Add(1)
					case <-quit:
						return
					}
				}
			}()
			w := newChannelWorker(nil)
			jobstest.Register(t, p, w, jobs.Channel(stop), detachedIf(detached)...)
			jobstest.Advance(time.Hour)
			assert.Zero(t, taken.Load())
			w.returns(errChannel)
			assert.EqualValues(t, 1, taken.Load())
			jobstest.Advance(time.Hour)
			assert.EqualValues(t, 1, taken.Load())
			close(quit)
			close(w.done)
		})
	}
}

func TestChannelErrorUntoldNilStaysOnOfferOverSeveralStops(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil)
		jobstest.Register(t, p, w, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		w.returns(errChannel)
		for range 3 {
			stopped(p)
			jobstest.Advance(channelRestart)
		}
		assert.EqualValues(t, 1, w.begun.Load(), "nothing starts it again")
		assert.Equal(t, []interface{}{nil}, received(stop))
	})
}

func TestChannelErrorUntoldNilIsWithdrawnWhenTheJobStartsAgain(t *testing.T) {
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprintf("taken %v", taken), func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				w := newChannelWorker(nil)
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				for failures := range uint64(3) {
					synctest.Wait()
					w.returns(errChannel)
					require.Equal(t, failures+1, jobstest.InfoOf(t, p, id).Failures, "the nil of last time does not count")
					if taken {
						require.Len(t, received(stop), 1)
					}
					jobstest.Advance(channelRestart)
					require.Equal(t, "Running", p.GetStatus())
					assert.Empty(t, received(stop))
					jobstest.Advance(jobstest.ALongLife)
				}
				close(w.done)
			})
		})
	}
}

func TestChannelErrorUntoldNilIsWithdrawnAtUnregisterJob(t *testing.T) {
	withOffer(t, func(t *testing.T, p *jobs.Pool, _ *channelWorker, id string, stop chan interface{}) {
		p.UnregisterJob(id)
		assert.Empty(t, received(stop))
		jobstest.Advance(time.Hour)
		assert.Empty(t, received(stop))
	})
}

func TestChannelErrorUntoldNilIsWithdrawnAtShutdown(t *testing.T) {
	withOffer(t, func(t *testing.T, p *jobs.Pool, _ *channelWorker, id string, stop chan interface{}) {
		require.NoError(t, p.Shutdown(t.Context()))
		assert.Empty(t, received(stop))
		assert.Equal(t, "Stopped", p.GetJobStatus(id))
	})
}

func TestChannelErrorUntoldNilWaitsForRoom(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 1)
		stop <- "theirs"
		w := newChannelWorker(nil)
		jobstest.Register(t, p, w, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		w.returns(errChannel)
		assert.Equal(t, []interface{}{"theirs", nil}, received(stop))
	})
}

func TestChannelErrorInAStoppedPoolIsRecordedOnly(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		w := newChannelWorker(nil)
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		jobstest.Advance(10 * time.Second)
		w.returns(errChannel)
		assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures)
		assert.Equal(t, []interface{}{nil}, received(stop))
		jobstest.Advance(channelRestart - 10*time.Second - 1)
		assert.Equal(t, "Stopped", p.GetStatus())
		jobstest.Advance(1)
		assert.Equal(t, "Running", p.GetStatus(), "one retry interval after the stop")
		assert.EqualValues(t, 2, w.begun.Load())
		close(w.done)
	})
}

func TestChannelClosedCountsAsToldWhenThePoolStops(t *testing.T) {
	for _, capacity := range []int{0, 2} {
		for name, result := range map[string]error{"returns nil": nil, "returns an error": errChannel} {
			t.Run(fmt.Sprintf("%s, capacity %d", name, capacity), func(t *testing.T) {
				jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
					stop := make(chan interface{}, capacity)
					w := newChannelWorker(nil)
					id := jobstest.Register(t, p, w, jobs.Channel(stop))
					synctest.Wait()
					close(stop)
					stopped(p)
					w.returns(result)
					assert.Equal(t, "Stopped", p.GetJobStatus(id), "it was told, and so has not finished")
					assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
					jobstest.Advance(channelRestart)
					assert.EqualValues(t, 2, w.begun.Load())
					stopped(p)
					w.returns(result)
					assert.Zero(t, jobstest.InfoOf(t, p, id).Failures, "told again")
					jobstest.Advance(channelRestart)
					assert.EqualValues(t, 3, w.begun.Load())
					close(w.done)
				})
			})
		}
	}
}

func TestChannelToldByItsClosingMayReturnAfterTheRestart(t *testing.T) {
	for name, result := range map[string]error{"with nil": nil, "with an error": errChannel} {
		t.Run(name, func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				stop := make(chan interface{})
				w := newChannelWorker(nil)
				id := jobstest.Register(t, p, w, jobs.Channel(stop))
				synctest.Wait()
				close(stop)
				stopped(p)
				jobstest.Advance(channelRestart)
				require.Equal(t, "Running", p.GetStatus())
				w.returns(result)
				assert.Equal(t, "Running", p.GetStatus())
				assert.Equal(t, "Running", p.GetJobStatus(id))
				assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
				assert.EqualValues(t, 2, w.begun.Load())
				close(w.done)
			})
		})
	}
}

func TestChannelClosedWhileAnOfferIsOut(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		w := newChannelWorker(nil)
		id := jobstest.Register(t, p, w, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		close(stop) // panics in the sender
		w.returns(errChannel)
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures, "the closing has told it")
		jobstest.Advance(channelRestart)
		assert.EqualValues(t, 2, w.begun.Load())
		close(w.done)
	})
}

func TestChannelClosedSurvivesErrorsUnregisterAndShutdown(t *testing.T) {
	for _, detached := range []bool{false, true} {
		t.Run(fmt.Sprintf("detached %v", detached), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				stop := make(chan interface{})
				close(stop)
				var ids [3]string
				var workers [3]*channelWorker
				for i := range ids {
					workers[i] = newChannelWorker(nil)
					ids[i] = jobstest.Register(t, p, workers[i], jobs.Channel(stop), detachedIf(detached)...)
				}
				synctest.Wait()
				workers[0].returns(errChannel) // untold: a nil is to be put
				assert.EqualValues(t, 1, jobstest.InfoOf(t, p, ids[0]).Failures)
				p.UnregisterJob(ids[0])
				p.UnregisterJob(ids[1]) // told
				workers[1].returns(nil)
				workers[2].returns(nil)
				for _, w := range workers {
					close(w.done)
				}
				require.NoError(t, p.Shutdown(t.Context()))
			})
		})
	}
}

func TestChannelClosedByItsOwnerAndReturningNilUntoldIsFinished(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		w := newChannelWorker(make(chan interface{}))
		id := jobstest.Register(t, p, w, jobs.Channel(w.stop))
		synctest.Wait()
		close(w.stop)
		synctest.Wait()
		assert.EqualValues(t, 1, w.told.Load())
		assert.Equal(t, "Finished", p.GetJobStatus(id), "the pool did not want it to stop")
		assert.Equal(t, "Running", p.GetStatus())
	})
}

func TestTakingANilBackLeavesTheValuesOfOthersInTheChannel(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 3)
		stop <- "theirs"
		stop <- "too"
		done := make(chan struct{})
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-done; return nil }}, jobs.Channel(stop))
		synctest.Wait()
		p.SetStatus(jobs.PoolStatusStopped)
		synctest.Wait()
		assert.Len(t, stop, 3)
		jobstest.Advance(30 * time.Second)
		assert.Equal(t, "Running", p.GetJobStatus(id))
		require.Len(t, stop, 2)
		assert.Equal(t, "theirs", <-stop)
		assert.Equal(t, "too", <-stop)
		close(done)
	})
}
