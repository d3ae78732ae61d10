//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFolderBehindALinkIsRefused(t *testing.T) {
	folder := copyOfSDK(t)
	module := moduleOf(folder)
	before := snapshot(t, module)
	const modules = "# " + sdkModule + " v1.1.99\n" + sdkPackage + "\n# " + ourPackage + " v1.0.0\n" + ourPackage + "\n"
	for name, link := range map[string]func(t *testing.T, top string) (path string){
		"the module": func(t *testing.T, top string) string {
			require.NoError(t, os.Symlink(module, filepath.Join(top, "sdk")))
			return filepath.Join(top, "sdk", "pkg", "jobs")
		},
		"its pkg": func(t *testing.T, top string) string {
			write(t, filepath.Join(top, "go.mod"), "module "+sdkModule+"\n")
			require.NoError(t, os.Symlink(filepath.Join(module, "pkg"), filepath.Join(top, "pkg")))
			return filepath.Join(top, "pkg", "jobs")
		},
		"the package": func(t *testing.T, top string) string {
			write(t, filepath.Join(top, "go.mod"), "module "+sdkModule+"\n")
			require.NoError(t, os.Mkdir(filepath.Join(top, "pkg"), 0o755))
			require.NoError(t, os.Symlink(folder, filepath.Join(top, "pkg", "jobs")))
			return filepath.Join(top, "pkg", "jobs")
		},
		"a vendored module": func(t *testing.T, top string) string {
			write(t, filepath.Join(top, "vendor", "modules.txt"), modules)
			require.NoError(t, os.MkdirAll(filepath.Join(top, "vendor", "github.com", "Axway"), 0o755))
			require.NoError(t, os.Symlink(module, filepath.Join(top, "vendor", filepath.FromSlash(sdkModule))))
			return filepath.Join(top, "vendor", filepath.FromSlash(sdkPackage))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := link(t, t.TempDir())
			for _, option := range []string{"", "-undo"} {
				status, _, stderr := command(option, path)
				assert.Equal(t, 1, status)
				assert.Contains(t, stderr, "is not a copy of its own")
			}
			assert.Equal(t, before, snapshot(t, module))
		})
	}
}

func TestALinkToThoseAboveTheModuleIsNoMatter(t *testing.T) {
	folder := copyOfSDK(t)
	top := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Dir(moduleOf(folder)), filepath.Join(top, "work")))
	status, _, stderr := command("", filepath.Join(top, "work", "agent-sdk", "pkg", "jobs"))
	assert.Zero(t, status, stderr)
	assert.FileExists(t, filepath.Join(folder, forwarderName))
}

func TestALinkThatLeadsIntoTheModuleCacheIsRefused(t *testing.T) {
	folder := copyOfSDK(t)
	cache := filepath.Join(t.TempDir(), "mod")
	require.NoError(t, os.Rename(filepath.Dir(moduleOf(folder)), cache))
	require.NoError(t, os.MkdirAll(filepath.Join(cache, "cache", "download"), 0o755))
	top := t.TempDir()
	require.NoError(t, os.Symlink(cache, filepath.Join(top, "work")))
	status, _, stderr := command("", filepath.Join(top, "work", "agent-sdk", "pkg", "jobs"))
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "is in the module cache")
}

func TestFilesThatAreNotRegularAreRefused(t *testing.T) {
	link := func(t *testing.T, path string) {
		outside := filepath.Join(t.TempDir(), "outside.go")
		write(t, outside, forwardingHeader)
		require.NoError(t, os.Symlink(outside, path))
	}
	pipe := func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) }
	for name, make := range map[string]func(t *testing.T, path string){"a link": link, "a pipe": pipe} {
		for _, file := range []string{"extra.go", "extra.go.original", "extra.s", forwarderName, temporaryName} {
			t.Run(name+" "+file, func(t *testing.T) {
				folder := copyOfSDK(t)
				make(t, filepath.Join(folder, file))
				before := snapshot(t, folder)
				for _, option := range []string{"", "-undo"} {
					status, _, stderr := command(option, folder)
					assert.Equal(t, 1, status)
					assert.Contains(t, stderr, "has something that is not a regular file: "+file)
				}
				assert.Equal(t, before, snapshot(t, folder))
			})
		}
		t.Run(name+" go.mod", func(t *testing.T) {
			folder := copyOfSDK(t)
			path := filepath.Join(moduleOf(folder), "go.mod")
			require.NoError(t, os.Remove(path))
			make(t, path)
			status, _, stderr := command("", folder)
			assert.Equal(t, 1, status)
			assert.Contains(t, stderr, "go.mod is not a regular file")
		})
	}
}
