package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// called calls the command in New York at a time that is given in RFC 3339.
func called(t *testing.T, now string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, now)
	require.NoError(t, err)
	location, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	var out, complaints bytes.Buffer
	code = run(args, &out, &complaints, at.In(location))
	return code, out.String(), complaints.String()
}

const february = "2026-02-01T12:00:00Z"

func TestExplainsAnExpression(t *testing.T) {
	code, stdout, stderr := called(t, february, "30 1,2 * * SUN")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	assert.Equal(t, `At 01:30 and 02:30 on Sundays

Next times:
  Sun 2026-02-08 01:30:00 -05:00
  Sun 2026-02-08 02:30:00 -05:00
  Sun 2026-02-15 01:30:00 -05:00
  Sun 2026-02-15 02:30:00 -05:00
  Sun 2026-02-22 01:30:00 -05:00
  Sun 2026-02-22 02:30:00 -05:00
  Sun 2026-03-01 01:30:00 -05:00
  Sun 2026-03-01 02:30:00 -05:00
  Sun 2026-03-08 01:30:00 -05:00
  Sun 2026-03-08 03:00:00 -04:00

Clock changes in America/New_York until 2027-02-01:
  Sun 2026-03-08 02:00:00 -05:00 becomes Sun 2026-03-08 03:00:00 -04:00
    02:30 is moved to 03:00
  Sun 2026-11-01 02:00:00 -04:00 becomes Sun 2026-11-01 01:00:00 -05:00
    01:30 fires once, the first time
`, stdout)
}

func TestExplainsAnExpressionWithAZoneAndWarnings(t *testing.T) {
	code, stdout, stderr := called(t, february, "CRON_TZ=Asia/Tokyo 0 9 ? 1 2 2027,2028,?")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	assert.Equal(t, `At 09:00 on Tuesdays in January, in time zone Asia/Tokyo

Warning: day of week "2" means TUE, since 0 is Sunday; write it by name, or write MON if 1 is meant to be Sunday, as in Quartz and EventBridge

Next times:
  Tue 2027-01-05 09:00:00 +09:00
  Tue 2027-01-12 09:00:00 +09:00
  Tue 2027-01-19 09:00:00 +09:00
  Tue 2027-01-26 09:00:00 +09:00
  Tue 2028-01-04 09:00:00 +09:00
  Tue 2028-01-11 09:00:00 +09:00
  Tue 2028-01-18 09:00:00 +09:00
  Tue 2028-01-25 09:00:00 +09:00
  Tue 2029-01-02 09:00:00 +09:00
  Tue 2029-01-09 09:00:00 +09:00

Clock changes in Asia/Tokyo until 2027-02-01:
  none
`, stdout)
}

func TestExplainsWhatEndsOrNeverFires(t *testing.T) {
	_, stdout, _ := called(t, february, "0 9 3,4 2 * 2026")
	assert.Contains(t, stdout, "\nNext times:\n  Tue 2026-02-03 09:00:00 -05:00\n  Wed 2026-02-04 09:00:00 -05:00\n\nClock changes")
	code, stdout, stderr := called(t, february, "0 0 30 2 *")
	assert.Zero(t, code)
	assert.Empty(t, stderr)
	assert.Equal(t, "At 00:00 on the 30th of February, which never comes\n\nNext times:\n  never\n", stdout)
}

