// Package schedule reads cron expressions and finds the times that they name.
//
//	s, err := schedule.Parse("30 9 * * MON-FRI")
//	next := s.Next(time.Now())
//
// A [Schedule] has the Next method of github.com/robfig/cron's Schedule, so it can be given to whatever
// takes one of those.
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
// Before any of them may stand CRON_TZ=Zone or TZ=Zone, with a name of the tz database. Without it
// an expression is read in the location of the time that Next is given.
//
// A field is a list, parted by commas, of
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
//	day of month     1-31   and L the last day, LW the last Monday to Friday,
//	                        15W the Monday to Friday nearest to the 15th in its month
//	month            1-12   or JAN-DEC, JANUARY-DECEMBER
//	day of week      0-7    or SUN-SAT, SUNDAY-SATURDAY (0 and 7 are Sunday)
//	                        and 5L the last Friday of the month, 5#3 its third Friday
//	year             1970-2099
//
// with at most one leading zero before a single digit, and names and letters in any case. Where it
// ends a range Sunday is 7, also by name, as in FRI-SUN; a range starts on Sunday as 0. The largest
// steps are, from the second to the year, 59, 59, 23, 31, 12, 6 and 129.
//
// A day field that has an item * or ? restricts nothing. If both day fields restrict, the schedule
// fires on the days of either; if one does, on its days; if none does, every day. */1 and 1-31 do
// restrict, to every day.
//
// # Changes of the clock
//
// When clocks change, nothing at a named hour is lost and nothing doubled. A schedule whose hour
// field leaves out an hour names local dates and times, and fires once for each, when the clock
// first shows or passes it: at 03:00 for a 02:30 that is skipped, the first time only for a 01:30
// that is shown twice. One whose hour field holds all 24 hours goes by real time, at every instant
// at which the clock shows what its fields say.
package schedule

import (
	"fmt"
	"time"
)

// Parse reads a cron expression. An error names the field, the item and what is allowed there.
//
// It is no error that an expression can never fire, as on 30 February or in years that have passed: its
// Next is the zero Time.
func Parse(expr string) (*Schedule, error) {
	location, words, err := cutZone(splitWords(expr))
	schedule := &Schedule{location: location}
	if err == nil {
		err = schedule.readWords(words)
	}
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w%s", expr, err, sixFieldsHint(expr, words))
	}
	return schedule, nil
}

// A Schedule is a parsed cron expression. It is safe for concurrent use. The zero Schedule never fires.
type Schedule struct {
	// Sets of the values that the fields name. Nothing changes once they are parsed.

	// location is nil if the expression names none.
	location *time.Location

	// Bit n of a set stands for the value n.
	seconds, minutes, hours, months uint64
	days                            daySets
	years                           [lastYear - firstYear + 1]bool

	// everyHour: hours holds all 24, so the schedule goes by real time.
	everyHour bool
	// firstOfDay is the earliest time of day that the schedule names.
	firstOfDay wallReading

	// text is the seven fields in numbers.
	text string
}

// String returns the expression in seven fields and in numbers, after its zone if it names one. Parsed
// again it is the same schedule.
func (s *Schedule) String() string {
	if s.location == nil {
		return s.text
	}
	return "CRON_TZ=" + s.location.String() + " " + s.text
}

// The years that a schedule can name.
const (
	firstYear = 1970
	lastYear  = 2099
)
