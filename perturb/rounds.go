package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// leftOut are patterns of the tests that perturbation has no use for, and why.
var leftOut = []struct {
	why      string
	patterns []string
}{
	{"count what is allocated, and points allocate, too", []string{"Allocat", "650Bytes", "DoesNotGrow", "^TestOTPScale"}},
	{"look for what is left on the heap after a thousand times, and last too long", []string{
		"LeaveNothing", "LeaveNoTimer", "AreForgotten", "KeptByNothing",
	}},
	{"read documents, or compile what is in them", []string{"Readme", "TrackRecord", "^TestDiscoveryRunsHourly"}},
	{"calculate, on one goroutine", []string{"^TestSchedule", "^ExampleParseSchedule", "^TestGocron(69|318|435)_", "^TestCron(157|541)_"}},
}

// The tests that are made of real time, and those that play scripts to the pool and to a model of it. The rest is
// the suite.
var (
	realTime = regexp.MustCompile("^Test(Contention|Perturb)")
	model    = regexp.MustCompile("Model|NoPromise")
)

const (
	sliceOfSuite   = 60 // tests of a round
	scriptsOfModel = 200
	hangs          = 5 * time.Minute // a round that lasts longer
)

// A suspect is a package with its tests, by what they are made of.
type suspect struct {
	listed
	binaries                       map[bool]string // with the race detector and without
	realTime, model, suite, chosen []string
}

// build compiles the tests of a package, with the race detector and without, and lists them. If there is a pattern
// of those that are to be run, the others are not.
func (c *perturbed) build(ctx context.Context, p listed, work string, only *regexp.Regexp) (*suspect, error) {
	s := &suspect{listed: p, binaries: map[bool]string{}}
	for _, race := range []bool{false, true} {
		name := strings.NewReplacer("/", "_").Replace(p.ImportPath) + "_" + strconv.FormatBool(race)
		s.binaries[race] = filepath.Join(work, name+".test")
		if _, err := run(ctx, p.Dir, "go", "test", "-c", "-vet=off", "-race="+strconv.FormatBool(race),
			"-o", s.binaries[race], "."); err != nil {
			return nil, err
		}
	}
	tests, err := run(ctx, p.Dir, s.binaries[false], "-test.list=^(Test|Example)")
	if err != nil {
		return nil, err
	}
	for _, test := range strings.Fields(string(tests)) {
		switch {
		case only != nil && only.MatchString(test):
			s.chosen = append(s.chosen, test)
		case only != nil || isLeftOut(test):
		case realTime.MatchString(test):
			s.realTime = append(s.realTime, test)
		case model.MatchString(test):
			s.model = append(s.model, test)
		default:
			s.suite = append(s.suite, test)
		}
	}
	return s, nil
}

func isLeftOut(test string) bool {
	for _, some := range leftOut {
		if regexp.MustCompile(strings.Join(some.patterns, "|")).MatchString(test) {
			return true
		}
	}
	return false
}

// A round is one process that runs tests. All of it follows from its seed.
type round struct {
	seed  uint64
	what  string
	of    *suspect
	race  bool
	procs int
	tests []string
	args  []string
}

func (r *round) String() string {
	race := ""
	if r.race {
		race = " -race"
	}
	return fmt.Sprintf("seed %d: %s of %s, %d tests, GOMAXPROCS=%d%s", r.seed, r.what, r.of.ImportPath, len(r.tests), r.procs, race)
}

// roundOf returns the round that a seed makes of the packages.
func roundOf(seed uint64, suspects []*suspect) *round {
	draw := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // nobody is to be surprised
	r := &round{seed: seed, race: draw.IntN(2) == 0, procs: []int{1, 2, 4, 16}[draw.IntN(4)]}
	var choices []round
	for _, s := range suspects {
		choices = append(choices,
			round{of: s, what: "the chosen tests", tests: s.chosen},
			round{of: s, what: "real time", tests: s.realTime}, round{of: s, what: "real time", tests: s.realTime},
			round{of: s, what: "the model", tests: s.model, args: []string{"-model.scripts=" + strconv.Itoa(scriptsOfModel)}},
			round{of: s, what: "a part of the suite", tests: someOf(s.suite, draw)},
			round{of: s, what: "a part of the suite", tests: someOf(s.suite, draw)})
	}
	for {
		if c := choices[draw.IntN(len(choices))]; len(c.tests) > 0 {
			r.of, r.what, r.tests, r.args = c.of, c.what, c.tests, c.args
			return r
		}
	}
}

func someOf(tests []string, draw *rand.Rand) (some []string) {
	for _, i := range draw.Perm(len(tests))[:min(len(tests), sliceOfSuite)] {
		some = append(some, tests[i])
	}
	return some
}

// run runs the round, and returns what it has printed if a test has failed. An error is none of the tests'.
func (r *round) run(ctx context.Context) (failure string, err error) {
	args := append([]string{
		"-test.run=^(" + strings.Join(r.tests, "|") + ")$", "-test.failfast", "-test.timeout=" + hangs.String(),
		"-test.shuffle=" + strconv.FormatUint(r.seed>>1, 10),
	}, r.args...)
	command := exec.CommandContext(ctx, r.of.binaries[r.race], args...)
	command.Dir = r.of.Dir
	command.Env = append(os.Environ(), "PERTURB_SEED="+strconv.FormatUint(r.seed, 10), "GOMAXPROCS="+strconv.Itoa(r.procs))
	command.WaitDelay = time.Second
	output, err := command.CombinedOutput()
	var failed *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &failed) {
		return string(output), nil
	}
	return "", err
}
