package jobs

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// surveyed runs a survey of n jobs, in which calls[i] is the call of job i, and returns when each call
// began, and which jobs slow was told of.
func surveyed(n int, calls map[int]func()) (begun []time.Duration, slow map[int]time.Duration) {
	var mu sync.Mutex
	start := now()
	begun = make([]time.Duration, n)
	slow = map[int]time.Duration{}
	index := map[*job]int{}
	s := survey{}
	for i := range n {
		j := new(job)
		index[j] = i
		s.jobs = append(s.jobs, j)
		begun[i] = -1
	}
	s.ask = func(j *job) {
		mu.Lock()
		if begun[index[j]] >= 0 {
			panic("asked twice")
		}
		begun[index[j]] = time.Duration(now() - start)
		mu.Unlock()
		if call := calls[index[j]]; call != nil {
			call()
		}
	}
	s.slow = func(j *job, since instant) {
		mu.Lock()
		defer mu.Unlock()
		slow[index[j]] = time.Duration(since - start)
	}
	s.run()
	mu.Lock()
	defer mu.Unlock()
	return append([]time.Duration{}, begun...), slow
}

func sleeping(d time.Duration) func() { return func() { time.Sleep(d) } }

func TestSurveyCallsEachOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000} {
		synctest.Test(t, func(t *testing.T) {
			start := now()
			begun, slow := surveyed(n, nil)
			assert.Equal(t, make([]time.Duration, n), begun)
			assert.Empty(t, slow)
			assert.Equal(t, start, now())
		})
	}
}

func TestSurveyASlowCallDelaysTheOthersByAMillisecondOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ms = time.Millisecond
		begun, slow := surveyed(7, map[int]func(){
			1: sleeping(time.Hour), 3: sleeping(time.Second), 4: sleeping(time.Minute),
		})
		assert.Equal(t, []time.Duration{0, 0, 1 * ms, 1 * ms, 2 * ms, 3 * ms, 3 * ms}, begun)
		assert.Equal(t, map[int]time.Duration{1: 0, 3: 1 * ms, 4: 2 * ms}, slow)
		time.Sleep(time.Hour) // for the calls to end
	})
}

func TestSurveyManySlowCallsAllBeginWithinMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		calls := map[int]func(){}
		for i := range n {
			calls[i] = sleeping(time.Second)
		}
		begun, slow := surveyed(n, calls)
		assert.Len(t, slow, n)
		assert.Equal(t, 14*time.Millisecond, begun[n-1], "one after the other, and then 2, 4, 8 … 512 at once")
		time.Sleep(time.Second) // for the calls to end
	})
}

func TestSurveySlowCallsThatQuickOnesSeparateCostAGoroutineEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quick = 900 * time.Microsecond
		calls := map[int]func(){5: sleeping(quick), 6: sleeping(quick)}
		for _, i := range []int{0, 1, 2, 3, 4, 7, 8, 9} {
			calls[i] = sleeping(time.Second)
		}
		begun, _ := surveyed(10, calls)
		assert.Equal(t, time.Millisecond, begun[8]-begun[7])
		assert.Equal(t, time.Millisecond, begun[9]-begun[8], "and not at the same time")
		time.Sleep(time.Second) // for the calls to end
	})
}

func TestSurveyACallIsSlowAMillisecondAfterItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, _ := surveyed(3, map[int]func(){0: sleeping(900 * time.Microsecond), 1: sleeping(time.Second)})
		assert.Equal(t, 1900*time.Microsecond, begun[2])
		time.Sleep(time.Second) // for the call to end
	})
}

func TestSurveyReturnsWhenEachCallHasBegunAndReturnedOrIsSlow(t *testing.T) {
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
				start := now()
				surveyed(3, c.calls)
				assert.Equal(t, c.want, time.Duration(now()-start))
				time.Sleep(time.Hour)
			})
		})
	}
}

func TestSurveyQuickCallsShareAGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Calls of a tenth of a millisecond each: together they last, none of them does.
		calls := map[int]func(){}
		for i := range 50 {
			calls[i] = sleeping(100 * time.Microsecond)
		}
		begun, slow := surveyed(50, calls)
		assert.Empty(t, slow)
		assert.Equal(t, 4900*time.Microsecond, begun[49])
	})
}

func TestSurveyGoexitInACallDoesNotEndTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, slow := surveyed(6, map[int]func(){
			0: runtime.Goexit, 1: runtime.Goexit, 5: runtime.Goexit,
			3: func() { time.Sleep(time.Second); runtime.Goexit() },
		})
		const ms = time.Millisecond
		assert.Equal(t, []time.Duration{0, 0, 0, 0, 1 * ms, 1 * ms}, begun)
		assert.Len(t, slow, 1)
		time.Sleep(time.Hour)
	})
}
