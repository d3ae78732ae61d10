package jobs_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs"
)

// A limitCase says which time limit follows from what is set; 0 is none.
type limitCase struct {
	name string
	job  []jobs.JobOption
	pool []jobs.PoolOption
	want time.Duration
}

func limitCases() []limitCase {
	type (
		ofJob  = []jobs.JobOption
		ofPool = []jobs.PoolOption
	)
	minute := ofPool{jobs.WithExecutionTimeout(time.Minute)}
	return []limitCase{
		{"default", nil, nil, 5 * time.Minute},
		{"the pool's", nil, minute, time.Minute},
		{"the pool's none", nil, ofPool{jobs.WithExecutionTimeout(0)}, 0},
		{"the pool's below zero", nil, ofPool{jobs.WithExecutionTimeout(-time.Second)}, 0},
		{"the job's", ofJob{jobs.WithJobTimeout(time.Second)}, minute, time.Second},
		{"the job's, longer", ofJob{jobs.WithJobTimeout(time.Hour)}, minute, time.Hour},
		{"the job's, the pool's none", ofJob{jobs.WithJobTimeout(time.Hour)}, ofPool{jobs.WithExecutionTimeout(0)}, time.Hour},
		{"the job's, very short", ofJob{jobs.WithJobTimeout(time.Microsecond)}, minute, time.Microsecond},
		{"the job's, very long", ofJob{jobs.WithJobTimeout(math.MaxInt64)}, minute, 0},
		{"the job's of zero", ofJob{jobs.WithJobTimeout(0)}, minute, time.Minute},
		{"the job's below zero", ofJob{jobs.WithJobTimeout(-time.Second)}, minute, time.Minute},
	}
}

// limitedKinds are the kinds of job whose executions have a limit, and when the first begins.
var limitedKinds = []struct {
	name    string
	trigger func() jobs.Trigger
	opts    []jobs.JobOption
	start   time.Duration
}{
	{"interval", hourly, nil, 0},
	{"detached interval", hourly, []jobs.JobOption{jobs.Detached()}, 0},
	{"scheduled", inASecond, nil, time.Second},
	{"detached scheduled", inASecond, []jobs.JobOption{jobs.Detached()}, time.Second},
}

func TestTimeLimitIsWithJobTimeoutIfAboveZeroElseThePools(t *testing.T) {
	const long = 10 * time.Hour
	for _, tt := range limitCases() {
		for _, kind := range limitedKinds {
			t.Run(kind.name+", "+tt.name, func(t *testing.T) {
				inPool(t, func(t *testing.T, p *jobs.Pool) {
					id := register(t, p, lasting(long, nil), kind.trigger(), append(kind.opts, tt.job...)...)
					pass(kind.start)
					if tt.want == 0 {
						pass(long - 1)
						assert.Equal(t, "Running", p.GetJobStatus(id))
						assert.Zero(t, infoOf(t, p, id).Failures)
						return
					}
					pass(tt.want - 1)
					assert.Equal(t, "Running", p.GetJobStatus(id))
					pass(1)
					info := infoOf(t, p, id)
					assert.Equal(t, jobs.JobStatusFailed, info.Status)
					assert.EqualValues(t, 1, info.Failures, "it counts as failed at that moment")
					assert.ErrorIs(t, info.LastError, jobs.ErrTimeout)
					assert.ErrorIs(t, info.LastError, jobs.ErrExecutingJob)
				}, tt.pool...)
			})
		}
	}
}

func TestTimeLimitOfStatusIsWithJobTimeoutIfAboveZeroElseThePools(t *testing.T) {
	const sweep, long = 30 * time.Second, 10 * time.Hour
	for _, tt := range limitCases() {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				register(t, p, stub{status: func() error { time.Sleep(long); return nil }}, jobs.Every(100*time.Hour), tt.job...)
				pass(sweep)
				if tt.want == 0 {
					pass(long - 1)
					assert.Equal(t, "Running", p.GetStatus())
					return
				}
				pass(tt.want - 1)
				assert.Equal(t, "Running", p.GetStatus())
				pass(1)
				assert.Equal(t, "Stopped", p.GetStatus())
				assert.ErrorIs(t, p.Info().StopError, jobs.ErrTimeout)
			}, tt.pool...)
		})
	}
}

func TestLateExecutionKeepsTheLockUntilItHasReturned(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		id := register(t, p, lasting(time.Hour, nil), jobs.Every(time.Hour), jobs.WithJobTimeout(time.Second))
		start := time.Now()
		pass(time.Minute)
		assert.Equal(t, "Failed", p.GetJobStatus(id))
		p.JobLock(id)
		assert.Equal(t, time.Hour, time.Since(start))
		p.JobUnlock(id)
	})
}

func TestJobIsNotExecutedAgainUntilItsLateExecutionHasReturned(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []jobs.JobOption
		want []int // seconds
	}{
		{"attached", nil, []int{0, 100, 110}}, // the return is an attempt to restart
		{"detached", []jobs.JobOption{jobs.Detached()}, []int{0, 110, 120}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				laps := newLaps()
				register(t, p, stub{execute: func() error {
					if laps.lap() == 1 {
						time.Sleep(100 * time.Second)
					}
					return nil
				}}, jobs.Every(10*time.Second), append(tt.opts, jobs.WithJobTimeout(time.Second))...)
				pass(time.Duration(tt.want[2])*time.Second + 1)
				assert.Equal(t, times(time.Second, tt.want...), laps.all())
			})
		})
	}
}

func TestWhatALateExecutionReturnsIsIgnored(t *testing.T) {
	for name, err := range map[string]error{"nil": nil, "error": errTrial} {
		t.Run(name, func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				id := register(t, p, lasting(time.Minute, err), jobs.Every(time.Hour), jobs.Detached(), jobs.WithJobTimeout(time.Second))
				pass(time.Second)
				before := infoOf(t, p, id)
				pass(time.Minute)
				after := infoOf(t, p, id)
				assert.EqualValues(t, 1, after.Failures)
				assert.EqualValues(t, 1, after.ConsecutiveFailures)
				assert.EqualValues(t, 1, after.Executions)
				assert.Equal(t, before.LastError, after.LastError)
				assert.Equal(t, jobs.JobStatusFailed, after.Status)
			})
		})
	}
}

func TestExecutionThatReturnsWithinItsLimitIsNotLate(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		laps := newLaps()
		id := register(t, p, stub{execute: func() error {
			laps.lap()
			time.Sleep(time.Second - 1)
			return nil
		}}, jobs.Every(time.Millisecond), jobs.WithJobTimeout(time.Second))
		pass(time.Minute)
		assert.Len(t, laps.all(), 60)
		assert.Zero(t, infoOf(t, p, id).Failures)
		assert.Equal(t, "Running", p.GetStatus())
	})
}
