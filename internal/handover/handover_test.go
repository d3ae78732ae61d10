package handover

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// scripted are calls of which some do something. It keeps when each began, and of which Slow was told; what Begin
// returns is the number of the call, which the others must be given.
type scripted struct {
	start time.Time
	begin func(i int) bool // of Begin; nil if all calls are to be made
	calls map[int]func()

	mu    sync.Mutex
	begun []time.Duration // -1 if it was not called
	slow  map[int]time.Duration
}

func (s *scripted) Begin(i int) (int, bool) { return i, s.begin == nil || s.begin(i) }

func (s *scripted) Call(i int, begun int) {
	s.mu.Lock()
	if begun != i {
		panic("given what Begin returned for another call")
	}
	if s.begun[i] >= 0 {
		panic("called twice")
	}
	s.begun[i] = time.Since(s.start)
	s.mu.Unlock()
	if call := s.calls[i]; call != nil {
		call()
	}
}

func (s *scripted) Slow(i int, begun int, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if begun != i {
		panic("given what Begin returned for another call")
	}
	if _, told := s.slow[i]; told {
		panic("told twice")
	}
	s.slow[i] = since.Sub(s.start)
}

// runScript makes n calls, and returns when each began, which were slow and since when, and what Run has returned.
func runScript(n int, s *scripted) (begun []time.Duration, slow map[int]time.Duration, allReturned bool) {
	s.start = time.Now()
	s.slow = map[int]time.Duration{}
	for range n {
		s.begun = append(s.begun, -1)
	}
	allReturned = Run(n, s)
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Duration{}, s.begun...), s.slow, allReturned
}

// made makes n calls, of which some do something.
func made(n int, calls map[int]func()) (begun []time.Duration, slow map[int]time.Duration) {
	begun, slow, _ = runScript(n, &scripted{calls: calls})
	return begun, slow
}

func sleeping(d time.Duration) func() { return func() { time.Sleep(d) } }

func TestCallsEachOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			begun, slow := made(n, nil)
			assert.Equal(t, make([]time.Duration, n), begun)
			assert.Empty(t, slow)
			assert.Zero(t, time.Since(start))
		})
	}
}

func TestASlowCallDelaysTheOthersByAMillisecondOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ms = time.Millisecond
		begun, slow := made(7, map[int]func(){
			1: sleeping(time.Hour), 3: sleeping(time.Second), 4: sleeping(time.Minute),
		})
		assert.Equal(t, []time.Duration{0, 0, 1 * ms, 1 * ms, 2 * ms, 3 * ms, 3 * ms}, begun)
		assert.Equal(t, map[int]time.Duration{1: 0, 3: 1 * ms, 4: 2 * ms}, slow)
		time.Sleep(time.Hour) // for the calls to end
	})
}

func TestManySlowCallsAllBeginWithinMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		calls := map[int]func(){}
		for i := range n {
			calls[i] = sleeping(time.Second)
		}
		begun, slow := made(n, calls)
		assert.Len(t, slow, n)
		assert.Equal(t, 14*time.Millisecond, begun[n-1], "one after the other, and then 2, 4, 8 … 512 at once")
		time.Sleep(time.Second) // for the calls to end
	})
}

func TestSlowCallsThatQuickOnesSeparateCostAGoroutineEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quick = 900 * time.Microsecond
		calls := map[int]func(){5: sleeping(quick), 6: sleeping(quick)}
		for _, i := range []int{0, 1, 2, 3, 4, 7, 8, 9} {
			calls[i] = sleeping(time.Second)
		}
		begun, _ := made(10, calls)
		assert.Equal(t, time.Millisecond, begun[8]-begun[7])
		assert.Equal(t, time.Millisecond, begun[9]-begun[8], "and not at the same time")
		time.Sleep(time.Second) // for the calls to end
	})
}

func TestACallIsSlowAMillisecondAfterItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, _ := made(3, map[int]func(){0: sleeping(900 * time.Microsecond), 1: sleeping(time.Second)})
		assert.Equal(t, 1900*time.Microsecond, begun[2])
		time.Sleep(time.Second) // for the call to end
	})
}

