package jobs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A queue is a pool in which few jobs execute at once, and what they note.
type queue struct {
	*jobs.Pool
	t *testing.T
	diary
	start time.Time
}

// inQueue runs f with a pool in which at most that many jobs execute at once.
func inQueue(t *testing.T, most int, f func(t *testing.T, q *queue), opts ...jobs.PoolOption) {
	t.Helper()
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		f(t, &queue{Pool: p, t: t, start: time.Now()})
	}, append(opts, jobs.WithMaxConcurrent(most))...)
}

// noteExecution notes that the execution of that name begins.
func (q *queue) noteExecution(name string) { q.note(fmt.Sprint(name, " ", time.Since(q.start))) }

// add registers a job that takes d, and lets it get to where it waits.
func (q *queue) add(name string, d time.Duration, trigger jobs.Trigger, opts ...jobs.JobOption) (id string) {
	q.t.Helper()
	id = jobstest.Register(q.t, q.Pool, jobstest.Stub{ExecuteFunc: func() error { q.noteExecution(name); jobstest.Take(d); return nil }},
		trigger, append(opts, jobs.WithName(name))...)
	jobstest.Advance(time.Millisecond)
	return id
}

// idOf returns the id of the job with that name.
func (q *queue) idOf(name string) string {
	for info := range q.Jobs() {
		if info.Name == name {
			return info.ID
		}
	}
	return ""
}

func (q *queue) reason(id string) jobs.Reason { return jobstest.InfoOf(q.t, q.Pool, id).Reason }

func TestWithMaxConcurrentAtMostThatManyExecuteAtOnce(t *testing.T) {
	for _, most := range []int{1, 3, 7} {
		t.Run(strconv.Itoa(most), func(t *testing.T) {
			jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
				var overlap jobstest.OverlapMeter
				executions := jobstest.NewTimeline()
				job := func(err error) jobs.Job {
					return jobstest.Stub{ExecuteFunc: func() error { executions.Mark(); overlap.During(time.Second); return err }}
				}
				for range 5 {
					jobstest.Register(t, p, job(nil), jobs.Once())
					jobstest.Register(t, p, job(jobstest.ErrBroken), jobs.Retry(2))
					jobstest.Register(t, p, job(nil), jobs.Every(jobstest.ForAges))
					jobstest.Register(t, p, job(jobstest.ErrBroken), jobs.Every(jobstest.ForAges), jobs.Detached())
					jobstest.Register(t, p, job(nil), jobs.On(jobstest.OnceIn(time.Second)), jobs.Detached())
				}
				jobstest.Advance(time.Minute)
				assert.Equal(t, most, overlap.Highest())
				assert.Len(t, executions.Moments(), 30)
			}, jobs.WithMaxConcurrent(most))
		})
	}
}

func TestWithMaxConcurrentChannelJobsDoNotCount(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		for range 3 {
			jobstest.Register(t, q.Pool, jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil }), jobs.Channel(nil))
		}
		a, b := q.add("a", time.Second, jobs.Once()), q.add("b", time.Second, jobs.Once())
		assert.Empty(t, q.reason(a))
		assert.Equal(t, jobs.ReasonConcurrency, q.reason(b))
		for info := range q.Jobs() {
			assert.Equal(t, info.ID == b, info.NotExecuting != "")
		}
	})
}

func TestWithMaxConcurrentTheOthersWaitInOrderAndSaySo(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		ids := []string{
			q.add("a", time.Second, jobs.Once()),
			q.add("b", time.Second, jobs.Every(jobstest.ForAges)),
			q.add("c", time.Second, jobs.Retry(2)),
			q.add("d", time.Second, jobs.Every(jobstest.ForAges), jobs.Detached()),
			q.add("e", time.Second, jobs.Once()),
		}
		for i, id := range ids {
			info := jobstest.InfoOf(t, q.Pool, id)
			assert.Equal(t, i > 0, info.Reason == jobs.ReasonConcurrency)
			if i > 0 {
				assert.Equal(t, "it waits until fewer jobs execute", info.NotExecuting)
				assert.Zero(t, info.Executions)
				assert.Equal(t, jobs.JobStatusRunning, info.Status)
				assertDecodes(t, info)
				gate := gateOf(t, q.Pool, id, jobs.GateConcurrency)
				assert.Equal(t, []any{false, "the end of another job's execution"}, []any{gate.Open, gate.Opens})
			}
		}
		jobstest.Advance(time.Minute)
		assert.Equal(t, []string{"a 0s", "b 1s", "c 2s", "d 3s", "e 4s"}, q.all())
	})
}

