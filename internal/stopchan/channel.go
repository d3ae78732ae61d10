package stopchan

// A channel is a stop channel, with the account of the nils that were put there. These are the rules:
//
//  1. A sharer that is told while it executes is owed one nil; not another one before its execution has ended.
//  2. Nobody can say who has taken a nil. So nils belong to no sharer but are counted: each is on offer, in the
//     channel's buffer, or taken. One that was taken counts for the execution that ends next: it was told.
//  3. That one may not have taken it, if it has failed, or had another reason to end, or was in doubt itself. Then all
//     others that are executing are in doubt: those that end without an error count as told, too. One execution too
//     many does less harm than none ever again.
//  4. A sharer whose execution has failed, and was not told, is listening: it is owed one nil all the same, until it
//     begins again, is told no longer, or retires.
//  5. When fewer nils are owed than are there, the others are taken back: from those on offer first, and then out of
//     the buffer. No more are taken out than were put there, and what others have put there goes back, in its order.
//  6. A sharer that is told no longer, but executes, may have taken a nil before. A nil that was taken waits for its
//     end; if it is told again, that is the one that it is owed.
//  7. If more nils were taken than there are sharers that are or were told, those who listen have taken the others.
//     Those are written off when a listener's claim ends, and when an execution begins, which they must not count for.
//     Those that are executing are in doubt then, as in 3.
//  8. If a listener's claim ends, and it may have taken a nil just as well as a sharer that is told may have, then no
//     nil is taken back on its account until all that were taken are accounted for.
//  9. If fewer nils are there than are owed, as one has counted for an execution that was not to be told, then those
//     that are told are owed it once more: whenever somebody is told, and in between as often as each of the others can
//     have taken one from each of them. No more often, as one that never looks would have the others begin for ever.
//     Those that are listening are not owed theirs again.
//  10. If the channel is found closed, that has told all that are told or were, and those that will be. Nothing is put
//     there or taken back any more.
//
// Whatever is done for one sharer takes the same time, however many share the channel; only values of others in its
// buffer are looked at one by one.
type channel struct {
	stop     chan interface{}
	sharers  [claimKinds]int // by their claims
	offered  int             // nils on offer, or about to be
	unread   int             // nils in the buffer
	taken    int             // nils that somebody has taken, and that have not counted for anybody yet
	served   int             // sharers listening whose nil was taken, and is off the account
	parted   int             // listeners whose claims have ended by rule 8
	renewed  int             // nils owed once more by rule 9, since somebody was told
	doubts   uint64          // how often those executing were in doubt
	closed   bool            // the channel was found closed
	offering *offering       // puts those on offer; nil if none was begun, or it was halted
}

func (c *channel) move(s *Sharer, to claim) {
	c.sharers[s.claim]--
	s.claim = to
	c.sharers[to]++
}

// withdraw ends a claim, or as much of it as there can be without a nil that was taken (rules 6, 7 and 8).
func (c *channel) withdraw(s *Sharer) {
	switch s.claim {
	case claimOpen:
		c.move(s, claimWithdrawn)
	case claimListening:
		c.halt()
		if c.served == 0 {
			c.writeOff(min(1, c.heard()))
		}
		if c.served > 0 {
			c.served-- // it leaves because it has had its nil
		} else {
			c.parted++
		}
		c.move(s, claimNone)
	}
}

// heard returns how many nils were taken by those who listen, for certain (rule 7).
func (c *channel) heard() int { return c.taken - c.sharers[claimOpen] - c.sharers[claimWithdrawn] }

// waiting returns how many of those listening have not had their nil (rule 4).
func (c *channel) waiting() int { return c.sharers[claimListening] - c.served }

// out returns how many nils are there for those that are owed one, taken or not. Those are not among them that sharers
// that are told no longer may have taken, or listeners that have parted (rules 6 and 8).
func (c *channel) out() int {
	return c.offered + c.unread + c.taken - min(c.taken, c.sharers[claimWithdrawn]+c.parted)
}

// excess returns how many nils more are there than are owed (rule 5).
func (c *channel) excess() int { return c.out() - c.sharers[claimOpen] - c.waiting() }

// missing returns how many nils are to be put for those that are told (rules 1, 6 and 9).
func (c *channel) missing() int { return max(0, min(-c.excess(), c.sharers[claimOpen])) }

// writeOff takes nils off the account that those who listen have taken (rules 3 and 7).
func (c *channel) writeOff(n int) {
	if n > 0 {
		c.taken -= n
		c.served += min(n, c.waiting())
		c.doubts++
	}
}

// balance sees to it that as many nils are there as are owed, after anything has changed (rules 5, 7, 8 and 9).
func (c *channel) balance() {
	c.takeBack()
	if heard := c.heard(); heard > c.waiting() {
		c.writeOff(heard)
	}
	c.parted = min(c.parted, c.taken)
	told := c.sharers[claimOpen]
	others := c.sharers[claimNone] + c.sharers[claimWithdrawn] + c.sharers[claimListening]
	again := min(c.missing(), max(0, told*others-c.renewed))
	c.renewed += again
	c.put(again)
	c.served += max(0, min(-c.excess(), c.waiting()))
}

// foundClosed closes the account (rule 10). Whoever has taken a nil before is in doubt then, as in rule 3.
func (c *channel) foundClosed() {
	c.closed = true
	c.offered, c.unread, c.taken = 0, 0, 0
	c.doubts++
}
