//go:build unix

package main

import (
	"os"
	"syscall"
)

// steeringSignals pause and resume a job.
var steeringSignals = []os.Signal{syscall.SIGUSR1}
