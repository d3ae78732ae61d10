package stopchan

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestASharerWithoutAChannelIsToldNothing(t *testing.T) {
	var s Sharer
	var set Set
	s.Begin()
	s.Tell()
	if s.End(true, false) || s.End(false, false) {
		t.Error("it was told")
	}
	Untell(slices.Values([]*Sharer{&s}))
	s.Retire(true)
	s.Retire(false)
	set.Leave(&s)
}

// Some are told, and never look. The others, who may have been told before, take a nil as soon as there is one, and
// begin again.
func TestOneThatNeverLooksHasTheOthersBeginAgainAFewTimesOnly(t *testing.T) {
	for others := 1; others <= 3; others++ {
		for deaf := 1; deaf <= 2; deaf++ {
			synctest.Test(t, func(t *testing.T) {
				w := newCrowd(deaf+others, 0)
				w.each((*Sharer).Begin)
				if deaf == 1 {
					w.each((*Sharer).Tell)
					w.untell()
				}
				for round := range 3 {
					for _, s := range w.sharers[:deaf] {
						s.Tell() // once more, if it was told before
					}
					again := 0
					for ; again < 100 && w.takes(); again++ {
						s := w.sharers[deaf+again%others]
						s.End(false, false)
						s.Begin()
					}
					if again < others || again > deaf*(others+1) {
						t.Errorf("round %d: %d others have begun again %d times for %d", round, others, again, deaf)
					}
				}
				for _, s := range w.sharers {
					s.Retire(true)
					s.End(false, true)
				}
			})
		}
	}
}

// takes takes a nil, if there is one.
func (w *crowd) takes() bool {
	synctest.Wait()
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// One has failed, and who listens has taken its nil, or another that was not to be told. Then it counts for that other.
func TestAListenerGetsNoOtherNilWhenItsOwnHasCountedForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newCrowd(3, 0)
		w.each((*Sharer).Begin)
		failed, other, next := w.sharers[0], w.sharers[1], w.sharers[2]
		failed.End(true, false)
		if !w.takes() || !other.End(false, false) {
			t.Error("a nil was taken, but counts for nobody")
		}
		next.Tell()
		if !w.takes() {
			t.Error("one was told, and there is no nil")
		}
		other.Begin()
		if w.takes() {
			t.Error("there is another nil, for nobody")
		}
		next.End(false, false)
		failed.Retire(false)
	})
}

// That the channel was found closed tells those that are told, and nobody else.
func TestOneThatWasNotToldIsNotToldByTheClosing(t *testing.T) {
	w := newCrowd(2, 0)
	told, other := w.sharers[0], w.sharers[1]
	close(w.stop)
	for range 2 {
		told.Begin()
		told.Tell()
		if !told.End(true, false) {
			t.Error("one was not told by the closing")
		}
		other.Begin()
		if other.End(false, false) {
			t.Error("one was told, and was not to be")
		}
		if c := told.channel; c.out() != 0 {
			t.Errorf("something is there: %+v", *c)
		}
	}
}

// What others have put into the buffer stays there in its order, before, between and behind the nils that are taken
// back, and the nils that are not.
func TestValuesOfOthersStayInTheirOrder(t *testing.T) {
	for at := range 5 { // so many of theirs come first
		synctest.Test(t, func(t *testing.T) {
			w := newCrowd(3, 7)
			w.each((*Sharer).Begin)
			var want []interface{}
			for i := range 4 {
				if i == at {
					w.each((*Sharer).Tell)
					synctest.Wait()
				}
				w.stop <- i
				want = append(want, i)
			}
			if at == 4 {
				w.each((*Sharer).Tell)
				synctest.Wait()
			}
			want = slices.Insert(want, at, nil, nil)
			if w.sharers[0].End(false, false) {
				t.Error("one was told, though all nils are there")
			}
			var got []interface{}
			for len(w.stop) > 0 {
				got = append(got, <-w.stop)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("there are %v, not %v", got, want)
			}
			for _, s := range w.sharers[1:] {
				if !s.End(false, false) {
					t.Error("one was not told, though its nil was taken")
				}
			}
		})
	}
}

// A nil can be put, and even taken, before anybody knows: it is accounted for all the same.
func TestWhatIsPutAtThisMomentIsAccountedFor(t *testing.T) {
	for capacity := range 3 {
		t.Run(fmt.Sprint("capacity ", capacity), func(t *testing.T) {
			for range 1000 {
				w := newCrowd(2, capacity)
				w.each((*Sharer).Begin)
				w.each((*Sharer).Tell)
				<-w.stop
				if !w.sharers[0].End(false, false) {
					t.Fatal("one that has taken a nil was not told")
				}
				if w.sharers[1].End(false, false) {
					t.Fatal("one that has taken no nil was told")
				}
				if len(w.stop) > 0 {
					t.Fatal("a nil is left")
				}
			}
		})
	}
}

// A job may be unregistered between the moment in which it is due and that in which its execution would begin.
func TestOneThatHasLeftBeginsNothing(t *testing.T) {
	var set Set
	var left, listener Sharer
	stop := make(chan interface{}, 1)
	set.Join(&left, stop)
	set.Join(&listener, stop)
	listener.Begin()
	listener.End(true, false) // it has failed, and is owed a nil
	<-stop
	left.Retire(false)
	set.Leave(&left)
	before := *listener.channel
	left.Begin()
	if after := *listener.channel; after != before {
		t.Errorf("got the account %+v, want that of before: %+v", after, before)
	}
}

// Those that are unregistered while others are told may take the nils of those, end, and leave, each before it was told
// itself.
func TestOneThatIsToldGetsItsNilThoughAllOthersTakeOneAndLeave(t *testing.T) {
	for others := 1; others <= 4; others++ {
		for _, capacity := range []int{0, 1, 5} {
			synctest.Test(t, func(t *testing.T) {
				var set Set
				stop := make(chan interface{}, capacity)
				all := make([]Sharer, others+1)
				for i := range all {
					set.Join(&all[i], stop)
					all[i].Begin()
				}
				all[0].Retire(true)
				for i := range all[1:] {
					thief := &all[1+i]
					<-stop
					thief.End(false, false)
					thief.Retire(false)
					set.Leave(thief)
				}
				synctest.Wait()
				select {
				case <-stop:
				case <-time.After(time.Hour):
					t.Errorf("%d others, a buffer of %d: it waits for ever", others, capacity)
				}
				all[0].End(false, false)
				set.Leave(&all[0])
				if len(stop) > 0 || len(set.channels) > 0 {
					t.Errorf("something is left: %d nils, %d channels", len(stop), len(set.channels))
				}
			})
		}
	}
}
