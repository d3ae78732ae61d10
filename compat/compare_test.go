package compat_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gorhill/cronexpr"

	"github.com/agentjobs/jobs/schedule"
)

// next is the one method that a schedule of either library has.
type next interface{ Next(time.Time) time.Time }

// parser is either library's.
type parser func(text string) (next, error)

// As functions of one type: an interface that holds a nil pointer is not nil, so the errors go first.
func parseCronexpr(text string) (next, error) { return cronexpr.Parse(text) }
func parseJobs(text string) (next, error)     { return schedule.Parse(text) }

// answers is what a library makes of an expression: an error, or the occurrences up to five.
type answers struct {
	err     error
	times   []time.Time // ends with the zero time if the occurrences end
	trouble string      // a panic, or an answer that is not later than what was asked
}

func ask(parse parser, text string, start time.Time) (a answers) {
	defer func() {
		if value := recover(); value != nil {
			a.trouble = fmt.Sprint("panic: ", value)
		}
	}()
	schedule, err := parse(text)
	if err != nil {
		return answers{err: err}
	}
	for at := start; len(a.times) < 5; {
		following := schedule.Next(at)
		a.times = append(a.times, following)
		if following.IsZero() {
			break
		}
		if !following.After(at) {
			a.trouble = "an answer that is not later"
			break
		}
		at = following
	}
	return a
}

// agree reports whether both refuse or both answer the same times in the same location. Trouble agrees with nothing.
func agree(a, b answers) bool {
	return (a.err == nil) == (b.err == nil) && a.trouble == "" && b.trouble == "" &&
		slices.EqualFunc(a.times, b.times, func(a, b time.Time) bool {
			return a.Equal(b) && (a.IsZero() || a.Location().String() == b.Location().String())
		})
}

func (a answers) String() string {
	if a.err != nil {
		return "error: " + a.err.Error()
	}
	text := ""
	for _, t := range a.times {
		if t.IsZero() {
			text += "never again "
			continue
		}
		text += t.Format("Mon 2006-01-02 15:04:05Z07:00, ")
	}
	return text + a.trouble
}

// comparison is one expression read by both.
type comparison struct {
	told           telling
	applied        []rule
	cronexpr, ours answers
}

// compare reads an expression by the given parser, which is ours except where the test is tested, and asks
// cronexpr what by the rules means the same.
func compare(parse parser, text string, start time.Time) comparison {
	told, applied := tell(text)
	c := comparison{told: told, applied: applied, ours: ask(parse, text, start)}
	switch {
	case told.refused:
		c.cronexpr.err = fmt.Errorf("none, but by rule ours must refuse: %s", applied[len(applied)-1].sentence)
	case told.location != nil && !start.IsZero():
		c.cronexpr = ask(parseCronexpr, told.text, start.In(told.location))
	default:
		c.cronexpr = ask(parseCronexpr, told.text, start)
	}
	return c
}

func (c comparison) agrees() bool { return agree(c.cronexpr, c.ours) }

// explains reports whether the only rule that applied made the difference: told the expression as it stands
// cronexpr would not have agreed.
func (c comparison) explains(text string, start time.Time) bool {
	return len(c.applied) == 1 && !overflows(text) && !agree(ask(parseCronexpr, text, start), c.ours)
}

// overflows reports that cronexpr's Next may call itself until the stack overflows, which nothing recovers from. Month
// 0 of a year is to it December of the year before, so if the only month is 0 and has no such day, as it may have no
// fifth Monday, the search goes from each year back to itself. With days of the month it has one.
func overflows(text string) bool {
	byPlace := placed(text)
	hasFree := func(place int) bool { return slices.ContainsFunc(strings.Split(byPlace[place], ","), free) }
	return zeroInMonth(byPlace[monthField]) && hasFree(dayField) && !hasFree(weekdayField)
}

func zeroInMonth(list string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), zeroBeforeMonth.MatchString)
}

// smallest leaves away what it can from an expression that differs.
func smallest(text string, differs func(text string) bool) string {
	for {
		shorter, found := firstThat(differs, shortened(text))
		if !found {
			return text
		}
		text = shorter
	}
}

func firstThat(matches func(string) bool, texts []string) (string, bool) {
	i := slices.IndexFunc(texts, matches)
	if i < 0 {
		return "", false
	}
	return texts[i], true
}

// shortened is a text with one field free or one item less.
func shortened(text string) (texts []string) {
	words := wordsOf(text)
	with := func(i int, word string) {
		changed := slices.Clone(words)
		changed[i] = word
		texts = append(texts, strings.Join(changed, " "))
	}
	for i, word := range words {
		if word != "*" {
			with(i, "*")
		}
		list := strings.Split(word, ",")
		for j := range list {
			if len(list) > 1 {
				with(i, strings.Join(slices.Delete(slices.Clone(list), j, j+1), ","))
			}
		}
	}
	return texts
}
