package compat_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs/schedule"
)

// misread is ours with a mistake in what it reads: each match is taken for something else.
func misread(pattern, as string) parser {
	re := regexp.MustCompile(pattern)
	return func(text string) (next, error) { return schedule.Parse(re.ReplaceAllString(text, as)) }
}

// nextFunc is a Next.
type nextFunc func(time.Time) time.Time

func (f nextFunc) Next(t time.Time) time.Time { return f(t) }

// misanswered is ours with a mistake in Next, which is given the right one.
func misanswered(mistake func(schedule next, t time.Time) time.Time) parser {
	return func(text string) (next, error) {
		parsed, err := schedule.Parse(text)
		return nextFunc(func(t time.Time) time.Time { return mistake(parsed, t) }), err
	}
}

const (
	itemStart = `(^|[ ,])`
	itemEnd   = `($|[ ,])`
)

// mistakes are such as parsers make, and some that other libraries' do.
var mistakes = map[string]parser{
	"LW is L":                    misread(`(?i)`+itemStart+`lw`+itemEnd, "${1}L$2"),
	"L is the 31st":              misread(`(?i)`+itemStart+`l`+itemEnd, "${1}31$2"),
	"15W is the 15th":            misread(`(?i)\b(\d+)w\b`, "$1"),
	"1W goes back a month":       misread(`(?i)\b0?1w\b`, "2W"),
	"5L is every Friday":         misread(`(?i)\b([0-7])l\b`, "$1"),
	"FRIL is every Friday":       misread(`(?i)\b(fri|friday)l\b`, "$1"),
	"5#5 is the last":            misread(`#5`, "L"),
	"FRI#3 is FRI#2":             misread(`(?i)([a-z])#3`, "$1#2"),
	"7 is Saturday":              misread(itemStart+`7`+itemEnd, "${1}6$2"),
	"7L is no weekday":           misread(`(?i)\b7l\b`, "8L"),
	"5-7 is refused":             misread(`-7`+itemEnd, "-8$1"),
	"FRI-SUN is refused":         misread(`(?i)(fri|friday)-sun`, "${1}-x"),
	"weekday 1/2 ends at 7":      misread(`(\b[1-6])/2 `, "$1-7/2 "),
	"*/1 is free":                misread(`\*/0?1\b`, "*"),
	"? is 1":                     misread(itemStart+`\?`+itemEnd, "${1}1$2"),
	"a/s is a":                   misread(`\b(\d+)/\d+`, "$1"),
	"a-b/s is a-b":               misread(`(-\d+)/\d+`, "$1"),
	"08 is octal":                misread(`\b0([89])\b`, "x$1"),
	"month 01 is refused":        misread(` 0([1-9]) `, " x "),
	"JUNE is July":               misread(`(?i)june`, "JULY"),
	"names are in lower case":    misread(`[A-Z]{3}`, "x"),
	"long names are refused":     misread(`(?i)(wed)nesday`, "${1}x"),
	"the second comes first":     misread(`^((?:\S+ ){5}\S+)$`, "$1 *"),
	"an item after * restricts":  misread(`\*,(\d+)`, "$1"),
	"step 59 is too large":       misread(`/59`, "/60"),
	"an eighth field is ignored": misread(`^((?:\S+ ){7})\S+$`, "$1"),
	"empty items are ignored":    misread(`,,`, ","),
	"the zone is ignored":        misread(`^\S*TZ=\S+`, ""),
	"aliases in lower case":      misread(`@[A-Z]`, "@x"),
	"\\v is blank":               misread("\v", " "),

	"not strictly after": misanswered(func(schedule next, t time.Time) time.Time {
		return schedule.Next(t.Add(-time.Second))
	}),
	"parts of a second round up": misanswered(func(schedule next, t time.Time) time.Time {
		return schedule.Next(t.Add(time.Second - 1).Truncate(time.Second))
	}),
	"gives up after five years": misanswered(func(schedule next, t time.Time) time.Time {
		if at := schedule.Next(t); at.Year() <= t.Year()+5 {
			return at
		}
		return time.Time{}
	}),
	"answers in UTC": misanswered(func(schedule next, t time.Time) time.Time {
		return schedule.Next(t).UTC()
	}),
	"days are those of UTC": misanswered(func(schedule next, t time.Time) time.Time {
		return schedule.Next(t.UTC()).In(t.Location())
	}),
	"goes on in 2100": misanswered(func(schedule next, t time.Time) time.Time {
		if at := schedule.Next(t); !at.IsZero() || t.Year() != 2099 {
			return at
		}
		return time.Date(2100, 1, 1, 0, 0, 0, 0, t.Location())
	}),
}

// TestMistakesAreFound holds that the drawn expressions of the short run would show each of these mistakes.
func TestMistakesAreFound(t *testing.T) {
	const draws = 20_000
	for name, mistaken := range mistakes {
		found := false
		for seed := *firstSeed; !found && seed < *firstSeed+draws; seed++ {
			text, start := draw(seed)
			found = !compare(mistaken, text, start).agrees()
		}
		assert.True(t, found, "no expression shows that %s", strings.ToLower(name))
	}
}
