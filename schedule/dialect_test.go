package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

// printed checks what a parser makes of expressions, in the library's own seven fields.
func printed(t *testing.T, parse func(string) (*schedule.Schedule, error), cases map[string]string) {
	t.Helper()
	for expr, want := range cases {
		parsed, err := parse(expr)
		if assert.NoError(t, err) {
			assert.Equal(t, want, parsed.String(), "%q", expr)
		}
	}
}

// refused checks the errors of expressions, without what precedes them.
func refused(t *testing.T, parse func(string) (*schedule.Schedule, error), name string, cases map[string]string) {
	t.Helper()
	for expr, want := range cases {
		parsed, err := parse(expr)
		assert.Nil(t, parsed, "%q", expr)
		assert.EqualError(t, err, fmt.Sprintf("%s schedule %q: %s", name, expr, want))
	}
}

func TestParseQuartz(t *testing.T) {
	printed(t, schedule.ParseQuartz, map[string]string{
		"0 0 12 * * ?":                          "0 0 12 * * * *",
		"0 0 12 ? * MON-FRI":                    "0 0 12 * * 1-5 *",
		"0 15 10 ? * 2-6 2026":                  "0 15 10 * * 1-5 2026",
		"0 0/5 14,18 * * ?":                     "0 */5 14,18 * * * *",
		"0/1 1/1 0/1 1/1 1/1 ? *":               "* 1-59 * * * * *",
		"/10 3/20 */6 ? * /3":                   "*/10 3-59/20 */6 * * */3 *",
		"0 0 22-2 ? NOV-FEB FRI-MON":            "0 0 0-2,22-23 * 1-2,11-12 0-1,5-6 *",
		"0 0 22-2/3 28-3/2 * ?":                 "0 0 1,22 1,3,28,30 * * *",
		"0 0 12 L,lw,L-3,l-1w,15W,5,L-00 * ?":   "0 0 12 L,LW,L-3,L-1W,15W,5,L * * *",
		"0 0 12 ? * 1":                          "0 0 12 * * 0 *",
		"0 0 12 ? * L":                          "0 0 12 * * 6 *",
		"0 0 12 ? * 6L":                         "0 0 12 * * 5L *",
		"0 0 12 ? * sunL":                       "0 0 12 * * 0L *",
		"0 0 12 ? * 6#3":                        "0 0 12 * * 5#3 *",
		"0 0 12 ? jan,DEC Sat#5 2024/2":         "0 0 12 * 1,12 6#5 2024-2099/2",
		"007 0 0 ? * 2/7":                       "7 0 0 * * 1 *",
		"0 0 0-23/90 1-31 * ?":                  "0 0 0 1-31 * * *",
		"\tCRON_TZ=Europe/Paris\n0 0 9 ? * MON": "CRON_TZ=Europe/Paris 0 0 9 * * 1 *",
	})
	refused(t, schedule.ParseQuartz, "Quartz", map[string]string{
		"":                       "0 fields; there must be 6 (second, minute, hour, day of month, month, day of week) or 7 (and the year)",
		"0 12 * * ?":             "5 fields; there must be 6 (second, minute, hour, day of month, month, day of week) or 7 (and the year)",
		"0 0 12 * * ? * *":       "8 fields; there must be 6 (second, minute, hour, day of month, month, day of week) or 7 (and the year)",
		"@daily":                 `"@daily" is no alias of Quartz`,
		"0 0 12 * * MON":         `day of month "*" and day of week "MON"; one of them must be ?`,
		"0 0 12 ? * ?":           "day of month and day of week are both ?; one of them must name days, or be *",
		"0 ? 12 * * ?":           `minute field, item "?": ? is only for the day of month or the day of week, alone`,
		"0 0 12 ? * 0":           `day of week field, item "0": 0 is out of range; allowed are 1-7 (1 is Sunday), SUN-SAT, L, 6L, 6#3, ?`,
		"0 0 12 ? * FOO":         `day of week field, item "FOO": "foo" is no day of week; allowed are 1-7 (1 is Sunday), SUN-SAT, L, 6L, 6#3, ?`,
		"0 0 24 * * ?":           `hour field, item "24": 24 is out of range; allowed are 0-23`,
		"0 0/60 0 * * ?":         `minute field, item "0/60": no step "60"; allowed are 1 to 59`,
		"0 0 0 L-31 * ?":         `day of month field, item "L-31": after L- must come the number of days before the last, at most 30`,
		"0 0 0 1,32W * ?":        `day of month field, item "32W": 32 is out of range; allowed are 1-31, L, L-3, LW, L-3W, 15W, ?`,
		"0 0 0 1L * ?":           `day of month field, item "1L": it is no day of month; allowed are 1-31, L, L-3, LW, L-3W, 15W, ?`,
		"0 0 0 ? * MON#6":        `day of week field, item "MON#6": after # must come the week, 1 to 5`,
		"0 0 0 ? * 2#0":          `day of week field, item "2#0": after # must come the week, 1 to 5`,
		"0 0 0 ? * 2#12":         `day of week field, item "2#12": after # must come the week, 1 to 5`,
		"0 0 0 ? * 2#":           `day of week field, item "2#": after # must come the week, 1 to 5`,
		"0 0 0 ? * 2,6L":         `day of week field, item "6L": Quartz takes L and # only without a list`,
		"0 0 0 ? * MON-6":        `day of week field, item "MON-6": Quartz has no range between a number and a name`,
		"0 0 0 ? * MON/2":        `day of week field, item "MON/2": Quartz ignores a step after a name; write numbers`,
		"0 0 0 ? * MONDAY":       `day of week field, item "MONDAY": Quartz knows names by three letters; write MON`,
		"0 0 0 1 1 ? 2199":       `year field, item "2199": 2199 is out of range; allowed are 1970-2099, since years end there in this library`,
		"0 0 0 1 1 ? 9-2":        `year field, item "9-2": 9 is out of range; allowed are 1970-2099, since years end there in this library`,
		"0 0 0 1 1 ? 2026-2025":  `year field, item "2026-2025": the range runs backwards`,
		"H 0 0 * * ?":            `second field, item "H": there is no H as in Jenkins; write a number`,
		"0 H/5 0 * * ?":          `minute field, item "H/5": there is no H as in Jenkins; write a number`,
		"0 0 0 5C * ?":           `day of month field, item "5C": there is no C as in Quartz, which asks a calendar; write a number`,
		"TZ=Nowhere 0 0 0 * * ?": `time zone "Nowhere": unknown time zone Nowhere`,
	})
}

