//go:build race

package jobs_test

// raceFactor is how much less the tests do that last too long under the race detector.
const raceFactor = 2
