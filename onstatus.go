package jobs

import "log/slog"

// mostPending is how many changes of status wait for WithOnStatus's function at the most.
const mostPending = 64

// Announcements are the calls of WithOnStatus's function. The pool's mutex guards them.
type announcements struct {
	pending    []PoolInfo
	announcing bool
}

// announceLocked has the pool's status announced.
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

// announceLatestLocked forgets what has yet to be announced, but for the latest.
func (p *Pool) announceLatestLocked() {
	if n := len(p.pending); n > 1 {
		p.pending = p.pending[n-1:]
	}
}

func (p *Pool) announce() {
	silent := false
	defer func() {
		if !silent {
			// In place of this goroutine, which runtime.Goexit ends; and ends as that would have.
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