func TestParseSpring(t *testing.T) {
	printed(t, schedule.ParseSpring, map[string]string{
		"0 0 * * * *":                        "0 0 * * * * *",
		"*/10 * * * * *":                     "*/10 * * * * * *",
		"0 0/30 8-10 * * *":                  "0 */30 8-10 * * * *",
		"0 0 9 ? * mon-FRI":                  "0 0 9 * * 1-5 *",
		"0 0 9 13 * FRI":                     "0 0 9 13 * +5 *",
		"0 0 9 1,L,LW,L-3,15W * MON#1,5L,2":  "0 0 9 1,L,LW,L-3,15W * +1#1,5L,2 *",
		"0 0 9 */2 * *":                      "0 0 9 */2 * * *",
		"0 0 9 *,5 * MON":                    "0 0 9 *,5 * 1 *",
		"0 0 9 1/1 * MON":                    "0 0 9 * * 1 *",
		"0 0 9 * * 0,7":                      "0 0 9 * * 0,0 *",
		"0 0 9 * * FRI-SUN":                  "0 0 9 * * 0,5-6 *",
		"0 0 9 * * SUN-TUE":                  "0 0 9 * * 0-2 *",
		"0 0 9 * * 7-7":                      "0 0 9 * * 0-6 *",
		"0 0 9 * * */2":                      "0 0 9 * * 0-1,3,5 *",
		"0 0 9 * * 0/2":                      "0 0 9 * * */2 *",
		"0 0 9 * * SUNL,0#2":                 "0 0 9 * * 0L,0#2 *",
		"*/70 5-10/100 9 * * *":              "0 5 9 * * * *",
		"@Hourly":                            "0 0 * * * * *",
		"@weekly":                            "0 0 0 * * 0 *",
		"TZ=Asia/Tokyo @daily":               "CRON_TZ=Asia/Tokyo 0 0 0 * * * *",
		"CRON_TZ=Asia/Tokyo 0 0 9 * * MON#1": "CRON_TZ=Asia/Tokyo 0 0 9 * * 1#1 *",
	})
	refused(t, schedule.ParseSpring, "Spring", map[string]string{
		"0 9 * * *":         "5 fields; there must be 6 (second, minute, hour, day of month, month, day of week)",
		"0 0 9 * * ? *":     "7 fields; there must be 6 (second, minute, hour, day of month, month, day of week)",
		"@reboot":           "@reboot names no time; a job that is registered with jobs.Once executes once after each start",
		"@never":            `"@never" is no alias of Spring`,
		"@daily @daily":     `"@daily @daily" is no alias of Spring`,
		"-":                 "1 fields; there must be 6 (second, minute, hour, day of month, month, day of week)",
		"0 0 9 l * *":       `day of month field, item "l": Spring reads L and W as capitals only`,
		"0 0 9 L-3W * *":    `day of month field, item "L-3W": Spring has no W after L-n`,
		"0 0 9 L-0 * *":     `day of month field, item "L-0": after L- must come the number of days before the last, at most 30`,
		"0 0 9 * * L":       `day of week field, item "L": no day stands before the L`,
		"0 0 9 * * FRI-MON": `day of week field, item "FRI-MON": the range runs backwards`,
		"0 0 22-2 * * *":    `hour field, item "22-2": the range runs backwards`,
		"0 0 9 ?,5 * *":     `day of month field, item "?": ? is only for the day of month or the day of week, alone`,
		"0 0 9 /5 * *":      `day of month field, item "/5": "" is no day of month; allowed are 1-31, L, L-3, LW, 15W, ?`,
	})
}

