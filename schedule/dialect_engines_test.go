package schedule_test

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

// The tables of what the engines answer. testdata/engines/README.md says how they are made.
var (
	//go:embed testdata/corpus.tsv
	corpus string
	//go:embed testdata/engines/quartz.tsv
	quartzAnswers string
	//go:embed testdata/engines/spring.tsv
	springAnswers string
	//go:embed testdata/engines/unix.tsv
	unixAnswers string
	//go:embed testdata/engines/eventbridge.tsv
	eventBridgeAnswers string
)

// An engine is a scheduler, the parser that reads its dialect, and the table of its answers.
type engine struct {
	name  string
	parse func(string) (*schedule.Schedule, error)
	table string
	// dialects are those of the corpus that it reads.
	dialects []string
	// differences are the expressions for which this package gives another answer, and a part of that or of its error.
	differences map[string]string
}

var engines = []engine{
	{"Quartz", schedule.ParseQuartz, quartzAnswers, []string{"quartz", "quartz/spring"}, quartzDifferences},
	{"Spring", schedule.ParseSpring, springAnswers, []string{"spring", "quartz/spring"}, springDifferences},
	{"cron", schedule.ParseUnix, unixAnswers, []string{"unix"}, unixDifferences},
	{"EventBridge", schedule.ParseEventBridge, eventBridgeAnswers, []string{"eventbridge"}, eventBridgeDifferences},
}

var quartzDifferences = map[string]string{
	// Quartz 2.3, which made the table, refuses lists with L.
	"0 15 10 1,L * ? 2010":         "2010-02-28T10:15:00Z 1d 30d 1d 29d",
	"0 15 10 15,L * ? 2010":        "2010-02-28T10:15:00Z 15d 16d 15d 15d",
	"0 15 10 1,5,29,L * ? 2010":    "2010-02-28T10:15:00Z 1d 4d 24d 2d",
	"0 15 10 6,15,L * ? 2010":      "2010-02-28T10:15:00Z 6d 9d 16d 6d",
	"0 15 10 1,3,6,15,L * ? 2010":  "2010-02-28T10:15:00Z 1d 2d 3d 9d",
	"0 15 10 6,15,LW * ? 2010":     "2010-03-06T10:15:00Z 9d 16d 6d 9d",
	"0 15 10 15,L-2 * ? 2010":      "2010-03-15T10:15:00Z 14d 17d 13d 17d",
	"0 15 10 31,L-2 * ? 2010":      "2010-03-29T10:15:00Z 2d 28d 31d 2d",
	"0 15 10 L-1,L-2 * ? 2010":     "2010-02-27T10:15:00Z 30d 1d 29d 1d",
	"0 15 10 L,L-1,L-2 * ? 2010":   "2010-02-27T10:15:00Z 1d 29d 1d 1d",
	"0 15 10 L-1W,L-1 * ? 2010":    "2010-02-27T10:15:00Z 31d 30d 31d 1d",
	"0 15 10 1,L-1,LW,2W * ? 2010": "2010-02-27T10:15:00Z 2d 1d 28d 1d",
	// It takes one day of a list with W only, and 31W for 30 April if 1 May is a Saturday.
	"0 15 10 2W,16W * ? 2010": "2010-03-02T10:15:00Z 14d 17d 14d 17d",
	"0 15 10 2W,16 * ? 2010":  "2010-03-02T10:15:00Z 14d 17d 14d 17d",
	"0 15 10 16W,2 * ? 2010":  "2010-03-02T10:15:00Z 14d 17d 14d 16d",
	"0 0 0 31W * ?":           "2010-03-31T00:00:00Z 61d 60d 32d 59d",
	"0 0 12 31W * ?":          "2010-03-31T12:00:00Z 61d 60d 32d 59d",
	// Quartz ignores part of the expression, or what is wrong in it.
	"0 0 0 ? * MON/2":         "Quartz ignores a step after a name",
	"0 0 0 ? * MON-FRI/2":     "Quartz ignores a step after a name",
	"0 0 12 ? * FRI/2":        "Quartz ignores a step after a name",
	"0 0 12 ? * THU,FRI/2":    "Quartz ignores a step after a name",
	"0 0 0 ? JAN/3 MON":       "Quartz ignores a step after a name",
	"0 0 0 ? * MONDAY":        "Quartz knows names by three letters; write MON",
	"0 0 0 ? * MONDAY-FRIDAY": "Quartz knows names by three letters; write MON",
	"0 0 0 ? JANUARY MON":     "Quartz knows names by three letters; write JAN",
	"0 0 15 ? * FRI*":         `"fri*" is no day of week`,
	"0 0 10am 1,15 * ?":       `"10am" is no hour`,
	"5x 0 0 1 1 ?":            `"5x" is no second`,
	"5-10x 0 0 1 1 ?":         `"10x" is no second`,
	"** * * * * ?":            `"**" is no second`,
	"0 0 0 *5 * ?":            `"*5" is no day of month`,
	"0 0 0 1 1 ?x":            `"?x" is no day of week`,
	"0 0 0 1-15W * ?":         `"1-15" is no day of month`,
	"0 0 0 15W/2 * ?":         "it is no day of month",
	"0 0 0 5C * ?":            "there is no C as in Quartz",
	"0 0 0 ? * 2C":            "there is no C as in Quartz",
	"0 0 0 ? * 2,6#3":         "Quartz takes L and # only without a list",
	"0 0 0 ? * 6#3,2":         "Quartz takes L and # only without a list",
	"0 0 0 5 * ?,MON":         "? is only for the day of month or the day of week, alone",
	"0 0 0 5,? * MON":         "? is only for the day of month or the day of week, alone",
	",5 0 0 1 1 ?":            "there is a comma too many",
	"0 0 0 ? * MON,":          "there is a comma too many",
	"1, * * * * ?":            "there is a comma too many",
	"1,2, * * * * ?":          "there is a comma too many",
	"0 */0 * * * ?":           `no step "0"`,
	"0 0/0 * * * ?":           `no step "0"`,
	"0 1-5/0 * * * ?":         `no step "0"`,
	"0/0 0 0 1 1 ? 2017/3":    `no step "0"`,
	"0 0 0 ? * 0#1":           "0 is out of range; allowed are 1-7",
	"0 15 10 ? * 0#1 2010":    "0 is out of range; allowed are 1-7",
	"0 15 10 ? * 8#1 2010":    "8 is out of range; allowed are 1-7",
	"0 15 10 ? * 14#1 2010":   "14 is out of range; allowed are 1-7",
	"0 15 10 15 * ? L":        `"l" is no year`,
	"0 0 0 1 1 ? 2025 x":      "8 fields; there must be 6",
	// Years that end earlier here.
	"0 0 0 1 1 ? 2150": "2150 is out of range; allowed are 1970-2099",
}

