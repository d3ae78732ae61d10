package schedule_test

import (
	"slices"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

// nextFunc is a schedule.
type nextFunc func(time.Time) time.Time

func (f nextFunc) Next(t time.Time) time.Time { return f(t) }

// take returns the first times of a schedule, at most n.
func take(s cron.Schedule, from time.Time, n int) []string {
	var times []string
	for at := range schedule.Upcoming(s, from) {
		if times = append(times, at.Format(time.RFC3339)); len(times) == n {
			break
		}
	}
	return times
}

func TestUpcomingAreTheTimesAfterFrom(t *testing.T) {
	from := mustTime(t, "2024-11-03T04:30:00Z")
	assert.Equal(t, []string{"2024-11-03T01:00:00-04:00", "2024-11-03T02:00:00-05:00", "2024-11-04T01:00:00-05:00"},
		take(mustParse(t, "CRON_TZ=America/New_York 0 1,2 * * *"), from, 3))
	assert.Equal(t, []string{"2024-11-03T05:00:00Z"}, take(mustParse(t, "0 5 * * *"), from, 1))
	// From any time again.
	upcoming := schedule.Upcoming(mustParse(t, "0 0 1 1 * 2097-2099"), from)
	want := []time.Time{mustTime(t, "2097-01-01T00:00:00Z"), mustTime(t, "2098-01-01T00:00:00Z"), mustTime(t, "2099-01-01T00:00:00Z")}
	for range 2 {
		assert.Equal(t, want, slices.Collect(upcoming))
	}
}

func TestUpcomingEndsWhereNextIsZeroOrNotLater(t *testing.T) {
	from := mustTime(t, "2026-05-20T10:00:00Z")
	assert.Empty(t, take(mustParse(t, "0 0 30 2 *"), from, 10))
	assert.Empty(t, take(new(schedule.Schedule), from, 10))
	assert.Empty(t, take(mustParse(t, "* * * * *"), time.Time{}, 10))
	for name, next := range map[string]nextFunc{
		"the same":  func(t time.Time) time.Time { return t },
		"earlier":   func(t time.Time) time.Time { return t.Add(-time.Hour) },
		"the past":  func(time.Time) time.Time { return from.Add(-time.Hour) },
		"zero":      func(time.Time) time.Time { return time.Time{} },
		"from once": func(time.Time) time.Time { return from },
	} {
		assert.Empty(t, take(next, from, 10), name)
	}
	until := from.Add(2 * time.Hour)
	hourly := nextFunc(func(t time.Time) time.Time {
		if t.Before(until) {
			return t.Add(time.Hour)
		}
		return until
	})
	assert.Equal(t, []string{"2026-05-20T11:00:00Z", "2026-05-20T12:00:00Z"}, take(hourly, from, 10))
}

func TestUpcomingOfAScheduleOfRobfigCron(t *testing.T) {
	robfig, err := cron.ParseStandard("CRON_TZ=UTC 0 9 * * MON-FRI")
	require.NoError(t, err)
	from := mustTime(t, "2026-05-22T10:00:00Z") // a Friday
	assert.Equal(t, []string{"2026-05-25T09:00:00Z", "2026-05-26T09:00:00Z"}, take(robfig, from, 2))
}

// Nobody pays for times that are not asked for.
func TestUpcomingAsksForOneTimeAfterTheOther(t *testing.T) {
	asked := 0
	endless := nextFunc(func(t time.Time) time.Time { asked++; return t.Add(time.Minute) })
	upcoming := schedule.Upcoming(endless, time.Unix(0, 0))
	assert.Zero(t, asked)
	for range upcoming {
		if asked == 3 {
			break
		}
	}
	assert.Equal(t, 3, asked)
}
