//go:build !race

package jobs_test

const raceFactor = 1
