//go:build unix

package stress

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

const pausedProcess = "JOBS_TEST_PAUSED"

// init turns the test's own program into the process that is paused.
func init() {
	if os.Getenv(pausedProcess) != "" {
		bePaused()
		os.Exit(0)
	}
}

// bePaused has an execution, a call of Status and a call of Ready in flight until its standard input says something, and
// then prints what the pool has taken them for.
func bePaused() {
	p := jobs.NewPool(jobstest.Quiet, jobs.WithExecutionTimeout(time.Second), jobs.WithStatusInterval(10*time.Millisecond))
	var begun sync.WaitGroup
	begun.Add(3)
	released := make(chan struct{})
	await := func(once *sync.Once) func(context.Context) error {
		return func(context.Context) error {
			once.Do(func() { begun.Done(); <-released })
			return nil
		}
	}
	var execute, status, ready sync.Once
	none := func(context.Context) error { return nil }
	for _, j := range []jobs.Job{
		jobs.JobFunc(await(&execute)),
		jobs.Func(none, jobs.WithStatus(await(&status))),
		jobs.Func(none, jobs.WithReady(await(&ready))),
	} {
		if _, err := p.Register(j, jobs.Every(time.Hour)); err != nil {
			panic(err)
		}
	}
	begun.Wait()
	fmt.Println("waiting")
	_, _ = os.Stdin.Read(make([]byte, 1))
	close(released)
	if err := p.Shutdown(context.Background()); err != nil {
		panic(err)
	}
	for _, e := range p.Events() {
		switch e.Kind {
		case jobs.EventRegistered, jobs.EventReady, jobs.EventPoolShutDown:
		default:
			fmt.Println(e.Kind, e.Error)
		}
	}
	for info := range p.Jobs() {
		if info.NotReady != nil {
			fmt.Println("not ready:", info.NotReady)
		}
	}
	fmt.Println("done")
}

// What has not returned when the process goes on is not late: it could not have.
func TestAPauseOfTheProcessIsNotTakenForAHang(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.Command(self)
	child.Env = append(os.Environ(), pausedProcess+"=yes")
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	require.NoError(t, err)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	defer func() { _ = child.Process.Kill() }()
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "waiting", lines.Text())

	require.NoError(t, child.Process.Signal(syscall.SIGSTOP))
	<-time.After(2500 * time.Millisecond)
	_, err = in.Write([]byte{'\n'})
	require.NoError(t, err)
	require.NoError(t, child.Process.Signal(syscall.SIGCONT))
	require.True(t, lines.Scan())
	assert.Equal(t, "done", lines.Text())
	require.NoError(t, child.Wait())
}
