//go:build race

package jobs_test

// raced says that the race detector is on, under which a hundred thousand jobs take minutes.
const raced = true
