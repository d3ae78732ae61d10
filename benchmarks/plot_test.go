package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func growing(subject string, bytesOf map[place]float64) (samples []sample) {
	for at, value := range bytesOf {
		samples = append(samples, sample{Subject: subject, place: at, Outcome: measured, Metrics: metrics{"bytes": value}})
	}
	return samples
}

func TestThePictureIsWellFormedAndNamesEachSubjectThatWasMeasured(t *testing.T) {
	r := results{Samples: append(
		growing("jobs", map[place]float64{thousand: 1000, tenK: 800, hundredK: 600}),
		growing("quartz", map[place]float64{thousand: 500, tenK: 200})...)}
	r.Samples = append(r.Samples, growing("gocron", map[place]float64{thousand: 2000})...)
	var svg bytes.Buffer
	require.NoError(t, drawGrowth(r, &svg))
	text := svg.String()

	decoder := xml.NewDecoder(&svg)
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	assert.Contains(t, text, ">jobs</text>")
	assert.Contains(t, text, ">quartz †</text>", "it ends early")
	assert.Contains(t, text, ">gocron †</text>", "it is a single point")
	assert.NotContains(t, text, ">suture", "it was not measured")
}

func TestAxesAreLogarithmic(t *testing.T) {
	a := axis{100, 10_000, 300, 0}
	assert.InDelta(t, 300, a.at(100), 1e-9)
	assert.InDelta(t, 150, a.at(1_000), 1e-9)
	assert.InDelta(t, 0, a.at(10_000), 1e-9)
	assert.Len(t, a.ticks(), 3)

	low, high := decades([]curve{{"jobs", []point{{1000, 187}, {10_000, 3700}}}})
	assert.InDelta(t, 100, low, 1e-9)
	assert.InDelta(t, 10_000, high, 1e-9)
}

func TestNamesDoNotOverlap(t *testing.T) {
	lines := []line{{EndY: 100, NameY: 100}, {EndY: 101, NameY: 101}, {EndY: 99, NameY: 99}, {EndY: 200, NameY: 200}}
	placeNames(lines)
	assert.InDelta(t, labelHeight, lines[0].NameY-lines[2].NameY, 0.5)
	assert.InDelta(t, labelHeight, lines[1].NameY-lines[0].NameY, 0.5)
	assert.InDelta(t, 200, lines[3].NameY, 1e-9, "it is out of their way")
}
