package jobs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryThreadOfTheTrackRecordNamesItsTest(t *testing.T) {
	text, err := os.ReadFile("docs/TRACK-RECORD.md")
	require.NoError(t, err)
	applies, _, ok := strings.Cut(string(text), "## What does not apply")
	require.True(t, ok)
	applies, ours, ok := strings.Cut(applies, "## What fake time hid")
	require.True(t, ok)
	threads := regexp.MustCompile(`(?m)^\| (?:\[#|its users).*$`).FindAllString(applies, -1)
	faults := regexp.MustCompile(`(?m)^\| [^|]*\|[^|]*\| `+"`"+`.*$`).FindAllString(ours, -1)
	require.NotEmpty(t, faults)
	threads = append(threads, faults...)
	require.NotEmpty(t, threads)
	code := sources(t)
	for _, thread := range threads {
		tests := testName.FindAllStringSubmatch(thread, -1)
		assert.NotEmpty(t, tests, "a thread without a test: %s", thread)
		for _, test := range tests {
			assert.True(t, strings.Contains(code, "func "+test[1]+"("), "no such test: %s", test[1])
		}
	}
}

func TestEveryTestOfAThreadIsInTheTrackRecord(t *testing.T) {
	text, err := os.ReadFile("docs/TRACK-RECORD.md")
	require.NoError(t, err)
	lessons := regexp.MustCompile(`(?m)^func (Test[A-Z][A-Za-z0-9]*_\w+)\(`).FindAllStringSubmatch(sources(t), -1)
	require.NotEmpty(t, lessons)
	for _, lesson := range lessons {
		assert.Contains(t, string(text), "`"+lesson[1]+"`")
	}
}
