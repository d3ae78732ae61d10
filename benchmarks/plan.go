package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// childLimit is how long one measurement may last.
const childLimit = 15 * time.Second

// largest is the number of jobs that a quick run leaves out, and that peers are settled in one round only.
const largest = 1_000_000

// A plan is what is to be measured in each round.
type plan struct {
	places   []place
	subjects []string
	before   string        // the program that measures the library at an earlier commit; empty for none
	limit    time.Duration // of one measurement
	within   time.Duration // of all rounds; 0: no limit
}

func newPlan(wantedPlaces, wantedSubjects *regexp.Regexp, quick bool) *plan {
	p := &plan{limit: childLimit}
	for _, at := range places {
		if wantedPlaces.MatchString(at.String()) && (!quick || at.N < largest) {
			p.places = append(p.places, at)
		}
	}
	for _, name := range slices.Insert(slices.Clone(subjectNames), 1, variants...) { // beside ours, to be measured in the same conditions
		if wantedSubjects.MatchString(name) {
			p.subjects = append(p.subjects, name)
		}
	}
	return p
}

func (p place) String() string { return p.Cell + "/" + strconv.Itoa(p.N) }

// run measures everything, round after round.
func (p *plan) run(self string, rounds int, progress io.Writer) (all []sample) {
	begin := time.Now()
	settled := make(map[string]bool)
	for round := 1; round <= rounds; round++ {
		roundBegin := time.Now()
		all = append(all, p.round(self, fmt.Sprintf("round %d of %d", round, rounds), round, settled, progress)...)
		if p.within > 0 && round < rounds && time.Since(begin)+time.Since(roundBegin) > p.within {
			_, _ = fmt.Fprintf(progress, "no time for round %d\n", round+1)
			break
		}
	}
	return all
}

// round goes from cell to cell, and in each cell from subject to subject, so that whatever disturbs the machine
// for a while disturbs all of them. What is settled is left out: what a subject cannot do is not tried again.
func (p *plan) round(self, title string, number int, settled map[string]bool, progress io.Writer) (all []sample) {
	for _, at := range p.places {
		_, _ = fmt.Fprintf(progress, "%s: %v\n", title, at)
		for _, name := range p.subjects {
			key := name + " " + at.String()
			if settled[key] || !p.asksFor(name, at) {
				continue
			}
			s := p.measure(self, name, at)
			s.Round = number
			settled[key] = s.Outcome != measured || at.N >= largest && name != "jobs" && name != "timer"
			all = append(all, s)
			if s.Outcome == crashed {
				_, _ = fmt.Fprintf(progress, "%s: %s\n", key, s.Error)
			}
		}
	}
	return all
}

// asksFor tells whether a subject is measured at a place at all.
func (p *plan) asksFor(name string, at place) bool {
	if name == before && p.before == "" {
		return false
	}
	return !slices.Contains(variants, name) || slices.ContainsFunc(variantRows, func(row variantRow) bool { return row.place == at })
}

// measure makes one measurement, in a process of its own.
func (p *plan) measure(self, name string, at place) sample {
	s := sample{Subject: name, place: at, Foreign: unknown}
	ctx, cancel := context.WithTimeout(context.Background(), p.limit)
	defer cancel()
	program, subject := self, name
	if name == before {
		program, subject = p.before, "jobs"
	}
	cmd := exec.CommandContext(ctx, program, "-child", subject, at.Cell, strconv.Itoa(at.N))
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr

	s.SpinNS = float64(spin())
	busyBefore, known := machineBusy()
	start, own := time.Now(), cpuTime()
	err := cmd.Run()
	wall := time.Since(start)
	s.Seconds = wall.Seconds()
	if busyAfter, _ := machineBusy(); known && cmd.ProcessState != nil {
		own = cpuTime() - own + cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		s.Foreign = foreign(wall, busyAfter-busyBefore, own)
	}

	var reply answer
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		s.Outcome = overLimit
	case err != nil:
		s.Outcome, s.Error = crashed, firstLines(stderr.String())+err.Error()
	default:
		if err := json.Unmarshal([]byte(stdout.String()), &reply); err != nil {
			s.Outcome, s.Error = crashed, err.Error()
			break
		}
		s.Outcome, s.Metrics = reply.Outcome, reply.Metrics
	}
	return s
}

// firstLines is what of a crash's output is kept.
func firstLines(text string) string {
	lines := strings.SplitAfterN(text, "\n", 4)
	return strings.Join(lines[:min(3, len(lines))], "")
}
