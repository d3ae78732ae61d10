package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestScheduleNextIsStrictlyLaterAndWholeSeconds(t *testing.T) {
	checkSchedules(t, []scheduleCase{
		{"* * * * * * *", "", "2026-05-20T10:00:00Z", []string{"2026-05-20T10:00:01Z"}},
		{"* * * * * * *", "", "2026-05-20T10:00:00.999999999Z", []string{"2026-05-20T10:00:01Z"}},
		{"* * * * * * *", "", "2026-05-20T09:59:59.5Z", []string{"2026-05-20T10:00:00Z"}},
		{"0 10 * * *", "", "2026-05-20T09:59:59.999Z", []string{"2026-05-20T10:00:00Z"}},
		{"0 10 * * *", "", "2026-05-20T10:00:00.001Z", []string{"2026-05-21T10:00:00Z"}},
		{"* * * * * * *", "", "1969-12-31T23:59:59.5Z", []string{"1970-01-01T00:00:00Z"}},
	})
	next := mustParse(t, "* * * * *").Next(time.Now())
	assert.Equal(t, next.Round(0), next, "no monotonic reading that would make it another time after a clock change")
}

func TestScheduleNextCarries(t *testing.T) {
	checkSchedules(t, []scheduleCase{
		{"5,10 1,2 3,4 * * * *", "", "2026-12-31T04:01:05Z", []string{
			"2026-12-31T04:01:10Z", "2026-12-31T04:02:05Z", "2026-12-31T04:02:10Z", "2027-01-01T03:01:05Z"}},
		{"5 1 3 31 * * *", "", "2027-01-31T03:01:05Z", []string{"2027-03-31T03:01:05Z", "2027-05-31T03:01:05Z"}},
		{"0 0 29 2 *", "", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"0 0 29 2 *", "", "1899-01-01T00:00:00Z", []string{"1972-02-29T00:00:00Z"}},
		{"0 0 1 1 * 1999,2077", "", "2026-01-01T00:00:00Z", []string{"2077-01-01T00:00:00Z", "never"}},
		{"0 0 29 2 * 2096", "", "2026-01-01T00:00:00Z", []string{"2096-02-29T00:00:00Z", "never"}},
	})
}

func TestScheduleNextIsZeroWhenNothingIsLeft(t *testing.T) {
	checkSchedules(t, []scheduleCase{
		{"0 0 30 2 *", "", "2026-01-01T00:00:00Z", []string{"never"}},
		{"0 * 31 4,6,9,11 *", "Europe/London", "2026-01-01T00:00:00Z", []string{"never"}},
		{"0 0 * * * 2020-2025", "", "2026-01-01T00:00:00Z", []string{"never"}},
		{"* * * * * * *", "", "2099-12-31T23:59:58Z", []string{"2099-12-31T23:59:59Z", "never"}},
		{"* * * * * * *", "", "2525-01-01T00:00:00Z", []string{"never"}},
		{"* * * * * * *", "Pacific/Auckland", "2099-12-31T10:59:59Z", []string{"never"}},
		{"* * * * * * *", "Pacific/Honolulu", "2100-01-01T09:59:58Z", []string{"2099-12-31T23:59:59-10:00", "never"}},
		{"* * * * * * *", "", "0001-01-01T00:00:00Z", []string{"never"}}, // from the zero Time
	})
	for _, unix := range []int64{-1 << 63, -1 << 62, -1 << 41, 1 << 41, 1 << 62, 1<<63 - 1} {
		start := time.Unix(unix, 0).UTC()
		if next := mustParse(t, "0 0 1 1 *").Next(start); unix > 0 {
			assert.Zero(t, next)
		} else {
			assert.Equal(t, time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), next)
		}
	}
}

