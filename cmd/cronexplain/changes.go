package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/agentjobs/jobs/schedule"
)

// A change is an instant at which the clocks of its location are changed. Before and after it they have the offsets of two other
// locations.
type change struct {
	at            time.Time
	before, after *time.Location
}

// changesBetween returns the changes of the location of from, from then on and before until.
func changesBetween(from, until time.Time) []change {
	var changes []change
	for at := from; ; {
		_, end := at.ZoneBounds()
		if end.IsZero() || !end.Before(until) {
			return changes
		}
		if !end.After(at) {
			// On 31 December of some leap years ZoneBounds returns the start of that day: golang/go#81583.
			at = at.Add(24 * time.Hour)
			continue
		}
		at = end
		_, before := end.Add(-time.Second).Zone()
		_, after := end.Zone()
		if before != after {
			changes = append(changes, change{end, time.FixedZone("", before), time.FixedZone("", after)})
		}
	}
}

// effect says what a change does to a schedule. named is the same schedule without a zone: it tells which times the
// schedule names, whether the clock shows them or not.
func (c change) effect(s, named *schedule.Schedule) string {
	last, next := wall(c.at.In(c.before)), wall(c.at.In(c.after))
	if last.Before(next) {
		return skipEffect(named, last, next)
	}
	return c.repeatEffect(s, named, next, last)
}

// wall returns a time in UTC with the date and time of day of t.
func wall(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// skipEffect is effect for a change that skips the times from first until end.
func skipEffect(named *schedule.Schedule, first, end time.Time) string {
	skipped := timesIn(named, first, end)
	n := len(skipped)
	switch {
	case n == 0:
		return "no occurrence is in the time that is skipped"
	case everyHour(named, skipped[0]):
		return fmt.Sprintf("%s %s skipped: the schedule goes by elapsed time", list(skipped), choose(n, "is", "are"))
	case fires(named, end):
		return fmt.Sprintf("%s %s moved to %s, when the schedule fires anyway", list(skipped), choose(n, "is", "are"), clock(end))
	}
	return fmt.Sprintf("%s %s to %s", list(skipped), choose(n, "is moved", "are moved as one"), clock(end))
}

// repeatEffect is effect for a change that repeats the times from first until end.
func (c change) repeatEffect(s, named *schedule.Schedule, first, end time.Time) string {
	repeated := timesIn(named, first, end)
	n := len(repeated)
	switch {
	case n == 0:
		return "no occurrence is in the time that is repeated"
	case fires(s, c.again(repeated[0])):
		return fmt.Sprintf("%s %s repeated", list(repeated), choose(n, "is", "are"))
	}
	return fmt.Sprintf("%s %s once, the first time", list(repeated), choose(n, "fires", "fire"))
}

// choose returns the form of a verb for n things.
func choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// again returns when the clock shows a time for the second time that the change repeats. The time is in UTC, and the result in
// the location of the change.
func (c change) again(t time.Time) time.Time {
	shown := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, c.after)
	return shown.In(c.at.Location())
}

// fires reports whether a schedule fires at an instant.
func fires(s *schedule.Schedule, at time.Time) bool { return s.Next(at.Add(-time.Second)).Equal(at) }

// timesIn returns the times from first until end that a schedule names.
func timesIn(named *schedule.Schedule, first, end time.Time) []time.Time {
	var times []time.Time
	for at := range schedule.Upcoming(named, first.Add(-time.Second)) {
		if !at.Before(end) {
			break
		}
		times = append(times, at)
	}
	return times
}

// everyHour reports whether a schedule names all 24 hours, given a time that it names.
func everyHour(named *schedule.Schedule, t time.Time) bool {
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	for hour := range 24 {
		start := midnight.Add(time.Duration(hour) * time.Hour)
		if !named.Next(start.Add(-time.Second)).Before(start.Add(time.Hour)) {
			return false
		}
	}
	return true
}

// list lists times of day, of many only the first and the last.
func list(times []time.Time) string {
	const most = 4
	if n := len(times); n > most {
		return fmt.Sprintf("%s to %s (%d times)", clock(times[0]), clock(times[n-1]), n)
	}
	var clocks []string
	for _, t := range times {
		clocks = append(clocks, clock(t))
	}
	return strings.Join(clocks, ", ")
}

// clock formats a time of day, with seconds if there are any.
func clock(t time.Time) string {
	if t.Second() == 0 {
		return t.Format("15:04")
	}
	return t.Format(time.TimeOnly)
}
