package schedule_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

func TestScheduleErrorsSayWhatToWriteInstead(t *testing.T) {
	const aliases = "is no alias; there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly and @annually, each alone"
	for expr, want := range map[string]string{
		// What is no cron expression, but something else that the library has.
		"@every 5m":        `"@every 5m" ` + aliases + "; for an interval register the job with jobs.Every(5*time.Minute)",
		"@EVERY 1h":        `"@EVERY 1h" ` + aliases + "; for an interval register the job with jobs.Every(time.Hour)",
		"@every 1h30m10s":  `"@every 1h30m10s" ` + aliases + "; for an interval register the job with jobs.Every(5410*time.Second)",
		"@every 1500ms":    `"@every 1500ms" ` + aliases + "; for an interval register the job with jobs.Every(1500*time.Millisecond)",
		"@every 5ns":       `"@every 5ns" ` + aliases + "; for an interval register the job with jobs.Every(5*time.Nanosecond)",
		"@every":           `"@every" ` + aliases + "; for an interval register the job with jobs.Every(interval)",
		"@every 5 minutes": `"@every 5 minutes" ` + aliases + "; for an interval register the job with jobs.Every(interval)",
		"@every -5m":       `"@every -5m" ` + aliases + "; for an interval register the job with jobs.Every(interval)",
		"@reboot":          `"@reboot" ` + aliases + "; for an execution at the start register the job with jobs.Once()",
		"@fortnightly":     `"@fortnightly" ` + aliases,
		"H * * * *":        `minute field, item "H": there is no H as in Jenkins; write a value, and spread jobs with jobs.WithJitter`,
		"0 H/6 * * *":      `hour field, item "H/6": there is no H as in Jenkins; write a value, and spread jobs with jobs.WithJitter`,
		"0 0 h(1-7) * *":   `day of month field, item "h(1-7)": there is no H as in Jenkins; write a value, and spread jobs with jobs.WithJitter`,

		// Forms that Quartz has.
		"0 0 * * L": `day of week field, item "L": no day stands before the L; allowed are FRIL and 5L, the last Friday; what Quartz means by L alone is SAT`,

		// What is missing, and where.
		"0 0 * * MON-":  `day of week field, item "MON-": nothing stands after the -`,
		"0 0 * * -5":    `day of week field, item "-5": nothing stands before the -`,
		"0 0 * * 1-/2":  `day of week field, item "1-/2": nothing stands after the -`,
		"- 0 * * *":     `minute field, item "-": nothing stands before the -`,
		"/5 * * * *":    `minute field, item "/5": nothing stands before the /; write * for every value`,
		"5/ * * * *":    `minute field, item "5/": nothing stands after the /`,
		"*/ * * * *":    `minute field, item "*/": nothing stands after the /`,
		"0 0 * * #3":    `day of week field, item "#3": no day stands before the #, as in FRI#3`,
		"0 0 * * 5#":    `day of week field, item "5#": after # must come the week, 1 to 5`,
		"0 0 W * *":     `day of month field, item "W": no day stands before the W, as in 15W`,
		"0 0 * * FRI#L": `day of week field, item "FRI#L": after # must come the week, 1 to 5`,

		// Steps beyond the range.
		"14 16-23/24 * * *":            `hour field, item "16-23/24": no step "24"; allowed are 1 to 23; if only the first value is meant, write "14 16 * * *"`,
		"TZ=UTC 14 0,08-12/50 * * MON": `hour field, item "08-12/50": no step "50"; allowed are 1 to 23; if only the first value is meant, write "TZ=UTC 14 0,08 * * MON"`,
		"0 14 16-23/24 * * mon-FRI/7 *": `hour field, item "16-23/24": no step "24"; allowed are 1 to 23; ` +
			`if only the first value is meant, write "0 14 16 * * mon *"`,
		"*/90 * * * *":        `minute field, item "*/90": no step "90"; allowed are 1 to 59`,
		"0/90 * * * *":        `minute field, item "0/90": no step "90"; allowed are 1 to 59`,
		"0-59/90 * * * *":     `minute field, item "0-59/90": no step "90"; allowed are 1 to 59`,
		"14 16-23/24 * * FOO": `hour field, item "16-23/24": no step "24"; allowed are 1 to 23`,

		// Zones.
		"CRON_TZ=UTC+7 0 9 * * *":    `time zone "UTC+7": unknown time zone UTC+7; write CRON_TZ=Etc/GMT-7 (in such names the sign is reversed)`,
		"TZ=-03:00 0 9 * * *":        `time zone "-03:00": unknown time zone -03:00; write CRON_TZ=Etc/GMT+3 (in such names the sign is reversed)`,
		"TZ=utc+00 0 9 * * *":        `time zone "utc+00": unknown time zone utc+00; write CRON_TZ=UTC`,
		"TZ=GMT+0530 0 9 * * *":      `time zone "GMT+0530": unknown time zone GMT+0530; a zone has the name of a place, as in CRON_TZ=Asia/Kolkata`,
		"TZ=UTC-13 0 9 * * *":        `time zone "UTC-13": unknown time zone UTC-13; a zone has the name of a place, as in CRON_TZ=Asia/Kolkata`,
		"TZ=Europe/Pariss 0 9 * * *": `time zone "Europe/Pariss": unknown time zone Europe/Pariss`,
	} {
		_, err := schedule.Parse(expr)
		assert.EqualError(t, err, fmt.Sprintf("schedule %q: %s", expr, want))
	}
}

