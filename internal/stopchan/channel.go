package stopchan

// A channel is a stop channel, with an account of the nils that were put there. These are the rules:
//
//  1. A sharer that is told while it executes is owed one nil, and no other before its execution has ended.
//  2. Nobody can say who has taken a nil. So nils do not belong to sharers but are counted: each is on offer, in the
//     channel's buffer, or taken. A taken one counts for the execution that ends next: it was told.
//  3. That one may not have taken it, if it failed, or had another reason to end, or was in doubt itself. Then all
//     others that are executing are in doubt: those that end without an error count as told, too. One execution too
//     many does less harm than none ever again.
//  4. A sharer whose execution failed without being told is listening: it is owed one nil all the same, until it
//     begins again, is no longer told, or retires.
//  5. If there are more nils than are owed, the excess is taken back: first from those on offer, then out of the
//     buffer. No more are taken out than were put there, and what others put there goes back, in order.
//  6. A sharer that is no longer told, but executes, may already have taken a nil. A taken nil waits for its end; if
//     it is told again, that is the nil that it is owed.
//  7. If more nils were taken than there are sharers that are or were told, listeners have taken the rest. The rest is
//     written off, that is, no longer counted, when a listener's claim ends, and when an execution begins, for which it
//     must not count. Those that are executing are then in doubt, as in 3.
//  8. If a listener's claim ends, and either it or a sharer that is told may have taken a nil, then no nil is taken
//     back on its account until all that were taken are accounted for.
//  9. If there are fewer nils than are owed, because one counted for an execution that was not to be told, then those
//     that are told are owed it once more: whenever somebody is told or has left, and in between as often as each of the
//     others can have taken one from each of them. No more often, since one that never looks would make the others begin
//     forever; if there are no others, nobody can. Listeners are not owed theirs again.
//  10. If the channel is found closed, that has told all that are or were told, and all that will be. Nothing is put
//     there or taken back any more.
//
// Serving one sharer takes the same time, however many share the channel; only others' values in its buffer are
// looked at one by one.
type channel struct {
	stop     chan interface{}
	sharers  [claimKinds]int // by claim
	offered  int             // nils on offer, or about to be
	unread   int             // nils in the buffer
	taken    int             // nils that were taken, and have not counted for anybody yet
	served   int             // listeners whose nil was taken, and written off
	parted   int             // listeners whose claims ended by rule 8
	renewed  int             // nils owed once more by rule 9, since somebody was last told
	doubts   uint64          // how often those executing were in doubt
	closed   bool            // the channel was found closed
	offering *offering       // puts those on offer; nil if none was begun, or it was halted
}

func (c *channel) move(s *Sharer, to claim) {
	c.sharers[s.claim]--
	s.claim = to
	c.sharers[to]++
}

// withdraw ends a claim, except for a nil that may have been taken (rules 6, 7 and 8).
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
			c.served-- // it leaves because it got its nil
		} else {
			c.parted++
		}
		c.move(s, claimNone)
	}
}

// heard returns how many nils listeners have certainly taken (rule 7).
func (c *channel) heard() int { return c.taken - c.sharers[claimOpen] - c.sharers[claimWithdrawn] }

// waiting returns how many listeners have not had their nil (rule 4).
func (c *channel) waiting() int { return c.sharers[claimListening] - c.served }

// out returns how many nils there are for those that are owed one, taken or not. It leaves out those that sharers no
// longer told, or listeners that have left, may have taken (rules 6 and 8).
func (c *channel) out() int {
	return c.offered + c.unread + c.taken - min(c.taken, c.sharers[claimWithdrawn]+c.parted)
}

// excess returns how many more nils there are than are owed (rule 5).
func (c *channel) excess() int { return c.out() - c.sharers[claimOpen] - c.waiting() }

// missing returns how many nils are to be put for those that are told (rules 1, 6 and 9).
func (c *channel) missing() int { return max(0, min(-c.excess(), c.sharers[claimOpen])) }

// writeOff stops counting nils that listeners have taken (rules 3 and 7).
func (c *channel) writeOff(n int) {
	if n > 0 {
		c.taken -= n
		c.served += min(n, c.waiting())
		c.doubts++
	}
}

// balance makes the nils match what is owed, after any change (rules 5, 7, 8 and 9).
func (c *channel) balance() {
	c.takeBack()
	if heard := c.heard(); heard > c.waiting() {
		c.writeOff(heard)
	}
	c.parted = min(c.parted, c.taken)
	told := c.sharers[claimOpen]
	others := c.sharers[claimNone] + c.sharers[claimWithdrawn] + c.sharers[claimListening]
	again := c.missing()
	if others > 0 {
		again = min(again, max(0, told*others-c.renewed))
	}
	c.renewed += again
	c.put(again)
	c.served += max(0, min(-c.excess(), c.waiting()))
}

// foundClosed closes the account (rule 10). Whoever took a nil before is then in doubt, as in rule 3.
func (c *channel) foundClosed() {
	c.closed = true
	c.offered, c.unread, c.taken = 0, 0, 0
	c.doubts++
}