func TestScheduleAtANamedHourLosesNoRunWhenClocksGoForward(t *testing.T) {
	checkSchedules(t, []scheduleCase{
		{"0 30 2 * * * *", "America/New_York", "2024-03-09T12:00:00Z", []string{"2024-03-10T03:00:00-04:00", "2024-03-11T02:30:00-04:00"}},
		{"0 30 2 * 3 SUN#2 2024", "America/New_York", "2024-01-01T00:00:00Z", []string{"2024-03-10T03:00:00-04:00", "never"}},
		// Once per instant, however much is skipped or also due then.
		{"0 */10 2,3 10 3 * 2024", "America/New_York", "2024-03-10T05:00:00Z", []string{
			"2024-03-10T03:00:00-04:00", "2024-03-10T03:10:00-04:00"}},
		{"59 59 1-3 10 3 * 2024", "America/New_York", "2024-03-10T05:00:00Z", []string{
			"2024-03-10T01:59:59-05:00", "2024-03-10T03:00:00-04:00", "2024-03-10T03:59:59-04:00", "never"}},
		// Midnights that do not exist.
		{"0 0 0 * * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", []string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"@weekly", "America/Havana", "2024-03-09T12:00:00Z", []string{"2024-03-10T01:00:00-04:00", "2024-03-17T00:00:00-04:00"}},
		{"@daily", "Asia/Beirut", "2024-03-30T12:00:00Z", []string{"2024-03-31T01:00:00+03:00", "2024-04-01T00:00:00+03:00"}},
		{"@monthly", "America/Asuncion", "2017-09-30T12:00:00Z", []string{"2017-10-01T01:00:00-03:00", "2017-11-01T00:00:00-03:00"}},
		// A change of half an hour, and an offset with three quarters of one.
		{"15 2 * * *", "Australia/Lord_Howe", "2024-10-05T12:00:00Z", []string{"2024-10-06T02:30:00+11:00", "2024-10-07T02:15:00+11:00"}},
		{"0 3 * * *", "Pacific/Chatham", "2024-09-28T12:00:00Z", []string{"2024-09-29T03:45:00+13:45", "2024-09-30T03:00:00+13:45"}},
	})
}

func TestScheduleAtANamedHourDoublesNoRunWhenClocksGoBack(t *testing.T) {
	checkSchedules(t, []scheduleCase{
		{"0 30 1 * * * *", "America/New_York", "2024-11-02T12:00:00Z", []string{"2024-11-03T01:30:00-04:00", "2024-11-04T01:30:00-05:00"}},
		// The same whatever instant Next starts from, also within the repeated hour.
		{"0 30 1 * * * *", "America/New_York", "2024-11-03T06:15:00Z", []string{"2024-11-04T01:30:00-05:00"}},
		// What comes after the repeated hour comes after its second time round.
		{"0 0 1,2 * * * *", "America/New_York", "2024-11-03T04:30:00Z", []string{"2024-11-03T01:00:00-04:00", "2024-11-03T02:00:00-05:00"}},
		{"0-40/20 59 1 3 11 * 2024", "America/New_York", "2024-11-03T05:59:30Z", []string{"2024-11-03T01:59:40-04:00", "never"}},
		{"0 0 0,23 * * * *", "America/Sao_Paulo", "2018-02-17T23:00:00Z", []string{
			"2018-02-17T23:00:00-02:00", "2018-02-18T00:00:00-03:00", "2018-02-18T23:00:00-03:00"}},
		{"45 1 * * *", "Australia/Lord_Howe", "2024-04-06T12:00:00Z", []string{"2024-04-07T01:45:00+11:00", "2024-04-08T01:45:00+10:30"}},
		{"0 3 * * *", "Pacific/Chatham", "2024-04-06T12:00:00Z", []string{"2024-04-07T03:00:00+13:45", "2024-04-08T03:00:00+12:45"}},
	})
}

