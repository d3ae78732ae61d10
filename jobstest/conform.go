package jobstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agentjobs/jobs"
)

// An Option changes what [Conform] does.
type Option func(*config)

type config struct {
	realTime bool
	fault    func(broken bool)
	limit    time.Duration // of Execute
	grace    time.Duration // from the end of a context, or a nil, to the return
	opts     []jobs.JobOption
}

// InRealTime runs the job outside of bubbles, for one that waits for the network, or on channels that were made
// before. It takes seconds, as what the job waits for does.
func InRealTime() Option { return func(c *config) { c.realTime = true } }

// WithFault lets Conform break what the job depends on, and mend it: f(true) breaks it, f(false) mends it. It is
// called while the job executes, so it must be safe for that.
func WithFault(f func(broken bool)) Option { return func(c *config) { c.fault = f } }

// WithLimit is how long an execution, or a call of Ready, may take that nobody ends: 5 minutes by default, the pool's
// own timeout, or 10 seconds in real time.
func WithLimit(d time.Duration) Option { return func(c *config) { c.limit = d } }

// WithGrace is how long the job may take to return after it was told to: a second by default.
func WithGrace(d time.Duration) Option { return func(c *config) { c.grace = d } }

// WithJobOptions registers the job with these options, [jobs.Detached] for example.
func WithJobOptions(opts ...jobs.JobOption) Option { return func(c *config) { c.opts = opts } }

const (
	statusLimit = time.Second
	stuck       = 20 * time.Second // of real time: a bubble that lasts longer hangs
)

// Conform does to a job what a pool does, and says what is wrong and why it hurts. Each aspect is a subtest, with a
// job of its own from newJob, which is called in a bubble unless the test is [InRealTime]; that is the case, too, if
// the trigger is a Channel with a stop channel, since that was made outside of the bubble. What cannot be told of a job
// is skipped, and says so. Data races are found if the test runs with -race.
//
// A job that hangs in a way that the bubble cannot see, in a mutex or a network read, ends the test binary after
// 20 seconds, with a panic that says where it hangs.
func Conform(t *testing.T, newJob func() jobs.Job, trigger jobs.Trigger, opts ...Option) {
	t.Helper()
	c := &conformance{newJob: newJob, trigger: trigger}
	for _, opt := range opts {
		if opt != nil {
			opt(&c.config)
		}
	}
	if channel := reflect.ValueOf(trigger); channel.IsValid() && channel.Kind() == reflect.Chan && !channel.IsNil() {
		c.stopChan = channel.Convert(reflect.TypeFor[chan interface{}]()).Interface().(chan interface{})
		c.realTime = true
	}
	if c.limit <= 0 {
		c.limit = 5 * time.Minute
		if c.realTime {
			c.limit = 10 * time.Second
		}
	}
	if c.grace <= 0 {
		c.grace = time.Second
	}
	if err := c.classify(); err != nil {
		t.Fatal(err)
	}
	for _, aspect := range []struct {
		name  string
		check func(*check)
	}{
		{"ready", checkReady},
		{"execute", checkExecute},
		{"context", checkContext},
		{"channel", checkChannel},
		{"status", checkStatus},
		{"restart", checkRestart},
		{"unregister", checkUnregister},
		{"shutdown", checkShutdown},
		{"fault", checkFault},
		{"twice", checkTwice},
		{"leaks", checkLeaks},
	} {
		t.Run(aspect.name, func(t *testing.T) { c.run(t, aspect.check) })
	}
}

type conformance struct {
	config
	newJob   func() jobs.Job
	trigger  jobs.Trigger
	stopChan chan interface{}
	kind     string // a JobType, without detached
	attached bool
}

