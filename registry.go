package jobs

import (
	"hash/maphash"
	"sync"
)

// A registry finds jobs by their id. It is cut into parts, each with a mutex of its own, so that
// look-ups do not wait for registrations. Its mutexes are taken last.
type registry struct {
	parts [registryParts]struct {
		mu   sync.Mutex
		jobs map[string]*job
	}
}

const registryParts = 32

var registrySeed = maphash.MakeSeed()

func registryPart(id string) uint64 { return maphash.String(registrySeed, id) % registryParts }

// get returns the job with that id, or nil.
func (r *registry) get(id string) *job {
	part := &r.parts[registryPart(id)]
	part.mu.Lock()
	j := part.jobs[id]
	part.mu.Unlock()
	return j
}

func (r *registry) add(j *job) {
	part := &r.parts[registryPart(j.id)]
	part.mu.Lock()
	defer part.mu.Unlock()
	if part.jobs == nil {
		part.jobs = make(map[string]*job)
	}
	part.jobs[j.id] = j
}

// remove removes the job with that id and returns it, or nil.
func (r *registry) remove(id string) *job {
	part := &r.parts[registryPart(id)]
	part.mu.Lock()
	defer part.mu.Unlock()
	j := part.jobs[id]
	delete(part.jobs, id)
	if len(part.jobs) == 0 {
		part.jobs = nil // a map does not give its memory back otherwise
	}
	return j
}
