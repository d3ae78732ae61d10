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

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
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

func TestEveryGoSnippetOfTheReadmeIsCompiled(t *testing.T) {
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, snippets)
	code := sources(t)
	for _, snippet := range snippets {
		assert.True(t, strings.Contains(code, unindented(snippet[1])), "a snippet that stands in no Go file:\n%s", snippet[1])
	}
}

func TestEveryPromiseOfTheReadmeNamesItsTest(t *testing.T) {
	_, promises, _ := strings.Cut(readme(t), "## What is guaranteed")
	promises, _, _ = strings.Cut(promises, "\n## ")
	items := regexp.MustCompile(`(?m)^\d+\. `).Split(promises, -1)[1:]
	require.NotEmpty(t, items)
	code := sources(t)
	for _, item := range items {
		tests := testName.FindAllStringSubmatch(item, -1)
		assert.NotEmpty(t, tests, "a promise without a test: %s", item)
		for _, test := range tests {
			assert.True(t, strings.Contains(code, "func "+test[1]+"("), "no such test: %s", test[1])
		}
	}
}