// classify registers another job in place of the user's to find out what the trigger makes of it.
func (c *conformance) classify() error {
	p := jobs.NewPool(jobs.WithLogger(slog.New(slog.DiscardHandler)))
	until := func(ctx context.Context) error { return nil }
	if c.trigger != nil && reflect.ValueOf(c.trigger).Kind() == reflect.Chan {
		until = func(ctx context.Context) error { <-ctx.Done(); return nil }
	}
	id, err := p.Register(jobs.JobFunc(until), c.trigger, c.opts...)
	if err == nil {
		info, _ := p.Job(id)
		c.kind = strings.TrimPrefix(info.Type, "detached ")
		c.attached = !info.Detached && c.kind != jobs.JobTypeSingleRun && c.kind != jobs.JobTypeRetry
	}
	return errors.Join(err, p.Shutdown(context.Background()))
}

// A check is one aspect of one job.
type check struct {
	*conformance
	job jobs.Job

	mu       sync.Mutex
	problems []string
	skipped  string
	log      bytes.Buffer
}

func (c *conformance) run(t *testing.T, f func(*check)) {
	t.Helper()
	k := &check{conformance: c}
	body := func() {
		if k.job = c.newJob(); k.job == nil {
			k.problem("newJob has returned nil")
			return
		}
		f(k)
	}
	if c.realTime {
		body()
	} else {
		k.inBubble(t, body)
	}
	for _, problem := range k.problems {
		t.Error(problem)
	}
	if t.Failed() && k.log.Len() > 0 {
		t.Logf("the pool has logged:\n%s", k.log.String())
	}
	if k.skipped != "" && !t.Failed() {
		t.Skip(k.skipped)
	}
}

// inBubble runs f in a bubble, and tells of what is left in it.
func (k *check) inBubble(t *testing.T, f func()) {
	watch := time.AfterFunc(stuck, func() {
		panic("jobstest: the job hangs in a way that stops a bubble's time, in a mutex, a system call or the network, or on " +
			"a channel from outside: mend it, or test it InRealTime" + at(calls()...))
	})
	defer watch.Stop()
	defer func() {
		if left := recover(); left != nil && len(k.problems) == 0 {
			k.problem("the job leaves something running: %v", left)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		f()
		time.Sleep(k.grace)
		synctest.Wait()
		if left := others(); len(left) > 0 && len(k.problems) == 0 {
			k.problem("a goroutine of the job goes on after its execution and its pool have ended: each execution adds one, "+
				"until memory runs out%s", at(left...))
		}
	})
}

func (k *check) problem(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.problems = append(k.problems, fmt.Sprintf(format, args...))
}

func (k *check) skip(why string) { k.skipped = "cannot be told: " + why }

// Write adds a line to what the pool has logged.
func (k *check) Write(line []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.log.Write(line)
}

// A call is a call of one of the job's methods, on a goroutine of its own.
type call struct {
	done     chan struct{}
	err      error
	panicked string
}

// start calls f.
func start(f func() error) *call {
	c := &call{done: make(chan struct{})}
	go c.make(f) // ends with f
	return c
}

//go:noinline
func (c *call) make(f func() error) {
	defer close(c.done)
	defer func() {
		if value := recover(); value != nil {
			c.panicked = fmt.Sprintf("%v\n%s", value, debug.Stack())
		}
	}()
	c.err = f()
}

// within reports whether the call returns in time, and does not panic; why is why it hurts if not.
func (k *check) within(c *call, d time.Duration, what, why string) bool {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-c.done:
	case <-late.C:
		k.problem("%s has not returned in %v: %s%s", what, d, why, at(calls()...))
		return false
	}
	if c.panicked != "" {
		k.problem("%s panics, which counts as a failure, and stops the pool: %s", what, c.panicked)
	}
	return c.panicked == ""
}

// execute starts an execution as a pool does.
func (k *check) execute(ctx context.Context) *call {
	if job, ok := k.job.(jobs.ContextJob); ok {
		return start(func() error { return job.ExecuteContext(ctx) })
	}
	return start(k.job.Execute)
}

// settle lets what was begun get as far as it can or, in real time, some way.
func (k *check) settle() {
	if k.realTime {
		time.Sleep(20 * time.Millisecond)
		return
	}
	synctest.Wait()
}

