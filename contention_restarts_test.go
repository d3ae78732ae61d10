package jobs_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

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
