package jobstest

import (
	"flag"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// soak makes the tests that can last for any time last long: make soak.
var soak = flag.Bool("soak", false, "run the long tests at length")

// Rounds returns how many rounds such a test is to do.
func Rounds(usually, soaking int) int {
	if *soak {
		return soaking
	}
	return usually
}

// A Footprint is what is alive of the bubble's goroutines, and of the program's objects on the heap, timers included.
type Footprint struct {
	Goroutines int
	Objects    int64
	bytes      int64
}

// FootprintNow lets everything end that is about to, and returns what is left.
func FootprintNow() Footprint {
	synctest.Wait()
	var m runtime.MemStats
	for range 3 { // what a pool or a finalizer holds takes more than one
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return Footprint{len(BubbleGoroutines()), int64(m.Mallocs - m.Frees), int64(m.HeapAlloc)}
}

// AssertNoMoreThan checks that things are as they were before something was done n times. Half an object and 16 bytes
// for each time are allowed for the runtime; a leaked object, or a growing list, shows.
func (f Footprint) AssertNoMoreThan(t *testing.T, before Footprint, n int) {
	t.Helper()
	assert.Equal(t, before.Goroutines, f.Goroutines, "goroutines")
	t.Logf("%d objects and %d bytes more after %d times", f.Objects-before.Objects, f.bytes-before.bytes, n)
	assert.Less(t, f.Objects-before.Objects, int64(n/2), "objects")
	assert.Less(t, f.bytes-before.bytes, int64(16*n), "bytes")
}

// AMoment is a short time, different each time.
func AMoment(n int) time.Duration { return time.Duration(n*n%7) * time.Millisecond }
