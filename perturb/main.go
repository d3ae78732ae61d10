// Perturb runs the library's tests on a copy of it in which goroutines are now and then late: before and after each
// atomic operation, mutex operation, channel operation and go statement they yield, or pause for some milliseconds.
// What is wrong only if a goroutine is taken off its processor at the wrong moment then goes wrong within minutes.
//
//	go -C perturb run . -root .. -time 5m
//	go -C perturb run . -root .. -seed 123         # the round of that seed, again and again
//	go -C perturb run . -root .. -fault survey     # a fault that is put into the copy, and that it must find
//
// The copy is the same for all seeds (rewrite.go), and its tests are compiled once. A seed says which of them a round
// runs (rounds.go), on how many processors, with the race detector or without, and where, how often and for how long
// goroutines are late (points/). In a bubble of testing/synctest they only yield, since its time must not pass.
//
// The same seed perturbs in the same way, but what the scheduler and the clock do is their own affair: so -seed repeats
// its round until that fails, or the time is over.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/agentjobs/jobs/perturb/points"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := flags().start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "perturb:", err)
		cancel()
		os.Exit(1) //nolint:gocritic // all else that was deferred is done
	}
}

// A session is a number of rounds.
type session struct {
	root, fault, only, race string
	seed                    uint64
	rounds                  int
	last                    time.Duration // no round begins later
	beside                  int           // how many rounds run at once
	keep, verbose           bool

	copied   *perturbed
	suspects []*suspect
	began    time.Time
	stop     context.CancelFunc // ends the rounds in progress

	mu      sync.Mutex // guards what follows
	begun   int
	ended   map[kind]int
	failed  *round
	failure string
}

func flags() *session {
	s := new(session)
	flag.StringVar(&s.root, "root", "..", "the top of the module")
	flag.DurationVar(&s.last, "time", 5*time.Minute, "how long rounds are begun")
	flag.IntVar(&s.rounds, "rounds", 0, "how many rounds are run, if they are not limited by time alone")
	flag.Uint64Var(&s.seed, "seed", 0, "the seed of the only round, which is repeated")
	flag.StringVar(&s.only, "run", "", "a pattern of the only tests that are run, all of them in each round")
	flag.StringVar(&s.fault, "fault", "", "a fault of testdata/faults that is put into the copy: then not to find it is a failure")
	flag.StringVar(&s.race, "race", "", "always or never: with the race detector; if empty, the seed says so")
	flag.IntVar(&s.beside, "beside", runtime.NumCPU(), "how many rounds are run beside each other")
	flag.BoolVar(&s.keep, "keep", false, "keep the copy, with its test binaries")
	flag.BoolVar(&s.verbose, "v", false, "print each round")
	flag.Parse()
	return s
}

func (s *session) start(ctx context.Context) error {
	work, err := os.MkdirTemp("", "perturb")
	if err != nil {
		return err
	}
	if s.keep {
		defer fmt.Println("the copy is in", work)
	} else {
		defer os.RemoveAll(work) //nolint:errcheck // a temporary folder
	}
	if err := s.prepare(ctx, work); err != nil {
		return err
	}
	return s.run(ctx)
}

// prepare makes the copy, and compiles its tests.
func (s *session) prepare(ctx context.Context, work string) error {
	folder := filepath.Join(work, "module")
	if err := copyModule(s.root, folder); err != nil {
		return err
	}
	if s.fault != "" {
		if err := breakModule(folder, s.fault); err != nil {
			return err
		}
	}
	var err error
	if s.copied, err = perturb(ctx, folder); err != nil {
		return err
	}
	var only *regexp.Regexp
	if s.only != "" {
		if only, err = regexp.Compile(s.only); err != nil {
			return err
		}
	}
	tests := 0
	for _, p := range s.copied.tested {
		suspect, err := s.copied.build(ctx, p, work, only)
		if err != nil {
			return err
		}
		s.suspects = append(s.suspects, suspect)
		for _, some := range suspect.tests {
			tests += len(some)
		}
	}
	fmt.Printf("%d points, %d tests\n", len(s.copied.points), tests)
	if tests == 0 {
		return errors.New("there is nothing to run")
	}
	return nil
}

// run runs rounds until one fails, or it is time to stop.
func (s *session) run(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	s.began, s.ended = time.Now(), map[kind]int{}
	base := rand.Uint64() >> 16 //nolint:gosec // nobody is to be surprised
	errs := make(chan error)
	for range s.beside {
		go func() {
			for r := s.next(base); r != nil; r = s.next(base) {
				if err := s.try(ctx, r); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var err error
	for range s.beside {
		err = errors.Join(err, <-errs)
	}
	return s.report(err)
}

// next returns the round that is next, or nil if there is none.
func (s *session) next(base uint64) *round {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil || s.rounds > 0 && s.begun == s.rounds || time.Since(s.began) > s.last {
		return nil
	}
	s.begun++
	seed := base + uint64(s.begun)
	if s.seed != 0 {
		seed = s.seed
	}
	r := roundOf(seed, s.suspects)
	r.race = s.race == "always" || r.race && s.race != "never"
	return r
}

func (s *session) try(ctx context.Context, r *round) error {
	begun := time.Now()
	failure, err := r.run(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return nil // whatever has become of this one, which is no more waited for
	}
	if s.verbose {
		fmt.Printf("%v: %v\n", r, time.Since(begun).Round(10*time.Millisecond))
	}
	if failure != "" {
		s.failed, s.failure = r, failure
		s.stop()
	}
	s.ended[r.kind]++
	return err
}

// report prints what has happened, and returns an error if it is not as it should be.
func (s *session) report(err error) error {
	lasted := time.Since(s.began).Round(time.Second)
	fmt.Printf("%d rounds in %v: %v\n", s.begun, lasted, s.ended)
	if err != nil {
		return err
	}
	r := s.failed
	if r == nil {
		if s.fault != "" {
			return fmt.Errorf("%s was not found", s.fault)
		}
		return nil
	}
	hot := points.Hot(r.seed, len(s.copied.points))
	fmt.Printf("%s\n\n%v\n%d of %d points are hot\n", abridge(s.failure), r, len(hot), len(s.copied.points))
	if len(hot) <= fewPoints {
		for _, n := range hot {
			fmt.Printf("\t%v\n", s.copied.points[n])
		}
	}
	again := fmt.Sprintf("go -C perturb run . -root .. -seed %d", r.seed)
	for _, option := range [][2]string{{"race", s.race}, {"run", s.only}, {"fault", s.fault}} {
		if option[1] != "" {
			again += fmt.Sprintf(" -%s '%s'", option[0], option[1])
		}
	}
	fmt.Printf("\nA test of %s has failed after %v. To repeat it: %s\n", r.of.ImportPath, lasted, again)
	if s.fault != "" {
		return nil
	}
	return errors.New("a test fails if goroutines are late")
}

// fewPoints are so few that to look at each may tell what has happened.
const fewPoints = 50

// abridge returns the beginning and the end of what a round has printed.
func abridge(output string) string {
	const most = 20_000
	if len(output) <= 2*most {
		return output
	}
	return strings.ToValidUTF8(output[:most], "") + "\n…\n" + strings.ToValidUTF8(output[len(output)-most:], "")
}
