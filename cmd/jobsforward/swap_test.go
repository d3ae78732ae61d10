package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errDisk = errors.New("the disk is gone")

// A badFolder is a folder in which a change fails. Others before it work, and those after it unless it is broken.
type badFolder struct {
	*os.Root
	left   int // how many changes still work
	broken bool
	failed bool
}

func (f *badFolder) fails() bool {
	f.left--
	if f.left == -1 || f.left < 0 && f.broken {
		f.failed = true
		return true
	}
	return false
}

func (f *badFolder) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	if f.fails() {
		return nil, errDisk
	}
	return f.Root.OpenFile(name, flag, perm)
}

func (f *badFolder) Rename(from, to string) error {
	if f.fails() {
		return errDisk
	}
	return f.Root.Rename(from, to)
}

func (f *badFolder) Remove(name string) error {
	if f.fails() {
		return errDisk
	}
	return f.Root.Remove(name)
}

// open returns the target in directory, and closes it with the test.
func openTarget(t *testing.T, folder string) *target {
	t.Helper()
	target, err := open(folder)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, target.root.Close()) })
	return target
}

func forwardIn(in directory, t *target) error { return forwardFiles(in, t.goFiles, forwarding) }

func restoreIn(in directory, t *target) error {
	return restoreFiles(in, t.originals, t.forwarder, t.temporary)
}

// TestAFailureAtAnyChangeLeavesAllAsItWas has each of the changes fail that forwarding and restoring consist of.
func TestAFailureAtAnyChangeLeavesAllAsItWas(t *testing.T) {
	folder := copyOfSDK(t)
	originals := snapshot(t, folder)
	for _, act := range []func(directory, *target) error{forwardIn, restoreIn} {
		before := snapshot(t, folder)
		failures := 0
		for {
			target := openTarget(t, folder)
			bad := &badFolder{Root: target.root, left: failures}
			err := act(bad, target)
			if !bad.failed {
				require.NoError(t, err)
				break
			}
			failures++
			require.ErrorIs(t, err, errDisk)
			if after := snapshot(t, folder); after[temporaryName] == "" {
				assert.Equal(t, before, after)
			} else { // all are restored, and only what was the forwarder could not be removed
				delete(after, temporaryName)
				assert.Equal(t, originals, after)
				break
			}
		}
		assert.Equal(t, 5, failures, "a file is made, or in the end removed, and four are renamed")
	}
	status, _, stderr := command("-undo", folder)
	assert.Zero(t, status, stderr)
	assert.Equal(t, originals, snapshot(t, folder))
}

// TestUndoCompletesWhatWasBrokenOff has the command die at each of its changes.
func TestUndoCompletesWhatWasBrokenOff(t *testing.T) {
	folder := copyOfSDK(t)
	originals := snapshot(t, folder)
	for name, act := range map[string]func(directory, *target) error{"forward": forwardIn, "undo": restoreIn} {
		for changes := range 6 {
			if name == "undo" {
				require.NoError(t, forwardIn(openTarget(t, folder).root, openTarget(t, folder)))
			}
			target := openTarget(t, folder)
			bad := &badFolder{Root: target.root, left: changes, broken: true}
			err := act(bad, target)
			assert.Equal(t, changes < 5, err != nil, "%s, %d changes", name, changes)
			if state := openTarget(t, folder).state(); state == interrupted {
				status, _, stderr := command("", folder)
				assert.Equal(t, 1, status)
				assert.Contains(t, stderr, "is half-forwarded")
			} else {
				assert.Contains(t, []int{0, 5}, changes, "%s: %s", name, state)
			}
			status, _, stderr := command("-undo", folder)
			assert.Zero(t, status, stderr)
			require.Equal(t, originals, snapshot(t, folder), "%s, %d changes", name, changes)
		}
	}
}

func TestTheSecondOfTwoCommandsAtOnceIsRefused(t *testing.T) {
	folder := copyOfSDK(t)
	target := openTarget(t, folder)
	write(t, filepath.Join(folder, temporaryName), "of the first")
	before := snapshot(t, folder)
	require.ErrorIs(t, forwardIn(target.root, target), fs.ErrExist)
	assert.Equal(t, before, snapshot(t, folder))
	status, _, stderr := command("", folder)
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr, "another jobsforward is at work there")
}

func TestALackOfPermissionIsExplained(t *testing.T) {
	err := hinted(&fs.PathError{Op: "open", Path: temporaryName, Err: fs.ErrPermission})
	require.ErrorIs(t, err, fs.ErrPermission)
	assert.ErrorContains(t, err, "chmod -R u+w makes it writable")
	assert.Equal(t, errDisk, hinted(errDisk))
}
