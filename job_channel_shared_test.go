package jobs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// sharers registers n workers that listen on the same channel.
func sharers(t *testing.T, p *jobs.Pool, stop chan interface{}, n int, opts ...jobs.JobOption) (ws []*channelWorker, ids []string) {
	t.Helper()
	for range n {
		w := newChannelWorker(stop)
		ws = append(ws, w)
		ids = append(ids, jobstest.Register(t, p, w, jobs.Channel(stop), opts...))
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
			jobstest.Register(t, p, deafTo(done, &none), jobs.Channel(stop))
		}
		jobstest.Register(t, p, deafTo(done, &none), jobs.Channel(stop), jobs.Detached()) // is not told
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
				require.Zero(t, jobstest.InfoOf(t, p, id).Failures)
			}
			jobstest.Advance(channelRestart)
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
				jobstest.Register(t, p, greedy, jobs.Channel(stop))
				id := jobstest.Register(t, p, other, jobs.Channel(stop))
				synctest.Wait()
				stopped(p)
				require.Len(t, received(stop), 2) // on behalf of the greedy one
				other.returns(result)
				greedy.returns(result)
				assert.Equal(t, "Stopped", p.GetJobStatus(id))
				assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
				jobstest.Advance(channelRestart)
				assert.EqualValues(t, 2, other.begun.Load())
				assert.EqualValues(t, 2, greedy.begun.Load())
				other.returns(errChannel)
				assert.EqualValues(t, 1, jobstest.InfoOf(t, p, id).Failures, "all nils are accounted for")
				close(greedy.done)
				close(other.done)
			})
		})
	}
}

func TestChannelSharedOneNilTellsOneOfTwo(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		first, second := newChannelWorker(nil), newChannelWorker(nil)
		a := jobstest.Register(t, p, first, jobs.Channel(stop))
		b := jobstest.Register(t, p, second, jobs.Channel(stop))
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
		jobstest.Register(t, p, deafTo(done, &none), jobs.Channel(stop))
		jobstest.Register(t, p, deafTo(done, &none), jobs.Channel(stop))
		ws, ids := sharers(t, p, stop, 1)
		stopped(p)
		require.Equal(t, "Stopped", p.GetJobStatus(ids[0]))
		jobstest.Advance(channelRestart)
		assert.EqualValues(t, 2, none.Load(), "both go on")
		assert.Equal(t, []int32{2}, begun(ws))
		assert.EqualValues(t, 1, ws[0].told.Load(), "and none of their nils is left for it")
		jobstest.Advance(time.Hour)
		assert.Equal(t, []int32{2}, begun(ws))
		close(done)
	})
}

func TestChannelSharedUnregisteringOneDeliversOneNil(t *testing.T) {
	for _, detached := range []bool{false, true} {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			ws, ids := sharers(t, p, stop, 3, detachedIf(detached)...)
			p.UnregisterJob(ids[0]) // whose Execute is the first to listen
			jobstest.Advance(time.Hour)
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
				jobstest.Advance(time.Hour)
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
		jobstest.Register(t, p, failing, jobs.Channel(stop), jobs.Detached())
		sibling, begun := takesAtMost(10, stop)
		id := jobstest.Register(t, p, sibling, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		failing.returns(errChannel)
		jobstest.Advance(time.Hour)
		assert.EqualValues(t, 2, begun.Load(), "it took the one nil, and was executed again")
		assert.Equal(t, "Running", p.GetJobStatus(id))
		p.UnregisterJob(id)
	})
}

