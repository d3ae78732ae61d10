package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// command runs the command with the option, if there is one, and the folder.
func command(option, folder string) (status int, stdout, stderr string) {
	args := []string{folder}
	if option != "" {
		args = []string{option, folder}
	}
	var out, errs bytes.Buffer
	status = run(args, &out, &errs)
	return status, out.String(), errs.String()
}

// snapshot returns the type, the mode and what is in each file below a folder.
func snapshot(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		name, err := filepath.Rel(folder, path)
		require.NoError(t, err)
		found[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			found[name] += " " + read(t, path)
		}
		return nil
	}))
	return found
}

// copyOfSDK makes a copy of the stand-in for the SDK, and returns the folder of its package jobs.
func copyOfSDK(t *testing.T) string {
	t.Helper()
	top := filepath.Join(t.TempDir(), "agent-sdk")
	require.NoError(t, os.CopyFS(top, os.DirFS(filepath.Join("testdata", "sdk"))))
	write(t, filepath.Join(top, "go.mod"), "module "+sdkModule+" // the SDK\n")
	return filepath.Join(top, "pkg", "jobs")
}

func TestForwardAndUndo(t *testing.T) {
	folder := copyOfSDK(t)
	require.NoError(t, os.Chmod(filepath.Join(folder, "pool.go"), 0o444))
	require.NoError(t, os.Chmod(filepath.Join(folder, "definitions.go"), 0o600))
	write(t, filepath.Join(folder, "testdata", "x.go"), "package x\n")
	before := snapshot(t, folder)

	status, stdout, stderr := command("", folder)
	require.Zero(t, status, stderr)
	assert.Contains(t, stdout, "forwarded "+folder+" to "+ourPackage)
	after := snapshot(t, folder)
	assert.Equal(t, forwarding, read(t, filepath.Join(folder, "jobsforward.go")))
	assert.Equal(t, before["pool.go"], after["pool.go.original"])
	assert.Equal(t, before["pool_test.go"], after["pool_test.go.original"])
	assert.Equal(t, before["definitions.go"], after["definitions.go.original"])
	assert.NotContains(t, after, "pool.go")
	assert.Equal(t, before["README.md"], after["README.md"])
	assert.Equal(t, before[filepath.Join("testdata", "x.go")], after[filepath.Join("testdata", "x.go")])
	assert.Len(t, after, len(before)+1)

	status, stdout, stderr = command("", folder)
	assert.Zero(t, status, stderr)
	assert.Equal(t, folder+" is forwarded already: nothing to do\n", stdout)
	assert.Equal(t, after, snapshot(t, folder))

	status, stdout, stderr = command("-undo", folder)
	assert.Zero(t, status, stderr)
	assert.Equal(t, "restored "+folder+"\n", stdout)
	assert.Equal(t, before, snapshot(t, folder))

	status, stdout, stderr = command("-undo", folder)
	assert.Zero(t, status, stderr)
	assert.Equal(t, folder+" is not forwarded: nothing to do\n", stdout)
	assert.Equal(t, before, snapshot(t, folder))
}

func TestAFolderMayBeNamedFromInside(t *testing.T) {
	folder := copyOfSDK(t)
	before := snapshot(t, folder)
	t.Chdir(folder)
	for _, option := range []string{"", "-undo"} {
		status, _, stderr := command(option, ".")
		assert.Zero(t, status, stderr)
	}
	assert.Equal(t, before, snapshot(t, folder))
	status, _, stderr := command("", filepath.Join("..", "..", "pkg", "jobs")+string(filepath.Separator))
	assert.Zero(t, status, stderr)
}

func TestAFolderForwardedByAnotherVersion(t *testing.T) {
	folder := copyOfSDK(t)
	before := snapshot(t, folder)
	status, _, stderr := command("", folder)
	require.Zero(t, status, stderr)
	write(t, filepath.Join(folder, "jobsforward.go"), forwardingHeader+"\npackage jobs\n")
	status, _, stderr = command("", folder)
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "another version of jobsforward: run jobsforward -undo")
	status, _, stderr = command("-undo", folder)
	assert.Zero(t, status, stderr)
	assert.Equal(t, before, snapshot(t, folder))
}

func TestTheCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		status int
		stderr string
	}{
		{nil, 2, "usage: jobsforward [-undo] DIR"},
		{[]string{""}, 2, "usage: "},
		{[]string{"a", "b"}, 2, "usage: "},
		{[]string{"-redo", "a"}, 2, "-redo"},
		{[]string{"-h"}, 0, "usage: "},
		{[]string{filepath.Join("testdata", "missing", "pkg", "jobs")}, 1, "missing"},
		{[]string{"main.go"}, 1, "jobsforward: main.go is not a folder"},
		{[]string{"testdata"}, 1, "its path ends neither with " + filepath.FromSlash("pkg/jobs")},
		{[]string{"a\x00b"}, 1, "invalid"},
		{[]string{strings.Repeat("x", 1<<16)}, 1, "jobsforward: "},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, tt.status, run(tt.args, &stdout, &stderr), "%q", tt.args)
		assert.Contains(t, stderr.String(), tt.stderr, "%q", tt.args)
		assert.Empty(t, stdout.String(), "%q", tt.args)
	}
}
