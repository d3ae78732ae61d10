package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
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

// These tests start and stop from ten goroutines, fifty times each, as river's startstoptest does with each of
// its services: whatever can be started and stopped must bear that, and leave nothing. Every job is a puppet,
// which raises the alarm if an execution of it begins when none may.

// A startable is a kind of job that a puppet can be.
type startable struct {
	name    string
	trigger func(p *jobstest.Puppet) jobs.Trigger
	act     jobstest.Act
	opts    []jobs.JobOption
}

func always(trigger jobs.Trigger) func(*jobstest.Puppet) jobs.Trigger {
	return func(*jobstest.Puppet) jobs.Trigger { return trigger }
}

func itsChannel(p *jobstest.Puppet) jobs.Trigger { return jobs.Channel(p.Stop) }

var (
	detached   = []jobs.JobOption{jobs.Detached()}
	startables = []startable{
		{"single run", always(jobs.Once()), jobstest.Succeeds, nil},
		{"retry", always(jobs.Retry(3)), jobstest.Fails, nil},
		{"interval", always(jobs.Every(time.Millisecond)), jobstest.Succeeds, nil},
		{"scheduled", always(jobs.On(jobstest.Each(time.Millisecond))), jobstest.Succeeds, nil},
		{"channel", itsChannel, jobstest.Obeys, nil},
		{"detached interval", always(jobs.Every(time.Millisecond)), jobstest.Succeeds, detached},
		{"detached channel", itsChannel, jobstest.Obeys, detached},
		{"detached scheduled", always(jobs.On(jobstest.Each(time.Millisecond))), jobstest.Succeeds, detached},
	}
)

// start registers a puppet that is of that kind.
func (k startable) start(s *jobstest.Stage) *jobstest.Puppet {
	p := jobstest.NewPuppet(s.T, s.Pool, k.name)
	p.Executions.Next(k.act)
	return p.Register(k.trigger(p), k.opts...)
}

// tenByFifty has ten goroutines do something fifty times each.
func tenByFifty(f func(n int)) {
	var wg sync.WaitGroup
	for g := range 10 {
		wg.Go(func() {
			for n := range jobstest.Rounds(50, 1000) {
				f(g + n)
			}
		})
	}
	wg.Wait()
}

// start and stop is to register and to unregister.
func TestStressOfRegisteringAndUnregistering(t *testing.T) {
	for _, kind := range startables {
		t.Run(kind.name, func(t *testing.T) {
			jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
				goroutines := len(jobstest.BubbleGoroutines())
				tenByFifty(func(n int) {
					p := kind.start(s)
					time.Sleep(jobstest.AMoment(n)) // or not
					start := time.Now()
					p.Unregister()
					assert.Zero(t, time.Since(start), "it returns at once")
				})
				s.Advance(0)
				assert.Zero(t, s.Info().Jobs)
				assert.Zero(t, s.Info().Unstarted)
				assert.Zero(t, s.Departed())
				assert.Len(t, jobstest.BubbleGoroutines(), goroutines)
			})
		})
	}
}

// start and stop is to restart and to stop the pool, which all do at once, while jobs come and go.
func TestStressOfStoppingAndRestarting(t *testing.T) {
	for _, kind := range startables {
		t.Run(kind.name, func(t *testing.T) {
			jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
				lasting := kind.start(s)
				s.Puppets = append(s.Puppets, lasting)
				tenByFifty(func(n int) {
					p := kind.start(s)
					start := time.Now()
					jobstest.StopPool(s.Pool)
					assert.Zero(t, time.Since(start), "it returns at once")
					s.Look()
					p.Look()
					time.Sleep(jobstest.AMoment(n))
					s.SetStatus(jobs.PoolStatusRunning)
					time.Sleep(jobstest.AMoment(n + 1))
					p.Unregister()
				})
				s.SetStatus(jobs.PoolStatusRunning) // whoever came last
				s.Advance(time.Second)
				info := s.Info()
				assert.Equal(t, jobs.PoolStatusRunning, info.Status)
				assert.NotZero(t, info.Restarts)
				assert.Equal(t, 1, info.Jobs)
				assert.Zero(t, info.Unstarted)
				assert.Zero(t, s.Departed())
				before := jobstest.InfoOf(t, s.Pool, lasting.ID)
				s.Advance(time.Second)
				assert.Equal(t, before.Status, jobstest.InfoOf(t, s.Pool, lasting.ID).Status)
			})
		})
	}
}

