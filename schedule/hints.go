package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// hint returns what to write instead of an invalid expression, as far as that can be guessed, or "". It is given the words of
// the expression, those of its zone apart from the rest.
//
// What is proposed is valid. If it could name other days than were meant, nothing is proposed, or all that could be meant.
func hint(zone, words []string) string {
	if len(zone) == 0 {
		if text := misplacedZoneHint(words); text != "" {
			return text
		}
	}
	if text := longStepHint(zone, words); text != "" {
		return text
	}
	return sixFieldsHint(zone, words)
}

// sentence joins words to an expression, and returns what is wrong with it.
func sentence(words ...[]string) (expr string, err error) {
	expr = strings.Join(slices.Concat(words...), " ")
	_, _, _, err = parseWords(expr)
	return expr, err
}

// sixFieldsHint is the hint about six fields, unless the last looks like a year: the expression was probably written for
// another library, which reads them as second to day of week.
func sixFieldsHint(zone, words []string) string {
	if len(words) != 6 {
		return ""
	}
	last := words[5]
	if len(last) >= 4 && strings.Trim(last[:4], "0123456789") == "" {
		return ""
	}
	text := "; the sixth of six fields is the year: if another library's form was meant, which begins with a second, " +
		"a year must follow as the seventh"
	expr, err := sentence(zone, words, []string{"*"})
	switch {
	case errors.Is(err, errLoneL):
		return text + fmt.Sprintf("; then, however, %v", err)
	case err != nil:
		return text
	}
	day, weekday := words[3], words[5]
	switch {
	case hasItem(day, "?") && mayCountFromOne(weekday):
		fromZero, _ := sentence(zone, words[:5], []string{nameWeekdays(weekday, 0), "*"})
		fromOne, _ := sentence(zone, words[:5], []string{nameWeekdays(weekday, 1), "*"})
		return text + fmt.Sprintf(", and days of the week must be names, since libraries count them differently: as in %q if 1 was Sunday (Quartz), "+
			"or %q if it was Monday (Spring)", fromOne, fromZero)
	case !isFree(day) && !isFree(weekday) && weekday[0] != '+':
		return text + "; and if both day fields are restricted, either may match here"
	}
	return text + fmt.Sprintf(", as in %q", expr)
}

// isFree reports whether a day field has an item * or ?.
func isFree(list string) bool { return hasItem(list, "*") || hasItem(list, "?") }

// longStepHint is the hint about steps that exceed a range as well as what is allowed, as in 16-23/24, which some libraries
// accept: they leave the first value alone. A step from *, or in the range of all values, as in */90, is probably meant as an
// interval, which no expression has.
func longStepHint(zone, words []string) string {
	if len(words) < 5 || len(words) > 7 {
		return ""
	}
	shortened := slices.Clone(words)
	for i, list := range words {
		field := &fieldSpecs[i]
		if len(words) < 7 {
			field = &fieldSpecs[i+1]
		}
		items := strings.Split(list, ",")
		for j, item := range items {
			body, step, _ := strings.Cut(strings.ToLower(item), "/")
			whole, err := field.readItem(body)
			n, isNumber := decimal(step)
			if err == nil && whole.form == rangeItem && isNumber && n > field.largestStep && strings.Contains(body, "-") && (whole.first > field.first || whole.last < field.last) {
				items[j] = item[:strings.IndexByte(item, '-')]
			}
		}
		shortened[i] = strings.Join(items, ",")
	}
	if expr, err := sentence(zone, shortened); err == nil {
		return fmt.Sprintf("; if only the first value is meant, write %q", expr)
	}
	return ""
}

