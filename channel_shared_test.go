package jobs_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// sharers registers n workers that listen on the same channel.
func sharers(t *testing.T, p *jobs.Pool, stop chan interface{}, n int, opts ...jobs.JobOption) (ws []*channelWorker, ids []string) {
	t.Helper()
	for range n {
		w := newChannelWorker(stop)
		ws = append(ws, w)
		ids = append(ids, register(t, p, w, jobs.Channel(stop), opts...))
		synctest.Wait() // so that they listen in this order
	}
	return ws, ids
}

// takesAtMost is a job that returns nil for each of the first n values it receives, and after that
// waits for the end of its context, lest a test never end.
func takesAtMost(n int32, stop <-chan interface{}) (job jobs.JobFunc, begun *atomic.Int32) {
	begun = new(atomic.Int32)
	return func(ctx context.Context) error {
		if begun.Add(1) > n {
			<-ctx.Done()
			return nil
		}
		select {
		case <-stop:
		case <-ctx.Done():
		}
		return nil
	}, begun
}

func begun(ws []*channelWorker) (counts []int32) {
	for _, w := range ws {
		counts = append(counts, w.begun.Load())
	}
	return counts
}

func TestChannelSharedAsManyNilsAreDeliveredAsJobsWereTold(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		const n = 5
		var none atomic.Int32
		done := make(chan error)
		for range n {
			register(t, p, deafTo(done, &none), jobs.Channel(stop))
		}
		register(t, p, deafTo(done, &none), jobs.Channel(stop), jobs.Detached()) // is not told
		synctest.Wait()
		stopped(p)
		assert.Len(t, received(stop), n)
		close(done)
	})
}

func TestChannelSharedAllStopAndAllAreExecutedAgain(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		ws, ids := sharers(t, p, stop, 4)
		ws[1].result = errChannel // when told: no failure
		for round := range int32(5) {
			synctest.Wait()
			require.Equal(t, []int32{round + 1, round + 1, round + 1, round + 1}, begun(ws))
			stopped(p)
			for _, id := range ids {
				require.Equal(t, "Stopped", p.GetJobStatus(id))
				require.Zero(t, infoOf(t, p, id).Failures)
			}
			pass(channelRestart)
			require.Equal(t, "Running", p.GetStatus())
		}
		assert.Empty(t, received(stop))
	})
}

func TestChannelSharedNilCountsForWhicheverReturns(t *testing.T) {
	for name, result := range map[string]error{"returning nil": nil, "returning an error": errChannel} {
		t.Run(name, func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				greedy, other := newChannelWorker(nil), newChannelWorker(nil)
				register(t, p, greedy, jobs.Channel(stop))
				id := register(t, p, other, jobs.Channel(stop))
				synctest.Wait()
				stopped(p)
				require.Len(t, received(stop), 2) // on behalf of the greedy one
				other.returns(result)
				greedy.returns(result)
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				assert.Zero(t, infoOf(t, p, id).Failures)
				pass(channelRestart)
				assert.EqualValues(t, 2, other.begun.Load())
				assert.EqualValues(t, 2, greedy.begun.Load())
				other.returns(errChannel)
				assert.EqualValues(t, 1, infoOf(t, p, id).Failures, "all nils are accounted for")
				close(greedy.done)
				close(other.done)
			})
		})
	}
}

func TestChannelSharedOneNilTellsOneOfTwo(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		first, second := newChannelWorker(nil), newChannelWorker(nil)
		a := register(t, p, first, jobs.Channel(stop))
		b := register(t, p, second, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		synctest.Wait()
		<-stop
		first.returns(nil)  // the nil counts for it
		second.returns(nil) // untold
		assert.Equal(t, "Stopped", p.GetJobStatus(a))
		assert.Equal(t, "Finished", p.GetJobStatus(b))
		assert.Empty(t, received(stop))
		close(first.done)
	})
}

func TestChannelSharedRestartWithdrawsTheOffersOfThoseThatWereNotTold(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		var none atomic.Int32
		done := make(chan error)
		register(t, p, deafTo(done, &none), jobs.Channel(stop))
		register(t, p, deafTo(done, &none), jobs.Channel(stop))
		ws, ids := sharers(t, p, stop, 1)
		stopped(p)
		require.Equal(t, "Stopped", p.GetJobStatus(ids[0]))
		pass(channelRestart)
		assert.EqualValues(t, 2, none.Load(), "both go on")
		assert.Equal(t, []int32{2}, begun(ws))
		assert.EqualValues(t, 1, ws[0].told.Load(), "and none of their nils is left for it")
		pass(time.Hour)
		assert.Equal(t, []int32{2}, begun(ws))
		close(done)
	})
}

