package compat_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// telling is what cronexpr must be told so that its answer is what an expression means here.
type telling struct {
	text     string
	location *time.Location // in which it must be asked; nil for the start's
	refused  bool           // nothing: it is an error here, whatever cronexpr makes of it
}

// rule is a way in which we differ from cronexpr on purpose. It applies to a telling, which rules before it
// may have changed, or it does not.
//
// A rule says how we differ, not only that we do: what we refuse must be refused, and what we read differently is
// compared with cronexpr told the same in its own way. So a rule that applies where it should not fails too.
type rule struct {
	name     string
	sentence string // the sentence of SCHEDULES.md that it stands for
	apply    func(*telling) bool
}

var rules = []rule{
	{"zone before the fields", "An optional first word `CRON_TZ=Zone` or `TZ=Zone`", takeZone},
	{"alias inside the text", "cronexpr … replaces aliases anywhere in the text", refuse(aliasInside)},
	{"alias in any case", "`@hourly @daily @midnight @weekly @monthly @yearly @annually`, any case", plainAlias},

	// What is refused comes first, so that its rules see what was written.
	{"eighth field", "cronexpr … ignores an eighth field", refuse(func(text string) bool { return len(wordsOf(text)) > 7 })},
	{"empty item", "cronexpr … ignores … empty items", refuseItem(func(_ int, list []string, i int) bool { return list[i] == "" })},
	{"garbage behind a star", "Errors, naming field and item: … values out of range, … garbage", refuseItem(garbageBehindStar)},
	{"7 as a start", "7 may end a range and may start only `7-7`, without a step", refuseItem(sevenStarts)},
	{"reversed range", "cronexpr reads … a reversed range as nothing (its Next then panics)", refuseItem(reversed)},
	{"year as a step", "The largest step is … 129 for the year", refuseItem(yearAsStep)},

	{"month 01-09", "cronexpr reads month `01` as month 0", rewrite(monthField, func(item string) string {
		return zeroBeforeMonth.ReplaceAllString(item, "$1$2")
	})},
	{"weekday 01-06", "cronexpr reads … weekday `05` as Sunday", rewrite(weekdayField, func(item string) string {
		return zeroBeforeWeekday.ReplaceAllString(item, "$1$2")
	})},
	{"weekday range to 7", "cronexpr reads … `5-7` as nothing", rewrite(weekdayField, sundayAtEnd)},
	{"year step 60-129", "The largest step is … 129 for the year", rewrite(yearField, longYearStep)},
}

// tell applies the rules to an expression, and returns which did.
func tell(text string) (told telling, applied []rule) {
	told.text = text
	for _, rule := range rules {
		if rule.apply(&told) {
			applied = append(applied, rule)
		}
	}
	return told, applied
}

// wordsOf parts a text as cronexpr does, by `\S+`.
func wordsOf(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" \t\n\f\r", c) })
}

func refuse(matches func(text string) bool) func(*telling) bool {
	return func(told *telling) bool {
		matched := matches(told.text)
		told.refused = told.refused || matched
		return matched
	}
}

// refuseItem is refuse for one item of a field's list, in lower case.
func refuseItem(matches func(place int, list []string, i int) bool) func(*telling) bool {
	return refuse(func(text string) bool {
		for place, word := range placed(text) {
			list := strings.Split(strings.ToLower(word), ",")
			for i := range list {
				if matches(place, list, i) {
					return true
				}
			}
		}
		return false
	})
}

// rewrite puts something else in the place of items of one field. It is given them in lower case, and leaves
// the case of those that it does not change.
func rewrite(place int, instead func(item string) string) func(*telling) bool {
	return func(told *telling) bool {
		word, found := placed(told.text)[place]
		if !found {
			return false
		}
		list := strings.Split(word, ",")
		changed := false
		for i, item := range list {
			if lower := strings.ToLower(item); instead(lower) != lower {
				list[i], changed = instead(lower), true
			}
		}
		if changed {
			words := wordsOf(told.text)
			words[place-skipped(words)] = strings.Join(list, ",")
			told.text = strings.Join(words, " ")
		}
		return changed
	}
}

// placed is the words of a text by the place of their field, as far as cronexpr looks at them.
func placed(text string) map[int]string {
	words := wordsOf(text)
	if len(words) < 5 {
		return nil
	}
	byPlace := make(map[int]string, 7)
	for i, word := range words[:min(len(words), 7)] {
		byPlace[i+skipped(words)] = word
	}
	return byPlace
}

// skipped is how many fields are left out in front.
func skipped(words []string) int {
	if len(words) < 7 {
		return 1
	}
	return 0
}

