package main

import (
	"io"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var all = regexp.MustCompile(".")

func TestAPlanHoldsWhatIsWanted(t *testing.T) {
	p := newPlan(regexp.MustCompile("^life/"), regexp.MustCompile("^(jobs|timer)$"), false)
	assert.Equal(t, []place{thousand, tenK, hundredK, million}, p.places)
	assert.Equal(t, []string{"jobs", "timer"}, p.subjects)

	assert.NotContains(t, newPlan(all, all, true).places, million, "a quick run leaves it out")
	assert.ElementsMatch(t, append(variants, subjectNames...), newPlan(all, all, false).subjects)
}

func TestEachRowHasAPlaceAndEachPlaceACell(t *testing.T) {
	for _, row := range rows {
		assert.Contains(t, places, row.place, row.label)
	}
	for _, at := range places {
		assert.Contains(t, cells, at.Cell)
	}
	for _, name := range subjectNames {
		assert.Contains(t, subjects, name)
	}
}

func TestAMeasurementThatLastsTooLongIsEnded(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	p := plan{places: []place{{"rate", 1}}, subjects: []string{"timer"}, limit: 50 * time.Millisecond}
	samples := p.run(self, 3, io.Discard)
	require.Len(t, samples, 1, "it is not tried again")
	assert.Equal(t, overLimit, samples[0].Outcome)
}

func TestACrashIsRecordedWithItsCause(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	p := plan{places: []place{{"no such cell", 1}}, subjects: []string{"timer"}, limit: time.Minute}
	samples := p.run(self, 3, io.Discard)
	require.Len(t, samples, 1, "it is not tried again")
	assert.Equal(t, crashed, samples[0].Outcome)
	assert.Contains(t, samples[0].Error, `no cell "no such cell"`)
}

func TestNoRoundBeginsThatWouldEndTooLate(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	p := plan{places: []place{{"life", 1}}, subjects: []string{"timer"}, limit: time.Minute, within: time.Nanosecond}
	assert.Len(t, p.run(self, 3, io.Discard), 1, "the first is always made")
	p.within = time.Hour
	assert.Len(t, p.run(self, 2, io.Discard), 2)
}
