package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/jobstest"
)

func TestDiscoveryConforms(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return discovery{} }, jobs.Every(10*time.Second))
}

func TestReportConforms(t *testing.T) {
	jobstest.Conform(t, func() jobs.Job { return jobs.JobFunc(report) }, jobs.Cron("0 6 * * MON-FRI"))
}

func TestDiscoveryAndReportShareAPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC, a Saturday
		h := jobstest.Pool(t)
		discovery := h.Add(discovery{}, jobs.Every(10*time.Second), jobs.WithName("discovery"))
		report := h.Add(jobs.JobFunc(report), jobs.Cron("TZ=UTC 0 6 * * MON-FRI"), jobs.WithName("report"))
		h.Advance(time.Minute)
		h.ExpectExecutions(discovery, 7)
		h.Advance(7 * 24 * time.Hour)
		h.ExpectExecutions(report, 5)
	})
}
