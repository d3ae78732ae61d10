package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/agentjobs/jobs"
)

type requestID struct{}

func ExampleWithMiddleware() {
	logged := jobs.WithMiddleware(func(next jobs.ExecuteFunc) jobs.ExecuteFunc {
		return func(ctx context.Context) error {
			job, _ := jobs.FromContext(ctx)
			err := next(context.WithValue(ctx, requestID{}, "4711"))
			fmt.Println(job.GetName(), "ended:", err)
			return err
		}
	})
	pool := jobs.NewPool(logged)

	done := make(chan struct{})
	_, err := pool.Register(jobs.JobFunc(func(ctx context.Context) error {
		defer close(done)
		fmt.Println("request", ctx.Value(requestID{}))
		return nil
	}), jobs.Once(), jobs.WithName("migration"))
	if err != nil {
		fmt.Println(err)
	}
	<-done

	if err := pool.Shutdown(context.Background()); err != nil { // waits for the middleware, too
		fmt.Println(err)
	}
	// Output:
	// request 4711
	// migration ended: <nil>
}

func ExampleProgress() {
	pool := jobs.NewPool()

	pages, done := []string{"a", "b", "c"}, make(chan struct{})
	id, err := pool.Register(jobs.JobFunc(func(ctx context.Context) error {
		defer close(done)
		for i, page := range pages {
			jobs.Progress(ctx, int64(i), int64(len(pages)), "page "+page)
			// fetch the page
		}
		jobs.Progress(ctx, int64(len(pages)), int64(len(pages)), "all pages")
		return nil
	}), jobs.Once())
	if err != nil {
		fmt.Println(err)
	}
	<-done

	info, _ := pool.Job(id)
	fmt.Println(info.Progress.Done, "of", info.Progress.Total, info.Progress.Note)
	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: 3 of 3 all pages
}

func ExampleWithRetries() {
	pool := jobs.NewPool()

	attempts, done := 0, make(chan struct{})
	id, err := pool.Register(jobs.JobFunc(func(context.Context) error {
		if attempts++; attempts < 3 {
			return errors.New("no answer")
		}
		close(done)
		return nil
	}), jobs.Every(time.Hour), jobs.WithRetries(5, time.Millisecond, time.Second))
	if err != nil {
		fmt.Println(err)
	}
	<-done

	if err := pool.Shutdown(context.Background()); err != nil { // waits for the execution to return
		fmt.Println(err)
	}
	info, _ := pool.Job(id)
	fmt.Println(info.Executions, "execution,", info.Attempts, "attempts,", info.Failures, "failures")
	// Output: 1 execution, 3 attempts, 0 failures
}

func ExampleWithMaxConcurrent() {
	pool := jobs.NewPool(jobs.WithMaxConcurrent(1))

	var done sync.WaitGroup
	for range 2 {
		done.Add(1)
		_, err := pool.Register(jobs.JobFunc(func(context.Context) error {
			defer done.Done()
			fmt.Println("a report begins")
			// write it
			fmt.Println("and ends")
			return nil
		}), jobs.Once())
		if err != nil {
			fmt.Println(err)
		}
	}
	done.Wait()

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// a report begins
	// and ends
	// a report begins
	// and ends
}

// A gateway that a job signs on to.
type exampleGateway struct{ token string }

func (g *exampleGateway) signedOn(context.Context) error {
	if g.token == "" {
		return errors.New("no token")
	}
	return nil
}

func ExampleFunc() {
	pool := jobs.NewPool()

	gateway := new(exampleGateway)
	id, err := pool.Register(jobs.Func(func(context.Context) error {
		// send what there is
		return nil
	}, jobs.WithReady(gateway.signedOn)), jobs.Every(time.Minute), jobs.WithName("traffic"))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(pool.GetJob(id).Ready())

	info, _ := pool.Job(id)
	fmt.Println(info.NotReady)
	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// false
	// no token
}
