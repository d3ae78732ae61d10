package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A dialect is how another scheduler reads cron expressions. Its parser translates an expression into the seven fields
// that Parse reads, so what those mean is defined in one place, and String can return them.
type dialect struct {
	name string
	// fields are those of an expression, in its order. Those beyond fewest may be left out.
	fields []dialectField
	fewest int
	// fieldNames describes them in errors.
	fieldNames string
	// alias returns the alias that the dialect means by a word. It is nil if the dialect has none.
	alias func(word string) string

	// marks says which items with L, W and # there are.
	marks marks
	// wraps: a range may run backwards, over the end of its field. If it may not, backwards completes the error.
	wraps     bool
	backwards string
	// startSteps: a step may follow a single value, as in 5/10.
	startSteps bool
	// numberSteps: a step follows numbers only, and a range has two numbers or two names.
	numberSteps bool

	// join completes the day fields, which depend on each other, given the words from which they were translated.
	join func(words []string, fields *[fieldCount]string) error
}

// marks are the items that a dialect has beside ranges.
type marks int

const (
	noMarks marks = iota
	// quartzMarks: ?, L, L-3, LW, L-3W and 15W; ?, 6L, 6#3, and L for Saturday, none of them in a list.
	quartzMarks
	// springMarks: ?, L, L-3, LW and 15W in capitals; ?, 5L and 5#3.
	springMarks
)

// A dialectField is one field of a dialect, with the numbers that the dialect uses.
type dialectField struct {
	place int // among the seven fields
	// first and last are the ends of the field.
	first, last int
	// sunday is the number that SUN stands for, in the day-of-week field. If it is 7, Sunday may also be written as 0.
	sunday int
	// largestStep is that of a step without an end; 0 if there is none.
	largestStep int
	// values describes the values in errors.
	values string
}

func (f *dialectField) spec() *fieldSpec { return &fieldSpecs[f.place] }

// own returns the library's number for a value, which may be beyond the end of its field.
func (f *dialectField) own(value int) int {
	spec := f.spec()
	switch {
	case f.place == weekdayField:
		return (value - f.sunday%7) % 7
	case value > spec.last:
		return value - (spec.last - spec.first + 1)
	}
	return value
}

// parse parses an expression of the dialect.
func (d *dialect) parse(expr string, words []string) (*Schedule, error) {
	if err := checkLength(expr); err != nil {
		return nil, err
	}
	location, words, err := cutZone(words)
	schedule := &Schedule{location: location}
	var fields [fieldCount]string
	if err == nil {
		fields, err = d.translate(words)
	}
	if err == nil {
		err = schedule.readWords(fields[:])
	}
	if err != nil {
		return nil, fmt.Errorf("%s schedule %q: %w", d.name, expr, err)
	}
	return schedule, nil
}

// translate returns the seven fields that mean the same as the words of an expression.
func (d *dialect) translate(words []string) (fields [fieldCount]string, err error) {
	if len(words) > 0 && words[0][0] == '@' {
		return d.translateAlias(words)
	}
	if len(words) < d.fewest || len(words) > len(d.fields) {
		return fields, fmt.Errorf("%d fields; there must be %s", len(words), d.fieldNames)
	}
	fields[secondField], fields[yearField] = "0", "*"
	for i, list := range words {
		field := &d.fields[i]
		if fields[field.place], err = d.translateList(field, list); err != nil {
			return fields, err
		}
	}
	return fields, d.join(words, &fields)
}

func (d *dialect) translateAlias(words []string) (fields [fieldCount]string, err error) {
	switch word := words[0]; {
	case word == "@reboot":
		return fields, errors.New("@reboot names no time; a job that is registered with jobs.Once executes once after each start")
	case word == "@every":
		return fields, errors.New("@every names no times but an interval; register the job with jobs.Every")
	case d.alias != nil && len(words) == 1:
		if fields, found := aliases[d.alias(word)]; found {
			return fields, nil
		}
	}
	return fields, fmt.Errorf("%q is no alias of %s", strings.Join(words, " "), d.name)
}

// translateList translates the list of one field.
func (d *dialect) translateList(field *dialectField, list string) (string, error) {
	items := strings.Split(list, ",")
	for i, item := range items {
		text, err := d.translateItem(field, item, len(items) == 1)
		if err != nil {
			return "", fmt.Errorf("%s field, item %q: %w", field.spec().name, item, err)
		}
		items[i] = text
	}
	return strings.Join(items, ","), nil
}

