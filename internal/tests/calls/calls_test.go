package calls

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What comes of every call in every state. A call is made once in each, both as the pool's method and,
// where there is one, as the package's function. A cell says
//
//	Running, nil, id, true …   what it returns; errors by their name, or "error" if they have none
//	waits, …                   it waits for something, and returns that when the other calls have ended; "deadline"
//	                           is the end of its context, a minute later
//	asks …                     Ready: what the job's own Ready has answered; else that was not called
//	locks, nothing             JobLock and Lock: the lock is taken, or was not there
//	unlocks, logs, nothing     JobUnlock and Unlock: the lock is given back, or a warning is logged
//	then …                     UnregisterJob: the job is not to be found any more; its JobExecution reads that
//	Stopped …, logs            SetStatus: the status that the pool has then, or a warning is logged
//
// UpdateDurations shows the status that the pool has then, "unknown id" what RunNow answers when it and
// all other calls are made with one, Register what all the ways to register answer.

// Calls about a job, with the states it can be in, and the pool where that makes a difference.
const jobTable = `
state                    | GetJobStatus | GetJob | Job          | GetStatus of it | Ready            | JobLock      | Lock         | JobUnlock | Unlock  | RunNow         | UnregisterJob
unknown id               | ""           | nil    | false        | -               | -                | nothing      | -            | nothing   | -       | ErrUnknownJob  | nothing
not ready                | Initializing | it     | Initializing | Initializing    | asks false       | locks        | locks        | logs      | logs    | ErrNotReady    | then Stopped
not ready, stopped       | Initializing | it     | Initializing | Initializing    | asks false       | locks        | locks        | logs      | logs    | ErrStopped     | then Stopped
in its first Ready       | Initializing | it     | Initializing | Initializing    | waits, asks true | locks        | locks        | logs      | logs    | ErrNotReady    | then Stopped
came while stopped       | Initializing | it     | Initializing | Initializing    | asks true        | locks        | locks        | logs      | logs    | ErrStopped     | then Stopped
interval                 | Running      | it     | Running      | Running         | asks true        | locks        | locks        | logs      | logs    | nil            | then Stopped
interval, locked         | Running      | it     | Running      | Running         | asks true        | waits, locks | waits, locks | unlocks   | unlocks | nil            | then Stopped
interval, awaits lock    | Running      | it     | Running      | Running         | asks true        | waits, locks | waits, locks | unlocks   | unlocks | nil            | then Stopped
interval, executing      | Running      | it     | Running      | Running         | true             | waits, locks | waits, locks | logs      | logs    | nil            | then Running
interval, in Status      | Running      | it     | Running      | Running         | asks true        | locks        | locks        | logs      | logs    | nil            | then Stopped
interval, late           | Failed       | it     | Failed       | Failed          | true             | waits, locks | waits, locks | logs      | logs    | ErrLate        | then Failed
interval, Status late    | Stopped      | it     | Stopped      | Stopped         | asks true        | locks        | locks        | logs      | logs    | ErrStopped     | then Stopped
stopped                  | Stopped      | it     | Stopped      | Stopped         | asks true        | locks        | locks        | logs      | logs    | ErrStopped     | then Stopped
stopped, executing       | Running      | it     | Running      | Running         | true             | waits, locks | waits, locks | logs      | logs    | ErrStopped     | then Running
stopped, awaits lock     | Stopped      | it     | Stopped      | Stopped         | asks true        | waits, locks | waits, locks | unlocks   | unlocks | ErrStopped     | then Stopped
stopped, in Ready        | Stopped      | it     | Stopped      | Stopped         | waits, asks true | locks        | locks        | logs      | logs    | ErrStopped     | then Stopped
scheduled                | Running      | it     | Running      | Running         | asks true        | locks        | locks        | logs      | logs    | nil            | then Stopped
scheduled, in Next       | Running      | it     | Running      | Running         | asks true        | locks        | locks        | logs      | logs    | nil            | then Stopped
scheduled, executing     | Running      | it     | Running      | Running         | true             | waits, locks | waits, locks | logs      | logs    | nil            | then Running
scheduled, finished      | Finished     | it     | Finished     | Finished        | asks true        | locks        | locks        | logs      | logs    | ErrEnded       | then Finished
channel, executing       | Running      | it     | Running      | Running         | true             | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Running
channel, told            | Running      | it     | Running      | Running         | true             | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Running
channel, broken          | Stopped      | it     | Stopped      | Stopped         | asks true        | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Stopped
channel, finished        | Finished     | it     | Finished     | Finished        | asks true        | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Finished
detached                 | Running      | it     | Running      | Running         | asks true        | locks        | locks        | logs      | logs    | nil            | then Stopped
detached, failing        | Failed       | it     | Failed       | Failed          | asks true        | locks        | locks        | logs      | logs    | nil            | then Failed
detached, executing      | Running      | it     | Running      | Running         | true             | waits, locks | waits, locks | logs      | logs    | nil            | then Running
detached, late           | Failed       | it     | Failed       | Failed          | true             | waits, locks | waits, locks | logs      | logs    | ErrLate        | then Failed
detached, abandoned      | Failed       | it     | Failed       | Failed          | asks true        | locks        | locks        | logs      | logs    | nil            | then Failed
detached channel, at it  | Running      | it     | Running      | Running         | true             | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Running
detached channel, broken | Stopped      | it     | Stopped      | Stopped         | asks true        | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Stopped
single run, executing    | Running      | it     | Running      | Running         | true             | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Running
single run, late         | Failed       | it     | Failed       | Failed          | true             | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Failed
single run, abandoned    | Failed       | it     | Failed       | Failed          | asks true        | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Failed
single run, finished     | Finished     | it     | Finished     | Finished        | asks true        | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Finished
single run, failed       | Failed       | it     | Failed       | Failed          | asks true        | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Failed
retry, executing         | Running      | it     | Running      | Running         | true             | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Running
retry, late              | Failed       | it     | Failed       | Failed          | true             | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Failed
retrying, waiting        | Retrying     | it     | Retrying     | Retrying        | asks true        | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Retrying
retrying, executing      | Retrying     | it     | Retrying     | Retrying        | true             | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Retrying
retry, failed            | Failed       | it     | Failed       | Failed          | asks true        | locks        | locks        | logs      | logs    | ErrNotPeriodic | then Failed
gone                     | ""           | nil    | false        | Stopped         | false            | nothing      | locks        | nothing   | logs    | ErrUnknownJob  | then Stopped
gone, locked             | ""           | nil    | false        | Stopped         | false            | waits, locks | waits, locks | unlocks   | unlocks | ErrUnknownJob  | then Stopped
gone, executing          | ""           | nil    | false        | Running         | false            | waits, locks | waits, locks | logs      | logs    | ErrUnknownJob  | then Running
gone, late               | ""           | nil    | false        | Failed          | false            | waits, locks | waits, locks | logs      | logs    | ErrUnknownJob  | then Failed
shut down                | Stopped      | it     | Stopped      | Stopped         | false            | locks        | locks        | logs      | logs    | ErrShutdown    | then Stopped
shut down, not ready     | Stopped      | it     | Stopped      | Stopped         | false            | locks        | locks        | logs      | logs    | ErrShutdown    | then Stopped
shut down, executing     | Running      | it     | Running      | Running         | false            | waits, locks | waits, locks | logs      | logs    | ErrShutdown    | then Running
shut down, finished      | Finished     | it     | Finished     | Finished        | false            | locks        | locks        | logs      | logs    | ErrShutdown    | then Finished
shut down, gone          | ""           | nil    | false        | Stopped         | false            | nothing      | locks        | nothing   | logs    | ErrShutdown    | then Stopped
`

