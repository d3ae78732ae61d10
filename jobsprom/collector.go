package jobsprom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/agentjobs/jobs"
)

// A collector reads a pool at each scrape.
type collector struct {
	*Metrics
	pool *jobs.Pool
}

// Describe implements prometheus.Collector.
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, counted := range c.counted() {
		counted.Describe(to)
	}
	for _, desc := range c.read() {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	for _, counted := range c.counted() {
		counted.Collect(to)
	}
	c.collectPool(to, c.pool.Info())
	c.collectJobs(to)
}

func (c collector) collectPool(to chan<- prometheus.Metric, info jobs.PoolInfo) {
	for _, status := range []jobs.PoolStatus{jobs.PoolStatusInitializing, jobs.PoolStatusRunning, jobs.PoolStatusStopped} {
		gauge(to, c.poolStatus, one(info.Status == status), status.String())
	}
	timestamp(to, c.poolSince, info.Since)
	timestamp(to, c.nextAttempt, info.NextAttempt)
	to <- prometheus.MustNewConstMetric(c.observerFailures, prometheus.CounterValue, float64(info.ObserverFailures))
}

// A sum is what is now so of the jobs of one series.
type sum struct {
	jobs, succeeded, executing, overdue, stale, paused, late int
	oldestStart, lastSuccess, lastExecution, nextRun         time.Time
}

// kindOf tells jobs apart by type and status.
type kindOf struct {
	typ    string
	status jobs.JobStatus
}

func (c collector) collectJobs(to chan<- prometheus.Metric) {
	sums, kinds := make(map[key]*sum), make(map[kindOf]int)
	known := make(map[key]*sum) // by the names that jobs have, which saves asking for their labels each time
	for info := range c.pool.Jobs() {
		kinds[kindOf{info.Type, info.Status}]++
		s := known[key{info.Name, info.Type}]
		if s == nil {
			k := c.keyOf(info.Name, info.Type)
			if s = sums[k]; s == nil {
				s = new(sum)
				sums[k] = s
			}
			known[key{info.Name, info.Type}] = s
		}
		s.add(&info)
	}
	for kind, n := range kinds {
		gauge(to, c.registered, float64(n), kind.typ, kind.status.String())
	}
	for k, s := range sums {
		s.collect(to, &c.families, k)
	}
	registered, dropped := c.registeredOf(sums)
	for k, at := range registered {
		timestamp(to, c.registeredAt, at, k.name, k.typ)
	}
	gauge(to, c.namesDropped, float64(dropped))
}

// registeredOf returns when the first jobs of those series were registered, and how many names have none. What it has
// found is sent without the mutex: whoever reads may be slow, and observers need it.
func (m *Metrics) registeredOf(sums map[key]*sum) (at map[key]time.Time, dropped int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	at = make(map[key]time.Time, len(sums))
	for k := range sums {
		if series := m.series[k]; series != nil {
			at[k] = series.registered
		}
	}
	return at, len(m.other)
}

func (s *sum) add(info *jobs.JobInfo) {
	s.jobs++
	s.overdue += count(!info.OverdueSince.IsZero())
	s.stale += count(!info.StaleSince.IsZero())
	s.paused += count(info.Paused != nil)
	s.late += count(info.Reason == jobs.ReasonLate)
	if info.Reason == "" || info.Reason == jobs.ReasonLate {
		s.executing++
		s.oldestStart = earlier(s.oldestStart, info.LastStart)
	}
	if !info.LastSuccess.IsZero() {
		s.succeeded++
		s.lastSuccess = earlier(s.lastSuccess, info.LastSuccess)
	}
	s.nextRun = earlier(s.nextRun, info.NextRun)
	if info.LastStart.After(s.lastExecution) {
		s.lastExecution = info.LastStart
	}
}

func (s *sum) collect(to chan<- prometheus.Metric, f *families, k key) {
	for desc, n := range map[*prometheus.Desc]int{
		f.executing: s.executing, f.overdue: s.overdue, f.stale: s.stale, f.paused: s.paused, f.late: s.late,
	} {
		gauge(to, desc, float64(n), k.name, k.typ)
	}
	timestamp(to, f.oldestStart, s.oldestStart, k.name, k.typ)
	timestamp(to, f.lastExecution, s.lastExecution, k.name, k.typ)
	timestamp(to, f.nextRun, s.nextRun, k.name, k.typ)
	if s.succeeded == s.jobs {
		timestamp(to, f.lastSuccess, s.lastSuccess, k.name, k.typ)
	}
}

func gauge(to chan<- prometheus.Metric, desc *prometheus.Desc, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

// timestamp sends a time, if it is known.
func timestamp(to chan<- prometheus.Metric, desc *prometheus.Desc, t time.Time, labels ...string) {
	if !t.IsZero() {
		gauge(to, desc, float64(t.UnixMilli())/1000, labels...)
	}
}

// earlier returns the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

func one(is bool) float64 { return float64(count(is)) }
