package main

import "math"

// A row of the table is one metric of a cell.
type row struct {
	label  string
	place  place
	metric string
	higher bool   // more is better
	beside string // the subject that ours is compared with, or bestPeer
	must   bound  // what ours must reach; nil if nothing is promised
}

// A variantRow compares two forms of this library.
type variantRow struct {
	row
	ours    string // the form that must reach something
	variant string // without which there is no such row
}

// bestPeer stands for the best of the libraries in a row, ours aside.
const bestPeer = "best peer"

var libraries = []string{"suture", "robfig", "gocron", "quartz", "original"}

// A bound is what ours must reach in a row. It may depend on other figures of the same run.
type bound interface {
	limit(r results, row row) (limit float64, known bool)
}

// fixed is a bound in the row's own unit.
type fixed float64

func (f fixed) limit(results, row) (float64, bool) { return float64(f), true }

// times is a bound relative to another subject's figure in the same row.
type times struct {
	factor float64
	of     string
}

func (t times) limit(r results, row row) (float64, bool) {
	f := r.figure(t.of, row.place, row.metric)
	return t.factor * f.value, f.outcome == measured
}

// withUUID is a bound to which the cost of one random id is added.
type withUUID struct{ times }

func (u withUUID) limit(r results, row row) (float64, bool) {
	limit, known := u.times.limit(r, row)
	id := r.figure("jobs", place{"uuid", 1}, "ns")
	return limit + id.value, known && id.outcome == measured
}

// plus is a bound to which so much is added.
type plus struct {
	bound
	extra float64
}

func (p plus) limit(r results, row row) (float64, bool) {
	limit, known := p.bound.limit(r, row)
	return limit + p.extra, known
}

// tightest is all of some bounds on a figure that must not be more.
type tightest []bound

func (b tightest) limit(r results, row row) (float64, bool) {
	limit, allKnown := math.Inf(1), true
	for _, each := range b {
		l, known := each.limit(r, row)
		limit, allKnown = min(limit, l), allKnown && known
	}
	return limit, allKnown
}

var (
	thousand = place{"life", 1_000}
	tenK     = place{"life", 10_000}
	hundredK = place{"life", 100_000}
	million  = place{"life", 1_000_000}
	polling  = place{"poll", 100_000}
	busyJobs = place{"rate", 1_000}
	spread1K = place{"spread", 1_000}
	spreadTK = place{"spread", 10_000}
	spreadHK = place{"spread", 100_000}
	looking  = place{"lookup", 10_000}
	stopping = place{"outage", 10_000}
	loaded   = place{"overload", 10_000}
	crons    = place{"schedule", 1}
)

