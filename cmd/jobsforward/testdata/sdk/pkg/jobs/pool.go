package jobs

import (
	"strconv"
	"sync"
	"time"
)

type jobOpt func(*baseJob)

// WithJobTimeout sets a timeout.
func WithJobTimeout(timeout time.Duration) jobOpt {
	return func(b *baseJob) { b.timeout = timeout }
}

type baseJob struct {
	id      string
	timeout time.Duration
}

func (b *baseJob) GetID() string        { return b.id }
func (b *baseJob) GetStatus() JobStatus { return JobStatusInitializing }

// Pool is a pool.
type Pool struct {
	mu   sync.Mutex
	jobs map[string]JobExecution
}

func (p *Pool) register(_ Job, opts ...jobOpt) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	job := &baseJob{id: strconv.Itoa(len(p.jobs) + 1)}
	for _, opt := range opts {
		opt(job)
	}
	p.jobs[job.id] = job
	return job.id, nil
}

var globalPool = &Pool{jobs: map[string]JobExecution{}}

// RegisterSingleRunJob registers a job.
func RegisterSingleRunJob(newJob Job) (string, error) { return globalPool.register(newJob) }

// RegisterIntervalJob registers a job.
func RegisterIntervalJob(newJob Job, _ time.Duration, opts ...jobOpt) (string, error) {
	return globalPool.register(newJob, opts...)
}

// RegisterIntervalJobWithName registers a job.
func RegisterIntervalJobWithName(newJob Job, _ time.Duration, _ string, opts ...jobOpt) (string, error) {
	return globalPool.register(newJob, opts...)
}

// RegisterDetachedChannelJobWithName registers a job.
func RegisterDetachedChannelJobWithName(newJob Job, _ chan interface{}, _ string) (string, error) {
	return globalPool.register(newJob)
}

// UnregisterJob removes a job.
func UnregisterJob(string) {}

// UpdateDurations sets intervals.
func UpdateDurations(_, _ time.Duration) {}

// GetStatus returns the status of the pool.
func GetStatus() string { return PoolStatusRunning.String() }
