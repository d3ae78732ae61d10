package jobs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// documents returns the paths of the README and of all that it leads to.
func documents(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, docs)
	return append(docs, "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
}

// sources returns the text of all Go files of the module, without indentation.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && isOutside(path):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		all.WriteString(unindented(string(text)))
		return err
	}))
	return all.String()
}

// isOutside reports whether a folder is none of the module's packages: the go command ignores it, or it is a
// module of its own.
func isOutside(folder string) bool {
	name := filepath.Base(folder)
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// testName finds the names of tests in a text.
var testName = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")

var indentation = regexp.MustCompile(`(?m)^\s+`)

func unindented(text string) string { return indentation.ReplaceAllString(text, "") }

func TestEveryGoSnippetOfADocumentIsCompiled(t *testing.T) {
	fence := regexp.MustCompile("(?s)```go\n(.*?)```")
	code := sources(t)
	require.NotEmpty(t, fence.FindString(document(t, "README.md")))
	for _, path := range documents(t) {
		for _, snippet := range fence.FindAllStringSubmatch(document(t, path), -1) {
			assert.True(t, strings.Contains(code, unindented(snippet[1])), "%s: a snippet that is in no Go file:\n%s", path, snippet[1])
		}
	}
}

func TestEveryGuaranteeNamesItsTest(t *testing.T) {
	promises, _, _ := strings.Cut(document(t, "docs/GUARANTEES.md"), "\n[TRACK-RECORD.md]")
	items := regexp.MustCompile(`(?m)^\d+\. `).Split(promises, -1)[1:]
	require.Len(t, items, 15, "README.md says how many there are")
	code := sources(t)
	for _, item := range items {
		tests := testName.FindAllStringSubmatch(item, -1)
		assert.NotEmpty(t, tests, "a promise without a test: %s", item)
		for _, test := range tests {
			assert.True(t, strings.Contains(code, "func "+test[1]+"("), "no such test: %s", test[1])
		}
	}
}

func TestEveryTestThatADocumentNamesExists(t *testing.T) {
	code := sources(t)
	for _, path := range documents(t) {
		for _, test := range testName.FindAllStringSubmatch(document(t, path), -1) {
			assert.True(t, strings.Contains(code, "func "+test[1]+"("), "%s: no such test: %s", path, test[1])
		}
	}
}

func TestEveryLinkOfADocumentLeadsToAFile(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]+)(?:#[^)]*)?\)`) // not those to other sites
	for _, path := range documents(t) {
		for _, to := range link.FindAllStringSubmatch(document(t, path), -1) {
			assert.FileExists(t, filepath.Join(filepath.Dir(path), to[1]), path)
		}
	}
}

func TestTheReadmeStaysShort(t *testing.T) {
	assert.LessOrEqual(t, len(strings.Fields(document(t, "README.md"))), 1300)
}

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
