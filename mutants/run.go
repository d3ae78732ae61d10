package main

import (
	"context"
	"errors"
	"os/exec"
	"time"
)

// A verdict is what becomes of a mutant.
type verdict string

const (
	killed      verdict = "killed"      // a test has failed
	endless     verdict = "endless"     // the tests did not end in time, however often they were tried
	survived    verdict = "SURVIVED"    // no test has noticed
	unbuildable verdict = "unbuildable" // it does not compile, and so tells nothing
)

// tooLong is how tests have failed that did not end in time.
const tooLong = "the tests did not end"

// A bench is where mutants are tried.
type bench struct {
	build *builder
	only  string // a pattern of the only tests that are run, if it is not all of them
	slow  string // a pattern of tests that are left for last
	limit time.Duration
	tries int // how often tests are run that do not end in time
}

// try says what becomes of a mutant of the file with that source. An error is none of the mutant's.
func (b *bench) try(ctx context.Context, m mutant, source []byte) (verdict, error) {
	failure, err := b.test(ctx, m.position.Filename, m.apply(source))
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, errRefused):
		return unbuildable, nil
	case err != nil:
		return "", err
	case failure == "":
		return survived, nil
	case failure == tooLong:
		return endless, nil
	}
	return killed, nil
}

// A part is some of the tests of each suite.
type part struct {
	which string
	limit time.Duration
}

// test runs the tests of a package in which the file has other contents, and returns how they have failed, or ""
// if all have passed. Those of the package itself come first, and those that are slow last. No suite is built before
// its turn: hardly a mutant needs them all.
func (b *bench) test(ctx context.Context, file string, contents []byte) (failure string, err error) {
	parts := []part{{"-test.skip=" + b.slow, b.limit}, {"-test.run=" + b.slow, 6 * b.limit}}
	if b.only != "" {
		parts = []part{{"-test.run=" + b.only, b.limit}}
	}
	binaries := map[*suite]string{}
	for _, p := range parts {
		for _, s := range b.build.suites {
			if binaries[s] == "" {
				if binaries[s], err = b.build.testBinary(ctx, s, file, contents); err != nil {
					return "", err
				}
			}
			failure := tooLong
			for try := 0; try < b.tries && failure == tooLong; try++ {
				if failure, err = p.run(ctx, binaries[s], s.folder); err != nil {
					return "", err
				}
			}
			if failure != "" {
				return failure, nil
			}
		}
	}
	return "", nil
}

func (p part) run(ctx context.Context, binary, folder string) (failure string, err error) {
	limited, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	run := exec.CommandContext(limited, binary, p.which, "-test.failfast", "-test.count=1")
	run.Dir = folder
	run.WaitDelay = time.Second
	output, err := run.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		return tooLong, nil
	case errors.As(err, &failed):
		return string(output), nil
	}
	return "", err
}
