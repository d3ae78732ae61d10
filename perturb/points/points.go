// Package points is what a perturbed copy of the library calls at its points: at each of them the goroutine goes on,
// yields its processor, or pauses. Which, is drawn from the seed in the environment variable PERTURB_SEED; without it,
// every goroutine always goes on.
//
// The draws order nothing: they use no atomics and no locks, so that the race detector, and the hardware, see the
// library as it is.
package points

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"time"
)

// longestPause is how long a goroutine pauses at the most.
const longestPause = 5 * time.Millisecond

// often is how many times a hot point pauses as it likes. From then on it does so ever less often, so that one that is
// passed a million times costs seconds, not hours.
const often = 256

// A temper is what a seed makes of a run. Delays that are rare and long, at few points, find more than the same noise
// everywhere: what goes wrong needs one goroutine to be late, and the others not to be.
type temper struct {
	seed    uint64
	hot     uint64        // one point in so many is hot
	delays  uint64        // one passage in so many of a hot point is a delay
	yields  uint64        // one passage in so many of any other point is a yield; 0 for none
	longest time.Duration // of the pauses
}

func temperOf(seed uint64) temper {
	draw := func(n uint64, values ...uint64) uint64 { return values[mix(seed, n, 0)%uint64(len(values))] }
	hot := draw(1, 1, 2, 4, 8, 16, 32, 64)
	return temper{
		seed:    seed,
		hot:     hot,
		delays:  max(1, 32/hot) * draw(2, 1, 1, 2, 8),
		yields:  draw(3, 0, 4, 16, 64),
		longest: time.Duration(draw(4, 1, 4, 10, 10)) * longestPause / 10,
	}
}

func (t temper) isHot(point int) bool { return mix(t.seed, uint64(point), 1)%t.hot == 0 }

// Hot returns which of n points a seed makes hot.
func Hot(seed uint64, n int) (hot []int) {
	t := temperOf(seed)
	for point := range n {
		if t.isHot(point) {
			hot = append(hot, point)
		}
	}
	return hot
}

var (
	now     temper
	perturb bool

	// passed says how often each point was passed, approximately: goroutines that pass it at once overwrite each
	// other's count.
	passed [1 << 14]uint64
)

func init() {
	if seed, err := strconv.ParseUint(os.Getenv("PERTURB_SEED"), 10, 64); err == nil {
		now, perturb = temperOf(seed), true
	}
}

// Passed reports whether any goroutine has passed that point.
func Passed(point int) bool { return pass(point, 0) > 0 }

// pass counts n passages of a point, and returns how many there were. The race detector is not told: it would take
// what it saw here for an order.
//
//go:norace
func pass(point int, n uint64) uint64 {
	count := &passed[point%len(passed)]
	*count += n
	return *count
}

// At is a point.
func At(point int) {
	count := pass(point, 1)
	if !perturb {
		return
	}
	draw := mix(now.seed, uint64(point), count+2)
	switch {
	case !now.isHot(point):
		if now.yields > 0 && draw%now.yields == 0 {
			runtime.Gosched()
		}
	case draw%now.delays == 0:
		delay(mix(draw, count, 0), count)
	}
}

// delay lets others run: for a time or, in a bubble, where no time may pass, for as long as it takes them to have a few
// turns.
func delay(draw, count uint64) {
	turns, pause := draw>>8%8, time.Duration(draw>>11%uint64(now.longest))
	if draw%4 != 0 && (count <= often || draw>>2%count < often) && !inBubble() {
		time.Sleep(pause)
		return
	}
	for range 1 << turns {
		runtime.Gosched()
	}
}

// inBubble reports whether the goroutine is in a bubble of testing/synctest. Its stack trace is the only thing that
// says so at any time: the clock of a bubble may have reached the real one's.
func inBubble() bool {
	var header [128]byte // such as "goroutine 7 [running, synctest bubble 6]:"
	line, _, _ := bytes.Cut(header[:runtime.Stack(header[:], false)], []byte("\n"))
	return bytes.Contains(line, []byte("synctest bubble"))
}

// mix makes a number of three that looks like none of them (SplitMix64's).
func mix(a, b, c uint64) uint64 {
	x := a
	for _, y := range [...]uint64{b, c} {
		x += 0x9e3779b97f4a7c15 + y*0xd1342543de82ef95
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}
