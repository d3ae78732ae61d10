// Command hello runs one job for three seconds.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/agentjobs/jobs"
)

type discovery struct{}

func (discovery) Ready() bool   { return true } // may it start?
func (discovery) Status() error { return nil }  // has it what it needs?
func (discovery) Execute() error {
	fmt.Println("discovering")
	return nil
}

func main() {
	_, err := jobs.RegisterIntervalJobWithName(discovery{}, time.Second, "discovery")
	time.Sleep(3 * time.Second)
	fmt.Println("pool:", jobs.GetStatus(), err)
	_ = jobs.Shutdown(context.Background())
}
