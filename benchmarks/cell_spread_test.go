package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWhatIsDueNextDependsOnTheSubjectsPace(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		pace      pace
		now, next time.Duration
	}{
		{afterLast, 107 * ms, 117 * ms},
		{grid, 107 * ms, 110 * ms},
		{grid, 135 * ms, 110 * ms},
		{gridSkipping, 107 * ms, 110 * ms},
		{gridSkipping, 135 * ms, 140 * ms},
	} {
		assert.Equal(t, c.next, nextDue(c.pace, 100*ms, c.now, 10*ms))
	}
}