// start and stop is to make a pool with a job of each kind, and to shut it down, from two sides.
func TestStressOfPools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goroutines := len(jobstest.BubbleGoroutines())
		tenByFifty(func(n int) {
			s := &jobstest.Stage{Pool: jobs.NewPool(jobstest.Quiet), T: t}
			for _, kind := range startables {
				s.Puppets = append(s.Puppets, kind.start(s))
			}
			time.Sleep(jobstest.AMoment(n))
			ended := make(chan error)
			go func() { ended <- s.Shutdown(context.Background()) }()
			assert.NoError(t, s.ShutdownWatched(context.Background()))
			assert.NoError(t, <-ended)
			assert.Equal(t, "Stopped", s.GetStatus())
		})
		jobstest.Advance(time.Hour)
		assert.Len(t, jobstest.BubbleGoroutines(), goroutines)
	})
}

// start and stop is to be executed, by RunNow or because it is due, and to be kept from that by the lock.
func TestStressOfLocksAndRunNow(t *testing.T) {
	for _, kind := range startables[2:4] {
		t.Run(kind.name, func(t *testing.T) {
			jobstest.OnStage(t, func(t *testing.T, s *jobstest.Stage) {
				p := kind.start(s)
				p.Executions.Next(jobstest.Succeeds.In(time.Millisecond))
				s.Advance(time.Millisecond)
				tenByFifty(func(n int) {
					_ = s.RunNow(p.ID)
					s.JobLock(p.ID)
					assert.Zero(t, p.Executions.InFlight(), "it holds its lock while it executes")
					time.Sleep(jobstest.AMoment(n))
					assert.Zero(t, p.Executions.InFlight())
					s.JobUnlock(p.ID)
				})
				require.NoError(t, s.RunNow(p.ID), fmt.Sprint(jobstest.InfoOf(t, s.Pool, p.ID)))
				s.Advance(2 * time.Millisecond)
				assert.Equal(t, "Running", s.GetJobStatus(p.ID))
				p.Unregister()
				s.Advance(time.Millisecond) // until what has just begun has ended
				assert.Zero(t, s.Departed())
			})
		})
	}
}

// A rhythm is a pool with many jobs that is stopped and restarted all the time, so that restarts meet moments at
// which jobs are due, and executions in flight.
type rhythm struct {
	jobstest.Gate
	p          *jobs.Pool
	born       time.Time
	failStatus atomic.Bool  // the culprit's Status fails
	failBeat   atomic.Bool  // executions fail
	listening  atomic.Int64 // channel jobs in flight
}

// onceALife is the name of the jobs that execute only once in each life of the pool.
const (
	onceALife = "once a life"
	listeners = 12
)

var errOffBeat = errors.New("out of step")

func failsIf(told *atomic.Bool) error {
	if told.Load() {
		return errOffBeat
	}
	return nil
}

