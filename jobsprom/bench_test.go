package jobsprom_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobsprom"
)

const scraped = 100_000

// BenchmarkScrape is the cost of a scrape of 100,000 jobs with 500 names.
func BenchmarkScrape(b *testing.B) {
	metrics := jobsprom.New("bench")
	p := jobs.NewPool(metrics.Option(), jobs.WithLogger(slog.New(slog.DiscardHandler)))
	defer p.Shutdown(context.Background())
	for i := range scraped {
		_, err := p.Register(doing(nothing), jobs.Every(time.Hour), jobs.WithName(fmt.Sprint("job ", i%500)))
		require.NoError(b, err)
	}
	collector := metrics.Of(p)
	b.ReportAllocs()
	for b.Loop() {
		collect(collector)
	}
}

// BenchmarkScrapeOfChildren is the same where each job has a child of a GaugeVec that is set before each scrape.
func BenchmarkScrapeOfChildren(b *testing.B) {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "jobs_last_success_timestamp_seconds"}, []string{"id"})
	b.ReportAllocs()
	for b.Loop() {
		for i := range scraped {
			vec.WithLabelValues(fmt.Sprint("job ", i)).Set(float64(i))
		}
		collect(vec)
	}
}

func collect(c prometheus.Collector) {
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	if _, err := r.Gather(); err != nil {
		panic(err)
	}
}
