package jobs

import (
	"cmp"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// WithHistory makes the pool keep its last executions, whatever their jobs, and beyond those its last ones that were
// neither successful nor told to end, for [Pool.History]. The usual numbers are 256 and 64, which 0 means; they cost about
// 40 kB together. A number below 0 is an error. Without this option no executions are kept.
func WithHistory(executions, failures int) PoolOption {
	return poolOption(func(s *poolSettings) {
		if executions < 0 || failures < 0 {
			s.reject(fmt.Errorf("WithHistory(%d, %d): a number below zero", executions, failures))
			return
		}
		s.history = &history{
			executions: ring{most: cmp.Or(executions, 256)},
			failures:   ring{most: cmp.Or(failures, 64)},
		}
	})
}

// An Execution is one of a job's that has ended, was abandoned or, until it has, is late.
type Execution struct {
	ID      string        `json:"id"` // of the job
	Name    string        `json:"name"`
	Number  uint64        `json:"number"` // from 1 for each job
	Due     time.Time     `json:"due"`
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"tookNs"`
	Outcome Outcome       `json:"outcome"`
	Error   string        `json:"error,omitzero"` // the first 256 bytes of its text
}

// failed reports whether it is one of WithHistory's failures.
func (e *Execution) failed() bool { return e.Outcome != OutcomeSuccess && e.Outcome != OutcomeTold }

// History returns the executions of a job that are kept, see WithHistory, oldest first; those of all jobs if id is
// empty. They are kept when the job is unregistered, too.
func (p *Pool) History(id string) (executions []Execution) {
	h := p.settings.history
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, kept := range []*ring{&h.failures, &h.executions} {
		for e := range kept.all() {
			if id == "" || e.ID == id {
				executions = append(executions, *e)
			}
		}
	}
	return executions
}

// A history is the last executions of a pool. Failures that drop out of it are kept for longer.
type history struct {
	mu         sync.Mutex // guards what follows; no other is acquired while it is held
	executions ring
	failures   ring
}

// A ring keeps the last of the executions that are added to it.
type ring struct {
	most   int
	kept   []Execution
	oldest int // the place of the first, once it is full
}

// add adds an execution and returns the one that drops out, if one does.
func (r *ring) add(e Execution) (dropped Execution, full bool) {
	if len(r.kept) < r.most {
		r.kept = append(r.kept, e)
		return dropped, false
	}
	dropped, r.kept[r.oldest] = r.kept[r.oldest], e
	r.oldest = (r.oldest + 1) % r.most
	return dropped, true
}

func (r *ring) all() iter.Seq[*Execution] {
	return func(yield func(*Execution) bool) {
		for i := range r.kept {
			if !yield(&r.kept[(r.oldest+i)%len(r.kept)]) {
				return
			}
		}
	}
}

// add keeps an execution, as the event of its end tells of it.
func (h *history) add(e *Event) {
	x := Execution{ID: e.ID, Name: e.Name, Number: e.Execution, Due: e.Due, Began: e.Began, Took: e.Took, Outcome: e.Outcome}
	if e.Error != nil {
		x.Error = excerptOf(e.Error.Error())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if dropped, full := h.executions.add(x); full && dropped.failed() {
		h.failures.add(dropped)
	}
}

// mostOfText is how many bytes of the text of an error, or of a note, are kept.
const mostOfText = 256

// excerptOf returns the beginning of a text, in valid UTF-8.
func excerptOf(text string) string {
	if len(text) > mostOfText {
		text = text[:mostOfText]
		for !utf8.ValidString(text) && len(text) > mostOfText-utf8.UTFMax {
			text = text[:len(text)-1]
		}
	}
	return strings.Clone(strings.ToValidUTF8(text, "\ufffd")) // so that a long text is not kept
}
