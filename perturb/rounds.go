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
	{"read documents, or compile what is in them", []string{"Readme", "ADocument", "EveryGuarantee", "TrackRecord"}},
	{"calculate, on one goroutine", []string{"^TestSchedule", "^ExampleParseSchedule", "^TestGocron(69|318|435)_", "^TestCron(157|541)_"}},
}

// A kind of tests is what rounds run one of.
type kind string

const (
	chosen   kind = "chosen tests" // by -run, and then all the others are none of these
	realTime kind = "tests in real time"
	model    kind = "tests of the model"
	suite    kind = "other tests"
)

// weights say how often a round is of that kind.
var weights = []kind{chosen, realTime, realTime, model, suite, suite}

// patterns are those of the tests of a kind. What matches none, and is not left out, belongs to the suite.
var patterns = map[kind]*regexp.Regexp{
	realTime: regexp.MustCompile("^Test(Contention|Perturb)"),
	model:    regexp.MustCompile("Model|NoPromise"), // which play scripts to the pool and to a model of it
}

const (
	fewOfSuite     = 60 // tests in a round
	scriptsOfModel = 200
	hangs          = 5 * time.Minute // a round that lasts longer
)

// A suspect is a package with its tests.
type suspect struct {
	listed
	binaries map[bool]string // with the race detector and without
	tests    map[kind][]string
}

// build compiles the tests of a package, with the race detector and without, and lists them. If there is a pattern
// of those that are to be run, the others are not.
func (c *perturbed) build(ctx context.Context, p listed, work string, only *regexp.Regexp) (*suspect, error) {
	s := &suspect{listed: p, binaries: map[bool]string{}, tests: map[kind][]string{}}
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
		if kind := kindOf(test, only); kind != "" {
			s.tests[kind] = append(s.tests[kind], test)
		}
	}
	return s, nil
}

// kindOf returns what kind a test is of, or "" if it is not to be run.
func kindOf(test string, only *regexp.Regexp) kind {
	if only != nil {
		if only.MatchString(test) {
			return chosen
		}
		return ""
	}
	for _, some := range leftOut {
		if regexp.MustCompile(strings.Join(some.patterns, "|")).MatchString(test) {
			return ""
		}
	}
	for _, kind := range []kind{realTime, model} {
		if patterns[kind].MatchString(test) {
			return kind
		}
	}
	return suite
}

// A round is one process that runs tests. All of it follows from its seed.
type round struct {
	seed  uint64
	of    *suspect
	kind  kind
	tests []string
	race  bool
	procs int
}

func (r *round) String() string {
	race := ""
	if r.race {
		race = " -race"
	}
	return fmt.Sprintf("seed %d: %d %s of %s, GOMAXPROCS=%d%s", r.seed, len(r.tests), r.kind, r.of.ImportPath, r.procs, race)
}

// roundOf returns the round that a seed makes of the packages. There must be a test.
func roundOf(seed uint64, suspects []*suspect) *round {
	draw := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // nobody is to be surprised
	r := &round{seed: seed, race: draw.IntN(2) == 0, procs: []int{1, 2, 4, 16}[draw.IntN(4)]}
	for total := 0; total == 0; {
		r.kind = weights[draw.IntN(len(weights))]
		for _, s := range suspects { // each in proportion to its tests
			if n := len(s.tests[r.kind]); n > 0 {
				if total += n; draw.IntN(total) < n {
					r.of = s
				}
			}
		}
	}
	r.tests = r.of.tests[r.kind]
	if r.kind == suite {
		r.tests = nil
		for _, i := range draw.Perm(len(r.of.tests[suite])) {
			if len(r.tests) < fewOfSuite {
				r.tests = append(r.tests, r.of.tests[suite][i])
			}
		}
	}
	return r
}

// run runs the round, and returns what it has printed if a test has failed. An error is none of the tests'.
func (r *round) run(ctx context.Context) (failure string, err error) {
	args := []string{
		"-test.run=^(" + strings.Join(r.tests, "|") + ")$", "-test.failfast", "-test.timeout=" + hangs.String(),
		"-test.shuffle=" + strconv.FormatUint(r.seed>>1, 10),
	}
	if r.kind == model {
		args = append(args, "-model.scripts="+strconv.Itoa(scriptsOfModel))
	}
	command := exec.CommandContext(ctx, r.of.binaries[r.race], args...)
	command.Dir = r.of.Dir
	command.Env = append(os.Environ(), "PERTURB_SEED="+strconv.FormatUint(r.seed, 10), "GOMAXPROCS="+strconv.Itoa(r.procs))
	command.WaitDelay = time.Second
	output, err := command.CombinedOutput()
	var failed *exec.ExitError
	if ctx.Err() == nil && errors.As(err, &failed) {
		return fmt.Sprintf("%s%v", output, failed), nil // the latter also says if it was killed
	}
	return "", err
}