// Calls about a pool. "running" and "stopped" are of one with an interval job.
const poolTable = `
state                       | GetStatus    | Status       | Info         | Jobs | unknown id    | Register    | SetStatus Stopped | SetStatus Running | UpdateDurations | WaitRunning     | Shutdown
zero                        | Initializing | Initializing | Initializing | all  | ErrUnknownJob | id          | Stopped           | logs              | Initializing    | waits, deadline | nil
fresh                       | Initializing | Initializing | Initializing | all  | ErrUnknownJob | id          | Stopped           | logs              | Initializing    | waits, deadline | nil
fresh, stopped              | Stopped      | Stopped      | Stopped      | all  | ErrUnknownJob | id          | logs              | Running           | Stopped         | waits, nil      | nil
running, no attached job    | Running      | Running      | Running      | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | nil
running                     | Running      | Running      | Running      | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | nil
running, one not ready      | Running      | Running      | Running      | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | waits, deadline | nil
running, one left to finish | Running      | Running      | Running      | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, nil
stopped                     | Stopped      | Stopped      | Stopped      | all  | ErrUnknownJob | id          | logs              | Running           | Stopped         | waits, nil      | nil
stopped, one executing      | Stopped      | Stopped      | Stopped      | all  | ErrUnknownJob | id          | logs              | Running           | Stopped         | waits, nil      | waits, nil
stopped, held up            | Stopped      | Stopped      | Stopped      | all  | ErrUnknownJob | id          | logs              | Stopped           | Stopped         | waits, nil      | waits, nil
restarting                  | Stopped      | Stopped      | Stopped      | all  | ErrUnknownJob | id          | logs              | Stopped           | Stopped         | waits, nil      | waits, nil
refused to restart          | Stopped      | Stopped      | Stopped      | all  | ErrUnknownJob | id          | logs              | Stopped           | Stopped         | waits, deadline | nil
shut down                   | Stopped      | Stopped      | Stopped      | all  | ErrShutdown   | ErrShutdown | logs              | logs              | Stopped         | ErrShutdown     | nil
shut down while stopped     | Stopped      | Stopped      | Stopped      | all  | ErrShutdown   | ErrShutdown | logs              | logs              | Stopped         | ErrShutdown     | nil
shut down before use        | Stopped      | Stopped      | Stopped      | all  | ErrShutdown   | ErrShutdown | logs              | logs              | Stopped         | ErrShutdown     | nil
shutting down               | Stopped      | Stopped      | Stopped      | all  | ErrShutdown   | ErrShutdown | logs              | logs              | Stopped         | ErrShutdown     | waits, nil
`

