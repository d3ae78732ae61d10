package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

var aliases = map[string][fieldCount]string{
	"@hourly":   {"0", "0", "*", "*", "*", "*", "*"},
	"@daily":    {"0", "0", "0", "*", "*", "*", "*"},
	"@midnight": {"0", "0", "0", "*", "*", "*", "*"},
	"@weekly":   {"0", "0", "0", "*", "*", "0", "*"},
	"@monthly":  {"0", "0", "0", "1", "*", "*", "*"},
	"@yearly":   {"0", "0", "0", "1", "1", "*", "*"},
	"@annually": {"0", "0", "0", "1", "1", "*", "*"},
}

// splitWords splits an expression at spaces, tabs, line feeds, form feeds and carriage returns. Any other white space
// becomes part of an item and makes it invalid: it is usually there by accident.
func splitWords(expr string) []string {
	words := make([]string, 0, 8)
	start := 0
	for i := range len(expr) + 1 {
		if i == len(expr) || strings.IndexByte(" \t\n\f\r", expr[i]) >= 0 {
			if start < i {
				words = append(words, expr[start:i])
			}
			start = i + 1
		}
	}
	return words
}

// cutZone removes the zone from the words of an expression. If there is none, the location is nil.
func cutZone(words []string) (location *time.Location, rest []string, err error) {
	if len(words) == 0 {
		return nil, nil, nil
	}
	zone, found := strings.CutPrefix(words[0], "CRON_TZ=")
	if !found {
		zone, found = strings.CutPrefix(words[0], "TZ=")
	}
	switch {
	case !found:
		return nil, words, nil
	case zone == "": // time.LoadLocation would return UTC
		return nil, nil, errors.New("no time zone after the =; write one as in CRON_TZ=Europe/Paris")
	}
	if location, err = zones.location(zone); err != nil {
		return nil, nil, fmt.Errorf("time zone %q: %w%s", zone, err, zoneHint(zone, zones.location))
	}
	return location, words[1:], nil
}

// parseWords parses an expression, without anything that helps its author. It also returns the words of its zone and the
// rest, as far as it gets.
func parseWords(expr string) (schedule *Schedule, zone, words []string, err error) {
	all := splitWords(expr)
	location, words, err := cutZone(all)
	if err != nil {
		return nil, all, nil, err
	}
	schedule = &Schedule{location: location}
	return schedule, all[:len(all)-len(words)], words, schedule.readWords(words)
}

// sevenFields returns all seven fields, given the words of an expression without its zone.
func sevenFields(words []string) (fields [fieldCount]string, err error) {
	if len(words) > 0 && words[0][0] == '@' {
		fields, found := aliases[strings.ToLower(words[0])]
		if !found || len(words) > 1 {
			return fields, fmt.Errorf("%q is no alias; there are @hourly, @daily, @midnight, @weekly, @monthly, "+
				"@yearly and @annually, each alone%s", strings.Join(words, " "), aliasHint(words))
		}
		return fields, nil
	}
	fields[secondField], fields[yearField] = "0", "*"
	switch len(words) {
	case 5, 6:
		copy(fields[minuteField:], words)
	case 7:
		copy(fields[:], words)
	default:
		return fields, fmt.Errorf("%d fields; there must be 5 (minute, hour, day of month, month, day of week), "+
			"6 (these and a year) or 7 (a second before, a year after)", len(words))
	}
	return fields, nil
}

// plainFields turns the fields from second to day of week into sets, as far as robfig/cron knows the forms of their
// items. The items have been checked by then, since robfig/cron accepts too much (*-5, +5, ?/2, empty items,
// steps of any size) and its errors do not name the field.
var plainFields = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// readWords fills in the schedule from the words of its expression.
func (s *Schedule) readWords(words []string) error {
	fields, err := sevenFields(words)
	if err != nil {
		return err
	}
	text := make([]byte, 0, 64)  // all seven fields
	plain := make([]byte, 0, 64) // the items of the first six that robfig/cron knows
	for place, list := range fields {
		field := &fieldSpecs[place]
		if place == weekdayField {
			if list, s.days.both = strings.CutPrefix(list, "+"); s.days.both {
				text = append(text, '+')
				if list == "" {
					return errors.New(`day of week field, item "+": the days must follow it, as in +FRI`)
				}
			}
		}
		for itemText := range strings.SplitSeq(list, ",") {
			item, err := field.readItem(itemText)
			if err != nil {
				return fmt.Errorf("%s field, item %q: %w", field.name, itemText, err)
			}
			text = append(item.appendTo(text, field), ',')
			switch {
			case place == yearField:
				s.addYears(item)
			case item.form == rangeItem || item.form == anyItem:
				s.star = s.star || place <= minuteField && item.isStar()
				// robfig/cron takes */1 for unrestricted, so it gets steps from * as ranges.
				item.star = false
				plain = append(item.appendTo(plain, field), ',')
			default:
				s.days.add(item)
			}
		}
		text[len(text)-1] = ' '
		if place != yearField {
			// robfig/cron ignores empty items, so a comma after the last item does no harm, and a comma alone is
			// the empty set.
			plain = append(plain, ',', ' ')
		}
	}
	s.text = string(text[:len(text)-1])
	parsed, err := plainFields.Parse(string(plain))
	if err != nil {
		return err
	}
	s.takeSets(parsed.(*cron.SpecSchedule))
	return nil
}

// takeSets copies the sets that robfig/cron made.
func (s *Schedule) takeSets(sets *cron.SpecSchedule) {
	// The mark of an item * or ?.
	const star = 1 << 63
	s.seconds, s.minutes, s.hours, s.months = sets.Second&^star, sets.Minute&^star, sets.Hour&^star, sets.Month&^star
	s.days.daysOfMonth, s.days.anyDay = sets.Dom&^star, sets.Dom&star != 0
	s.days.weekdays, s.days.anyWeekday = sets.Dow&^star, sets.Dow&star != 0
	s.everyHour = s.hours == 1<<24-1
	first, _ := s.timeOfDayFrom(0, 0, 0)
	s.firstOfDay = int32(first)
}

func (s *Schedule) addYears(item listItem) {
	for year := item.first; year <= item.last; year += item.step {
		s.years[year-firstYear] = true
	}
}
