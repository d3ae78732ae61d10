package schedule

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A meaning is what a schedule matches, however it was written: its sets, and the days of a month of each length that
// begins on each weekday.
type meaning struct {
	seconds, minutes, hours, months uint64
	years                           [lastYear - firstYear + 1]bool
	days                            [4][7]uint64
	zone                            string
}

// monthsOfAllKinds has a year and a month for each length that begins on each weekday.
var monthsOfAllKinds = func() (kinds [4][7]struct {
	year  int
	month time.Month
}) {
	for year := 1970; year < 1998; year++ {
		for month := time.January; month <= time.December; month++ {
			first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday()
			kind := &kinds[monthLength(year, month)-28][first]
			kind.year, kind.month = year, month
		}
	}
	return kinds
}()

func meaningOf(s *Schedule) meaning {
	m := meaning{seconds: s.seconds, minutes: s.minutes, hours: s.hours, months: s.months, years: s.years}
	for length, kinds := range monthsOfAllKinds {
		for first, kind := range kinds {
			m.days[length][first] = s.days.in(kind.year, kind.month)
		}
	}
	if s.location != nil {
		m.zone = s.location.String()
	}
	return m
}

// easilyConfused are items of each field that mean nearly the same, or look alike.
var easilyConfused = [fieldCount][]string{
	secondField: {"0", "0", "*", "*/10", "*/30", "5", "59", "5-10", "1/10", "*/7", "0-50/2", "1,2,5"},
	minuteField: {"0", "*", "*/5", "1/5", "0-50/5", "*/30", "0,45", "1", "59", "10-20", "*/2", "1/2", "*/7", "0-5,9,20-22", "0-58"},
	hourField:   {"*", "9", "0", "8-17", "9-10", "8,10", "*/2", "1/2", "*/6", "*/4", "*/5", "0-20/4", "1-22", "0-22", "8-12,14-18", "0,23"},
	dayField: {"*", "*", "1", "15", "31", "L", "LW", "15W", "1W", "1,L", "L,LW", "1-7", "*/2", "2/2", "*/7", "*/1", "1-30", "1-3,9",
		"15,15W", "1,15", "13", "L-1", "L-3", "L-3W", "L-30", "L-3,L", "1-31", "2-31"},
	monthField: {"*", "*", "1", "2", "1,7", "6-8", "3-11", "*/2", "2/2", "1-3", "1-11", "2-12"},
	weekdayField: {"*", "*", "MON", "SUN", "1-5", "0-4", "2-7", "FRI-SUN", "MON,WED", "MON#1", "MON#5", "MONL", "MON#1,TUE", "FRIL,MON#2", "0-6",
		"1-6", "MON-THU", "5,5L", "SUN,MON#1", "+FRI", "+5L", "+5,MON#1", "+MON-FRI", "+SUN-SAT", "+1-6", "+*"},
	yearField: {"*", "*", "*", "2026", "2026,2027", "2026-2028", "*/2", "1971/2", "1970-2098", "2020-2025,2030", "*/50"},
}

