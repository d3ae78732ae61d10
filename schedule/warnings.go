package schedule

import (
	"fmt"
	"strings"
	"time"
)

// Warnings returns a sentence for each thing in the expression that other libraries read differently, so that the schedule
// may not fire when its author meant it to. Most expressions have none. There are two:
//
//   - Six fields that may have been meant to begin with a second instead of ending with a year, such as 0 0 12 * * ?.
//     Such an expression is valid with a second first, too, and its year is *, or its month or year is ?. (If the year is *
//     and another field is ?, as in 0 12 * * ? *, it was written for something that has the year there as well.)
//   - Numbers as days of the week beside ? as day of the month, as in 0 12 ? * 2-6. Where that is usual, in Quartz and
//     EventBridge, 1 is Sunday; here it is Monday.
//
// A sentence says what the expression means here, and how to write whatever else may have been meant. The first also has the
// next three times after from, in the location that the expression names, or else in that of from. A Schedule that does
// not come from [Parse] has no warnings.
func Warnings(s *Schedule, from time.Time) []string {
	if s.doubts == nil {
		return nil
	}
	var warnings []string
	if expr := s.doubts.secondFirst; expr != "" {
		meant, err := Parse(expr)
		if err == nil { // always, since it was valid when s was parsed
			warnings = append(warnings, fmt.Sprintf("%q has six fields, so its first is a minute and its last a year: it fires %s (next: %s); "+
				"if its first is meant to be a second, write %q, which fires %s",
				strings.TrimSuffix(expr, " *"), lowerFirst(Describe(s)), nextTimes(s, from), expr, lowerFirst(Describe(meant))))
		}
	}
	if list := s.doubts.weekdays; list != "" {
		warnings = append(warnings, fmt.Sprintf("day of week %q means %s, since 0 is Sunday; write it by name, "+
			"or write %s if 1 is meant to be Sunday, as in Quartz and EventBridge", list, nameWeekdays(list, 0), nameWeekdays(list, 1)))
	}
	return warnings
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }

// nextTimes lists the next three times, to the minute.
func nextTimes(s *Schedule, from time.Time) string {
	var times []string
	for at := range Upcoming(s, from) {
		if times = append(times, at.Format("Mon 2006-01-02 15:04 -07:00")); len(times) == 3 {
			break
		}
	}
	if times == nil {
		return "never"
	}
	return strings.Join(times, ", ")
}

// doubts are what else may have been meant by an expression.
type doubts struct {
	// secondFirst is the expression with a year added, so that it begins with a second. It is "" if that was hardly meant.
	secondFirst string
	// weekdays is the day-of-week field if its author may have counted the days from 1, or else "".
	weekdays string
}

// doubtsAbout returns what else may have been meant by the words of which the schedule was made, or nil.
func (s *Schedule) doubtsAbout(words []string) *doubts {
	fields, err := sevenFields(words)
	if err != nil || len(words) == 1 {
		return nil
	}
	var d doubts
	if len(words) == 6 && mayBeginWithSecond(fields) {
		expr := strings.Join(words, " ") + " *"
		if s.location != nil {
			expr = "CRON_TZ=" + s.location.String() + " " + expr
		}
		if _, err := sentence([]string{expr}); err == nil {
			d.secondFirst = expr
		}
	}
	if list := fields[weekdayField]; hasItem(fields[dayField], "?") && !s.days.everyDay() && mayCountFromOne(list) {
		d.weekdays = strings.Clone(list)
	}
	if d == (doubts{}) {
		return nil
	}
	return &d
}

// mayBeginWithSecond reports whether the last of six fields may have been meant as a day of the week.
func mayBeginWithSecond(fields [fieldCount]string) bool {
	question := strings.Contains(strings.Join(fields[:], ","), "?") // no other item has one
	return hasItem(fields[monthField], "?") || hasItem(fields[yearField], "?") ||
		hasItem(fields[yearField], "*") && !question
}

func hasItem(list, item string) bool {
	return strings.Contains(list, item) && strings.Contains(","+list+",", ","+item+",")
}

// mayCountFromOne reports whether a valid day-of-week field has numbers and none of them is 0.
func mayCountFromOne(list string) bool {
	numbers := weekdayNumbers(list)
	for _, at := range numbers {
		if list[at] == '0' {
			return false
		}
	}
	return numbers != nil
}

// nameWeekdays returns a valid day-of-week field with names instead of numbers, of which the given one is Sunday.
func nameWeekdays(list string, sunday int) string {
	var named strings.Builder
	copied := 0
	for _, at := range weekdayNumbers(list) {
		weekday := time.Weekday(int(list[at]-'0')-sunday+7) % 7
		named.WriteString(strings.TrimSuffix(list[copied:at], "0"))
		named.WriteString(strings.ToUpper(weekday.String()[:3]))
		copied = at + 1
	}
	return named.String() + list[copied:]
}

// weekdayNumbers returns where the numbers of days are in a valid day-of-week field: the position of the last digit of each,
// since there may be a leading zero.
func weekdayNumbers(list string) (positions []int) {
	isDay := true // and not a step or a week
	for i := range len(list) {
		switch c := list[i]; {
		case c == '/' || c == '#':
			isDay = false
		case c == ',':
			isDay = true
		case isDay && c >= '0' && c <= '9' && (i+1 == len(list) || list[i+1] < '0' || list[i+1] > '9'):
			positions = append(positions, i)
		}
	}
	return positions
}
