package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// moduleOf is the folder of the module with package folder pkg/jobs.
func moduleOf(folder string) string { return filepath.Dir(filepath.Dir(folder)) }

func TestAFolderThatIsNotTheSDKsPackageIsRefused(t *testing.T) {
	edit := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, folder string) { write(t, filepath.Join(folder, filepath.FromSlash(name)), text) }
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, folder string) {
			require.NoError(t, os.Remove(filepath.Join(folder, filepath.FromSlash(name))))
		}
	}
	for name, tt := range map[string]struct {
		change func(t *testing.T, folder string)
		stderr string
	}{
		"another module":     {edit("../../go.mod", "module example.com/sdk\n"), `is not in ` + sdkModule + `: go.mod above it says "example.com/sdk"`},
		"a quoted module":    {edit("../../go.mod", "\n\nmodule \"example.com/sdk\" // "+sdkModule+"\n"), `says "example.com/sdk"`},
		"no module":          {edit("../../go.mod", "go 1.25\n// module "+sdkModule+"\n"), "go.mod has no module line"},
		"no go.mod":          {remove("../../go.mod"), "go.mod"},
		"another package":    {edit("other.go", "package work\n"), "other.go is of package work"},
		"another test":       {edit("other_test.go", "package work_test\n"), "other_test.go is of package work_test"},
		"a test's package":   {edit("other.go", "package jobs_test\n"), "other.go is of package jobs_test"},
		"not Go":             {edit("other.go", "no code"), "is not the SDK's package: other.go:1:1: expected 'package'"},
		"an empty file":      {edit("other.go", ""), "is not the SDK's package: other.go:1:1"},
		"no Job":             {edit("definitions.go", "package jobs\n\ntype JobExecution interface{}\n"), "it declares no Job"},
		"no functions":       {remove("pool.go"), "it declares no Pool"},
		"nothing":            {func(t *testing.T, folder string) { require.NoError(t, remakeFolder(folder)) }, "it declares no Job"},
		"markers in a test":  {func(t *testing.T, folder string) { moveFile(t, folder, "pool.go", "pool2_test.go") }, "it declares no Pool"},
		"markers as methods": {edit("pool.go", "package jobs\n\ntype Pool struct{}\n\nfunc (Pool) RegisterSingleRunJob() {}\n"), "it declares no RegisterSingleRunJob"},
		"a function we lack": {edit("other.go", "package jobs\n\nfunc NewMock() Job { return nil }\n"), "it exports NewMock, which " + ourPackage + " has nothing for"},
		"a constant we lack": {edit("other.go", "package jobs\n\nconst a, JobTypeBatch = 1, \"batch\"\n"), "it exports JobTypeBatch"},
		"assembly":           {edit("other.s", "TEXT"), "it has other.s, which is not Go"},
		"another forwarder":  {edit(forwarderName, "package jobs\n"), "has a file jobsforward.go that jobsforward did not write"},
		"twice a file":       {edit("pool.go.original", "package jobs\n"), "has both pool.go and pool.go.original"},
		"a huge file":        {makeHuge("huge.go"), "huge.go has more than 16777216 bytes"},
		"a huge go.mod":      {makeHuge("../../go.mod"), "go.mod has more than 16777216 bytes"},
		"a folder as go.mod": {func(t *testing.T, folder string) {
			remove("../../go.mod")(t, folder)
			require.NoError(t, os.Mkdir(filepath.Join(moduleOf(folder), "go.mod"), 0o755))
		}, "go.mod is not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := copyOfSDK(t)
			tt.change(t, folder)
			before := snapshot(t, moduleOf(folder))
			status, stdout, stderr := command("", folder)
			assert.Equal(t, 1, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, tt.stderr)
			assert.Equal(t, before, snapshot(t, moduleOf(folder)))
		})
	}
}

func remakeFolder(folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return os.Mkdir(folder, 0o755)
}

func moveFile(t *testing.T, folder, from, to string) {
	t.Helper()
	require.NoError(t, os.Rename(filepath.Join(folder, from), filepath.Join(folder, to)))
}

func makeHuge(name string) func(*testing.T, string) {
	return func(t *testing.T, folder string) {
		path := filepath.Join(folder, filepath.FromSlash(name))
		write(t, path, "")
		require.NoError(t, os.Truncate(path, maxSize+1))
	}
}

