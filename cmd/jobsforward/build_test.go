package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A workspace holds a copy of a stand-in for the SDK, and an agent that uses it.
type workspace struct{ sdk, agent string }

func newWorkspace(t *testing.T) workspace {
	t.Helper()
	top := filepath.Join(t.TempDir(), "Zoës agents") // a folder that people have
	w := workspace{sdk: filepath.Join(top, "sdk"), agent: filepath.Join(top, "agent")}
	require.NoError(t, os.CopyFS(top, os.DirFS("testdata")))
	write(t, filepath.Join(w.sdk, "go.mod"), "module "+sdkModule+"\n\ngo 1.25\n")

	// The agent requires what the library does, in versions that are on this machine.
	root, err := filepath.Abs(library)
	require.NoError(t, err)
	module, ok := strings.CutPrefix(read(t, filepath.Join(root, "go.mod")), "module "+ourPackage+"\n")
	require.True(t, ok)
	write(t, filepath.Join(w.agent, "go.mod"), "module example.com/agent\n"+module+`
require (
	`+sdkModule+` v1.0.0
	`+ourPackage+` v0.0.0
)

replace (
	`+sdkModule+` => ../sdk
	`+ourPackage+` => `+strconv.Quote(root)+`
)
`)
	write(t, filepath.Join(w.agent, "go.sum"), read(t, filepath.Join(root, "go.sum")))
	return w
}

// goCommand runs the go command in the agent's folder, without a network.
func (w workspace) goCommand(t *testing.T, mod string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", args...)
	command.Dir = w.agent
	command.Env = append(os.Environ(), "GOFLAGS=-mod="+mod, "GOPROXY=off", "GOSUMDB=off", "GOWORK=off", "GOTOOLCHAIN=local")
	output, err := command.CombinedOutput()
	return string(output), err
}

func (w workspace) mustGo(t *testing.T, mod string, args ...string) {
	t.Helper()
	output, err := w.goCommand(t, mod, args...)
	require.NoError(t, err, "go %q: %s", args, output)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// mirrorList is the list of the mirrored API, as a test of the package that is imported from path.
func mirrorList(t *testing.T, path string) string {
	t.Helper()
	list := read(t, filepath.Join(library, "mirror_test.go"))
	require.Contains(t, list, strconv.Quote(ourPackage))
	return strings.ReplaceAll(list, strconv.Quote(ourPackage), "jobs "+strconv.Quote(path))
}

func TestAForwardedVendorFolderBuildsAndHasOnePool(t *testing.T) {
	w := newWorkspace(t)
	w.mustGo(t, "mod", "mod", "vendor")
	folder := filepath.Join(w.agent, "vendor", filepath.FromSlash(sdkPackage))
	before := snapshot(t, folder)

	output, err := w.goCommand(t, "vendor", "test", "./...")
	require.Error(t, err, "the agent has two pools")
	assert.Contains(t, output, `the list has ["discovery"]`)
	assert.Contains(t, output, "in the outage: 0 health checks, 2 discoveries, healthy: true")

	status, stdout, stderr := command("", folder)
	require.Zero(t, status, stderr)
	assert.Contains(t, stdout, "go mod vendor makes the folder anew")
	write(t, filepath.Join(w.agent, "mirror", "mirror_test.go"), mirrorList(t, sdkPackage))
	w.mustGo(t, "vendor", "build", "./...")
	w.mustGo(t, "vendor", "vet", "./...", sdkModule+"/...")
	w.mustGo(t, "vendor", "test", "./...")

	status, _, stderr = command("-undo", folder)
	require.Zero(t, status, stderr)
	assert.Equal(t, before, snapshot(t, folder))
	_, err = w.goCommand(t, "vendor", "test", ".")
	assert.Error(t, err, "there are two pools again")
}

func TestAForwardedCopyBuildsAndIsVendoredForwarded(t *testing.T) {
	w := newWorkspace(t)
	folder := filepath.Join(w.sdk, "pkg", "jobs")
	status, stdout, stderr := command("", folder)
	require.Zero(t, status, stderr)
	assert.Contains(t, stdout, "go mod edit -replace="+sdkModule+"="+quoted(w.sdk))
	w.mustGo(t, "mod", "vet", "./...", sdkModule+"/...")
	w.mustGo(t, "mod", "test", "./...")

	w.mustGo(t, "mod", "mod", "vendor")
	w.mustGo(t, "vendor", "test", "./...")
	vendored := filepath.Join(w.agent, "vendor", filepath.FromSlash(sdkPackage))
	status, stdout, stderr = command("", vendored)
	require.Zero(t, status, stderr)
	assert.Contains(t, stdout, "is forwarded already: nothing to do")
}

func TestAVendorFolderWithoutTheLibraryIsNotForwarded(t *testing.T) {
	w := newWorkspace(t)
	write(t, filepath.Join(w.agent, "agent_test.go"), "package agent\n\nimport _ \""+sdkModule+"/pkg/agent\"\n")
	w.mustGo(t, "mod", "mod", "vendor")
	folder := filepath.Join(w.agent, "vendor", filepath.FromSlash(sdkPackage))
	before := snapshot(t, folder)
	status, _, stderr := command("", folder)
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "does not list "+ourPackage)
	assert.Contains(t, stderr, "\tgo get "+ourPackage+"@latest\n\tgo mod vendor\n")
	assert.Equal(t, before, snapshot(t, folder))
}