func TestScheduleErrorSaysHowToWriteATimeZone(t *testing.T) {
	for expr, want := range map[string]string{
		"0 9 * * * Europe/Paris":         "CRON_TZ=Europe/Paris 0 9 * * *",
		"0 9 * * * CRON_TZ=Europe/Paris": "CRON_TZ=Europe/Paris 0 9 * * *",
		"0 9 * * MON TZ=UTC":             "CRON_TZ=UTC 0 9 * * MON",
		"0 9 * * MON 2030 UTC":           "CRON_TZ=UTC 0 9 * * MON 2030",
		"30 0 9 * * MON 2030 Asia/Tokyo": "CRON_TZ=Asia/Tokyo 30 0 9 * * MON 2030",
		"@daily UTC":                     "CRON_TZ=UTC @daily",
		"Europe/Paris 0 9 * * *":         "CRON_TZ=Europe/Paris 0 9 * * *",
		"0 9 * * * UTC+7":                "CRON_TZ=Etc/GMT-7 0 9 * * *",
		"UTC-3 0 9 * * *":                "CRON_TZ=Etc/GMT+3 0 9 * * *",
		"0 9 * * * +02:00":               "CRON_TZ=Etc/GMT-2 0 9 * * *",
	} {
		_, err := schedule.Parse(expr)
		assert.ErrorContains(t, err, fmt.Sprintf("; a time zone is written as in %q", want), "%q", expr)
		_, err = schedule.Parse(want)
		assert.NoError(t, err)
	}
	for _, expr := range []string{
		"0 9 * * * Nowhere/City", "0 9 * * * MON", "0 9 * * * UTC+5:30", "0 99 * * * Europe/Paris", "Europe/Paris 0 9 * *", "TZ=UTC 0 9 * * * UTC",
		"UTC", "0 9 * * * ../UTC", "0 9 * * * TZ=", "0 9 * * *  TZ=Local/UTC",
	} {
		_, err := schedule.Parse(expr)
		assert.NotContains(t, fmt.Sprint(err), "a time zone is written as", "%q", expr)
		assert.Error(t, err, "%q", expr)
	}
}

// Six fields that begin with a second are completed only if they then mean what they mean elsewhere.
func TestScheduleErrorForSixFieldsProposesNoOtherDays(t *testing.T) {
	const names = "and days of the week must be names, since libraries count them differently: as in "
	for expr, want := range map[string]string{
		"0 30 9 ? * 2-6":            names + `"0 30 9 ? * MON-FRI *" if 1 was Sunday (Quartz), or "0 30 9 ? * TUE-SAT *" if it was Monday (Spring)`,
		"CRON_TZ=UTC 0 30 9 ? * 6L": names + `"CRON_TZ=UTC 0 30 9 ? * FRIL *" if 1 was Sunday (Quartz), or "CRON_TZ=UTC 0 30 9 ? * SATL *" if it was Monday (Spring)`,
		"0 30 9 ? * 2#1,7":          names + `"0 30 9 ? * MON#1,SAT *" if 1 was Sunday (Quartz), or "0 30 9 ? * TUE#1,SUN *" if it was Monday (Spring)`,
		"0 0 9 ? * MON-FRI":         `, as in "0 0 9 ? * MON-FRI *"`,
		"0 0 9 ? * 0":               `, as in "0 0 9 ? * 0 *"`, // nobody counts from 1 here
		"0 0 9 * * 1-5":             `, as in "0 0 9 * * 1-5 *"`,
		"0 0 9 13 * FRI":            "; and if both day fields are restricted, either may match here",
		"0 0 9 */2 * MON":           "; and if both day fields are restricted, either may match here",
		"0 0 9 L-2 * ?":             `, as in "0 0 9 L-2 * ? *"`,
		"0 0 9 ? * L": `as the seventh; then, however, day of week field, item "L": no day stands before the L; allowed are FRIL and 5L, the last Friday; ` +
			`what Quartz means by L alone is SAT`,
	} {
		_, err := schedule.Parse(expr)
		require.ErrorContains(t, err, "; the sixth of six fields is the year: if another library's form was meant", "%q", expr)
		assert.Equal(t, want, err.Error()[len(err.Error())-len(want):], "%q", expr)
	}
}

// Whatever an error tells to write is valid, and has no warnings.
func TestWhatScheduleErrorsTellToWriteIsValid(t *testing.T) {
	proposal := regexp.MustCompile(`(?:as in|or|write) "([^"]*)"`)
	proposals := 0
	for _, found := range schedule.Corpus() {
		_, err := schedule.Parse(found.Expr)
		if err == nil {
			continue
		}
		for _, match := range proposal.FindAllStringSubmatch(err.Error(), -1) {
			proposals++
			parsed, again := schedule.Parse(match[1])
			if assert.NoError(t, again, "%v", err) {
				assert.Empty(t, schedule.Warnings(parsed, time.Now()), "%q", match[1])
			}
		}
	}
	assert.Greater(t, proposals, 250)
}

func TestAZoneIsSaidToNeedTheDatabaseOnlyWhereThereIsNone(t *testing.T) {
	const missing = `; the time zone database is missing: import _ "time/tzdata" to build it into the program`
	none := func(name string) (*time.Location, error) { return nil, errors.New("unknown time zone " + name) }
	assert.Equal(t, missing, schedule.ZoneHint("Europe/Paris", none))
	assert.Empty(t, schedule.ZoneHint("Europe/Pariss", time.LoadLocation))
	assert.Equal(t, "; write CRON_TZ=Etc/GMT-7 (in such names the sign is reversed)", schedule.ZoneHint("UTC+7", none))
}