func TestReturnsWhenEachCallHasBegunAndReturnedOrIsSlow(t *testing.T) {
	for name, c := range map[string]struct {
		calls map[int]func()
		want  time.Duration
	}{
		"quick":         {nil, 0},
		"the last slow": {map[int]func(){2: sleeping(time.Hour)}, time.Millisecond},
		"all slow":      {map[int]func(){0: sleeping(time.Hour), 1: sleeping(time.Hour), 2: sleeping(time.Hour)}, 3 * time.Millisecond},
		"not quite":     {map[int]func(){1: sleeping(900 * time.Microsecond)}, 900 * time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				made(3, c.calls)
				assert.Equal(t, c.want, time.Since(start))
				time.Sleep(time.Hour)
			})
		})
	}
}

func TestQuickCallsShareAGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Calls of a tenth of a millisecond each: together they last, none of them does.
		calls := map[int]func(){}
		for i := range 50 {
			calls[i] = sleeping(100 * time.Microsecond)
		}
		begun, slow := made(50, calls)
		assert.Empty(t, slow)
		assert.Equal(t, 4900*time.Microsecond, begun[49])
	})
}

func TestGoexitInACallDoesNotEndTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, slow := made(6, map[int]func(){
			0: runtime.Goexit, 1: runtime.Goexit, 5: runtime.Goexit,
			3: func() { time.Sleep(time.Second); runtime.Goexit() },
		})
		const ms = time.Millisecond
		assert.Equal(t, []time.Duration{0, 0, 0, 0, 1 * ms, 1 * ms}, begun)
		assert.Len(t, slow, 1)
		time.Sleep(time.Hour)
	})
}

// A goroutine that has not come to its call yet is in no slow call, however long that takes.
func TestOnlyACallThatHasBegunIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := false
		s := &scripted{begin: func(i int) bool {
			if i == 1 {
				time.Sleep(time.Second) // off its processor
				began = true
			}
			return true
		}}
		begun, slow, allReturned := runScript(3, s)
		assert.True(t, began, "Run returns when each call has begun")
		assert.Equal(t, []time.Duration{0, time.Second, time.Second}, begun)
		assert.Empty(t, slow)
		assert.True(t, allReturned)
	})
}

func TestACallThatIsNotToBeMadeIsNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, slow, allReturned := runScript(4, &scripted{begin: func(i int) bool { return i%2 == 1 }})
		assert.Equal(t, []time.Duration{-1, 0, -1, 0}, begun)
		assert.Empty(t, slow)
		assert.True(t, allReturned)
	})
}

func TestRunReportsWhetherAllCallsHaveReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			call func()
			want bool
		}{
			"quick":         {nil, true},
			"all but slow":  {sleeping(Slow - 1), true},
			"slow":          {sleeping(2 * Slow), false},
			"slow and over": {sleeping(Slow + 1), false},
		} {
			_, _, allReturned := runScript(3, &scripted{calls: map[int]func(){1: c.call, 2: sleeping(Slow / 2)}})
			assert.Equal(t, c.want, allReturned, name)
			time.Sleep(time.Second) // for the calls to end
		}
	})
}

func TestTwoTakeOverFromTheSixthSlowCallInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := map[int]func(){0: sleeping(900 * time.Microsecond)}
		for i := range 8 {
			calls[i+1] = sleeping(time.Second)
		}
		begun, _ := made(9, calls)
		assert.Equal(t, Slow, begun[7]-begun[6], "one from the fifth")
		assert.Equal(t, begun[7], begun[8])
		time.Sleep(time.Second) // for the calls to end
	})
}

// In real time a call may return in the very moment in which it becomes slow.
func TestCallsThatLastAboutAsLongAsASlowOne(t *testing.T) {
	const n = 100
	calls := map[int]func(){}
	for i := range n {
		calls[i] = sleeping(Slow - 100*time.Microsecond + time.Duration(i%10)*20*time.Microsecond)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			begun, _, _ := runScript(n, &scripted{calls: calls})
			assert.NotContains(t, begun, time.Duration(-1), "Run has returned though a call has not begun")
		})
	}
	all.Wait()
}
