package schedule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readDescription reads what Describe writes, as a person would: by the words alone. It panics where it does not understand
// them.
func readDescription(text string) meaning {
	text = strings.TrimSuffix(text, ", which never comes")
	text, zone, _ := strings.Cut(text, ", in time zone ")
	text, years, found := strings.Cut(text, ", in ")
	r := reader{rest: strings.ToLower(text[:1]) + text[1:]}
	r.zone = zone
	r.readYears(years, found)
	r.readTimes()
	r.readDays()
	r.require(r.rest == "", "the end")
	return r.meaning
}

// A reader reads a description from its start.
type reader struct {
	meaning
	rest string
}

// require panics unless what has been read is as expected.
func (r *reader) require(ok bool, expected string) {
	if !ok {
		panic(fmt.Sprintf("expected %s at %q", expected, r.rest))
	}
}

// words reads a text, if it comes next.
func (r *reader) words(text string) (found bool) {
	r.rest, found = strings.CutPrefix(r.rest, text)
	return found
}

var patterns = map[string]*regexp.Regexp{}

// match reads what matches a pattern, if it comes next, and returns its groups.
func (r *reader) match(pattern string) []string {
	compiled := patterns[pattern]
	if compiled == nil {
		compiled = regexp.MustCompile("^" + pattern)
		patterns[pattern] = compiled
	}
	groups := compiled.FindStringSubmatch(r.rest)
	if groups != nil {
		r.rest = r.rest[len(groups[0]):]
	}
	return groups
}

// list reads items, separated by commas and the last by "and", for as long as item reads one. It reports whether there
// was one.
func (r *reader) list(item func() bool) bool {
	if !item() {
		return false
	}
	for {
		before := r.rest
		if !r.words(", ") && !r.words(" and ") || !item() {
			r.rest = before
			return true
		}
	}
}

// number is that of a group of a match, and 1 for an empty one.
func number(group string) int {
	if group == "" {
		return 1
	}
	n, err := strconv.Atoi(group)
	if err != nil {
		panic(err)
	}
	return n
}

// valuesEvery is the set of values from first to last at an interval.
func valuesEvery(interval, first, last int) (set uint64) {
	if (last-first)%interval != 0 {
		panic("the last value is none")
	}
	for ; first <= last; first += interval {
		set |= 1 << first
	}
	return set
}

// numbers reads numbers and ranges of numbers.
func (r *reader) numbers(add func(n int)) {
	ok := r.list(func() bool {
		match := r.match(`(\d+)(?: to (\d+))?`)
		if match == nil {
			return false
		}
		first, last := number(match[1]), number(match[1])
		if match[2] != "" {
			last = number(match[2])
		}
		for ; first <= last; first++ {
			add(first)
		}
		return true
	})
	r.require(ok, "numbers")
}

func (r *reader) readYears(text string, found bool) {
	years := reader{rest: text}
	switch match := years.match(`every (\d+)(?:st|nd|rd|th) year from (\d+) to (\d+)`); {
	case !found:
		for i := range r.years {
			r.years[i] = true
		}
	case match != nil:
		for year := number(match[2]); year <= number(match[3]); year += number(match[1]) {
			r.years[year-firstYear] = true
		}
	default:
		years.words("the years ")
		years.numbers(func(year int) { r.years[year-firstYear] = true })
	}
	years.require(years.rest == "", "the end of the years")
}

const (
	clock = `(\d\d):(\d\d)(?::(\d\d))?`
	// The sets of all values.
	allSixty = 1<<60 - 1
	allHours = 1<<24 - 1
)

// readTimes reads the times of day.
func (r *reader) readTimes() {
	r.seconds, r.minutes, r.hours = 1, allSixty, allHours
	if r.readClocks() {
		return
	}
	if match := r.match(`every (?:(\d+) )?hours?`); match != nil {
		r.minutes = 1
		r.readSpan(number(match[1]), true)
		return
	}
	set, unit := r.repeated()
	if unit == "second" {
		r.seconds = set
		if r.words(" of ") {
			set, unit = r.within()
		} else {
			set = allSixty
		}
	}
	if unit != "hour" {
		r.minutes = set
		if !r.words(" of ") {
			r.readSpan(1, false)
			return
		}
		set, unit = r.within()
	}
	r.require(unit == "hour", "hours")
	r.hours = set
}

// readClocks reads a list of times of day, if it comes next. They must be all combinations of their hours, minutes and seconds.
func (r *reader) readClocks() bool {
	before := r.rest
	var seconds, minutes, hours uint64
	times := 0
	found := r.words("at ") && r.list(func() bool {
		match := r.match(clock)
		if match == nil {
			return false
		}
		if match[3] == "" {
			match[3] = "0"
		}
		hours |= 1 << number(match[1])
		minutes |= 1 << number(match[2])
		seconds |= 1 << number(match[3])
		times++
		return true
	})
	if !found {
		r.rest = before
		return false
	}
	r.require(times == len(valuesOf(hours))*len(valuesOf(minutes))*len(valuesOf(seconds)), "all combinations")
	r.seconds, r.minutes, r.hours = seconds, minutes, hours
	return true
}

