package agent

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/Axway/agent-sdk/pkg/agent"
	sdkjobs "github.com/Axway/agent-sdk/pkg/jobs"
	"github.com/agentjobs/jobs"
)

func TestTheSDKAndTheAgentShareAPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs.SetDefaultPool(jobs.NewPool(jobs.WithLogger(slog.New(slog.DiscardHandler))))
		defer func() {
			if err := jobs.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		if err := sdk.Initialize(); err != nil {
			t.Fatal(err)
		}
		var broken atomic.Bool
		var discoveries atomic.Int64
		discover := jobs.JobFunc(func(context.Context) error {
			discoveries.Add(1)
			if broken.Load() {
				return errors.New("no answer")
			}
			return nil
		})
		if _, err := jobs.Register(discover, jobs.Every(10*time.Second), jobs.WithName("discovery")); err != nil {
			t.Fatal(err)
		}

		var names []string
		for job := range jobs.Jobs() {
			names = append(names, job.Name)
		}
		if want := []string{"Central Health Check", "Stream", "discovery"}; !slices.Equal(names, want) {
			t.Errorf("the list has %q, want %q", names, want)
		}

		time.Sleep(9 * time.Second)
		synctest.Wait()
		if checks := sdk.HealthChecks.Load(); checks != 4 || !sdk.Healthy() {
			t.Errorf("after 9 s: %d health checks, healthy: %t", checks, sdk.Healthy())
		}

		broken.Store(true)
		time.Sleep(15 * time.Second) // the second discovery, after 10 s, stops the pool
		synctest.Wait()
		if checks, own := sdk.HealthChecks.Load(), discoveries.Load(); checks != 4 || own != 2 || sdk.Healthy() {
			t.Errorf("in the outage: %d health checks, %d discoveries, healthy: %t", checks, own, sdk.Healthy())
		}

		broken.Store(false)
		time.Sleep(7 * time.Second) // the SDK's UpdateDurations: 20 s after the stop all start again
		synctest.Wait()
		if checks, own := sdk.HealthChecks.Load(), discoveries.Load(); checks != 5 || own != 3 || !sdk.Healthy() {
			t.Errorf("after the outage: %d health checks, %d discoveries, healthy: %t", checks, own, sdk.Healthy())
		}

		_, err := sdkjobs.RegisterIntervalJob(nil, 0)
		if !errors.Is(err, jobs.ErrRegisteringJob) || !errors.Is(err, sdkjobs.ErrRegisteringJob) {
			t.Errorf("an error of the SDK's package: %v", err)
		}
	})
}