// Calls that a job makes about itself. Its own lock is one that its execution waits for in vain, until it is abandoned.
const insideJobTable = `
inside                   | GetJobStatus | GetJob | Job          | GetStatus of it | Ready        | JobLock      | Lock         | JobUnlock | Unlock | RunNow         | UnregisterJob
Execute                  | Running      | it     | Running      | Running         | true         | waits, locks | waits, locks | logs      | logs   | nil            | then Running
Execute, stopped         | Running      | it     | Running      | Running         | true         | waits, locks | waits, locks | logs      | logs   | ErrStopped     | then Running
Execute, late            | Failed       | it     | Failed       | Failed          | true         | waits, locks | waits, locks | logs      | logs   | ErrLate        | then Failed
Execute, gone            | ""           | nil    | false        | Running         | false        | waits, locks | waits, locks | logs      | logs   | ErrUnknownJob  | then Running
Execute, shut down       | Running      | it     | Running      | Running         | false        | waits, locks | waits, locks | logs      | logs   | ErrShutdown    | then Running
ExecuteContext           | Running      | it     | Running      | Running         | true         | waits, locks | waits, locks | logs      | logs   | nil            | then Running
Execute of once          | Running      | it     | Running      | Running         | true         | locks        | locks        | logs      | logs   | ErrNotPeriodic | then Running
Execute of retry         | Retrying     | it     | Retrying     | Retrying        | true         | locks        | locks        | logs      | logs   | ErrNotPeriodic | then Retrying
Execute of scheduled     | Running      | it     | Running      | Running         | true         | waits, locks | waits, locks | logs      | logs   | nil            | then Running
Execute of channel       | Running      | it     | Running      | Running         | true         | locks        | locks        | logs      | logs   | ErrNotPeriodic | then Running
Execute of channel, told | Running      | it     | Running      | Running         | true         | locks        | locks        | logs      | logs   | ErrNotPeriodic | then Running
Status                   | Running      | it     | Running      | Running         | asks true    | locks        | locks        | logs      | logs   | nil            | then Stopped
Status, late             | Stopped      | it     | Stopped      | Stopped         | asks true    | locks        | locks        | logs      | logs   | ErrStopped     | then Stopped
first Ready              | Initializing | it     | Initializing | Initializing    | waits, false | locks        | locks        | logs      | logs   | ErrNotReady    | then Stopped
Ready at a restart       | Stopped      | it     | Stopped      | Stopped         | waits, false | locks        | locks        | logs      | logs   | ErrStopped     | then Stopped
stop receiver            | Running      | it     | Running      | Running         | true         | locks        | locks        | logs      | logs   | ErrNotPeriodic | then Running
Next                     | Running      | it     | Running      | Running         | asks true    | locks        | locks        | logs      | logs   | nil            | then Stopped
Error                    | Running      | it     | Running      | Running         | true         | waits, locks | waits, locks | logs      | logs   | nil            | then Running
WithOnStatus             | Running      | it     | Running      | Running         | asks true    | locks        | locks        | logs      | logs   | nil            | then Stopped
log handler              | Failed       | it     | Failed       | Failed          | asks true    | locks        | locks        | logs      | logs   | nil            | then Failed
`