func TestParseEventBridge(t *testing.T) {
	printed(t, schedule.ParseEventBridge, map[string]string{
		"cron(0 10 * * ? *)":                     "0 0 10 * * * *",
		"0 10 * * ? *":                           "0 0 10 * * * *",
		" cron ( 0/15 * * * ? * ) ":              "0 */15 * * * * *",
		"cron(15 10 ? * 6L 2019-2022)":           "0 15 10 * * 5L 2019-2022",
		"cron(0 9 ? * 2#1 *)":                    "0 0 9 * * 1#1 *",
		"cron(0 0 3W,LW,L-3 * ? *)":              "0 0 0 3W,LW,L-3 * * *",
		"cron(0/30 20-2 ? * MON-FRI *)":          "0 */30 0-2,20-23 * * 1-5 *",
		"cron(0 8 ? * FRI-MON 2030/10)":          "0 0 8 * * 0-1,5-6 2030-2099/10",
		"cron(0 8 ? JAN-3 MON-6/2 *)":            "0 0 8 * 1-3 1-5/2 *",
		"CRON_TZ=Europe/Paris cron(0 9 ? * 7 *)": "CRON_TZ=Europe/Paris 0 0 9 * * 6 *",
		"TZ=Europe/Paris 0 9 ? * L *":            "CRON_TZ=Europe/Paris 0 0 9 * * 6 *",
	})
	refused(t, schedule.ParseEventBridge, "EventBridge", map[string]string{
		"rate(5 minutes)":             "rate(...) is an interval; register the job with jobs.Every",
		"at(2026-05-20T09:00:00)":     "at(...) is a single time; write its year in cron(...)",
		"cron(0 10 * * ? *":           "around the fields there may be cron( and )",
		"corn(0 10 * * ? *)":          "around the fields there may be cron( and )",
		"(0 10 * * ? *)":              "around the fields there may be cron( and )",
		"cron()":                      "0 fields; there must be 6 (minute, hour, day of month, month, day of week, year)",
		"cron(0 10 * * ?)":            "5 fields; there must be 6 (minute, hour, day of month, month, day of week, year)",
		"cron(0 10 * * * *)":          `day of month "*" and day of week "*"; one of them must be ?`,
		"cron(0 10 ? * ? *)":          "day of month and day of week are both ?; one of them must name days, or be *",
		"cron(0 10 ? * 3#1,6#3 *)":    `day of week field, item "3#1": EventBridge takes L and # only without a list`,
		"cron(0 10 1 1 ? 2100)":       `year field, item "2100": 2100 is out of range; allowed are 1970-2099, since years end there in this library`,
		"cron(0 10 1 1 ? 2026-2199)":  `year field, item "2026-2199": 2199 is out of range; allowed are 1970-2099, since years end there in this library`,
		"CRON_TZ= cron(0 10 * * ? *)": "no time zone after the =; write one as in CRON_TZ=Europe/Paris",
		"TZ=UTC":                      "0 fields; there must be 6 (minute, hour, day of month, month, day of week, year)",
	})
}