func TestWithMaxConcurrentTheWaitDoesNotCountTowardsTheTimeout(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		q.add("a", 10*time.Second, jobs.Once())
		id := q.add("b", 2*time.Second, jobs.Every(jobstest.ForAges), jobs.WithJobTimeout(3*time.Second))
		jobstest.Advance(time.Minute)
		info := jobstest.InfoOf(t, q.Pool, id)
		assert.Equal(t, jobs.OutcomeSuccess, info.LastOutcome)
		assert.Equal(t, 2*time.Second, info.LastDuration)
		assert.Equal(t, 10*time.Second, info.LastStart.Sub(q.start))
	})
}

func TestWithMaxConcurrentWhateverEndsAnExecutionGivesItsTurnOn(t *testing.T) {
	for _, m := range mishaps {
		t.Run(m.name, func(t *testing.T) {
			inQueue(t, 1, func(t *testing.T, q *queue) {
				jobstest.Register(t, q.Pool, jobstest.Stub{ExecuteFunc: func() error { jobstest.Take(time.Second); m.do(); return nil }}, jobs.Once())
				jobstest.Advance(time.Millisecond)
				q.add("b", 0, jobs.Once())
				jobstest.Advance(time.Minute)
				assert.Equal(t, []string{"b 1s"}, q.all())
			})
		})
	}
}

func TestWithMaxConcurrentALateExecutionKeepsItsTurnUntilItReturnsOrIsAbandoned(t *testing.T) {
	for name, c := range map[string]struct {
		opts []jobs.PoolOption
		want []string
	}{
		"returns":      {nil, []string{"b 20s"}},
		"is abandoned": {[]jobs.PoolOption{jobs.WithAbandonAfter(5 * time.Second)}, []string{"b 6s"}},
	} {
		t.Run(name, func(t *testing.T) {
			inQueue(t, 1, func(t *testing.T, q *queue) {
				jobstest.Register(t, q.Pool, jobstest.Lasting(20*time.Second, nil), jobs.Once(), jobs.WithJobTimeout(time.Second))
				jobstest.Advance(time.Millisecond)
				q.add("b", 0, jobs.Once())
				jobstest.Advance(time.Minute)
				assert.Equal(t, c.want, q.all())
				q.add("c", 5*time.Second, jobs.Once())
				q.add("d", 0, jobs.Once())
				jobstest.Advance(time.Second)
				assert.Len(t, q.all(), len(c.want)+1, "what was abandoned does not give its turn on twice")
			}, c.opts...)
		})
	}
}

func TestWithMaxConcurrentAJobThatWaitsDoesNotHoldItsLock(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		locked := jobstest.NewTimeline()
		first := jobstest.Register(t, q.Pool, jobstest.Stub{ExecuteFunc: func() error {
			jobstest.Take(time.Second) // until the other waits
			other := q.idOf("other")
			q.JobLock(other)
			locked.Mark()
			q.JobUnlock(other)
			return nil
		}}, jobs.Every(jobstest.ForAges))
		jobstest.Advance(time.Millisecond)
		other := q.add("other", 0, jobs.Every(jobstest.ForAges))
		assert.Equal(t, jobs.ReasonConcurrency, q.reason(other))
		jobstest.Advance(time.Minute)
		assert.Equal(t, jobstest.Seconds(1), locked.Moments())
		assert.Equal(t, []string{"other 1s"}, q.all())
		assert.EqualValues(t, 1, jobstest.InfoOf(t, q.Pool, first).Executions)
	})
}

