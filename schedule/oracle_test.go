package schedule_test

import (
	_ "embed"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs/schedule"
)

var (
	oracleSeed    = flag.Uint64("schedule.seed", 1, "the seed from which the oracle test draws clock changes and expressions")
	oracleChanges = flag.Int("schedule.changes", 2, "the number of clock changes per zone that the oracle test checks, 0 for all")

	//go:embed testdata/zones.txt
	zoneNames string // all zones of the tz database, one per line
)

func mustLoadZone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	require.NoError(t, err)
	return location
}

// A clockWalk is what a clock shows, second by second: shown[i] at the instant from+i.
type clockWalk struct {
	from  int64
	shown []int64
}

func walkClock(location *time.Location, from, to int64) clockWalk {
	walk := clockWalk{from: from, shown: make([]int64, 0, to-from)}
	for from < to {
		// An hour with the same offset at both ends has it throughout: no two changes are so close.
		offset, constant := offsetAt(location, from), min(from+3600, to)
		if offsetAt(location, constant-1) != offset {
			constant = from + 1
		}
		for ; from < constant; from++ {
			walk.shown = append(walk.shown, from+offset)
		}
	}
	return walk
}

func offsetAt(location *time.Location, instant int64) int64 {
	_, offset := time.Unix(instant, 0).In(location).Zone()
	return int64(offset)
}

// firings returns the instants of the walk, except its first, at which the expression fires, literally by the rule. If
// the hour field contains all hours, those are the instants at which the clock shows a match. Otherwise they are
// those at which the highest reading so far reaches or skips a match, and also those at which the clock shows one
// if there is a star in the second or minute field. Changes before the walk are ignored.
func (o *oracle) firings(walk clockWalk) []int64 {
	var instants []int64
	high := walk.shown[0]
	for i, reading := range walk.shown[1:] {
		fires := (o.everyHour || o.star) && o.matches(reading)
		for ; high < reading; high++ {
			fires = fires || !o.everyHour && o.matches(high+1)
		}
		if fires {
			instants = append(instants, walk.from+1+int64(i))
		}
	}
	return instants
}

// clockChanges returns the instants, to the second, at which a zone's offset changed from 1990 to 2037.
func clockChanges(location *time.Location) []int64 {
	const step = 24 * 60 * 60
	var changes []int64
	end := time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for before := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); before < end; before += step {
		low, high := before, before+step
		if offsetAt(location, low) == offsetAt(location, high) {
			continue
		}
		for high-low > 1 {
			if middle := (low + high) / 2; offsetAt(location, middle) == offsetAt(location, before) {
				low = middle
			} else {
				high = middle
			}
		}
		changes = append(changes, high)
	}
	return changes
}

// touchingExpression returns a random expression that matches, or nearly matches, the given reading.
func touchingExpression(random *rand.Rand, reading int64) string {
	at := time.Unix(reading, 0).UTC()
	pick := func(choices ...string) string { return choices[random.IntN(len(choices))] }
	number := func(n int) string { return fmt.Sprint(n) }
	hour, weekday := number(at.Hour()), number(int(at.Weekday()))
	return strings.Join([]string{
		pick("0", "0", "*/20", "0-40/20", "?", number(at.Second()), number(at.Second())),
		pick("0", "*", "*/15", "*/1", "0-45/15", "0,30", "7,*/9", number(at.Minute()), number(at.Minute())),
		pick("*", "0-11,12-23", hour, hour, hour+","+number((at.Hour()+1)%24), "0-"+hour, hour+"-23", "*/2", "0-22"),
		pick("*", "*", "?", "*/1", number(at.Day()), number(at.Day())+"W", "L", "LW", "L-2", "L-1W"),
		pick("*", "*", at.Month().String(), "*/2"),
		pick("*", "*", "?", weekday, weekday+"L", weekday+"#"+number((at.Day()-1)/7+1), at.Weekday().String()+"-7", "+"+weekday),
		pick("*", "*", number(at.Year())),
	}, " ")
}

func TestScheduleNextAgreesWithTheOracleAroundClockChangesOfAllZones(t *testing.T) {
	for name := range strings.Lines(zoneNames) {
		name = strings.TrimSpace(name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hash := fnv.New64()
			hash.Write([]byte(name))
			random := rand.New(rand.NewPCG(*oracleSeed, hash.Sum64()))
			location := mustLoadZone(t, name)
			changes := clockChanges(location)
			for i := 1; i < len(changes); i++ {
				require.Greater(t, changes[i]-changes[i-1], int64(48*60*60), "the oracle takes changes one at a time")
			}
			random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
			if *oracleChanges > 0 {
				changes = changes[:min(*oracleChanges, len(changes))]
			}
			for _, change := range changes {
				compareAroundChange(t, random, location, change)
			}
		})
	}
}

// compareAroundChange compares Next with the oracle for random expressions, from random instants
// around a clock change and from all instants at which they fire.
func compareAroundChange(t *testing.T, random *rand.Rand, location *time.Location, change int64) {
	const margin = 90 * 60
	before, after := offsetAt(location, change-1), offsetAt(location, change)
	walk := walkClock(location, change-margin, change+margin+max(0, before-after))
	lowest, spread := change+min(before, after)-margin, max(before-after, after-before)+2*margin
	for range 8 {
		expr := touchingExpression(random, lowest+random.Int64N(spread))
		parsed, err := schedule.Parse(expr)
		require.NoError(t, err)
		firings := newOracle(expr).firings(walk)
		starts := []int64{change - 1, change, change + max(0, before-after) - 1}
		for range 10 {
			starts = append(starts, walk.from+random.Int64N(int64(len(walk.shown))))
		}
		starts = append(starts, firings[:min(20, len(firings))]...)
		// From far before, the next time may be before the walk. If it is not, it is the first of the walk.
		if far := change - random.Int64N(1000*24*60*60); parsed.Next(time.Unix(far, 0).In(location)).Unix() > walk.from {
			starts = append(starts, far)
		}
		for _, start := range starts {
			compareNext(t, expr, parsed, time.Unix(start, 0).In(location), firings, walk)
		}
	}
}

// compareNext compares Next with the instants at which the expression fires in a walk.
func compareNext(t *testing.T, expr string, parsed *schedule.Schedule, start time.Time, firings []int64, walk clockWalk) {
	t.Helper()
	got := parsed.Next(start)
	i, _ := slices.BinarySearch(firings, start.Unix()+1)
	if i < len(firings) {
		if want := time.Unix(firings[i], 0).In(start.Location()); !got.Equal(want) {
			t.Errorf("Next of %q from %v\n got %v\nwant %v", expr, start, got, want)
		}
	} else if end := walk.from + int64(len(walk.shown)); !got.IsZero() && got.Unix() < end {
		t.Errorf("Next of %q from %v\n got %v\nwant none before %v", expr, start, got, time.Unix(end, 0).In(start.Location()))
	}
}
