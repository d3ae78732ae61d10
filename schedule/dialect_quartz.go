package schedule

import (
	"errors"
	"fmt"
)

// ParseQuartz parses an expression as Quartz's CronExpression does:
//
//	second minute hour day-of-month month day-of-week
//	second minute hour day-of-month month day-of-week year
//
// Days of the week are 1-7, where 1 is Sunday, or SUN-SAT. Exactly one of the two day fields must be ?. The day of month may
// be L, L-3 (the third day before the last), LW, L-3W or 15W, also in lists; the day of week 6L (the last Friday), 6#3 (the
// third) or L, which is Saturday, not in lists. A range may run backwards: FRI-MON, 22-2.
//
// Lists with L or W are read as Quartz does after version 2.3, which had none with L and took one day only of those with
// W. What Quartz accepts and then ignores is an error: a comma too many, a step of 0, whatever follows a name,
// as in MON-FRI/2 and MONDAY-FRIDAY, and what is beside a #. So are years after 2099; * and steps end there.
//
// Clock changes are treated as this package always does. CRON_TZ=Zone in front names the time zone, which Quartz
// has beside the expression.
func ParseQuartz(expr string) (*Schedule, error) { return quartz.parse(expr, splitWords(expr)) }

var quartz = dialect{
	name: "Quartz",
	fields: []dialectField{
		{place: secondField, last: 59, largestStep: 59, values: "0-59"},
		{place: minuteField, last: 59, largestStep: 59, values: "0-59"},
		{place: hourField, last: 23, largestStep: 23, values: "0-23"},
		{place: dayField, first: 1, last: 31, largestStep: 31, values: quartzDays},
		{place: monthField, first: 1, last: 12, largestStep: 12, values: "1-12, JAN-DEC"},
		{place: weekdayField, first: 1, last: 7, sunday: 1, largestStep: 7, values: quartzWeekdays},
		{place: yearField, first: firstYear, last: lastYear, values: quartzYears},
	},
	fewest:     6,
	fieldNames: "6 (second, minute, hour, day of month, month, day of week) or 7 (and the year)",
	marks:      quartzMarks,
	wraps:      true, startSteps: true, numberSteps: true,
	join: func(words []string, _ *[fieldCount]string) error { return oneQuestionMark(words[3], words[5]) },
}

// What errors say about the values of Quartz, and of EventBridge.
const (
	quartzDays     = "1-31, L, L-3, LW, L-3W, 15W, ?"
	quartzWeekdays = "1-7 (1 is Sunday), SUN-SAT, L, 6L, 6#3, ?"
	quartzYears    = "1970-2099, since years end there in this library"
)

// oneQuestionMark returns an error unless exactly one of the day fields is ?.
func oneQuestionMark(day, weekday string) error {
	switch {
	case day == "?" && weekday == "?":
		return errors.New("day of month and day of week are both ?; one of them must name days, or be *")
	case day != "?" && weekday != "?":
		return fmt.Errorf("day of month %q and day of week %q; one of them must be ?", day, weekday)
	}
	return nil
}
