package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

func TestDescribe(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"* * * * * * *", "Every second"},
		{"* * * * *", "Every minute"},
		{"@hourly", "Every hour"},
		{"@daily", "At 00:00 every day"},
		{"@weekly", "At 00:00 on Sundays"},
		{"@monthly", "At 00:00 on the 1st of every month"},
		{"@yearly", "At 00:00 on the 1st of January"},
		{"*/5 * * * *", "Every 5 minutes"},
		{"*/7 * * * *", "At every 7th minute from 0 to 56 of every hour"},
		{"2/5 * * * *", "At every 5th minute from 2 to 57 of every hour"},
		{"1-59/2 * * * *", "At every 2nd minute from 1 to 59 of every hour"},
		{"30 * * * *", "At minute 30 of every hour"},
		{"0,15,30,45 * * * *", "Every 15 minutes"},
		{"1,2,3,30 * * * *", "At minutes 1 to 3 and 30 of every hour"},
		{"10-20 * * * *", "At minutes 10 to 20 of every hour"},
		{"*/15 8-17 * * MON-FRI", "Every 15 minutes from 08:00 to 17:45, from Monday to Friday"},
		{"0 */2 * * *", "Every 2 hours"},
		{"30 */2 * * *", "Every 2 hours from 00:30 to 22:30 every day"},
		{"0 */5 * * *", "At 00:00, 05:00, 10:00, 15:00 and 20:00 every day"},
		{"0 */4 * * *", "Every 4 hours"},
		{"0 8-18 * * *", "Every hour from 08:00 to 18:00 every day"},
		{"0 8,9,10,12,13,14,20 * * *", "At minute 0 of hours 8 to 10, 12 to 14 and 20 every day"},
		{"* 9 * * *", "Every minute from 09:00 to 09:59 every day"},
		{"* 8,10 * * *", "Every minute of hours 8 and 10 every day"},
		{"*/10 */2 * * *", "Every 10 minutes of every 2nd hour from 0 to 22 every day"},
		{"5,35 8-18 * * *", "At minutes 5 and 35 of hours 8 to 18 every day"},
		{"0 0 1,5,9,15,21 * * * *", "At 01:00, 05:00, 09:00, 15:00 and 21:00 every day"},
		{"0 0 LW * *", "At 00:00 on the last weekday of every month"},
		{"0 9 * * MON#1", "At 09:00 on the first Monday of every month"},
		{"0 */2 1 1,7 * 2020-2030", "Every 2 hours on the 1st of January and July, in the years 2020 to 2030"},
		{"30 2 * * SUN", "At 02:30 on Sundays"},
		{"30 0 9 * * * *", "At 09:00:30 every day"},
		{"*/30 0 9 * * * *", "At 09:00:00 and 09:00:30 every day"},
		{"30 * * * * * *", "At second 30 of every minute"},
		{"*/10 * * * * * *", "Every 10 seconds"},
		{"*/10 0 * * * * *", "Every 10 seconds of minute 0 of every hour"},
		{"* 30 9 * * * *", "Every second of minute 30 of hour 9 every day"},
		{"* * 9 * * * *", "Every second from 09:00:00 to 09:59:59 every day"},
		{"*/10 * 9-17 * * * *", "Every 10 seconds from 09:00:00 to 17:59:50 every day"},
		{"30 */5 * * * * *", "At second 30 of every 5th minute from 0 to 55 of every hour"},
		{"7 8 * * * * *", "At second 7 of minute 8 of every hour"},
		{"30 * 9-17 * * * *", "At second 30 of every minute of hours 9 to 17 every day"},
		{"30 0 9-17 * * * *", "Every hour from 09:00:30 to 17:00:30 every day"},
		{"* */2 */2 * * * *", "Every second of every 2nd minute from 0 to 58 of every 2nd hour from 0 to 22 every day"},
		{"1-5,7 * * * * * *", "At seconds 1 to 5 and 7 of every minute"},
		{"0 0 13 * FRI", "At 00:00 on the 13th of every month and also on Fridays"},
		{"0 0 1,15,L * *", "At 00:00 on the 1st, the 15th and the last day of every month"},
		{"0 0 */7 * *", "At 00:00 on the 1st, the 8th, the 15th, the 22nd and the 29th of every month"},
		{"0 0 */2 * *", "At 00:00 on every 2nd day from the 1st to the 31st of every month"},
		{"0 0 1-7 * MON", "At 00:00 on the 1st to the 7th of every month and also on Mondays"},
		{"0 0 15W,1W,LW,L 6 *", "At 00:00 on the weekday nearest to the 1st, the weekday nearest to the 15th, the last weekday and the last day of June"},
		{"0 0 31 * *", "At 00:00 on the 31st of every month"},
		{"0 0 * * FRIL,MON#1,MON#3,TUE", "At 00:00 on Tuesdays and also on the first Monday, the third Monday and the last Friday of every month"},
		{"0 0 * * SAT,SUN", "At 00:00 on Saturdays and Sundays"},
		{"0 0 * * FRI-SUN", "At 00:00 on Fridays, Saturdays and Sundays"},
		{"0 0 * * MON,WED,FRI", "At 00:00 on Mondays, Wednesdays and Fridays"},
		{"0 0 * * 0-4", "At 00:00, from Sunday to Thursday"},
		{"0 0 * * 2-7", "At 00:00, from Tuesday to Sunday"},
		{"0 0 13 1,7 FRI,MON#2", "At 00:00 on the 13th of January and July and also on Fridays in January and July and also on the second Monday of January and July"},
		{"0 0 */1 * 1", "At 00:00 every day"},
		{"0 0 * 3-11 *", "At 00:00 every day from March to November"},
		{"*/5 * * 6-8 *", "Every 5 minutes in June, July and August"},
		{"0 */2 * 1 *", "Every 2 hours in January"},
		{"0 0 1 1 * 2026,2028", "At 00:00 on the 1st of January, in the years 2026 and 2028"},
		{"0 0 1 1 * */2", "At 00:00 on the 1st of January, in every 2nd year from 1970 to 2098"},
		{"0 0 30 2 *", "At 00:00 on the 30th of February, which never comes"},
		{"TZ=UTC 0 0 31W 2 *", "At 00:00 on the weekday nearest to the 31st of February, in time zone UTC, which never comes"},
		{"TZ=Pacific/Apia 0 * 30 12 * 2011", "Every hour on the 30th of December, in 2011, in time zone Pacific/Apia, which never comes"},
		{"CRON_TZ=Europe/Paris 0 0 2 * * 1#1 *", "At 02:00 on the first Monday of every month, in time zone Europe/Paris"},
		{"0 9 * * MON-FRI 2026", "At 09:00, from Monday to Friday, in 2026"},
		{"1,2,10,11 * * * *", "At minutes 1, 2, 10 and 11 of every hour"},
		{"0 0 13 * FRIL,?", "At 00:00 on the 13th of every month"},
		{"0 0 13,* * FRIL", "At 00:00 on the last Friday of every month"},
		{"0 0 13 * FRI,*", "At 00:00 on the 13th of every month"},
		{"0 0 11-13,21-23,2 * *", "At 00:00 on the 2nd, the 11th to the 13th and the 21st to the 23rd of every month"},
		{"0 9 13 * MON-FRI", "At 09:00 on the 13th of every month and also from Monday to Friday"},
		{"0 0 L,L-1,L-2 * *", "At 00:00 on the 2nd day before the last, the day before the last and the last day of every month"},
		{"0 0 L-3W,LW,15W * *", "At 00:00 on the weekday nearest to the 15th, the weekday nearest to the 3rd day before the last and the last weekday of every month"},
		{"0 0 13 * +FRI", "At 00:00 on the 13th of every month if it is a Friday"},
		{"0 9 1-7,L 6 +MON", "At 09:00 on the 1st to the 7th and the last day of June if it is a Monday"},
		{"0 9 1,15 * +MON-FRI", "At 09:00 on the 1st and the 15th of every month if it is a day from Monday to Friday"},
		{"0 9 */2 * +SAT,SUN,WED#2,FRIL 2026", "At 09:00 on every 2nd day from the 1st to the 31st of every month " +
			"if it is a Saturday, a Sunday, the second Wednesday or the last Friday, in 2026"},
		{"0 0 1-30 * +0-6", "At 00:00 on the 1st to the 30th of every month if it is a day from Monday to Sunday"},
		{"0 0 1-31 * +0-6", "At 00:00 every day"},
		{"0 0 * * +FRI", "At 00:00 on Fridays"},
		{"0 0 13 * +*", "At 00:00 on the 13th of every month"},
		{"0 0 31 * +MON#1", "At 00:00 on the 31st of every month if it is the first Monday, which never comes"},
	} {
		assert.Equal(t, c.want, schedule.Describe(mustParse(t, c.expr)), "%q", c.expr)
	}
}

