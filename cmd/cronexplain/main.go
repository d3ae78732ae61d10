// Command cronexplain says what a cron expression means, and when it fires.
//
//	go run github.com/agentjobs/jobs/cmd/cronexplain '30 2 * * SUN'
//
// It prints the meaning in plain English, what other libraries read differently, the next ten times, and what the clock changes of
// the next year do to them. An expression that names no time zone is read in the local one; TZ in the environment sets that.
//
// With -dialect quartz, spring, eventbridge or unix the expression is read as that scheduler does.
//
// It exits with 1 if the expression is invalid, and with 2 if it is called in another way; with -h it says how to call it, and exits with 0.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // for machines without a time zone database

	"github.com/agentjobs/jobs/schedule"
)

// parsers has the parser of each dialect.
var parsers = map[string]parser{
	"jobs":        schedule.Parse,
	"quartz":      schedule.ParseQuartz,
	"spring":      schedule.ParseSpring,
	"eventbridge": schedule.ParseEventBridge,
	"unix":        schedule.ParseUnix,
}

type parser func(expr string) (*schedule.Schedule, error)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, time.Now())) }

// run is the command, at a given time and in its location. It returns the exit code.
func run(args []string, stdout, stderr io.Writer, now time.Time) int {
	flags := flag.NewFlagSet("cronexplain", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: cronexplain [-dialect name] 'expression'\n\n"+
			"Quote the expression, or the shell takes each * for the names of files.\n\n")
		flags.PrintDefaults()
	}
	names := strings.Join(slices.Sorted(maps.Keys(parsers)), ", ")
	dialect := flags.String("dialect", "jobs", "the `name` of the dialect in which the expression is written: "+names)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	parse, known := parsers[*dialect]
	if !known || flags.NArg() != 1 {
		flags.Usage()
		return 2
	}
	text, err := explain(parse, flags.Arg(0), now)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	fmt.Fprint(stdout, text)
	return 0
}

// timeFormat is how an instant is printed.
const timeFormat = "Mon 2006-01-02 15:04:05 -07:00"

// explain says all about an expression.
func explain(parse parser, expr string, now time.Time) (string, error) {
	s, err := parse(expr)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	fmt.Fprintln(&text, schedule.Describe(s))
	for _, warning := range schedule.Warnings(s, now) {
		fmt.Fprintf(&text, "\nWarning: %s\n", warning)
	}

	fmt.Fprint(&text, "\nNext times:\n")
	first := s.Next(now)
	if first.IsZero() {
		fmt.Fprintln(&text, "  never")
		return text.String(), nil
	}
	count := 0
	for at := range schedule.Upcoming(s, now) {
		fmt.Fprintf(&text, "  %s\n", at.Format(timeFormat))
		if count++; count == 10 {
			break
		}
	}

	named, err := parse(withoutZone(expr))
	if err != nil {
		return "", err
	}
	location := first.Location()
	zone := location.String()
	if location == time.Local {
		zone = "local time"
	}
	fmt.Fprintf(&text, "\nClock changes in %s until %s:\n", zone, now.In(location).AddDate(1, 0, 0).Format(time.DateOnly))
	changes := changesBetween(now.In(location), now.AddDate(1, 0, 0))
	for _, change := range changes {
		fmt.Fprintf(&text, "  %s becomes %s\n", change.at.In(change.before).Format(timeFormat), change.at.In(change.after).Format(timeFormat))
		fmt.Fprintf(&text, "    %s\n", change.effect(s, named))
	}
	if changes == nil {
		fmt.Fprintln(&text, "  none")
	}
	return text.String(), nil
}

// withoutZone returns an expression without its time zone.
func withoutZone(expr string) string {
	words := strings.Fields(expr)
	if strings.HasPrefix(words[0], "CRON_TZ=") || strings.HasPrefix(words[0], "TZ=") {
		words = words[1:]
	}
	return strings.Join(words, " ")
}
