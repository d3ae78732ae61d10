package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/agentjobs/jobs/schedule"
)

// everydaySchedules are expressions that are typical of agents.
var everydaySchedules = []string{
	"0 0 1,5,9,15,21 * * * *", "*/5 * * * *", "@hourly", "@daily", "30 2 * * MON-FRI",
	"0 0 LW * *", "0 9 * * MON#1", "0 */2 1 1,7 * 2020-2030", "*/15 8-17 * * MON-FRI",
}

func TestScheduleNextAllocatesNothing(t *testing.T) {
	start := time.Date(2026, 5, 20, 12, 34, 56, 789, mustLoadZone(t, "America/New_York"))
	for _, expr := range append(everydaySchedules, "0 0 30 2 *", "0 * 30 2 *", "* 0 30 2 *", "TZ=Asia/Tokyo 0 0 29 2 *") {
		parsed := mustParse(t, expr)
		assert.Zero(t, testing.AllocsPerRun(100, func() { parsed.Next(start) }), "%q", expr)
	}
}

func BenchmarkParseSchedule(b *testing.B) {
	for _, expr := range append(everydaySchedules, "CRON_TZ=America/New_York 30 2 * * MON-FRI") {
		b.Run(expr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := schedule.Parse(expr); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkScheduleNext goes from one occurrence to the next, as a job does.
func BenchmarkScheduleNext(b *testing.B) {
	for _, name := range []string{"UTC", "America/New_York"} {
		start := time.Now().In(mustLoadZone(b, name))
		for _, expr := range everydaySchedules {
			parsed := mustParse(b, expr)
			b.Run(name+"/"+expr, func(b *testing.B) {
				b.ReportAllocs()
				at := start
				for b.Loop() {
					if at = parsed.Next(at); at.Sub(start) > 30*24*time.Hour || at.IsZero() {
						at = start
					}
				}
			})
		}
	}
}

// BenchmarkScheduleNextNever measures the longest search: through all years to come, in vain.
func BenchmarkScheduleNextNever(b *testing.B) {
	start := time.Now().In(mustLoadZone(b, "America/New_York"))
	for _, expr := range hardest {
		parsed := mustParse(b, expr)
		b.Run(expr, func(b *testing.B) {
			for b.Loop() {
				parsed.Next(start)
			}
		})
	}
}
