package schedule

import (
	"math/bits"
	"time"
)

// daySets are the days that the two day fields match together.
type daySets struct {
	// anyDay and anyWeekday: the field has an item * or ?, and so is unrestricted.
	anyDay, anyWeekday bool

	// Bit n of a set of days stands for the n-th of the month.
	daysOfMonth     uint64
	nearestWorkdays uint64 // 15W
	lastDay         bool   // L
	lastWorkday     bool   // LW

	// Bit n of a set of weekdays stands for time.Weekday(n).
	weekdays     uint64
	lastWeekdays uint64    // 5L
	nthWeekdays  [5]uint64 // 5#3: Friday in the third set
}

// add adds an item of a form that robfig/cron does not have.
func (d *daySets) add(item listItem) {
	switch item.form {
	case lastDayItem:
		d.lastDay = true
	case lastWorkdayItem:
		d.lastWorkday = true
	case nearestWorkdayItem:
		d.nearestWorkdays |= 1 << item.first
	case lastWeekdayItem:
		d.lastWeekdays |= 1 << item.first
	case nthWeekdayItem:
		d.nthWeekdays[item.step-1] |= 1 << item.first
	}
}

// in returns the set of days of a month on which the schedule fires.
func (d *daySets) in(year int, month time.Month) uint64 {
	firstWeekday := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday()
	length := monthLength(year, month)
	every := uint64(1)<<(length+1) - 2
	if d.anyDay && d.anyWeekday {
		return every
	}
	var days uint64
	if !d.anyDay {
		days |= d.byDayOfMonth(firstWeekday, length)
	}
	if !d.anyWeekday {
		days |= d.byWeekday(firstWeekday, length)
	}
	return days & every
}

func monthLength(year int, month time.Month) int {
	switch {
	case month == time.February && year%4 == 0: // 2000 was a leap year, 2100 is beyond the last
		return 29
	case month == time.February:
		return 28
	case month == time.April || month == time.June || month == time.September || month == time.November:
		return 30
	}
	return 31
}

func (d *daySets) byDayOfMonth(firstWeekday time.Weekday, length int) uint64 {
	days := d.daysOfMonth
	if d.lastDay {
		days |= 1 << length
	}
	if d.lastWorkday {
		days |= 1 << nearestWorkday(length, firstWeekday, length)
	}
	for set := d.nearestWorkdays; set != 0; set &= set - 1 {
		// 31W matches nothing in a month of 30 days.
		if day := bits.TrailingZeros64(set); day <= length {
			days |= 1 << nearestWorkday(day, firstWeekday, length)
		}
	}
	return days
}

// nearestWorkday returns the day from Monday to Friday nearest to the given day, in the same month.
func nearestWorkday(day int, firstWeekday time.Weekday, length int) int {
	switch weekday := (firstWeekday + time.Weekday(day-1)) % 7; {
	case weekday == time.Saturday && day == 1:
		return 3
	case weekday == time.Saturday:
		return day - 1
	case weekday == time.Sunday && day == length:
		return day - 2
	case weekday == time.Sunday:
		return day + 1
	}
	return day
}

func (d *daySets) byWeekday(firstWeekday time.Weekday, length int) uint64 {
	var days uint64
	for week, nth := range d.nthWeekdays {
		days |= weekFrom(firstWeekday, d.weekdays|nth) << (1 + 7*week)
	}
	// The last of each weekday is in the last seven days.
	lastWeek := length - 6
	return days | weekFrom(firstWeekday+time.Weekday(lastWeek-1), d.lastWeekdays)<<lastWeek
}

// weekFrom turns a set of weekdays into a set of seven days, the first of which (bit 0) falls on the given weekday.
func weekFrom(first time.Weekday, weekdays uint64) uint64 {
	shift := first % 7
	return (weekdays>>shift | weekdays<<(7-shift)) & (1<<7 - 1)
}
