//go:build !race

package jobstest

// RaceFactor is how much less the tests do that last too long under the race detector.
const RaceFactor = 1
