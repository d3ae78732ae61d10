package main

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestBusyTimeIsAllButIdleAndWaiting(t *testing.T) {
	busy, ok := parseStat("cpu  100 20 30 9999 8888 4 5 6 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
	assert.True(t, ok)
	assert.Equal(t, 1650*time.Millisecond, busy)

	for _, bad := range []string{"", "intr 5 6 7 8 9 10 11 12 13", "cpu 1 2 3", "cpu 1 2 3 4 5 6 seven 8 9 10"} {
		_, ok := parseStat(bad)
		assert.False(t, ok, bad)
	}
}

func TestForeignTimeIsWhatTheMachineUsedBesideUs(t *testing.T) {
	cores := time.Duration(runtime.NumCPU())
	assert.InDelta(t, 0.25, foreign(time.Second, cores*time.Second/4+time.Second, time.Second), 1e-9)
	assert.Zero(t, foreign(time.Second, time.Second, time.Second))
	assert.Zero(t, foreign(time.Second, time.Second, 2*time.Second))
	assert.Zero(t, foreign(100*time.Millisecond, 130*time.Millisecond, 100*time.Millisecond), "as fine as the machine's ticks")
}
