package main

import (
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var everyone = []string{"jobs", "timer", "goroutine", "suture", "robfig", "gocron", "quartz"}

// able says which subjects a cell is meant for.
var able = map[place][]string{
	{"uuid", 1}:          {"jobs"},
	{"life", 20}:         everyone,
	{"poll", 20}:         {"jobs", "goroutine"},
	{"rate", 2}:          everyone,
	{"spread", 20}:       everyone,
	{"lookup", lookedUp}: {"jobs", "goroutine", "robfig", "gocron", "quartz"},
	{"outage", 20}:       {"jobs"},
	{"overload", 20}:     {"jobs"},
	{"schedule", 1}:      {"jobs", "robfig", "quartz", "original"},
}

// It measures nothing: it shows that each cell works for each subject that it is meant for, and
// is n/a for the others. All are tried at once, as they mostly wait.
func TestEveryCellWorksForFewJobs(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv(hasty, "1")
	var mu sync.Mutex
	var samples []sample
	var tried sync.WaitGroup
	for at := range able {
		tried.Go(func() {
			p := plan{places: []place{at}, subjects: subjectNames, limit: time.Minute}
			tries := p.run(self, 1, io.Discard)
			mu.Lock()
			defer mu.Unlock()
			samples = append(samples, tries...)
		})
	}
	tried.Wait()
	require.Len(t, samples, len(able)*len(subjectNames))
	for _, s := range samples {
		if !slices.Contains(able[s.place], s.Subject) {
			assert.Equal(t, notApplicable, s.Outcome, "%v of %s", s.place, s.Subject)
		} else if assert.Equal(t, measured, s.Outcome, "%v of %s: %s", s.place, s.Subject, s.Error) {
			assertShown(t, s)
		}
	}
}

// assertShown checks that each metric that the table shows for the cell was measured.
func assertShown(t *testing.T, s sample) {
	t.Helper()
	for _, row := range rows {
		if row.place.Cell == s.Cell && row.metric != "resident_mb" { // which only Linux tells
			assert.Contains(t, s.Metrics, row.metric)
		}
	}
}
