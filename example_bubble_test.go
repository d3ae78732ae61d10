package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agentjobs/jobs"
)

// A fakeGateway takes the place of a real one.
type fakeGateway struct{ down atomic.Bool }

// A traffic job cannot work while its gateway is down.
type traffic struct{ gateway *fakeGateway }

func (j *traffic) Ready() bool   { return !j.gateway.down.Load() }
func (j *traffic) Status() error { return nil }
func (j *traffic) Execute() error {
	if j.gateway.down.Load() {
		return errors.New("no answer")
	}
	return nil
}

// testOutage is a test of such a job. In your package its name begins with Test. In the bubble an hour passes at
// once, and the test fails if a goroutine is left at its end.
func testOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A pool belongs to the bubble that uses it first, so the test has one of its own.
		jobs.SetDefaultPool(jobs.NewPool(jobs.WithLogger(slog.New(slog.NewTextHandler(t.Output(), nil)))))
		defer func() {
			if err := jobs.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		expect := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := jobs.GetStatus(); got != want {
				t.Errorf("pool is %s, want %s", got, want)
			}
		}

		gateway := new(fakeGateway)
		if _, err := jobs.Register(&traffic{gateway}, jobs.Every(time.Minute)); err != nil {
			t.Fatal(err)
		}
		expect("Running")

		gateway.down.Store(true)
		time.Sleep(time.Minute) // the next execution fails
		expect("Stopped")

		gateway.down.Store(false)
		time.Sleep(time.Hour)
		expect("Running")
	})
}

// What a job does over hours is tested in no time in a testing/synctest bubble. Network connections do not
// belong there: a real network read is not durably blocking, so the bubble's clock would stand still. Use a fake
// instead, as here, or net.Pipe.
func Example_bubble() {
	var t *testing.T // go test passes it
	testOutage(t)
}