func TestParseUnix(t *testing.T) {
	printed(t, schedule.ParseUnix, map[string]string{
		"*/15 9-17 * * mon-fri":            "0 */15 9-17 * * 1-5 *",
		"0 0 13 * 5":                       "0 0 0 13 * 5 *",   // either
		"0 0 */2 * 5":                      "0 0 0 */2 * +5 *", // both
		"0 0 13 * */5":                     "0 0 0 13 * +*/5 *",
		"0 0 */2,31 * 1-5":                 "0 0 0 */2,31 * +1-5 *",
		"0 0 2,*/2 * 5":                    "0 0 0 2,*/2 * 5 *",
		"0 0 *,13 * 5":                     "0 0 0 *,13 * 5 *",
		"0 0 13,* * 5":                     "0 0 0 1-31 * 5 *",
		"0 0 13 * 5,*":                     "0 0 0 13 * 0-6 *",
		"0 0 */1 * 5":                      "0 0 0 * * 5 *",
		"0 0 1-31 * 5":                     "0 0 0 1-31 * 5 *",
		"0 0 * * 5-7":                      "0 0 0 * * 0,5-6 *",
		"0 0 * JAN,mar-5 7":                "0 0 0 * 1,3-5 0 *",
		"*/90 * * * *":                     "0 0 * * * * *",
		"@daily":                           "0 0 0 * * * *",
		"CRON_TZ=America/New_York @weekly": "CRON_TZ=America/New_York 0 0 0 * * 0 *",
	})
	refused(t, schedule.ParseUnix, "cron", map[string]string{
		"0 12 * * * /bin/true": "6 fields; there must be 5 (minute, hour, day of month, month, day of week), without the command",
		"@reboot":              "@reboot names no time; a job that is registered with jobs.Once executes once after each start",
		"@every 5m":            "@every names no times but an interval; register the job with jobs.Every",
		"@Daily":               `"@Daily" is no alias of cron`,
		"0/15 * * * *":         `minute field, item "0/15": cron has no step after a single value; write 0-59/15`,
		"0 0 * * mon/2":        `day of week field, item "mon/2": cron has no step after a single value; write mon-6/2`,
		"0 22-2 * * *":         `hour field, item "22-2": the range runs backwards, and cron takes it for no value at all; write it as two`,
		"0~30 * * * *":         `minute field, item "0~30": ~ has a value chosen at random; write a number`,
		"0 0 ? * *":            `day of month field, item "?": cron has no ?, L, W and #`,
		"0 0 L * *":            `day of month field, item "L": cron has no ?, L, W and #`,
		"0 0 15W * *":          `day of month field, item "15W": cron has no ?, L, W and #`,
		"0 0 * * 5L":           `day of week field, item "5L": cron has no ?, L, W and #`,
		"0 0 * * fril":         `day of week field, item "fril": "fril" is no day of week; allowed are 0-7, sun-sat`,
		"0 0 1 june *":         `month field, item "june": cron knows names by three letters; write JUN`,
		"0 0 * * fri#3":        `day of week field, item "fri#3": cron has no ?, L, W and #`,
		"H * * * *":            `minute field, item "H": there is no H as in Jenkins; write a number`,
		"0 0 * * monday":       `day of week field, item "monday": cron knows names by three letters; write MON`,
		"0 0 * may-x *":        `month field, item "may-x": "x" is no month; allowed are 1-12, jan-dec`,
		"0 0 * * 8":            `day of week field, item "8": 8 is out of range; allowed are 0-7, sun-sat`,
		"99999999999 0 * * *":  `minute field, item "99999999999": 99999999999 is out of range; allowed are 0-59`,
		"*/0 * * * *":          `minute field, item "*/0": no step "0"; it must be a number above 0`,
		"5- * * * *":           `minute field, item "5-": "" is no minute; allowed are 0-59`,
		"5,,6 * * * *":         `minute field, item "": it is empty; there is a comma too many`,
	})
}

