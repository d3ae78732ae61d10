package jobshttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobshttp"
)

func ExampleHandler() {
	pool := jobs.NewPool()
	defer func() { _ = pool.Shutdown(context.Background()) }()
	job := jobs.JobFunc(func(context.Context) error { return nil })
	if _, err := pool.Register(job, jobs.Every(time.Hour)); err != nil {
		fmt.Println(err)
	}
	if err := pool.WaitRunning(context.Background()); err != nil {
		fmt.Println(err)
	}

	mux := http.NewServeMux()
	mux.Handle("/pool/", http.StripPrefix("/pool", jobshttp.Handler(pool)))
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/pool/readyz?verbose", nil))
	fmt.Print(answer.Body)
	// Output:
	// [+] pool is Running
	// [+] jobs 0 attached jobs have not started
	// [+] open begins executions: yes
	// ok
}

type users struct{}

func (users) User(r *http.Request) (string, error) {
	if name, _, ok := r.BasicAuth(); ok {
		return name, nil
	}
	return "", fmt.Errorf("nobody has signed on")
}

func ExampleWithAuthorize() {
	pool, sessions := jobs.NewPool(), users{}
	defer func() { _ = pool.Shutdown(context.Background()) }()

	http.Handle("/pool/", http.StripPrefix("/pool",
		jobshttp.Handler(pool, jobshttp.WithAuthorize(func(r *http.Request, a jobshttp.Action) (who string, err error) {
			return sessions.User(r) // of your own; an error is 403
		}))))
}
