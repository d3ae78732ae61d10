package constructs

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// constructs are those that behave in one way only.
var constructs = []struct {
	name string
	f    func() any
	want any
}{
	{"Count", func() any { return Count(new(counter)) }, int64(17)},
	{"Order", func() any { return Order() }, []string{
		"receiver", "argument", "channel", "value", "deferred", "its argument", "body", "of a goroutine",
	}},
	{"Maps", func() any { return Maps() }, []any{1, true, 1, true, true, 3, "text"}},
	{"Channels", func() any { return Channels() }, []any{nil, "value", 7, true, 1, false, true, "in the end!"}},
	{"Ranges", func() any { return Ranges() }, 3915},
	{"Goroutines", func() any { return Goroutines() }, int64(1213)},
	{"Pending", func() any { return Pending() }, []bool{true, false}},
}

func TestConstructs(t *testing.T) {
	for _, c := range constructs {
		if got := c.f(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestConstructsInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		TestConstructs(t)
		if passed := time.Since(start); passed != time.Microsecond+time.Nanosecond {
			t.Errorf("%v have passed", passed)
		}
	})
}
