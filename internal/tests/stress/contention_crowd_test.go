package stress

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A mob is a crowd whose jobs, log handler and status function do everything that they should not.
type mob struct {
	*jobstest.Crowd
	jobstest.Gate
	orderly  atomic.Bool   // from now on they behave
	end      chan struct{} // closed when calls of Status that hang are to return
	callers  atomic.Int64
	observer jobstest.Alone
}

var errMob = errors.New("unruly")

func newMob(t *testing.T) *mob {
	m := &mob{Crowd: jobstest.NewCrowd(nil), Gate: jobstest.Gate{T: t}, end: make(chan struct{})}
	opts := []jobs.PoolOption{jobs.WithLogger(slog.New(m)), jobs.WithOnStatus(m.statusChanged),
		jobs.WithStatusInterval(time.Millisecond), jobs.WithRetryInterval(time.Millisecond),
		jobs.WithExecutionTimeout(2 * time.Millisecond)}
	if rand.N(2) == 0 {
		opts = append(opts, jobs.WithMaxConcurrent(1+rand.N(20)))
	}
	m.Pool = jobs.NewPool(opts...)
	m.Every, m.Most = time.Millisecond, 100
	m.Job = func(s jobstest.Stub) jobs.Job { return &rascal{Stub: s, mob: m} }
	return m
}

// misbehave does something or other. Now and then it does not return for ages, unless the channel is closed.
func (m *mob) misbehave(ends <-chan struct{}) error {
	if m.orderly.Load() {
		return nil
	}
	switch n := rand.N(1000); {
	case n == 0:
		panic(errMob)
	case n == 1:
		runtime.Goexit()
	case n == 2:
		return errMob
	case n == 3:
		select {
		case <-ends:
		case <-time.After(rand.N(200 * time.Millisecond)):
		}
	case n < 30:
		time.Sleep(rand.N(5 * time.Millisecond))
	}
	return nil
}

// A rascal is one job of the mob.
type rascal struct {
	jobstest.Stub
	*mob
	execute, ready, status jobstest.Alone
	readied                bool // it was ready once: then it mostly is
}

func (r *rascal) Execute() error {
	defer r.Enter("Execute")()
	defer r.execute.Enter(r.T, "Execute", &r.ready)()
	if err := r.misbehave(r.Over); err != nil {
		return err
	}
	return r.Stub.Execute()
}

func (r *rascal) Ready() bool {
	defer r.Enter("Ready")()
	defer r.ready.Enter(r.T, "Ready", &r.execute)()
	r.readied = r.readied || r.orderly.Load() || r.Stub.Ready()
	return r.misbehave(r.Over) == nil && r.readied
}

func (r *rascal) Status() error {
	defer r.Enter("Status")()
	defer r.status.Enter(r.T, "Status")()
	if err := r.misbehave(r.mob.end); err != nil {
		return err
	}
	return r.Stub.Status()
}

func (m *mob) statusChanged(info jobs.PoolInfo) {
	defer m.Enter("the status function")()
	defer m.observer.Enter(m.T, "the status function")()
	m.checkHeldUpBy(info)
	_ = m.misbehave(m.Over)
}

func (m *mob) Enabled(context.Context, slog.Level) bool { return true }
func (m *mob) WithAttrs([]slog.Attr) slog.Handler       { return m }
func (m *mob) WithGroup(string) slog.Handler            { return m }

// Handle is slow. It may be called from any goroutine, so it does not end it.
func (m *mob) Handle(_ context.Context, r slog.Record) error {
	defer m.Enter("the log handler")()
	switch rand.N(10) {
	case 0:
		panic(errMob)
	case 1, 2, 3:
		time.Sleep(rand.N(10 * time.Millisecond))
	}
	return nil
}

// checkHeldUpBy checks that each hold-up has a reason.
func (m *mob) checkHeldUpBy(info jobs.PoolInfo) {
	for _, h := range info.HeldUpBy {
		if h.Reason == "" {
			m.T.Errorf("a hold-up without a reason: %q", h)
		}
	}
}

// call starts a goroutine that does so again and again.
func (m *mob) call(f func()) {
	m.callers.Add(1)
	go func() { // ends when the crowd's time is over
		defer m.callers.Add(-1)
		for {
			select {
			case <-m.Over:
				return
			default:
				f()
			}
		}
	}()
}

// riot has everything called by everybody, for a while.
func (m *mob) riot() {
	calls := m.Calls()
	calls["UpdateDurations"] = func() {
		m.Pool.UpdateDurations(time.Millisecond+rand.N(3*time.Millisecond), time.Millisecond+rand.N(3*time.Millisecond))
	}
	names := make([]string, 0, len(calls))
	for name := range calls {
		names = append(names, name)
	}
	for range 4 * runtime.GOMAXPROCS(0) {
		m.call(func() {
			calls[names[rand.N(len(names))]]()
			time.Sleep(rand.N(200 * time.Microsecond))
		})
	}
	m.call(func() { m.checkHeldUpBy(m.Pool.Info()) })
	time.Sleep(200 * time.Millisecond)
	close(m.Over)
	jobstest.Eventually(m.T, "all calls have returned", func() bool { return m.callers.Load() == 0 })
}

// calm has the jobs behave, and checks that they are all executed again.
func (m *mob) calm() {
	m.orderly.Store(true)
	close(m.end)
	_ = m.Pool.ResumePool() // unless it is not paused
	for info := range m.Pool.Jobs() {
		if info.Paused != nil {
			_ = m.Pool.Resume(info.ID) // unless its pause has just ended
		}
	}
	m.Pool.UpdateDurations(time.Millisecond, jobstest.Patience)
	m.Pool.SetStatus(jobs.PoolStatusRunning)
	ctx, cancel := context.WithTimeout(context.Background(), jobstest.Patience)
	defer cancel()
	assert.NoError(m.T, m.Pool.WaitRunning(ctx))
	before := make(map[string]uint64)
	for info := range m.Pool.Jobs() {
		before[info.ID] = info.Executions
	}
	jobstest.Eventually(m.T, "each interval job is executed again", func() bool {
		for info := range m.Pool.Jobs() {
			interval := info.Type == jobs.JobTypeInterval || info.Type == jobs.JobTypeDetachedInterval
			if interval && info.Executions == before[info.ID] {
				return false
			}
		}
		return true
	})
}

// disperse shuts the pool down.
func (m *mob) disperse() {
	ended := make(chan struct{})
	go func() { // returns from Shutdown at once, or when all calls of Status have ended
		defer close(ended)
		m.ShutDown(m.Pool)
	}()
	jobstest.Eventually(m.T, "the pool is shut down", func() bool { return m.Pool.GetStatus() == "Stopped" })
	if !m.orderly.Load() {
		close(m.end)
	}
	<-ended
	most := map[string]uint64{jobs.JobTypeSingleRun: 1, jobs.JobTypeRetry: 3}
	for info := range m.Pool.Jobs() {
		if limit, ok := most[info.Type]; ok {
			assert.LessOrEqual(m.T, info.Executions, limit, "executions of a %s job", info.Type)
		}
	}
}

func TestContentionOfEverything(t *testing.T) {
	jobstest.Contend(t, func(t *testing.T, going func() bool) {
		for n := 0; going() || n < 2; n++ {
			m := newMob(t)
			m.riot()
			if n%2 == 1 {
				m.calm()
			}
			info := m.Pool.Info()
			m.disperse()
			t.Logf("%d jobs, %d restarts", info.Jobs, info.Restarts)
		}
	})
}