// end ends an execution, however the job takes it, and reports whether it does.
func (k *check) end(execution *call, cancel context.CancelCauseFunc) bool {
	cancel(jobs.ErrShutdown)
	if _, ok := k.job.(jobs.ContextJob); !ok && k.stopChan != nil {
		select {
		case k.stopChan <- nil:
		case <-execution.done:
		case <-time.After(k.grace):
		}
	}
	return k.within(execution, k.patience(), "Execute", "a job that does not end when it is told holds up each restart and the "+
		"end of the program")
}

// patience is how long an execution may go on that was told to end.
func (k *check) patience() time.Duration {
	_, ok := k.job.(jobs.ContextJob)
	if ok || k.kind == jobs.JobTypeChannel {
		return k.grace
	}
	return k.limit // it cannot be told
}

func checkReady(k *check) {
	for range 3 {
		var ready bool
		asked := start(func() error { ready = k.job.Ready(); return nil })
		if !k.within(asked, k.limit, "Ready", "the job never starts, and a restart of the pool waits for it") {
			return
		}
		if !ready {
			k.problem("Ready is false although nothing is broken: such a job is never executed. If it waits for another job, " +
				"let newJob arrange that, too")
			return
		}
	}
}

func checkExecute(k *check) {
	if k.kind == jobs.JobTypeChannel {
		k.skip("a channel job executes until it is told to end")
		return
	}
	k.job.Ready()
	execution := k.execute(context.Background())
	if k.within(execution, k.limit, "Execute", "the pool counts it as failed at its timeout, and stops") && execution.err != nil {
		if k.kind == jobs.JobTypeRetry {
			return // that is what the attempts are for
		}
		k.problem("Execute fails although nothing is broken, and that stops the pool: %v", execution.err)
	}
}

var errEnd = errors.New("jobstest: the end of the context")

func checkContext(k *check) {
	if _, ok := k.job.(jobs.ContextJob); !ok {
		k.skip("the job is no ContextJob: it has no ExecuteContext")
		return
	}
	k.job.Ready()
	for _, begun := range []bool{true, false} {
		ctx, cancel := context.WithCancelCause(context.Background())
		if !begun {
			cancel(errEnd)
		}
		execution := k.execute(ctx)
		k.settle()
		cancel(errEnd)
		if !k.within(execution, k.grace, "ExecuteContext, whose context has ended,", "a job that does not watch its context "+
			"holds up each restart, and the end of the program") {
			return
		}
		if err := execution.err; err != nil && !errors.Is(err, errEnd) && !errors.Is(err, context.Canceled) {
			k.problem("ExecuteContext, whose context has ended, returns an error that wraps neither context.Cause(ctx) nor ctx.Err(), "+
				"so its log shows a failure where there was none: %v", err)
			return
		}
	}
}

func checkChannel(k *check) {
	switch {
	case k.kind != jobs.JobTypeChannel:
		k.skip("the job is no channel job")
		return
	case k.stopChan == nil:
		k.skip("the job has no stop channel: it ends with its context")
		return
	}
	k.job.Ready()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	execution := k.execute(ctx)
	k.settle()
	select {
	case <-execution.done:
		k.problem("Execute of a channel job returns before it was told to (error: %v): the pool takes it for a failure, or an end for "+
			"good", execution.err)
		return
	case k.stopChan <- nil:
	case <-time.After(k.grace):
		k.problem("the job does not receive from its stop channel, so it cannot be stopped, and holds up each restart%s", at(calls()...))
		return
	}
	second := false
	for wait := time.After(k.grace); !second; {
		select {
		case <-execution.done:
			if len(k.stopChan) > 0 {
				<-k.stopChan
			}
			return
		case k.stopChan <- nil:
			second = cap(k.stopChan) == 0
			if !second {
				<-execution.done
			}
		case <-wait:
			k.problem("Execute has not returned %v after it has received a nil from its stop channel%s", k.grace, at(calls()...))
			return
		}
	}
	k.problem("the job takes more than one nil from its stop channel: the second is meant for another job, or its next execution, " +
		"which then is never told")
	cancel(nil)
}

