package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// docs/COSTS.md shows what results.json says, and nothing else.
func TestTheTableOfRatiosInTheDocumentsIsThatOfTheResults(t *testing.T) {
	costs, err := os.ReadFile("../docs/COSTS.md")
	require.NoError(t, err)
	assert.Contains(t, string(costs), ratios(t), "go -C benchmarks run . -ratios results.json prints it")
}

// The README at the top shows some of its rows and columns.
func TestTheRatiosInTheReadmeAreThoseOfTheResults(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(readme), "\n## What it costs\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	all, shown := cellsOf(ratios(t)), cellsOf(section)
	require.Len(t, shown, 4, "rows")
	for label, row := range shown {
		require.NotEmpty(t, row)
		for column, ratio := range row {
			assert.Equal(t, all[label][column], ratio, "%s, %s", label, column)
		}
	}
}

func ratios(t *testing.T) string {
	t.Helper()
	r, err := load("results.json")
	require.NoError(t, err)
	var table bytes.Buffer
	require.NoError(t, printRatios(r, &table))
	return table.String()
}

// cellsOf returns the cells of the table in a text in Markdown, by row and column.
func cellsOf(text string) map[string]map[string]string {
	rows := make(map[string]map[string]string)
	var columns []string
	for line := range strings.Lines(text) {
		row := strings.Split(strings.TrimSpace(line), "|")
		switch {
		case len(row) < 3 || strings.HasPrefix(row[1], "--"):
		case columns == nil:
			columns = row
		default:
			byColumn := make(map[string]string)
			for i := 2; i < len(row)-1; i++ {
				byColumn[strings.TrimSpace(columns[i])] = strings.TrimSpace(row[i])
			}
			rows[strings.TrimSpace(row[1])] = byColumn
		}
	}
	return rows
}

func TestARatioSaysWhyThereIsNone(t *testing.T) {
	figureOf := func(value float64) figure { return figure{outcome: measured, value: value} }
	assert.Equal(t, "0.5", bareRatio(figureOf(1), figureOf(2)))
	assert.Equal(t, "~2.00", bareRatio(figureOf(2), figure{outcome: measured, value: 1, shaky: true}))
	assert.Equal(t, "> limit", bareRatio(figureOf(1), figure{outcome: overLimit}))
	assert.Equal(t, "n/a", bareRatio(figureOf(1), figure{outcome: notApplicable}))
	assert.Equal(t, "crashed", bareRatio(figure{outcome: crashed}, figureOf(1)))
}
