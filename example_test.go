package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/agentjobs/jobs"
)

func ExampleRegister() {
	jobs.SetDefaultPool(nil)

	beats := make(chan string)
	heartbeat := jobs.JobFunc(func(ctx context.Context) error {
		select {
		case beats <- "beat":
			return nil
		case <-ctx.Done(): // shut down, or the job has exceeded its timeout
			return context.Cause(ctx)
		}
	})
	id, err := jobs.Register(heartbeat, jobs.Every(time.Millisecond),
		jobs.WithName("heartbeat"), jobs.WithJobTimeout(time.Minute), jobs.WithJitter(time.Millisecond))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(jobs.GetJob(id).GetName(), <-beats, <-beats)

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: heartbeat beat beat
}

func ExampleRegisterSingleRunJob() {
	jobs.SetDefaultPool(nil)

	done := make(chan struct{})
	id, err := jobs.RegisterSingleRunJob(jobs.JobFunc(func(context.Context) error {
		defer close(done)
		fmt.Println("database migrated")
		return nil
	}))
	if err != nil {
		fmt.Println(err)
	}
	<-done

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(jobs.GetJobStatus(id))
	// Output:
	// database migrated
	// Finished
}

func ExampleRegisterRetryJob() {
	jobs.SetDefaultPool(nil)

	attempts := 0
	done := make(chan struct{})
	id, err := jobs.RegisterRetryJob(jobs.JobFunc(func(context.Context) error {
		attempts++
		fmt.Println("attempt", attempts)
		if attempts < 3 {
			return errors.New("no answer")
		}
		close(done)
		return nil
	}), 5)
	if err != nil {
		fmt.Println(err)
	}
	<-done

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(jobs.GetJobStatus(id))
	// Output:
	// attempt 1
	// attempt 2
	// attempt 3
	// Finished
}

// A poller is a Job.
type poller struct{ results chan string }

func (p *poller) Execute() error {
	select {
	case p.results <- "polled":
	default: // nobody wants it now
	}
	return nil
}

func (p *poller) Status() error { return nil } // it is healthy

func (p *poller) Ready() bool { return true } // and can start at once

func ExampleRegisterIntervalJob() {
	jobs.SetDefaultPool(nil)

	p := &poller{results: make(chan string)}
	if _, err := jobs.RegisterIntervalJob(p, time.Millisecond); err != nil {
		fmt.Println(err)
	}
	for range 3 {
		fmt.Println(<-p.results)
	}

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// polled
	// polled
	// polled
}

func ExampleRegisterDetachedIntervalJob() {
	jobs.SetDefaultPool(nil)

	p := &poller{results: make(chan string)}
	id, err := jobs.RegisterDetachedIntervalJob(p, time.Millisecond)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-p.results)
	jobs.DefaultPool().SetStatus(jobs.PoolStatusStopped)
	fmt.Println(<-p.results)
	fmt.Println("pool:", jobs.GetStatus(), "job:", jobs.GetJobStatus(id))

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// polled
	// polled
	// pool: Stopped job: Running
}

func ExampleRegisterScheduledJob() {
	jobs.SetDefaultPool(nil)

	done := make(chan struct{})
	id, err := jobs.RegisterScheduledJob(jobs.JobFunc(func(context.Context) error {
		defer close(done)
		fmt.Println("report sent")
		return nil
	}), "30 4 * * *") // each day at half past four in the morning
	if err != nil {
		fmt.Println(err)
	}

	// And, once it has started, out of turn.
	if err := jobs.WaitRunning(context.Background()); err != nil {
		fmt.Println(err)
	}
	if err := jobs.RunNow(id); err != nil {
		fmt.Println(err)
	}
	<-done

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: report sent
}

// A consumer is a Job that works until it is told to stop.
type consumer struct {
	messages chan string
	stop     chan interface{}
}

func (c *consumer) Execute() error {
	for {
		select {
		case message, ok := <-c.messages:
			if !ok {
				return errors.New("connection lost")
			}
			fmt.Println("received", message)
		case <-c.stop:
			fmt.Println("told to stop")
			return nil
		}
	}
}

func (c *consumer) Status() error { return nil }

func (c *consumer) Ready() bool { return true }

func ExampleRegisterChannelJob() {
	jobs.SetDefaultPool(nil)

	c := &consumer{messages: make(chan string), stop: make(chan interface{})}
	if _, err := jobs.RegisterChannelJob(c, c.stop); err != nil {
		fmt.Println(err)
	}
	c.messages <- "hello"
	c.messages <- "world"

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// received hello
	// received world
	// told to stop
}

func ExampleRegisterDetachedChannelJob() {
	jobs.SetDefaultPool(nil)

	c := &consumer{messages: make(chan string), stop: make(chan interface{})}
	id, err := jobs.RegisterDetachedChannelJob(c, c.stop)
	if err != nil {
		fmt.Println(err)
	}
	c.messages <- "hello"
	close(c.messages) // Execute returns an error, and nothing else stops

	<-c.stop // so that whatever belongs to the job can clean up
	jobs.UnregisterJob(id)
	fmt.Println("cleaned up, and the pool is", jobs.GetStatus())

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// received hello
	// cleaned up, and the pool is Running
}

func ExampleJobLock() {
	jobs.SetDefaultPool(nil)

	cache := make(map[string]int) // the job's
	id, err := jobs.RegisterIntervalJob(jobs.JobFunc(func(context.Context) error {
		cache["executions"]++
		return nil
	}), time.Millisecond)
	if err != nil {
		fmt.Println(err)
	}

	jobs.JobLock(id) // waits for the execution in progress; no other begins
	clear(cache)
	fmt.Println(len(cache))
	jobs.JobUnlock(id)

	if err := jobs.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: 0
}

func ExampleParseSchedule() {
	schedule, err := jobs.ParseSchedule("CRON_TZ=America/New_York 30 2 * * SUN")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(schedule.Next(time.Date(2024, time.March, 1, 0, 0, 0, 0, time.UTC)))
	// Output: 2024-03-03 02:30:00 -0500 EST
}

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
	if err := jobs.WaitRunning(context.Background()); err != nil { // until it is ready
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
