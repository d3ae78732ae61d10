package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// printTable prints the medians, a row for each metric and a column for each subject, and beside them how ours
// compares and whether it is what it must be.
func printTable(r results, w io.Writer) error {
	header := append(append([]string{""}, r.columns()...), "ours is", "must be", "")
	lines := [][]string{header}
	for _, row := range rows {
		if cells, any := tableLine(r, row, "jobs"); any {
			lines = append(lines, cells)
		}
	}
	for _, row := range variantRows {
		if r.figure(row.variant, row.place, row.metric).outcome != notMeasured {
			cells, _ := tableLine(r, row.row, row.ours)
			lines = append(lines, cells)
		}
	}
	_, err := io.WriteString(w, aligned(lines)+"\n"+footer(r))
	return err
}

// tableLine returns a row's cells, and whether anything was asked for in it. ourName is the subject that is compared.
func tableLine(r results, row row, ourName string) (cells []string, any bool) {
	cells = []string{row.label}
	for _, name := range r.columns() {
		f := r.figure(name, row.place, row.metric)
		any = any || f.outcome != notMeasured
		cells = append(cells, f.String())
	}
	ours := r.figure(ourName, row.place, row.metric)
	cells = append(cells, ratio(ours, r.figureBeside(row), row.beside))
	text, reached := verdict(r, row, ours)
	return append(cells, text, reached), any
}

// columns returns the subjects that have one.
func (r results) columns() []string {
	names := slices.Clone(subjectNames)
	for _, variant := range variants {
		if slices.ContainsFunc(r.Samples, func(s sample) bool { return s.Subject == variant }) {
			names = append(names, variant)
		}
	}
	return names
}

func (f figure) String() string {
	text := string(f.outcome)
	if f.outcome == measured {
		text = number(f.value)
	}
	if f.shaky && f.outcome != notApplicable {
		return "~" + text
	}
	return text
}

// ratio returns how often the other figure goes into ours.
func ratio(ours, other figure, name string) string {
	if ours.outcome != measured || other.outcome != measured || ours.value < 0 || other.value <= 0 {
		return ""
	}
	return number(ours.value/other.value) + " × " + name
}

// verdict returns what ours must be, and whether it is.
func verdict(r results, row row, ours figure) (text, reached string) {
	if row.must == nil {
		return "", ""
	}
	limit, known := row.must.limit(r, row)
	if !known {
		return "?", ""
	}
	sign, holds := "≤ ", ours.value <= limit
	if row.higher {
		sign, holds = "≥ ", ours.value >= limit
	}
	switch {
	case ours.outcome != measured:
		reached = ""
	case holds:
		reached = "yes"
	default:
		reached = "NO"
	}
	if ours.shaky && reached != "" {
		reached += " ~"
	}
	return sign + number(limit), reached
}

// number formats a number with three digits that count, or all of those before the point, in groups of three.
func number(x float64) string {
	switch size := math.Abs(x); {
	case size < 0.0005: // less than anything here means
		return "0"
	case size < 0.995:
		return strconv.FormatFloat(x, 'g', 2, 64)
	case size < 9.995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case size < 99.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(math.Abs(x), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if x < 0 {
		return "-" + digits
	}
	return digits
}

// aligned lays cells out in columns: the first to the left, the others to the right.
func aligned(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, cells := range lines {
		for i, cell := range cells {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var text strings.Builder
	for _, cells := range lines {
		var line strings.Builder
		for i, cell := range cells {
			padding := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == 0 {
				line.WriteString(cell + padding)
			} else {
				line.WriteString("  " + padding + cell)
			}
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return text.String()
}

// footer explains the marks, and says how busy the machine was.
func footer(r results) string {
	rounds, disturbed, known, seconds := 0, 0, 0, 0.0
	for _, s := range r.Samples {
		rounds = max(rounds, s.Round)
		seconds += s.Seconds
		if s.Foreign != unknown {
			known++
		}
		if s.Foreign > foreignLimit {
			disturbed++
		}
	}
	text := fmt.Sprintf("%s, %s, %s, GOMAXPROCS %d; %s in %.0f s. Medians; less is better, but for executions a second.\n"+
		"n/a: README.md says why. > limit: it lasted longer than %v. ~: not to be trusted, see there.\n",
		r.Machine.Go, r.Machine.Platform, r.Machine.CPU, r.Machine.GOMAXPROCS, counted(rounds, "round"), seconds, childLimit)
	if r.Before != "" {
		text += "before: the library at commit " + r.Before + ".\n"
	}
	if known == 0 {
		return text + "This system does not tell (in /proc/stat) whether the machine was busy with anything else.\n"
	}
	return text + fmt.Sprintf("The machine was busy with something else, for more than %.0f %%, in %d of %d measurements.\n",
		foreignLimit*100, disturbed, known)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
