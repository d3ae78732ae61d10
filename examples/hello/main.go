// Command hello runs two jobs until Ctrl-C.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/agentjobs/jobs"
)

type discovery struct{}

func (discovery) Ready() bool      { return true } // can it start, or start again?
func (discovery) Status() error    { return nil }  // asked every 30 s: an error stops all attached jobs
func (d discovery) Execute() error { return d.ExecuteContext(context.Background()) }

func (discovery) ExecuteContext(ctx context.Context) error { // called instead of Execute
	fmt.Println("discovering")
	return nil
}

func report(ctx context.Context) error {
	fmt.Println("reporting")
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	_, err1 := jobs.Register(discovery{}, jobs.Every(10*time.Second), jobs.WithName("discovery"))
	_, err2 := jobs.Register(jobs.JobFunc(report), jobs.Cron("0 6 * * MON-FRI"), jobs.WithName("report"))
	if err := errors.Join(err1, err2); err != nil {
		log.Fatal(err) // names the value that is wrong
	}

	<-ctx.Done()
	stop() // a second Ctrl-C ends the process at once
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := jobs.Shutdown(ctx); err != nil {
		log.Print(err) // names the jobs that have not returned, with their stacks
	}
}
