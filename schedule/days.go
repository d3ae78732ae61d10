package schedule

import (
	"math/bits"
	"time"
)

// daySets are the days that the two day fields match together.
type daySets struct {
	// anyDay and anyWeekday: the field has an item * or ?, and so is unrestricted.
	anyDay, anyWeekday bool
	// both: if both fields are restricted, a day must match both, and not either.
	both bool

	// Bit n of a set of days stands for the n-th of the month, or for the n-th before the last.
	daysOfMonth     uint64
	nearestWorkdays uint64 // 15W
	lastDays        uint64 // L, L-3
	lastWorkdays    uint64 // LW, L-3W

	// Bit n of a set of weekdays stands for time.Weekday(n).
	weekdays     uint64
	lastWeekdays uint64    // 5L
	nthWeekdays  [5]uint64 // 5#3: Friday in the third set
}

// add adds an item of a form that robfig/cron does not have.
func (d *daySets) add(item listItem) {
	switch item.form {
	case lastDayItem:
		d.lastDays |= 1 << item.first
	case lastWorkdayItem:
		d.lastWorkdays |= 1 << item.first
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
	switch {
	case d.anyWeekday:
		return d.byDayOfMonth(firstWeekday, length) & every
	case d.anyDay:
		return d.byWeekday(firstWeekday, length) & every
	case d.both:
		return d.byDayOfMonth(firstWeekday, length) & d.byWeekday(firstWeekday, length) & every
	}
	return (d.byDayOfMonth(firstWeekday, length) | d.byWeekday(firstWeekday, length)) & every
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
	days := d.daysOfMonth | fromLast(d.lastDays, length)
	// 31W matches nothing in a month of 30 days.
	if near := (d.nearestWorkdays | fromLast(d.lastWorkdays, length)) & (1<<(length+1) - 2); near != 0 {
		days |= nearestWorkdays(near, firstWeekday, length)
	}
	return days
}

// fromLast turns a set in which bit n stands for the n-th day before the last into one of days of the month. Those
// that the month does not have are bit 0 or gone.
func fromLast(set uint64, length int) uint64 {
	return bits.Reverse64(set) >> (63 - length)
}

// nearestWorkdays returns, for each day of a set, the day from Monday to Friday nearest to it in the same month.
func nearestWorkdays(days uint64, firstWeekday time.Weekday, length int) uint64 {
	const first = 1 << 1
	last := uint64(1) << length
	// The weeks from the first day on, moved to bit 1.
	const eachWeek = (1 + 1<<7 + 1<<14 + 1<<21 + 1<<28) << 1
	saturdays := days & (weekFrom(firstWeekday, 1<<time.Saturday) * eachWeek)
	sundays := days & (weekFrom(firstWeekday, 1<<time.Sunday) * eachWeek)
	near := days &^ (saturdays | sundays)
	near |= saturdays&^first>>1 | saturdays&first<<2
	near |= sundays&^last<<1 | sundays&last>>2
	return near
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