// readSpan reads from when to when on the day, if that comes next. If it tells the minute and the second, they are those of
// both, and otherwise both must be in the sets that are known.
func (r *reader) readSpan(interval int, tellsMinute bool) {
	match := r.match(" from " + clock + " to " + clock)
	if match == nil {
		r.require(24%interval == 0, "an interval that goes on in the next day")
		r.hours = valuesEvery(interval, 0, 24-interval)
		return
	}
	for _, i := range []int{3, 6} {
		if match[i] == "" {
			match[i] = "0"
		}
	}
	r.hours = valuesEvery(interval, number(match[1]), number(match[4]))
	if tellsMinute {
		r.minutes, r.seconds = 1<<number(match[2]), 1<<number(match[3])
		r.require(match[2] == match[5] && match[3] == match[6], "the same minute and second")
	}
	for _, value := range []struct {
		set         uint64
		first, last string
	}{{r.minutes, match[2], match[5]}, {r.seconds, match[3], match[6]}} {
		values := valuesOf(value.set)
		r.require(values[0] == number(value.first) && values[len(values)-1] == number(value.last), "the first and last")
	}
}

// repeated reads at which seconds or minutes something happens.
func (r *reader) repeated() (set uint64, unit string) {
	if match := r.match(`every (?:(\d+) )?(second|minute)s?`); match != nil {
		interval := number(match[1])
		r.require(60%interval == 0, "an interval that goes on in the next minute or hour")
		return valuesEvery(interval, 0, 60-interval), match[2]
	}
	r.require(r.words("at "), `"at" or "every"`)
	return r.within()
}

// within reads values of seconds, minutes or hours.
func (r *reader) within() (set uint64, unit string) {
	if match := r.match(`every (second|minute|hour)`); match != nil {
		if match[1] == "hour" {
			return allHours, match[1]
		}
		return allSixty, match[1]
	}
	if match := r.match(`every (\d+)(?:st|nd|rd|th) (second|minute|hour) from (\d+) to (\d+)`); match != nil {
		return valuesEvery(number(match[1]), number(match[3]), number(match[4])), match[2]
	}
	match := r.match(`(second|minute|hour)s? `)
	r.require(match != nil, "a unit")
	r.numbers(func(n int) { set |= 1 << n })
	return set, match[1]
}

// A dayIs reports whether a day of a month is described, given its weekday and the length of the month.
type dayIs func(day int, weekday time.Weekday, length int) bool

// readDays reads the days and the months.
func (r *reader) readDays() {
	var described []dayIs
	add := func(is dayIs) { described = append(described, is) }
	if !r.words(" every day") {
		r.words(",")
		for r.readDaysOfMonth(add) || r.readWeekdays(add) {
			if !r.words(" and also") {
				break
			}
		}
	}
	if described == nil {
		add(func(int, time.Weekday, int) bool { return true })
		r.readInMonths()
	}
	for length := 28; length <= 31; length++ {
		for first := range time.Weekday(7) {
			for day := 1; day <= length; day++ {
				for _, is := range described {
					if is(day, (first+time.Weekday(day-1))%7, length) {
						r.days[length-28][first] |= 1 << day
					}
				}
			}
		}
	}
}

const (
	ordinalNumber = `the (\d+)(?:st|nd|rd|th)`
	weekdays      = `(Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)`
)

// readDaysOfMonth reads days that come once a month, if they come next, and on what condition.
func (r *reader) readDaysOfMonth(add func(dayIs)) bool {
	before := r.rest
	var days []dayIs
	if !r.words(" on ") || !r.list(func() bool { return r.readDayOfMonth(func(is dayIs) { days = append(days, is) }) }) {
		r.rest = before
		return false
	}
	r.require(r.words(" of "), "of which months")
	if !r.words("every month") {
		r.readMonths()
	} else if !r.readMonthRange() {
		r.takeMonths(1<<13 - 2)
	}
	condition := r.readCondition()
	add(func(day int, weekday time.Weekday, length int) bool {
		return anyOf(days, day, weekday, length) && (condition == nil || anyOf(condition, day, weekday, length))
	})
	return true
}

func anyOf(described []dayIs, day int, weekday time.Weekday, length int) bool {
	return slices.ContainsFunc(described, func(is dayIs) bool { return is(day, weekday, length) })
}

// readCondition reads what a day must be besides, if that comes next.
func (r *reader) readCondition() (described []dayIs) {
	for next := r.words(" if it is "); next; next = r.words(", ") || r.words(" or ") {
		if match := r.match(`a (?:day from )?` + weekdays + `(?: to ` + weekdays + `)?`); match != nil {
			first, last := weekdayNamed(match[1]), weekdayNamed(match[1])
			if match[2] != "" {
				last = weekdayNamed(match[2])
			}
			described = append(described, func(_ int, weekday time.Weekday, _ int) bool {
				return (weekday-first+7)%7 <= (last-first+7)%7
			})
		} else {
			r.require(r.readDayOfMonth(func(is dayIs) { described = append(described, is) }), "a day")
		}
	}
	return described
}

