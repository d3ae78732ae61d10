package jobsprom_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobsprom"
)

// inPool runs f in a bubble, with a pool whose metrics the registry has.
func inPool(t *testing.T, f func(t *testing.T, p *jobs.Pool, r *prometheus.Registry)) {
	synctest.Test(t, func(t *testing.T) {
		p, r := newPool("test")
		defer func() { require.NoError(t, p.Shutdown(context.Background())) }()
		f(t, p, r)
	})
}

func newPool(name string) (*jobs.Pool, *prometheus.Registry) {
	metrics := jobsprom.New(name)
	p := jobs.NewPool(metrics.Option(), jobs.WithAbandonAfter(10*time.Second), jobs.WithLogger(slog.New(slog.DiscardHandler)))
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(metrics.Of(p))
	return p, r
}

func register(t *testing.T, p *jobs.Pool, job jobs.Job, trigger jobs.Trigger, opts ...jobs.JobOption) string {
	id, err := p.Register(job, trigger, opts...)
	require.NoError(t, err)
	return id
}

func doing(f func() error) jobs.Job { return jobs.JobFunc(func(context.Context) error { return f() }) }

func nothing() error { return nil }

// valuesOf returns the values of a family, by their labels but for the pool's, such as "report interval success". Of a histogram, it
// is the count.
func valuesOf(t *testing.T, r *prometheus.Registry, family string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range families {
		if f.GetName() != family {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				if l.GetName() == "pool" {
					assert.NotEmpty(t, l.GetValue())
					continue
				}
				labels = append(labels, l.GetValue())
			}
			values[strings.Join(labels, " ")] = valueOf(f.GetType(), m)
		}
	}
	return values
}

func valueOf(typ dto.MetricType, m *dto.Metric) float64 {
	switch typ {
	case dto.MetricType_COUNTER:
		return m.GetCounter().GetValue()
	case dto.MetricType_HISTOGRAM:
		return float64(m.GetHistogram().GetSampleCount())
	}
	return m.GetGauge().GetValue()
}

