package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// samplesOf makes measured samples of idle jobs' bytes on a machine with nothing else to do.
func samplesOf(subject string, values ...float64) (samples []sample) {
	for i, value := range values {
		samples = append(samples, sample{
			Subject: subject, place: hundredK, Round: i + 1,
			Outcome: measured, Metrics: metrics{"bytes": value}, SpinNS: 100,
		})
	}
	return samples
}

func TestTheMedianIsTheMiddleOrHalfWayBetweenTheMiddleTwo(t *testing.T) {
	assert.Equal(t, 2.0, median([]float64{3, 1, 2}))
	assert.Equal(t, 2.5, median([]float64{4, 1, 3, 2}))
	assert.Equal(t, 7.0, median([]float64{7}))
}

func TestAFigureIsTheMedianOfItsOwnSamples(t *testing.T) {
	r := results{Samples: append(samplesOf("jobs", 500, 510, 490), samplesOf("timer", 1)...)}
	assert.Equal(t, figure{outcome: measured, value: 500}, r.figure("jobs", hundredK, "bytes"))
	assert.Equal(t, figure{outcome: notApplicable}, r.figure("jobs", hundredK, "left_bytes"))
	assert.Equal(t, figure{outcome: notMeasured}, r.figure("jobs", tenK, "bytes"))
}

func TestASubjectThatOnceFailedIsNotGivenAFigure(t *testing.T) {
	r := results{Samples: samplesOf("jobs", 500, 510, 490)}
	r.Samples[2] = sample{Subject: "jobs", place: hundredK, Outcome: crashed}
	assert.Equal(t, figure{outcome: crashed}, r.figure("jobs", hundredK, "bytes"))

	r.Samples[2].Outcome, r.Samples[2].Foreign = overLimit, 0.5
	assert.Equal(t, figure{outcome: overLimit, shaky: true}, r.figure("jobs", hundredK, "bytes"), "others may have been the reason")
}

func TestAFigureIsShakyIfTheMachineWasBusyOrSlowOrTheSamplesDiffer(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(samples []sample)
		shaky bool
	}{
		{"nothing", func([]sample) {}, false},
		{"one of three busy", func(s []sample) { s[0].Foreign = 0.5 }, false},
		{"two of three busy", func(s []sample) { s[0].Foreign, s[1].Foreign = 0.5, 0.11 }, true},
		{"busy, but little", func(s []sample) { s[0].Foreign, s[1].Foreign = 0.09, 0.09 }, false},
		{"two of three slow", func(s []sample) { s[0].SpinNS, s[1].SpinNS = 126, 126 }, true},
		{"far apart", func(s []sample) { s[2].Metrics["bytes"] = 1001 }, true},
		{"unknown", func(s []sample) { s[0].Foreign, s[1].Foreign, s[2].Foreign = unknown, unknown, unknown }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			samples := samplesOf("jobs", 500, 500, 500)
			c.spoil(samples)
			assert.Equal(t, c.shaky, results{Samples: samples}.figure("jobs", hundredK, "bytes").shaky)
		})
	}
}

func TestSavedResultsCanBeShown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	r := results{Machine: machine{Go: "go1.26"}, Samples: samplesOf("jobs", 500)}
	require.NoError(t, r.save(file))
	read, err := load(file)
	require.NoError(t, err)
	assert.Equal(t, r.Samples, read.Samples)
	var text bytes.Buffer
	require.NoError(t, printTable(read, &text))
	assert.Contains(t, text.String(), "go1.26")
}
