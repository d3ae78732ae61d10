package schedule

import (
	"fmt"
	"strings"
)

// ParseUnix parses the times of a crontab line as Vixie's cron and its descendants do:
//
//	minute hour day-of-month month day-of-week
//	@hourly @daily @midnight @weekly @monthly @yearly @annually
//
// Days of the week are 0-7, where 0 and 7 are Sunday, or sun-sat. If neither day field begins with a star, a day must match one of
// the two. If one does, also as in */2, a day must match both. A step follows a star or a range. There is no ?, L, W or #.
//
// It follows cronie, whose grammar is that of Debian's cron and more exact: Debian's ignores what follows an item, and
// reads 5#3 as every Friday. To both a range that runs backwards, such as fri-mon, is no value at all. These are
// errors here, and so are cronie's random values (~) and @reboot.
//
// Clock changes are treated as this package always does, which is close to what cron does. CRON_TZ=Zone in front of
// the fields, not in a line of its own, names the time zone.
func ParseUnix(expr string) (*Schedule, error) { return unix.parse(expr, splitWords(expr)) }

var unix = dialect{
	name: "cron",
	fields: []dialectField{
		{place: minuteField, last: 59, values: "0-59"},
		{place: hourField, last: 23, values: "0-23"},
		{place: dayField, first: 1, last: 31, values: "1-31"},
		{place: monthField, first: 1, last: 12, values: "1-12, jan-dec"},
		{place: weekdayField, last: 7, values: "0-7, sun-sat"},
	},
	fewest:     5,
	fieldNames: "5 (minute, hour, day of month, month, day of week), without the command",
	alias:      func(word string) string { return word },
	backwards:  ", and cron takes it for no value at all; write it as two",
	join:       joinUnixDays,
}

// joinUnixDays intersects the day fields if one of them begins with a star, however it goes on.
func joinUnixDays(words []string, fields *[fieldCount]string) error {
	if strings.HasPrefix(words[2], "*") || strings.HasPrefix(words[4], "*") {
		intersect(fields)
		return nil
	}
	// A star that is not in front is only a range.
	for _, place := range []int{dayField, weekdayField} {
		if isUnrestricted(fields[place]) {
			fields[place] = fmt.Sprintf("%d-%d", fieldSpecs[place].first, fieldSpecs[place].last)
		}
	}
	return nil
}
