package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A directory is what is changed. Its names are those of files directly in it.
type directory interface {
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	Rename(from, to string) error
	Remove(name string) error
}

// A move gives a file another name, which no file has.
type move struct{ from, to string }

// forwardFiles renames a package's files to names that do not build, and puts the forwarder in their place, last. If
// that fails, all is as it was.
func forwardFiles(in directory, files []string, text string) error {
	if err := create(in, temporaryName, text); err != nil {
		return hinted(err)
	}
	var moves []move
	for _, name := range files {
		moves = append(moves, move{name, name + originalSuffix})
	}
	if err := rename(in, append(moves, move{temporaryName, forwarderName})); err != nil {
		return errors.Join(hinted(err), in.Remove(temporaryName))
	}
	return nil
}

// restoreFiles gives a package's files their names back, and removes the forwarder, or what is left of one that was not
// installed. If that fails, all is as it was.
func restoreFiles(in directory, files []string, forwarder, temporary bool) error {
	if forwarder && len(files) == 0 {
		return fmt.Errorf("there is no *.go%s to restore: take the SDK's folder anew", originalSuffix)
	}
	var moves []move
	if forwarder {
		moves = append(moves, move{forwarderName, temporaryName})
	}
	for _, name := range files {
		moves = append(moves, move{name + originalSuffix, name})
	}
	if err := rename(in, moves); err != nil {
		return hinted(err)
	}
	if forwarder || temporary {
		if err := in.Remove(temporaryName); err != nil {
			return fmt.Errorf("restored, but for one file that is left: %w", err)
		}
	}
	return nil
}

// create writes a new file. If that fails there is none.
func create(in directory, name, text string) error {
	file, err := in.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err == nil {
		err = file.Sync() // before it takes the place of what was there
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, in.Remove(name))
	}
	return nil
}

// rename makes all of the moves, or none.
func rename(in directory, moves []move) error {
	for i, m := range moves {
		err := in.Rename(m.from, m.to)
		if err == nil {
			continue
		}
		for ; i > 0; i-- {
			if back := in.Rename(moves[i-1].to, moves[i-1].from); back != nil {
				return fmt.Errorf("%w; undoing what was done failed, too: %w; run jobsforward -undo once that is fixed", err, back)
			}
		}
		return fmt.Errorf("%w; nothing has changed", err)
	}
	return nil
}

// hinted adds to an error what its cause may be.
func hinted(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w. A copy of a module in the module cache is read-only: chmod -R u+w makes it writable", err)
	}
	return err
}
