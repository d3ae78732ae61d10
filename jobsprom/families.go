package jobsprom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/agentjobs/jobs"
)

// families are the metrics, as docs/METRICS.md lists them.
type families struct {
	// Counted as it happens.
	executions                *prometheus.CounterVec
	durations, delays         *prometheus.HistogramVec
	skipped, abandoned        *prometheus.CounterVec
	stops, restarts, refusals prometheus.Counter

	// Read at each scrape.
	poolStatus, poolSince, nextAttempt                *prometheus.Desc
	registered, executing, oldestStart                *prometheus.Desc
	lastSuccess, lastExecution, nextRun, registeredAt *prometheus.Desc
	overdue, stale, paused, late                      *prometheus.Desc
	observerFailures, namesDropped                    *prometheus.Desc
}

func newFamilies(pool string) families {
	constant := prometheus.Labels{"pool": pool}
	job := []string{"job_name", "job_type"}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, constant)
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: constant})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: constant}, labels)
	}
	histograms := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, ConstLabels: constant, Buckets: buckets,
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, job)
	}
	return families{
		executions: counters("jobs_executions_total", "Executions that have ended, by outcome.", "job_name", "job_type", "outcome"),
		durations:  histograms("jobs_execution_duration_seconds", "How long executions took."),
		delays:     histograms("jobs_start_delay_seconds", "How long after they were due executions began."),
		skipped:    counters("jobs_skipped_total", "Occurrences and turns that were not executed, by reason.", "job_name", "job_type", "reason"),
		abandoned:  counters("jobs_abandoned_total", "Executions that were abandoned since they did not return.", job...),
		stops:      counter("jobs_pool_stops_total", "How often the pool has stopped."),
		restarts:   counter("jobs_pool_restarts_total", "How often the pool has restarted after a stop."),
		refusals:   counter("jobs_pool_attempts_refused_total", "Attempts to restart the pool that a job has refused."),

		poolStatus:  desc("jobs_pool_status", "1 for the status that the pool has, 0 for the others.", "status"),
		poolSince:   desc("jobs_pool_status_since_timestamp_seconds", "Since when the pool has its status."),
		nextAttempt: desc("jobs_pool_next_attempt_timestamp_seconds", "When a stopped pool next attempts to restart; absent if that is unknown."),

		registered:    desc("jobs_registered", "Registered jobs, by type and status.", "job_type", "status"),
		executing:     desc("jobs_executing", "Executions in progress.", job...),
		oldestStart:   desc("jobs_oldest_execution_start_timestamp_seconds", "When the oldest execution in progress began; absent if there is none.", job...),
		lastSuccess:   desc("jobs_last_success_timestamp_seconds", "When the last successful execution ended, of the job for which that was longest ago; absent until all have succeeded.", job...),
		lastExecution: desc("jobs_last_execution_timestamp_seconds", "When the last execution began; absent before the first.", job...),
		nextRun:       desc("jobs_next_run_timestamp_seconds", "When the next execution is due; absent if that is unknown.", job...),
		registeredAt:  desc("jobs_registered_timestamp_seconds", "When the first job of that name and type was registered.", job...),
		overdue:       desc("jobs_overdue", "Jobs that are due and do not execute, though nothing is known to keep them from it.", job...),
		stale:         desc("jobs_stale", "Jobs that have not succeeded for longer than WithFreshness allows.", job...),
		paused:        desc("jobs_paused", "Jobs that are paused.", job...),
		late:          desc("jobs_late", "Jobs of which an execution has exceeded its timeout and has not returned.", job...),

		observerFailures: desc("jobs_observer_failures_total", "Calls of observers that have panicked or ended their goroutine."),
		namesDropped:     desc("jobs_metric_names_dropped", "Names of jobs that share the name _other, since there are too many."),
	}
}

func (f *families) newSeries(k key) *series {
	s := &series{
		executions: make(map[jobs.Outcome]prometheus.Counter, len(outcomes)),
		durations:  f.durations.WithLabelValues(k.name, k.typ),
		delays:     f.delays.WithLabelValues(k.name, k.typ),
		abandoned:  f.abandoned.WithLabelValues(k.name, k.typ),
	}
	for _, outcome := range outcomes {
		s.executions[outcome] = f.executions.WithLabelValues(k.name, k.typ, string(outcome))
	}
	return s
}

// counted are the metrics that are counted as it happens.
func (f *families) counted() []prometheus.Collector {
	return []prometheus.Collector{f.executions, f.durations, f.delays, f.skipped, f.abandoned, f.stops, f.restarts, f.refusals}
}

// read are the descriptions of the metrics that are read at each scrape.
func (f *families) read() []*prometheus.Desc {
	return []*prometheus.Desc{
		f.poolStatus, f.poolSince, f.nextAttempt, f.registered, f.executing, f.oldestStart, f.lastSuccess, f.lastExecution,
		f.nextRun, f.registeredAt, f.overdue, f.stale, f.paused, f.late, f.observerFailures, f.namesDropped,
	}
}