func checkStatus(k *check) {
	ask := func(when string) bool {
		asked := start(k.job.Status)
		if !k.within(asked, statusLimit, "Status "+when, "the pool waits for it, and learns late of what is broken: let Execute "+
			"find out, and Status remember") {
			return false
		}
		if asked.err != nil {
			k.problem("Status %s fails although nothing is broken, and that stops the pool: %v", when, asked.err)
		}
		return asked.err == nil
	}
	k.job.Ready()
	ctx, cancel := context.WithCancelCause(context.Background())
	execution := k.execute(ctx)
	healthy := true
	for n := 0; healthy && n < 10; n++ {
		healthy = ask("beside Execute")
		k.settle()
	}
	if k.end(execution, cancel) && healthy {
		ask("after an execution")
	}
}

// A stage is a pool with the job in it.
type stage struct {
	k  *check
	p  *jobs.Pool
	id string
}

// perform registers the job with a pool of its own, the default pool meanwhile, waits until it executes, and calls act.
func (k *check) perform(act func(*stage)) {
	interval := 30 * time.Second
	if k.realTime {
		interval = 50 * time.Millisecond
	}
	p := jobs.NewPool(jobs.WithLogger(slog.New(slog.NewTextHandler(k, nil))),
		jobs.WithStatusInterval(interval), jobs.WithRetryInterval(interval), jobs.WithExecutionTimeout(k.limit))
	before := jobs.DefaultPool()
	jobs.SetDefaultPool(p)
	defer jobs.SetDefaultPool(before)
	id, err := p.Register(k.job, k.trigger, k.opts...)
	if err != nil {
		k.problem("%v", err)
		return
	}
	s := &stage{k: k, p: p, id: id}
	if s.executes(0) {
		act(s)
	}
	s.shutdown()
}

func (s *stage) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), s.k.patience())
	defer cancel()
	if err := s.p.Shutdown(ctx); err != nil && len(s.k.problems) == 0 {
		s.k.problem("the job has not returned %v after its pool was shut down, so the program does not end in time: %v", s.k.patience(),
			atError(err))
	}
}

// atError adds the line of the user's code to an error with stacks.
func atError(err error) string {
	text := err.Error()
	if line := userLine(text); line != "" {
		return "it is at " + line + "\n" + text
	}
	return text
}

// executes reports whether the job begins an execution after so many, in any time; an interval or scheduled one is told to.
func (s *stage) executes(after uint64) bool {
	_ = s.p.RunNow(s.id)
	if s.k.until(s.k.limit, func() bool {
		info, _ := s.p.Job(s.id)
		if info.Executions <= after && info.Status == jobs.JobStatusRunning {
			_ = s.p.RunNow(s.id)
		}
		return info.Executions > after
	}) {
		return true
	}
	info, _ := s.p.Job(s.id)
	s.k.problem("the job has not begun execution %d in %v: %s", after+1, s.k.limit, info.NotExecuting)
	return false
}

// until reports whether the condition comes true in that time.
func (k *check) until(d time.Duration, holds func() bool) bool {
	step := time.Second
	if k.realTime {
		step = 5 * time.Millisecond
	}
	for begun := time.Now(); ; time.Sleep(step) {
		k.settle()
		if holds() {
			return true
		}
		if time.Since(begun) > d {
			return false
		}
	}
}

func checkRestart(k *check) {
	if !k.attached {
		k.skip("the job is not attached: it does not stop with its pool")
		return
	}
	k.perform(func(s *stage) {
		for _, again := range []string{"", " again, after a restart"} {
			s.p.SetStatus(jobs.PoolStatusStopped)
			if !k.until(k.patience(), func() bool { return s.p.GetJob(s.id).GetStatus() == jobs.JobStatusStopped && s.idle() }) {
				k.problem("the job has not stopped%s in %v: no job of the pool starts again before it has%s", again, k.patience(), at(poolCalls()...))
				return
			}
			before, _ := s.p.Job(s.id)
			s.p.SetStatus(jobs.PoolStatusRunning)
			if !k.until(k.limit, func() bool { return s.p.Status() == jobs.PoolStatusRunning }) {
				k.problem("the pool cannot restart after it has stopped the job%s, so no attached job works any more: %+v", again, s.p.Info().HeldUpBy)
				return
			}
			if !s.executes(before.Executions) {
				return
			}
		}
	})
}

