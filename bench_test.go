package jobs_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What benchmarks/ measures of whole processes, beside the peers, is here by the call: for profiles, and to
// compare two versions. Each benchmark shows what the library adds to something bare.

func benchPool(b *testing.B, opts ...jobs.PoolOption) *jobs.Pool {
	p := jobs.NewPool(append([]jobs.PoolOption{jobstest.Quiet}, opts...)...)
	b.Cleanup(func() { require.NoError(b, p.Shutdown(context.Background())) })
	return p
}

// registerMany registers n jobs and waits until all have started.
func registerMany(b *testing.B, p *jobs.Pool, n int, job jobs.Job, trigger jobs.Trigger) (ids []string) {
	for range n {
		id, err := p.Register(job, trigger)
		require.NoError(b, err)
		ids = append(ids, id)
	}
	require.NoError(b, p.WaitRunning(b.Context()))
	return ids
}

func BenchmarkRegister(b *testing.B) {
	p := benchPool(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Register(jobstest.Idler{}, jobs.Every(time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRegisterTimer(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		time.AfterFunc(0, func() {})
	}
}

func BenchmarkUnregisterJob(b *testing.B) {
	p := benchPool(b)
	ids := registerMany(b, p, b.N, jobstest.Idler{}, jobs.Every(time.Hour))
	b.ReportAllocs()
	b.ResetTimer()
	for _, id := range ids {
		p.UnregisterJob(id)
	}
}

func BenchmarkGetJobStatus(b *testing.B) {
	for _, n := range []int{1, 1_000, 100_000} {
		b.Run(strconv.Itoa(n)+" jobs", func(b *testing.B) {
			p := benchPool(b)
			ids := registerMany(b, p, n, jobstest.Idler{}, jobs.Every(time.Hour))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i++; i == n {
					i = 0
				}
				if p.GetJobStatus(ids[i]) == "" {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkGetJobStatusWhileOthersComeAndGo(b *testing.B) {
	p := benchPool(b)
	ids := registerMany(b, p, 1_000, jobstest.Idler{}, jobs.Every(time.Hour))
	var over atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !over.Load() {
			id, err := p.Register(jobstest.Idler{}, jobs.Every(time.Hour))
			require.NoError(b, err)
			p.UnregisterJob(id)
		}
	})
	i := 0
	for b.Loop() {
		i = (i + 1) % len(ids)
		p.GetJobStatus(ids[i])
	}
	over.Store(true)
	wg.Wait()
}

func BenchmarkJob(b *testing.B) {
	p := benchPool(b)
	ids := registerMany(b, p, 1_000, jobstest.Idler{}, jobs.Every(time.Hour))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 1) % len(ids)
		p.Job(ids[i])
	}
}

// A countdown is a job, or the function of a timer, of which n executions are awaited.
type countdown struct {
	left atomic.Int64
	over chan struct{}
}

func newCountdown(n int) *countdown {
	c := &countdown{over: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *countdown) Execute() error {
	if c.left.Add(-1) == 0 {
		close(c.over)
	}
	return nil
}
func (c *countdown) Status() error { return nil }
func (c *countdown) Ready() bool   { return true }

// A single job would wait most of the time. So a crew of them works side by side, and rests as briefly as
// the library lets a job.
const (
	crew = 100
	rest = 10 * time.Microsecond
)

func BenchmarkExecution(b *testing.B) { benchExecution(b) }

// BenchmarkExecutionObserved is the same with an observer that does nothing: two events for each execution.
func BenchmarkExecutionObserved(b *testing.B) {
	benchExecution(b, jobs.WithObserver(func(jobs.Event) {}))
}

// BenchmarkExecutionKept is the same with a history.
func BenchmarkExecutionKept(b *testing.B) { benchExecution(b, jobs.WithHistory(0, 0)) }

func benchExecution(b *testing.B, opts ...jobs.PoolOption) {
	p := benchPool(b, opts...)
	c := newCountdown(b.N)
	b.ReportAllocs()
	for range crew {
		_, err := p.Register(c, jobs.Every(rest))
		require.NoError(b, err)
	}
	<-c.over
}

// BenchmarkExecutionInContext is the same of a ContextJob: a context for each execution.
func BenchmarkExecutionInContext(b *testing.B) {
	p := benchPool(b)
	c := newCountdown(b.N)
	b.ReportAllocs()
	for range crew {
		_, err := p.Register(jobs.JobFunc(func(context.Context) error { return c.Execute() }), jobs.Every(rest))
		require.NoError(b, err)
	}
	<-c.over
}

func BenchmarkExecutionTimer(b *testing.B) {
	c := newCountdown(b.N)
	b.ReportAllocs()
	for range crew {
		var timer *time.Timer
		var mu sync.Mutex
		mu.Lock()
		timer = time.AfterFunc(rest, func() {
			_ = c.Execute()
			mu.Lock()
			defer mu.Unlock()
			if c.left.Load() > 0 {
				timer.Reset(rest)
			}
		})
		mu.Unlock()
	}
	<-c.over
}

// BenchmarkSweep is the cost of one call of Status.
func BenchmarkSweep(b *testing.B) {
	p := benchPool(b, jobs.WithStatusInterval(time.Microsecond))
	c := newCountdown(b.N)
	b.ReportAllocs()
	for range 1_000 {
		_, err := p.Register(jobstest.Stub{StatusFunc: c.Execute}, jobs.Every(time.Hour))
		require.NoError(b, err)
	}
	<-c.over
}

// BenchmarkRestart is the cost for each of 1,000 jobs of being stopped, asked, and set going again. Their next executions
// are not due.
func BenchmarkRestart(b *testing.B) {
	const n = 1_000
	p := benchPool(b)
	c := newCountdown(n)
	registerMany(b, p, n, c, jobs.Every(time.Hour))
	<-c.over
	b.ReportAllocs()
	for b.Loop() {
		p.SetStatus(jobs.PoolStatusStopped)
		p.SetStatus(jobs.PoolStatusRunning)
		require.NoError(b, p.WaitRunning(b.Context()))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/job")
}

// BenchmarkRestartOfSharers is the cost of stopping and restarting 2,000 jobs that share a stop channel: deaf ones, that
// go on as what was put for them is taken back, and such as obey, that are executed again.
func BenchmarkRestartOfSharers(b *testing.B) {
	const n = 2_000
	restart := func(b *testing.B, p *jobs.Pool) {
		p.SetStatus(jobs.PoolStatusRunning)
		require.NoError(b, p.WaitRunning(b.Context()))
	}
	b.Run("deaf", func(b *testing.B) {
		p := benchPool(b)
		begun, over := newCountdown(n), make(chan struct{})
		registerMany(b, p, n, jobstest.Stub{ExecuteFunc: func() error {
			_ = begun.Execute()
			<-over
			return nil
		}}, jobs.Channel(make(chan interface{})))
		<-begun.over
		for b.Loop() {
			p.SetStatus(jobs.PoolStatusStopped)
			restart(b, p)
		}
		close(over)
	})
	b.Run("obedient", func(b *testing.B) {
		p := benchPool(b)
		stop := make(chan interface{})
		var begun, ended atomic.Pointer[countdown]
		begun.Store(newCountdown(n))
		registerMany(b, p, n, jobstest.Stub{ExecuteFunc: func() error {
			_ = begun.Load().Execute()
			<-stop
			return ended.Load().Execute()
		}}, jobs.Channel(stop))
		for b.Loop() {
			<-begun.Load().over
			begun.Store(newCountdown(n))
			ended.Store(newCountdown(n))
			p.SetStatus(jobs.PoolStatusStopped)
			<-ended.Load().over
			restart(b, p)
		}
		<-begun.Load().over
		begun.Store(newCountdown(n))
		ended.Store(newCountdown(n)) // for Shutdown
	})
}

// BenchmarkJobs is the cost of snapshots of 100,000 jobs, as a scrape or a status page takes them.
func BenchmarkJobs(b *testing.B) {
	p := benchPool(b)
	for range 100_000 {
		_, err := p.Register(jobstest.Idler{}, jobs.Every(time.Hour))
		require.NoError(b, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for info := range p.Jobs() {
			_ = info
		}
	}
}
