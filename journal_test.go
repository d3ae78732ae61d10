package jobs_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/agentjobs/jobs"
)

const (
	warning = slog.LevelWarn
	failing = slog.LevelError
)

// A journal keeps what a pool logs.
type journal struct {
	mu      sync.Mutex
	entries []entry
}

type entry struct {
	level   slog.Level
	message string
	attrs   map[string]slog.Value
	line    string // all of it
}

func (e entry) text(attr string) string { return e.attrs[attr].String() }

// option makes a pool log to the journal.
func (l *journal) option() jobs.PoolOption { return jobs.WithLogger(slog.New(l)) }

func (l *journal) Enabled(context.Context, slog.Level) bool { return true }
func (l *journal) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *journal) WithGroup(string) slog.Handler            { return l }

func (l *journal) Handle(_ context.Context, r slog.Record) error {
	e := entry{level: r.Level, message: r.Message, attrs: map[string]slog.Value{}, line: r.Message}
	r.Attrs(func(a slog.Attr) bool {
		e.attrs[a.Key] = a.Value
		e.line += " " + a.Key + "=" + a.Value.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	return nil
}

// atLeast returns the entries of that level and above.
func (l *journal) atLeast(level slog.Level) (entries []entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.level >= level {
			entries = append(entries, e)
		}
	}
	return entries
}

// count returns how many entries of exactly that level there are.
func (l *journal) count(level slog.Level) (n int) {
	for _, e := range l.atLeast(level) {
		if e.level == level {
			n++
		}
	}
	return n
}

// at returns all that was logged at a level, an entry a line.
func (l *journal) at(level slog.Level) string {
	var lines []string
	for _, e := range l.atLeast(level) {
		if e.level == level {
			lines = append(lines, e.line)
		}
	}
	return strings.Join(lines, "\n")
}