// idle reports whether no execution is in flight.
func (s *stage) idle() bool {
	info, _ := s.p.Job(s.id)
	return !info.LastEnd.Before(info.LastStart) && info.Reason != ""
}

func checkUnregister(k *check) {
	k.perform(func(s *stage) {
		ctx, cancel := context.WithTimeout(context.Background(), k.patience())
		defer cancel()
		if err := s.p.UnregisterAndWait(ctx, s.id); err != nil && !errors.Is(err, jobs.ErrUnknownJob) {
			k.problem("the job goes on %v after it was unregistered, beside whatever takes its place: %v", k.patience(), atError(err))
		}
	})
}

func checkShutdown(k *check) { k.perform(func(*stage) {}) }

func checkFault(k *check) {
	switch {
	case k.fault == nil:
		k.skip("WithFault was not given, so nothing can be broken")
		return
	case !k.attached:
		k.skip("the job is not attached: its failures stop nobody")
		return
	}
	defer k.fault(false)
	k.perform(func(s *stage) {
		k.fault(true)
		if !k.until(k.limit, func() bool {
			_ = s.p.RunNow(s.id)
			return s.p.Status() == jobs.PoolStatusStopped
		}) {
			k.problem("neither Status nor Execute fails while what the job depends on is broken: nobody learns of it, and the pool goes on")
			return
		}
		before, _ := s.p.Job(s.id)
		k.fault(false)
		if !k.until(3*k.limit, func() bool { return s.p.Status() == jobs.PoolStatusRunning }) {
			k.problem("what the job depends on is mended, and Ready is still not true (the readiness dead end): if only an execution "+
				"makes it true, there is none before it is, and the pool never restarts: %+v%s", s.p.Info().HeldUpBy, at(poolCalls()...))
			return
		}
		s.executes(before.Executions)
	})
}

func checkTwice(k *check) {
	if k.kind == jobs.JobTypeChannel && k.stopChan != nil {
		k.skip("a restart executes the same value again: see restart")
		return
	}
	for n := range 2 {
		k.job.Ready()
		ctx, cancel := context.WithCancelCause(context.Background())
		execution := k.execute(ctx)
		k.settle()
		if k.kind == jobs.JobTypeChannel {
			cancel(jobs.ErrStopped)
		}
		ended := k.within(execution, k.limit, fmt.Sprintf("execution %d of the same value", n+1), "the job works once and never again")
		cancel(nil)
		if !ended {
			return
		}
		if err := execution.err; n == 1 && err != nil && k.kind != jobs.JobTypeRetry && k.kind != jobs.JobTypeChannel {
			k.problem("the second execution of the same value fails: the job works once and never again: %v", err)
		}
	}
}

func checkLeaks(k *check) {
	const rounds = 4
	before, files := traces(), openFiles()
	for n := range rounds {
		if n > 0 {
			k.job = k.newJob()
		}
		k.perform(func(*stage) {})
		if len(k.problems) > 0 {
			return
		}
	}
	runtime.GC() // closes files that nobody refers to
	if now := openFiles(); files >= 0 && now >= files+rounds && openFiles() >= files+rounds {
		k.problem("%d more files or connections are open after %d executions: the process reaches its limit and can open none",
			now-files, rounds)
	}
	if !k.realTime {
		return // the end of the bubble tells
	}
	var left []string
	if !k.until(k.grace, func() bool { left = slices.Clip(begunSince(before)); return len(left) < rounds }) {
		k.problem("%d goroutines of the job go on after their pools have ended: each execution adds one, until memory runs out%s",
			len(left), at(left...))
	}
}

// openFiles returns how many files the process has open, or -1 where that cannot be told.
func openFiles() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(files)
}