func newRhythm(t *testing.T) *rhythm {
	r := &rhythm{Gate: jobstest.Gate{T: t}, born: time.Now(), p: jobs.NewPool(jobstest.Quiet,
		jobs.WithStatusInterval(2*time.Millisecond), jobs.WithRetryInterval(10*time.Millisecond))}
	r.p.SetClock(r.clock)
	once := jobs.WithName(onceALife)
	jobstest.Register(t, r.p, jobstest.Stub{StatusFunc: func() error { return failsIf(&r.failStatus) }}, jobs.Every(jobstest.ForAges), once)
	shared := make(chan interface{})
	for n := range listeners / 3 {
		own := make(chan interface{}, n%2)
		jobstest.Register(t, r.p, jobstest.Stub{ExecuteFunc: func() error { return listenOn(r, shared) }}, jobs.Channel(shared), once)
		jobstest.Register(t, r.p, jobstest.Stub{ExecuteFunc: func() error { return listenOn(r, own) }}, jobs.Channel(own), once)
		jobstest.Register(t, r.p, jobs.JobFunc(func(ctx context.Context) error { return listenOn(r, ctx.Done()) }), jobs.Channel(nil), once)
	}
	for range 200 {
		r.join()
	}
	return r
}

// clock is a wall clock that nobody sets.
func (r *rhythm) clock() time.Time { return r.born.Add(time.Since(r.born)) }

// join registers one more job, with an interval of its own.
func (r *rhythm) join() (b *beat, id string) {
	b = &beat{rhythm: r, interval: 20*time.Millisecond + rand.N(30*time.Millisecond), scheduled: rand.N(5) == 0}
	trigger := jobs.Every(b.interval)
	if b.scheduled {
		trigger = jobs.On(jobstest.Each(b.interval))
	}
	id, err := r.p.Register(b, trigger)
	assert.NoError(r.T, err)
	return b, id
}

// listenOn executes a channel job.
func listenOn[T any](r *rhythm, stop <-chan T) error {
	defer r.Enter("a channel job's Execute")()
	r.listening.Add(1)
	defer r.listening.Add(-1)
	<-stop
	return nil
}

// A beat is an interval or scheduled job that watches how it is executed.
type beat struct {
	*rhythm
	interval             time.Duration
	scheduled            bool // for all multiples of the interval
	execute, ready, lock jobstest.Alone
	readied              bool // asked once before: the first time it was not ready
	unregistered         atomic.Bool
	belated              atomic.Int32 // executions that began when it was unregistered

	// Of the last execution; only the next one reads it.
	begun, ended time.Time
	endedIn      int // the pool's life, told by its restarts
}

func (b *beat) Execute() error {
	begun := b.clock()
	defer b.Enter("Execute")()
	defer b.execute.Enter(b.T, "Execute", &b.ready)()
	defer b.lock.Enter(b.T, "Execute, with its lock,")()
	if b.unregistered.Load() && b.belated.Add(1) > 1 { // one may have been claimed before
		b.T.Error("a job is executed after it was unregistered")
	}
	b.checkBegin(begun)
	if rand.N(4) == 0 {
		time.Sleep(rand.N(5 * time.Millisecond))
	}
	b.endedIn = b.p.Info().Restarts
	b.begun, b.ended = begun, b.clock()
	return failsIf(&b.failBeat)
}

// checkBegin checks that the execution does not come too early after the last one. If that one has read the same
// life of the pool before its end, there was no restart since it had become one of this life: then there
// is the interval between the two. No occurrence of a schedule is executed twice, in any life.
func (b *beat) checkBegin(at time.Time) {
	life := b.p.Info().Restarts
	switch {
	case b.ended.IsZero():
	case b.scheduled:
		if next := jobstest.Each(b.interval).Next(b.begun); at.Before(next) {
			b.T.Errorf("a job scheduled for each %v was executed again %v too early", b.interval, next.Sub(at))
		}
	case life == b.endedIn && at.Sub(b.ended) < b.interval:
		b.T.Errorf("a job with an interval of %v was executed again after %v, in life %d of the pool", b.interval, at.Sub(b.ended), life)
	}
}

func (b *beat) Status() error { defer b.Enter("Status")(); return nil }

func (b *beat) Ready() bool {
	defer b.Enter("Ready")()
	defer b.ready.Enter(b.T, "Ready", &b.execute)()
	ready := b.readied || rand.N(2) == 0
	b.readied = true
	return ready
}

