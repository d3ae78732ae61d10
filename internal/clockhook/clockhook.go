// Package clockhook lets package jobstest give a pool a wall clock of its own, which package jobs does not export.
package clockhook

import "time"

// Option returns a jobs.PoolOption that makes a pool read the wall clock with now. Package jobs sets it.
var Option func(now func() time.Time) any
