// Package compat compares the library with others: with github.com/gorhill/cronexpr in what expressions mean,
// and with those that people use in what they cost.
package compat_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the drawn zones, on machines without a database

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	expressions = flag.Int("compat.n", 20_000, "how many expressions to draw")
	firstSeed   = flag.Uint64("compat.seed", 1, "the seed of the first expression; each has the next higher")
)

// TestExpressionsMeanWhatTheyMeantToCronexpr holds that every expression is accepted as cronexpr accepts it and
// has the same next five occurrences, except for the differences that the rules know.
func TestExpressionsMeanWhatTheyMeantToCronexpr(t *testing.T) {
	var counts tally
	failures := 0
	for i := range *expressions {
		seed := *firstSeed + uint64(i)
		text, start := draw(seed)
		c := compare(parseJobs, text, start)
		counts.add(c, text, start)
		if c.agrees() {
			continue
		}
		t.Error(unexplained(seed, text, start, c))
		if failures++; failures == 10 {
			t.Fatal("enough")
		}
	}
	t.Log(&counts)
	if *expressions < 20_000 {
		return
	}
	assert.Greater(t, counts.answered, *expressions/2, "expressions that both accept")
	for _, rule := range rules {
		assert.Positive(t, counts.explained[rule.name], "differences that the rule %q explains alone", rule.name)
	}
}

func draw(seed uint64) (text string, start time.Time) {
	d := drawerOf(seed)
	return d.expression(), d.start()
}

func unexplained(seed uint64, text string, start time.Time, c comparison) string {
	small := smallest(text, func(text string) bool { return !compare(parseJobs, text, start).agrees() })
	smallComparison := compare(parseJobs, small, start)
	told := fmt.Sprintf("told %q", smallComparison.told.text)
	if smallComparison.told.refused {
		told = "told nothing"
	}
	return fmt.Sprintf("%q from %v (seed %d)\nsmaller:  %q\ncronexpr: %v (%s)\nours:     %v\n"+
		"again:    go test -run=Cronexpr -compat.n=1 -compat.seed=%d",
		text, start, seed, small, smallComparison.cronexpr, told, smallComparison.ours, seed)
}

// tally counts what the drawn expressions were.
type tally struct {
	answered, refused, times, unexplained int
	applied, explained                    map[string]int // by the rule's name
}

func (n *tally) add(c comparison, text string, start time.Time) {
	if n.applied == nil {
		n.applied, n.explained = map[string]int{}, map[string]int{}
	}
	switch {
	case !c.agrees():
		n.unexplained++
	case c.ours.err != nil:
		n.refused++
	default:
		n.answered++
		n.times += len(c.ours.times)
	}
	for _, rule := range c.applied {
		n.applied[rule.name]++
	}
	if c.explains(text, start) {
		n.explained[c.applied[0].name]++
	}
}

func (n *tally) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d expressions: %d mean the same (%d occurrences compared), %d are refused, %d unexplained differences\n",
		n.answered+n.refused+n.unexplained, n.answered, n.times, n.refused, n.unexplained)
	fmt.Fprintf(&s, "%-24s %9s %17s\n", "rule", "applies", "explains, alone")
	for _, rule := range rules {
		fmt.Fprintf(&s, "%-24s %9d %17d\n", rule.name, n.applied[rule.name], n.explained[rule.name])
	}
	return s.String()
}

// TestRulesApplyAndExplain has examples of every rule: the rule applies alone, it makes the readings agree, and
// without it they do not.
func TestRulesApplyAndExplain(t *testing.T) {
	start := time.Date(2026, 5, 20, 12, 34, 56, 789, time.UTC)
	for name, examples := range ruleExamples {
		for _, text := range examples {
			c := compare(parseJobs, text, start)
			if assert.Len(t, c.applied, 1, "rules that apply to %q", text) {
				assert.Equal(t, name, c.applied[0].name, "%q", text)
			}
			assert.True(t, c.agrees(), "%q: cronexpr, told %q: %v\nours: %v", text, c.told.text, c.cronexpr, c.ours)
			assert.True(t, c.explains(text, start), "cronexpr's own answer to %q is ours too: %v", text, c.ours)
		}
	}
	for _, rule := range rules {
		assert.NotEmpty(t, ruleExamples[rule.name], "examples of the rule %q", rule.name)
		assert.NotEmpty(t, rule.sentence)
	}
}