func TestChannelSharedWithAnUnregisteredJobThatIgnoresTheStop(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		var none atomic.Int32
		done := make(chan error)
		old := jobstest.Register(t, p, deafTo(done, &none), jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		p.UnregisterJob(old)
		next, begun := takesAtMost(10, stop)
		id := jobstest.Register(t, p, next, jobs.Channel(stop), jobs.Detached())
		jobstest.Advance(time.Hour)
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
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 2)
		other := jobs.NewPool(jobstest.Quiet)
		mine, theirs := newChannelWorker(nil), newChannelWorker(nil)
		jobstest.Register(t, p, mine, jobs.Channel(stop))
		jobstest.Register(t, other, theirs, jobs.Channel(stop))
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

// Sharers are channel jobs that have a stop channel in common. Each obeys a nil, some after they have tidied up, and fails
// when it is to.
type sharing struct {
	*rand.Rand
	p       *jobs.Pool
	stop    chan interface{}
	members []*member
	joined  int
	start   time.Time

	mu    sync.Mutex // guards what follows
	story strings.Builder
}

type member struct {
	id, name string
	detached bool
	fail     chan struct{}
}

func (c *sharing) tell(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(&c.story, "%v: "+format+"\n", append([]any{time.Since(c.start)}, args...)...)
}

func (m *member) String() string { return m.name }

func (c *sharing) join(t *testing.T) {
	c.joined++
	m := &member{name: fmt.Sprint("member ", c.joined), detached: c.IntN(4) == 0, fail: make(chan struct{})}
	tidies, result := time.Duration(c.IntN(3))*time.Second, error(nil)
	if c.IntN(4) == 0 {
		result = errChannel
	}
	m.id = jobstest.Register(t, c.p, jobstest.Stub{ExecuteFunc: func() error {
		select {
		case <-c.stop:
			c.tell("%s is told", m)
			time.Sleep(tidies)
			c.tell("%s returns %v", m, result)
			return result
		case <-m.fail:
			return errChannel
		}
	}}, jobs.Channel(c.stop), detachedIf(m.detached)...)
	c.members = append(c.members, m)
	c.tell("%s joins, detached %v, tidies up for %v and returns %v", m, m.detached, tidies, result)
}

func (c *sharing) act(t *testing.T) {
	i := c.IntN(len(c.members))
	m := c.members[i]
	switch c.IntN(6) {
	case 0, 1:
		c.tell("the pool stops")
		c.p.SetStatus(jobs.PoolStatusStopped)
	case 2, 3:
		c.tell("the pool restarts")
		c.p.SetStatus(jobs.PoolStatusRunning)
	case 4:
		if len(c.members) < 4 && c.IntN(2) == 0 {
			c.join(t)
			return
		}
		c.tell("%s leaves", m)
		c.p.UnregisterJob(m.id)
		if c.members = slices.Delete(c.members, i, i+1); len(c.members) == 0 {
			c.join(t)
		}
	case 5:
		select {
		case m.fail <- struct{}{}:
			c.tell("%s fails", m)
		default:
		}
	}
}

// look returns what is wrong, once everybody has had time to tidy up.
func (c *sharing) look() (wrong []string) {
	status := c.p.GetStatus()
	for _, m := range c.members {
		info, _ := c.p.Job(m.id)
		executes := info.NotExecuting == ""
		switch {
		case info.Status == jobs.JobStatusFinished:
			wrong = append(wrong, m.name+" is finished, though it has only ever obeyed or failed")
		case m.detached:
		case executes && status == "Stopped":
			wrong = append(wrong, m.name+" executes in a stopped pool")
		case !executes && status == "Running":
			wrong = append(wrong, m.name+" does not execute: "+info.NotExecuting)
		}
	}
	return wrong
}

// A nil counts for whichever returns: so one that fails while another tidies up is given credit for that one's nil.
func TestChannelSharedJobThatObeysIsExecutedAgainThoughAnotherFailsMeanwhile(t *testing.T) {
	tidies := func(stop chan interface{}) jobstest.Stub {
		return jobstest.Stub{ExecuteFunc: func() error {
			<-stop
			time.Sleep(2 * time.Second)
			return nil
		}}
	}
	t.Run("as the pool stops", func(t *testing.T) {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			id := jobstest.Register(t, p, tidies(stop), jobs.Channel(stop))
			other := newChannelWorker(nil)
			jobstest.Register(t, p, other, jobs.Channel(stop))
			synctest.Wait()
			stopped(p)
			other.returns(errChannel)
			jobstest.Advance(channelRestart)
			assert.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
			close(other.done)
		})
	})
	t.Run("as the other is unregistered", func(t *testing.T) {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			id := jobstest.Register(t, p, tidies(stop), jobs.Channel(stop), jobs.Detached())
			other := newChannelWorker(nil)
			otherID := jobstest.Register(t, p, other, jobs.Channel(stop), jobs.Detached())
			synctest.Wait()
			p.UnregisterJob(otherID)
			synctest.Wait()
			other.returns(errChannel)
			jobstest.Advance(time.Hour)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
		})
	})
}

