package main

import (
	"time"

	"github.com/google/uuid"
)

// oneUUID measures what a random id costs, which registering may cost besides. It is the same for all.
func oneUUID(s subject, _ int) (metrics, error) {
	if _, ours := s.(*jobsSubject); !ours {
		return nil, errNotApplicable
	}
	ns, _ := perCall(100*time.Millisecond, func(int) { uuid.Must(uuid.NewRandom()) })
	return metrics{"ns": ns}, nil
}