func TestDescribeTellsDifferentMeaningsApart(t *testing.T) {
	described := map[string]*Schedule{}
	compare := func(words []string) {
		s, err := Parse(strings.Join(words, " "))
		require.NoError(t, err)
		text := Describe(s)
		require.Equal(t, meaningOf(s), readDescription(text), "%q of %s", text, s)
		if other, found := described[text]; found {
			require.Equal(t, meaningOf(other), meaningOf(s), "%q describes both %s and %s", text, other, s)
		}
		described[text] = s
	}
	base := strings.Fields("0 0 9 * * * *")
	for one := range easilyConfused {
		for other := range one {
			for _, a := range easilyConfused[one] {
				for _, b := range easilyConfused[other] {
					words := append([]string{}, base...)
					words[one], words[other] = a, b
					compare(words)
				}
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	zones := []string{"", "", "CRON_TZ=UTC", "CRON_TZ=Asia/Tokyo"}
	for range 20_000 {
		words := []string{zones[random.IntN(len(zones))]}
		for _, items := range easilyConfused {
			words = append(words, items[random.IntN(len(items))])
		}
		compare(words)
	}
	assert.Greater(t, len(described), 15_000)
}

func TestDescribeSaysNeverExactlyWhereNoTimeMatches(t *testing.T) {
	for expr, never := range map[string]bool{
		"0 0 30 2 *": true, "0 0 29 2 *": false, "0 0 29 2 * 2023": true, "0 0 31W 4,6 *": true, "0 0 31 4,6,9 MON#5": false,
		"0 0 29 2 * 1999": true, "0 0 1 1 * 1970": false, "0 0 * 2 MON#5 2026": true, "0 0 * 2 THU#5 2024": false,
	} {
		s, err := Parse(expr)
		require.NoError(t, err)
		assert.Equal(t, never, strings.HasSuffix(Describe(s), ", which never comes"), "%q", expr)
	}
}

// The description of an expression, read as a person would read it, is what the expression means.
func TestDescribeReadBackIsTheSameScheduleForAllOfTheCorpus(t *testing.T) {
	described := 0
	for _, found := range Corpus() {
		s, err := Parse(found.Expr)
		if err != nil {
			continue
		}
		described++
		text := Describe(s)
		assert.Regexp(t, `^(At|Every) [^\n]*[^ .]$`, text)
		assert.Equal(t, meaningOf(s), readDescription(text), "%q of %v", text, found)
	}
	assert.Greater(t, described, 1000)
}

func TestDescribeReadBackIsTheSameScheduleForRandomExpressions(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		expr := randomExpression(random)
		s, err := Parse(expr)
		require.NoError(t, err)
		text := Describe(s)
		require.Equal(t, meaningOf(s), readDescription(text), "%q of %q", text, expr)
	}
}

// randomExpression draws a valid expression from all values and forms.
func randomExpression(random *rand.Rand) string {
	var fields []string
	for place := range fieldSpecs {
		field := &fieldSpecs[place]
		var items []string
		for len(items) == 0 || random.IntN(3) == 0 {
			items = append(items, randomItem(random, field))
		}
		fields = append(fields, strings.Join(items, ","))
	}
	return strings.Join(fields, " ")
}

func randomItem(random *rand.Rand, field *fieldSpec) string {
	first := field.first + random.IntN(field.last-field.first+1)
	last := first + random.IntN(field.last-first+1)
	step := 1 + random.IntN(min(field.largestStep, 12))
	switch form := random.IntN(12); {
	case form < 3:
		return "*"
	case form < 5:
		return fmt.Sprint(first)
	case form < 6:
		return fmt.Sprintf("%d-%d", first, last)
	case form < 7:
		return fmt.Sprintf("%d-%d/%d", first, last, step)
	case form < 8:
		return fmt.Sprintf("%d/%d", first, step)
	case field.name == "day of month" && form < 11:
		return []string{"L", "LW", fmt.Sprintf("%dW", first)}[form-8]
	case field.name == "day of week" && form < 10:
		return []string{fmt.Sprintf("%dL", first), fmt.Sprintf("%d#%d", first, 1+random.IntN(5))}[form-8]
	}
	return fmt.Sprintf("*/%d", step)
}

func TestEveryExpressionOfTheCorpusIsDescribedInItsOwnDialectToo(t *testing.T) {
	parsers := map[string]func(string) (*Schedule, error){
		"quartz": ParseQuartz, "quartz/spring": ParseQuartz, "spring": ParseSpring, "eventbridge": ParseEventBridge, "unix": ParseUnix,
	}
	described := 0
	for _, found := range Corpus() {
		parse := parsers[found.Dialect]
		if parse == nil {
			continue
		}
		s, err := parse(found.Expr)
		if err != nil {
			continue
		}
		described++
		require.Equal(t, meaningOf(s), readDescription(Describe(s)), "%q of %s", Describe(s), found.Expr)
	}
	assert.Greater(t, described, 1_000)
}
