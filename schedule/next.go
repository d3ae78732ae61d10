package schedule

import (
	"math"
	"time"
)

// Next deals with two kinds of seconds, and a type keeps them apart. An instant, of type int64, counts the seconds
// since 1970 as time.Time.Unix does. A wallReading is the date and time that a clock on a wall shows, in seconds
// since that same clock showed 1970-01-01 00:00:00.
//
// An expression matches readings. They are the same in every zone, so the search among them (namedAfter) knows
// nothing about zones. A zone determines at which instants its clock shows which readings, in spans that have
// one offset each (zoneSpan): reading = instant + offset. At the end of a span the clock skips readings, or
// repeats some.
type wallReading int64

// zoneReach is greater than the difference between any two offsets of a zone, so no clock change moves a reading
// further. In the tz database the greatest difference is 26 hours.
const zoneReach = 48 * 60 * 60

// The range of instants that Next looks at. No year that an expression can name is outside it in any zone, and no
// sum inside it overflows.
const (
	earliestInstant = -1 << 40
	latestInstant   = 1 << 40
)

// Next returns the first time strictly after t at which the schedule fires. It is a whole second, in the location
// that the expression names, or else in that of t. Next returns the zero Time if t is the zero Time, or if the
// schedule does not fire again before the end of 2099. It never takes more than a millisecond, and does not
// allocate.
func (s *Schedule) Next(t time.Time) time.Time {
	location := s.location
	if location == nil {
		location = t.Location()
	}
	after := max(t.Unix(), earliestInstant)
	if t.IsZero() || after > latestInstant {
		return time.Time{}
	}
	var instant int64
	var found bool
	switch {
	case s.everyHour:
		instant, found = s.nextShown(after, location)
	case s.star:
		instant, found = s.nextNamedOrShown(after, location)
	default:
		instant, found = s.nextNamed(after, location)
	}
	if !found {
		return time.Time{}
	}
	return time.Unix(instant, 0).In(location)
}

// nextNamed is Next by the high-water rule: the schedule fires once for each reading that it matches, when the clock
// first shows or passes it. It has fired for all readings up to the highest that the clock has shown, so the one
// to wait for is the first match above that.
func (s *Schedule) nextNamed(after int64, location *time.Location) (instant int64, found bool) {
	span := zoneSpanAt(after, location)
	reading, found := s.namedAfter(span.highWater(after, location))
	if !found {
		return 0, false
	}
	// Skip the spans in which the clock cannot have got that far, whatever changes are to come.
	if soonest := span.instantOf(reading) - zoneReach; soonest >= span.end {
		span = zoneSpanAt(soonest, location)
	}
	for span.instantOf(reading) >= span.end {
		span = zoneSpanAt(span.end, location)
	}
	// If the change at the start of the span skipped the reading, the clock passes it there.
	return max(span.instantOf(reading), span.start), true
}

// nextShown is Next by elapsed time: the first later instant at which the clock shows a reading that matches.
func (s *Schedule) nextShown(after int64, location *time.Location) (instant int64, found bool) {
	from := after + 1
	for {
		span := zoneSpanAt(from, location)
		reading, found := s.namedAfter(span.readingAt(from) - 1)
		if found && span.instantOf(reading) < span.end {
			return span.instantOf(reading), true
		}
		// There is none in this span. If it ends soon, the change there may set the clock back to readings
		// before those just searched, so the search starts again at the change.
		if span.end < from+zoneReach {
			from = span.end
			continue
		}
		// Otherwise the clock stays above them, and shows no match before it shows that reading.
		if !found {
			return 0, false
		}
		from = max(span.end, span.instantOf(reading)-zoneReach)
	}
}

// nextNamedOrShown is Next by both rules: the earlier of their results.
func (s *Schedule) nextNamedOrShown(after int64, location *time.Location) (instant int64, found bool) {
	named, found := s.nextNamed(after, location)
	// Far from a change of the clock both have the same result.
	if span := zoneSpanAt(after, location); found && named < span.end && span.start <= after-zoneReach {
		return named, true
	}
	if shown, alsoFound := s.nextShown(after, location); alsoFound && (!found || shown < named) {
		return shown, true
	}
	return named, found
}

// A zoneSpan is a period of time, from start up to but not including end, in which a zone has one offset. Adjacent
// spans may have the same offset.
type zoneSpan struct {
	start, end int64
	offset     int64
}

// zoneSpanAt returns the span that contains an instant.
func zoneSpanAt(instant int64, location *time.Location) zoneSpan {
	t := time.Unix(instant, 0).In(location)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	span := zoneSpan{start: math.MinInt64, end: math.MaxInt64, offset: int64(offset)}
	if !start.IsZero() {
		span.start = start.Unix()
	}
	if !end.IsZero() {
		span.end = end.Unix()
	}
	if span.end <= instant {
		// On 31 December of a leap year ZoneBounds may return the start of that day (in UTC) instead of its
		// end: golang/go#81583.
		const day = 24 * 60 * 60
		span.end = instant - instant%day + day
	}
	return span
}

func (z zoneSpan) readingAt(instant int64) wallReading { return wallReading(instant + z.offset) }

func (z zoneSpan) instantOf(reading wallReading) int64 { return int64(reading) - z.offset }

// highWater returns the highest reading that the clock has shown up to an instant of the span: what it shows at that
// instant or, if it was set back and has not caught up yet, what it showed just before.
func (z zoneSpan) highWater(instant int64, location *time.Location) wallReading {
	high := z.readingAt(instant)
	for z.start > instant-zoneReach {
		last := z.start - 1
		z = zoneSpanAt(last, location)
		high = max(high, z.readingAt(last))
	}
	return high
}