func TestDescribeSaysTheSameOfDifferentWaysToWriteOneThing(t *testing.T) {
	for expr, same := range map[string]string{
		"*/15 * * * *":                 "0,15,30,45 * ? JAN-DEC ? *",
		"0 9 * * 1-5":                  "00 09 ? * MON,TUE,WED,THU,FRI",
		"0 0 * * 7":                    "0 0 * * SUN",
		"0 0 * * FRI-SUN":              "0 0 * * 0,5,6",
		"0 0 */1 * *":                  "@daily",
		"0 0 L * 0-6":                  "@midnight",
		"0 0 5,? * *,1":                "@daily",
		"CRON_TZ=Asia/Tokyo 0 9 1 * *": "TZ=Asia/Tokyo 0 0 9 1 * * 1970-2099",
	} {
		assert.Equal(t, schedule.Describe(mustParse(t, same)), schedule.Describe(mustParse(t, expr)), "%q and %q", expr, same)
	}
}

func TestTheZeroScheduleNeverFires(t *testing.T) {
	var zero schedule.Schedule
	assert.Equal(t, "Never", schedule.Describe(&zero))
	assert.Empty(t, zero.String())
	assert.Zero(t, zero.Next(time.Now()))
}

// FuzzDescribe checks that every expression that parses has a description that means the same, and that expressions with
// the same description fire at the same times, but for changes of the clock.
func FuzzDescribe(f *testing.F) {
	for _, pair := range [][2]string{
		{"*/15 * * * *", "0,15,30,45 * * * *"},
		{"*/7 * * * *", "*/8 * * * *"},
		{"0 0 L,15W * FRI#3,5L,MON-WED 2026", "TZ=Europe/Paris 0 0 LW 1-7 * */2"},
		{"5-9,50/3 */7 2-4,22 1-9,*/13 * * *", "* * * 30,31W 2 * 1970-1979,1999"},
		{"0 0 13,L-3W * +FRI,MON#2", "0 0 L-1 * +FRI"},
		{"", "@every 1h"},
	} {
		f.Add(pair[0], pair[1], int64(1_700_000_000))
	}
	f.Fuzz(func(t *testing.T, expr, other string, unix int64) {
		one, err := schedule.Parse(expr)
		if err != nil {
			return
		}
		text := schedule.Describe(one)
		assert.Regexp(t, `^(At|Every) [^\n]*[^ .]$`, text)
		again, err := schedule.Parse(one.String())
		require.NoError(t, err)
		assert.Equal(t, text, schedule.Describe(again))
		schedule.RequireDescribed(t, one)

		two, err := schedule.Parse(other)
		if err != nil || schedule.Describe(two) != text {
			return
		}
		one, two = schedule.WithoutStarAndZone(one), schedule.WithoutStarAndZone(two)
		at := time.Unix(unix, 0).UTC()
		for range 10 {
			next := one.Next(at)
			require.Equal(t, next, two.Next(at), "%q and %q from %v: %s", expr, other, at, text)
			at = next
		}
	})
}
