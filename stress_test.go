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
)

// These tests start and stop from ten goroutines, fifty times each, as river's startstoptest does with each of
// its services: whatever can be started and stopped must bear that, and leave nothing. Every job is a puppet,
// which raises the alarm if an execution of it begins when none may.

// A startable is a kind of job that a puppet can be.
type startable struct {
	name    string
	trigger func(p *puppet) jobs.Trigger
	act     act
	opts    []jobs.JobOption
}

func always(trigger jobs.Trigger) func(*puppet) jobs.Trigger {
	return func(*puppet) jobs.Trigger { return trigger }
}

func itsChannel(p *puppet) jobs.Trigger { return jobs.Channel(p.stop) }

var (
	detached   = []jobs.JobOption{jobs.Detached()}
	startables = []startable{
		{"single run", always(jobs.Once()), succeeds, nil},
		{"retry", always(jobs.Retry(3)), fails, nil},
		{"interval", always(jobs.Every(time.Millisecond)), succeeds, nil},
		{"scheduled", always(jobs.On(each(time.Millisecond))), succeeds, nil},
		{"channel", itsChannel, obeys, nil},
		{"detached interval", always(jobs.Every(time.Millisecond)), succeeds, detached},
		{"detached channel", itsChannel, obeys, detached},
		{"detached scheduled", always(jobs.On(each(time.Millisecond))), succeeds, detached},
	}
)

// start registers a puppet that is of that kind.
func (k startable) start(s *stage) *puppet {
	p := newPuppet(s.t, s.Pool, k.name)
	p.execution.next(k.act)
	return p.register(k.trigger(p), k.opts...)
}

// tenByFifty has ten goroutines do something fifty times each.
func tenByFifty(f func(n int)) {
	var wg sync.WaitGroup
	for g := range 10 {
		wg.Go(func() {
			for n := range rounds(50, 1000) {
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
			onStage(t, func(t *testing.T, s *stage) {
				goroutines := len(bubbleGoroutines())
				tenByFifty(func(n int) {
					p := kind.start(s)
					time.Sleep(aMoment(n)) // or not
					start := time.Now()
					p.unregister()
					assert.Zero(t, time.Since(start), "it returns at once")
				})
				s.pass(0)
				assert.Zero(t, s.Info().Jobs)
				assert.Zero(t, s.Info().Unstarted)
				assert.Zero(t, s.Departed())
				assert.Len(t, bubbleGoroutines(), goroutines)
			})
		})
	}
}

// start and stop is to restart and to stop the pool, which all do at once, while jobs come and go.
func TestStressOfStoppingAndRestarting(t *testing.T) {
	for _, kind := range startables {
		t.Run(kind.name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage) {
				lasting := kind.start(s)
				s.puppets = append(s.puppets, lasting)
				tenByFifty(func(n int) {
					p := kind.start(s)
					start := time.Now()
					stopPool(s.Pool)
					assert.Zero(t, time.Since(start), "it returns at once")
					s.look()
					p.look()
					time.Sleep(aMoment(n))
					s.SetStatus(jobs.PoolStatusRunning)
					time.Sleep(aMoment(n + 1))
					p.unregister()
				})
				s.SetStatus(jobs.PoolStatusRunning) // whoever came last
				s.pass(time.Second)
				info := s.Info()
				assert.Equal(t, jobs.PoolStatusRunning, info.Status)
				assert.NotZero(t, info.Restarts)
				assert.Equal(t, 1, info.Jobs)
				assert.Zero(t, info.Unstarted)
				assert.Zero(t, s.Departed())
				before := infoOf(t, s.Pool, lasting.id)
				s.pass(time.Second)
				assert.Equal(t, before.Status, infoOf(t, s.Pool, lasting.id).Status)
			})
		})
	}
}

// start and stop is to make a pool with a job of each kind, and to shut it down, from two sides.
func TestStressOfPools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goroutines := len(bubbleGoroutines())
		tenByFifty(func(n int) {
			s := &stage{Pool: jobs.NewPool(quiet), t: t}
			for _, kind := range startables {
				s.puppets = append(s.puppets, kind.start(s))
			}
			time.Sleep(aMoment(n))
			ended := make(chan error)
			go func() { ended <- s.Shutdown(context.Background()) }()
			assert.NoError(t, s.shutdown(context.Background()))
			assert.NoError(t, <-ended)
			assert.Equal(t, "Stopped", s.GetStatus())
		})
		pass(time.Hour)
		assert.Len(t, bubbleGoroutines(), goroutines)
	})
}

// start and stop is to be executed, by RunNow or because it is due, and to be kept from that by the lock.
func TestStressOfLocksAndRunNow(t *testing.T) {
	for _, kind := range startables[2:4] {
		t.Run(kind.name, func(t *testing.T) {
			onStage(t, func(t *testing.T, s *stage) {
				p := kind.start(s)
				p.execution.next(succeeds.in(time.Millisecond))
				s.pass(time.Millisecond)
				tenByFifty(func(n int) {
					_ = s.RunNow(p.id)
					s.JobLock(p.id)
					assert.Zero(t, p.execution.inFlight(), "it holds its lock while it executes")
					time.Sleep(aMoment(n))
					assert.Zero(t, p.execution.inFlight())
					s.JobUnlock(p.id)
				})
				require.NoError(t, s.RunNow(p.id), fmt.Sprint(infoOf(t, s.Pool, p.id)))
				s.pass(2 * time.Millisecond)
				assert.Equal(t, "Running", s.GetJobStatus(p.id))
				p.unregister()
				s.pass(time.Millisecond) // until what has just begun has ended
				assert.Zero(t, s.Departed())
			})
		})
	}
}

