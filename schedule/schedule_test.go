package schedule_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

func mustTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

func mustParse(t testing.TB, expr string) *schedule.Schedule {
	t.Helper()
	parsed, err := schedule.Parse(expr)
	require.NoError(t, err)
	return parsed
}

// A scheduleCase is an expression and the times at which it fires next, in RFC 3339 and in the given zone. "never" is the
// zero time. An empty zone is UTC.
type scheduleCase struct {
	expr, zone, from string
	want             []string
}

func checkSchedules(t *testing.T, cases []scheduleCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(strings.TrimSpace(c.expr+" "+c.zone), func(t *testing.T) {
			parsed := mustParse(t, c.expr)
			at := mustTime(t, c.from).In(mustLoadZone(t, c.zone))
			var got []string
			for range c.want {
				if at = parsed.Next(at); at.IsZero() {
					got = append(got, "never")
					break
				}
				got = append(got, at.Format(time.RFC3339))
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// same checks what expressions mean by what they print: the fields in numbers.
func same(t *testing.T, cases map[string]string) {
	t.Helper()
	for expr, want := range cases {
		assert.Equal(t, want, fmt.Sprint(mustParse(t, expr)), "%q", expr)
	}
}

func TestScheduleHasFiveSixOrSevenFields(t *testing.T) {
	checkSchedules(t, []scheduleCase{
		{"30 14 20 5 *", "", "2026-05-20T14:29:59Z", []string{"2026-05-20T14:30:00Z", "2027-05-20T14:30:00Z"}},
		{"30 14 20 5 * 2028", "", "2026-05-20T14:29:59Z", []string{"2028-05-20T14:30:00Z", "never"}},
		{"15,45 30 14 20 5 * 2028", "", "2026-05-20T14:29:59Z", []string{"2028-05-20T14:30:15Z", "2028-05-20T14:30:45Z", "never"}},
		// Half past midnight on the 9th, in any year, and not at 09:30.
		{"30 0 9 * * *", "", "2026-01-01T00:00:00Z", []string{"2026-01-09T00:30:00Z", "2026-02-09T00:30:00Z"}},
		{"* * * * * * 1970", "", "1960-01-01T00:00:00Z", []string{"1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"}},
		{"59 59 23 31 12 * 2099", "", "2026-01-01T00:00:00Z", []string{"2099-12-31T23:59:59Z", "never"}},
	})
}

func TestScheduleAliasesInAnyCaseWithBlanksAround(t *testing.T) {
	same(t, map[string]string{
		"@hourly":                        "0 0 * * * * *",
		"@daily":                         "0 0 0 * * * *",
		" \t@Midnight\n":                 "0 0 0 * * * *",
		"@WEEKLY":                        "0 0 0 * * 0 *",
		"@monthly":                       "0 0 0 1 * * *",
		"@yearly":                        "0 0 0 1 1 * *",
		"@Annually":                      "0 0 0 1 1 * *",
		"CRON_TZ=Europe/Paris   @hourly": "CRON_TZ=Europe/Paris 0 0 * * * * *",
	})
}

func TestScheduleAnswersInItsZoneOrElseInTheStarts(t *testing.T) {
	checkSchedules(t, []scheduleCase{
		{"CRON_TZ=Asia/Tokyo 0 9 * * *", "America/New_York", "2026-05-20T00:00:00Z", []string{"2026-05-21T09:00:00+09:00"}},
		{"TZ=Asia/Tokyo 0 9 * * *", "America/New_York", "2026-05-19T23:00:00Z", []string{"2026-05-20T09:00:00+09:00"}},
		{" TZ=UTC\t0 9 * * *", "Asia/Tokyo", "2026-05-20T00:00:00Z", []string{"2026-05-20T09:00:00Z"}},
		{"0 9 * * *", "Asia/Tokyo", "2026-05-20T00:00:00Z", []string{"2026-05-21T09:00:00+09:00"}},
	})
	assert.Same(t, time.Local, mustParse(t, "0 9 * * *").Next(time.Now()).Location(), "as the pool asks")
}

func TestScheduleFieldsAreSeparatedBySpaceTabLineFeedFormFeedAndReturn(t *testing.T) {
	same(t, map[string]string{"\f1\r2 \t 3\n\n4 5 ": "0 1 2 3 4 5 *"})
	for _, blank := range []string{"\v", "\u00a0", "\u0085", "\u2003", "\u3000"} {
		_, err := schedule.Parse("1" + blank + "2 3 4 5 6 2030")
		assert.ErrorContains(t, err, "minute field", "%q", blank)
	}
}

func TestScheduleItems(t *testing.T) {
	same(t, map[string]string{
		"* ? * ? * ? *":                         "* * * * * * *",
		"5 6 7 8 9 1 2030":                      "5 6 7 8 9 1 2030",
		"1-5 2-6 3-7 4-8 5-9 1-6 2030-2040":     "1-5 2-6 3-7 4-8 5-9 1-6 2030-2040",
		"*/7 */7 */7 */7 */7 */3 */7":           "*/7 */7 */7 */7 */7 */3 */7",
		"5-50/7 2-2/3 1-9/8 * * * 1999-2050/5":  "5-50/7 2 1-9/8 * * * 1999-2050/5",
		"5/7 5/7 5/7 5/7 5/7 1/2 2000/7":        "5-59/7 5-59/7 5-23/7 5-31/7 5-12/7 1-6/2 2000-2099/7",
		"1,3-5,*/20 ?,1 * * * * *":              "1,3-5,*/20 *,1 * * * * *",
		"*/59 */59 */23 */31 */12 */6 */129":    "*/59 */59 */23 */31 */12 */6 */129",
		"*/1 */1 */1 */1 */1 */1 */1":           "*/1 */1 */1 */1 */1 */1 */1", // a step from * is not the range
		"0-59/7 0/7 0-23/7 1-31/7 1-12/7 0/3 *": "0-59/7 0-59/7 0-23/7 1-31/7 1-12/7 0-6/3 *",
		"08 09 00 01 01 05 *":                   "8 9 0 1 1 5 *",
		"*/05 * * * * 00,07 *":                  "*/5 * * * * 0,0 *",
		"* * l,Lw,05w,15W,L * 5l,SUNL,7L":       "0 * * L,LW,5W,15W,L * 5L,0L,0L *",
		"* * * * fri#3,Friday#1,05#2,7#5,1,?":   "0 * * * * 5#3,5#1,5#2,0#5,1,* *",
		"* * 1,L,2-4,LW,*/9 * 1,1L,1#1,3-5":     "0 * * 1,L,2-4,LW,*/9 * 1,1L,1#1,3-5 *",
		"* * * jan,FEB,Mar,aPr,may-JUNE * 2030": "0 * * * 1,2,3,4,5-6 * 2030",
	})
	for month := time.January; month <= time.December; month++ {
		checkName(t, "* * * %s *", month.String(), int(month))
		checkName(t, "* * * 1,%s-12/5 *", month.String(), int(month))
		checkName(t, "* * * %s/5 *", month.String(), int(month))
	}
	for weekday := time.Sunday; weekday <= time.Saturday; weekday++ {
		for _, expr := range []string{"* * * * %s", "* * * * 1,%s-6/2", "* * * * %s/2", "* * * * %sL", "* * * * %s#2"} {
			checkName(t, expr, weekday.String(), int(weekday))
		}
	}
}

// checkName checks that a name, in full or abbreviated to three letters, in any case, means its number.
func checkName(t *testing.T, format, name string, number int) {
	t.Helper()
	want := fmt.Sprint(mustParse(t, fmt.Sprintf(format, fmt.Sprint(number))))
	for _, written := range []string{name, name[:3], strings.ToUpper(name), strings.ToLower(name[:3])} {
		same(t, map[string]string{fmt.Sprintf(format, written): want})
	}
}

func TestScheduleSundayIsZeroAndSeven(t *testing.T) {
	same(t, map[string]string{
		"* * * * 7":         "0 * * * * 0 *",
		"* * * * 7-7":       "0 * * * * 0 *",
		"* * * * 0-7":       "0 * * * * 0-6,0 *",
		"* * * * sun-7":     "0 * * * * 0-6,0 *",
		"* * * * 5-7":       "0 * * * * 5-6,0 *",
		"* * * * FRI-SUN":   "0 * * * * 5-6,0 *",
		"* * * * 6-SUNDAY":  "0 * * * * 6,0 *",
		"* * * * 5-7/2":     "0 * * * * 5-6/2,0 *",
		"* * * * 1-7/4":     "0 * * * * 1-6/4 *",
		"* * * * sat-sun/2": "0 * * * * 6 *",
		"* * * * SUN-SUN":   "0 * * * * 0 *",
		"* * * * 0-SUN":     "0 * * * * 0 *",
	})
	for _, weekdays := range []string{"5-0", "7-5", "7-7/1", "7/2", "7-SUN", "7-0", "FRI-0", "8", "6-8"} {
		_, err := schedule.Parse("* * * * " + weekdays)
		assert.ErrorContains(t, err, "day of week field", weekdays)
	}
	checkSchedules(t, []scheduleCase{
		{"0 0 * * 1/2", "", "2026-05-17T00:00:00Z", []string{ // a Sunday
			"2026-05-18T00:00:00Z", "2026-05-20T00:00:00Z", "2026-05-22T00:00:00Z", "2026-05-25T00:00:00Z"}},
		{"0 0 * * FRI-SUN", "", "2026-05-17T00:00:00Z", []string{
			"2026-05-22T00:00:00Z", "2026-05-23T00:00:00Z", "2026-05-24T00:00:00Z", "2026-05-29T00:00:00Z"}},
	})
}

func TestScheduleDaysOfTheMonthByLAndW(t *testing.T) {
	checkDates(t, 2026, map[string]string{
		"0 0 L * *":        "01-31 02-28 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31",
		"0 0 LW * *":       "01-30 02-27 03-31 04-30 05-29 06-30 07-31 08-31 09-30 10-30 11-30 12-31",
		"0 0 15W * *":      "01-15 02-16 03-16 04-15 05-15 06-15 07-15 08-14 09-15 10-15 11-16 12-15",
		"0 0 1W * *":       "01-01 02-02 03-02 04-01 05-01 06-01 07-01 08-03 09-01 10-01 11-02 12-01",
		"0 0 31W * *":      "01-30 03-31 05-29 07-31 08-31 10-30 12-31",
		"0 0 1,L,15W 2 *":  "02-01 02-16 02-28",
		"0 0 L,LW,28W 2 *": "02-27 02-28",
	})
	checkDates(t, 2026, map[string]string{
		"0 0 L-3 * *":         "01-28 02-25 03-28 04-27 05-28 06-27 07-28 08-28 09-27 10-28 11-27 12-28",
		"0 0 L-3W * *":        "01-28 02-25 03-27 04-27 05-28 06-26 07-28 08-28 09-28 10-28 11-27 12-28",
		"0 0 L-30 * *":        "01-01 03-01 05-01 07-01 08-01 10-01 12-01",
		"0 0 L-27,L-28 2 *":   "02-01",
		"0 0 L-30W,l-27w * *": "01-01 01-05 02-02 03-02 03-04 04-03 05-01 05-04 06-03 07-01 07-03 08-03 08-04 09-03 10-01 10-05 11-03 12-01 12-04",
		"0 0 1W,L-1 8-9 *":    "08-03 08-30 09-01 09-29",
	})
	checkDates(t, 2028, map[string]string{"0 0 L 2 *": "02-29", "0 0 29W 2 *": "02-29", "0 0 LW 4 *": "04-28"})
}

func TestScheduleDaysOfTheWeekByLAndNumber(t *testing.T) {
	checkDates(t, 2026, map[string]string{
		"0 0 * * FRIL":          "01-30 02-27 03-27 04-24 05-29 06-26 07-31 08-28 09-25 10-30 11-27 12-25",
		"0 0 ? * 5L":            "01-30 02-27 03-27 04-24 05-29 06-26 07-31 08-28 09-25 10-30 11-27 12-25",
		"0 0 * * 5#3":           "01-16 02-20 03-20 04-17 05-15 06-19 07-17 08-21 09-18 10-16 11-20 12-18",
		"0 0 * * FRI#5":         "01-30 05-29 07-31 10-30",
		"0 0 * 2 SUN,7L,MON#1":  "02-01 02-02 02-08 02-15 02-22",
		"0 0 * 2 6L,SUNL,MON#4": "02-22 02-23 02-28",
	})
}

func TestScheduleWhichDay(t *testing.T) {
	checkDates(t, 2026, map[string]string{
		// Neither restricted: every day. One restricted: that one. Both: the union. 1 February is a Sunday.
		"0 0 0 */7 2 * *":       "02-01 02-08 02-15 02-22",
		"0 0 0 ? 2 1#1,2#1 *":   "02-02 02-03",
		"0 0 0 13 2 FRIL *":     "02-13 02-27",
		"0 0 0 L 2 1#1 *":       "02-02 02-28",
		"0 0 0 13,* 2 FRIL *":   "02-27",
		"0 0 0 13 2 FRIL,? *":   "02-13",
		"0 0 0 1-3 2 0#1,4#1 *": "02-01 02-02 02-03 02-05",
	})
	// Both, with a plus: the intersection.
	checkDates(t, 2026, map[string]string{
		"0 0 0 13 * +FRI *":      "02-13 03-13 11-13",
		"0 0 0 1-7 2-3 +MON *":   "02-02 03-02",
		"0 0 0 */2 2 +1,5L *":    "02-09 02-23 02-27",
		"0 0 0 L 2-5 +0#5,TUE *": "03-31 05-31",
		"0 0 0 15W * +SUN *":     "",
		"0 0 0 * 2 +MON *":       "02-02 02-09 02-16 02-23",
		"0 0 0 13 2 +1,* *":      "02-13",
		"0 0 0 13 2 +? *":        "02-13",
		"0 0 0 1-31 2 +1#1 *":    "02-02",
		"0 0 0 LW,L-7W 5 +5,6 *": "05-29",
	})
	// An item * or ? makes a field unrestricted; */1 and the full range do not.
	everyDay := dates(t, "0 0 0 * 2 * *", 2026)
	assert.Len(t, strings.Fields(everyDay), 28)
	for _, expr := range []string{
		"0 0 0 ? 2 ? *", "0 0 0 5,? 2 *,1 *", "0 0 0 */1 2 1 *", "0 0 0 1-31 2 1L *", "0 0 0 1 2 */1 *", "0 0 0 L 2 0-6 *", "0 0 0 3 2 0-7 *",
	} {
		assert.Equal(t, everyDay, dates(t, expr, 2026), "%q", expr)
	}
	assert.Len(t, strings.Fields(dates(t, "0 0 0 */1 * 1 *", 2026)), 365)
}

// dates returns the dates of a year on which a schedule fires.
func dates(t *testing.T, expr string, year int) string {
	t.Helper()
	parsed := mustParse(t, expr)
	var got []string
	at := parsed.Next(time.Date(year, 1, 1, 0, 0, 0, -1, time.UTC))
	for at.Year() == year {
		got = append(got, at.Format("01-02"))
		at = parsed.Next(at)
	}
	return strings.Join(got, " ")
}

func checkDates(t *testing.T, year int, cases map[string]string) {
	t.Helper()
	for expr, want := range cases {
		assert.Equal(t, want, dates(t, expr, year), "%q", expr)
	}
}

func TestScheduleIsSafeForConcurrentUse(t *testing.T) {
	const expr = "TZ=America/New_York 30 2 L,15W * MON#2"
	shared := mustParse(t, expr)
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			own, err := schedule.Parse(expr)
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for range 100 {
				next := shared.Next(at)
				assert.True(t, err == nil && own.Next(at).Equal(next))
				at = next
			}
		})
	}
	users.Wait()
}
