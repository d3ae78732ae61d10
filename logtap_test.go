package jobs_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/agentjobs/jobs"
)

// A logTap keeps what a pool logs: the text of each record with its attributes.
type logTap struct {
	mu      sync.Mutex
	records []tapped
}

type tapped struct {
	level slog.Level
	text  string
}

func (*logTap) Enabled(context.Context, slog.Level) bool { return true }
func (l *logTap) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *logTap) WithGroup(string) slog.Handler          { return l }

func (l *logTap) Handle(_ context.Context, r slog.Record) error {
	parts := []string{r.Message}
	r.Attrs(func(a slog.Attr) bool {
		parts = append(parts, a.Key+"="+a.Value.String())
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, tapped{r.Level, strings.Join(parts, " ")})
	return nil
}

// option makes a pool log to the tap.
func (l *logTap) option() jobs.PoolOption { return jobs.WithLogger(slog.New(l)) }

// at returns all that was logged at a level, a record a line.
func (l *logTap) at(level slog.Level) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, r := range l.records {
		if r.level == level {
			lines = append(lines, r.text)
		}
	}
	return strings.Join(lines, "\n")
}
