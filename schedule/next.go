package schedule

import (
	"math"
	"time"
)

// Two kinds of seconds meet in Next, and a type keeps them apart. An instant, of type int64, counts
// seconds since 1970 as time.Time.Unix does. A wallReading is what a clock on a wall shows, its date and
// time counted in seconds since 1970-01-01 00:00:00 on that same clock.
//
// An expression names readings: they are the same in every zone, and the search among them
// (namedAfter) knows nothing of zones. What a zone does is to show readings at instants, in spans
// of one offset each (zoneSpan): reading = instant + offset. At the end of a span the clock jumps
// over readings or shows some again.
type wallReading int64

// zoneReach is longer than the difference of any two offsets of a zone, so no clock change
// moves a reading farther. The tz database's farthest are 26 hours apart.
const zoneReach = 48 * 60 * 60

// The instants that Next looks at. Outside of them are no named times in any zone, and inside
// none of the sums overflows.
const (
	earliestInstant = -1 << 40
	latestInstant   = 1 << 40
)

// Next returns the first time at which the schedule fires that is strictly later than t: a whole second, in
// the location that the expression names or else in t's. It returns the zero Time if t is zero, or if nothing
// is left up to the end of 2099. It never takes more than a millisecond, and allocates nothing.
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
	if s.everyHour {
		instant, found = s.nextShown(after, location)
	} else {
		instant, found = s.nextNamed(after, location)
	}
	if !found {
		return time.Time{}
	}
	return time.Unix(instant, 0).In(location)
}

// nextNamed is Next by the high-water rule: each named reading has one turn, when the clock first
// shows it or passes it. All up to the highest that the clock has shown have had theirs, so the one to
// wait for is the first named one above.
func (s *Schedule) nextNamed(after int64, location *time.Location) (instant int64, found bool) {
	span := zoneSpanAt(after, location)
	reading, found := s.namedAfter(span.highWater(after, location))
	if !found {
		return 0, false
	}
	// Skip the spans in which the clock cannot be that far, whatever changes come.
	if soonest := span.instantOf(reading) - zoneReach; soonest >= span.end {
		span = zoneSpanAt(soonest, location)
	}
	for span.instantOf(reading) >= span.end {
		span = zoneSpanAt(span.end, location)
	}
	// If the change at the span's start jumped over the reading, the clock passes it there.
	return max(span.instantOf(reading), span.start), true
}

// nextShown is Next by real time: the first later instant at which the clock shows a named reading.
func (s *Schedule) nextShown(after int64, location *time.Location) (instant int64, found bool) {
	from := after + 1
	for {
		span := zoneSpanAt(from, location)
		reading, found := s.namedAfter(span.readingAt(from) - 1)
		if found && span.instantOf(reading) < span.end {
			return span.instantOf(reading), true
		}
		// Not in this span. If it ends soon, the change there may set the clock back to readings
		// before those just searched, so the search begins again at the change.
		if span.end < from+zoneReach {
			from = span.end
			continue
		}
		// Else the clock stays above them, and shows nothing named before it shows that reading.
		if !found {
			return 0, false
		}
		from = max(span.end, span.instantOf(reading)-zoneReach)
	}
}

// zoneSpan is a stretch of time, from start up to but not including end, in which a zone's clock
// has one offset. Neighbours may have the same.
type zoneSpan struct {
	start, end int64
	offset     int64
}

// zoneSpanAt is the span that holds an instant.
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
		// On 31 December of a leap year ZoneBounds may answer the start of that day (UTC), where it
		// means the end: golang/go#81583.
		const day = 24 * 60 * 60
		span.end = instant - instant%day + day
	}
	return span
}

func (z zoneSpan) readingAt(instant int64) wallReading { return wallReading(instant + z.offset) }

func (z zoneSpan) instantOf(reading wallReading) int64 { return int64(reading) - z.offset }

// highWater is the highest reading that the clock has shown up to an instant of the span: what it
// shows then or, while a change that set it back is not made up for, what it showed last before.
func (z zoneSpan) highWater(instant int64, location *time.Location) wallReading {
	high := z.readingAt(instant)
	for z.start > instant-zoneReach {
		last := z.start - 1
		z = zoneSpanAt(last, location)
		high = max(high, z.readingAt(last))
	}
	return high
}