func TestChannelSharedJobIsToldThoughAnotherStillTidiesUp(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			<-stop
			time.Sleep(time.Hour)
			return nil
		}}, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		p.SetStatus(jobs.PoolStatusRunning)
		synctest.Wait()
		require.Equal(t, "Running", p.GetStatus())
		ws, ids := sharers(t, p, stop, 1, jobs.Detached())
		p.UnregisterJob(ids[0])
		synctest.Wait()
		assert.EqualValues(t, 1, ws[0].told.Load(), "the nil of the one that tidies up was not for it")
	})
}

// A job that is told, and whose nil a sibling takes again and again, ends in the end by the nil of a third one, which
// tidies up. Then all is settled.
func TestChannelSharedErrorGetsItsNilAfterOneThatListensInVain(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		over, tidy := make(chan error), make(chan error)
		var none atomic.Int32
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			<-stop
			return <-tidy
		}}, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		p.SetStatus(jobs.PoolStatusRunning)
		synctest.Wait()
		deaf := jobstest.Register(t, p, deafTo(over, &none), jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		sibling := newChannelWorker(nil)
		jobstest.Register(t, p, sibling, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		p.UnregisterJob(deaf)
		for range 10 {
			synctest.Wait()
			select {
			case <-stop:
				sibling.returns(nil)
			default:
			}
		}
		over <- nil
		synctest.Wait()
		sibling.returns(errChannel)
		assert.Len(t, received(stop), 1)
		close(tidy)
		close(sibling.done)
	})
}

func TestChannelSharedNilsThatListenersHaveTakenCountForNoJob(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		for range 2 {
			failing := newChannelWorker(nil)
			jobstest.Register(t, p, failing, jobs.Channel(stop), jobs.Detached())
			synctest.Wait()
			failing.returns(errChannel)
		}
		<-stop // one of two that listen
		synctest.Wait()
		next := newChannelWorker(nil)
		id := jobstest.Register(t, p, next, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		next.returns(nil)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Len(t, received(stop), 1, "for the other that listens")
	})
}

func TestChannelSharedByManyLosesNone(t *testing.T) {
	for seed := range jobstest.Rounds(1000, 100000) {
		synctest.Test(t, func(t *testing.T) {
			c := &sharing{Rand: rand.New(rand.NewPCG(uint64(seed), 0)), start: time.Now(),
				p: jobs.NewPool(jobstest.Quiet, jobs.WithRetryInterval(time.Hour), jobs.WithStatusInterval(time.Hour))}
			c.stop = make(chan interface{}, c.IntN(3))
			for range 1 + c.IntN(4) {
				c.join(t)
			}
			synctest.Wait()
			for range 20 {
				c.act(t)
				synctest.Wait()
				if c.IntN(2) == 0 {
					jobstest.Advance(time.Duration(c.IntN(3)) * time.Second)
				}
				if c.IntN(4) == 0 {
					jobstest.Advance(10 * time.Second)
					require.Empty(t, c.look(), "seed %d:\n%s", seed, &c.story)
				}
			}
			for _, m := range c.members {
				c.p.UnregisterJob(m.id)
			}
			jobstest.Advance(10 * time.Second)
			assert.Empty(t, received(c.stop), "seed %d:\n%s", seed, &c.story)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.NoError(t, c.p.Shutdown(ctx), "seed %d:\n%s", seed, &c.story)
		})
	}
}

