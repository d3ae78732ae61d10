// Package stopchan tells those who listen on a stop channel to stop, by a nil each, and keeps account of the nils
// where several share a channel. It knows channels and counts, and nothing of who shares them, or why.
package stopchan

import "iter"

// A claim is what a sharer has to do with the nils on its channel:
//
//	none -> open                  it executes, and is told
//	open -> withdrawn             it is told no longer, but executes and may have taken a nil
//	withdrawn -> open             it is told again
//	none, open, withdrawn -> listening   its execution has ended with an error, untold
//	any -> none                   its execution has ended, or another begins, or it is told no longer
type claim uint8

const (
	claimNone claim = iota
	claimOpen
	claimWithdrawn
	claimListening
	claimKinds
)

// A channel is a stop channel with the account of the nils that were put there. These are the rules:
//
//  1. A sharer that is told while it executes is owed one nil, once until its execution has ended.
//  2. Nobody can say who has taken a nil. So nils are not assigned to sharers but counted: each is on offer, in the
//     channel's buffer, or taken. One that was taken counts for whichever execution ends next: that one was told.
//  3. If that one may not have taken it, since it has failed, or had another reason to end, or was in doubt itself,
//     then all others that are executing are in doubt: one that ends without an error counts as told, too. One
//     execution too many does less harm than none ever again.
//  4. A sharer whose execution has failed, and that was not told, is owed one nil all the same, for whatever else of
//     it may be listening, until it begins again, or is told no longer, or retires.
//  5. When fewer nils are owed, as many are taken back: first those on offer, then those in the buffer. Never more are
//     taken out of the buffer than were put there, and what others have put there goes back, in its order.
//  6. A sharer that is told no longer, but executes, may have taken a nil before. Such a nil waits for its end; if it
//     is told again, that is the one it is owed.
//  7. A nil that was taken, and by nobody who was told, was taken by a listener, or by somebody who was not to be told.
//     It is written off when a listener's claim ends, or another execution begins, which must not be credited with it;
//     those that are executing are in doubt then, as in 3.
//  8. A sharer that is told, and whose nil has counted for another, is owed another one: each time somebody is told
//     anew, and in between as often as each of the others may have taken one of each that is told. No more, since one
//     that never listens would have the others begin again and again.
//  9. If the channel is found closed, that has told all that are owed a nil or may have taken one, and those that are
//     told from then on. Nothing is put there or taken back any more.
//
// Telling, untelling, beginning and ending take constant time each, however many share the channel; but for values of
// others in its buffer, which are looked at one by one.
type channel struct {
	stop     chan interface{}
	sharers  [claimKinds]int // by their claims
	offered  int             // nils on offer, or waiting to be
	unread   int             // nils in the buffer
	taken    int             // nils that somebody has taken, and that have counted for nobody yet
	renewed  int             // nils owed by rule 8 since the last Tell
	doubts   uint64          // how often those that were executing have been in doubt
	closed   bool            // the channel was found closed
	offering *offering       // puts those on offer; nil if it was not begun, or was halted
}

// A Sharer is one of those that listen on a channel. The zero Sharer has no channel, and is told nothing.
type Sharer struct {
	channel *channel
	claim   claim
	doubts  uint64 // those of the channel when its execution began
	retired bool
}

// A Set is a set of channels, and of their sharers. The zero Set is empty and ready for use. Neither a Set nor its
// Sharers may be used by several goroutines at once: a mutex of their owner's guards them all. That mutex may be held
// while other locks are, since nothing waits here for anything but a goroutine that takes none.
type Set struct {
	channels map[chan interface{}]*channel
}

// Join makes a zero Sharer share a channel with all others of the set that have joined with the same.
func (set *Set) Join(s *Sharer, stop chan interface{}) {
	c := set.channels[stop]
	if c == nil {
		c = &channel{stop: stop}
		if set.channels == nil {
			set.channels = make(map[chan interface{}]*channel)
		}
		set.channels[stop] = c
	}
	s.channel = c
	c.sharers[s.claim]++
}

// Leave takes a sharer out of the set that has retired and is not executing. It does nothing to the channel.
func (set *Set) Leave(s *Sharer) {
	if c := s.channel; c != nil {
		c.sharers[s.claim]--
		if c.sharers == [claimKinds]int{} {
			delete(set.channels, c.stop)
		}
	}
}

