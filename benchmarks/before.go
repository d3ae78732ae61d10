package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// lastUnobserved is the last commit before pools had observers, a history, middleware, and ways to steer jobs.
const lastUnobserved = "dfb4314"

const module = "github.com/agentjobs/jobs"

// A variant is a subject that is this library in another form. It is measured only where a row compares it, and has a
// column only in results that have it.
const (
	before   = "before"   // the library at an earlier commit
	observed = "observed" // the library with an observer that does nothing
)

var variants = []string{before, observed}

// An earlier is this program, built with the library as it was at an earlier commit.
type earlier struct {
	commit  string // its abbreviated hash
	program string
}

// buildEarlier builds it in a directory, from the repository that holds the current directory, which is this module's.
func buildEarlier(commit, dir string) (earlier, error) {
	hash, err := output("git", "rev-parse", "--short", "--verify", "--end-of-options", commit+"^{commit}")
	if err != nil {
		return earlier{}, err
	}
	top, err := output("git", "rev-parse", "--show-toplevel")
	if err != nil {
		return earlier{}, err
	}
	library, modfile := filepath.Join(dir, "library"), filepath.Join(dir, "go.mod")
	built := earlier{commit: hash, program: filepath.Join(dir, "benchmarks-before")}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return earlier{}, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return earlier{}, err
		}
	}
	for _, command := range [][]string{
		{"git", "clone", "--quiet", "--shared", "--no-checkout", top, library},
		{"git", "-C", library, "checkout", "--quiet", "--detach", hash},
		{"go", "mod", "edit", "-replace=" + module + "=" + library, modfile},
		{"go", "build", "-modfile=" + modfile, "-tags=before", "-o", built.program, "."},
	} {
		if _, err := output(command...); err != nil {
			return earlier{}, err
		}
	}
	return built, nil
}

// output runs a command and returns its standard output. An error has what it said on standard error. Inside a hook of
// git's, variables name the repository that git is to use, and would be obeyed in the clone, too: it does not get them.
func output(command ...string) (string, error) {
	var stdout, stderr strings.Builder
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "GIT_") })
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