func TestTheMetricsAreThoseThatAreDocumented(t *testing.T) {
	file, err := os.Open("../docs/METRICS.md")
	require.NoError(t, err)
	defer file.Close()
	documented := map[string]string{} // name to type
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if cells := strings.Split(lines.Text(), "|"); len(cells) > 5 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`jobs_") {
			documented[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2]) + "; " + strings.TrimSpace(cells[3]) + "; " + strings.TrimSpace(cells[4])
		}
	}
	inPool(t, func(t *testing.T, p *jobs.Pool, r *prometheus.Registry) {
		busy(t, p)
		families, err := r.Gather()
		require.NoError(t, err)
		found := map[string]string{}
		for _, f := range families {
			var labels []string
			for _, l := range f.GetMetric()[0].GetLabel() {
				if l.GetName() != "pool" {
					labels = append(labels, l.GetName())
				}
			}
			slices.Sort(labels)
			found[f.GetName()] = strings.ToLower(f.GetType().String()) + "; " + strings.Join(labels, ", ") + "; " + f.GetHelp()
		}
		assert.Equal(t, documented, found)
	})
}

// busy lets a pool do all that there is a metric of, and stop.
func busy(t *testing.T, p *jobs.Pool) {
	register(t, p, doing(nothing), jobs.Every(time.Minute), jobs.WithName("report"))
	register(t, p, doing(nothing), jobs.Cron("* * * * *"), jobs.WithName("sweep"))
	register(t, p, doing(nothing), jobs.Every(time.Hour), jobs.WithName("poll"), jobs.Detached())
	register(t, p, doing(func() error { time.Sleep(time.Hour); return nil }), jobs.Once(), jobs.WithName("import"))
	broken := false
	register(t, p, jobs.Func(func(context.Context) error { return nil }, jobs.WithStatus(func(context.Context) error {
		if broken {
			return errors.New("no gateway")
		}
		return nil
	}), jobs.WithReady(func(context.Context) error {
		if broken {
			return errors.New("no gateway")
		}
		return nil
	})), jobs.Every(time.Minute), jobs.WithName("gateway"))
	time.Sleep(90 * time.Second)
	synctest.Wait()
	broken = true
	time.Sleep(4 * time.Minute)
	synctest.Wait()
}

func TestExecutionsAreCountedByOutcomeFromZeroOnAndSurviveTheirJob(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool, r *prometheus.Registry) {
		fails := false
		id := register(t, p, doing(func() error {
			time.Sleep(2 * time.Second)
			if fails {
				return errors.New("broken")
			}
			return nil
		}), jobs.Every(58*time.Second), jobs.WithName("report"), jobs.Detached())
		zeros := map[string]float64{}
		for _, outcome := range []string{"success", "failure", "timeout", "panic", "told"} {
			zeros["report detached interval "+outcome] = 0
		}
		assert.Equal(t, zeros, valuesOf(t, r, "jobs_executions_total"))
		time.Sleep(4*time.Minute + 30*time.Second)
		fails = true
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		p.UnregisterJob(id)
		counts := valuesOf(t, r, "jobs_executions_total")
		assert.EqualValues(t, []float64{5, 2}, []float64{counts["report detached interval success"], counts["report detached interval failure"]})
		assert.Equal(t, map[string]float64{"report detached interval": 7}, valuesOf(t, r, "jobs_execution_duration_seconds"))
		assert.Equal(t, map[string]float64{"report detached interval": 7}, valuesOf(t, r, "jobs_start_delay_seconds"))
		assert.Empty(t, valuesOf(t, r, "jobs_executing"), "what is now so of a job ends with it")
	})
}

func TestJobsOfOneNameAreAddedUp(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool, r *prometheus.Registry) {
		start := time.Now()
		for _, every := range []time.Duration{time.Hour, 2 * time.Hour} {
			register(t, p, doing(func() error { time.Sleep(time.Minute); return nil }), jobs.Every(every), jobs.WithName("report"))
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		at := func(d time.Duration) map[string]float64 {
			return map[string]float64{"report interval": float64(start.Add(d).Unix())}
		}
		assert.Equal(t, map[string]float64{"report interval": 2}, valuesOf(t, r, "jobs_executing"))
		assert.Equal(t, at(0), valuesOf(t, r, "jobs_oldest_execution_start_timestamp_seconds"))
		assert.Empty(t, valuesOf(t, r, "jobs_last_success_timestamp_seconds"))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		assert.Equal(t, map[string]float64{"report interval": 0}, valuesOf(t, r, "jobs_executing"))
		assert.Equal(t, at(time.Minute), valuesOf(t, r, "jobs_last_success_timestamp_seconds"), "of the job for which it was longest ago")
		assert.Equal(t, at(61*time.Minute), valuesOf(t, r, "jobs_last_execution_timestamp_seconds"))
		assert.Equal(t, at(121*time.Minute), valuesOf(t, r, "jobs_next_run_timestamp_seconds"))
		assert.Equal(t, at(0), valuesOf(t, r, "jobs_registered_timestamp_seconds"))
		assert.Equal(t, map[string]float64{"interval Running": 2}, valuesOf(t, r, "jobs_registered"))
	})
}

func TestStopsAttemptsAndRestartsOfThePool(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool, r *prometheus.Registry) {
		assert.Equal(t, map[string]float64{"Initializing": 1, "Running": 0, "Stopped": 0}, valuesOf(t, r, "jobs_pool_status"))
		busy(t, p)
		assert.Equal(t, map[string]float64{"Initializing": 0, "Running": 0, "Stopped": 1}, valuesOf(t, r, "jobs_pool_status"))
		assert.Equal(t, map[string]float64{"": 1}, valuesOf(t, r, "jobs_pool_stops_total"))
		assert.Equal(t, map[string]float64{"": 0}, valuesOf(t, r, "jobs_pool_restarts_total"))
		assert.Greater(t, valuesOf(t, r, "jobs_pool_attempts_refused_total")[""], 1.0)
		assert.Len(t, valuesOf(t, r, "jobs_pool_next_attempt_timestamp_seconds"), 1)
		assert.Positive(t, valuesOf(t, r, "jobs_skipped_total")["sweep scheduled stopped"])
	})
}

func TestLateAndAbandonedExecutions(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool, r *prometheus.Registry) {
		register(t, p, doing(func() error { time.Sleep(time.Minute); return nil }), jobs.Every(time.Hour), jobs.WithName("hangs"),
			jobs.Detached(), jobs.WithJobTimeout(10*time.Second))
		time.Sleep(15 * time.Second)
		synctest.Wait()
		assert.Equal(t, map[string]float64{"hangs detached interval": 1}, valuesOf(t, r, "jobs_late"))
		assert.Equal(t, map[string]float64{"hangs detached interval": 1}, valuesOf(t, r, "jobs_executing"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, map[string]float64{"hangs detached interval": 1}, valuesOf(t, r, "jobs_abandoned_total"))
		assert.EqualValues(t, 1, valuesOf(t, r, "jobs_executions_total")["hangs detached interval timeout"])
		time.Sleep(time.Minute)
	})
}

func TestAtMost500NamesAreToldApart(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool, r *prometheus.Registry) {
		for i := range 600 {
			register(t, p, doing(nothing), jobs.Every(time.Hour), jobs.WithName(fmt.Sprint("tenant ", i)))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		executions := valuesOf(t, r, "jobs_execution_duration_seconds")
		assert.Len(t, executions, jobsprom.MostNames+1)
		assert.EqualValues(t, 100, executions["_other interval"])
		assert.Equal(t, map[string]float64{"": 100}, valuesOf(t, r, "jobs_metric_names_dropped"))
		assert.Len(t, valuesOf(t, r, "jobs_executing"), jobsprom.MostNames+1)
	})
}

func TestHostileNamesSpoilNoScrape(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool, r *prometheus.Registry) {
		for _, name := range []string{"\xff\xfe", "a\xff", strings.Repeat("ä", 1<<19), "\"}\n# HELP x", "\x00", strings.Repeat("x", 127) + "ä"} {
			register(t, p, doing(nothing), jobs.Every(time.Hour), jobs.WithName(name))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, valuesOf(t, r, "jobs_executing"), 6)
		for _, n := range valuesOf(t, r, "jobs_execution_duration_seconds") {
			assert.EqualValues(t, 1, n)
		}
	})
}

func TestPoolsWithDifferentNamesShareARegistryAndOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := prometheus.NewPedanticRegistry()
		for _, c := range []struct {
			name string
			ok   bool
		}{{"a", true}, {"b", true}, {"a", false}, {"", true}} {
			metrics := jobsprom.New(c.name)
			p := jobs.NewPool(metrics.Option())
			assert.Equal(t, c.ok, r.Register(metrics.Of(p)) == nil, c.name)
			register(t, p, doing(nothing), jobs.Once())
			synctest.Wait()
			defer p.Shutdown(context.Background())
		}
		_, err := r.Gather()
		assert.NoError(t, err)
	})
}

func TestTheLinterHasNothingToSay(t *testing.T) {
	inPool(t, func(t *testing.T, p *jobs.Pool, r *prometheus.Registry) {
		busy(t, p)
		problems, err := testutil.GatherAndLint(r)
		require.NoError(t, err)
		assert.Empty(t, problems)
	})
}