// Begin is called before an execution of the sharer begins (rules 4 and 7).
func (s *Sharer) Begin() {
	c := s.channel
	if c == nil {
		return
	}
	c.withdraw(s)
	if c.sharers[claimListening] > 0 { // else all that were taken are accounted for
		c.halt()
		c.writeOff(c.heard())
	}
	c.balance()
	s.doubts = c.doubts
}

// Tell has a nil put on the channel for a sharer that is executing, unless that was done (rules 1, 6 and 8).
func (s *Sharer) Tell() {
	c := s.channel
	if c == nil || s.claim == claimOpen {
		return
	}
	c.count()
	owed := 1
	if s.claim == claimWithdrawn && c.taken >= c.sharers[claimWithdrawn] {
		owed = 0
	}
	c.move(s, claimOpen)
	c.renewed = 0
	c.put(max(owed, c.missing()))
}

// Untell takes back what was put for the sharers, and that nobody has taken (rules 5 and 6). They are named all at
// once, as each channel is then looked at once.
func Untell(sharers iter.Seq[*Sharer]) {
	for s := range sharers {
		if s.channel != nil {
			s.channel.withdraw(s)
		}
	}
	for s := range sharers {
		if s.channel != nil {
			s.channel.balance()
		}
	}
}

// Retire tells a sharer for good: to end, if it is executing, and nothing if it is not (rules 1 and 4).
func (s *Sharer) Retire(executing bool) {
	s.retired = true
	switch {
	case executing:
		s.Tell()
	case s.claim != claimNone: // else the channel is left alone: it may belong to a bubble that is over
		s.channel.withdraw(s)
		s.channel.balance()
	}
}

// End accounts for an execution of the sharer that has ended: whether it has failed, and whether its end had another
// reason. It returns whether it was told (rules 2, 3, 4, 8 and 9).
func (s *Sharer) End(failed, excused bool) (told bool) {
	c := s.channel
	if c == nil {
		return false
	}
	claim, doubtful := s.claim, s.doubts < c.doubts
	c.move(s, claimNone)
	if c.count(); c.taken == 0 {
		c.halt()
	}
	if c.taken == 0 {
		c.takeBack() // among values of others, only that can show that it was taken
	}
	switch {
	case c.taken > 0 && (claim == claimOpen || !excused):
		told = true
		c.taken--
		if failed || excused || doubtful {
			c.doubts++
		}
	case excused:
	case c.closed && claim != claimNone || !failed && doubtful:
		told = true
	case failed && !s.retired:
		c.move(s, claimListening)
		c.put(1)
	}
	c.balance()
	return told
}

func (c *channel) move(s *Sharer, to claim) {
	c.sharers[s.claim]--
	s.claim = to
	c.sharers[to]++
}

// withdraw ends a claim, as far as it is for nils that nobody has taken (rules 6 and 7).
func (c *channel) withdraw(s *Sharer) {
	switch s.claim {
	case claimOpen:
		c.move(s, claimWithdrawn)
	case claimListening:
		c.halt()
		c.writeOff(min(1, c.heard()))
		c.move(s, claimNone)
	}
}

// heard returns how many nils were taken by nobody who was told (rule 7).
func (c *channel) heard() int {
	return c.taken - c.sharers[claimOpen] - c.sharers[claimWithdrawn]
}

// writeOff takes nils that were taken off the account (rules 3 and 7).
func (c *channel) writeOff(n int) {
	if n > 0 {
		c.taken -= n
		c.doubts++
	}
}

// out returns how many nils are there for those that are owed one, taken or not; those aside that may have been taken
// by sharers whose claims were withdrawn (rule 6).
func (c *channel) out() int {
	return c.offered + c.unread + c.taken - min(c.taken, c.sharers[claimWithdrawn])
}

// missing returns how many nils fewer are there than sharers that are told (rule 8), and excess how many more than any
// sharer is owed (rule 5).
func (c *channel) missing() int { return c.sharers[claimOpen] - c.out() }
func (c *channel) excess() int  { return c.out() - c.sharers[claimOpen] - c.sharers[claimListening] }

// balance makes there be as many nils as are owed, after anything that this depends on has changed (rules 5, 7 and 8).
func (c *channel) balance() {
	c.takeBack()
	c.writeOff(c.heard() - c.sharers[claimListening])
	told := c.sharers[claimOpen]
	others := c.sharers[claimNone] + c.sharers[claimWithdrawn] + c.sharers[claimListening]
	renew := max(0, min(c.missing(), told*others-c.renewed))
	c.renewed += renew
	c.put(renew)
}
