package schedule

import (
	"math/bits"
	"time"
)

// namedAfter returns the first reading after the given one that the schedule matches.
func (s *Schedule) namedAfter(reading wallReading) (named wallReading, found bool) {
	from := reading + 1
	clock := time.Unix(int64(from), 0).UTC() // in UTC, instants and readings are the same
	year, month, day := clock.Date()
	timeOfDay, today := s.timeOfDayFrom(clock.Clock())
	if !today {
		day++
	}
	midnight, found := s.dateFrom(year, month, day)
	if !today || midnight > from { // a later day, so all of it is left
		timeOfDay = wallReading(s.firstOfDay)
	}
	return midnight + timeOfDay, found
}

// dateFrom returns the midnight of the first date that the schedule matches, from the given one on. The day may be
// one past the end of its month.
func (s *Schedule) dateFrom(year int, month time.Month, day int) (midnight wallReading, found bool) {
	if year < firstYear {
		year, month, day = firstYear, time.January, 1
	}
	for ; year <= lastYear; year, month, day = year+1, time.January, 1 {
		if !s.years[year-firstYear] {
			continue
		}
		for m := firstFrom(s.months, int(month)); m <= 12; m = firstFrom(s.months, m+1) {
			if time.Month(m) > month {
				day = 1
			}
			if d := firstFrom(s.days.in(year, time.Month(m)), day); d <= 31 {
				return wallReading(time.Date(year, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix()), true
			}
		}
	}
	return 0, false
}

// timeOfDayFrom returns the first time of day that the schedule matches, from the given one on.
func (s *Schedule) timeOfDayFrom(hour, minute, second int) (timeOfDay wallReading, found bool) {
	if firstFrom(s.hours, hour) == hour {
		if firstFrom(s.minutes, minute) == minute {
			if sec := firstFrom(s.seconds, second); sec <= 59 {
				return sinceMidnight(hour, minute, sec), true
			}
		}
		if m := firstFrom(s.minutes, minute+1); m <= 59 {
			return sinceMidnight(hour, m, firstFrom(s.seconds, 0)), true
		}
	}
	if h := firstFrom(s.hours, hour+1); h <= 23 {
		return sinceMidnight(h, firstFrom(s.minutes, 0), firstFrom(s.seconds, 0)), true
	}
	return 0, false
}

func sinceMidnight(hour, minute, second int) wallReading {
	return wallReading(hour*3600 + minute*60 + second)
}

// firstFrom returns the first value of a set from the given one on, or 64 if there is none.
func firstFrom(set uint64, value int) int {
	return bits.TrailingZeros64(set >> value << value)
}
