package jobstest

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// The TestContention tests run in real time, on twice as many threads as -cpu says and next to busy processes, so
// that the kernel preempts goroutines wherever they are, for milliseconds. In a bubble that never happens: no time
// passes there while a goroutine can run. How long anything takes is not asserted, but that nothing dies, overlaps,
// happens twice, hangs or leaks.

var contention = flag.Duration("contention", 1500*time.Millisecond, "how long each TestContention test lasts")

// Patience is how long to wait for what must happen. What takes longer hangs, and is not just slow.
const Patience = time.Minute

// Contend runs f under contention. f is to go on while going returns true; in the end it must leave no goroutine.
func Contend(t *testing.T, f func(t *testing.T, going func() bool)) {
	before := runtime.NumGoroutine()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0)))
	for range runtime.NumCPU() {
		startBusyProcess(t)
	}
	end := time.Now().Add(*contention)
	f(t, func() bool { return !t.Failed() && time.Now().Before(end) })
	Eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}

const busyProcess = "JOBS_TEST_BUSY"

// init turns the test's own program into a busy process. It ends with its parent, when its standard input does.
func init() {
	if os.Getenv(busyProcess) == "" {
		return
	}
	var orphaned atomic.Bool
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		orphaned.Store(true)
	}()
	for !orphaned.Load() { // busily
	}
	os.Exit(0)
}

// startBusyProcess starts a process that spins until the test ends.
func startBusyProcess(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	busy := exec.Command(self)
	busy.Env = append(os.Environ(), busyProcess+"=yes")
	_, err = busy.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, busy.Start())
	t.Cleanup(func() {
		_ = busy.Process.Kill()
		_ = busy.Wait()
	})
}

// Eventually waits until isSo returns true, and reports whether it did. If not, the test fails and shows what each
// goroutine is doing. Any goroutine may call it.
func Eventually(t *testing.T, what string, isSo func() bool) bool {
	for end := time.Now().Add(Patience); !isSo(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("waited for %v in vain, until: %s\n\n%s", Patience, what, everyStack())
			return false
		}
	}
	return true
}

func everyStack() []byte {
	buf := make([]byte, 1<<20)
	return buf[:runtime.Stack(buf, true)]
}

// A Gate counts the calls of a pool's user code, and checks that there are none once the pool was shut down.
type Gate struct {
	T      *testing.T
	inside atomic.Int64
	shut   atomic.Bool
}

// Enter is called by user code, which calls what it returns at its end.
func (g *Gate) Enter(what string) (leave func()) {
	g.inside.Add(1)
	if g.shut.Load() {
		g.T.Errorf("%s is called after Shutdown has returned", what)
	}
	return func() { g.inside.Add(-1) }
}

// ShutDown shuts the pool down.
func (g *Gate) ShutDown(p *jobs.Pool) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if assert.NoError(g.T, p.Shutdown(ctx)) {
		g.shut.Store(true)
		if n := g.inside.Load(); n != 0 {
			g.T.Errorf("%d calls of user code in flight, though Shutdown has returned\n\n%s", n, everyStack())
		}
	}
}

// An Alone is a method that must not run concurrently with itself or certain others.
type Alone struct{ calls atomic.Int32 }

// Enter is called by the method, which calls what it returns at its end.
func (a *Alone) Enter(t *testing.T, what string, others ...*Alone) (leave func()) {
	if a.calls.Add(1) > 1 {
		t.Errorf("%s is called beside itself", what)
	}
	for _, other := range others {
		if other.calls.Load() > 0 {
			t.Errorf("%s is called beside a call that excludes it", what)
		}
	}
	return func() { a.calls.Add(-1) }
}
