//go:build race

package jobstest

// RaceFactor divides the work of tests that take too long under the race detector.
const RaceFactor = 2
