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
)

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
	m.id = register(t, c.p, stub{execute: func() error {
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
	tidies := func(stop chan interface{}) stub {
		return stub{execute: func() error {
			<-stop
			time.Sleep(2 * time.Second)
			return nil
		}}
	}
	t.Run("as the pool stops", func(t *testing.T) {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			id := register(t, p, tidies(stop), jobs.Channel(stop))
			other := newChannelWorker(nil)
			register(t, p, other, jobs.Channel(stop))
			synctest.Wait()
			stopped(p)
			other.returns(errChannel)
			pass(channelRestart)
			assert.Equal(t, "Running", p.GetStatus())
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
			close(other.done)
		})
	})
	t.Run("as the other is unregistered", func(t *testing.T) {
		withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
			id := register(t, p, tidies(stop), jobs.Channel(stop), jobs.Detached())
			other := newChannelWorker(nil)
			otherID := register(t, p, other, jobs.Channel(stop), jobs.Detached())
			synctest.Wait()
			p.UnregisterJob(otherID)
			synctest.Wait()
			other.returns(errChannel)
			pass(time.Hour)
			assert.Equal(t, "Running", p.GetJobStatus(id))
			assert.EqualValues(t, 2, infoOf(t, p, id).Executions)
		})
	})
}

func TestChannelSharedJobIsToldThoughAnotherStillTidiesUp(t *testing.T) {
	withCapacities(t, func(t *testing.T, p *jobs.Pool, stop chan interface{}) {
		register(t, p, stub{execute: func() error {
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
		register(t, p, stub{execute: func() error {
			<-stop
			return <-tidy
		}}, jobs.Channel(stop))
		synctest.Wait()
		stopped(p)
		p.SetStatus(jobs.PoolStatusRunning)
		synctest.Wait()
		deaf := register(t, p, deafTo(over, &none), jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		sibling := newChannelWorker(nil)
		register(t, p, sibling, jobs.Channel(stop), jobs.Detached())
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
			register(t, p, failing, jobs.Channel(stop), jobs.Detached())
			synctest.Wait()
			failing.returns(errChannel)
		}
		<-stop // one of two that listen
		synctest.Wait()
		next := newChannelWorker(nil)
		id := register(t, p, next, jobs.Channel(stop), jobs.Detached())
		synctest.Wait()
		next.returns(nil)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Len(t, received(stop), 1, "for the other that listens")
	})
}

func TestChannelSharedByManyLosesNone(t *testing.T) {
	for seed := range rounds(1000, 100000) {
		synctest.Test(t, func(t *testing.T) {
			c := &sharing{Rand: rand.New(rand.NewPCG(uint64(seed), 0)), start: time.Now(),
				p: jobs.NewPool(quiet, jobs.WithRetryInterval(time.Hour), jobs.WithStatusInterval(time.Hour))}
			c.stop = make(chan interface{}, c.IntN(3))
			for range 1 + c.IntN(4) {
				c.join(t)
			}
			synctest.Wait()
			for range 20 {
				c.act(t)
				synctest.Wait()
				if c.IntN(2) == 0 {
					pass(time.Duration(c.IntN(3)) * time.Second)
				}
				if c.IntN(4) == 0 {
					pass(10 * time.Second)
					require.Empty(t, c.look(), "seed %d:\n%s", seed, &c.story)
				}
			}
			for _, m := range c.members {
				c.p.UnregisterJob(m.id)
			}
			pass(10 * time.Second)
			assert.Empty(t, received(c.stop), "seed %d:\n%s", seed, &c.story)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.NoError(t, c.p.Shutdown(ctx), "seed %d:\n%s", seed, &c.story)
		})
	}
}
