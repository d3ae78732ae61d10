// Command benchmarks measures this library beside its peers, a hand-written goroutine per job and a bare timer: the same
// work for all, each measurement in a process of its own, several rounds of them, interleaved. It prints a table of the
// medians and of what they must be, and keeps the samples in a file. README.md says what each row means.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) == 5 && os.Args[1] == "-child" {
		exit(child(os.Args[2], os.Args[3], os.Args[4]))
	}
	rounds := flag.Int("rounds", 3, "how often each measurement is made")
	within := flag.Duration("within", 10*time.Minute, "begin no round after the first that would end later than this")
	cells := flag.String("cells", ".", "which cells to measure, a `regexp` of their names, such as life/100000")
	only := flag.String("subjects", ".", "which subjects to measure, a `regexp` of their names")
	out := flag.String("out", "results.json", "the `file` that the samples are written to")
	commit := flag.String("before", lastUnobserved, "the `commit` of the library that is measured as \"before\"; empty for none")
	quick := flag.Bool("quick", false, "one round, without the largest number of jobs")
	show := flag.String("show", "", "measure nothing, print the table of this results `file`")
	plot := flag.String("plot", "", "measure nothing, draw the growth of this results `file` on standard output, as SVG")
	ratios := flag.String("ratios", "", "measure nothing, print the table of ratios of this results `file`, in Markdown")
	flag.Parse()
	switch {
	case *show != "":
		exit(showFile(*show, printTable))
	case *ratios != "":
		exit(showFile(*ratios, printRatios))
	case *plot != "":
		exit(showFile(*plot, drawGrowth))
	}
	exit(measureAll(*rounds, *within, *cells, *only, *commit, *out, *quick))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func measureAll(rounds int, within time.Duration, cellPattern, subjectPattern, commit, out string, quick bool) error {
	wantedCells, err := regexp.Compile(cellPattern)
	if err != nil {
		return err
	}
	wantedSubjects, err := regexp.Compile(subjectPattern)
	if err != nil {
		return err
	}
	if quick {
		rounds = 1
	}
	plan := newPlan(wantedCells, wantedSubjects, quick)
	plan.within = within
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r := results{Machine: thisMachine(), Peers: peerVersions()}
	if commit != "" && wantedSubjects.MatchString(before) {
		dir, err := os.MkdirTemp("", "benchmarks-before-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		built, err := buildEarlier(commit, dir)
		switch {
		case err == nil:
			plan.before, r.Before = built.program, built.commit
		case commit == lastUnobserved: // nobody has asked for it by name, and a shallow clone does not have it
			_, _ = fmt.Fprintln(os.Stderr, "without the library before:", err)
		default:
			return err
		}
	}
	r.Samples = plan.run(self, rounds, os.Stderr)
	if err := r.save(out); err != nil {
		return err
	}
	return printTable(r, os.Stdout)
}

// child makes one measurement and prints it.
func child(subjectName, cellName, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	newSubject, ok := subjects[subjectName]
	if !ok {
		return fmt.Errorf("no subject %q", subjectName)
	}
	measure, ok := cells[cellName]
	if !ok {
		return fmt.Errorf("no cell %q", cellName)
	}
	answer := answer{Outcome: measured}
	answer.Metrics, err = measure(newSubject(), n)
	if errors.Is(err, errNotApplicable) {
		answer.Outcome, err = notApplicable, nil
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}