func TestChannelSharedUnregisteringOneDeliversOneNil(t *testing.T) {
	for _, detached := range []bool{false, true} {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			ws, ids := sharers(t, p, stop, 3, detachedIf(detached)...)
			p.UnregisterJob(ids[0]) // whose Execute is the first to listen
			pass(time.Hour)
			assert.EqualValues(t, 1, ws[0].told.Load())
			assert.Equal(t, []int32{1, 1, 1}, begun(ws), "it is not executed again, the others go on")
			assert.Zero(t, ws[1].told.Load()+ws[2].told.Load())
			assert.Equal(t, "Running", p.GetStatus())
			for _, id := range ids[1:] {
				assert.Equal(t, "Running", p.GetJobStatus(id))
			}
		})
	}
}

func TestChannelSharedUnregisteringOneEndsItThoughTheOthersAreTheFirstToListen(t *testing.T) {
	for _, others := range []int{1, 2, 5} {
		t.Run(fmt.Sprintf("%d others", others), func(t *testing.T) {
			withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
				ws, ids := sharers(t, p, stop, others+1, jobs.Detached())
				last := ws[others]
				p.UnregisterJob(ids[others])
				pass(time.Hour)
				assert.EqualValues(t, 1, last.told.Load())
				assert.EqualValues(t, 1, last.begun.Load())
				for i, w := range ws[:others] {
					assert.EqualValues(t, 2, w.begun.Load(), "a nil counted for it, and it is executed again")
					assert.Equal(t, "Running", p.GetJobStatus(ids[i]))
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				assert.NoError(t, p.Shutdown(ctx), "each job that is executing is told")
				for range others + 1 { // so that the test ends in any case
					select {
					case stop <- nil:
					default:
					}
				}
			})
		})
	}
}

func TestChannelSharedExactlyOneNilForAnErrorThoughASiblingTakesIt(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		failing := newChannelWorker(nil)
		register(t, p, failing, jobs.Channel(stop), jobs.Detached())
		sibling, begun := takesAtMost(10, stop)
		id := register(t, p, sibling, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		failing.returns(errChannel)
		pass(time.Hour)
		assert.EqualValues(t, 2, begun.Load(), "it took the one nil, and was executed again")
		assert.Equal(t, "Running", p.GetJobStatus(id))
		p.UnregisterJob(id)
	})
}

func TestChannelSharedWithAnUnregisteredJobThatIgnoresTheStop(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		var none atomic.Int32
		done := make(chan error)
		old := register(t, p, deafTo(done, &none), jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		p.UnregisterJob(old)
		next, begun := takesAtMost(10, stop)
		id := register(t, p, next, jobs.Channel(stop), jobs.Detached())
		pass(time.Hour)
		assert.LessOrEqual(t, begun.Load(), int32(3), "as many nils are delivered as jobs were told: at most two")
		close(done)
		synctest.Wait()
		assert.Equal(t, "Running", p.GetJobStatus(id))
		p.UnregisterJob(id)
	})
}

func TestChannelSharedShutdownTellsThemAll(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		ws, ids := sharers(t, p, stop, 3)
		more, _ := sharers(t, p, stop, 3, jobs.Detached())
		require.NoError(t, p.Shutdown(t.Context()))
		for _, w := range append(ws, more...) {
			assert.EqualValues(t, 1, w.told.Load())
			assert.EqualValues(t, 1, w.begun.Load())
		}
		assert.Equal(t, "Stopped", p.GetJobStatus(ids[0]))
		assert.Empty(t, received(stop))
	})
}

func TestChannelSharedBetweenPoolsIsEachPoolsOwnAffair(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 2)
		other := jobs.NewPool(quiet)
		mine, theirs := newChannelWorker(nil), newChannelWorker(nil)
		register(t, p, mine, jobs.Channel(stop))
		register(t, other, theirs, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		stopped(other)
		require.Len(t, stop, 2)
		mine.returns(nil)
		assert.Len(t, stop, 1, "takes back at most as many values as it put in itself")
		theirs.returns(nil)
		assert.Empty(t, stop)
		require.NoError(t, other.Shutdown(t.Context()))
	})
}