// joinAndLeave has a job come, perhaps while the pool is stopped, and go. In between its lock is taken.
func (r *rhythm) joinAndLeave() {
	b, id := r.join()
	time.Sleep(rand.N(30 * time.Millisecond))
	r.p.JobLock(id)
	leave := b.lock.Enter(r.T, "who holds a job's lock")
	time.Sleep(rand.N(30 * time.Millisecond))
	leave()
	r.p.JobUnlock(id)
	time.Sleep(rand.N(30 * time.Millisecond))
	r.p.UnregisterJob(id)
	b.unregistered.Store(true)
}

// executions returns how many executions of each job have begun.
func (r *rhythm) executions() map[string]uint64 {
	counts := make(map[string]uint64)
	for info := range r.p.Jobs() {
		counts[info.ID] = info.Executions
	}
	return counts
}

// stop has the pool stopped in one way or another, checks that nothing begins then, and has it restart, or
// waits for that.
func (r *rhythm) stop() {
	life := r.p.Info().Restarts
	switch rand.N(3) {
	case 0:
		jobstest.StopPool(r.p)
	case 1:
		r.failStatus.Store(true)
	case 2:
		r.failBeat.Store(true)
	}
	stopped := func() bool { info := r.p.Info(); return info.Status == jobs.PoolStatusStopped || info.Restarts > life }
	if !jobstest.Eventually(r.T, "the pool is stopped", stopped) {
		return
	}
	r.failStatus.Store(false) // not before: a call that began in an earlier life changes nothing
	r.failBeat.Store(false)
	r.checkStopped()
	time.Sleep(rand.N(20 * time.Millisecond))
	if rand.N(2) == 0 {
		r.p.SetStatus(jobs.PoolStatusRunning)
	}
	jobstest.Eventually(r.T, "the pool has restarted", func() bool { return r.p.Info().Restarts > life })
}

// checkStopped checks that no execution begins once the pool was seen Stopped, as long as it has not restarted.
func (r *rhythm) checkStopped() {
	seen := r.p.Info()
	before := r.executions()
	time.Sleep(rand.N(5 * time.Millisecond))
	after := r.executions()
	if seen.Status != jobs.PoolStatusStopped || r.p.Info().Restarts != seen.Restarts {
		return
	}
	for id, count := range after {
		if count != before[id] {
			r.T.Errorf("%d executions of a job began while the pool was Stopped", count-before[id])
		}
	}
}

// checkGoesOn checks that each job is executed again, and that all channel jobs are executing.
func (r *rhythm) checkGoesOn() {
	ctx, cancel := context.WithTimeout(context.Background(), jobstest.Patience)
	defer cancel()
	assert.NoError(r.T, r.p.WaitRunning(ctx))
	before := r.executions()
	jobstest.Eventually(r.T, "each job is executed again", func() bool {
		for info := range r.p.Jobs() {
			if info.Executions == before[info.ID] && info.Name != onceALife {
				return false
			}
		}
		return true
	})
	jobstest.Eventually(r.T, "all channel jobs are executing", func() bool { return r.listening.Load() == listeners })
}

func TestContentionOfRestarts(t *testing.T) {
	jobstest.Contend(t, func(t *testing.T, going func() bool) {
		rhythms := []*rhythm{newRhythm(t), newRhythm(t)}
		var wg sync.WaitGroup
		for _, r := range rhythms {
			for _, f := range []func(){r.stop, r.joinAndLeave} {
				wg.Go(func() {
					for going() {
						f()
					}
				})
			}
		}
		wg.Wait()
		for _, r := range rhythms {
			r.checkGoesOn()
			counts := slices.Collect(maps.Values(r.executions()))
			t.Logf("%d restarts, %d to %d executions of a job", r.p.Info().Restarts, slices.Min(counts), slices.Max(counts))
			r.ShutDown(r.p)
		}
	})
}