func TestTellsWhatClockChangesDo(t *testing.T) {
	const (
		forth     = "  Sun 2026-03-08 02:00:00 -05:00 becomes Sun 2026-03-08 03:00:00 -04:00\n    "
		back      = "  Sun 2026-11-01 02:00:00 -04:00 becomes Sun 2026-11-01 01:00:00 -05:00\n    "
		noSkip    = "no occurrence is in the time that is skipped\n"
		noRepeat  = "no occurrence is in the time that is repeated\n"
		lordHowe1 = "  Sun 2026-04-05 02:00:00 +11:00 becomes Sun 2026-04-05 01:30:00 +10:30\n    "
		lordHowe2 = "  Sun 2026-10-04 02:00:00 +10:30 becomes Sun 2026-10-04 02:30:00 +11:00\n    "
	)
	for _, c := range []struct{ now, expr, want string }{
		{february, "0 9 * * *", forth + noSkip + back + noRepeat},
		{february, "0 2,3 * * *", forth + "02:00 is moved to 03:00, when the schedule fires anyway\n" + back + noRepeat},
		{february, "0/15 2 * * *", forth + "02:00, 02:15, 02:30, 02:45 are moved as one to 03:00\n" + back + noRepeat},
		{february, "0/20 1,4 * * *", forth + noSkip + back + "01:00, 01:20, 01:40 fire once, the first time\n"},
		{february, "*/5 0-6 * * *", forth + "02:00 to 02:55 (12 times) are moved to 03:00, when the schedule fires anyway\n" + back + "01:00 to 01:55 (12 times) are repeated\n"},
		{february, "0,30 * * * *", forth + "02:00, 02:30 are skipped: the schedule goes by elapsed time\n" + back + "01:00, 01:30 are repeated\n"},
		{february, "30 0-23 * * *", forth + "02:30 is skipped: the schedule goes by elapsed time\n" + back + "01:30 is repeated\n"},
		{february, "15 30 1,2 * * * *", forth + "02:30:15 is moved to 03:00\n" + back + "01:30:15 fires once, the first time\n"},
		{february, "30 2 * 3 MON", forth + noSkip + back + noRepeat},
		// From the change on the next is a year ahead.
		{"2026-03-08T07:00:00Z", "30 1 * * *", back + "01:30 fires once, the first time\n"},
		{february, "TZ=Australia/Lord_Howe */45 1 * * *", lordHowe1 + "01:45 is repeated\n" + lordHowe2 + noSkip},
		{february, "TZ=Australia/Lord_Howe 15 1,2 * * *", lordHowe1 + noRepeat + lordHowe2 + "02:15 is moved to 02:30\n"},
		// A change at midnight, and a day that does not exist.
		{"2018-01-20T00:00:00Z", "TZ=America/Sao_Paulo @daily", "  Sun 2018-02-18 00:00:00 -02:00 becomes Sat 2018-02-17 23:00:00 -03:00\n    " + noRepeat +
			"  Sun 2018-11-04 00:00:00 -03:00 becomes Sun 2018-11-04 01:00:00 -02:00\n    00:00 is moved to 01:00\n"},
		{"2011-12-01T00:00:00Z", "TZ=Pacific/Apia 0 12,18 30 12 *", "  Fri 2011-12-30 00:00:00 -10:00 becomes Sat 2011-12-31 00:00:00 +14:00\n    12:00, 18:00 are moved as one to 00:00\n" +
			"  Sun 2012-04-01 04:00:00 +14:00 becomes Sun 2012-04-01 03:00:00 +13:00\n    " + noRepeat +
			"  Sun 2012-09-30 03:00:00 +13:00 becomes Sun 2012-09-30 04:00:00 +14:00\n    " + noSkip},
		// Go's bounds of a zone are wrong on that day (golang/go#81583), and say so of days without a change.
		{"2040-12-31T12:00:00Z", "30 2 * * *", "  Sun 2041-03-10 02:00:00 -05:00 becomes Sun 2041-03-10 03:00:00 -04:00\n    02:30 is moved to 03:00\n" +
			"  Sun 2041-11-03 02:00:00 -04:00 becomes Sun 2041-11-03 01:00:00 -05:00\n    " + noRepeat},
	} {
		code, stdout, stderr := called(t, c.now, c.expr)
		assert.Zero(t, code)
		assert.Empty(t, stderr)
		_, changes, _ := bytes.Cut([]byte(stdout), []byte("\nClock changes in "))
		_, changes, _ = bytes.Cut(changes, []byte(":\n"))
		assert.Equal(t, c.want, string(changes), "%q", c.expr)
	}
}

func TestLocalTimeIsNamedSo(t *testing.T) {
	var out bytes.Buffer
	assert.Zero(t, run([]string{"@daily"}, &out, &out, time.Now()))
	assert.Contains(t, out.String(), "\nClock changes in local time until ")
}

func TestAnInvalidExpressionIsAnError(t *testing.T) {
	code, stdout, stderr := called(t, february, "0 61 * * * * *")
	assert.Equal(t, 1, code)
	assert.Empty(t, stdout)
	assert.Equal(t, "schedule \"0 61 * * * * *\": minute field, item \"61\": 61 is out of range; allowed are 0-59\n", stderr)
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"0", "9", "*", "*", "*"}, {"-dialect", "klingon", "0 9 * * *"}, {"-x", "0 9 * * *"}, {"-dialect"}} {
		code, stdout, stderr := called(t, february, args...)
		assert.Equal(t, 2, code, "%q", args)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, "usage: cronexplain [-dialect name] 'expression'\n", "%q", args)
		assert.Contains(t, stderr, "the dialect in which the expression is written: eventbridge, jobs", "%q", args)
	}
	code, _, stderr := called(t, february, "-h")
	assert.Zero(t, code)
	assert.Contains(t, stderr, "usage: ")
	code, stdout, _ := called(t, february, "-dialect", "jobs", "@daily")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "At 00:00 every day\n")
}
