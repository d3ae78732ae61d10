package main

import (
	"fmt"
	"io"
	"strings"
)

// brief are the rows of the table of ratios, under the names that docs/COSTS.md has for them.
var brief = []row{
	{label: "memory of an idle job, of 100,000", place: hundredK, metric: "bytes"},
	{label: "registering one, of 100,000", place: hundredK, metric: "register_ns"},
	{label: "unregistering one, of 100,000", place: hundredK, metric: "unregister_ns"},
	{label: "CPU of an execution, 1,000 jobs at 1 ms", place: busyJobs, metric: "cpu_ns"},
	{label: "lateness (p99), 100,000 jobs at 1 s", place: spreadHK, metric: "p99_ms"},
	{label: "looking a status up, among 10,000", place: looking, metric: "ns"},
	{label: "the same, while others register and unregister", place: looking, metric: "churn_ns"},
	{label: "parsing a schedule", place: crons, metric: "parse_ns"},
	{label: "finding its next occurrence", place: crons, metric: "next_ns"},
}

// printRatios prints, in Markdown, what ours takes of what each other subject takes.
func printRatios(r results, w io.Writer) error {
	others := subjectNames[1:]
	lines := []string{
		"| | " + strings.Join(others, " | ") + " |",
		"|---|" + strings.Repeat("--:|", len(others)),
	}
	for _, row := range brief {
		line := "| " + row.label + " |"
		for _, other := range others {
			line += " " + bareRatio(r.figure("jobs", row.place, row.metric), r.figure(other, row.place, row.metric)) + " |"
		}
		lines = append(lines, line)
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// bareRatio returns how often the other figure goes into ours, or why there is no such number.
func bareRatio(ours, other figure) string {
	switch {
	case ours.outcome != measured:
		return string(ours.outcome)
	case other.outcome != measured:
		return string(other.outcome)
	}
	text := number(ours.value / other.value)
	if ours.shaky || other.shaky {
		return "~" + text
	}
	return text
}
