// Package late is right only if no goroutine is late.
package late

import (
	"sync"
	"sync/atomic"
)

// Lose counts to two, unless somebody is late.
func Lose() int64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { n.Store(n.Load() + 1) })
	}
	wg.Wait()
	return n.Load()
}

// Race has two goroutines write what nothing guards. Each passes the same points first, which is to order nothing.
func Race() (written int) {
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			var own atomic.Int64
			own.Add(1)
			written++
			own.Add(1)
		})
	}
	wg.Wait()
	return written
}