// Calls that a job makes about its pool. WithOnStatus and log handler are no job's, but the pool's functions.
const insidePoolTable = `
inside                   | GetStatus | Status  | Info    | Jobs | unknown id    | Register    | SetStatus Stopped | SetStatus Running | UpdateDurations | WaitRunning     | Shutdown
Execute                  | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Execute, stopped         | Stopped   | Stopped | Stopped | all  | ErrUnknownJob | id          | logs              | Running           | Stopped         | waits, nil      | waits, deadline
Execute, late            | Stopped   | Stopped | Stopped | all  | ErrUnknownJob | id          | logs              | Stopped           | Stopped         | waits, nil      | waits, nil
Execute, gone            | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Execute, shut down       | Stopped   | Stopped | Stopped | all  | ErrShutdown   | ErrShutdown | logs              | logs              | Stopped         | ErrShutdown     | waits, deadline
ExecuteContext           | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Execute of once          | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Execute of retry         | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Execute of scheduled     | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Execute of channel       | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Execute of channel, told | Stopped   | Stopped | Stopped | all  | ErrUnknownJob | id          | logs              | Running           | Stopped         | waits, nil      | waits, deadline
Status                   | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Status, late             | Stopped   | Stopped | Stopped | all  | ErrUnknownJob | id          | logs              | Stopped           | Stopped         | waits, deadline | waits, deadline
first Ready              | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | waits, deadline | waits, deadline
Ready at a restart       | Stopped   | Stopped | Stopped | all  | ErrUnknownJob | id          | logs              | Stopped           | Stopped         | waits, deadline | waits, deadline
stop receiver            | Stopped   | Stopped | Stopped | all  | ErrUnknownJob | id          | logs              | Running           | Stopped         | waits, nil      | waits, deadline
Next                     | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
Error                    | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
WithOnStatus             | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
log handler              | Running   | Running | Running | all  | ErrUnknownJob | id          | Stopped           | logs              | Running         | nil             | waits, deadline
`

func TestWhatEachCallAnswersAboutAJobInEachState(t *testing.T) {
	readTable(t, jobTable).check(t, jobStates)
}

func TestWhatEachCallAnswersInEachStateOfThePool(t *testing.T) {
	readTable(t, poolTable).check(t, poolStates)
}

func TestWhatEachCallAnswersAboutTheJobFromInsideIt(t *testing.T) {
	readTable(t, insideJobTable).check(t, insides)
}

func TestWhatEachCallAnswersAboutThePoolFromInsideAJob(t *testing.T) {
	readTable(t, insidePoolTable).check(t, insides)
}

func TestTalos11692_ShutdownLeavesNoGoroutineWhateverThePoolIsDoing(t *testing.T) {
	for name, state := range poolStates {
		t.Run(name, func(t *testing.T) { // the bubble fails the test if one is left
			play(t, state, allCalls["Shutdown"], false)
		})
	}
}

// methodsOf returns the names of a type's exported methods.
func methodsOf(typ reflect.Type) (names []string) {
	for i := range typ.NumMethod() {
		if m := typ.Method(i); m.IsExported() {
			names = append(names, m.Name)
		}
	}
	return names
}

func TestEveryMethodIsInTheTablesOfCalls(t *testing.T) {
	covered := methodsOf(reflect.TypeFor[jobstest.Registrar]())                                                                                 // by Register
	covered = append(covered, "GetID", "GetName", "GetJob")                                                                                     // the same in every state
	covered = append(covered, "Events", "History", "Explain", "JobByName")                                                                      // what has happened is the same in every state
	covered = append(covered, "Pause", "PauseUntil", "Resume", "Reschedule", "Cancel", "UnregisterAndWait", "PausePool", "ResumePool", "Drain") // what they refuse is in steering_test.go
	for _, text := range []string{jobTable, poolTable, insideJobTable, insidePoolTable} {
		for _, name := range readTable(t, text).calls {
			covered = append(covered, strings.Fields(name)[0])
		}
	}
	assert.Subset(t, covered, exportedFunctions(t, "Pool"))
	assert.Subset(t, covered, methodsOf(reflect.TypeFor[jobs.JobExecution]()))
}

func TestEveryPackageLevelFunctionIsInTheTablesOfCalls(t *testing.T) {
	covered := methodsOf(reflect.TypeFor[surface]())
	stateless := []string{"NewPool", "DefaultPool", "SetDefaultPool", "ParseSchedule", "Permanent", "FromContext", "Progress", "Func"}
	for _, f := range exportedFunctions(t, "") {
		if !slices.Contains(stateless, f) {
			assert.Contains(t, covered, f)
		}
	}
}

// exportedFunctions returns the names of the package's exported functions, but for those that make a
// trigger or an option; or of the methods of a type. (Reflection also finds those that are for tests.)
func exportedFunctions(t *testing.T, receiver string) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../../*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Name.IsExported() && receiverOf(f) == receiver && !makesAPart(f) {
				names = append(names, f.Name.Name)
			}
		}
	}
	require.NotEmpty(t, names)
	return names
}

func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	return strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*")
}

func makesAPart(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	result := types.ExprString(f.Type.Results.List[0].Type)
	return slices.Contains([]string{"Trigger", "JobOption", "PoolOption", "Option", "FuncOption"}, result)
}
