package schedule

import (
	"iter"
	"time"
)

// Upcoming returns the times at which a schedule fires after from, in order: s.Next(from), the Next of that, and so on.
//
//	for at := range schedule.Upcoming(s, time.Now()) {
//
// It ends when Next returns the zero Time, or a time that is not later than the one before. A [Schedule] may fire every second until
// 2099, so leave the loop when you have enough. Each time is found when it is asked for, and every loop begins at from again.
//
// s may be anything with such a Next, as a schedule of github.com/robfig/cron.
func Upcoming(s interface{ Next(time.Time) time.Time }, from time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		last := from
		for {
			next := s.Next(last)
			if next.IsZero() || !next.After(last) || !yield(next) {
				return
			}
			last = next
		}
	}
}