func TestWithMaxConcurrentAJobWhoseTurnComesWhileItIsLockedGivesItOnAndKeepsItsPlace(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		q.add("a", 10*time.Second, jobs.Once())
		b := q.add("b", 0, jobs.Every(jobstest.ForAges))
		q.JobLock(b)
		q.add("c", 10*time.Second, jobs.Once())
		q.add("d", 0, jobs.Once())
		jobstest.Advance(15 * time.Second)
		assert.Equal(t, []string{"a 0s", "c 10s"}, q.all())
		assert.Equal(t, jobs.ReasonLocked, q.reason(b))
		q.JobUnlock(b)
		jobstest.Advance(0)
		assert.Equal(t, jobs.ReasonConcurrency, q.reason(b))
		jobstest.Advance(time.Minute)
		assert.Equal(t, []string{"a 0s", "c 10s", "b 20s", "d 20s"}, q.all())
	})
}

func TestWithMaxConcurrentAJobWhoseTurnComesWhileItIsAskedGivesItOnAndKeepsItsPlace(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		q.add("a", 10*time.Second, jobs.Once())
		asked := 0
		b := jobstest.Register(t, q.Pool, jobstest.Stub{
			ExecuteFunc: func() error { q.noteExecution("b"); return nil },
			ReadyFunc: func() bool {
				if asked++; asked == 2 {
					jobstest.Take(15 * time.Second)
				}
				return true
			},
		}, jobs.Once())
		jobstest.Advance(time.Millisecond)
		q.add("c", 10*time.Second, jobs.Once())
		q.add("d", 0, jobs.Once())
		go q.GetJob(b).Ready()
		jobstest.Advance(time.Minute)
		assert.Equal(t, []string{"a 0s", "c 10s", "b 20s", "d 20s"}, q.all())
	})
}

func TestWithMaxConcurrentAJobThatWaitsAndIsGoneGivesItsTurnOn(t *testing.T) {
	for name, end := range map[string]func(q *queue, id string){
		"unregistered":       func(q *queue, id string) { q.UnregisterJob(id) },
		"paused":             func(q *queue, id string) { require.NoError(t, q.Pause(id, "not now")) },
		"its pool stopped":   func(q *queue, _ string) { q.SetStatus(jobs.PoolStatusStopped) },
		"stopped and locked": func(q *queue, id string) { q.JobLock(id); q.SetStatus(jobs.PoolStatusStopped) },
	} {
		t.Run(name, func(t *testing.T) {
			inQueue(t, 1, func(t *testing.T, q *queue) {
				q.add("a", time.Second, jobs.Once())
				b := q.add("b", 0, jobs.Every(jobstest.ForAges))
				q.add("c", time.Second, jobs.Once())
				q.add("d", time.Second, jobs.Every(jobstest.ForAges), jobs.Detached())
				end(q, b)
				jobstest.Advance(5 * time.Second)
				assert.Equal(t, []string{"a 0s", "c 1s", "d 2s"}, q.all())
				q.JobUnlock(b)
			})
		})
	}
}

func TestWithMaxConcurrentTheGoroutinesOfJobsThatWaitEndWithThem(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		q.add("a", time.Second, jobs.Once())
		goroutines := len(jobstest.BubbleGoroutines())
		var ids []string
		for range 10 {
			ids = append(ids, q.add("b", 0, jobs.Every(jobstest.ForAges)))
		}
		assert.Len(t, jobstest.BubbleGoroutines(), goroutines+10)
		for _, id := range ids[:5] {
			q.UnregisterJob(id)
		}
		jobstest.Advance(0)
		assert.Len(t, jobstest.BubbleGoroutines(), goroutines+5)
		assert.Zero(t, q.Departed())
		jobstest.ShutDownNow(q.Pool)
		jobstest.Advance(0)
		assert.Len(t, jobstest.BubbleGoroutines(), goroutines)
		assert.Equal(t, []string{"a 0s"}, q.all())
	})
}

func TestWithMaxConcurrentAJobThatWaitedThroughAStopExecutesOnceInTheNewLife(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		q.add("a", time.Minute, jobs.Once())
		b := q.add("b", 0, jobs.Every(time.Hour))
		jobstest.StopPool(q.Pool)
		assert.Equal(t, jobs.ReasonStopped, q.reason(b))
		jobstest.Advance(30 * time.Second)
		require.Equal(t, "Running", q.GetStatus())
		assert.Equal(t, jobs.ReasonConcurrency, q.reason(b))
		jobstest.Advance(30 * time.Minute)
		assert.Equal(t, []string{"a 0s", "b 1m0s"}, q.all())
	})
}

