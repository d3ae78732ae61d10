package jobs

import (
	"context"
	"time"
)

// JobProgress is how far an execution says it is, see [Progress].
type JobProgress struct {
	Done  int64     `json:"done"`
	Total int64     `json:"total"` // 0 if it is unknown
	Note  string    `json:"note,omitzero"`
	At    time.Time `json:"at,omitzero"` // when it has said so; zero if it never has
}

// Progress tells how far an execution is: done of total units of work, whatever they are, and a note in plain English. ctx
// is the execution's context, or one derived from it. JobInfo.Progress shows the last call, until the job's next
// execution begins.
//
// A total of 0 means that it is not known. A number below 0 counts as 0; done may exceed total. Of a note the first 256
// bytes are kept, or a few less so as not to cut a character in two, as valid UTF-8. With any other context, and that of
// an execution that has ended or was abandoned, Progress does nothing. It is cheap, never waits, and may be called from
// several goroutines.
func Progress(ctx context.Context, done, total int64, note string) {
	c := executionOf(ctx)
	if c == nil {
		return
	}
	progress := JobProgress{max(done, 0), max(total, 0), excerptOf(note), time.Now().Round(0)}
	j := c.job
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ctx == c {
		j.extraLocked().progress = progress
	}
}
