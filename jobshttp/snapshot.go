package jobshttp

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/agentjobs/jobs"
)

const (
	freshFor  = time.Second // for how long an answer of the pool serves all who ask
	mostPages = 100         // of the list of jobs, that are kept for so long
)

// Snapshots ask the pool once a second at most for what the pages show of all jobs, however many look at them.
type snapshots struct {
	mu       sync.Mutex // guards what follows, and is held while the pool is asked: all who ask wait for the one answer
	taken    time.Time
	overview *overview
	pages    map[query]list
}

// An overview is what is shown of the whole pool. It is immutable.
type overview struct {
	pool     jobs.PoolInfo
	counts   map[string]int // of jobs, by their status
	troubles []trouble
	more     int // troubles that are not listed
}

// A list is a page of the list of jobs. It is immutable.
type list struct {
	jobs []jobs.JobInfo
	next string // the cursor of the next page; empty if there is none
}

// freshLocked forgets what is too old.
func (s *snapshots) freshLocked() {
	if at := time.Now(); at.Sub(s.taken) >= freshFor {
		s.taken, s.overview, s.pages = at, nil, make(map[query]list)
	}
}

func (s *snapshots) overviewOf(p *jobs.Pool) *overview {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freshLocked()
	if s.overview == nil {
		s.overview = overviewOf(p)
	}
	return s.overview
}

func (s *snapshots) listOf(p *jobs.Pool, q query) list {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freshLocked()
	page, known := s.pages[q]
	if !known {
		if page = q.list(p); len(s.pages) < mostPages && len(q.status)+len(q.text)+len(q.after) < mostName {
			s.pages[q] = page
		}
	}
	return page
}

func overviewOf(p *jobs.Pool) *overview {
	o := &overview{pool: p.Info(), counts: make(map[string]int)}
	for j := range p.Jobs() {
		o.counts[j.Status.String()]++
		if says := troubleOf(&j); says == "" {
			continue
		} else if len(o.troubles) < perPage {
			o.troubles = append(o.troubles, trouble{j, says})
		} else {
			o.more++
		}
	}
	return o
}

// A query is what the list of jobs is narrowed to: a status, a part of the name or an id, and what comes after a cursor.
type query struct{ status, text, after string }

// list returns the page that the query asks for, in order of registration.
func (q query) list(p *jobs.Pool) (page list) {
	text := strings.ToLower(q.text)
	last, passed := q.cursor()
	_, known := p.Job(last)
	if known {
		passed = 0
	}
	at := 0
	for j := range p.Jobs() {
		at++
		switch {
		case known:
			known = j.ID != last
		case at <= passed:
		case q.status != "" && !strings.EqualFold(j.Status.String(), q.status):
		case q.text != "" && j.ID != q.text && !strings.Contains(strings.ToLower(j.Name), text):
		case len(page.jobs) == perPage:
			page.next = page.jobs[perPage-1].ID + "." + strconv.Itoa(passed)
			return page
		default:
			page.jobs = append(page.jobs, j)
			passed = at
		}
	}
	return page
}

// cursor returns what a cursor has: the id of the last job that was shown, and how many jobs there were up to that.
// The number counts if the job is gone, so that whoever goes through all pages comes to the end.
func (q query) cursor() (last string, passed int) {
	last, number, _ := strings.Cut(q.after, ".")
	passed, _ = strconv.Atoi(number)
	return last, passed
}

// A startup remembers that the pool has started.
type startup struct {
	mu   sync.Mutex
	done bool
}

// isDone reports whether the pool was ever found Running with each attached job started.
func (s *startup) isDone(info *jobs.PoolInfo) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = s.done || info.Status == jobs.PoolStatusRunning && info.Unstarted == 0
	return s.done
}
