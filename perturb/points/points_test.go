package points

import (
	"testing"
	"testing/synctest"
	"time"
)

// perturbed has the points perturb as a seed says, for the rest of the test.
func perturbed(t *testing.T, seed uint64) {
	former, formerly := now, perturb
	t.Cleanup(func() { now, perturb = former, formerly })
	now, perturb = temperOf(seed), true
}

// passAll passes many points, and returns how long that takes.
func passAll() time.Duration {
	start := time.Now()
	for point := range 512 {
		for range 4 {
			At(point)
		}
	}
	return time.Since(start)
}

func TestInABubbleNoTimePasses(t *testing.T) {
	for seed := range uint64(50) {
		perturbed(t, seed)
		synctest.Test(t, func(t *testing.T) {
			if passed := passAll(); passed != 0 {
				t.Errorf("seed %d: %v have passed", seed, passed)
			}
		})
	}
}

func TestOutsideOfBubblesGoroutinesPause(t *testing.T) {
	var passed time.Duration
	for seed := range uint64(5) {
		perturbed(t, seed)
		passed += passAll()
	}
	if passed < longestPause {
		t.Errorf("nothing pauses (%v)", passed)
	}
}

func TestABubbleIsKnownInEachOfItsGoroutines(t *testing.T) {
	if inBubble() {
		t.Error("this is none")
	}
	synctest.Test(t, func(t *testing.T) {
		answers := make(chan bool, 4)
		answers <- inBubble()
		go func() { answers <- inBubble() }()
		time.AfterFunc(time.Second, func() { answers <- inBubble() })
		time.AfterFunc(50*365*24*time.Hour, func() { answers <- inBubble() }) // when its clock is ahead of the real one
		for range cap(answers) {
			if !<-answers {
				t.Error("a goroutine does not know that it is in a bubble")
			}
		}
	})
}

func TestSeedsHaveTempers(t *testing.T) {
	const points, seeds = 500, 1000
	hot, few, many := map[int]int{}, 0, 0
	for seed := range uint64(seeds) {
		chosen := Hot(seed, points)
		for _, point := range chosen {
			hot[point]++
		}
		if len(chosen) < points/20 {
			few++
		} else if len(chosen) == points {
			many++
		}
	}
	if few < seeds/10 || many < seeds/20 {
		t.Errorf("%d of %d seeds have few hot points, %d have all", few, seeds, many)
	}
	for point := range points {
		if n := hot[point]; n < seeds/8 || n > seeds/2 {
			t.Errorf("point %d is hot %d times in %d", point, n, seeds)
		}
	}
}