func TestWithMaxConcurrentRunNowOfAJobThatWaitsIsAnotherExecution(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		q.add("a", time.Second, jobs.Once())
		b := q.add("b", 0, jobs.Every(jobstest.ForAges))
		require.NoError(t, q.RunNow(b))
		require.NoError(t, q.RunNow(b))
		jobstest.Advance(time.Minute)
		assert.Equal(t, []string{"a 0s", "b 1s", "b 1s"}, q.all())
	})
}

func TestWithMaxConcurrentARetryJobWaitsForItsNextAttemptWithoutATurn(t *testing.T) {
	inQueue(t, 1, func(t *testing.T, q *queue) {
		jobstest.Register(t, q.Pool, jobstest.Stub{ExecuteFunc: func() error { q.noteExecution("a"); return jobstest.ErrBroken }},
			jobs.Retry(2), jobs.WithRetryBackoff(time.Minute, time.Minute))
		jobstest.Advance(time.Millisecond)
		q.add("b", 0, jobs.Once())
		jobstest.Advance(2 * time.Minute)
		assert.Equal(t, []string{"a 0s", "b 1ms", "a 1m0s"}, q.all())
	})
}

func TestWithMaxConcurrentBelowOneIsABadOption(t *testing.T) {
	for _, most := range []int{0, -1} {
		_, err := jobs.NewPool(jobstest.Quiet, jobs.WithMaxConcurrent(most)).Register(jobstest.Stub{}, jobs.Once())
		require.ErrorIs(t, err, jobs.ErrRegisteringJob)
		assert.ErrorContains(t, err, fmt.Sprintf("WithMaxConcurrent(%d)", most))
	}
}

func TestWithMaxConcurrentOneOptionIsGoodForSeveralPools(t *testing.T) {
	opt := jobs.WithMaxConcurrent(1)
	synctest.Test(t, func(t *testing.T) {
		for range 2 {
			p := jobs.NewPool(jobstest.Quiet, opt)
			id := jobstest.Register(t, p, jobstest.Lasting(time.Second, nil), jobs.Once())
			jobstest.Advance(0)
			assert.Empty(t, jobstest.InfoOf(t, p, id).Reason)
			defer func() { require.NoError(t, p.Shutdown(context.Background())) }()
		}
	})
}

// The order in which turns are given to jobs that nothing else keeps from executing is that in which they came, however
// many come and go.
func TestWithMaxConcurrentTheOrderHoldsForManyJobs(t *testing.T) {
	for seed := range uint64(jobstest.Rounds(20, 2000)) {
		random := rand.New(rand.NewPCG(seed, 0))
		inQueue(t, 1+random.IntN(4), func(t *testing.T, q *queue) {
			var want []string
			for n := range 50 {
				name := strconv.Itoa(n)
				id := jobstest.Register(t, q.Pool, jobstest.Stub{ExecuteFunc: func() error { q.note(name); jobstest.Take(time.Second); return nil }}, jobs.Once())
				jobstest.Advance(time.Millisecond)
				if q.reason(id) == jobs.ReasonConcurrency && random.IntN(3) == 0 {
					q.UnregisterJob(id)
					continue
				}
				want = append(want, name)
			}
			jobstest.Advance(time.Hour)
			assert.Equal(t, want, q.all(), "seed %d", seed)
		})
	}
}

// A tangle is jobs that execute in a queue and have to do with each other meanwhile.
type tangle struct {
	*queue
	overlap jobstest.OverlapMeter
	calm    jobstest.Fault // absent while they are to behave

	mu     sync.Mutex // guards what follows
	random *rand.Rand
	ids    []string
}

func (g *tangle) number(n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.random.IntN(n)
}

// other returns the id of a job with a higher number: so no two lock each other.
func (g *tangle) other(n int) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n+1 == len(g.ids) {
		return ""
	}
	return g.ids[n+1+g.random.IntN(len(g.ids)-n-1)]
}

func (g *tangle) set(n int, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ids[n] = id
}

