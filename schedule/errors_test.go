package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

func TestScheduleErrorsNameFieldItemAndWhatIsAllowed(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		// Values out of range.
		{"0 61 * * * * *", `minute field, item "61": 61 is out of range; allowed are 0-59`},
		{"60 * * * * * *", `second field, item "60": 60 is out of range; allowed are 0-59`},
		{"* 24 * * *", `hour field, item "24": 24 is out of range; allowed are 0-23`},
		{"* 5,7-24 * * *", `hour field, item "7-24": 24 is out of range; allowed are 0-23`},
		{"* * 0 * *", `day of month field, item "0": 0 is out of range; allowed are 1-31, L, LW, 1W-31W`},
		{"* * 32W * *", `day of month field, item "32W": 32 is out of range; allowed are 1-31, L, LW, 1W-31W`},
		{"* * * 13/2 *", `month field, item "13/2": 13 is out of range; allowed are 1-12, JAN-DEC`},
		{"* * * 00 *", `month field, item "00": 00 is out of range; allowed are 1-12, JAN-DEC`},
		{"* * * * 8", `day of week field, item "8": 8 is out of range; allowed are 0-7, SUN-SAT, 5L, 5#3`},
		{"* * * * 8L", `day of week field, item "8L": 8 is out of range; allowed are 0-7, SUN-SAT, 5L, 5#3`},
		{"* * * * * 1969", `year field, item "1969": 1969 is out of range; allowed are 1970-2099`},
		{"* * * * * 2026-2100", `year field, item "2026-2100": 2100 is out of range; allowed are 1970-2099`},
		{"99999999999999999999 * * * *", `minute field, item "99999999999999999999": 99999999999999999999 is out of range; allowed are 0-59`},
		// Reversed ranges.
		{"* 22-2 * * *", `hour field, item "22-2": the range runs backwards; write it as two, 22-23,0-2`},
		{"* * * NOV-feb *", `month field, item "NOV-feb": the range runs backwards; write it as two, 11-12,1-2`},
		{"* 22-2/3 * * *", `hour field, item "22-2/3": the range runs backwards; write the values, 22,1`},
		{"50-10/7 * * * *", `minute field, item "50-10/7": the range runs backwards; write the values, 50,57,4`},
		{"* * * 11-3/2 *", `month field, item "11-3/2": the range runs backwards; write the values, 11,1,3`},
		{"* * * * SAT-TUE/2", `day of week field, item "SAT-TUE/2": the range runs backwards; write the values, 6,1`},
		{"* * * * * 2050-2030", `year field, item "2050-2030": the range runs backwards; was 2030-2050 meant?`},
		{"* * 13 * +", `day of week field, item "+": the days must follow it, as in +FRI`},
		{"* * * * 5-0", `day of week field, item "5-0": the range runs backwards; write it as two, 5-6,0-0`},
		{"* * * * 7-2", `day of week field, item "7-2": 7 starts no range; Sunday is 0 there`},
		{"* * * * 7/2", `day of week field, item "7/2": 7 starts no range; Sunday is 0 there`},
		// Steps.
		{"*/0 * * * *", `minute field, item "*/0": no step "0"; allowed are 1 to 59`},
		{"0/60 * * * *", `minute field, item "0/60": no step "60"; allowed are 1 to 59`},
		{"* */24 * * *", `hour field, item "*/24": no step "24"; allowed are 1 to 23`},
		{"* * 1-9/32 * *", `day of month field, item "1-9/32": no step "32"; allowed are 1 to 31`},
		{"* * * */13 *", `month field, item "*/13": no step "13"; allowed are 1 to 12`},
		{"* * * * */7", `day of week field, item "*/7": no step "7"; allowed are 1 to 6`},
		{"* * * * * */130", `year field, item "*/130": no step "130"; allowed are 1 to 129`},
		{"?/2 * * * *", `minute field, item "?/2": ? takes no step; write * instead`},
		// Empty items.
		{"5, * * * *", `minute field, item "": it is empty; there is a comma too many`},
		{"* ,5 * * *", `hour field, item "": it is empty; there is a comma too many`},
		{"* * 5,,6 * *", `day of month field, item "": it is empty; there is a comma too many`},
		// Other field counts.
		{"", `schedule "": 0 fields; there must be 5 (minute, hour, day of month, month, day of week), 6 (`},
		{" \t ", "0 fields; there must be 5"},
		{"* * * *", "4 fields; there must be 5"},
		{"* * * * * * * *", "8 fields; there must be 5"},
		{"TZ=UTC", "0 fields; there must be 5"},
		{"CRON_TZ=UTC * * * *", "4 fields; there must be 5"},
		// Zones and aliases.
		{"CRON_TZ= * * * * *", "no time zone after the =; write one as in CRON_TZ=Europe/Paris"},
		{"TZ=", "no time zone after the ="},
		{"TZ=Nowhere/City * * * * *", `time zone "Nowhere/City": unknown time zone`},
		{"CRON_TZ=UTC TZ=UTC * * * *", `minute field, item "TZ=UTC"`},
		{"* * * * * TZ=UTC", `year field, item "TZ=UTC"`},
		{"@every 1h", `"@every 1h" is no alias; there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually, each alone`},
		{"@daily @daily", `"@daily @daily" is no alias`},
		{"0 @daily", "2 fields; there must be 5"},
	} {
		parsed, err := schedule.Parse(c.expr)
		assert.Nil(t, parsed, "%q", c.expr)
		assert.ErrorContains(t, err, c.want)
		assert.ErrorContains(t, err, fmt.Sprintf("schedule %q: ", c.expr))
	}
}

