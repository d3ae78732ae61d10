package jobs

import "time"

// SetClock makes the pool, which was not used so far, read the wall clock with clock.
func (p *Pool) SetClock(clock func() time.Time) { p.settings.clock = clock }

// Departed returns how many unregistered jobs the pool still keeps.
func (p *Pool) Departed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.departed)
}