// rows are the table. Where "nothing" must be reached, room is left for what a pool has once, and not for each job; left behind
// are, after a bare timer too, the descriptors of goroutines that the runtime keeps.
var rows = []row{
	{"an idle job of 1,000: bytes", thousand, "bytes", false, "timer", nil},
	{"an idle job of 10,000: bytes", tenK, "bytes", false, "timer", nil},
	{"an idle job of 100,000: bytes", hundredK, "bytes", false, "timer", fixed(650)},
	{"goroutines of an idle job", hundredK, "goroutines", false, "goroutine", fixed(0.001)},

	{"one random id (UUID): ns", place{"uuid", 1}, "ns", false, "", nil},
	{"registering, of 1,000: ns", thousand, "register_ns", false, "timer", nil},
	{"registering, of 10,000: ns", tenK, "register_ns", false, "timer", withUUID{times{2, "timer"}}},
	{"registering, of 100,000: ns", hundredK, "register_ns", false, "timer", withUUID{times{2, "timer"}}},
	{"  until each has executed once: ms", hundredK, "executed_ms", false, "timer", nil},

	{"unregistering, of 10,000: ns", tenK, "unregister_ns", false, "timer", nil},
	{"unregistering, of 100,000: ns", hundredK, "unregister_ns", false, "timer", fixed(400)},
	{"  left behind of a job: bytes", hundredK, "left_bytes", false, "timer", plus{times{1, "timer"}, 32}},
	{"  left behind of a job: goroutines", hundredK, "left_goroutines", false, "goroutine", fixed(0.001)},

	{"1,000,000 jobs, executed once: ms", million, "executed_ms", false, "timer", fixed(15_000)},
	{"  live memory: MB", million, "heap_mb", false, "timer", fixed(700)},
	{"  resident memory: MB", million, "resident_mb", false, "timer", fixed(700)},

	{"100,000 polled each second: CPU s in 10 s", polling, "cpu_s", false, "goroutine", fixed(0.15)},
	{"  allocations a Status", polling, "allocs", false, "goroutine", fixed(0.001)},

	{"1,000 at 1 ms: executions a second", busyJobs, "per_s", true, "timer", times{0.9, "timer"}},
	{"  CPU of an execution: ns", busyJobs, "cpu_ns", false, "timer", tightest{times{2, "timer"}, times{1, "goroutine"}}},
	{"  allocations of an execution", busyJobs, "allocs", false, "goroutine", fixed(1)},

	{"1,000 at 10 ms: CPU of an execution, ns", spread1K, "cpu_ns", false, "timer", nil},
	{"10,000 at 100 ms: CPU of an execution, ns", spreadTK, "cpu_ns", false, "timer", nil},
	{"100,000 at 1 s: CPU of an execution, ns", spreadHK, "cpu_ns", false, "timer", nil},
	{"100,000 at 1 s: late by, p50, ms", spreadHK, "p50_ms", false, "goroutine", times{1, "goroutine"}},
	{"  p99, ms", spreadHK, "p99_ms", false, "goroutine", tightest{fixed(4), times{1, "goroutine"}}},
	{"  at most, ms", spreadHK, "max_ms", false, "goroutine", nil},

	{"a status among 10,000: ns", looking, "ns", false, "goroutine", fixed(45)},
	{"  always the same job: ns", looking, "hot_ns", false, "goroutine", nil},
	{"  others registering and unregistering: ns", looking, "churn_ns", false, "goroutine", fixed(50)},
	{"  allocations", looking, "allocs", false, "goroutine", fixed(0)},

	{"10,000 at 100 ms, failure to Stopped: ms", stopping, "stopped_ms", false, "", fixed(0.5)},
	{"  at most: ms", stopping, "stopped_max_ms", false, "", nil},
	{"  until the pool has noted it: ms", stopping, "since_ms", false, "", nil},
	{"  failure to the last Execute entered: ms", stopping, "last_ms", false, "", nil},
	{"  executions begun after that", stopping, "begun_after", false, "", fixed(0)},
	{"  all again, after the retry interval: ms", stopping, "restart_ms", false, "", fixed(10)},
	{"10,000 at 10 ms, failure to Stopped: ms", loaded, "stopped_ms", false, "", fixed(0.5)},
	{"  at most: ms", loaded, "stopped_max_ms", false, "", nil},
	{"  until the pool has noted it: ms", loaded, "since_ms", false, "", nil},
	{"  failure to the last Execute entered: ms", loaded, "last_ms", false, "", nil},
	{"  executions begun after that", loaded, "begun_after", false, "", fixed(0)},
	{"  all again, after the retry interval: ms", loaded, "restart_ms", false, "", fixed(10)},

	{"parsing a schedule: ns", crons, "parse_ns", false, bestPeer, fixed(3000)},
	{"its next occurrence: ns", crons, "next_ns", false, bestPeer, fixed(150)},
	{"  allocations", crons, "next_allocs", false, bestPeer, fixed(0)},
}

// negligible is an allocation now and then, by the sweep of a pool and by the measurement itself.
const negligible = 0.001

// variantRows are the end of the table: what observers, steering and the like cost a program that does not use them, and
// what an observer costs.
var variantRows = []variantRow{
	{row{"as before: an idle job of 100,000: bytes", hundredK, "bytes", false, before, plus{times{1, before}, 64}}, "jobs", before},
	{row{"  1,000 at 1 ms: executions a second", busyJobs, "per_s", true, before, times{0.98, before}}, "jobs", before},
	{row{"  CPU of an execution: ns", busyJobs, "cpu_ns", false, before, times{1.02, before}}, "jobs", before},
	{row{"  allocations of an execution", busyJobs, "allocs", false, before, plus{times{1, before}, negligible}}, "jobs", before},
	{row{"observed: an idle job of 100,000: bytes", hundredK, "bytes", false, "jobs", nil}, observed, observed},
	{row{"  1,000 at 1 ms: executions a second", busyJobs, "per_s", true, "jobs", nil}, observed, observed},
	{row{"  CPU of an execution: ns", busyJobs, "cpu_ns", false, "jobs", nil}, observed, observed},
	{row{"  allocations of an execution", busyJobs, "allocs", false, "jobs", plus{times{1, "jobs"}, negligible}}, observed, observed},
}

// figureBeside returns what ours is compared with in a row.
func (r results) figureBeside(row row) figure {
	if row.beside != bestPeer {
		return r.figure(row.beside, row.place, row.metric)
	}
	best := figure{outcome: notApplicable}
	for _, name := range libraries {
		f := r.figure(name, row.place, row.metric)
		if f.outcome == measured && (best.outcome != measured || (f.value < best.value) != row.higher) {
			best = f
		}
	}
	return best
}