func TestChannelJobThatObeyedIsNotFinishedThoughAValueOfOthersIsInTheBuffer(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{}, 1)
		tidy := make(chan bool)
		id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; <-tidy; return nil }}, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		stop <- "mine"
		jobstest.Advance(channelRestart)
		close(tidy)
		synctest.Wait()
		assert.EqualValues(t, 2, jobstest.InfoOf(t, p, id).Executions)
	})
}

// Each of two that have failed is owed a nil for who listens. The listener that gets the first one unregisters its job.
func TestChannelSharedErrorKeepsItsNilWhenTheListenerOfAnotherIsServed(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		var ids []string
		for range 2 {
			w := newChannelWorker(nil)
			ids = append(ids, jobstest.Register(t, p, w, jobs.Channel(stop), jobs.Detached()))
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
		failed := jobstest.Register(t, p, failing, jobs.Channel(stop), jobs.Detached())
		id := jobstest.Register(t, p, other, jobs.Channel(stop))
		synctest.Wait()
		failing.returns(errChannel)
		stopped(p)
		require.Nil(t, <-stop) // by who listens for the failed one
		p.UnregisterJob(failed)
		assert.Equal(t, []interface{}{nil}, received(stop), "the other's")
		other.returns(errChannel)
		assert.Zero(t, jobstest.InfoOf(t, p, id).Failures)
		jobstest.Advance(channelRestart)
		assert.Empty(t, received(stop))
		close(other.done)
	})
}

// What was made in a bubble must not be used from outside, also not when the bubble is over.
func TestChannelJobMayBeUnregisteredAfterItsBubble(t *testing.T) {
	var p *jobs.Pool
	var ids []string
	synctest.Test(t, func(t *testing.T) {
		p = jobs.NewPool(jobstest.Quiet)
		stop := make(chan interface{}, 1)
		for range 3 {
			id := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }}, jobs.Channel(stop), jobs.Detached())
			ids = append(ids, id)
		}
		ids = append(ids, jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { return errChannel }}, jobs.Channel(stop), jobs.Detached()))
		synctest.Wait()
		require.NoError(t, p.Shutdown(context.Background()))
	})
	for _, id := range ids {
		p.UnregisterJob(id)
	}
	assert.Zero(t, p.Info().Jobs)
}

// both is a ContextJob that listens to its stop channel only, as one does that is being moved over.
type both struct {
	jobstest.Stub
	stop chan interface{}
}

func (b both) ExecuteContext(context.Context) error { <-b.stop; return nil }

// A busyListener is a channel job that looks at its channel now and then.
func busyListener(stop chan interface{}, running *atomic.Int32) jobstest.Stub {
	return jobstest.Stub{ExecuteFunc: func() error {
		running.Add(1)
		defer running.Add(-1)
		for {
			select {
			case <-stop:
				return nil
			default:
				time.Sleep(100 * time.Millisecond)
			}
		}
	}}
}

func TestChannelSharedWithAContextJobThatTakesTheNilTheOtherIsToldToo(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		var running atomic.Int32
		jobstest.Register(t, p, both{stop: stop}, jobs.Channel(stop))
		jobstest.Register(t, p, busyListener(stop, &running), jobs.Channel(stop))
		for range 5 {
			jobstest.Advance(1050 * time.Millisecond)
			require.EqualValues(t, 1, running.Load())
			p.SetStatus(jobs.PoolStatusStopped)
			jobstest.Advance(5 * time.Second)
			require.Zero(t, running.Load())
			jobstest.Advance(30 * time.Second)
		}
	})
}

func TestChannelSharedThatWasRobbedOfItsNilIsToldAtShutdown(t *testing.T) {
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		stop := make(chan interface{})
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { <-stop; return nil }}, jobs.Channel(stop))
		busy := jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error { time.Sleep(10 * time.Second); <-stop; return nil }}, jobs.Channel(stop))
		jobstest.Advance(time.Second)
		p.UnregisterJob(busy) // and the other takes the nil, and that which replaces it
		jobstest.Advance(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		assert.NoError(t, p.Shutdown(ctx))
	})
}