func takeZone(told *telling) bool {
	words := wordsOf(told.text)
	if len(words) == 0 {
		return false
	}
	zone, found := strings.CutPrefix(strings.TrimPrefix(words[0], "CRON_"), "TZ=")
	location, err := time.LoadLocation(zone)
	if !found || zone == "" || err != nil {
		return false
	}
	told.location, told.text = location, strings.Join(words[1:], " ")
	return true
}

func aliasInside(text string) bool {
	return slices.ContainsFunc(cronexprAliases, func(alias string) bool {
		return strings.Contains(text, alias) && !slices.Equal(wordsOf(text), []string{alias})
	})
}

func plainAlias(told *telling) bool {
	words := wordsOf(told.text)
	if len(words) != 1 || slices.Contains(cronexprAliases, words[0]) {
		return false
	}
	alias := strings.ToLower(words[0])
	if alias == "@midnight" {
		alias = "@daily"
	}
	if !slices.Contains(cronexprAliases, alias) {
		return false
	}
	told.text = alias
	return true
}

// The zeros before the single digit of a value, not of a step. What cronexpr reads for want of the value in its
// table is 0, so it has weekdays 00 and 07 right.
var (
	zeroBeforeMonth   = regexp.MustCompile(`(^|-)0([1-9]\b)`)
	zeroBeforeWeekday = regexp.MustCompile(`(^|-)0([1-6]l?\b)`)
)

func sevenStarts(place int, list []string, i int) bool {
	s, ok := readSpan(place, list[i])
	return ok && place == weekdayField && s.first == 7 && (s.isRange || s.hasStep) &&
		!(s.isRange && s.last == 7 && !s.hasStep)
}

func reversed(place int, list []string, i int) bool {
	s, ok := readSpan(place, list[i])
	return ok && s.isRange && s.first > s.last && !(place == weekdayField && s.first == 7)
}

// garbageBehindStar: cronexpr stops reading at the first * or ? of a field that holds no days.
func garbageBehindStar(place int, list []string, i int) bool {
	if place == dayField || place == weekdayField || !slices.ContainsFunc(list[:i], free) {
		return false
	}
	_, isSpan := readSpan(place, list[i])
	return !isSpan && !free(list[i]) && list[i] != ""
}

func free(item string) bool { return item == "*" || item == "?" }

// yearAsStep: cronexpr reads steps by the same table as values, and the year's limit is 2099.
func yearAsStep(place int, list []string, i int) bool {
	s, ok := readSpan(place, list[i])
	return ok && place == yearField && s.step >= 1970 && s.step <= 2099
}

func longYearStep(item string) string {
	s, ok := readSpan(yearField, item)
	if !ok || s.step < 60 || s.step > 129 {
		return item
	}
	return s.spelledOut()
}

// sundayAtEnd spells out the ranges that end on a Sunday as the last day of the week.
func sundayAtEnd(item string) string {
	s, ok := readSpan(weekdayField, item)
	if !ok || !s.isRange || s.last != 7 || s.first == 7 || s.hasStep && (s.step < 1 || s.step > 6) {
		return item
	}
	return s.spelledOut()
}

// span is an item of the forms */s, a, a-b, a/s and a-b/s.
type span struct {
	first, last, step int // last is that of the field if there is none, step 1
	isRange, hasStep  bool
}

var spanPattern = regexp.MustCompile(`^(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?$`)

// readSpan reads an item, in lower case, by SCHEDULES.md. A step that is no number cronexpr knows is 0.
func readSpan(place int, item string) (s span, ok bool) {
	match := spanPattern.FindStringSubmatch(item)
	if match == nil {
		return s, false
	}
	first, last, step := match[1], match[2], match[3]
	s = span{first: fields[place].first, last: fields[place].last, step: 1, isRange: last != "", hasStep: step != ""}
	if place == weekdayField {
		s.last = 6
	}
	if first != "" {
		s.first, ok = valueOf(place, first)
	} else {
		ok = s.hasStep
	}
	if ok && s.isRange {
		s.last, ok = valueOf(place, last)
		if place == weekdayField && s.first > 0 && s.first < 7 && strings.HasPrefix(last, "sun") {
			s.last = 7
		}
	}
	if s.hasStep {
		s.step = 0
		if len(step) <= 2 || step[0] != '0' {
			s.step, _ = strconv.Atoi(step)
		}
	}
	return s, ok
}

// spelledOut is the list of the span's values.
func (s span) spelledOut() string {
	var values []string
	for n := s.first; n <= s.last; n += s.step {
		values = append(values, fmt.Sprint(n))
	}
	return strings.Join(values, ",")
}

func valueOf(place int, text string) (n int, ok bool) {
	f := fields[place]
	for i, name := range f.names {
		if text == name || text == name[:3] {
			return f.first + i, true
		}
	}
	n, err := strconv.Atoi(text)
	fits := len(text) <= 2
	if place == yearField {
		fits = len(text) == 4
	}
	return n, err == nil && fits && n >= f.first && n <= f.last
}
