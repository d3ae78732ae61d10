package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/agentjobs/jobs"
)

// A pool with options takes the place of the default one, before anything is registered.
func ExampleSetDefaultPool() {
	jobs.SetDefaultPool(jobs.NewPool(
		jobs.WithStatusInterval(10*time.Second),
		jobs.WithRetryInterval(5*time.Second),
		jobs.WithExecutionTimeout(time.Minute),
	))
	defer jobs.SetDefaultPool(nil) // a fresh one for whoever comes next

	if _, err := jobs.Register(&poller{}, jobs.Every(time.Hour)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(jobs.GetStatus())

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(jobs.GetStatus())
	// Output:
	// Running
	// Stopped
}

func ExampleRunNow() {
	jobs.SetDefaultPool(nil)

	done := make(chan struct{})
	cleanup := jobs.JobFunc(func(context.Context) error {
		fmt.Println("cleaned up")
		close(done)
		return nil
	})
	id, err := jobs.Register(cleanup, jobs.Cron("@yearly"))
	if err != nil {
		fmt.Println(err)
	}
	if err := jobs.DefaultPool().WaitRunning(context.Background()); err != nil { // until it is ready
		fmt.Println(err)
	}
	if err := jobs.RunNow(id); err != nil {
		fmt.Println(err)
	}
	<-done

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(errors.Is(jobs.RunNow(id), jobs.ErrShutdown))
	// Output:
	// cleaned up
	// true
}

func ExamplePool_Jobs() {
	pool := jobs.NewPool()

	nothing := jobs.JobFunc(func(context.Context) error { return nil })
	for _, name := range []string{"discovery", "traffic", "report"} {
		if _, err := pool.Register(nothing, jobs.Every(time.Hour), jobs.WithName(name)); err != nil {
			fmt.Println(err)
		}
	}
	if err := pool.WaitRunning(context.Background()); err != nil {
		fmt.Println(err)
	}
	for job := range pool.Jobs() {
		fmt.Println(job.Name, job.Type, job.Status)
	}

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// discovery interval Running
	// traffic interval Running
	// report interval Running
}

func ExampleWithOnStatus() {
	changes := make(chan jobs.PoolInfo, 10)
	pool := jobs.NewPool(jobs.WithOnStatus(func(info jobs.PoolInfo) { changes <- info }))

	if _, err := pool.Register(&poller{}, jobs.Every(time.Hour)); err != nil {
		fmt.Println(err)
	}
	fmt.Println((<-changes).Status)

	pool.SetStatus(jobs.PoolStatusStopped) // as a failure of the job would
	stopped := <-changes
	fmt.Println(stopped.Status, "-", stopped.StopError)

	pool.SetStatus(jobs.PoolStatusRunning)
	running := <-changes
	fmt.Println(running.Status, "- restarts:", running.Restarts)

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Running
	// Stopped - jobs: pool stopped: by SetStatus
	// Running - restarts: 1
}
