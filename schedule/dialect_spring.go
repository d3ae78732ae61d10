package schedule

import "strings"

// ParseSpring parses an expression as Spring's CronExpression does, which @Scheduled(cron = "...") uses since Spring 5.3:
//
//	second minute hour day-of-month month day-of-week
//	@hourly @daily @midnight @weekly @monthly @yearly @annually
//
// Days of the week are 0-7, where 0 and 7 are Sunday, or SUN-SAT. A day must match both day fields: 13 and FRI are the
// Fridays that are a 13th. Day of month may be L, L-3, the third day before the last, LW or 15W; day of week 5L, the last
// Friday, or 5#3, the third. All of these may stand in lists. ? in a day field is *.
//
// Three mistakes of Spring are not imitated. 31W skips the months that end on a Sunday there; here it is the Friday before, as in
// Quartz. L-30 fails where a month has no such day; here it skips the month. MON#5 was a Monday of the next month
// in those that have four, until 2025. A week begins on Monday: as a day of the week, */2 is Monday, Wednesday,
// Friday and Sunday.
//
// Clock changes are treated as this package always does. CRON_TZ=Zone in front names the time zone, which Spring
// has beside the expression.
func ParseSpring(expr string) (*Schedule, error) { return spring.parse(expr, splitWords(expr)) }

var spring = dialect{
	name: "Spring",
	fields: []dialectField{
		{place: secondField, last: 59, values: "0-59"},
		{place: minuteField, last: 59, values: "0-59"},
		{place: hourField, last: 23, values: "0-23"},
		{place: dayField, first: 1, last: 31, values: "1-31, L, L-3, LW, 15W, ?"},
		{place: monthField, first: 1, last: 12, values: "1-12, JAN-DEC"},
		{place: weekdayField, first: 1, last: 7, sunday: 7, values: "0-7, SUN-SAT, 5L, 5#3, ?"},
	},
	fewest:     6,
	fieldNames: "6 (second, minute, hour, day of month, month, day of week)",
	alias:      strings.ToLower,
	marks:      springMarks,
	startSteps: true,
	join: func(_ []string, fields *[fieldCount]string) error {
		intersect(fields)
		return nil
	},
}