func TestScheduleWithAStarInTheMinuteOrSecondGoesOnInARepeatedHour(t *testing.T) {
	const first, again = "2024-11-03T01:59:00-04:00", "2024-11-03T01:00:00-05:00"
	for _, minutes := range []string{"*", "?", "*/1", "*/5", "7,*/59", "30,?"} {
		at := mustTime(t, "2024-11-03T05:59:00Z").In(mustLoadZone(t, "America/New_York"))
		next := mustParse(t, minutes+" 0-6 * * *").Next(at)
		assert.Equal(t, again, next.Format(time.RFC3339), "%q", minutes)
	}
	for _, minutes := range []string{"0-59", "0/5", "0-59/5", "0", "0,30"} {
		at := mustTime(t, "2024-11-03T05:59:00Z").In(mustLoadZone(t, "America/New_York"))
		next := mustParse(t, minutes+" 0-6 * * *").Next(at)
		assert.Equal(t, "2024-11-03T02:00:00-05:00", next.Format(time.RFC3339), "%q", minutes)
	}
	checkSchedules(t, []scheduleCase{
		{"* 1-3 * * *", "America/New_York", "2024-11-03T05:58:00Z", []string{first, again, "2024-11-03T01:01:00-05:00"}},
		// A second that is implied is no star, one that is written is.
		{"30 1 * * *", "America/New_York", "2024-11-03T05:00:00Z", []string{"2024-11-03T01:30:00-04:00", "2024-11-04T01:30:00-05:00"}},
		{"*/40 30 1 * * * *", "America/New_York", "2024-11-03T05:30:00Z", []string{
			"2024-11-03T01:30:40-04:00", "2024-11-03T01:30:00-05:00", "2024-11-03T01:30:40-05:00", "2024-11-04T01:30:00-05:00"}},
		// Nothing at a named hour is lost.
		{"*/5 2 * * *", "America/New_York", "2024-03-10T06:00:00Z", []string{"2024-03-10T03:00:00-04:00", "2024-03-11T02:00:00-04:00"}},
		{"*/30 2,3 * * *", "America/New_York", "2024-03-10T06:00:00Z", []string{
			"2024-03-10T03:00:00-04:00", "2024-03-10T03:30:00-04:00", "2024-03-11T02:00:00-04:00"}},
		{"*/45 0 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", []string{"2011-12-31T00:00:00+14:00", "2012-12-30T00:00:00+14:00"}},
		// The search goes from any instant, also from the repeated hour, and from far away.
		{"*/30 1 * * *", "America/New_York", "2024-11-03T06:15:00Z", []string{"2024-11-03T01:30:00-05:00", "2024-11-04T01:00:00-05:00"}},
		{"*/30 23 17 2 * 2018", "America/Sao_Paulo", "2017-01-01T00:00:00Z", []string{
			"2018-02-17T23:00:00-02:00", "2018-02-17T23:30:00-02:00", "2018-02-17T23:00:00-03:00", "2018-02-17T23:30:00-03:00", "never"}},
		{"*/20 1,2 * * *", "Australia/Lord_Howe", "2024-04-06T14:30:00Z", []string{ // 02:00 becomes 01:30
			"2024-04-07T01:40:00+11:00", "2024-04-07T01:40:00+10:30", "2024-04-07T02:00:00+10:30"}},
	})
}

func TestScheduleThroughLargeChanges(t *testing.T) {
	checkSchedules(t, []scheduleCase{
		// Troll: two hours forward, two back.
		{"30 1,2,3 * * *", "Antarctica/Troll", "2024-03-31T00:00:00Z", []string{"2024-03-31T03:00:00+02:00", "2024-03-31T03:30:00+02:00"}},
		{"30 1,2,3 * * *", "Antarctica/Troll", "2024-10-26T23:00:00Z", []string{
			"2024-10-27T01:30:00+02:00", "2024-10-27T02:30:00+02:00", "2024-10-27T03:30:00Z"}},
		// Casey: three hours back.
		{"30 23,0,2 * * *", "Antarctica/Casey", "2010-03-04T12:00:00Z", []string{
			"2010-03-04T23:30:00+11:00", "2010-03-05T00:30:00+11:00", "2010-03-05T02:30:00+08:00"}},
		// Vostok: seven hours back, then forward.
		{"0 12,20 * * *", "Antarctica/Vostok", "1994-01-31T08:00:00Z", []string{"1994-01-31T20:00:00+07:00", "1994-02-01T12:00:00Z"}},
		{"0 3,12 * * *", "Antarctica/Vostok", "1994-10-31T20:00:00Z", []string{"1994-11-01T07:00:00+07:00", "1994-11-01T12:00:00+07:00"}},
		// Days that do not exist: the date in the expression decides, and its weekday.
		{"0 0 12 30 12 * *", "Pacific/Apia", "2011-12-01T00:00:00Z", []string{"2011-12-31T00:00:00+14:00", "2012-12-30T12:00:00+14:00"}},
		{"0 0 12 * * 5 *", "Pacific/Apia", "2011-12-24T00:00:00Z", []string{"2011-12-31T00:00:00+14:00", "2012-01-06T12:00:00+14:00"}},
		{"@daily", "Pacific/Apia", "2011-12-29T12:00:00Z", []string{"2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"}},
		{"0 12 21 8 *", "Pacific/Kwajalein", "1993-08-01T00:00:00Z", []string{"1993-08-22T00:00:00+12:00", "1994-08-21T12:00:00+12:00"}},
		{"0 12 * * SAT", "Pacific/Kiritimati", "1994-12-30T00:00:00Z", []string{"1995-01-01T00:00:00+14:00", "1995-01-07T12:00:00+14:00"}},
		{"0 12 L 12 * 1994", "Pacific/Kiritimati", "1994-12-01T00:00:00Z", []string{"1995-01-01T00:00:00+14:00", "never"}},
	})
}