// translateItem translates one item of a list, or one that is alone.
func (d *dialect) translateItem(field *dialectField, item string, alone bool) (string, error) {
	text := strings.ToLower(item)
	if err := d.refuse(text); err != nil {
		return "", err
	}
	if d.marks == noMarks {
		return d.translateRange(field, text)
	}
	isDay, isWeekday := field.place == dayField, field.place == weekdayField
	switch {
	case text == "?" && alone && (isDay || isWeekday):
		return "*", nil
	case text == "?":
		return "", errors.New("? is only for the day of month or the day of week, alone")
	case isDay && strings.ContainsAny(text, "lw"):
		return d.translateDay(field, item)
	case isWeekday && (strings.HasSuffix(text, "l") || strings.Contains(text, "#")):
		if d.marks == quartzMarks && !alone {
			return "", fmt.Errorf("%s takes L and # only without a list", d.name)
		}
		return d.translateWeekday(field, text)
	}
	return d.translateRange(field, text)
}

// refuse returns an error for items, in lower case, that mean something elsewhere and cannot be had here.
func (d *dialect) refuse(text string) error {
	number := func(suffix string) bool {
		before, found := strings.CutSuffix(text, suffix)
		return found && strings.Trim(before, "0123456789") == ""
	}
	switch {
	case text == "":
		return errors.New("it is empty; there is a comma too many")
	case strings.Contains(text, "~"):
		return errors.New("~ has a value chosen at random; write a number")
	case text == "h" || strings.HasPrefix(text, "h/") || strings.HasPrefix(text, "h("):
		return errors.New("there is no H as in Jenkins; write a number")
	case number("c"):
		return errors.New("there is no C as in Quartz, which asks a calendar; write a number")
	case d.marks == noMarks && (text == "?" || number("l") || number("w") || text == "lw" || strings.Contains(text, "#")):
		return fmt.Errorf("%s has no ?, L, W and #", d.name)
	}
	return nil
}

// translateDay translates an item of the day-of-month field that contains an L or a W.
func (d *dialect) translateDay(field *dialectField, item string) (string, error) {
	if d.marks == springMarks && strings.ToUpper(item) != item {
		return "", fmt.Errorf("%s reads L and W as capitals only", d.name)
	}
	item = strings.ToUpper(item)
	body, isWorkday := strings.CutSuffix(item, "W")
	offset, hasOffset := strings.CutPrefix(body, "L-")
	n, isNumber := anyDecimal(offset)
	switch {
	case body == "L":
		return item, nil
	case hasOffset && isWorkday && d.marks == springMarks:
		return "", fmt.Errorf("%s has no W after L-n", d.name)
	case hasOffset && (!isNumber || n > largestOffset || n == 0 && d.marks == springMarks):
		return "", fmt.Errorf("after L- must come the number of days before the last, at most %d", largestOffset)
	case hasOffset && n == 0:
		return strings.Replace(item, "-"+offset, "", 1), nil
	case hasOffset:
		return strings.Replace(item, offset, strconv.Itoa(n), 1), nil
	case isWorkday:
		day, err := d.value(field, strings.ToLower(body))
		return strconv.Itoa(day) + "W", err
	}
	return "", fmt.Errorf("it is no day of month; allowed are %s", field.values)
}

// translateWeekday translates an item of the day-of-week field, in lower case, that ends in L or contains a #.
func (d *dialect) translateWeekday(field *dialectField, text string) (string, error) {
	if text == "l" && d.marks == quartzMarks {
		return "6", nil
	}
	weekday, week, isNth := strings.Cut(text, "#")
	mark := "L"
	if isNth {
		mark = "#" + week
		if len(week) != 1 || week < "1" || week > "5" {
			return "", errors.New("after # must come the week, 1 to 5")
		}
	} else {
		weekday = strings.TrimSuffix(weekday, "l")
	}
	if weekday == "" {
		return "", fmt.Errorf("no day stands before the %s", mark)
	}
	value, err := d.value(field, weekday)
	if err != nil {
		return "", err
	}
	return strconv.Itoa(field.own(value)) + mark, nil
}

