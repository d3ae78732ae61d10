package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/agentjobs/jobs"
)

// An agent registers its jobs, works until it is told to end, and shuts down.
func Example() {
	pool := jobs.NewPool()

	found := make(chan string)
	discovery := jobs.JobFunc(func(ctx context.Context) error {
		select {
		case found <- "orders":
			return nil
		case <-ctx.Done(): // at a shutdown or a timeout, for example; the cause says which
			return context.Cause(ctx)
		}
	})
	report := jobs.JobFunc(func(context.Context) error { return nil })

	_, err1 := pool.Register(discovery, jobs.Every(time.Millisecond), jobs.WithName("discovery"))
	_, err2 := pool.Register(report, jobs.Cron("0 6 * * MON-FRI"), jobs.WithName("report"))
	if err := errors.Join(err1, err2); err != nil {
		fmt.Println(err) // names the value that is wrong
	}
	fmt.Println("found", <-found)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := pool.Shutdown(ctx); err != nil {
		fmt.Println(err) // names the jobs that have not returned
	}
	fmt.Println(pool.GetStatus())
	// Output:
	// found orders
	// Stopped
}

func ExampleEvery() {
	pool := jobs.NewPool()

	beats := make(chan string)
	heartbeat := jobs.JobFunc(func(ctx context.Context) error {
		select {
		case beats <- "beat":
		case <-ctx.Done():
		}
		return nil
	})
	// At once, and then a millisecond after the end of each execution.
	if _, err := pool.Register(heartbeat, jobs.Every(time.Millisecond)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-beats, <-beats, <-beats)

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}

	_, err := jobs.NewPool().Register(heartbeat, jobs.Every(0))
	fmt.Println(errors.Is(err, jobs.ErrRegisteringJob), errors.Unwrap(err))
	// Output:
	// beat beat beat
	// true interval 0s: it must be above zero
}

func ExampleCron() {
	pool := jobs.NewPool()

	backup := jobs.JobFunc(func(context.Context) error { return nil })
	id, err := pool.Register(backup, jobs.Cron("CRON_TZ=Europe/Paris 30 4 * * SUN"), jobs.WithName("backup"))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(pool.GetJob(id).GetName(), "is registered")

	// An expression that is wrong, or can never fire, is an error at once.
	_, err = pool.Register(backup, jobs.Cron("30 24 * * *"))
	fmt.Println(errors.Unwrap(err))
	_, err = pool.Register(backup, jobs.Cron("0 0 30 FEB *"))
	fmt.Println(errors.Unwrap(err))

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// backup is registered
	// schedule "30 24 * * *": hour field, item "24": 24 is out of range; allowed are 0-23
	// schedule "0 0 30 FEB *" has no occurrence left
}

func ExampleRetry() {
	pool := jobs.NewPool()

	attempts := 0
	over := make(chan struct{})
	signOn := jobs.JobFunc(func(context.Context) error {
		if attempts++; attempts == 3 {
			defer close(over)
		}
		return errors.New("no answer")
	})
	id, err := pool.Register(signOn, jobs.Retry(3), jobs.WithRetryBackoff(time.Millisecond, time.Second))
	if err != nil {
		fmt.Println(err)
	}
	<-over

	if err := pool.Drain(context.Background()); err != nil { // waits for the last attempt to return
		fmt.Println(err)
	}
	info, _ := pool.Job(id)
	fmt.Println(info.Status, "after", info.Failures, "failures:", errors.Unwrap(info.LastError))
	// Output: Failed after 3 failures: no answer
}

func ExamplePermanent() {
	pool := jobs.NewPool()

	over := make(chan struct{})
	signOn := jobs.JobFunc(func(context.Context) error {
		defer close(over)
		return jobs.Permanent(errors.New("wrong password")) // another attempt will not help
	})
	id, err := pool.Register(signOn, jobs.Retry(5))
	if err != nil {
		fmt.Println(err)
	}
	<-over

	if err := pool.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	info, _ := pool.Job(id)
	fmt.Println(info.Status, "after", info.Executions, "execution")
	// Output: Failed after 1 execution
}

// With a context, a channel job needs no stop channel.
func ExampleChannel() {
	pool := jobs.NewPool()

	events := make(chan string)
	feed := jobs.JobFunc(func(ctx context.Context) error {
		for {
			select {
			case event := <-events:
				fmt.Println("received", event)
			case <-ctx.Done():
				fmt.Println("told to stop:", context.Cause(ctx))
				return nil
			}
		}
	})
	id, err := pool.Register(feed, jobs.Channel(nil), jobs.WithName("feed"))
	if err != nil {
		fmt.Println(err)
	}
	events <- "order"
	events <- "payment"
	pool.UnregisterJob(id)

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// received order
	// received payment
	// told to stop: jobs: job unregistered
}

// A download is a ContextJob: it ends when the pool tells it to.
type download struct {
	started chan struct{}
	cause   chan error
}

func (d *download) Ready() bool   { return true }
func (d *download) Status() error { return nil }

// Execute is needed for a Job, but ExecuteContext is called in its place.
func (d *download) Execute() error { return d.ExecuteContext(context.Background()) }

func (d *download) ExecuteContext(ctx context.Context) error {
	close(d.started)
	<-ctx.Done() // as a request would that was made with http.NewRequestWithContext
	d.cause <- context.Cause(ctx)
	return ctx.Err()
}

func ExampleContextJob() {
	pool := jobs.NewPool()

	d := &download{started: make(chan struct{}), cause: make(chan error, 1)}
	id, err := pool.Register(d, jobs.Once())
	if err != nil {
		fmt.Println(err)
	}
	<-d.started

	if err := pool.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(errors.Is(<-d.cause, jobs.ErrShutdown))
	info, _ := pool.Job(id)
	fmt.Println("failures:", info.Failures) // it has ended as it was told to
	// Output:
	// true
	// failures: 0
}