func TestScheduleRefusesGarbage(t *testing.T) {
	for place, field := range []string{"second", "minute", "hour", "day of month", "month", "day of week", "year"} {
		for _, item := range []string{
			"x", "-", "-5", "5-", "5+", "5-6-7", "5/", "/5", "5/2/2", "*5", "5*", "**", "*-5", "?-5", "*/", "*/-2", "*/+2",
			"*/x", "5/?", "??", "005", "1.5", "٥", "\x00", "\xff", "5\u00a0", "0x5", "1e1", "_", "1_0",
			"#", "5#", "#3", "5#0", "5#6", "5#33", "5#03", "5#3L", "5L#3", "5-6L", "*#1",
			"W", "WL", "L-", "L-0", "L-31", "L-3-4", "L3W", "LW-3", "L+3", "L/2", "L5", "W5", "1-5W", "*W", "LWW", "*L", "LL",
			"janu", "mo", "sept", "jan.", "monjan", "1-x", "x-1", "%d", "H", "5@daily",
		} {
			words := []string{"*", "*", "*", "*", "*", "*", "*"}
			words[place] = item
			_, err := schedule.Parse(strings.Join(words, " "))
			assert.ErrorContains(t, err, fmt.Sprintf("%s field, item %q", field, item))
		}
	}
	// What one day field knows is garbage in the others.
	for _, expr := range []string{
		"L * * * *", "* L * * *", "* * * L *", "* * * * L", "* * * * LW", "* * * * 5W", "* * 5L * *", "* * 5#3 * *", "* * * 5#3 *",
		"* * MON * *", "* * JAN * *", "* * * MON *", "* * * * JAN", "JAN * * * *", "* * * * * L", "* * * * * JAN",
		"L-3 * * * *", "* * * L-3 *", "* * * * L-3W", "* * +5 * *", "* * * +5 *", "* * * * 5,+5", "* * * * ++5", "+5 * * * *",
	} {
		_, err := schedule.Parse(expr)
		assert.ErrorContains(t, err, "; allowed are ", "%q", expr)
	}
}

