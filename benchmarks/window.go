package main

import (
	"os"
	"time"
)

// hasty is set in the environment by the tests, which want to see each cell work and no figures.
const hasty = "BENCHMARKS_HASTY"

// window returns how long something is observed: a tenth of the time given, if in haste.
func window(d time.Duration) time.Duration {
	if os.Getenv(hasty) != "" {
		return d / 10
	}
	return d
}
