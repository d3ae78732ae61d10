package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A fieldSpec says what one of the seven fields may contain.
type fieldSpec struct {
	name        string
	first, last int
	// highest is the highest number that may be written: last, but 7 for a day of the week.
	highest     int
	largestStep int
	// names are the names of the values from first on, in lower case. Their first three letters are enough.
	names []string
	// values describes the values in errors.
	values string
	// read parses an item in lower case that is not empty, * or ?.
	read func(f *fieldSpec, text string) (listItem, error)
}

// The positions of the fields among the seven.
const (
	secondField = iota
	minuteField
	hourField
	dayField
	monthField
	weekdayField
	yearField
	fieldCount
)

var fieldSpecs = [fieldCount]fieldSpec{
	{name: "second", first: 0, last: 59, highest: 59, largestStep: 59,
		values: "0-59", read: (*fieldSpec).readRange},
	{name: "minute", first: 0, last: 59, highest: 59, largestStep: 59,
		values: "0-59", read: (*fieldSpec).readRange},
	{name: "hour", first: 0, last: 23, highest: 23, largestStep: 23,
		values: "0-23", read: (*fieldSpec).readRange},
	{name: "day of month", first: 1, last: 31, highest: 31, largestStep: 31,
		values: "1-31, L, LW, 1W-31W, L-1 to L-30, L-1W to L-30W", read: (*fieldSpec).readDay},
	{name: "month", first: 1, last: 12, highest: 12, largestStep: 12,
		values: "1-12, JAN-DEC", read: (*fieldSpec).readRange,
		names: []string{"january", "february", "march", "april", "may", "june",
			"july", "august", "september", "october", "november", "december"}},
	{name: "day of week", first: 0, last: 6, highest: 7, largestStep: 6,
		values: "0-7, SUN-SAT, 5L, 5#3", read: (*fieldSpec).readWeekday,
		names: []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}},
	{name: "year", first: firstYear, last: lastYear, highest: lastYear, largestStep: 129,
		values: "1970-2099", read: (*fieldSpec).readRange},
}

// A listItem is one item of a field's list, parsed and checked.
type listItem struct {
	form itemForm
	// first, last and step are those of a range. A single value is a range of one, and a Sunday at the end
	// of a range is 7. The other forms have their value in first: L and LW the number of days before the last. nthWeekdayItem
	// has its week in step.
	first, last, step int
	// star: the range is written */s.
	star bool
}

// isStar reports whether the item is *, ? or */s.
func (i listItem) isStar() bool { return i.form == anyItem || i.star }

type itemForm int

const (
	rangeItem          itemForm = iota // n, a-b, */s, a-b/s, a/s
	anyItem                            // *, ?; robfig/cron does not have the forms below
	lastDayItem                        // L, L-3
	lastWorkdayItem                    // LW, L-3W
	nearestWorkdayItem                 // 15W
	lastWeekdayItem                    // 5L
	nthWeekdayItem                     // 5#3
)

// readItem parses one item of the field's list.
func (f *fieldSpec) readItem(text string) (item listItem, err error) {
	switch text = strings.ToLower(text); text {
	case "":
		return item, errors.New("it is empty; there is a comma too many")
	case "*", "?":
		return listItem{form: anyItem, first: f.first, last: f.last, step: 1}, nil
	}
	if text == "h" || strings.HasPrefix(text, "h/") || strings.HasPrefix(text, "h(") {
		return item, errors.New("there is no H as in Jenkins; write a value, and spread jobs with jobs.WithJitter")
	}
	item, err = f.read(f, text)
	if err == nil && item.form == rangeItem && item.first > item.last {
		err = fmt.Errorf("the range runs backwards; %s", f.forwards(item))
	}
	return item, err
}

// forwards says what to write instead of a range that runs backwards.
func (f *fieldSpec) forwards(item listItem) string {
	switch {
	case f.first == firstYear: // years do not begin again
		return fmt.Sprintf("was %d-%d meant?", item.last, item.first)
	case item.step == 1:
		return fmt.Sprintf("write it as two, %d-%d,%d-%d", item.first, f.last, f.first, item.last)
	}
	var values []string
	all := f.last - f.first + 1
	for value := item.first; value <= item.last+all; value += item.step {
		values = append(values, strconv.Itoa(f.first+(value-f.first)%all))
	}
	return "write the values, " + strings.Join(values, ",")
}

// readRange parses an item of a form that every field may have.
func (f *fieldSpec) readRange(text string) (item listItem, err error) {
	body, step, hasStep := strings.Cut(text, "/")
	first, last, hasLast := strings.Cut(body, "-")
	switch {
	case body == "?":
		return item, errors.New("? takes no step; write * instead")
	case body == "" && hasStep:
		return item, errors.New("nothing stands before the /; write * for every value")
	case hasStep && step == "":
		return item, errors.New("nothing stands after the /")
	case hasLast && first == "":
		return item, errors.New("nothing stands before the -")
	case hasLast && last == "":
		return item, errors.New("nothing stands after the -")
	case body == "*":
		item.first, item.last, item.star = f.first, f.last, true
	case hasLast:
		item.first, err = f.value(first)
		if err == nil {
			item.last, err = f.value(last)
		}
	default:
		item.first, err = f.value(first)
		item.last = item.first
		if hasStep {
			item.last = f.last
		}
	}
	item.step = 1
	if err == nil && hasStep {
		item.step, err = f.stepValue(step)
	}
	return item, err
}