// A rhythm is a pool with many jobs that is stopped and restarted all the time, so that restarts meet moments at
// which jobs are due, and executions in flight.
type rhythm struct {
	gate
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
	r := &rhythm{gate: gate{t: t}, born: time.Now(), p: jobs.NewPool(quiet,
		jobs.WithStatusInterval(2*time.Millisecond), jobs.WithRetryInterval(10*time.Millisecond))}
	r.p.SetClock(r.clock)
	once := jobs.WithName(onceALife)
	register(t, r.p, stub{status: func() error { return failsIf(&r.failStatus) }}, jobs.Every(forAges), once)
	shared := make(chan interface{})
	for n := range listeners / 3 {
		own := make(chan interface{}, n%2)
		register(t, r.p, stub{execute: func() error { return listenOn(r, shared) }}, jobs.Channel(shared), once)
		register(t, r.p, stub{execute: func() error { return listenOn(r, own) }}, jobs.Channel(own), once)
		register(t, r.p, jobs.JobFunc(func(ctx context.Context) error { return listenOn(r, ctx.Done()) }), jobs.Channel(nil), once)
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
		trigger = jobs.On(each(b.interval))
	}
	id, err := r.p.Register(b, trigger)
	assert.NoError(r.t, err)
	return b, id
}

// listenOn executes a channel job.
func listenOn[T any](r *rhythm, stop <-chan T) error {
	defer r.enter("a channel job's Execute")()
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
	execute, ready, lock alone
	readied              bool // asked once before: the first time it was not ready
	unregistered         atomic.Bool
	belated              atomic.Int32 // executions that began when it was unregistered

	// Of the last execution; only the next one reads it.
	begun, ended time.Time
	endedIn      int // the pool's life, told by its restarts
}

func (b *beat) Execute() error {
	begun := b.clock()
	defer b.enter("Execute")()
	defer b.execute.enter(b.t, "Execute", &b.ready)()
	defer b.lock.enter(b.t, "Execute, with its lock,")()
	if b.unregistered.Load() && b.belated.Add(1) > 1 { // one may have been claimed before
		b.t.Error("a job is executed after it was unregistered")
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
		if next := each(b.interval).Next(b.begun); at.Before(next) {
			b.t.Errorf("a job scheduled for each %v was executed again %v too early", b.interval, next.Sub(at))
		}
	case life == b.endedIn && at.Sub(b.ended) < b.interval:
		b.t.Errorf("a job with an interval of %v was executed again after %v, in life %d of the pool", b.interval, at.Sub(b.ended), life)
	}
}

func (b *beat) Status() error { defer b.enter("Status")(); return nil }

func (b *beat) Ready() bool {
	defer b.enter("Ready")()
	defer b.ready.enter(b.t, "Ready", &b.execute)()
	ready := b.readied || rand.N(2) == 0
	b.readied = true
	return ready
}

// joinAndLeave has a job come, perhaps while the pool is stopped, and go. In between its lock is taken.
func (r *rhythm) joinAndLeave() {
	b, id := r.join()
	time.Sleep(rand.N(30 * time.Millisecond))
	r.p.JobLock(id)
	leave := b.lock.enter(r.t, "who holds a job's lock")
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
		stopPool(r.p)
	case 1:
		r.failStatus.Store(true)
	case 2:
		r.failBeat.Store(true)
	}
	stopped := func() bool { info := r.p.Info(); return info.Status == jobs.PoolStatusStopped || info.Restarts > life }
	if !eventually(r.t, "the pool is stopped", stopped) {
		return
	}
	r.failStatus.Store(false) // not before: a call that began in an earlier life changes nothing
	r.failBeat.Store(false)
	r.checkStopped()
	time.Sleep(rand.N(20 * time.Millisecond))
	if rand.N(2) == 0 {
		r.p.SetStatus(jobs.PoolStatusRunning)
	}
	eventually(r.t, "the pool has restarted", func() bool { return r.p.Info().Restarts > life })
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
			r.t.Errorf("%d executions of a job began while the pool was Stopped", count-before[id])
		}
	}
}

// checkGoesOn checks that each job is executed again, and that all channel jobs are executing.
func (r *rhythm) checkGoesOn() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	assert.NoError(r.t, r.p.WaitRunning(ctx))
	before := r.executions()
	eventually(r.t, "each job is executed again", func() bool {
		for info := range r.p.Jobs() {
			if info.Executions == before[info.ID] && info.Name != onceALife {
				return false
			}
		}
		return true
	})
	eventually(r.t, "all channel jobs are executing", func() bool { return r.listening.Load() == listeners })
}

func TestContentionOfRestarts(t *testing.T) {
	contend(t, func(t *testing.T, going func() bool) {
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
			r.shutDown(r.p)
		}
	})
}
