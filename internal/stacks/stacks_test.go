package stacks_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs/internal/stacks"
)

const waiting = "github.com/agentjobs/jobs/internal/stacks_test.wait"

//go:noinline
func wait(number int, end chan bool) {
	<-end
	_ = number
}

//go:noinline
func waitElsewhere(number int, end chan bool) { wait(number, end); _ = number }

// with runs a test while goroutines wait: n in wait, and as many as m in waitElsewhere.
func with(t *testing.T, n, m int, test func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		end := make(chan bool)
		for i := range n {
			all.Go(func() { wait(i, end) })
		}
		for i := range m {
			all.Go(func() { waitElsewhere(i, end) })
		}
		synctest.Wait()
		test(t)
		close(end)
		all.Wait()
	})
}

func all(string) bool { return true }

func TestEqualStacksAreShownOnceWithTheirNumber(t *testing.T) {
	for _, crowd := range []int{3, 6_000} {
		with(t, crowd, 2, func(t *testing.T) {
			shown := stacks.Of(waiting, all, 1<<20)
			assert.Contains(t, shown, fmt.Sprintf("%d goroutines with this stack", crowd))
			assert.Contains(t, shown, "2 goroutines with this stack")
			assert.Equal(t, 1, strings.Count(shown, "stacks_test.waitElsewhere"), "once")
			assert.NotContains(t, shown, "tRunner", "what is in no call of the function is not shown")
		})
	}
}

func TestOnlyWhatIsWantedIsShown(t *testing.T) {
	with(t, 1, 1, func(t *testing.T) {
		shown := stacks.Of(waiting, func(trace string) bool { return !strings.Contains(trace, "waitElsewhere(") }, 1<<20)
		assert.Equal(t, 1, strings.Count(shown, "\ngoroutine "))
		assert.NotContains(t, shown, "waitElsewhere(")
	})
}

func TestWhatDoesNotFitIsLeftOff(t *testing.T) {
	for _, crowd := range []int{3, 6_000} {
		with(t, crowd, 2, func(t *testing.T) {
			whole := stacks.Of(waiting, all, 1<<20)
			one := stacks.Of(waiting, all, len(whole)*2/3)
			assert.Equal(t, 1, strings.Count(one, "goroutines with this stack"))
			assert.Contains(t, one, "and other stacks")
			assert.NotContains(t, stacks.Of(waiting, all, 0), "goroutine")
		})
	}
}

func TestWhereNobodyIsInTheFunctionNothingIsShown(t *testing.T) {
	assert.Empty(t, stacks.Of(waiting, all, 1<<20))
}