// errLoneL is about a form that Quartz has.
var errLoneL = errors.New("no day stands before the L; allowed are FRIL and 5L, the last Friday; what Quartz means by L alone is SAT")

// readDay parses an item of the day-of-month field.
func (f *fieldSpec) readDay(text string) (item listItem, err error) {
	day, isWorkday := strings.CutSuffix(text, "w")
	offset, isLast := strings.CutPrefix(day, "l")
	switch {
	case isLast:
		item.form = lastDayItem
		if isWorkday {
			item.form = lastWorkdayItem
		}
		item.first, err = daysBeforeLast(offset)
	case text == "w":
		err = errors.New("no day stands before the W, as in 15W")
	case isWorkday:
		item.form = nearestWorkdayItem
		item.first, err = f.value(day)
	default:
		return f.readRange(text)
	}
	return item, err
}

// largestOffset is the largest n of L-n. In a month of 31 days L-30 is the first; a shorter one has no such day.
const largestOffset = 30

// daysBeforeLast parses what follows an L: nothing, or -n.
func daysBeforeLast(text string) (int, error) {
	digits, found := strings.CutPrefix(text, "-")
	n, ok := decimal(digits)
	switch {
	case text == "":
		return 0, nil
	case !found || !ok || n < 1 || n > largestOffset:
		return 0, fmt.Errorf("after L may come the number of days before the last, -1 to -%d", largestOffset)
	}
	return n, nil
}

// readWeekday parses an item of the day-of-week field.
func (f *fieldSpec) readWeekday(text string) (item listItem, err error) {
	weekday, isLast := strings.CutSuffix(text, "l")
	weekday, week, isNth := strings.Cut(weekday, "#")
	switch {
	case text == "l":
		return item, errLoneL
	case isNth && weekday == "":
		return item, errors.New("no day stands before the #, as in FRI#3")
	case isNth && (isLast || len(week) != 1 || week < "1" || week > "5"):
		return item, errors.New("after # must come the week, 1 to 5")
	case isNth:
		item.form = nthWeekdayItem
		item.step = int(week[0] - '0')
	case isLast:
		item.form = lastWeekdayItem
	default:
		if item, err = f.readRange(text); err == nil {
			err = item.settleSunday(text)
		}
		return item, err
	}
	item.first, err = f.value(weekday)
	item.first %= 7
	return item, err
}

// settleSunday makes Sunday 7 at the end of a range, as a number or by name, and 0 everywhere else.
func (i *listItem) settleSunday(text string) error {
	hasStep := strings.Contains(text, "/")
	switch {
	case i.first == 7 && i.last == 7 && !hasStep:
		i.first, i.last = 0, 0
	case i.first == 7:
		return errors.New("7 starts no range; Sunday is 0 there")
	case i.first > 0 && strings.Contains(text, "-sun"):
		i.last = 7
	}
	return nil
}

// value parses a number or a name.
func (f *fieldSpec) value(text string) (int, error) {
	for i, name := range f.names {
		if text == name || text == name[:3] {
			return f.first + i, nil
		}
	}
	n, ok := decimal(text)
	if !ok {
		return 0, fmt.Errorf("%q is no %s; allowed are %s, *, ?, ranges a-b, steps /s and lists of these", text, f.name, f.values)
	}
	if n < f.first || n > f.highest {
		return 0, fmt.Errorf("%s is out of range; allowed are %s", text, f.values)
	}
	return n, nil
}

func (f *fieldSpec) stepValue(text string) (int, error) {
	n, ok := decimal(text)
	if !ok || n < 1 || n > f.largestStep {
		return 0, fmt.Errorf("no step %q; allowed are 1 to %d", text, f.largestStep)
	}
	return n, nil
}

// decimal parses decimal digits. A single digit may have one leading zero.
func decimal(text string) (n int, ok bool) {
	if text == "" || text[0] == '0' && len(text) > 2 {
		return 0, false
	}
	for _, digit := range []byte(text) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = min(10*n+int(digit-'0'), 9999) // 9999 is out of range in every field
	}
	return n, true
}

// appendTo appends the item in numbers. If it is a range or any value, robfig/cron can parse the result.
func (i listItem) appendTo(text []byte, f *fieldSpec) []byte {
	number := func(n int) { text = strconv.AppendInt(text, int64(n), 10) }
	switch i.form {
	case anyItem:
		text = append(text, '*')
	case lastDayItem, lastWorkdayItem:
		text = append(text, 'L')
		if i.first > 0 {
			number(-i.first)
		}
		if i.form == lastWorkdayItem {
			text = append(text, 'W')
		}
	case nearestWorkdayItem:
		number(i.first)
		text = append(text, 'W')
	case lastWeekdayItem:
		number(i.first)
		text = append(text, 'L')
	case nthWeekdayItem:
		number(i.first)
		text = append(text, '#')
		number(i.step)
	case rangeItem:
		last := min(i.last, f.last)
		switch {
		case i.star:
			text = append(text, '*')
		case i.first == last:
			number(i.first)
		default:
			number(i.first)
			text = append(text, '-')
			number(last)
		}
		if i.star || i.step > 1 && i.first < last {
			text = append(text, '/')
			number(i.step)
		}
		if i.last > f.last && (i.last-i.first)%i.step == 0 {
			text = append(text, ",0"...) // the Sunday at the end of a range of weekdays
		}
	}
	return text
}
