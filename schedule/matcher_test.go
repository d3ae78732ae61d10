package schedule_test

import (
	"strconv"
	"strings"
	"time"
)

// An oracle is a slow matcher for an expression that Parse accepts, simple enough to be obviously right. It uses no sets
// and does not search for the next time: it says whether the expression matches one reading of the clock.
// Readings are seconds since the clock that shows them showed 1970-01-01 00:00:00.
type oracle struct {
	fields [7]string
	// The answers so far, by second, minute, hour and day since 1970.
	seconds, minutes, hours [60]bool
	days                    map[int64]bool
	everyHour               bool
	// star: an item of the second or minute field is *, ? or a step from *.
	star bool
}

const (
	oracleSecond = iota
	oracleMinute
	oracleHour
	oracleDay
	oracleMonth
	oracleWeekday
	oracleYear
)

func newOracle(expr string) *oracle {
	words := strings.Fields(strings.ToLower(expr))
	if strings.Contains(words[0], "tz=") {
		words = words[1:]
	}
	if full, isAlias := map[string]string{
		"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
		"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
	}[words[0]]; isAlias {
		words = strings.Fields(full)
	}
	if len(words) < 7 {
		words = append([]string{"0"}, words...)
	}
	o := &oracle{days: map[int64]bool{}, everyHour: true}
	copy(o.fields[:], append(words, "*"))
	for item := range strings.SplitSeq(o.fields[oracleSecond]+","+o.fields[oracleMinute], ",") {
		o.star = o.star || item == "?" || item == "*" || strings.HasPrefix(item, "*/")
	}
	for value := range 60 {
		o.seconds[value] = o.names(oracleSecond, value)
		o.minutes[value] = o.names(oracleMinute, value)
		o.hours[value] = o.names(oracleHour, value)
		o.everyHour = o.everyHour && (o.hours[value] || value > 23)
	}
	return o
}

// matches reports whether the expression matches the date and time of a reading.
func (o *oracle) matches(reading int64) bool {
	second, minute, hour := mod(reading, 60), mod(reading, 3600)/60, mod(reading, 86400)/3600
	if !o.seconds[second] || !o.minutes[minute] || !o.hours[hour] {
		return false
	}
	day := (reading - mod(reading, 86400)) / 86400
	named, known := o.days[day]
	if !known {
		named = o.namesDate(time.Unix(reading, 0).UTC())
		o.days[day] = named
	}
	return named
}

func mod(n, by int64) int64 { return (n%by + by) % by }

func (o *oracle) namesDate(date time.Time) bool {
	if !o.names(oracleYear, date.Year()) || !o.names(oracleMonth, int(date.Month())) {
		return false
	}
	dayRestricted, weekdayRestricted := true, true
	namesDay, namesWeekday := false, false
	for item := range strings.SplitSeq(o.fields[oracleDay], ",") {
		dayRestricted = dayRestricted && item != "*" && item != "?"
		namesDay = namesDay || namesDayOfMonth(item, date)
	}
	weekdays, both := strings.CutPrefix(o.fields[oracleWeekday], "+")
	for item := range strings.SplitSeq(weekdays, ",") {
		weekdayRestricted = weekdayRestricted && item != "*" && item != "?"
		namesWeekday = namesWeekday || namesDayOfWeek(item, date)
	}
	switch {
	case dayRestricted && weekdayRestricted && both:
		return namesDay && namesWeekday
	case dayRestricted && weekdayRestricted:
		return namesDay || namesWeekday
	case dayRestricted:
		return namesDay
	case weekdayRestricted:
		return namesWeekday
	}
	return true
}

func namesDayOfMonth(item string, date time.Time) bool {
	last := time.Date(date.Year(), date.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	number, isWorkday := strings.CutSuffix(item, "w")
	offset, isLast := strings.CutPrefix(number, "l")
	day := oracleNumber(oracleDay, number)
	if isLast {
		day = last - max(0, oracleNumber(oracleDay, strings.TrimPrefix(offset, "-")))
	}
	switch {
	case isLast && !isWorkday:
		return date.Day() == day
	case isWorkday:
		if day < 1 || day > last {
			return false
		}
		for _, distance := range []int{0, -1, 1, -2, 2} {
			if near := day + distance; near >= 1 && near <= last && isMondayToFriday(date, near) {
				return date.Day() == near
			}
		}
	}
	return namesValue(oracleDay, item, date.Day())
}

func isMondayToFriday(month time.Time, day int) bool {
	weekday := time.Date(month.Year(), month.Month(), day, 0, 0, 0, 0, time.UTC).Weekday()
	return weekday != time.Saturday && weekday != time.Sunday
}

func namesDayOfWeek(item string, date time.Time) bool {
	name, week, isNth := strings.Cut(item, "#")
	name, isLast := strings.CutSuffix(name, "l")
	switch {
	case isNth:
		return oracleNumber(oracleWeekday, name)%7 == int(date.Weekday()) && week == strconv.Itoa((date.Day()-1)/7+1)
	case isLast:
		return oracleNumber(oracleWeekday, name)%7 == int(date.Weekday()) && date.AddDate(0, 0, 7).Month() != date.Month()
	}
	return namesValue(oracleWeekday, item, int(date.Weekday())) ||
		date.Weekday() == time.Sunday && namesValue(oracleWeekday, item, 7)
}

// names reports whether one of a field's items matches a value.
func (o *oracle) names(field, value int) bool {
	for item := range strings.SplitSeq(o.fields[field], ",") {
		if namesValue(field, item, value) {
			return true
		}
	}
	return false
}

func namesValue(field int, item string, value int) bool {
	highest := [7]int{59, 59, 23, 31, 12, 6, 2099}[field]
	body, stepText, hasStep := strings.Cut(item, "/")
	firstText, lastText, isRange := strings.Cut(body, "-")
	var first, last int
	switch {
	case body == "*" || body == "?":
		first, last = [7]int{0, 0, 0, 1, 1, 0, 1970}[field], highest
	case isRange:
		first, last = oracleNumber(field, firstText), oracleNumber(field, lastText)
		if strings.HasPrefix(lastText, "sun") && first > 0 {
			last = 7
		}
	default:
		first = oracleNumber(field, body)
		last = first
		if hasStep {
			last = highest
		}
	}
	step := 1
	if hasStep {
		step = oracleNumber(oracleYear, stepText)
	}
	return first <= value && value <= last && (value-first)%step == 0
}

// oracleNumber parses a number or a name. It returns -1, which matches nothing, if the text is neither.
func oracleNumber(field int, text string) int {
	for month := time.January; field == oracleMonth && month <= time.December; month++ {
		if name := strings.ToLower(month.String()); text == name || text == name[:3] {
			return int(month)
		}
	}
	for weekday := time.Sunday; field == oracleWeekday && weekday <= time.Saturday; weekday++ {
		if name := strings.ToLower(weekday.String()); text == name || text == name[:3] {
			return int(weekday)
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}