func TestScheduleErrorForSixFieldsWithoutAYearSaysThatTheSixthIsTheYear(t *testing.T) {
	const hint = "; the sixth of six fields is the year: if another library's form was meant, which begins with a second, " +
		"a year must follow as the seventh"
	for expr, want := range map[string]string{
		"0 0 9 * * 1-5": `year field, item "1-5": 1 is out of range; allowed are 1970-2099` + hint + `, as in "0 0 9 * * 1-5 *"`,
		"0 0 9 * * MON": `year field, item "MON": "mon" is no year; allowed are 1970-2099, *, ?, ranges a-b, ` +
			`steps /s and lists of these` + hint + `, as in "0 0 9 * * MON *"`,
		"TZ=UTC 0 30 9 * * 1-5": `hour field, item "30": 30 is out of range; allowed are 0-23` + hint + `, as in "TZ=UTC 0 30 9 * * 1-5 *"`,
		"0 30 9 * * *":          `hour field, item "30": 30 is out of range; allowed are 0-23` + hint + `, as in "0 30 9 * * * *"`,
		"0 30 99 * * 1-5":       `hour field, item "30": 30 is out of range; allowed are 0-23` + hint,
		"0 30 9 * * 2026":       `hour field, item "30": 30 is out of range; allowed are 0-23`,
		"0 0 9 * * 2100":        `year field, item "2100": 2100 is out of range; allowed are 1970-2099`,
		"0 30 9 * *":            `hour field, item "30": 30 is out of range; allowed are 0-23`,
	} {
		_, err := schedule.Parse(expr)
		assert.EqualError(t, err, fmt.Sprintf("schedule %q: %s", expr, want))
	}
}

func TestWhatTheHintAboutABackwardsRangeSaysMeansWhatWasWritten(t *testing.T) {
	// The values of the item are those that a reader who lets the range begin again would expect.
	for item, want := range map[string][]int{"22-2/3": {22, 1}, "20-4/5": {20, 1}, "23-1/1": {23, 0, 1}, "6-2/3": {6, 9, 12, 15, 18, 21, 0}} {
		_, err := schedule.Parse("0 " + item + " * * *")
		require.Error(t, err)
		hint := err.Error()[strings.LastIndex(err.Error(), " ")+1:]
		parsed, err := schedule.Parse("0 " + hint + " * * *")
		require.NoError(t, err, hint)
		hours := map[int]bool{}
		for at := time.Date(2026, 6, 1, 0, 0, 0, -1, time.UTC); len(hours) < 24; {
			at = parsed.Next(at)
			if hours[at.Hour()] {
				break
			}
			hours[at.Hour()] = true
		}
		wanted := map[int]bool{}
		for _, hour := range want {
			wanted[hour] = true
		}
		assert.Equal(t, wanted, hours, item)
	}
}

func TestAnExpressionHasAtMost4096Bytes(t *testing.T) {
	long := strings.Repeat("1,", 2044) + "1 * * * *"
	for name, parse := range map[string]func(string) (*schedule.Schedule, error){
		"jobs": schedule.Parse, "unix": schedule.ParseUnix, "quartz": schedule.ParseQuartz, "spring": schedule.ParseSpring, "eventbridge": schedule.ParseEventBridge,
	} {
		_, err := parse(strings.Repeat("1", 1<<20))
		require.Error(t, err, name)
		assert.ErrorContains(t, err, "1048576 bytes; an expression has at most 4096", name)
		assert.Less(t, len(err.Error()), 200, name)
	}
	_, err := schedule.Parse(long[:len(long)-1])
	require.Len(t, long[:len(long)-1], 4096)
	assert.NotContains(t, fmt.Sprint(err), "at most 4096")
	_, err = schedule.Parse(strings.Repeat("1,", 2043) + "1 * * * *")
	assert.NoError(t, err)
}

func TestWhatUnixSaysAboutAStepAfterAValueIsValid(t *testing.T) {
	for _, item := range []string{"7/2", "0/2", "3/2"} {
		_, err := schedule.ParseUnix("10 * * * " + item)
		require.Error(t, err)
		_, write, _ := strings.Cut(err.Error(), "write ")
		_, err = schedule.ParseUnix("10 * * * " + write)
		assert.NoError(t, err, write)
	}
}
