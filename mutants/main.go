// Mutants makes small mistakes in the library, one at a time, and lists those that no test notices.
//
//	go -C mutants run . -root .. locks.go cycle.go
//
// The sources stay as they are: only the compiler is shown a mutant. Its verdict is kept in a file: a run
// that was interrupted goes on where it was, until a source, a test, or the choice of tests changes.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const slowTests = "650Bytes|^Fuzz|Readme|ADocument|EveryGuarantee|TrackRecord|EveryPair|AllZones|TheModel|Quartz119|DoesNotGrow|LeaveNothing|" +
	"NoPromise|HungShutdown|HardlyAWait|Stress|Contention|Perturbed|TestSchedule"

// otherTests are packages that test the one at the top of the module. For others there are none.
const otherTests = "./internal/tests/model ./internal/tests/..."

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root := flag.String("root", "..", "the folder of the package")
	also := flag.String("also", otherTests, "patterns of packages whose tests are run after those of the package")
	kept := flag.String("kept", "mutants.txt", "the file with the verdicts so far, in root")
	slow := flag.String("slow", slowTests, "a pattern of tests that are run last")
	only := flag.String("run", "", "a pattern of the only tests that are run")
	limit := flag.Duration("limit", 10*time.Second, "how long the tests may take, those that are run last six times as long")
	tries := flag.Int("tries", 2, "how often tests are run that do not end in time")
	list := flag.Bool("list", false, "only list the mutants")
	flag.Parse()

	top, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) //nolint:errcheck // a temporary folder
	builder, err := newBuilder(ctx, top, work, strings.Fields(*also)...)
	if err != nil {
		return err
	}
	b := &bench{build: builder, only: *only, slow: *slow, limit: *limit, tries: max(1, *tries)}
	log, err := openLedger(filepath.Join(top, *kept))
	if err != nil {
		return err
	}
	defer log.file.Close() //nolint:errcheck // each line was written on its own

	if !*list {
		if err := b.check(ctx, flag.Arg(0)); err != nil {
			return err
		}
	}
	for _, file := range flag.Args() {
		if err := tryFile(ctx, b, log, file, *list); err != nil {
			return err
		}
	}
	log.report()
	return nil
}

// check makes sure that the tests pass without a mutant.
func (b *bench) check(ctx context.Context, file string) error {
	source, err := os.ReadFile(filepath.Join(b.build.root, file))
	if err != nil {
		return err
	}
	begun := time.Now()
	failure, err := b.test(ctx, file, source)
	if err == nil && failure != "" {
		err = fmt.Errorf("the tests fail without a mutant:\n%s", failure)
	}
	fmt.Printf("# without a mutant: %v for %d packages with tests\n", time.Since(begun).Round(time.Millisecond), len(b.build.suites))
	return err
}

func tryFile(ctx context.Context, b *bench, log *ledger, file string, list bool) error {
	source, err := os.ReadFile(filepath.Join(b.build.root, file))
	if err != nil {
		return err
	}
	mutants, err := mutantsOf(file, source)
	if err != nil {
		return err
	}
	version, err := b.version()
	if err != nil {
		return err
	}
	for i, m := range mutants {
		key := fmt.Sprintf("%s %v", version, m)
		if list {
			fmt.Println(m)
			continue
		}
		v, known := log.verdicts[key]
		if !known {
			if v, err = b.try(ctx, m, source); err != nil {
				return err
			}
			if err := log.add(key, v); err != nil {
				return err
			}
			fmt.Printf("%4d/%d %-11s %v\n", i+1, len(mutants), v, m)
		}
		log.count(v, m)
	}
	return nil
}

// version returns what changes with any source or test of the library, and with the choice of tests: a
// verdict is on all of them.
func (b *bench) version() (string, error) {
	var files []string
	for _, folder := range b.build.folders {
		some, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			return "", err
		}
		files = append(files, some...)
	}
	slices.Sort(files)
	sum := sha256.New()
	fmt.Fprintln(sum, b.only)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, file, len(source))
		sum.Write(source)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:12], nil
}

// A ledger keeps the verdicts, a line each: the verdict, the version of the library, and the mutant.
type ledger struct {
	file      *os.File
	verdicts  map[string]verdict
	counts    map[verdict]int
	survivors []mutant
	endless   []mutant
}

func openLedger(name string) (*ledger, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	log := &ledger{file: file, verdicts: map[string]verdict{}, counts: map[verdict]int{}}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		v, key, _ := strings.Cut(lines.Text(), " ")
		log.verdicts[key] = verdict(v)
	}
	return log, lines.Err()
}

func (l *ledger) add(key string, v verdict) error {
	_, err := fmt.Fprintln(l.file, v, key)
	return err
}

func (l *ledger) count(v verdict, m mutant) {
	l.counts[v]++
	switch v {
	case survived:
		l.survivors = append(l.survivors, m)
	case endless:
		l.endless = append(l.endless, m)
	}
}

func (l *ledger) report() {
	fmt.Printf("\n%d killed, %d did not compile\n", l.counts[killed], l.counts[unbuildable])
	for _, list := range []struct {
		title   string
		mutants []mutant
	}{{"survived", l.survivors}, {"did not end, which is a kill if the machine was not too busy", l.endless}} {
		fmt.Printf("%d %s\n", len(list.mutants), list.title)
		for _, m := range list.mutants {
			fmt.Println("\t" + m.String())
		}
	}
}
