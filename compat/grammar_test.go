package compat_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// field is what may stand in one of the seven fields, written down once more than in the library so that
// a mistake there is none here.
type field struct {
	first, last int // as they may be written: a day of the week goes to 7
	largestStep int
	names       []string
}

const (
	secondField = iota
	minuteField
	hourField
	dayField
	monthField
	weekdayField
	yearField
)

var fields = [7]field{
	secondField: {first: 0, last: 59, largestStep: 59},
	minuteField: {first: 0, last: 59, largestStep: 59},
	hourField:   {first: 0, last: 23, largestStep: 23},
	dayField:    {first: 1, last: 31, largestStep: 31},
	monthField: {first: 1, last: 12, largestStep: 12, names: []string{"january", "february", "march", "april", "may",
		"june", "july", "august", "september", "october", "november", "december"}},
	weekdayField: {first: 0, last: 7, largestStep: 6, names: []string{"sunday", "monday", "tuesday", "wednesday",
		"thursday", "friday", "saturday"}},
	yearField: {first: 1970, last: 2099, largestStep: 59},
}

var (
	cronexprAliases = []string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"}

	// fixedZones are zones of the tz database whose clocks never change: where they do cronexpr is wrong.
	fixedZones = []string{"UTC", "Etc/GMT+5", "Etc/GMT-14", "Etc/GMT+12"}

	// garbage is refused as a rule; behind a * cronexpr lets it pass.
	garbage = []string{"60", "61", "99", "32W", "0W", "*/0", "*/60", "1/0", "0-60", "1--2", "-5", "5-", "/5", "1/", "*-5",
		"?/2", "L+3", "W", "WL", "5#6", "5#0", "#2", "8L", "x", "5+", "007", "1970", "2100", "1969", "jan", "juli", "Sund"}
)

// drawer draws from all of what cronexpr accepts, and a little from beside it.
type drawer struct{ *rand.Rand }

// drawerOf makes the drawer of one expression: each has its own seed, by which it can be drawn again.
func drawerOf(seed uint64) drawer { return drawer{rand.New(rand.NewPCG(seed, 0))} }

func (d drawer) oneIn(n int) bool { return d.IntN(n) == 0 }

func (d drawer) between(first, last int) int { return first + d.IntN(last-first+1) }

func (d drawer) oneOf(texts ...string) string { return texts[d.IntN(len(texts))] }

func (d drawer) expression() string {
	words := d.words()
	if d.oneIn(60) {
		alias := d.oneOf(cronexprAliases...)
		switch d.IntN(3) {
		case 0:
			words[d.IntN(len(words))] += alias
		case 1:
			words = []string{alias, d.list(yearField)}
		case 2:
			words = []string{fmt.Sprint(d.list(secondField), ",", alias, "/", d.step(yearField))}
		}
	}
	if d.oneIn(40) {
		words = append([]string{d.oneOf("TZ=", "CRON_TZ=") + d.oneOf(fixedZones...)}, words...)
	}
	blank := " "
	if d.oneIn(20) {
		blank = d.oneOf("\t", "  ", " \n", "\f", "\r\n")
		words = append(append([]string{""}, words...), "")
	}
	text := strings.Join(words, blank)
	if d.oneIn(25) {
		text = d.mistyped(text)
	}
	return text
}

func (d drawer) words() []string {
	if d.oneIn(50) {
		return []string{d.anyCase(d.oneOf(append(cronexprAliases, "@midnight")...))}
	}
	var words []string
	for place := range fields {
		words = append(words, d.list(place))
	}
	switch d.IntN(20) {
	case 0, 1, 2, 3, 4, 5:
		return words[minuteField:]
	case 6, 7, 8, 9, 10, 11:
		return words[minuteField:yearField]
	case 12:
		return append(words, d.list(d.IntN(7)))
	}
	return words
}

// mistyped changes, drops or doubles one character.
func (d drawer) mistyped(text string) string {
	i := d.IntN(len(text))
	switch d.IntN(3) {
	case 0:
		return text[:i] + text[i+1:]
	case 1:
		return text[:i+1] + text[i:]
	}
	const typed = "0123456789*?,-/#LWlw @aJ\t\v\x00\xa0"
	return text[:i] + string(typed[d.IntN(len(typed))]) + text[i+1:]
}

func (d drawer) list(place int) string {
	if place != hourField && d.oneIn(3) {
		return "*"
	}
	items := []string{d.item(place)}
	for d.oneIn(3) {
		items = append(items, d.item(place))
	}
	if d.oneIn(200) {
		items = append(items, "")
		d.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	}
	return strings.Join(items, ",")
}

