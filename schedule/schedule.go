// Package schedule parses cron expressions and finds the times that they match.
//
//	s, err := schedule.Parse("30 9 * * MON-FRI")
//	next := s.Next(time.Now())
//
// [ParseQuartz], [ParseSpring], [ParseEventBridge] and [ParseUnix] read what was written for other schedulers. The forms below are those
// of [Parse].
//
// A [Schedule] has the Next method of github.com/robfig/cron's Schedule, so it can be given to whatever
// takes one of those. [Describe] says in plain English what it means, [Warnings] where other libraries read it
// differently, and [Upcoming] ranges over its times.
//
// # Forms
//
//	7 fields   second minute hour day-of-month month day-of-week year
//	6 fields   minute hour day-of-month month day-of-week year        (at second 0)
//	5 fields   minute hour day-of-month month day-of-week             (at second 0, in any year)
//	@hourly @daily @midnight @weekly @monthly @yearly @annually       (in any case)
//
// The sixth of six fields is the year. Other libraries put a second first instead; here that takes
// all seven fields, with * as the year.
//
// Any of them may be preceded by CRON_TZ=Zone or TZ=Zone, where Zone is a name from the tz database. Without
// it, the expression is read in the location of the time that is passed to Next.
//
// A field is a comma-separated list of
//
//	n            the value n
//	a-b          the values from a to b
//	*  ?         every value
//	*/s          every s-th value, from the field's first
//	a-b/s  a/s   every s-th value, from a to b or from a to the field's last
//
// Values are
//
//	second, minute   0-59
//	hour             0-23
//	day of month     1-31   also L, the last day; LW, the last day from Monday to Friday;
//	                        15W, the day from Monday to Friday nearest to the 15th in its month;
//	                        L-3, the third day before the last; and L-3W, the one nearest to that
//	month            1-12   or JAN-DEC, JANUARY-DECEMBER
//	day of week      0-7    or SUN-SAT, SUNDAY-SATURDAY (0 and 7 are Sunday)
//	                        also 5L, the last Friday of the month, and 5#3, its third Friday
//	year             1970-2099
//
// A single digit may have one leading zero, and names and letters may be in any case. Sunday is 7 at the end of a
// range, also by name, as in FRI-SUN, and 0 at its start. The largest steps, from second to year, are 59, 59,
// 23, 31, 12, 6 and 129.
//
// A day field with an item * or ? is unrestricted. If both day fields are restricted, the schedule fires on the
// days that match either; if one is, on the days that match it; if neither is, every day. */1 and 1-31 are
// restrictions, though they match every day. With a + in front of the day of week, as in 13 * +FRI, the days are
// those that match both.
//
// # Daylight saving time
//
// When clocks change, no run at a given hour is lost and none happens twice. If the hour field leaves out any
// hour, the schedule fires once for each local date and time that it matches, when the clock first reaches or
// passes it: at 03:00 for a 02:30 that is skipped, and only the first time for a 01:30 that is repeated. If the
// hour field contains all 24 hours, the schedule goes by elapsed time: it fires at every instant at which the
// clock matches the fields.
//
// An item *, ? or */s in the second or minute field asks for an interval, and that does not pause while an hour is
// repeated: beside an hour field that leaves out hours, the schedule fires by both rules. So */5 0-6 * * * fires every
// five minutes, twice at each time of a repeated hour, and */5 2 * * * fires once, at 03:00, if 02:00 to 02:59 is
// skipped. The second 0 of five and six fields is no such item; nor is 0-59, or 0/5.
package schedule

import (
	"fmt"
	"time"
)

// Parse parses a cron expression. An error names the field, the item and what is allowed there.
//
// Zones are those of time.LoadLocation. The data of each is read once per process, when an expression names it for the
// first time: a later update of the system's time zone database, or of the file that ZONEINFO names, has no effect on it.
//
// An expression that can never fire, as on 30 February or in years that have passed, is not an error: its Next
// returns the zero Time.
//
// An expression has at most 4,096 bytes.
func Parse(expr string) (*Schedule, error) {
	if err := checkLength(expr); err != nil {
		return nil, err
	}
	schedule, zone, words, err := parseWords(expr)
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w%s", expr, err, hint(zone, words))
	}
	schedule.doubts = schedule.doubtsAbout(words)
	return schedule, nil
}

// longestExpression limits what errors, the log and snapshots of jobs have to show.
const longestExpression = 4096

func checkLength(expr string) error {
	if len(expr) <= longestExpression {
		return nil
	}
	return fmt.Errorf("schedule %q...: %d bytes; an expression has at most %d", expr[:40], len(expr), longestExpression)
}

// A Schedule is a parsed cron expression. It is safe for concurrent use. The zero Schedule never fires.
type Schedule struct {
	// Nothing here changes after parsing.

	// location is nil if the expression names no zone.
	location *time.Location

	// Bit n of a set stands for the value n.
	seconds, minutes, hours, months uint64
	days                            daySets
	years                           [lastYear - firstYear + 1]bool

	// everyHour: hours contains all 24, so the schedule goes by elapsed time.
	everyHour bool
	// star: the second or minute field has an item *, ? or */s. Unless everyHour, the schedule goes by both rules then.
	star bool
	// firstOfDay is the earliest time of day that the schedule matches, in seconds.
	firstOfDay int32

	// text is the seven fields in numbers.
	text string
	// doubts are for Warnings, and nil if there is nothing to warn of.
	doubts *doubts
}

// String returns the expression with all seven fields, in numbers and preceded by its zone if it names one. Parsing
// it again gives the same schedule.
func (s *Schedule) String() string {
	if s.location == nil {
		return s.text
	}
	return "CRON_TZ=" + s.location.String() + " " + s.text
}

// The years that an expression can name.
const (
	firstYear = 1970
	lastYear  = 2099
)
