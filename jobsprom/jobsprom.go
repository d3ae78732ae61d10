// Package jobsprom exports metrics of a pool of jobs to Prometheus.
//
//	metrics := jobsprom.New("agent")
//	pool := jobs.NewPool(metrics.Option())
//	prometheus.MustRegister(metrics.Of(pool))
//
// What belongs to a job or the pool now (whether it executes, since when the pool is Stopped) is read at each scrape.
// What adds up (executions, skipped occurrences, restarts) is counted as it happens, and survives UnregisterJob.
//
// The library's docs/METRICS.md lists the metrics. Jobs are told apart by their name and type, never by their id: those
// that share both are one series. So give jobs names from a fixed set: after 500 names all others share the name
// _other. Bytes of a name that are not UTF-8 are replaced, and it is cut after 128 bytes.
package jobsprom

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/agentjobs/jobs"
)

// MostNames is how many names of jobs a pool's metrics tell apart.
const MostNames = 500

// Other is the name under which all further jobs are.
const Other = "_other"

// longestName is how much of a job's name a label has.
const longestName = 128

var outcomes = []jobs.Outcome{jobs.OutcomeSuccess, jobs.OutcomeFailure, jobs.OutcomeTimeout, jobs.OutcomePanic, jobs.OutcomeTold}

// buckets are those of the classic histograms, in seconds.
var buckets = []float64{0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800}

// Metrics are the metrics of one pool. They are safe for concurrent use.
type Metrics struct {
	families

	mu     sync.RWMutex // guards what follows
	series map[key]*series
	names  map[string]bool
	other  map[string]bool // names that have no series of their own
}

// A key tells series apart.
type key struct{ name, typ string }

// A series is what is counted of the jobs of one name and type.
type series struct {
	executions map[jobs.Outcome]prometheus.Counter
	durations  prometheus.Observer
	delays     prometheus.Observer
	abandoned  prometheus.Counter
	registered time.Time // when the first was; guarded by the mutex of the metrics
}

// New returns the metrics of a pool that does not exist yet. The name is that of the pool in the label pool; two pools
// in one registry must have different ones.
func New(name string) *Metrics {
	return &Metrics{
		families: newFamilies(valid(name)),
		series:   make(map[key]*series),
		names:    make(map[string]bool),
		other:    make(map[string]bool),
	}
}

// Option makes a pool tell the metrics of what happens. It is for one pool only.
func (m *Metrics) Option() jobs.PoolOption { return jobs.WithObserver(m.observe) }

// Of returns the collector that exports the metrics of the pool, which was made with Option.
func (m *Metrics) Of(pool *jobs.Pool) prometheus.Collector { return collector{m, pool} }

// observe counts an event.
func (m *Metrics) observe(e jobs.Event) {
	switch e.Kind {
	case jobs.EventBegan:
		m.of(e.Name, e.Type).delays.Observe(max(0, e.Began.Sub(e.Due).Seconds()))
	case jobs.EventEnded:
		s := m.of(e.Name, e.Type)
		s.durations.Observe(e.Took.Seconds())
		if c := s.executions[e.Outcome]; c != nil {
			c.Inc()
		}
	case jobs.EventAbandoned:
		s := m.of(e.Name, e.Type)
		s.executions[jobs.OutcomeTimeout].Inc()
		s.abandoned.Inc()
	case jobs.EventSkipped:
		k := m.keyOf(e.Name, e.Type)
		m.skipped.WithLabelValues(k.name, k.typ, e.Reason).Add(float64(e.Skipped))
	case jobs.EventRegistered, jobs.EventRescheduled: // so that all is there, with zeros, before anything happens
		m.of(e.Name, e.Type)
	case jobs.EventPoolStopped:
		m.stops.Inc()
	case jobs.EventPoolRestarted:
		m.restarts.Inc()
	case jobs.EventRestartRefused:
		m.refusals.Inc()
	}
}

// of returns the series of jobs with that name and type.
func (m *Metrics) of(name, typ string) *series {
	m.mu.RLock()
	s := m.series[key{name, typ}]
	m.mu.RUnlock()
	if s != nil {
		return s
	}
	return m.add(name, typ)
}

// add makes the series of jobs with that name and type. Names that are not told apart share one.
func (m *Metrics) add(name, typ string) *series {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.keyLocked(name, typ)
	s := m.series[k]
	if s == nil {
		s = m.newSeries(k)
		s.registered = time.Now()
		m.series[k] = s
	}
	return s
}

// keyOf returns the labels of jobs with that name and type.
func (m *Metrics) keyOf(name, typ string) key {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keyLocked(name, typ)
}

// mostOthers is how many of the names that have no series of their own are counted.
const mostOthers = 100_000

func (m *Metrics) keyLocked(name, typ string) key {
	name = valid(name)
	switch {
	case m.names[name]:
	case len(m.names) < MostNames:
		m.names[strings.Clone(name)] = true
	default:
		if len(m.other) < mostOthers {
			m.other[strings.Clone(name)] = true
		}
		name = Other
	}
	return key{name, typ}
}

// valid returns a name as a label can have it.
func valid(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) > longestName {
		name = strings.ToValidUTF8(name[:longestName], "") // not within a rune
	}
	return name
}
