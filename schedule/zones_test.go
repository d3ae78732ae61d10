package schedule

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSchedulesInOneZoneShareItsLocation(t *testing.T) {
	paris := parseForTest(t, "CRON_TZ=Europe/Paris 0 9 * * *")
	assert.Same(t, paris.location, parseForTest(t, "TZ=Europe/Paris 0 10 * * MON").location)
	assert.NotSame(t, paris.location, parseForTest(t, "TZ=Asia/Tokyo 0 10 * * MON").location)
	assert.Equal(t, "Europe/Paris", paris.location.String())
}

func parseForTest(t *testing.T, expr string) *Schedule {
	t.Helper()
	s, err := Parse(expr)
	require.NoError(t, err)
	return s
}

func TestSchedulesInOneZoneCostAtMost30PercentMoreMemory(t *testing.T) {
	bytes := func(expr string) uint64 {
		parseForTest(t, expr)
		const schedules = 1000
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range schedules {
			parseForTest(t, expr)
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / schedules
	}
	with, without := bytes("CRON_TZ=America/New_York 30 9 * * MON-FRI"), bytes("30 9 * * MON-FRI")
	assert.LessOrEqual(t, float64(with), 1.3*float64(without))
}

func TestAZoneThatFailsToLoadIsTriedAgain(t *testing.T) {
	fails := true
	cache := zoneCache{load: func(name string) (*time.Location, error) {
		if fails {
			return nil, errors.New("too many open files")
		}
		return time.FixedZone(name, 3600), nil
	}}
	_, err := cache.location("Europe/Paris")
	require.EqualError(t, err, "too many open files")
	assert.Empty(t, cache.byName)
	fails = false
	location, err := cache.location("Europe/Paris")
	require.NoError(t, err)
	assert.Equal(t, "Europe/Paris", location.String())
}

// A program that parses what strangers write must not grow by the names of zones, of which a file system may know any
// number.
func TestTheNumberOfCachedZonesIsBounded(t *testing.T) {
	cache := zoneCache{load: func(name string) (*time.Location, error) { return time.FixedZone(name, 3600), nil }}
	for i := range 3 * maxCachedZones {
		name := "./" + strconv.Itoa(i)
		location, err := cache.location(name)
		require.NoError(t, err)
		require.Equal(t, name, location.String())
	}
	assert.Len(t, cache.byName, maxCachedZones)
	assert.Same(t, cache.byName["./5"], first(cache.location("./5")))
}

func first(location *time.Location, _ error) *time.Location { return location }

func TestTheLocalZoneIsTheOneOfTheMoment(t *testing.T) {
	local := time.Local
	defer func() { time.Local = local }()
	for offset := range 3 {
		time.Local = time.FixedZone(fmt.Sprint(offset), offset*3600)
		assert.Same(t, time.Local, parseForTest(t, "CRON_TZ=Local 0 9 * * *").location)
	}
}

func TestSchedulesInOneZoneShareItsLocationWhoeverParsesThemFirst(t *testing.T) {
	const goroutines = 8
	cache := zoneCache{load: time.LoadLocation}
	var found [goroutines]*time.Location
	var parsers sync.WaitGroup
	for i := range goroutines {
		parsers.Go(func() { found[i] = first(cache.location("Europe/Paris")) })
	}
	parsers.Wait()
	for _, location := range found {
		assert.Same(t, found[0], location)
	}
}
