package jobstest_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobstest"
)

// faulty builds the tests of the faulty jobs, and returns the program.
func faulty(t *testing.T, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "faulty.exe")
	out, err := exec.Command("go", append(append([]string{"test", "-c", "-o", program}, flags...), "./testdata/faulty")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

func TestConformSaysOfEachFaultyJobWhatIsWrong(t *testing.T) {
	program := faulty(t)
	for name, sentences := range map[string][]string{
		"IgnoresItsContext": {"a job that does not watch its context holds up each restart", "it is at ", "faulty_test.go:26"},
		"SlowStatus":        {"Status beside Execute has not returned in 1s", "faulty_test.go:37"},
		"Leaks":             {"a goroutine of the job goes on after its execution", "faulty_test.go:48"},
		"WorksOnce":         {"the second execution of the same value fails"},
		"DeadEnd":           {"the readiness dead end"},
		"TakesTwo":          {"the job takes more than one nil"},
		"NeverFails":        {"neither Status nor Execute fails while what the job depends on is broken"},
		"StaysLocked":       {"execution 2 of the same value has not returned", "faulty_test.go:121"},
		"Panics":            {"Status beside Execute panics"},
		"Fails":             {"Execute fails although nothing is broken"},
		"Unready":           {"Ready is false although nothing is broken"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(program, "-test.timeout=100s", "-test.run=^Test"+name+"$").CombinedOutput()
			require.Error(t, err, "%s", out)
			assert.False(t, strings.Contains(string(out), "panic: "), "the others could not go on:\n%s", out)
			for _, sentence := range sentences {
				assert.True(t, strings.Contains(string(out), sentence), "%s is not in\n%s", sentence, out)
			}
		})
	}
}

// A right job is a ContextJob that depends on something.
type right struct{ broken *atomic.Bool }

func (j right) Ready() bool { return !j.broken.Load() }

func (j right) Status() error {
	if j.broken.Load() {
		return errors.New("no answer")
	}
	return nil
}

func (j right) Execute() error { return j.ExecuteContext(context.Background()) }

func (j right) ExecuteContext(ctx context.Context) error {
	select {
	case <-time.After(10 * time.Millisecond):
		return j.Status()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func TestConformFindsNothingInAJobThatIsRight(t *testing.T) {
	for name, trigger := range map[string]jobs.Trigger{
		"once": jobs.Once(), "retry": jobs.Retry(3), "interval": jobs.Every(time.Hour), "scheduled": jobs.Cron("0 6 * * *"),
	} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			jobstest.Conform(t, func() jobs.Job { return right{&broken} }, trigger, jobstest.WithFault(broken.Store))
		})
	}
}

func TestConformFindsNothingInAJobThatIsRightInRealTime(t *testing.T) {
	var broken atomic.Bool
	jobstest.Conform(t, func() jobs.Job { return right{&broken} }, jobs.Every(time.Hour), jobstest.WithFault(broken.Store),
		jobstest.InRealTime())
}

func TestConformTestsDetachedJobs(t *testing.T) {
	var broken atomic.Bool
	jobstest.Conform(t, func() jobs.Job { return right{&broken} }, jobs.Every(time.Hour), jobstest.WithJobOptions(jobs.Detached()))
}

// A base is what the SDK's users embed.
type base struct{ jobs.Job }

type embeds struct{ jobs.Job }

func (embeds) Status() error { return nil }

func TestConformPassesAJobThatEmbedsTheInterface(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job {
		return embeds{base{jobs.JobFunc(func(context.Context) error { return nil })}}
	}, jobs.Every(time.Minute))
}

func TestConformPassesAContextJobThatWaitsForItsEnd(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job {
		return jobs.JobFunc(func(ctx context.Context) error { <-ctx.Done(); return nil })
	}, jobs.Channel(nil))
}

// A listener is a channel job.
type listener struct {
	jobs.Job
	stop chan interface{}
}

func (l listener) Execute() error { <-l.stop; return nil }
func (listener) Status() error    { return nil }
func (listener) Ready() bool      { return true }

func TestConformPassesAChannelJobWithAStopChannel(t *testing.T) {
	for name, size := range map[string]int{"unbuffered": 0, "buffered": 1} {
		t.Run(name, func(t *testing.T) {
			stop := make(chan interface{}, size)
			jobstest.Conform(t, func() jobs.Job { return listener{stop: stop} }, jobs.Channel(stop))
		})
	}
}

func ExampleConform() {
	var t *testing.T // go test passes it
	if t != nil {
		jobstest.Conform(t, func() jobs.Job {
			return jobs.JobFunc(func(ctx context.Context) error { return ctx.Err() })
		}, jobs.Every(time.Hour))
	}
}