func (d drawer) item(place int) string {
	if d.oneIn(150) {
		return d.oneOf(garbage...)
	}
	switch d.IntN(12) {
	case 0:
		return d.oneOf("*", "?")
	case 1, 2:
		return "*/" + d.step(place)
	case 3, 4:
		return d.valueRange(place)
	case 5:
		return d.valueRange(place) + "/" + d.step(place)
	case 6:
		return d.value(place) + "/" + d.step(place)
	case 7, 8:
		switch place {
		case dayField:
			return d.anyCase(d.oneOf("l", "lw", d.value(dayField)+"w"))
		case weekdayField:
			return d.anyCase(d.oneOf(d.value(weekdayField)+"l", fmt.Sprint(d.value(weekdayField), "#", d.between(1, 5))))
		}
	}
	return d.value(place)
}

func (d drawer) value(place int) string {
	f := fields[place]
	n := d.between(f.first, f.last)
	if place == yearField && !d.oneIn(4) {
		n = d.between(2018, 2040) // where the starts are
	}
	return d.written(place, n)
}

// valueRange draws most ranges in order, for the others are refused.
func (d drawer) valueRange(place int) string {
	f := fields[place]
	a, b := d.between(f.first, f.last), d.between(f.first, f.last)
	if a > b && !d.oneIn(25) {
		a, b = b, a
	}
	return d.written(place, a) + "-" + d.written(place, b)
}

// written writes a value as a number or, if it has one, by its name.
func (d drawer) written(place, n int) string {
	f := fields[place]
	switch {
	case len(f.names) > 0 && d.oneIn(3):
		name := f.names[(n-f.first)%len(f.names)]
		return d.anyCase(d.oneOf(name, name[:3]))
	case n < 10 && len(f.names) > 0 && d.oneIn(20), n < 10 && len(f.names) == 0 && d.oneIn(5):
		return fmt.Sprintf("0%d", n)
	}
	return fmt.Sprint(n)
}

func (d drawer) step(place int) string {
	switch {
	case place == yearField && d.oneIn(10):
		return fmt.Sprint(d.between(60, 129))
	case place == yearField && d.oneIn(10):
		return fmt.Sprint(d.between(1970, 2099))
	}
	n := d.between(1, fields[place].largestStep)
	if d.oneIn(2) {
		n = min(n, d.between(1, 5))
	}
	if n < 10 && d.oneIn(10) {
		return fmt.Sprintf("0%d", n)
	}
	return fmt.Sprint(n)
}

func (d drawer) anyCase(text string) string {
	switch d.IntN(4) {
	case 0:
		return text
	case 1:
		return strings.ToUpper(text[:1]) + text[1:]
	case 2:
		return strings.ToUpper(text)
	}
	mixed := []byte(text)
	for i, letter := range mixed {
		if letter >= 'a' && letter <= 'z' && d.oneIn(2) {
			mixed[i] -= 'a' - 'A'
		}
	}
	return string(mixed)
}

// start draws a start: in UTC or at a fixed offset, on the last or first moments of a year, month or day more often
// than chance would have it, and sometimes outside of the years that an expression can name.
func (d drawer) start() time.Time {
	location := time.UTC
	switch d.IntN(5) {
	case 0, 1:
		location = time.FixedZone("", 900*d.between(-56, 56))
	case 2:
		location = time.FixedZone("", d.between(-50_000, 50_000))
	}
	year := d.between(2015, 2041)
	if d.oneIn(10) {
		year = d.between(1965, 2102)
	}
	month, day := time.Month(d.between(1, 12)), d.between(1, 31)
	hour, minute, second, nanosecond := d.IntN(24), d.IntN(60), d.IntN(60), 0
	if d.oneIn(2) {
		nanosecond = d.IntN(1e9)
	}
	switch d.IntN(12) {
	case 0:
		hour, minute, second = 23, 59, 59
	case 1:
		day, hour, minute, second = d.between(-1, 1), d.oneOfInts(0, 23), d.oneOfInts(0, 59), d.oneOfInts(0, 59)
	case 2:
		month, day, hour, minute, second = 12, 31, 23, 59, d.oneOfInts(58, 59)
	}
	if d.oneIn(2000) {
		return time.Time{}
	}
	return time.Date(year, month, day, hour, minute, second, nanosecond, location)
}

func (d drawer) oneOfInts(a, b int) int {
	if d.oneIn(2) {
		return a
	}
	return b
}