func (r *reader) readDayOfMonth(add func(dayIs)) bool {
	if match := r.match(`every (\d+)(?:st|nd|rd|th) day from ` + ordinalNumber + ` to ` + ordinalNumber); match != nil {
		days := valuesEvery(number(match[1]), number(match[2]), number(match[3]))
		add(func(day int, _ time.Weekday, _ int) bool { return days>>day&1 == 1 })
		return true
	}
	if match := r.match(`(the weekday nearest to )?the (?:(\d+)(?:st|nd|rd|th) )?day before the last`); match != nil {
		offset := number(match[2])
		add(func(day int, weekday time.Weekday, length int) bool {
			target := length - offset
			if match[1] != "" && target > 0 {
				target = nearest(target, (weekday+time.Weekday(target-day+35))%7, length)
			}
			return day == target
		})
		return true
	}
	if match := r.match(ordinalNumber + `(?: to ` + ordinalNumber + `)?`); match != nil {
		first, last := number(match[1]), number(match[1])
		if match[2] != "" {
			last = number(match[2])
		}
		add(func(day int, _ time.Weekday, _ int) bool { return first <= day && day <= last })
		return true
	}
	if match := r.match(`the weekday nearest to ` + ordinalNumber); match != nil {
		target := number(match[1])
		add(func(day int, weekday time.Weekday, length int) bool {
			return target <= length && day == nearest(target, (weekday+time.Weekday(target-day+35))%7, length)
		})
		return true
	}
	if r.words("the last weekday") {
		add(func(day int, weekday time.Weekday, length int) bool {
			onLast := (weekday + time.Weekday(length-day)) % 7
			for onLast == time.Saturday || onLast == time.Sunday {
				length, onLast = length-1, (onLast+6)%7
			}
			return day == length
		})
		return true
	}
	if r.words("the last day") {
		add(func(day int, _ time.Weekday, length int) bool { return day == length })
		return true
	}
	if match := r.match(`the (first|second|third|fourth|fifth|last) ` + weekdays); match != nil {
		week := slices.Index([]string{"first", "second", "third", "fourth", "fifth"}, match[1])
		named := weekdayNamed(match[2])
		add(func(day int, weekday time.Weekday, length int) bool {
			if match[1] == "last" {
				return weekday == named && day+7 > length
			}
			return weekday == named && (day-1)/7 == week
		})
		return true
	}
	return false
}

// nearest is the day from Monday to Friday that is nearest to a day of a month which falls on the given weekday.
func nearest(day int, weekday time.Weekday, length int) int {
	for _, distance := range []int{0, -1, 1, -2, 2} {
		on := (weekday + time.Weekday(distance+7)) % 7
		if near := day + distance; near >= 1 && near <= length && on != time.Saturday && on != time.Sunday {
			return near
		}
	}
	panic("no such day")
}

func weekdayNamed(name string) time.Weekday {
	for weekday := range time.Weekday(7) {
		if weekday.String() == name {
			return weekday
		}
	}
	panic("no weekday: " + name)
}

// readWeekdays reads days that come every week, if they come next.
func (r *reader) readWeekdays(add func(dayIs)) bool {
	var set uint64
	before := r.rest
	if match := r.match(` from ` + weekdays + ` to ` + weekdays); match != nil {
		last := weekdayNamed(match[2])
		for weekday := weekdayNamed(match[1]); ; weekday = (weekday + 1) % 7 {
			set |= 1 << weekday
			if weekday == last {
				break
			}
		}
	} else if !r.words(" on ") || !r.list(func() bool {
		match := r.match(weekdays + "s")
		if match != nil {
			set |= 1 << weekdayNamed(match[1])
		}
		return match != nil
	}) {
		r.rest = before
		return false
	}
	add(func(_ int, weekday time.Weekday, _ int) bool { return set>>weekday&1 == 1 })
	r.readInMonths()
	return true
}

// readInMonths reads in which months something happens; none are all of them.
func (r *reader) readInMonths() {
	switch {
	case r.readMonthRange():
	case r.words(" in "):
		r.readMonths()
	default:
		r.takeMonths(1<<13 - 2)
	}
}

const months = `(January|February|March|April|May|June|July|August|September|October|November|December)`

func (r *reader) readMonthRange() bool {
	match := r.match(` from ` + months + ` to ` + months)
	if match != nil {
		r.takeMonths(valuesEvery(1, monthNamed(match[1]), monthNamed(match[2])))
	}
	return match != nil
}

func (r *reader) readMonths() {
	var set uint64
	r.require(r.list(func() bool {
		match := r.match(months)
		if match != nil {
			set |= 1 << monthNamed(match[0])
		}
		return match != nil
	}), "months")
	r.takeMonths(set)
}

func monthNamed(name string) int {
	for month := time.January; month <= time.December; month++ {
		if month.String() == name {
			return int(month)
		}
	}
	panic("no month: " + name)
}

// takeMonths takes the months of one part of a description: all parts have the same.
func (r *reader) takeMonths(set uint64) {
	r.require(r.months == 0 || r.months == set, "the same months everywhere")
	r.months = set
}
