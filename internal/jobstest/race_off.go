//go:build !race

package jobstest

const RaceFactor = 1
