package jobs

import (
	"encoding/binary"
	"iter"
	"sync/atomic"
)

// A registry finds jobs by their id. A look-up acquires no lock, so it costs the same whatever else is going on; the
// other methods, except all, are called with the pool's mutex held.
//
// It is split into parts, so that rebuilding one blocks a registration only briefly, however many jobs there are.
type registry struct {
	parts [64]registryPart
}

// A registryPart is a hash table with open addressing. Its readers see each slot change from empty to a job, from a
// job to a grave, and from a grave to a job, but never back to empty: so a search for a job that is there finds it
// before it comes to an empty slot.
type registryPart struct {
	slots atomic.Pointer[[]registrySlot] // a power of two of them; nil if there are none
	jobs  int
	taken int // slots that are not empty, at most half of all
}

type registrySlot = atomic.Pointer[job]

// A new table has three to six slots per job. It is rebuilt when half of them are taken, or less than a sixteenth
// hold a job: in either case after a share of its jobs has come or gone, so that the cost per job does not grow with
// their number.
const fewestSlots = 8

// grave marks where a job was that others may have passed on the way to their slots.
var grave = new(job)

// hashOf returns the hash of an id. Its first eight digits are random, if the pool made it; any other string has a
// hash, too.
func hashOf(id string) (hash uint64) {
	if len(id) >= 8 {
		hash = binary.LittleEndian.Uint64([]byte(id[:8])) * 0x9e3779b97f4a7c15 // the golden ratio, as in Knuth's multiplicative hashing
	}
	return hash
}

func (r *registry) find(id string) (part *registryPart, hash uint64) {
	hash = hashOf(id)
	return &r.parts[hash>>58], hash >> 26
}

// get returns the job with that id, or nil. It may be called without the pool's mutex.
func (r *registry) get(id string) *job {
	part, hash := r.find(id)
	j, _ := part.look(id, hash)
	return j
}

// look returns the job with that id and its slot, or nil.
func (part *registryPart) look(id string, hash uint64) (*job, *registrySlot) {
	table := part.slots.Load()
	if table == nil {
		return nil, nil
	}
	slots := *table
	for i := hash; ; i++ {
		slot := &slots[i&uint64(len(slots)-1)]
		switch j := slot.Load(); {
		case j == nil:
			return nil, nil
		case j.id == id && j != grave:
			return j, slot
		}
	}
}

// all iterates over the jobs. It may be called without the pool's mutex: jobs added or removed meanwhile may be
// included or not.
func (r *registry) all() iter.Seq[*job] {
	return func(yield func(*job) bool) {
		for i := range r.parts {
			table := r.parts[i].slots.Load()
			if table == nil {
				continue
			}
			for s := range *table {
				if j := (*table)[s].Load(); j != nil && j != grave && !yield(j) {
					return
				}
			}
		}
	}
}

func (r *registry) add(j *job) {
	part, hash := r.find(j.id)
	part.jobs++
	if table := part.slots.Load(); table == nil || 2*(part.taken+1) > len(*table) {
		part.remake()
	}
	part.put(*part.slots.Load(), j, hash)
}

// remove removes the job with that id and returns it, or nil.
func (r *registry) remove(id string) *job {
	part, hash := r.find(id)
	j, slot := part.look(id, hash)
	if j == nil {
		return nil
	}
	slot.Store(grave)
	part.jobs--
	if slots := *part.slots.Load(); part.jobs == 0 || len(slots) > fewestSlots && 16*part.jobs < len(slots) {
		part.remake() // to free memory
	}
	return j
}

func (part *registryPart) put(slots []registrySlot, j *job, hash uint64) {
	for i := hash; ; i++ {
		slot := &slots[i&uint64(len(slots)-1)]
		switch there := slot.Load(); there {
		case nil:
			part.taken++
			fallthrough
		case grave:
			slot.Store(j)
			return
		}
	}
}

// remake moves the jobs to a table of the right size, without graves.
func (part *registryPart) remake() {
	old := part.slots.Load()
	part.taken = 0
	if part.jobs == 0 {
		part.slots.Store(nil)
		return
	}
	size := fewestSlots
	for size < 3*part.jobs {
		size *= 2
	}
	slots := make([]registrySlot, size)
	if old != nil {
		for i := range *old {
			if j := (*old)[i].Load(); j != nil && j != grave {
				part.put(slots, j, hashOf(j.id)>>26)
			}
		}
	}
	part.slots.Store(&slots)
}
