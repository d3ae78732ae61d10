// Command jobsforward makes an agent and the agent SDK in it share one pool.
//
// The agent SDK uses its own package github.com/Axway/agent-sdk/pkg/jobs. An agent that imports
// github.com/agentjobs/jobs in its place therefore has two pools, neither of which knows of the other's jobs. This
// command replaces the SDK's package, in a vendored or a replaced copy of the SDK, by one that forwards each name to
// github.com/agentjobs/jobs:
//
//	jobsforward vendor/github.com/Axway/agent-sdk/pkg/jobs
//	jobsforward ../agent-sdk/pkg/jobs
//
// The package's own files stay beside it, under names that do not build, such as pool.go.original. With -undo they
// get their names back, and are what they were, to the byte. Each command changes everything or nothing; what one
// leaves half-done because its process was killed, -undo completes.
//
// The command changes no other package's folder: one whose place, package clause or declarations are not those of the
// SDK's package is refused, and so are symbolic links, from the folder of the module or the vendor folder on, and what
// is in the module cache. A folder that is forwarded already is left as it is. Two commands must not work on one folder
// at once: the second is refused if it finds the first one's work.
//
// The exit status is 0 if the folder is as asked for, 1 if it was refused or the change failed, and 2 if the command
// was called wrongly. The repository's docs/MIGRATION.md says when to use it, and how to go back.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the command. It returns its exit status.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("jobsforward", flag.ContinueOnError)
	flags.SetOutput(stderr)
	undo := flags.Bool("undo", false, "restore the files of the package")
	flags.Usage = func() {
		_, _ = fmt.Fprintf(stderr, "usage: jobsforward [-undo] DIR\n\nDIR is the folder of %s in a vendored or a replaced copy.\n", sdkPackage)
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() != 1 || flags.Arg(0) == "":
		flags.Usage()
		return 2
	}
	act := forward
	if *undo {
		act = restore
	}
	report, err := act(flags.Arg(0))
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "jobsforward: %v\n", err)
		return 1
	}
	_, _ = fmt.Fprintln(stdout, report)
	return 0
}

// forward makes the package in dir the forwarding one.
func forward(dir string) (report string, err error) {
	target, err := open(dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = target.root.Close() }()

	switch target.state() {
	case forwarded:
		if target.stale {
			return "", fmt.Errorf("%s was forwarded by another version of jobsforward: run jobsforward -undo on it, then forward it again", target.dir)
		}
		return target.dir + " is forwarded already: nothing to do", nil
	case interrupted:
		return "", fmt.Errorf("%s is half-forwarded: another jobsforward is at work there, or was killed. In that case run jobsforward -undo on it first", target.dir)
	}
	if err := target.check(); err != nil {
		return "", err
	}
	if err := forwardFiles(target.root, target.goFiles, forwarding); err != nil {
		return "", fmt.Errorf("%s: %w", target.dir, err)
	}
	return fmt.Sprintf("forwarded %s to %s\n%s", target.dir, ourPackage, target.next()), nil
}

// restore makes the package in dir what it was before it was forwarded.
func restore(dir string) (report string, err error) {
	target, err := open(dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = target.root.Close() }()

	if target.state() == original {
		return target.dir + " is not forwarded: nothing to do", nil
	}
	if err := restoreFiles(target.root, target.originals, target.forwarder, target.temporary); err != nil {
		return "", fmt.Errorf("%s: %w", target.dir, err)
	}
	return "restored " + target.dir, nil
}
