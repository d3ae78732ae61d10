package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Describe returns the meaning of an expression in plain English, as in
//
//	Every 15 minutes from 08:00 to 17:45, from Monday to Friday
//	At 02:00 on the last day of every month and also on Fridays, in time zone Europe/Paris
//
// The text begins with a capital and has no full stop. Expressions with the same description match the same dates and
// times; those that match the same may be described differently. To be exact:
//
//   - "Every 20 seconds" counts from the start of the minute, "every 15 minutes" from the start of the hour and
//     "every 2 hours" from midnight. Any other interval is given with its first and last value, and starts
//     again in each minute, hour or day. "Every hour" is on the hour.
//   - A range includes its last value.
//   - A weekday is a day from Monday to Friday. The one nearest to a day is in the same month.
//   - The 31st, or the fifth Friday, is in those months that have one.
//   - Days of the month and also days of the week are the days that are either.
//   - An expression that can never fire "never comes". If it names no zone, none is taken into account.
//
// Years that have passed are not taken into account, nor is daylight saving time, whose rules are in the package comment. So
// */5 0-6 * * * and 0-59/5 0-6 * * * have one description, although an hour that is repeated tells them apart.
func Describe(s *Schedule) string {
	if s.text == "" {
		return "Never"
	}
	text, allDay := s.describeTimes()
	text += s.describeDays(allDay) + s.describeYears()
	if s.location != nil {
		text += ", in time zone " + s.location.String()
	}
	if s.Next(time.Unix(earliestInstant, 0).UTC()).IsZero() {
		text += ", which never comes"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// longestList is the most values that are listed one by one where there is a shorter description.
const longestList = 5

// describeTimes describes the times of day, and reports whether they continue all day.
func (s *Schedule) describeTimes() (text string, allDay bool) {
	seconds, minutes, hours := valuesOf(s.seconds), valuesOf(s.minutes), valuesOf(s.hours)
	if !s.everyHour && len(seconds)*len(minutes)*len(hours) <= longestList {
		var times []string
		for _, hour := range hours {
			for _, minute := range minutes {
				for _, second := range seconds {
					times = append(times, s.clock(hour, minute, second))
				}
			}
		}
		return "at " + join(times), false
	}
	interval := spacing(hours)
	if interval == 0 || len(seconds) > 1 || len(minutes) > 1 {
		return s.describeWithin(seconds, minutes, hours), s.everyHour
	}
	// The times differ in their hour only.
	minute, second := minutes[0], seconds[0]
	onTheHour := minute == 0 && second == 0
	switch {
	case onTheHour && divides(hours, interval, 24):
		return every(interval, "hour"), true
	case s.everyHour:
		return s.describeWithin(seconds, minutes, hours), true
	}
	from, to := s.clock(hours[0], minute, second), s.clock(hours[len(hours)-1], minute, second)
	return every(interval, "hour") + " from " + from + " to " + to, false
}

// describeWithin describes times as seconds of minutes of hours.
func (s *Schedule) describeWithin(seconds, minutes, hours []int) string {
	text, through := repeated(minutes, "minute")
	ofHours := !s.everyHour || !through
	if s.seconds != 1 { // second 0 alone is not mentioned
		text, through = repeated(seconds, "second")
		everyMinute := len(minutes) == 60
		if !everyMinute || !through {
			text += " of " + within(minutes, "minute")
		}
		through = through && everyMinute
		ofHours = !s.everyHour || !everyMinute
	}
	switch {
	case !ofHours:
		return text
	case s.everyHour:
		return text + " of every hour"
	case through && (len(hours) == 1 || spacing(hours) == 1):
		from := s.clock(hours[0], minutes[0], seconds[0])
		to := s.clock(hours[len(hours)-1], minutes[len(minutes)-1], seconds[len(seconds)-1])
		return text + " from " + from + " to " + to
	}
	return text + " of " + within(hours, "hour")
}

// clock formats a time of day, with seconds if the expression matches any but 0.
func (s *Schedule) clock(hour, minute, second int) string {
	if s.seconds == 1 {
		return fmt.Sprintf("%02d:%02d", hour, minute)
	}
	return fmt.Sprintf("%02d:%02d:%02d", hour, minute, second)
}

// describeDays describes the days and the months.
func (s *Schedule) describeDays(allDay bool) string {
	allMonths := s.months == 1<<13-2
	d := &s.days
	if d.everyDay() {
		var text string
		if !allDay {
			text = " every day"
		}
		if !allMonths {
			text += inMonths(s.months)
		}
		return text
	}
	if d.both && !d.anyDay && !d.anyWeekday {
		return " on " + join(d.describeDaysOfMonth()) + " of " + describeMonths(s.months) + " if it is " + d.describeCondition()
	}
	var days []string // each with its preposition
	if !d.anyDay {
		days = append(days, "on "+join(d.describeDaysOfMonth())+" of "+describeMonths(s.months))
	}
	if weekdays := d.describeWeekdays(); weekdays != "" {
		if !allMonths {
			weekdays += inMonths(s.months)
		}
		days = append(days, weekdays)
	}
	if numbered := d.describeNumberedWeekdays(); len(numbered) > 0 {
		days = append(days, "on "+join(numbered)+" of "+describeMonths(s.months))
	}
	text := " " + strings.Join(days, " and also ")
	if strings.HasPrefix(text, " from") {
		text = "," + text
	}
	return text
}

// everyDay reports whether the day fields match every day.
func (d *daySets) everyDay() bool {
	everyDayOfMonth, everyWeekday := d.daysOfMonth == 1<<32-2, d.weekdays == 1<<7-1
	switch {
	case d.anyDay && d.anyWeekday:
		return true
	case d.anyDay:
		return everyWeekday
	case d.anyWeekday:
		return everyDayOfMonth
	case d.both:
		return everyDayOfMonth && everyWeekday
	}
	return everyDayOfMonth || everyWeekday
}

// describeCondition describes what a day of the month must be if it has to match the day-of-week field, too.
func (d *daySets) describeCondition() string {
	var named []string
	week := weekFromMonday(d.weekdays)
	if spacing(week) == 1 && len(week) > 3 {
		named = append(named, "a day from "+weekdayName(week[0])+" to "+weekdayName(week[len(week)-1]))
	} else {
		for _, weekday := range week {
			named = append(named, "a "+weekdayName(weekday))
		}
	}
	return strings.Replace(join(append(named, d.describeNumberedWeekdays()...)), " and ", " or ", 1)
}

// describeDaysOfMonth returns the days of the month, each with its article.
func (d *daySets) describeDaysOfMonth() []string {
	days := valuesOf(d.daysOfMonth)
	var named []string
	if interval := spacing(days); interval > 1 && len(days) > longestList {
		named = append(named, fmt.Sprintf("every %s day from the %s to the %s",
			ordinal(interval), ordinal(days[0]), ordinal(days[len(days)-1])))
	} else {
		named = ranges(days, func(day int) string { return "the " + ordinal(day) })
	}
	for _, day := range valuesOf(d.nearestWorkdays) {
		named = append(named, "the weekday nearest to the "+ordinal(day))
	}
	for _, offset := range slices.Backward(valuesOf(d.lastWorkdays)) {
		if offset == 0 {
			named = append(named, "the last weekday")
		} else {
			named = append(named, "the weekday nearest to "+beforeLast(offset))
		}
	}
	for _, offset := range slices.Backward(valuesOf(d.lastDays)) {
		named = append(named, beforeLast(offset))
	}
	return named
}

// beforeLast names the day that is so many days before the last of its month.
func beforeLast(offset int) string {
	switch offset {
	case 0:
		return "the last day"
	case 1:
		return "the day before the last"
	}
	return "the " + ordinal(offset) + " day before the last"
}

// describeWeekdays describes the days that come every week. It returns "" if there are none or the field is unrestricted.
func (d *daySets) describeWeekdays() string {
	if d.anyWeekday || d.weekdays == 0 {
		return ""
	}
	for _, week := range [][]int{weekFromMonday(d.weekdays), valuesOf(d.weekdays)} {
		if interval := spacing(week); interval == 1 && len(week) > 3 {
			return "from " + weekdayName(week[0]) + " to " + weekdayName(week[len(week)-1])
		}
	}
	var named []string
	for _, weekday := range weekFromMonday(d.weekdays) {
		named = append(named, weekdayName(weekday)+"s")
	}
	return "on " + join(named)
}

// describeNumberedWeekdays returns the weekdays that come once a month, each with its article. There are none if the
// field is unrestricted.
func (d *daySets) describeNumberedWeekdays() []string {
	if d.anyWeekday {
		return nil
	}
	var named []string
	for week, set := range d.nthWeekdays {
		for _, weekday := range weekFromMonday(set) {
			nth := [...]string{"first", "second", "third", "fourth", "fifth"}[week]
			named = append(named, "the "+nth+" "+weekdayName(weekday))
		}
	}
	for _, weekday := range weekFromMonday(d.lastWeekdays) {
		named = append(named, "the last "+weekdayName(weekday))
	}
	return named
}

// weekFromMonday returns the members of a set of weekdays from Monday on, with Sunday as 7.
func weekFromMonday(set uint64) []int { return valuesOf(set&^1 | set&1<<7) }

func weekdayName(weekday int) string { return time.Weekday(weekday % 7).String() }

// inMonths describes the months of something that happens more than once in each.
func inMonths(set uint64) string {
	return strings.Replace(" in "+describeMonths(set), "in every month from", "from", 1)
}

// describeMonths describes the months that days belong to.
func describeMonths(set uint64) string {
	name := func(month int) string { return time.Month(month).String() }
	months := valuesOf(set)
	interval := spacing(months)
	switch {
	case len(months) == 12:
		return "every month"
	case interval == 1 && len(months) > 3:
		return "every month from " + name(months[0]) + " to " + name(months[len(months)-1])
	}
	var names []string
	for _, month := range months {
		names = append(names, name(month))
	}
	return join(names)
}

// describeYears describes the years, unless the expression matches all of them.
func (s *Schedule) describeYears() string {
	var years []int
	for i, named := range s.years {
		if named {
			years = append(years, firstYear+i)
		}
	}
	switch len(years) {
	case len(s.years):
		return ""
	case 1:
		return ", in " + strconv.Itoa(years[0])
	}
	text := within(years, "year")
	if !strings.HasPrefix(text, "every") {
		text = "the " + text
	}
	return ", in " + text
}

// repeated describes the values of a unit at which something happens: "every 5 minutes", "at minutes 5 and 10". It
// reports whether these fill the whole of the next larger unit at the same interval, from its start.
func repeated(values []int, unit string) (text string, through bool) {
	if interval := spacing(values); divides(values, interval, 60) {
		return every(interval, unit), true
	}
	return "at " + within(values, unit), false
}

// within describes values of a unit: "minute 5", "minutes 5 and 10 to 20", "every 7th minute from 0 to 56".
func within(values []int, unit string) string {
	interval := spacing(values)
	switch {
	case len(values) == 1:
		return unit + " " + strconv.Itoa(values[0])
	case interval == 1 && divides(values, interval, 60):
		return "every " + unit
	case interval > 1 && len(values) > longestList:
		return fmt.Sprintf("every %s %s from %d to %d", ordinal(interval), unit, values[0], values[len(values)-1])
	}
	return unit + "s " + join(ranges(values, strconv.Itoa))
}

func every(interval int, unit string) string {
	if interval == 1 {
		return "every " + unit
	}
	return fmt.Sprintf("every %d %ss", interval, unit)
}

// divides reports whether the values begin at 0 and continue at the same interval into the next round.
func divides(values []int, interval, round int) bool {
	return values[0] == 0 && len(values)*interval == round
}

// spacing returns the interval between values, or 0 if it varies or there is only one value.
func spacing(values []int) int {
	if len(values) < 2 {
		return 0
	}
	interval := values[1] - values[0]
	for i := 2; i < len(values); i++ {
		if values[i]-values[i-1] != interval {
			return 0
		}
	}
	return interval
}

// ranges names values, with three or more in a row as a range.
func ranges(values []int, name func(int) string) []string {
	var named []string
	for len(values) > 0 {
		row := 1
		for row < len(values) && values[row] == values[0]+row {
			row++
		}
		if row < 3 {
			row = 1
			named = append(named, name(values[0]))
		} else {
			named = append(named, name(values[0])+" to "+name(values[row-1]))
		}
		values = values[row:]
	}
	return named
}

// join makes a list: "a", "a and b", "a, b and c".
func join(items []string) string {
	last := len(items) - 1
	if last < 1 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:last], ", ") + " and " + items[last]
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// valuesOf returns the members of a set.
func valuesOf(set uint64) []int {
	var values []int
	for value := firstFrom(set, 0); value < 64; value = firstFrom(set, value+1) {
		values = append(values, value)
	}
	return values
}