// execute is an execution of job n.
func (g *tangle) execute(n int) error {
	g.overlap.During(time.Duration(g.number(30)) * time.Millisecond)
	if g.calm.Absent() {
		return nil
	}
	switch other := g.other(n); g.number(12) {
	case 0:
		g.JobLock(other)
		g.overlap.During(time.Duration(g.number(30)) * time.Millisecond)
		g.JobUnlock(other)
	case 1:
		if j := g.GetJob(other); j != nil {
			j.Ready()
		}
	case 2:
		_ = g.RunNow(other)
	case 3:
		_ = g.Pause(other, "not now")
	case 4:
		_ = g.Resume(other)
	case 5:
		return jobstest.ErrBroken
	case 6:
		panic(jobstest.ErrBroken)
	case 7:
		g.SetStatus(jobs.PoolStatus(g.number(3)))
	case 8:
		_ = g.Cancel(other)
	}
	return nil
}

func (g *tangle) ready(n int) bool {
	if g.calm.Absent() {
		return true
	}
	if other := g.other(n); g.number(5) == 0 { // an execution may hold it, and go on only when this has returned
		g.JobLock(other)
		defer g.JobUnlock(other)
	}
	jobstest.Take(time.Duration(g.number(20)) * time.Millisecond)
	return g.number(4) > 0
}

func (g *tangle) job(n int) jobs.Job {
	s := jobstest.Stub{ExecuteFunc: func() error { return g.execute(n) }, ReadyFunc: func() bool { return g.ready(n) }}
	if n%2 == 0 {
		return inContext(s)
	}
	return s
}

func TestWithMaxConcurrentNothingHangsWhateverJobsDoToEachOther(t *testing.T) {
	for seed := range uint64(jobstest.Rounds(60/jobstest.RaceFactor, 5000)) {
		most := 1 + int(seed%4)
		inQueue(t, most, func(t *testing.T, q *queue) {
			g := &tangle{queue: q, random: rand.New(rand.NewPCG(seed, 1)), ids: make([]string, 12)}
			g.calm.Set()
			for i := range g.ids {
				trigger := []jobs.Trigger{jobs.Every(20 * time.Millisecond), jobs.On(jobstest.Each(50 * time.Millisecond)), jobs.Every(time.Millisecond)}[i%3]
				var opts []jobs.JobOption
				if i%4 == 0 {
					opts = append(opts, jobs.Detached())
				}
				if i%5 == 0 {
					opts = append(opts, jobs.WithRetries(2, time.Millisecond, time.Millisecond))
				}
				g.set(i, jobstest.Register(t, q.Pool, g.job(i), trigger, opts...))
			}
			jobstest.Advance(5 * time.Second)
			g.calm.Clear()
			for _, id := range g.ids {
				_ = q.Resume(id)
			}
			for range 2 { // the first may be refused by an answer that was on its way
				jobstest.Advance(time.Second)
				q.SetStatus(jobs.PoolStatusRunning)
			}
			jobstest.Advance(time.Second)
			before := map[string]uint64{}
			for info := range q.Jobs() {
				before[info.ID] = info.Executions
			}
			jobstest.Advance(2 * time.Second)
			for info := range q.Jobs() {
				assert.Greater(t, info.Executions, before[info.ID], "seed %d: %+v", seed, info)
			}
			assert.LessOrEqual(t, g.overlap.Highest(), most, "seed %d", seed)
		}, jobs.WithStatusInterval(100*time.Millisecond), jobs.WithRetryInterval(100*time.Millisecond))
		if t.Failed() {
			return
		}
	}
}

func TestWithMaxConcurrentASlotIsFreeAgainAfterAll(t *testing.T) {
	inQueue(t, 2, func(t *testing.T, q *queue) {
		for round := range 3 {
			for range 10 {
				q.add("x", time.Second, jobs.Once())
			}
			jobstest.Advance(time.Minute)
			assert.Len(t, q.all(), 10*(round+1))
		}
		for n := range 3 {
			id := q.add("y", time.Second, jobs.Once())
			assert.Equal(t, n == 2, q.reason(id) == jobs.ReasonConcurrency)
		}
	})
}
