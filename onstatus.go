package jobs

import "log/slog"

// mostPending is the maximum number of status changes that wait for WithOnStatus's function.
const mostPending = 64

// Announcements are the calls of WithOnStatus's function. The pool's mutex guards them.
type announcements struct {
	pending    []PoolInfo
	announcing bool
}

// announceLocked queues an announcement of the pool's status.
func (p *Pool) announceLocked() {
	if p.settings.onStatus == nil {
		return
	}
	if len(p.pending) == mostPending {
		p.pending = p.pending[:mostPending-1]
	}
	p.pending = append(p.pending, p.infoLocked())
	if !p.announcing {
		p.announcing = true
		// Ends when there is no more to announce.
		go p.announce()
	}
}

// announceLatestLocked drops all pending announcements but the latest.
func (p *Pool) announceLatestLocked() {
	if n := len(p.pending); n > 1 {
		p.pending = p.pending[n-1:]
	}
}

func (p *Pool) announce() {
	silent := false
	defer func() {
		if !silent {
			// Replaces this goroutine, which runtime.Goexit ends, and ends as it would have.
			go p.announce()
		}
	}()
	for {
		p.mu.Lock()
		if len(p.pending) == 0 {
			p.announcing = false
			p.wakeSilentLocked()
			p.mu.Unlock()
			silent = true
			return
		}
		info := p.pending[0]
		p.pending = p.pending[1:]
		p.mu.Unlock()
		userCode(caller{pool: p}, func() error {
			p.settings.onStatus(info)
			return nil
		}, func(err error) {
			if err != nil {
				p.log(slog.LevelError, "status function failed", errorAttrs(err)...)
			}
		})
	}
}