// translateRange translates an item, in lower case, of a form that every field may have.
func (d *dialect) translateRange(field *dialectField, text string) (string, error) {
	body, stepText, hasStep := strings.Cut(text, "/")
	firstText, lastText, hasLast := strings.Cut(body, "-")
	step := 1
	if hasStep {
		var isNumber bool
		if step, isNumber = anyDecimal(stepText); !isNumber || step == 0 {
			return "", fmt.Errorf("no step %q; it must be a number above 0", stepText)
		}
		if field.largestStep > 0 && step > field.largestStep && !hasLast {
			return "", fmt.Errorf("no step %q; allowed are 1 to %d", stepText, field.largestStep)
		}
	}
	if body == "*" || body == "" && hasStep && d.marks == quartzMarks {
		return d.between(field, field.first, field.last, step, true)
	}
	first, err := d.value(field, firstText)
	last := first
	switch {
	case err != nil:
		return "", err
	case hasStep && d.numberSteps && isName(firstText):
		return "", fmt.Errorf("%s ignores a step after a name; write numbers", d.name)
	case hasLast && d.numberSteps && isName(firstText) != isName(lastText):
		return "", fmt.Errorf("%s has no range between a number and a name", d.name)
	case hasLast:
		if last, err = d.value(field, lastText); err != nil {
			return "", err
		}
	case hasStep && !d.startSteps:
		if first > field.spec().last {
			body = "0" // Sunday, as 7
		}
		return "", fmt.Errorf("%s has no step after a single value; write %s-%d/%d", d.name, body, field.spec().last, step)
	case hasStep:
		return d.between(field, first, field.last, step, true)
	}
	if field.sunday == 7 && first == 7 && hasLast {
		first = 0
	}
	return d.between(field, first, last, step, false)
}

// between translates a range of values. It is open if it goes to the end of its field since no end was written. If it also
// begins with the field, it is a star: those who write 0/5 for every five minutes mean */5.
func (d *dialect) between(field *dialectField, first, last, step int, open bool) (string, error) {
	spec := field.spec()
	if first > last {
		if !d.wraps || field.place == yearField {
			return "", errors.New("the range runs backwards" + d.backwards)
		}
		last += spec.last - spec.first + 1
	}
	var values []int
	for value := first; value <= last; value += step {
		values = append(values, field.own(value))
	}
	from, to := values[0], values[len(values)-1]
	switch {
	case open && step == 1 && first == field.first:
		return "*", nil
	case !slices.IsSorted(values) || from == to:
		return listOf(values), nil
	case open && from == spec.first:
		return "*/" + strconv.Itoa(step), nil
	}
	return fmt.Sprintf("%d-%d/%d", from, max(to, field.own(last)), step), nil
}

// listOf returns a list of values, in order and with ranges.
func listOf(values []int) string {
	slices.Sort(values)
	values = slices.Compact(values)
	var items []string
	for len(values) > 0 {
		row := 1
		for row < len(values) && values[row] == values[0]+row {
			row++
		}
		item := strconv.Itoa(values[0])
		if row > 1 {
			item += "-" + strconv.Itoa(values[row-1])
		}
		items = append(items, item)
		values = values[row:]
	}
	return strings.Join(items, ",")
}

// value parses a number, or a name in lower case.
func (d *dialect) value(field *dialectField, text string) (int, error) {
	for i, name := range field.spec().names {
		switch {
		case text == name && len(name) > 3:
			return 0, fmt.Errorf("%s knows names by three letters; write %s", d.name, strings.ToUpper(name[:3]))
		case text != name[:3]:
		case field.place == monthField:
			return field.first + i, nil
		case i == 0:
			return field.sunday, nil
		default:
			return field.sunday%7 + i, nil
		}
	}
	n, isNumber := anyDecimal(text)
	switch {
	case !isNumber:
		return 0, fmt.Errorf("%q is no %s; allowed are %s", text, field.spec().name, field.values)
	case n == 0 && field.sunday == 7:
		return 0, nil
	case n < field.first || n > field.last:
		return 0, fmt.Errorf("%s is out of range; allowed are %s", text, field.values)
	}
	return n, nil
}

func isName(text string) bool { return text != "" && text[0] > '9' }

// anyDecimal parses decimal digits, with any number of zeros in front.
func anyDecimal(text string) (n int, ok bool) {
	for _, digit := range []byte(text) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = min(10*n+int(digit-'0'), 9999) // out of range in every field
	}
	return n, text != ""
}

// isUnrestricted reports whether a translated day field is unrestricted.
func isUnrestricted(list string) bool { return slices.Contains(strings.Split(list, ","), "*") }

// intersect makes the days those that match both day fields. It changes nothing if only one is restricted.
func intersect(fields *[fieldCount]string) {
	if !isUnrestricted(fields[dayField]) && !isUnrestricted(fields[weekdayField]) {
		fields[weekdayField] = "+" + fields[weekdayField]
	}
}
