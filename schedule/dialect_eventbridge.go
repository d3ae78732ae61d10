package schedule

import (
	"errors"
	"fmt"
	"strings"
)

// ParseEventBridge parses an expression as Amazon EventBridge does, with or without cron(...) around it:
//
//	minute hour day-of-month month day-of-week year
//
// Fields are as for [ParseQuartz]: 1 is Sunday, and exactly one of the two day fields must be ?. EventBridge's years go up to
// 2199, but one after 2099 is an error here, and * and steps end there. rate(...) and at(...) are errors.
//
// EventBridge is known by its documentation alone. What that excludes is an error; what it does not mention but is clear,
// such as L-3, LW and a step in the day of week, is accepted.
//
// Clock changes are treated as this package always does. CRON_TZ=Zone in front, before cron(...), names the time zone. EventBridge's
// rules go by UTC, and its schedules by the zone that each has beside the expression.
func ParseEventBridge(expr string) (*Schedule, error) {
	words := splitWords(expr)
	zone := 0 // words of the zone
	if len(words) > 0 && (strings.HasPrefix(words[0], "TZ=") || strings.HasPrefix(words[0], "CRON_TZ=")) {
		zone = 1
	}
	body := strings.Join(words[zone:], " ")
	name, rest, wrapped := strings.Cut(body, "(")
	if !wrapped {
		return eventBridge.parse(expr, words)
	}
	inner, closed := strings.CutSuffix(rest, ")")
	var err error
	switch {
	case strings.TrimSpace(name) == "rate":
		err = errors.New("rate(...) is an interval; register the job with jobs.Every")
	case strings.TrimSpace(name) == "at":
		err = errors.New("at(...) is a single time; write its year in cron(...)")
	case strings.TrimSpace(name) != "cron" || !closed:
		err = errors.New("around the fields there may be cron( and )")
	default:
		return eventBridge.parse(expr, append(words[:zone:zone], splitWords(inner)...))
	}
	return nil, fmt.Errorf("%s schedule %q: %w", eventBridge.name, expr, err)
}

var eventBridge = dialect{
	name: "EventBridge",
	fields: []dialectField{
		{place: minuteField, last: 59, values: "0-59"},
		{place: hourField, last: 23, values: "0-23"},
		{place: dayField, first: 1, last: 31, values: quartzDays},
		{place: monthField, first: 1, last: 12, values: "1-12, JAN-DEC"},
		{place: weekdayField, first: 1, last: 7, sunday: 1, values: quartzWeekdays},
		{place: yearField, first: firstYear, last: lastYear, values: quartzYears},
	},
	fewest:     6,
	fieldNames: "6 (minute, hour, day of month, month, day of week, year)",
	marks:      quartzMarks,
	wraps:      true, startSteps: true,
	join: func(words []string, _ *[fieldCount]string) error { return oneQuestionMark(words[2], words[4]) },
}
