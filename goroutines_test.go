package jobs_test

import (
	"regexp"
	"runtime"
	"strings"
)

var bubbleName = regexp.MustCompile(`synctest bubble \d+\]`)

// bubbleGoroutines returns the stacks of the goroutines of the caller's bubble, but for those of the
// testing package. (runtime.NumGoroutine also counts some that have just ended.)
func bubbleGoroutines() (stacks []string) {
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