var springDifferences = map[string]string{
	// Spring never comes to the last day of a month if it is a Sunday.
	"0 0 0 28W 2 ?": "2025-02-28T00:00:00Z 364d 364d 367d 366d",
	"0 0 0 30W * ?": "2024-03-29T00:00:00Z 32d 30d 29d 32d",
	"0 0 0 31W * ?": "2024-03-29T00:00:00Z 63d 61d 30d 62d",
	// It stands still where a month is too short.
	"0 0 0 L-30 * ?": "2010-03-01T00:00:00Z 61d 61d 31d 61d",
	"0 0 0 L-40 * ?": "at most 30",
	// It accepts what makes no sense.
	"0 0 0 ? * MON#6": "after # must come the week, 1 to 5",
	"0 +5 0 * * *":    `"+5" is no minute`,
}

var unixDifferences = map[string]string{
	// Cron takes a range that runs backwards for no value.
	"* 1 5-2 * 4":     "the range runs backwards",
	"0 0 10-5 * *":    "the range runs backwards",
	"0 22-2 * * *":    "the range runs backwards",
	"0 0 * * fri-mon": "the range runs backwards",
	"0 0 * * fri-sun": "the range runs backwards",
	"0 0 * * sat-sun": "the range runs backwards",
	// Debian's, unlike cronie, ignores what follows an item.
	"0 0 * * 5#3":     "cron has no ?, L, W and #",
	"** * * * *":      `"**" is no minute`,
	"*/5/5 * * * *":   `no step "5/5"`,
	"5-10-15 * * * *": `"10-15" is no minute`,
	"0~30 * * * *":    "~ has a value chosen at random",
	// At boot, which is no time.
	"@reboot": "a job that is registered with jobs.Once",
}

