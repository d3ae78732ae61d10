package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The README at the top shows what results.json says, and nothing else.
func TestTheTableOfRatiosInTheReadmeIsThatOfTheResults(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	r, err := load("results.json")
	require.NoError(t, err)
	var table bytes.Buffer
	require.NoError(t, printRatios(r, &table))
	assert.Contains(t, string(readme), table.String(), "go -C benchmarks run . -ratios results.json prints it")
}

func TestARatioSaysWhyThereIsNone(t *testing.T) {
	figureOf := func(value float64) figure { return figure{outcome: measured, value: value} }
	assert.Equal(t, "0.5", bareRatio(figureOf(1), figureOf(2)))
	assert.Equal(t, "~2.00", bareRatio(figureOf(2), figure{outcome: measured, value: 1, shaky: true}))
	assert.Equal(t, "> limit", bareRatio(figureOf(1), figure{outcome: overLimit}))
	assert.Equal(t, "n/a", bareRatio(figureOf(1), figure{outcome: notApplicable}))
	assert.Equal(t, "crashed", bareRatio(figure{outcome: crashed}, figureOf(1)))
}