func TestUndoIsRefusedWhereForwardingIs(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, folder string){
		"another module": func(t *testing.T, folder string) {
			write(t, filepath.Join(moduleOf(folder), "go.mod"), "module example.com/sdk\n")
		},
		"twice a file": func(t *testing.T, folder string) { write(t, filepath.Join(folder, "pool.go"), "package jobs\n") },
		"a file more":  func(t *testing.T, folder string) { write(t, filepath.Join(folder, "more.go"), "package jobs\n") },
		"nothing to restore": func(t *testing.T, folder string) {
			kept, err := filepath.Glob(filepath.Join(folder, "*.original"))
			require.NoError(t, err)
			require.Len(t, kept, 3)
			for _, path := range kept {
				require.NoError(t, os.Remove(path))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := copyOfSDK(t)
			status, _, stderr := command("", folder)
			require.Zero(t, status, stderr)
			change(t, folder)
			before := snapshot(t, moduleOf(folder))
			status, _, stderr = command("-undo", folder)
			assert.Equal(t, 1, status)
			assert.NotEmpty(t, stderr)
			assert.Equal(t, before, snapshot(t, moduleOf(folder)))
		})
	}
}

func TestAPathThatDoesNotEndAsTheSDKsIsRefused(t *testing.T) {
	folder := copyOfSDK(t)
	elsewhere := filepath.Join(moduleOf(folder), "pkg", "tasks")
	require.NoError(t, os.Rename(folder, elsewhere))
	for _, option := range []string{"", "-undo"} {
		status, _, stderr := command(option, elsewhere)
		assert.Equal(t, 1, status)
		assert.Contains(t, stderr, "is not the folder of "+sdkPackage)
	}
}

func TestTheModuleCacheIsRefused(t *testing.T) {
	folder := copyOfSDK(t)
	modules := filepath.Dir(moduleOf(folder))
	cache := filepath.Join(modules, "agent-sdk@v1.1.99")
	require.NoError(t, os.Rename(moduleOf(folder), cache))
	require.NoError(t, os.MkdirAll(filepath.Join(modules, "cache", "download"), 0o755))
	before := snapshot(t, cache)
	status, _, stderr := command("", filepath.Join(cache, "pkg", "jobs"))
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "is in the module cache, which all programs share")
	assert.Equal(t, before, snapshot(t, cache))
}

func TestACopyMayBeNamedAsInTheModuleCache(t *testing.T) {
	folder := copyOfSDK(t)
	module := filepath.Join(filepath.Dir(moduleOf(folder)), "agent-sdk@v1.1.99")
	require.NoError(t, os.Rename(moduleOf(folder), module))
	status, _, stderr := command("", filepath.Join(module, "pkg", "jobs"))
	assert.Zero(t, status, stderr)
}

func TestAVendorFolderMustListThePackage(t *testing.T) {
	const listed = "# " + sdkModule + " v1.1.99\n## explicit\n" + sdkPackage + "\n"
	const withUs = listed + "# " + ourPackage + " v1.0.0\n## explicit; go 1.25\n" + ourPackage + "\n"
	for name, tt := range map[string]struct{ modules, stderr string }{
		"no list":         {"", "modules.txt"},
		"another module":  {"# example.com/x v1.0.0\nexample.com/x\n", "modules.txt does not list " + sdkPackage},
		"another package": {"# " + sdkModule + " v1.1.99\n" + sdkModule + "/pkg/agent\n", "does not list " + sdkPackage},
		"without us":      {listed, "does not list " + ourPackage},
		"only schedule":   {listed + "# " + ourPackage + " v1.0.0\n" + ourPackage + "/schedule\n", "does not list " + ourPackage},
		"with us":         {withUs, ""},
	} {
		t.Run(name, func(t *testing.T) {
			vendor := filepath.Join(t.TempDir(), "vendor")
			folder := filepath.Join(vendor, filepath.FromSlash(sdkPackage))
			require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join("testdata", "sdk", "pkg", "jobs"))))
			if tt.modules != "" {
				write(t, filepath.Join(vendor, "modules.txt"), tt.modules)
			}
			before := snapshot(t, vendor)
			status, _, stderr := command("", folder)
			if tt.stderr == "" {
				assert.Zero(t, status, stderr)
				require.NoError(t, os.Remove(filepath.Join(vendor, "modules.txt")))
				delete(before, "modules.txt")
				status, _, stderr = command("-undo", folder)
				assert.Zero(t, status, stderr)
				assert.Equal(t, before, snapshot(t, vendor), "the list is not needed to restore")
				return
			}
			assert.Equal(t, 1, status)
			assert.Contains(t, stderr, tt.stderr)
			assert.Equal(t, before, snapshot(t, vendor))
		})
	}
}
