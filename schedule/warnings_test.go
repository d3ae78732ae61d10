package schedule_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs/schedule"
)

func warnings(t *testing.T, expr string) []string {
	t.Helper()
	return schedule.Warnings(mustParse(t, expr), mustTime(t, "2026-05-20T10:00:00Z"))
}

const (
	sixFields  = " has six fields, so its first is a minute and its last a year: it fires "
	numbersDay = ", since 0 is Sunday; write it by name, or write "
)

func TestWarningsSayWhatIsMeantHereAndHowToWriteWhatElseMayBeMeant(t *testing.T) {
	const ifSunday = " if 1 is meant to be Sunday, as in Quartz and EventBridge"
	for expr, want := range map[string][]string{
		"0 0 12 * * ?": {`"0 0 12 * * ?"` + sixFields + `at 00:00 on the 12th of every month ` +
			`(next: Fri 2026-06-12 00:00 +00:00, Sun 2026-07-12 00:00 +00:00, Wed 2026-08-12 00:00 +00:00); ` +
			`if its first is meant to be a second, write "0 0 12 * * ? *", which fires at 12:00 every day`},
		"TZ=Asia/Tokyo */10  * * * * *": {`"CRON_TZ=Asia/Tokyo */10 * * * * *"` + sixFields + `every 10 minutes, in time zone Asia/Tokyo ` +
			`(next: Wed 2026-05-20 19:10 +09:00, Wed 2026-05-20 19:20 +09:00, Wed 2026-05-20 19:30 +09:00); if its first is meant to be a second, ` +
			`write "CRON_TZ=Asia/Tokyo */10 * * * * * *", which fires every 10 seconds, in time zone Asia/Tokyo`},
		"0 0 12 ? * 2-6 *":      {`day of week "2-6" means TUE-SAT` + numbersDay + `MON-FRI` + ifSunday},
		"0 12 ? * 01,4-5/2,7":   {`day of week "01,4-5/2,7" means MON,THU-FRI/2,SUN` + numbersDay + `SUN,WED-THU/2,SAT` + ifSunday},
		"0 12 1,? * 2#3,MON,6L": {`day of week "2#3,MON,6L" means TUE#3,MON,SATL` + numbersDay + `MON#3,MON,FRIL` + ifSunday},
		"0 9 ? * 2 ?": {`"0 9 ? * 2 ?"` + sixFields + `at 09:00 on Tuesdays ` +
			`(next: Tue 2026-05-26 09:00 +00:00, Tue 2026-06-02 09:00 +00:00, Tue 2026-06-09 09:00 +00:00); ` +
			`if its first is meant to be a second, write "0 9 ? * 2 ? *", which fires at minute 9 of every hour in February`,
			`day of week "2" means TUE` + numbersDay + `MON` + ifSunday},
	} {
		assert.Equal(t, want, warnings(t, expr), "%q", expr)
	}
}

func TestMostExpressionsHaveNoWarnings(t *testing.T) {
	for _, expr := range []string{
		"0 0 12 * * ? *", "0 0 12 * *", "@daily", "TZ=UTC @weekly", "*/5 * * * ?",
		// A year, or what has no other meaning.
		"0 0 12 * * 2030", "0 0 12 * * 2026-2030", "0 0 12 * * */2", "0 0 12 * * *,2030", "0 0 20 ? 5 2026,*", "0 0 31 * * *", "0 9 LW * * *", "0 9 1 JAN * *",
		"0 9 * * MON-FRI *", "0 9 * * 5#3 *", "0 9 * * 5L *", "0 0 * * 0 *",
		// Written for something that has the year there, too.
		"0 12 * * ? *", "0 12 ? * MON *", "0/5 8-17 ? * MON-FRI *", "? 0 1 * * *",
		// The same days whether 0 or 1 is Sunday, or nobody can have meant 1.
		"0 12 ? * 1-7", "0 12 ? * 0", "0 12 ? * 0-4", "0 12 ? * 00,2", "0 12 ? * MON-FRI", "0 12 ? * */2", "0 12 ? * 2,*", "0 12 ? * MON#2",
		"0 12 * * 1-5", "0 12 13 * 5",
	} {
		assert.Empty(t, warnings(t, expr), "%q", expr)
	}
	assert.Nil(t, schedule.Warnings(new(schedule.Schedule), time.Now()))
}

