package stress

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A sweptPool is swept without pause. A Status hangs now and then, and always when its caller must have been
// off the processor on the way to it: whatever that has missed meanwhile, the time limit must hold.
type sweptPool struct {
	jobstest.Gate
	p     *jobs.Pool
	last  atomic.Int64 // the number of the job that was asked last
	calls atomic.Int64
	hung  atomic.Int64
	over  atomic.Bool // nothing is to hang any more
}

func newSweptPool(t *testing.T) *sweptPool {
	s := &sweptPool{Gate: jobstest.Gate{T: t}, p: jobs.NewPool(jobstest.Quiet, jobs.WithStatusInterval(time.Microsecond),
		jobs.WithRetryInterval(time.Microsecond), jobs.WithExecutionTimeout(3*time.Millisecond))}
	for number := range 100 {
		name := fmt.Sprint("number ", number)
		jobstest.Register(t, s.p, &swept{pool: s, number: int64(number), name: name}, jobs.Every(jobstest.ForAges), jobs.WithName(name))
	}
	return s
}

// A swept is one of its jobs. They are asked in the order of their numbers.
type swept struct {
	jobstest.Stub
	pool   *sweptPool
	number int64
	name   string
	status jobstest.Alone
}

func (s *swept) Status() error {
	pool := s.pool
	defer pool.Enter("Status")()
	defer s.status.Enter(pool.T, "Status")()
	pool.calls.Add(1)
	overtaken := pool.last.Swap(s.number) > s.number && s.number > 0
	if overtaken || rand.N(50_000) == 0 {
		pool.hung.Add(1)
		jobstest.Eventually(pool.T, "a Status that hangs is late, and has stopped its pool", s.holdsUp)
	}
	return nil
}

// holdsUp reports whether a late call of the job keeps the pool from restarting; or nothing does any more.
func (s *swept) holdsUp() bool {
	return s.pool.over.Load() || slices.ContainsFunc(s.pool.p.Info().HeldUpBy, func(h jobs.HoldUp) bool {
		return h.Name == s.name && h.Reason == jobs.ReasonStatusLate
	})
}

func TestContentionOfSweeps(t *testing.T) {
	jobstest.Contend(t, func(t *testing.T, going func() bool) {
		var pools []*sweptPool
		for range runtime.GOMAXPROCS(0) {
			pools = append(pools, newSweptPool(t))
		}
		for going() {
			time.Sleep(10 * time.Millisecond)
		}
		var calls, hung int64
		for _, s := range pools {
			before := s.calls.Load()
			jobstest.Eventually(t, "a pool is swept again", func() bool { return s.calls.Load() > before })
			s.over.Store(true)
			s.ShutDown(s.p)
			calls, hung = calls+s.calls.Load(), hung+s.hung.Load()
		}
		t.Logf("%d pools, %d calls of Status, of which %d hung", len(pools), calls, hung)
	})
}