// misplacedZoneHint is the hint about an expression that has its zone at its end, or in front without CRON_TZ=.
func misplacedZoneHint(words []string) string {
	if len(words) < 2 {
		return ""
	}
	last := len(words) - 1
	for _, place := range []struct {
		zone string
		rest []string
	}{{words[last], words[:last]}, {words[0], words[1:]}} {
		name := strings.TrimPrefix(strings.TrimPrefix(place.zone, "CRON_"), "TZ=")
		if zone, found := zoneOfOffset(name); found {
			name = zone
		}
		if strings.Trim(name[:min(1, len(name))], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			continue // names of zones begin with a capital
		}
		if expr, err := sentence([]string{"CRON_TZ=" + name}, place.rest); err == nil {
			return fmt.Sprintf("; a time zone is written as in %q%s", expr, signNote(name))
		}
	}
	return ""
}

// zoneHint is the hint about a zone that was not found.
func zoneHint(name string, load func(name string) (*time.Location, error)) string {
	if zone, found := zoneOfOffset(name); found {
		return fmt.Sprintf("; write CRON_TZ=%s%s", zone, signNote(zone))
	}
	if _, _, _, found := cutOffset(name); found {
		return "; a zone has the name of a place, as in CRON_TZ=Asia/Kolkata"
	}
	// If not even this one is known, the name may be right.
	if _, err := load("America/New_York"); err != nil {
		return `; the time zone database is missing: import _ "time/tzdata" to build it into the program`
	}
	return ""
}

// zoneOfOffset returns the zone that is always so many whole hours ahead of UTC, or behind, as a text such as UTC+7,
// GMT-03:00 or +0200 says.
func zoneOfOffset(text string) (zone string, found bool) {
	sign, hours, minutes, found := cutOffset(text)
	switch {
	case !found || minutes != 0 || hours > 14 || sign == '-' && hours > 12:
		return "", false
	case hours == 0:
		return "UTC", true
	case sign == '+':
		return fmt.Sprintf("Etc/GMT-%d", hours), true
	}
	return fmt.Sprintf("Etc/GMT+%d", hours), true
}

// signNote explains the sign in the name of a zone: unlike everywhere else, Etc/GMT+3 is behind UTC.
func signNote(zone string) string {
	if strings.HasPrefix(zone, "Etc/GMT") {
		return " (in such names the sign is reversed)"
	}
	return ""
}

// cutOffset reads the offset in a text such as UTC+7, GMT-03:00 or +0200.
func cutOffset(text string) (sign byte, hours, minutes int, found bool) {
	named := strings.ToUpper(text)
	text = strings.TrimPrefix(strings.TrimPrefix(named, "UTC"), "GMT")
	if text == "" || text[0] != '+' && text[0] != '-' {
		return 0, 0, 0, false
	}
	hourText, minuteText, _ := strings.Cut(text[1:], ":")
	if len(hourText) == 4 {
		hourText, minuteText = hourText[:2], hourText[2:]+minuteText
	}
	if text == named && minuteText == "" { // +5 alone may be a day of the week
		return 0, 0, 0, false
	}
	hours, hoursFound := decimal(hourText)
	minutes, minutesFound := decimal(minuteText)
	return text[0], hours, minutes, hoursFound && hours < 24 && (minuteText == "" || minutesFound && len(minuteText) == 2)
}

// aliasHint is the hint about a word that begins with @ and is no alias.
func aliasHint(words []string) string {
	switch strings.ToLower(words[0]) {
	case "@every":
		interval := "interval"
		if d, err := time.ParseDuration(strings.Join(words[1:], "")); err == nil && d > 0 {
			interval = durationSource(d)
		}
		return fmt.Sprintf("; for an interval register the job with jobs.Every(%s)", interval)
	case "@reboot":
		return "; for an execution at the start register the job with jobs.Once()"
	}
	return ""
}

// durationSource returns a duration as it is written in Go.
func durationSource(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "time.Hour"}, {time.Minute, "time.Minute"}, {time.Second, "time.Second"}, {time.Millisecond, "time.Millisecond"}} {
		switch {
		case d == unit.size:
			return unit.name
		case d%unit.size == 0:
			return fmt.Sprintf("%d*%s", d/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d*time.Nanosecond", d)
}
