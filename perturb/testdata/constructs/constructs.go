// Package constructs has each construct that points are put around.
package constructs

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

type counter struct {
	sync.Mutex
	rw    sync.RWMutex
	n     atomic.Int64
	last  atomic.Pointer[string]
	plain int64
	total int
}

// Count has atomics and mutexes in statements, conditions, arguments and results; by value, by pointer and embedded.
func Count(c *counter) (result int64) {
	c.Lock()
	defer c.Unlock()
	defer func() { result += c.n.Load() }()
	c.rw.RLock()
	c.total++
	c.rw.RUnlock()
	if old := c.n.Load(); old >= 0 && c.n.CompareAndSwap(old, old+1) {
		add(&c.n, int64(c.n.Load()))
	}
	for c.n.Add(1) < 10 {
	}
	switch n := atomic.AddInt64(&c.plain, c.n.Swap(3)); {
	case n > 0 && atomic.CompareAndSwapInt64(&c.plain, n, 0):
		c.last.Store(nil)
	}
	load := c.n.Load
	return load() + (*atomic.Int64).Add(&c.n, 4)
}

func add(n *atomic.Int64, delta int64) { n.Add(delta) }

// Order has operands whose evaluation has an order.
func Order() (order []string) {
	note := func(what string, n int64) int64 { order = append(order, what); return n }
	c := func(what string) *counter { note(what, 0); return new(counter) }
	c("receiver").n.Store(note("argument", 1))
	channels := func(what string) chan int64 { note(what, 0); return make(chan int64, 1) }
	channels("channel") <- note("value", 1)
	func() {
		defer c("deferred").n.Store(note("its argument", 1))
		note("body", 1)
	}()
	done := make(chan struct{})
	go func(int64, chan struct{}) { close(done) }(note("of a goroutine", 1), done)
	<-done
	return order
}

// Maps has functions of more arguments and results.
func Maps() (values []any) {
	var m sync.Map
	m.Store("a", 1)
	value, ok := m.Load("a")
	values = append(values, value, ok)
	value, loaded := m.LoadOrStore("a", 2)
	values = append(values, value, loaded, m.CompareAndSwap("a", 1, 3))
	m.Range(func(_, value any) bool { values = append(values, value); return true })
	var any atomic.Value
	any.Store("text")
	return append(values, any.Load())
}

type channel chan any

// Channels sends, receives, closes and selects.
func Channels() (got []any) {
	c := make(channel, 3)
	c <- nil
	c <- "value"
	c <- 7
	got = append(got, <-c)
	if value, ok := <-c; ok {
		got = append(got, value)
	}
	select {
	case value, ok := <-c:
		got = append(got, value, ok)
	default: // never
		got = append(got, "nothing to receive")
	}
	var full chan<- any = make(chan any)
	select {
	case c <- <-some("chosen"):
		got = append(got, len(c))
	}
	<-c
chosen:
	select {
	case full <- "sent": // never
		got = append(got, "sent")
	case <-c: // never
	default:
		break chosen
	}
	close(c)
	_, ok := <-c
	got = append(got, ok)
	func() {
		defer func() { got = append(got, recover() != nil) }()
		defer close(c) // never, as it panics
	}()
	return append(got, (<-some("in the end")).(string)+"!")
}

func some(value any) <-chan any {
	c := make(chan any, 1)
	c <- value
	return c
}

// Ranges ranges over channels, and leaves in each way.
func Ranges() (sum int) {
	numbers := func(size int) <-chan int {
		c := make(chan int, size)
		go produce(c, 5)
		return c
	}
	for n := range numbers(0) {
		sum += n
	}
	for range numbers(0) {
		sum++
	}
	var n int
outer:
	for n = range numbers(5) {
		for range 3 {
			switch n {
			case 1:
				continue outer
			case 4:
				break outer
			}
			sum += 100
		}
	}
	for n := range numbers(5) {
		if n == 3 {
			defer func() { sum += 1000 * n }()
			return sum
		}
	}
	return -1
}

func produce(c chan<- int, n int) {
	defer close(c)
	for i := range n {
		c <- i
	}
}

// Goroutines starts them in each way, and waits for them in each.
func Goroutines() (n int64) {
	var count atomic.Int64
	var wg sync.WaitGroup
	wg.Add(4)
	go func() { defer wg.Done(); count.Add(1) }()
	go addAndTell(&count, &wg, 10)
	go generic(&count, &wg)
	go generic[*sync.WaitGroup](&count, &wg)
	wg.Go(func() { count.Add(100) })
	wg.Go(adder(&count))
	wg.Wait()

	cond := sync.NewCond(new(sync.Mutex))
	woken := false
	time.AfterFunc(time.Microsecond, func() {
		cond.L.Lock()
		woken = true
		cond.L.Unlock()
		cond.Broadcast()
	})
	cond.L.Lock()
	for !woken {
		cond.Wait()
	}
	cond.L.Unlock()

	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	context.AfterFunc(ctx, func() { close(over) })
	cancel()
	<-over
	timer := time.NewTimer(time.Hour)
	timer.Reset(time.Nanosecond)
	<-timer.C
	if timer.Stop() {
		return -1
	}
	var once sync.Once
	for range 2 {
		once.Do(func() { count.Add(1000) })
	}
	return count.Load()
}

func addAndTell(count *atomic.Int64, wg *sync.WaitGroup, n int64) {
	defer wg.Done()
	count.Add(n)
}

func generic[T any](count *atomic.Int64, wg T) {
	if locker, is := any(wg).(interface{ Done() }); is {
		defer locker.Done()
	}
	count.Add(1)
}

func adder(count *atomic.Int64) func() { return func() { count.Add(100) } }

// Pending has a goroutine that is never heard of again, and a mutex tried.
func Pending() (tried []bool) {
	var mu sync.Mutex
	tried = append(tried, mu.TryLock(), mu.TryLock())
	go mu.Unlock()
	mu.Lock()
	return tried
}