func TestDialectsKnowTheEndsOfEachField(t *testing.T) {
	for _, c := range []struct {
		parse  func(string) (*schedule.Schedule, error)
		format string
		first  int
		last   int
	}{
		{schedule.ParseQuartz, "%d 0 0 1 1 ?", 0, 59},
		{schedule.ParseQuartz, "0 %d 0 1 1 ?", 0, 59},
		{schedule.ParseQuartz, "0 0 %d 1 1 ?", 0, 23},
		{schedule.ParseQuartz, "0 0 0 %d 1 ?", 1, 31},
		{schedule.ParseQuartz, "0 0 0 1 %d ?", 1, 12},
		{schedule.ParseQuartz, "0 0 0 ? 1 %d", 1, 7},
		{schedule.ParseQuartz, "0 0 0 1 1 ? %d", 1970, 2099},
		{schedule.ParseSpring, "%d 0 0 1 1 ?", 0, 59},
		{schedule.ParseSpring, "0 %d 0 1 1 ?", 0, 59},
		{schedule.ParseSpring, "0 0 %d 1 1 ?", 0, 23},
		{schedule.ParseSpring, "0 0 0 %d 1 ?", 1, 31},
		{schedule.ParseSpring, "0 0 0 1 %d ?", 1, 12},
		{schedule.ParseSpring, "0 0 0 ? 1 %d", 0, 7},
		{schedule.ParseEventBridge, "%d 0 1 1 ? *", 0, 59},
		{schedule.ParseEventBridge, "0 %d 1 1 ? *", 0, 23},
		{schedule.ParseEventBridge, "0 0 %d 1 ? *", 1, 31},
		{schedule.ParseEventBridge, "0 0 1 %d ? *", 1, 12},
		{schedule.ParseEventBridge, "0 0 ? 1 %d *", 1, 7},
		{schedule.ParseEventBridge, "0 0 1 1 ? %d", 1970, 2099},
		{schedule.ParseUnix, "%d 0 1 1 *", 0, 59},
		{schedule.ParseUnix, "0 %d 1 1 *", 0, 23},
		{schedule.ParseUnix, "0 0 %d 1 *", 1, 31},
		{schedule.ParseUnix, "0 0 1 %d *", 1, 12},
		{schedule.ParseUnix, "0 0 * 1 %d", 0, 7},
	} {
		for _, value := range []int{c.first, c.last} {
			_, err := c.parse(fmt.Sprintf(c.format, value))
			assert.NoError(t, err)
		}
		for _, value := range []int{c.first - 1, c.last + 1} {
			_, err := c.parse(fmt.Sprintf(c.format, value))
			// Among them is -1, which is no number.
			assert.ErrorContains(t, err, "; allowed are ", c.format)
			assert.ErrorContains(t, err, fmt.Sprintf("%d-%d", c.first, c.last), c.format)
		}
	}
}

// A star, and a step without an end, go from the first value of a field to its last.
func TestDialectsKnowWhereAStarBegins(t *testing.T) {
	printed(t, schedule.ParseEventBridge, map[string]string{
		"*/7 */7 */7 */7 ? */7":    "0 */7 */7 */7 */7 * */7",
		"0 0 ? 12/7 */3 *":         "0 0 0 * 12 */3 *",
		"1/7 1/7 2/7 2/7 ? 1971/7": "0 1-59/7 1-23/7 2-31/7 2-12/7 * 1971-2099/7",
		"0 0 ? * 2/3 *":            "0 0 0 * * 1-6/3 *",
	})
	printed(t, schedule.ParseQuartz, map[string]string{
		"*/7 */7 */7 */7 */7 ? */7": "*/7 */7 */7 */7 */7 * */7",
		"0 0 0 ? * */3":             "0 0 0 * * */3 *",
	})
	printed(t, schedule.ParseSpring, map[string]string{
		"*/7 */7 */7 */7 */7 *": "*/7 */7 */7 */7 */7 * *",
		"0 0 0 * * */3":         "0 0 0 * * 0-1,4 *",
	})
	printed(t, schedule.ParseUnix, map[string]string{
		"*/7 */7 */7 */7 *": "0 */7 */7 */7 */7 * *",
		"0 0 * * */3":       "0 0 0 * * */3 *",
		"0 0 * * */7":       "0 0 0 * * 0 *",
	})
}

