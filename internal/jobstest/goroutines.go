package jobstest

import (
	"regexp"
	"runtime"
	"strings"
)

var bubbleName = regexp.MustCompile(`synctest bubble \d+\]`)

// BubbleGoroutines returns the stacks of the goroutines of the caller's bubble, except the testing package's.
// (runtime.NumGoroutine also counts some that have just ended.)
func BubbleGoroutines() (stacks []string) {
	buf := make([]byte, 1<<20)
	all := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	own := bubbleName.FindString(all[0])
	for _, stack := range all {
		if bubbleName.FindString(stack) == own {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
