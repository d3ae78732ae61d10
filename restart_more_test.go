package jobs_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

func TestUnregisteringAJobInItsReadyLetsTheAttemptGoOn(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var hanging fault
		end := make(chan bool)
		id := register(t, p, stub{ready: func() bool {
			if !hanging.absent() {
				<-end
			}
			return true
		}}, jobs.Every(forAges))
		pass(0)
		hanging.cause()
		haltPool(p)
		pass(40 * time.Second)
		require.Equal(t, "Stopped", p.GetStatus())
		p.UnregisterJob(id)
		pass(0)
		assert.Equal(t, "Running", p.GetStatus())
		close(end)
	})
}

func TestAReadyThatLastsIsNotAskedAgainByTheNextAttempt(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		var slow, unready fault
		asked, calls := newTimeline(), newTimeline()
		register(t, p, stub{execute: calls.execute, ready: func() bool {
			asked.mark()
			if !slow.absent() {
				time.Sleep(100 * time.Second)
			}
			return true
		}}, jobs.Every(forAges))
		register(t, p, stub{ready: unready.absent}, jobs.Every(forAges))
		pass(0)
		slow.cause()
		unready.cause()
		haltPool(p)
		pass(50 * time.Second)
		unready.mend()
		calls.fill(200 * time.Second)
		assert.Equal(t, seconds(0, 30), asked.moments())
		assert.Equal(t, seconds(0, 130), calls.moments())
	})
}

func TestBothTheExecutionAndTheStatusOfAJobCanBeLate(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		register(t, p, stub{
			execute: onlyFirst(enduring(100 * time.Second)), // late at 60
			status:  onlyFirst(enduring(90 * time.Second)),  // from 30 to 120, late at 90
		}, jobs.Every(forAges))
		pass(120*time.Second - 1)
		assert.Equal(t, "Stopped", p.GetStatus())
		pass(1)
		assert.Equal(t, "Running", p.GetStatus())
	}, jobs.WithExecutionTimeout(time.Minute))
}

func TestSetStatusRunningIsAnAttemptAtOnceHoweverLongTheRetryInterval(t *testing.T) {
	for _, interval := range []time.Duration{time.Hour, math.MaxInt64} { // the longest: by hand only
		t.Run(interval.String(), func(t *testing.T) {
			inPool(t, func(t *testing.T, p *jobs.Pool) {
				haltPool(p)
				pass(time.Minute)
				require.Equal(t, "Stopped", p.GetStatus())
				p.SetStatus(jobs.PoolStatusRunning)
				pass(0)
				assert.Equal(t, "Running", p.GetStatus())
			}, jobs.WithRetryInterval(interval))
		})
	}
}

func TestSetStatusStoppedBeforeTheFirstRegistration(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		p.SetStatus(jobs.PoolStatusStopped)
		assert.Equal(t, "Stopped", p.GetStatus())
		calls := newTimeline()
		register(t, p, stub{execute: calls.execute}, jobs.Every(forAges))
		assert.Equal(t, "Stopped", p.GetStatus())
		calls.fill(time.Minute)
		assert.Equal(t, seconds(30), calls.moments())
	})
}

func TestAnErrorOfShutdownNamesAJob(t *testing.T) {
	for range 50 { // the job returns and the context ends at the same moment: either may come first
		synctest.Test(t, func(t *testing.T) {
			p := jobs.NewPool(quiet)
			register(t, p, stub{execute: enduring(10 * time.Second)}, jobs.Once(), jobs.WithName("sleeper"))
			synctest.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := p.Shutdown(ctx); err != nil {
				assert.ErrorContains(t, err, "sleeper")
			}
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

func TestAJobThatFinishesDuringAnAttemptIsNotAskedAnyMore(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool) {
		end := make(chan struct{})
		register(t, p, stub{ready: func() bool {
			if p.GetStatus() == "Stopped" {
				close(end)
				time.Sleep(time.Microsecond) // for the other one to finish, before it is its turn
			}
			return true
		}}, jobs.Every(forAges))
		asked := 0
		id := register(t, p, stub{
			execute: func() error { <-end; return nil },
			ready:   func() bool { asked++; return asked == 1 },
		}, jobs.Channel(make(chan interface{})))
		pass(0)
		stopPool(p)
		pass(30*time.Second + time.Microsecond)
		assert.Equal(t, "Finished", p.GetJobStatus(id))
		assert.Equal(t, 1, asked, "before its execution only")
		assert.Equal(t, "Running", p.GetStatus())
	})
}