// The examples of the two pages that Amazon has about the expressions, by what it says that they mean.
func TestParseEventBridgeAsAmazonDocumentsIt(t *testing.T) {
	for _, c := range []struct {
		expr string
		want string
	}{
		{"cron(0 10 * * ? *)", "At 10:00 every day"},
		{"cron(15 12 * * ? *)", "At 12:15 every day"},
		{"cron(0 18 ? * MON-FRI *)", "At 18:00, from Monday to Friday"},
		{"cron(0 8 1 * ? *)", "At 08:00 on the 1st of every month"},
		{"cron(0/15 * * * ? *)", "Every 15 minutes"},
		{"cron(0/10 * ? * MON-FRI *)", "Every 10 minutes, from Monday to Friday"},
		{"cron(0/5 8-17 ? * MON-FRI *)", "Every 5 minutes from 08:00 to 17:55, from Monday to Friday"},
		{"cron(0/30 20-2 ? * MON-FRI *)", "Every 30 minutes of hours 0 to 2 and 20 to 23, from Monday to Friday"},
		{"cron(15 10 ? * 6L 2022-2023)", "At 10:15 on the last Friday of every month, in the years 2022 and 2023"},
		{"cron(1/10 * * * ? *)", "At every 10th minute from 1 to 51 of every hour"},
		{"cron(0 0 3W * ? *)", "At 00:00 on the weekday nearest to the 3rd of every month"},
		{"cron(0 0 ? * 3#2 *)", "At 00:00 on the second Tuesday of every month"},
	} {
		parsed, err := schedule.ParseEventBridge(c.expr)
		require.NoError(t, err)
		assert.Equal(t, c.want, schedule.Describe(parsed), "%q", c.expr)
	}
}

func TestDialectsAreDescribed(t *testing.T) {
	for expr, want := range map[string]string{
		"0 0 9 13 * FRI":         "At 09:00 on the 13th of every month if it is a Friday",
		"0 0 9 L * MON-FRI":      "At 09:00 on the last day of every month if it is a day from Monday to Friday",
		"0 0 9 1-7 6 SAT,SUN":    "At 09:00 on the 1st to the 7th of June if it is a Saturday or a Sunday",
		"0 0 9 L-3 * ?":          "At 09:00 on the 3rd day before the last of every month",
		"0 0 9 15W * SUN":        "At 09:00 on the weekday nearest to the 15th of every month if it is a Sunday, which never comes",
		"TZ=Asia/Tokyo @monthly": "At 00:00 on the 1st of every month, in time zone Asia/Tokyo",
	} {
		parsed, err := schedule.ParseSpring(expr)
		require.NoError(t, err)
		assert.Equal(t, want, schedule.Describe(parsed), "%q", expr)
	}
}

// On 10 March 2024 the clocks of New York went from 02:00 to 03:00, on 3 November from 02:00 back to 01:00.
func TestDialectsKeepTheRulesOfClockChanges(t *testing.T) {
	for _, c := range []struct {
		parse          func(string) (*schedule.Schedule, error)
		skipped, twice string
	}{
		{schedule.ParseQuartz, "0 30 2 * * ?", "0 30 1 ? * *"},
		{schedule.ParseSpring, "0 30 2 * * *", "0 30 1 * * ?"},
		{schedule.ParseEventBridge, "cron(30 2 * * ? *)", "30 1 ? * * *"},
		{schedule.ParseUnix, "30 2 * * *", "30 1 * * *"},
	} {
		parsed, err := c.parse("CRON_TZ=America/New_York " + c.skipped)
		require.NoError(t, err)
		assert.Equal(t, "2024-03-10T03:00:00-04:00", parsed.Next(instant("2024-03-09T12:00:00Z")).Format(time.RFC3339))
		parsed, err = c.parse("CRON_TZ=America/New_York " + c.twice)
		require.NoError(t, err)
		first := parsed.Next(instant("2024-11-02T12:00:00Z"))
		assert.Equal(t, "2024-11-03T01:30:00-04:00", first.Format(time.RFC3339))
		assert.Equal(t, "2024-11-04T01:30:00-05:00", parsed.Next(first).Format(time.RFC3339))
	}
}

// instant returns a time in UTC from its text in RFC 3339.
func instant(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}
