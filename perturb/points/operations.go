package points

import "iter"

// What follows stands in for operations, with a point before and one after: before is the number of the first, and
// the other one's is one more. The functions named F take a function of so many arguments and results, which the call
// that follows supplies and uses: so everything is evaluated where and when it was.

func F0x0(before int, f func()) func() {
	return func() { At(before); f(); At(before + 1) }
}

func F1x0[A any](before int, f func(A)) func(A) {
	return func(a A) { At(before); f(a); At(before + 1) }
}

func F2x0[A, B any](before int, f func(A, B)) func(A, B) {
	return func(a A, b B) { At(before); f(a, b); At(before + 1) }
}

func F3x0[A, B, C any](before int, f func(A, B, C)) func(A, B, C) {
	return func(a A, b B, c C) { At(before); f(a, b, c); At(before + 1) }
}

func F0x1[R any](before int, f func() R) func() R {
	return func() R { At(before); r := f(); At(before + 1); return r }
}

func F1x1[A, R any](before int, f func(A) R) func(A) R {
	return func(a A) R { At(before); r := f(a); At(before + 1); return r }
}

func F2x1[A, B, R any](before int, f func(A, B) R) func(A, B) R {
	return func(a A, b B) R { At(before); r := f(a, b); At(before + 1); return r }
}

func F3x1[A, B, C, R any](before int, f func(A, B, C) R) func(A, B, C) R {
	return func(a A, b B, c C) R { At(before); r := f(a, b, c); At(before + 1); return r }
}

func F1x2[A, R, S any](before int, f func(A) (R, S)) func(A) (R, S) {
	return func(a A) (R, S) { At(before); r, s := f(a); At(before + 1); return r, s }
}

func F2x2[A, B, R, S any](before int, f func(A, B) (R, S)) func(A, B) (R, S) {
	return func(a A, b B) (R, S) { At(before); r, s := f(a, b); At(before + 1); return r, s }
}

// Send returns a function that sends on c.
func Send[T any](before int, c chan<- T) func(T) {
	return func(value T) { At(before); c <- value; At(before + 1) }
}

// Receive is <-c.
func Receive[T any](before int, c <-chan T) T {
	At(before)
	value := <-c
	At(before + 1)
	return value
}

// ReceiveOK is <-c with its second result.
func ReceiveOK[T any](before int, c <-chan T) (T, bool) {
	At(before)
	value, ok := <-c
	At(before + 1)
	return value, ok
}

// Range is range c.
func Range[T any](before int, c <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			value, ok := ReceiveOK(before, c)
			if !ok || !yield(value) {
				return
			}
		}
	}
}

// Close is close(c).
func Close[T any](before int, c chan<- T) {
	At(before)
	close(c)
	At(before + 1)
}

// Before returns what it is given, after a point.
func Before[T any](point int, value T) T {
	At(point)
	return value
}