var ruleExamples = map[string][]string{
	"zone before the fields": {"TZ=UTC 0 0 * * *", "CRON_TZ=Etc/GMT+5 0 0 12 * * * *", "TZ=Etc/GMT-14 @daily"},
	"alias inside the text":  {"@daily 2030", "1@daily", "@weekly,2020", "@monthly/2", "* @hourly", "@daily @daily"},
	"alias in any case":      {"@midnight", "@DAILY", " @Midnight\n", "@yEARLY"},
	"eighth field":           {"0 0 0 * * * * *", "0 0 0 * * * * what ever"},
	"empty item":             {"0,,5 * * * *", ",0 * * * *", "0 0 1, * *", "0 0 * * MON,"},
	"garbage behind a star":  {"*,61 * * * *", "0 ?,x * * *", "0 0 1 *,13,L *", "0 0 1 1 * *,1969"},
	"7 as a start":           {"0 0 * * 7/2", "0 0 * * 7-5", "0 0 * * 07-7/1", "0 0 * * 7-SUN", "0 0 * * 7-0"},
	"reversed range":         {"30-20 * * * *", "0 20-8/2 * * *", "0 0 31-1 * *", "0 0 1 DEC-1 *", "0 0 * * 5-0", "0 0 1 1 * 2030-2020"},
	"year as a step":         {"0 0 1 1 * */1970", "0 0 1 1 * 2020-2040/2099"},
	"month 01-09":            {"0 0 1 01 *", "0 0 1 05-8 *", "0 0 1 MAY-09/2 *", "0 0 1 12,06 *"},
	"weekday 01-06":          {"0 0 * * 05", "0 0 * * MON-05", "0 0 * * 05#3", "0 0 * * 05L", "0 0 * * 01/2", "0 0 * * 06,1"},
	"weekday range to 7":     {"0 0 * * 5-7", "0 0 * * 0-7", "0 0 * * FRI-SUN", "0 0 * * 1-Sunday/2", "0 0 * * sun-07/3"},
	"year step 60-129":       {"0 0 1 1 * */60", "0 0 1 1 * 2026-2099/73", "0 0 1 1 * 1970/129"},
}

// TestRulesLeaveTheRestAlone has what looks like a deliberate difference and is none.
func TestRulesLeaveTheRestAlone(t *testing.T) {
	start := time.Date(2026, 5, 20, 12, 34, 56, 789, time.UTC)
	for _, text := range []string{
		"@daily", " @hourly\t", "05 08 09 * *", "0 0 1-05 10-12/02 *", "0 0 * * 00", "0 0 * * 07", "0 0 * * 7-7", "0 0 * * 7",
		"0 0 * * 7#1", "0 0 * * 07L", "0 0 * * sun-sun", "0 0 * * 0-SUN", "0 0 * * sun-sat", "0 0 1 1 * */59", "*,5 * * * *",
		"*,5-9/2 * * * *", "0 0 *,x * *", "0 0 LW,15w,l 2 fri#5,5L", "",
	} {
		c := compare(parseJobs, text, start)
		assert.Empty(t, c.applied, "%q", text)
		assert.True(t, c.agrees(), "%q: %v\n%v", text, c.cronexpr, c.ours)
	}
}

// TestCronexprTroubleIsADifference has expressions at which cronexpr panics or answers the past: no rule may take that
// for an answer, and the test survives it.
func TestCronexprTroubleIsADifference(t *testing.T) {
	start := time.Date(2026, 5, 20, 12, 34, 56, 789, time.UTC)
	for text, trouble := range map[string]string{
		"30-20 * * * *":   "panic: runtime error: index out of range [0] with length 0",
		"0 0 1 01 * 2027": "an answer that is not later", // 1 December 2026 again and again
	} {
		a := ask(parseCronexpr, text, start)
		require.NoError(t, a.err)
		assert.Equal(t, trouble, a.trouble, "%q: %v", text, a)
		assert.False(t, agree(a, a), "%q", text)
	}
	assert.True(t, overflows("0 0 * 01 1#5"))
	assert.False(t, overflows("0 0 1 01 1#5"))
}