func TestWarningsOfWhatNeverFiresAgain(t *testing.T) {
	assert.Contains(t, warnings(t, "0 0 8 12 * ?")[0], "(next: Tue 2026-12-08 00:00")
	never := schedule.Warnings(mustParse(t, "0 0 8 12 * ?"), mustTime(t, "2099-12-30T00:00:00Z"))
	assert.Contains(t, never[0], "(next: never)")
	last := schedule.Warnings(mustParse(t, "0 0 8 12 * ?"), mustTime(t, "2098-12-30T00:00:00Z"))
	assert.Contains(t, last[0], "(next: Tue 2099-12-08 00:00 +00:00)")
}

// Where an expression from a public repository begins with a second, six fields that are valid here and end in * or ? have
// a warning, and where it does not, none has.
func TestSixFieldsOfTheCorpusThatBeginWithASecondHaveAWarning(t *testing.T) {
	secondFirst := []string{"quartz", "quartz/spring", "spring", "node6", "robfig6"}
	warned, others := 0, 0
	for _, found := range schedule.Corpus() {
		words := strings.Fields(found.Expr)
		parsed, err := schedule.Parse(found.Expr)
		if err != nil {
			continue
		}
		hasWarning := slices.ContainsFunc(schedule.Warnings(parsed, time.Now()), func(warning string) bool { return strings.Contains(warning, sixFields) })
		switch last := words[len(words)-1]; {
		case !slices.Contains(secondFirst, found.Dialect):
			others++
			assert.False(t, hasWarning, "%v", found)
		case len(words) != 6 || last != "*" && last != "?":
			assert.False(t, hasWarning, "%v", found)
		case words[2] == "27" || words[2] == "23-28" || words[4] == "?":
			assert.False(t, hasWarning, "%v: there is no such hour or month, so it is wrong there", found)
		default:
			warned++
			assert.True(t, hasWarning, "%v", found)
		}
	}
	assert.Greater(t, warned, 200)
	assert.Greater(t, others, 500)
}

// What a warning tells to write is valid, and means what it says.
func TestWhatWarningsTellToWrite(t *testing.T) {
	sixth := regexp.MustCompile(`write "(.*)", which fires`)
	weekdays := regexp.MustCompile(`^day of week "(.*)" means (.*), since .* write (.*) if 1 is`)
	from := mustTime(t, "2026-05-20T10:00:00Z")
	found := 0
	for _, line := range schedule.Corpus() {
		parsed, err := schedule.Parse(line.Expr)
		if err != nil {
			continue
		}
		for _, warning := range schedule.Warnings(parsed, from) {
			found++
			if match := sixth.FindStringSubmatch(warning); match != nil {
				assert.Equal(t, line.Expr+" *", match[1])
				assert.Empty(t, schedule.Warnings(mustParse(t, match[1]), from), "%q", match[1])
				continue
			}
			match := weekdays.FindStringSubmatch(warning)
			here := strings.Replace(line.Expr, " "+match[1]+" ", " "+match[2]+" ", 1)
			assert.Equal(t, parsed.String(), mustParse(t, here).String())
			there := strings.Replace(line.Expr, " "+match[1]+" ", " "+match[3]+" ", 1)
			daysApart := int(parsed.Next(from).Weekday() - mustParse(t, there).Next(from).Weekday())
			if !strings.ContainsAny(match[1], "-,") && !parsed.Next(from).IsZero() {
				assert.Equal(t, 1, (daysApart+7)%7, "%q: one weekday earlier", line.Expr)
			}
			assert.Empty(t, schedule.Warnings(mustParse(t, here), from))
		}
	}
	assert.Greater(t, found, 250)
}
