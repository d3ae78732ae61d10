package main

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The present commit stands for an earlier one, as a shallow clone has no other.
func TestTheLibraryOfACommitIsMeasuredByAProgramOfItsOwn(t *testing.T) {
	t.Setenv("GIT_DIR", t.TempDir()) // as in a hook of git's; to be ignored
	built, err := buildEarlier("HEAD", t.TempDir())
	require.NoError(t, err)
	assert.Regexp(t, "^[0-9a-f]{7,40}$", built.commit)

	t.Setenv(hasty, "1")
	p := plan{places: []place{busyJobs}, subjects: []string{before}, before: built.program, limit: time.Minute}
	samples := p.run("no such program", 1, io.Discard)
	require.Len(t, samples, 1)
	assert.Equal(t, measured, samples[0].Outcome, samples[0].Error)
	assert.Equal(t, before, samples[0].Subject)
	for _, row := range variantRows {
		if row.place == busyJobs {
			assert.Contains(t, samples[0].Metrics, row.metric)
		}
	}
}

func TestACommitThatThereIsNotIsAnErrorThatNamesIt(t *testing.T) {
	for _, commit := range []string{"no-such-commit", "--help", ""} {
		_, err := buildEarlier(commit, t.TempDir())
		assert.ErrorContains(t, err, "git rev-parse")
		assert.ErrorContains(t, err, commit+"^{commit}")
	}
	assert.ErrorContains(t, measureAll(1, 0, "^$", before, "no-such-commit", t.TempDir()+"/results.json", false), "no-such-commit")
}

func TestTheLibraryWithAnObserverIsMeasured(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv(hasty, "1")
	p := plan{places: []place{busyJobs}, subjects: []string{observed}, limit: time.Minute}
	samples := p.run(self, 1, io.Discard)
	require.Len(t, samples, 1)
	assert.Equal(t, measured, samples[0].Outcome, samples[0].Error)
}

func TestVariantsAreMeasuredOnlyWhereARowComparesThem(t *testing.T) {
	p := newPlan(all, all, false)
	assert.False(t, p.asksFor(before, busyJobs), "there is no program that could")
	assert.True(t, p.asksFor(observed, busyJobs))
	p.before = "a program"
	for _, at := range places {
		compared := at == hundredK || at == busyJobs
		assert.True(t, p.asksFor("jobs", at), at)
		assert.Equal(t, compared, p.asksFor(before, at), at)
		assert.Equal(t, compared, p.asksFor(observed, at), at)
	}
	assert.Equal(t, []string{"jobs", before, observed}, newPlan(all, regexp.MustCompile("^(jobs|before|observed)$"), false).subjects)
}

func TestTheTableComparesTheLibraryWithItsVariants(t *testing.T) {
	table := func(r results) string {
		var text bytes.Buffer
		require.NoError(t, printTable(r, &text))
		return text.String()
	}
	r := results{Samples: samplesOf("jobs", 600)}
	assert.NotContains(t, table(r), before, "nobody asked for it")

	r.Before, r.Samples = "abc1234", append(r.Samples, samplesOf(before, 540)...)
	text := table(r)
	assert.Regexp(t, `as before: an idle job.* 600 .* 540 +1\.11 × before +≤ 604 +yes`, text)
	assert.Contains(t, text, "before: the library at commit abc1234.")
	assert.NotContains(t, text, observed)

	r.Samples = append(samplesOf("jobs", 600), samplesOf(before, 530)...)
	assert.Regexp(t, `as before: an idle job.* 600 .* 530 +1\.13 × before +≤ 594 +NO`, table(r))

	r.Samples = append(r.Samples, samplesOf(observed, 630)...)
	assert.Regexp(t, `observed: an idle job.* 600 .* 530 +630 +1\.05 × jobs`, table(r))
}
