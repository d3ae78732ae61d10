package jobsprom_test

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobsprom"
)

func Example() {
	metrics := jobsprom.New("agent")
	pool := jobs.NewPool(metrics.Option())
	registry := prometheus.NewRegistry() // or prometheus.DefaultRegisterer, which promhttp.Handler serves
	registry.MustRegister(metrics.Of(pool))

	done := make(chan struct{})
	report := jobs.JobFunc(func(context.Context) error { close(done); return nil })
	if _, err := pool.Register(report, jobs.Every(time.Hour), jobs.WithName("report")); err != nil {
		fmt.Println(err)
	}
	<-done
	_ = pool.Shutdown(context.Background())

	families, err := registry.Gather()
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range families {
		if f.GetName() == "jobs_executions_total" {
			fmt.Println(f.GetHelp())
		}
	}
	// Output: Executions that have ended, by outcome.
}
