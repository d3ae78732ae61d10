package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// The snippets of docs/MIGRATION.md, where the compiler and the tests see them.

type printfLogger interface {
	Debugf(format string, args ...interface{})
	Infof(format string, args ...interface{})
	Warnf(format string, args ...interface{})
	Errorf(format string, args ...interface{})
}

type printfHandler struct {
	logger printfLogger
	attrs  string
}

func (h printfHandler) Enabled(context.Context, slog.Level) bool { return true } // the logger has a level of its own

func (h printfHandler) Handle(_ context.Context, record slog.Record) error {
	line := record.Message + h.attrs
	record.Attrs(func(attr slog.Attr) bool { line += " " + attr.String(); return true })
	write := h.logger.Debugf
	switch {
	case record.Level >= slog.LevelError:
		write = h.logger.Errorf
	case record.Level >= slog.LevelWarn:
		write = h.logger.Warnf
	case record.Level >= slog.LevelInfo:
		write = h.logger.Infof
	}
	write("%s", line) // a % in an error is no verb
	return nil
}

func (h printfHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, attr := range attrs {
		h.attrs += " " + attr.String()
	}
	return h
}

func (h printfHandler) WithGroup(string) slog.Handler { return h } // the pool has no groups

// printed is a logger that keeps its lines.
type printed struct {
	mu sync.Mutex // guards what follows
	strings.Builder
}

func (l *printed) Debugf(format string, args ...interface{}) { l.add("debug", format, args) }
func (l *printed) Infof(format string, args ...interface{})  { l.add("info", format, args) }
func (l *printed) Warnf(format string, args ...interface{})  { l.add("warn", format, args) }
func (l *printed) Errorf(format string, args ...interface{}) { l.add("error", format, args) }

func (l *printed) add(level, format string, args []interface{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l, "%s: "+format+"\n", append([]interface{}{level}, args...)...)
}

func useLogger(logger printfLogger) {
	jobs.SetDefaultPool(jobs.NewPool(jobs.WithLogger(slog.New(printfHandler{logger: logger}))))
}

func TestThePoolLogsToALoggerThatPrints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged printed
		useLogger(&logged)
		defer jobs.SetDefaultPool(nil)
		id, err := jobs.Register(jobs.JobFunc(func(context.Context) error { return errors.New("100%d") }), jobs.Once(), jobs.WithName("sign-on"))
		require.NoError(t, err)
		jobstest.Advance(0)
		require.NoError(t, jobs.Shutdown(context.Background()))
		assert.Contains(t, logged.String(), "debug: job registered job=sign-on id="+id+" type=single run\n")
		assert.Contains(t, logged.String(), "error: job execution failed job=sign-on id="+id+" type=single run error=")
		assert.Contains(t, logged.String(), "execution: 100%d\n")
	})
}

func TestALoggerThatPrintsGetsEachLevelAndAttribute(t *testing.T) {
	var logged printed
	logger := slog.New(printfHandler{logger: &logged}).With("pool", "main")
	logger.Debug("a", "n", 1)
	logger.Info("b")
	logger.Warn("c")
	logger.Log(context.Background(), slog.LevelError+1, "d", "error", "50%")
	assert.Equal(t, "debug: a pool=main n=1\ninfo: b pool=main\nwarn: c pool=main\nerror: d pool=main error=50%\n", logged.String())
}
