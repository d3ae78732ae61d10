package jobstest

import (
	"fmt"
	"reflect"
	"regexp"
	"runtime"
	"strings"
)

var bubbleName = regexp.MustCompile(`synctest bubble \d+`)

func inBubble() bool { return bubbleName.MatchString(header(1 << 10)) }

// header returns the first line of the caller's stack trace.
func header(size int) string {
	buf := make([]byte, size)
	line, _, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), "\n")
	return line
}

// traces returns the stack traces of all goroutines, by the text before " [".
func traces() map[string]string {
	buf := make([]byte, 1<<22)
	all := make(map[string]string)
	for trace := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		name, _, _ := strings.Cut(trace, " [")
		all[name] = trace
	}
	return all
}

// standard is the folder of the standard library's sources.
var standard = func() string {
	pc := reflect.ValueOf(strings.Cut).Pointer()
	file, _ := runtime.FuncForPC(pc).FileLine(pc)
	return strings.TrimSuffix(file, "strings/strings.go")
}()

var frame = regexp.MustCompile(`(?m)^(\S.*)\n\t(\S+:\d+)`)

const own = "github.com/agentjobs/jobs"

// userLine returns the topmost line of a stack trace that is neither of the standard library nor of this one, or "" if
// that cannot be told.
func userLine(trace string) string {
	for _, f := range frame.FindAllStringSubmatch(trace, -1) {
		name, file := strings.TrimPrefix(f[1], "created by "), f[2]
		if !strings.HasPrefix(file, standard) && !strings.HasPrefix(name, own+".") && !strings.HasPrefix(name, own+"/jobstest.") {
			return file
		}
	}
	return ""
}

// at returns where the goroutines of these traces are: the line of the user's code, and the traces.
func at(traces ...string) string {
	var text strings.Builder
	for _, trace := range traces {
		if line := userLine(trace); line != "" {
			fmt.Fprintf(&text, "\nit is at %s", line)
		}
	}
	for _, trace := range traces {
		text.WriteString("\n\n" + trace)
	}
	return text.String()
}

// calls returns the traces of the goroutines in a call of a job's that Conform has made.
func calls() []string { return tracesWith(own + "/jobstest.(*call).make(") }

// poolCalls returns the traces of the goroutines in a call of a job's that a pool has made.
func poolCalls() []string { return tracesWith(own + ".userCode(") }

// tracesWith returns the traces of the goroutines of the caller's bubble, or of all if it is in none, that are in the
// function.
func tracesWith(function string) (found []string) {
	bubble := bubbleName.FindString(header(1 << 10))
	for _, trace := range traces() {
		first, _, _ := strings.Cut(trace, "\n")
		if strings.Contains(trace, function) && (bubble == "" || bubbleName.FindString(first) == bubble) {
			found = append(found, trace)
		}
	}
	return found
}

// others returns the traces of the other goroutines of the caller's bubble, except the testing package's.
func others() (left []string) {
	first := header(1 << 10)
	self, _, _ := strings.Cut(first, " [")
	for name, trace := range traces() {
		header, _, _ := strings.Cut(trace, "\n")
		if name != self && bubbleName.FindString(header) == bubbleName.FindString(first) &&
			!strings.Contains(trace, "testingSynctestTest(") && !strings.Contains(trace, "synctest.Run(") {
			left = append(left, trace)
		}
	}
	return left
}

// begunSince returns the traces of goroutines that are not in before and have code of the user's in them.
func begunSince(before map[string]string) (begun []string) {
	for name, trace := range traces() {
		if _, known := before[name]; !known && userLine(trace) != "" && !strings.Contains(trace, "testing.tRunner(") {
			begun = append(begun, trace)
		}
	}
	return begun
}
