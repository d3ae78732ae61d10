// Package agent stands for those packages of the agent SDK that register jobs and ask for the pool's status.
package agent

import (
	"sync/atomic"
	"time"

	"github.com/Axway/agent-sdk/pkg/jobs"
)

// HealthChecks counts the executions of the SDK's job.
var HealthChecks atomic.Int64

type healthCheck struct {
	jobs.Job
	id string
}

func (h *healthCheck) Ready() bool    { return true }
func (h *healthCheck) Status() error  { return nil }
func (h *healthCheck) Execute() error { HealthChecks.Add(1); return nil }

type stream struct {
	stop chan interface{}
	id   atomic.Value
}

func (s *stream) Ready() bool    { return true }
func (s *stream) Status() error  { return nil }
func (s *stream) Execute() error { <-s.stop; return nil }

// Initialize registers the SDK's jobs.
func Initialize() error {
	check := &healthCheck{}
	var err error
	if check.id, err = jobs.RegisterIntervalJobWithName(check, 3*time.Second, "Central Health Check", jobs.WithJobTimeout(time.Second)); err != nil {
		return err
	}
	s := &stream{stop: make(chan interface{}, 1)}
	id, err := jobs.RegisterDetachedChannelJobWithName(s, s.stop, "Stream")
	s.id.Store(id)
	jobs.UpdateDurations(20*time.Second, time.Minute)
	return err
}

// Healthy reports what the SDK tells of the agent.
func Healthy() bool { return jobs.GetStatus() != jobs.PoolStatusStopped.String() }
