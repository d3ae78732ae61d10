// Package stacks shows the stack traces of many goroutines in little space and time.
package stacks

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
)

// crowd is a number of goroutines of which the stack traces cannot be had in the time that somebody waits for them:
// the runtime writes about a hundred in a millisecond, with the world stopped.
const crowd = 5_000

// Of returns the stack traces of the goroutines that are in the named function and whose trace is wanted, as far as
// they fit into so many bytes. Those that differ only in the goroutine, how long it has waited, and values are shown
// once, with their number.
//
// In a crowd of thousands of goroutines it takes the runtime's profile of them, which has no values: then it cannot
// ask what is wanted, and shows all that are in the function.
func Of(function string, wanted func(trace string) bool, most int) string {
	if runtime.NumGoroutine() > crowd {
		return profile(function, most)
	}
	groups := make(map[string]*group)
	var order []*group
	for trace := range strings.SplitSeq(all(), "\n\n") {
		if !strings.Contains(trace, function+"(") || !wanted(trace) {
			continue
		}
		key := shape(trace)
		g := groups[key]
		if g == nil {
			g = &group{first: trace}
			groups[key] = g
			order = append(order, g)
		}
		g.goroutines++
	}
	var shown excerpt
	for _, g := range order {
		shown.add(g.String(), most)
	}
	return shown.String()
}

// An excerpt is a list of stacks of limited length.
type excerpt struct {
	strings.Builder
	omitted bool
}

func (e *excerpt) add(stack string, most int) {
	switch {
	case e.omitted:
	case e.Len()+len(stack) > most:
		e.omitted = true
		e.WriteString("\n\nand other stacks")
	default:
		e.WriteString("\n\n" + stack)
	}
}

// A group is goroutines with the same stack.
type group struct {
	first      string
	goroutines int
}

func (g *group) String() string {
	if g.goroutines == 1 {
		return g.first
	}
	return fmt.Sprintf("%d goroutines with this stack, one of them:\n%s", g.goroutines, g.first)
}

// all returns the stack traces of all goroutines.
func all() string {
	const usual = 4 << 10 // bytes of a trace: more than most need, since another attempt would stop the world again
	for size := 1<<20 + runtime.NumGoroutine()*usual; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return strings.TrimSpace(string(buf[:n]))
		}
	}
}

// shape returns what stack traces of the same functions at the same lines have in common.
func shape(trace string) string {
	shape := make([]byte, 0, len(trace))
	_, lines, _ := strings.Cut(trace, "\n") // without the goroutine and its state
	for line := range strings.SplitSeq(lines, "\n") {
		switch {
		case strings.HasPrefix(line, "created by "):
			line, _, _ = strings.Cut(line, " in goroutine ")
		case !strings.HasPrefix(line, "\t"): // a function with its arguments
			line = line[:max(strings.LastIndexByte(line, '('), 0)]
		}
		shape = append(append(shape, line...), '\n')
	}
	return string(shape)
}

// profile returns the stacks of all goroutines in the function, as the runtime counts them.
func profile(function string, most int) string {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return ""
	}
	_, records, _ := strings.Cut(text.String(), "\n") // after the total
	var shown excerpt
	for record := range strings.SplitSeq(strings.TrimSpace(records), "\n\n") {
		if count, stack, _ := strings.Cut(record, "\n"); strings.Contains(stack, function+"+") {
			count, _, _ = strings.Cut(count, " ") // without the addresses
			shown.add(count+" goroutines with this stack:\n"+stack, most)
		}
	}
	return shown.String()
}
