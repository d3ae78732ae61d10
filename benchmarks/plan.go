package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
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
	limit    time.Duration
}

func newPlan(wantedPlaces, wantedSubjects *regexp.Regexp, quick bool) *plan {
	p := &plan{limit: childLimit}
	for _, at := range places {
		if wantedPlaces.MatchString(at.String()) && (!quick || at.N < largest) {
			p.places = append(p.places, at)
		}
	}
	for _, name := range subjectNames {
		if wantedSubjects.MatchString(name) {
			p.subjects = append(p.subjects, name)
		}
	}
	return p
}

func (p place) String() string { return p.Cell + "/" + strconv.Itoa(p.N) }

// run measures everything, round after round. In each it goes from cell to cell, and in each cell from subject to subject,
// so that whatever disturbs the machine for a while disturbs all of them. What a subject cannot do is not tried again.
func (p *plan) run(self string, rounds int, progress io.Writer) []sample {
	var all []sample
	settled := make(map[string]bool)
	for round := 1; round <= rounds; round++ {
		for _, at := range p.places {
			_, _ = fmt.Fprintf(progress, "round %d of %d: %v\n", round, rounds, at)
			for _, name := range p.subjects {
				key := name + " " + at.String()
				if settled[key] {
					continue
				}
				s := p.measure(self, name, at)
				s.Round = round
				settled[key] = s.Outcome != measured || at.N >= largest && name != "jobs" && name != "timer"
				all = append(all, s)
				if s.Outcome == crashed {
					_, _ = fmt.Fprintf(progress, "%s: %s\n", key, s.Error)
				}
			}
		}
	}
	return all
}

// measure makes one measurement, in a process of its own.
func (p *plan) measure(self, name string, at place) sample {
	s := sample{Subject: name, place: at, Foreign: unknown}
	ctx, cancel := context.WithTimeout(context.Background(), p.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "-child", name, at.Cell, strconv.Itoa(at.N))
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
