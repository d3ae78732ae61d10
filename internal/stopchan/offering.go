package stopchan

import "sync/atomic"

// An offering is a goroutine that puts nils on a channel, one after another. A channel has at most one.
type offering struct {
	left      atomic.Int64  // nils still to put; it ends when there are none
	withdrawn chan struct{} // closed by the account, to end it earlier
	over      chan struct{} // closed by the goroutine when it ends
	closed    bool          // it found the channel closed; written before over is closed, and read after that
}

func (o *offering) run(stop chan<- interface{}) {
	defer close(o.over)
	defer func() { o.closed = recover() != nil }() // a send on a closed channel panics
	left := o.left.Load()
	select {
	case stop <- nil: // tried once in any case, since that shows whether the channel is closed
		left = o.left.Add(-1)
	default:
	}
	for left > 0 {
		select {
		case stop <- nil:
			left = o.left.Add(-1)
		case <-o.withdrawn:
			return
		}
	}
}

// more makes it put n more nils. It reports false if it has none left, and so has ended.
func (o *offering) more(n int) bool {
	for {
		left := o.left.Load()
		if left == 0 {
			return false
		}
		if o.left.CompareAndSwap(left, left+int64(n)) {
			return true
		}
	}
}

// put has n more nils put on the channel, and makes sure that those on offer are offered (rules 1, 4, 9 and 10).
func (c *channel) put(n int) {
	if n > 0 && c.offering != nil && !c.offering.more(n) {
		c.halt()
	}
	if c.closed {
		return
	}
	c.offered += n
	if c.offered > 0 && c.offering == nil {
		o := &offering{withdrawn: make(chan struct{}), over: make(chan struct{})}
		o.left.Store(int64(c.offered))
		c.offering = o
		// Ends when all are put, or at halt: at the latest when the last claim ends.
		go o.run(c.stop)
	}
}

// count updates the account (rule 2). It may lag behind by the one nil that is being put right now.
func (c *channel) count() {
	if c.offering != nil {
		left := int(c.offering.left.Load())
		c.unread += c.offered - left
		c.offered = left
	}
	if gone := c.unread - len(c.stop); gone > 0 {
		c.unread -= gone
		c.taken += gone
	}
}

// halt ends the offering, until the next put. From then on the account is exact.
func (c *channel) halt() {
	o := c.offering
	if o != nil {
		close(o.withdrawn)
		<-o.over // at once: once withdrawn, it waits for nobody
	}
	c.count()
	c.offering = nil
	if o != nil && o.closed {
		c.foundClosed()
	}
}

// takeBack takes back excess nils (rule 5).
func (c *channel) takeBack() {
	if c.excess() <= 0 {
		return
	}
	c.halt()
	c.offered -= max(0, min(c.excess(), c.offered))
	kept, rotates := 0, false
	for looks := len(c.stop); looks > 0 && (rotates || c.unread > 0 && c.excess() > 0); looks-- {
		value, ok := c.receive()
		switch {
		case !ok: // somebody was faster
		case value == nil && c.unread > 0 && c.excess() > 0:
			c.unread--
		default:
			// Everything there goes round once, which keeps its order.
			rotates = true
			if value == nil {
				kept++
			}
			if !c.giveBack(value) {
				c.foundClosed()
				return
			}
		}
	}
	if lost := c.unread - kept; rotates && lost > 0 { // they were all looked at
		c.unread -= lost
		c.taken += lost
	}
}

func (c *channel) receive() (value interface{}, ok bool) {
	select {
	case value, ok = <-c.stop:
	default:
	}
	return value, ok
}

// giveBack puts a value back on the channel that it was taken from. It reports false if the channel is closed: then
// nobody is to get it. It is all but impossible that there is no room: somebody has filled it meanwhile.
func (c *channel) giveBack(value interface{}) (open bool) {
	defer func() { open = recover() == nil }() // a send on a closed channel panics
	select {
	case c.stop <- value:
	default:
		// Ends as soon as whoever filled the channel, or a listener, makes room.
		go func(stop chan<- interface{}) {
			defer func() { _ = recover() }()
			stop <- value
		}(c.stop)
	}
	return true
}
