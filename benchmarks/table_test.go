package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumbersShowThreeDigitsThatCount(t *testing.T) {
	for x, text := range map[float64]string{
		0: "0", 0.0004: "0", 0.0123: "0.012", 0.5: "0.5", 1: "1.00", 9.994: "9.99", 9.996: "10.0", 99.94: "99.9",
		99.96: "100", 999.6: "1,000", 1234567: "1,234,567", -1234: "-1,234", -3: "-3.00",
	} {
		assert.Equal(t, text, number(x))
	}
}

func TestColumnsAreAligned(t *testing.T) {
	assert.Equal(t, "what     a  bb\nmemory  ≤1\n", aligned([][]string{{"what", "a", "bb"}, {"memory", "≤1", ""}}))
}

func TestTheTableShowsRatioLimitAndWhetherItIsReached(t *testing.T) {
	r := results{Samples: append(samplesOf("jobs", 600, 610, 620), samplesOf("timer", 305)...)}
	assert.Equal(t, []string{"610", "305", "2.00 × timer", "≤ 650", "yes"}, shown(t, r))

	r.Samples = append(samplesOf("jobs", 700), samplesOf("timer", 350)...)
	assert.Equal(t, []string{"700", "350", "2.00 × timer", "≤ 650", "NO"}, shown(t, r))

	r.Samples[0].Foreign = 0.5
	assert.Equal(t, []string{"~700", "350", "2.00 × timer", "≤ 650", "NO ~"}, shown(t, r))

	r.Samples[1] = sample{Subject: "timer", place: hundredK, Outcome: overLimit, SpinNS: 100}
	assert.Equal(t, []string{"~700", "> limit", "", "≤ 650", "NO ~"}, shown(t, r))
}

// shown returns ours, the timer's and the last three cells of the row of idle jobs' bytes.
func shown(t *testing.T, r results) []string {
	t.Helper()
	for _, row := range rows {
		if row.place == hundredK && row.metric == "bytes" {
			cells, asked := tableLine(r, row, "jobs")
			require.True(t, asked)
			return append(cells[1:3], cells[len(cells)-3:]...)
		}
	}
	t.Fatal("no such row")
	return nil
}

func TestRowsThatNobodyAskedForAreLeftOut(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, printTable(results{Samples: samplesOf("jobs", 600)}, &text))
	assert.Contains(t, text.String(), "an idle job of 100,000: bytes")
	assert.NotContains(t, text.String(), "schedule")
}

func TestTheTableSaysHowBusyTheMachineWas(t *testing.T) {
	r := results{Samples: samplesOf("jobs", 600, 600)}
	r.Samples[0].Foreign = 0.4
	assert.Contains(t, footer(r), "in 1 of 2 measurements")

	r.Samples[0].Foreign, r.Samples[1].Foreign = unknown, unknown
	assert.Contains(t, footer(r), "does not tell")
}

func TestBounds(t *testing.T) {
	sampleOf := func(subject string, at place, metric string, value float64) sample {
		return sample{Subject: subject, place: at, Outcome: measured, Metrics: metrics{metric: value}}
	}
	r := results{Samples: []sample{
		sampleOf("timer", hundredK, "register_ns", 1000),
		sampleOf("goroutine", hundredK, "register_ns", 1500),
		sampleOf("jobs", place{"uuid", 1}, "ns", 90),
	}}
	registering := row{place: hundredK, metric: "register_ns"}
	for _, c := range []struct {
		bound bound
		limit float64
		known bool
	}{
		{fixed(7), 7, true},
		{times{2, "timer"}, 2000, true},
		{plus{times{2, "timer"}, 7}, 2007, true},
		{withUUID{times{2, "timer"}}, 2090, true},
		{tightest{times{2, "timer"}, times{1, "goroutine"}}, 1500, true},
		{tightest{times{2, "timer"}, times{1, "suture"}}, 0, false},
	} {
		limit, known := c.bound.limit(r, registering)
		assert.Equal(t, c.known, known)
		if known {
			assert.InDelta(t, c.limit, limit, 1e-9)
		}
	}
}

func TestTheBestPeerIsOneOfTheLibraries(t *testing.T) {
	r := results{Samples: append(append(append(samplesOf("jobs", 1), samplesOf("timer", 2)...), samplesOf("gocron", 20)...), samplesOf("robfig", 10)...)}
	row := row{place: hundredK, metric: "bytes", beside: bestPeer}
	assert.Equal(t, 10.0, r.figureBeside(row).value)
	row.higher = true
	assert.Equal(t, 20.0, r.figureBeside(row).value)
	assert.False(t, strings.Contains(strings.Join(libraries, " "), "jobs"))
}
