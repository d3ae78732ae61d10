// Package jobs stands for that of the agent SDK: it has some of its names, and a pool that executes nothing.
package jobs

import "errors"

// Job is a job.
type Job interface {
	Execute() error
	Status() error
	Ready() bool
}

// JobExecution is a registered job.
type JobExecution interface {
	GetID() string
	GetStatus() JobStatus
}

// JobStatus is the status of a job.
type JobStatus int

// JobStatusInitializing is the only one here.
const JobStatusInitializing JobStatus = iota

// PoolStatus is the status of a pool.
type PoolStatus int

// The statuses of a pool.
const (
	PoolStatusInitializing PoolStatus = iota
	PoolStatusRunning
	PoolStatusStopped
)

func (s PoolStatus) String() string { return [...]string{"Initializing", "Running", "Stopped"}[s] }

// ErrRegisteringJob is an error.
var ErrRegisteringJob = errors.New("job registration failed")