func TestScheduleOfAll24HoursGoesByRealTime(t *testing.T) {
	for _, hours := range []string{"*", "?", "*/1", "0-23", "0-11,12-23", "1/1,0"} {
		checkSchedules(t, []scheduleCase{
			{"0 30 " + hours + " * * * *", "America/New_York", "2024-11-03T05:00:00Z", []string{
				"2024-11-03T01:30:00-04:00", "2024-11-03T01:30:00-05:00", "2024-11-03T02:30:00-05:00"}},
			{"0 30 " + hours + " * * * *", "America/New_York", "2024-03-10T06:00:00Z", []string{
				"2024-03-10T01:30:00-05:00", "2024-03-10T03:30:00-04:00"}},
		})
	}
	checkSchedules(t, []scheduleCase{
		// A change by part of an hour: once after 90 minutes, or twice 30 minutes apart.
		{"@hourly", "Australia/Lord_Howe", "2024-10-05T14:00:00Z", []string{
			"2024-10-06T01:00:00+10:30", "2024-10-06T03:00:00+11:00"}},
		{"30 * * * *", "Australia/Lord_Howe", "2024-04-06T14:00:00Z", []string{
			"2024-04-07T01:30:00+11:00", "2024-04-07T01:30:00+10:30", "2024-04-07T02:30:00+10:30"}},
		{"@hourly", "Australia/Lord_Howe", "2024-04-06T13:30:00Z", []string{
			"2024-04-07T01:00:00+11:00", "2024-04-07T02:00:00+10:30"}},
		// On a date that does not exist it does not fire.
		{"0 * 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", []string{"2012-12-30T00:00:00+14:00"}},
		{"0 * 30 12 * 2011", "Pacific/Apia", "2011-12-01T00:00:00Z", []string{"never"}},
		{"0 * * * FRI", "Pacific/Apia", "2011-12-29T23:30:00-10:00", []string{"2012-01-06T00:00:00+14:00"}},
		// The search must not miss a repeated hour when it jumps to the next date, nor end before one.
		{"0 30 * 17 2 * 2018", "America/Sao_Paulo", "2018-02-18T01:00:00Z", []string{
			"2018-02-17T23:30:00-02:00", "2018-02-17T23:30:00-03:00", "never"}},
		{"0 30 * 17 2,8 * *", "America/Sao_Paulo", "2018-02-18T01:30:00Z", []string{
			"2018-02-17T23:30:00-03:00", "2018-08-17T00:30:00-03:00"}},
	})
}

// ZoneBounds is wrong on 31 December of leap years past the end of a zone's table (golang/go#81583), and returns
// bounds there at which nothing changes.
func TestScheduleOnNewYearsEvePastTheZonesTable(t *testing.T) {
	for _, name := range []string{"America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Tokyo"} {
		location := mustLoadZone(t, name)
		for _, year := range []int{2039, 2040, 2041, 2096} {
			for _, expr := range []string{"@hourly", "0 0-22 * * *"} {
				parsed := mustParse(t, expr)
				at := time.Date(year, 12, 30, 0, 0, 0, 0, location)
				for range 96 {
					want := at.Add(time.Hour)
					if expr != "@hourly" && want.Hour() == 23 {
						want = want.Add(time.Hour)
					}
					at = parsed.Next(at)
					assert.True(t, at.Equal(want), "%s %s got %v want %v", name, expr, at, want)
				}
			}
		}
	}
}

// hardest are expressions whose Next has to search far, or finds nothing.
var hardest = []string{
	"0 0 30 2 *", "0 * 30 2 *", "0 * 29 2 * 2096", "0 0 29 2 * 2096", "* * * 31 2,4,6,9,11 * *", "59 59 23 31 12 * 2099",
	"* 0 30 2 *", "*/9 0 0 31 2,4,6,9,11 * *", "* * 0 30 12 * 2011", "0 0 31W 2 *", "0 * 31W 2 *", "0 * 30,31W 2 * *", "0 0 30 2 MON 1970", "0 * 30 12 * 2011",
	"0 0 15W,L-15W * +SUN", "0 * 31,L-30,LW 2 +MON#1,SUNL",
}

func TestScheduleNextNeverHangs(t *testing.T) {
	for _, name := range []string{"UTC", "America/New_York", "Africa/Casablanca", "Pacific/Apia"} {
		location := mustLoadZone(t, name)
		for _, expr := range hardest {
			parsed := mustParse(t, expr)
			for _, year := range []int{-300, 1969, 1970, 2011, 2026, 2099, 2100, 9999} {
				start := time.Date(year, 12, 29, 12, 0, 0, 0, location)
				next := parsed.Next(start)
				assert.True(t, next.IsZero() || next.After(start), "%q from %v: %v", expr, start, next)
			}
		}
	}
}
