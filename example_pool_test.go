package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/agentjobs/jobs"
)

func ExamplePool_Shutdown() {
	pool := jobs.NewPool()

	started := make(chan struct{})
	_, err := pool.Register(jobs.JobFunc(func(ctx context.Context) error {
		close(started)
		<-ctx.Done()
		fmt.Println("cleaning up:", context.Cause(ctx))
		return nil
	}), jobs.Channel(nil))
	if err != nil {
		fmt.Println(err)
	}
	<-started

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := pool.Shutdown(ctx); err != nil {
		fmt.Println(err) // names the jobs that have not returned
	}
	fmt.Println(pool.GetStatus())
	// Output:
	// cleaning up: jobs: pool shut down
	// Stopped
}

func ExamplePool_Info() {
	pool := jobs.NewPool()

	health := func(w http.ResponseWriter, _ *http.Request) {
		info := pool.Info()
		if info.Status != jobs.PoolStatusRunning {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		if err := json.NewEncoder(w).Encode(info); err != nil {
			fmt.Println(err)
		}
	}

	if _, err := pool.RegisterIntervalJob(&poller{}, time.Millisecond); err != nil {
		fmt.Println(err)
	}
	answer := httptest.NewRecorder()
	health(answer, httptest.NewRequest(http.MethodGet, "/health", nil))
	fmt.Println(answer.Code)

	pool.SetStatus(jobs.PoolStatusStopped) // as a failure of the job would
	answer = httptest.NewRecorder()
	health(answer, httptest.NewRequest(http.MethodGet, "/health", nil))
	fmt.Println(answer.Code)

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 200
	// 503
}

func ExamplePool_WaitRunning() {
	pool := jobs.NewPool()

	if _, err := pool.RegisterIntervalJob(&poller{}, time.Millisecond); err != nil {
		fmt.Println(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := pool.WaitRunning(ctx); err != nil {
		fmt.Println("not everything has started:", err)
	}
	fmt.Println("ready to serve")

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: ready to serve
}
