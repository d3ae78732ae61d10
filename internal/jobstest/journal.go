package jobstest

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/agentjobs/jobs"
)

// A Journal keeps what a pool logs.
type Journal struct {
	mu      sync.Mutex
	entries []Entry
}

// An Entry is one record of a journal.
type Entry struct {
	Level   slog.Level
	Message string
	Attrs   map[string]slog.Value
	line    string // all of it
}

// Text returns the value of an attribute.
func (e Entry) Text(attr string) string { return e.Attrs[attr].String() }

// Option makes a pool log to the journal.
func (l *Journal) Option() jobs.PoolOption { return jobs.WithLogger(slog.New(l)) }

func (l *Journal) Enabled(context.Context, slog.Level) bool { return true }
func (l *Journal) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *Journal) WithGroup(string) slog.Handler            { return l }

func (l *Journal) Handle(_ context.Context, r slog.Record) error {
	e := Entry{Level: r.Level, Message: r.Message, Attrs: map[string]slog.Value{}, line: r.Message}
	r.Attrs(func(a slog.Attr) bool {
		e.Attrs[a.Key] = a.Value
		e.line += " " + a.Key + "=" + a.Value.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	return nil
}

// AtLeast returns the entries of that level and above.
func (l *Journal) AtLeast(level slog.Level) (entries []Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.Level >= level {
			entries = append(entries, e)
		}
	}
	return entries
}

// Count returns how many entries of exactly that level there are.
func (l *Journal) Count(level slog.Level) (n int) {
	for _, e := range l.AtLeast(level) {
		if e.Level == level {
			n++
		}
	}
	return n
}

// At returns all that was logged at a level, one entry per line.
func (l *Journal) At(level slog.Level) string {
	var lines []string
	for _, e := range l.AtLeast(level) {
		if e.Level == level {
			lines = append(lines, e.line)
		}
	}
	return strings.Join(lines, "\n")
}

// A HandlerFunc is a log handler made of a function.
type HandlerFunc func(slog.Record)

// Option makes a pool log to the handler.
func (h HandlerFunc) Option() jobs.PoolOption { return jobs.WithLogger(slog.New(h)) }

func (h HandlerFunc) Enabled(context.Context, slog.Level) bool      { return true }
func (h HandlerFunc) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h HandlerFunc) WithGroup(string) slog.Handler                 { return h }
func (h HandlerFunc) Handle(_ context.Context, r slog.Record) error { h(r); return nil }
