package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

// FuzzParseSchedule checks that no input panics or takes long, that errors quote the input, and that what a schedule
// prints parses to the same schedule.
func FuzzParseSchedule(f *testing.F) {
	for _, expr := range []string{
		"0 0 1,5,9,15,21 * * * *", "TZ=UTC @daily", "*/5 8-18/2 L,LW,15W jan-MARCH FRI#3,5L,6-SUN 2026", "5,,6 * * * *", "0 0 9 * * 1-5",
	} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		parsed, err := schedule.Parse(expr)
		took := fastest(func() { _, _ = schedule.Parse(expr) })
		assert.Less(t, took, 10*time.Millisecond+time.Duration(len(expr))*time.Microsecond, "it may have to read the file of a zone")
		if err != nil {
			assert.Nil(t, parsed)
			assert.ErrorContains(t, err, fmt.Sprintf("schedule %q: ", expr))
			return
		}
		printed := fmt.Sprint(parsed)
		again, err := schedule.Parse(printed)
		require.NoError(t, err)
		assert.Equal(t, printed, fmt.Sprint(again))
		assert.Equal(t, schedule.WithoutDoubts(parsed), again)
		assert.LessOrEqual(t, len(schedule.Warnings(parsed, time.Unix(1_700_000_000, 0))), 2)
	})
}

// FuzzNext checks that Next returns a time strictly later than its argument or zero, takes less than a millisecond, and
// agrees with the oracle about the day after its argument and the day before its result.
func FuzzNext(f *testing.F) {
	zones := strings.Fields(zoneNames)
	for _, seed := range []struct{ expr, zone, start string }{
		{"0 30 2 * * * *", "America/New_York", "2024-03-10T05:00:00Z"},
		{"0 30 1 * * * *", "America/New_York", "2024-11-03T06:10:00Z"},
		{"30 * * * *", "Australia/Lord_Howe", "2024-04-06T14:40:00Z"},
		{"0 0 12 * * 5 *", "Pacific/Apia", "2011-12-28T00:00:00Z"},
		{"0 30 * 17 2 * 2018", "America/Sao_Paulo", "2018-02-18T01:30:00Z"},
		{"30 23,0,2 * * *", "Antarctica/Casey", "2010-03-04T12:00:00Z"},
		{"0 0 LW 12 FRIL", "Europe/Dublin", "2040-12-31T12:00:00Z"},
		{"* * * * * * *", "Pacific/Honolulu", "2100-01-01T09:59:58Z"},
		{"0 0 30 2 *", "Asia/Tokyo", "1970-01-01T00:00:00Z"},
		{"0 30 2 13,L-3W,L-17 * +FRI,SUN#2 *", "Europe/Berlin", "2026-03-28T00:00:00Z"},
	} {
		start, err := time.Parse(time.RFC3339, seed.start)
		require.NoError(f, err)
		f.Add(seed.expr, uint16(slices.Index(zones, seed.zone)), start.Unix())
	}
	f.Fuzz(func(t *testing.T, expr string, zoneNumber uint16, unix int64) {
		parsed, err := schedule.Parse(expr)
		if err != nil {
			return
		}
		zone := zones[int(zoneNumber)%len(zones)]
		if named, ok := strings.CutPrefix(fmt.Sprint(parsed), "CRON_TZ="); ok {
			zone, _, _ = strings.Cut(named, " ")
		}
		location := mustLoadZone(t, zone)
		start := time.Unix(unix, 0).In(location)
		next := parsed.Next(start)
		assert.True(t, next.IsZero() || next.After(start), "Next of %q from %v: %v", expr, start, next)
		assert.Less(t, fastest(func() { parsed.Next(start) }), time.Millisecond, "Next of %q from %v", expr, start)

		// The oracle is used from 1971 on, since before 1970 a clock may have changed twice within days.
		if first, last := int64(31536000), int64(4133980800); unix < first || unix > last {
			start = time.Unix(first+mod(unix, last-first), 0).In(location)
		}
		compareWithOracle(t, expr, parsed, start)
		if _, change := start.ZoneBounds(); change.After(start) {
			compareWithOracle(t, expr, parsed, change.Add(time.Duration(mod(unix, 3*3600))*-time.Second))
		}
	})
}

func compareWithOracle(t *testing.T, expr string, parsed *schedule.Schedule, start time.Time) {
	t.Helper()
	// No change moves a clock by more than 26 hours, so it has caught up within a bit more.
	const bit = 27 * 60 * 60
	location, o := start.Location(), newOracle(expr)
	walk := walkClock(location, start.Unix()-bit, start.Unix()+bit)
	compareNext(t, expr, parsed, start, o.firings(walk), walk)
	if next := parsed.Next(start); !next.IsZero() {
		firings := o.firings(walkClock(location, next.Unix()-2*bit, next.Unix()+1))
		late, _ := slices.BinarySearch(firings, max(start.Unix(), next.Unix()-bit)+1)
		assert.Equal(t, []int64{next.Unix()}, firings[late:], "Next of %q from %v: %v", expr, start, next)
	}
}

// fastest returns how long f takes: the shortest of several calls, since others use the processor as well.
func fastest(f func()) time.Duration {
	best := time.Hour
	for range 5 {
		began := time.Now()
		f()
		best = min(best, time.Since(began))
	}
	return best
}