var eventBridgeDifferences = map[string]string{
	// These are no expressions.
	"0 8 * * MON-FRI *": `day of month "*" and day of week "MON-FRI"; one of them must be ?`,
	"Minutes Hours Day-of-month Month Day-of-week Year": `"minutes" is no minute`,
	"minute hour day-of-month month day-of-week year":   `"minute" is no minute`,
	// The package that made the table cannot read these. The second is an example of Amazon's documentation.
	"0 8 ? * FRI-MON *":       "2024-03-01T08:00:00Z 1d 1d 1d 4d",
	"0/30 20-2 ? * MON-FRI *": "2024-02-29T00:00:00Z 30m 30m 30m 30m",
	"* 8-23,0-1 * * ? *":      "2024-02-29T00:00:00Z 1m 1m 1m 1m",
}

func TestDialectsAnswerAsTheirEnginesDo(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			different := 0
			for line := range strings.Lines(e.table) {
				expr, theirs, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
				ours, err := answers(e.parse, expr)
				if err != nil {
					assert.ErrorContains(t, err, fmt.Sprintf("%s schedule %q: ", e.name, expr))
				}
				expected, differs := e.differences[expr]
				if !differs {
					assert.Equal(t, theirs, ours, "%q: %v", expr, err)
					continue
				}
				different++
				assert.NotEqual(t, theirs, ours, "%q is no difference", expr)
				assert.Contains(t, fmt.Sprint(ours, err), expected, "%q", expr)
			}
			assert.Len(t, e.differences, different, "each is in the table")
		})
	}
}

func TestDialectsReadTheWholeCorpus(t *testing.T) {
	// Quartz has no answer to these, which are not valid.
	unanswered := map[string]bool{"0 15 10 0W * ?": true}
	for _, e := range engines {
		table := map[string]bool{}
		for line := range strings.Lines(e.table) {
			expr, _, _ := strings.Cut(line, "\t")
			table[expr] = true
		}
		read := 0
		for line := range strings.Lines(corpus) {
			columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			require.Len(t, columns, 3)
			if expr := columns[2]; slices.Contains(e.dialects, columns[0]) && !table[expr] {
				_, err := e.parse(expr)
				assert.True(t, unanswered[expr] && err != nil, "%s has no answer to %q: %v", e.name, expr, err)
			} else if table[expr] {
				read++
			}
		}
		assert.Greater(t, read, 70, e.name)
	}
}

// What String returns is in the library's own language, whatever the schedule was written in.
func TestDialectsPrintWhatParseReads(t *testing.T) {
	for _, e := range engines {
		for line := range strings.Lines(e.table) {
			expr, _, _ := strings.Cut(line, "\t")
			if parsed, err := e.parse(expr); err == nil {
				checkPrintedDialect(t, expr, parsed)
			}
		}
	}
}

func checkPrintedDialect(t *testing.T, expr string, parsed *schedule.Schedule) {
	t.Helper()
	again, err := schedule.Parse(parsed.String())
	require.NoError(t, err, "%q", expr)
	require.Equal(t, parsed, again, "%q is printed as %q", expr, parsed)
	assert.Regexp(t, `^(At|Every) [^\n]*[^ .]$`, schedule.Describe(parsed), "%q", expr)
}

// answers returns what a parser makes of an expression in the form of the tables.
func answers(parse func(string) (*schedule.Schedule, error), expr string) (string, error) {
	parsed, err := parse(expr)
	if err != nil {
		return "refused", err
	}
	var all []string
	for _, start := range []string{"2010-02-26T12:34:56Z", "2024-02-28T23:59:59Z", "2027-12-30T06:00:00Z"} {
		all = append(all, nextTimes(parsed, instant(start)))
	}
	return strings.Join(all, "\t"), nil
}

// nextTimes returns the next five times: the first, and the gaps between them.
func nextTimes(parsed *schedule.Schedule, at time.Time) string {
	var times []string
	for len(times) < 5 {
		last := at
		switch at = parsed.Next(at); {
		case at.IsZero() && len(times) == 0:
			return "never"
		case at.IsZero():
			return strings.Join(append(times, "end"), " ")
		case len(times) == 0:
			times = append(times, at.Format(time.RFC3339))
		default:
			times = append(times, gap(at.Sub(last)))
		}
	}
	return strings.Join(times, " ")
}

func gap(d time.Duration) string {
	var text string
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / unit.length; n > 0 {
			text += fmt.Sprint(int64(n)) + unit.letter
		}
		d %= unit.length
	}
	return text
}
