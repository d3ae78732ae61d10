package stress

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A narrow is a pool in which few jobs execute at once, many of which want to, and get in each other's way.
type narrow struct {
	jobstest.Gate
	p       *jobs.Pool
	most    int64
	inside  atomic.Int64
	ids     []string
	orderly atomic.Bool

	registered chan struct{} // closed when ids is complete
}

func newNarrow(t *testing.T) *narrow {
	most := 1 + rand.N(4)
	n := &narrow{Gate: jobstest.Gate{T: t}, most: int64(most), p: jobs.NewPool(jobstest.Quiet, jobs.WithMaxConcurrent(most),
		jobs.WithStatusInterval(time.Millisecond), jobs.WithRetryInterval(time.Millisecond))}
	n.ids = make([]string, 30)
	n.registered = make(chan struct{})
	defer close(n.registered)
	for i := range n.ids {
		var opts []jobs.JobOption
		if i%3 == 0 {
			opts = append(opts, jobs.Detached())
		}
		n.ids[i] = jobstest.Register(t, n.p, &squeezed{narrow: n, number: i}, jobs.Every(10*time.Microsecond), opts...)
	}
	return n
}

// A squeezed is one of its jobs. It has to do only with those of higher numbers, so that no two wait for each other.
type squeezed struct {
	jobstest.Stub
	*narrow
	number         int
	execute, ready jobstest.Alone
}

func (s *squeezed) other() string {
	if s.number+1 == len(s.ids) {
		return ""
	}
	return s.ids[s.number+1+rand.N(len(s.ids)-s.number-1)]
}

func (s *squeezed) Execute() error {
	<-s.registered
	defer s.Enter("Execute")()
	defer s.execute.Enter(s.T, "Execute", &s.ready)()
	if n := s.inside.Add(1); n > s.most {
		s.T.Errorf("%d executions at once, want %d", n, s.most)
	}
	defer s.inside.Add(-1)
	if s.orderly.Load() {
		return nil
	}
	switch rand.N(200) {
	case 0:
		return errMob
	case 1:
		panic(errMob)
	case 2, 3:
		other := s.other()
		s.p.JobLock(other)
		defer s.p.JobUnlock(other)
	case 4, 5:
		if j := s.p.GetJob(s.other()); j != nil {
			j.Ready()
		}
	case 6:
		_ = s.p.RunNow(s.other())
	case 7:
		s.p.SetStatus(jobs.PoolStatusStopped)
	case 8:
		time.Sleep(rand.N(time.Millisecond))
	}
	return nil
}

func (s *squeezed) Ready() bool {
	<-s.registered
	defer s.Enter("Ready")()
	defer s.ready.Enter(s.T, "Ready", &s.execute)()
	if other := s.other(); !s.orderly.Load() && rand.N(10) == 0 {
		s.p.JobLock(other)
		defer s.p.JobUnlock(other)
	}
	return true
}

func TestContentionForFewExecutionsAtOnce(t *testing.T) {
	jobstest.Contend(t, func(t *testing.T, going func() bool) {
		for rounds := 0; going() || rounds < 2; rounds++ {
			n := newNarrow(t)
			for range 200 { // single run jobs come, and some go before it is their turn
				id := jobstest.Register(t, n.p, &squeezed{narrow: n, number: len(n.ids) - 1}, jobs.Once())
				if rand.N(2) == 0 {
					n.p.UnregisterJob(id)
				}
			}
			time.Sleep(50 * time.Millisecond)
			n.orderly.Store(true)
			before := map[string]uint64{}
			for info := range n.p.Jobs() {
				before[info.ID] = info.Executions
			}
			jobstest.Eventually(t, "each job is executed again", func() bool {
				n.p.SetStatus(jobs.PoolStatusRunning)
				for info := range n.p.Jobs() {
					if info.Type == jobs.JobTypeSingleRun && info.Executions == 0 || info.Type != jobs.JobTypeSingleRun && info.Executions == before[info.ID] {
						return false
					}
				}
				return true
			})
			n.ShutDown(n.p)
			assert.Zero(t, n.inside.Load())
		}
	})
}
