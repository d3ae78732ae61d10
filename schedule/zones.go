package schedule

import (
	"strings"
	"sync"
	"time"
)

// zones has the locations of all schedules: thousands of schedules in one zone share its data, which is read once.
var zones = zoneCache{load: time.LoadLocation}

// A zoneCache remembers the locations that it has loaded.
type zoneCache struct {
	load func(name string) (*time.Location, error)

	mu sync.Mutex
	// byName never has more than maxCachedZones elements. What failed to load is not in it.
	byName map[string]*time.Location
}

// maxCachedZones is more than the tz database has names. It is needed because there is no end of other names for the
// same files: ./UTC, ././UTC, and those in other cases where the file system ignores case.
const maxCachedZones = 1024

// location returns the location of a zone.
func (c *zoneCache) location(name string) (*time.Location, error) {
	c.mu.Lock()
	location := c.byName[name]
	c.mu.Unlock()
	if location != nil {
		return location, nil
	}
	name = strings.Clone(name) // it is kept, and the rest of the expression need not be
	location, err := c.load(name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.byName[name]; first != nil { // loaded by another goroutine meanwhile
		return first, nil
	}
	// A program may replace time.Local.
	if location != time.Local && len(c.byName) < maxCachedZones {
		if c.byName == nil {
			c.byName = make(map[string]*time.Location)
		}
		c.byName[name] = location
	}
	return location, nil
}
