package jobs

// A claim is what a channel job has to do with the nils on its stop channel:
//
//	none -> open                  it executes, and a nil is to be put there for it
//	open -> withdrawn             none is, any more, but it executes and may have taken one
//	withdrawn -> open             one is to be there again; if it has taken one, that is the one
//	none, open -> listening       it has ended with an error, and a nil is to be there for who listens
//	any -> none                   it has returned, or starts again, or is unregistered
type claim uint8

const (
	claimNone claim = iota
	claimOpen
	claimWithdrawn
	claimListening
)

// A stopSignal is what the jobs of a pool that share a stop channel know of it. Nobody can say who
// took a nil from a channel that several listen on. So nils are only counted: as many are put as there
// were claims, and one that was taken counts for whichever job returns. If that one has failed, or had
// another reason to return, it may not have taken it: then any other that was executing at that time counts
// as told, too, if it returns nil. One execution too many does less harm than none ever again. The pool's
// mutex guards it.
type stopSignal struct {
	stopChan chan interface{}
	users    int      // channel jobs, registered or still executing
	claims   [4]int   // how many of them have each kind of claim; that of none is not kept
	replaced int      // nils put again for open claims, as those before counted for another job
	served   int      // open and listening claims that get no more, as theirs counted for another job
	put      int      // nils put on the channel, taken or not, that have not counted for anybody
	offers   []*offer // nils waiting for room, or for a taker
	begun    uint64   // executions so far
	doubted  uint64   // the last one begun when a nil has counted for somebody who may not have taken it
	closed   bool     // the channel was found closed
}

// An offer is a goroutine that puts one nil on a channel. Its stopSignal ends it.
type offer struct {
	withdrawn chan struct{} // closed by the owner
	over      chan struct{} // closed when what follows is known
	put       bool
	closed    bool
}

func (o *offer) run(stopChan chan<- interface{}) {
	defer close(o.over)
	defer func() { o.closed = recover() != nil }() // a send on a closed channel panics
	select {
	case stopChan <- nil:
		o.put = true
	case <-o.withdrawn:
	}
}

// tell has a nil put on the channel for the job, unless that was done.
func (s *stopSignal) tell(c *channelJob) {
	if c.claim != claimOpen {
		// The others have had their turn: who was robbed of its nil gets one again.
		s.replaced, s.served = 0, min(s.served, s.claims[claimListening])
	}
	s.setClaim(c, claimOpen)
	s.offer()
}

// untell has none put there for the job any more, and takes back what nobody has taken.
func (s *stopSignal) untell(c *channelJob) {
	s.halt()
	switch c.claim {
	case claimOpen:
		s.setClaim(c, claimWithdrawn)
	case claimListening:
		s.drop(c)
	}
	s.trim()
	s.offer()
}

// begin is called before an execution of a job begins. What was taken by then, and not by a job that
// was told, was taken by who listened, and cannot count for this execution.
func (s *stopSignal) begin(c *channelJob) {
	s.halt()
	heard := max(0, s.taken()-s.claims[claimOpen]-s.claims[claimWithdrawn])
	s.strike(heard)
	s.serve(heard)
	s.offer()
	s.begun++
	c.begun = s.begun
}

// settle accounts for an execution of the job that has ended, and returns why it was to end: because
// of its context, because a nil was taken from the channel, or for no reason.
func (s *stopSignal) settle(j *job, o outcome) (excuse error) {
	c := j.kind.(*channelJob)
	s.halt()
	excuse = o.excuse
	if excuse == nil && (s.taken() > 0 || o.err == nil && c.begun <= s.doubted || s.closed && c.claim != claimNone) {
		excuse = ErrStopped
	}
	switch {
	case excuse != nil && s.taken() > 0 && (o.excuse == nil || c.claim == claimOpen):
		s.put--
		if o.err != nil || o.excuse != nil || c.begun <= s.doubted {
			s.doubted = s.begun
		}
		if c.claim == claimNone {
			s.robbed()
		}
		s.setClaim(c, claimNone)
	case excuse == nil && o.err != nil && !j.retired():
		s.setClaim(c, claimListening)
	default:
		s.drop(c)
	}
	s.trim()
	s.offer()
	return excuse
}

func (s *stopSignal) setClaim(c *channelJob, to claim) {
	s.claims[c.claim]--
	c.claim = to
	s.claims[to]++
	s.serve(0)
}

// robbed is called when a nil that was put for another job has counted for one that was not to be told.
// The other is given a new one if it is executing, but only as often as there are jobs to take it: one
// that does not listen would have the others begin again and again.
func (s *stopSignal) robbed() {
	others := s.users - s.claims[claimOpen]
	if s.served >= s.claims[claimListening] && s.replaced < s.claims[claimOpen]*others {
		s.replaced++
	} else {
		s.serve(1)
	}
}

// drop ends a claim for which nothing was taken; perhaps because that had counted for another job.
func (s *stopSignal) drop(c *channelJob) {
	if (c.claim == claimOpen || c.claim == claimListening) && s.served > 0 {
		s.served--
	}
	s.setClaim(c, claimNone)
}

// serve counts n claims more as served, as far as there are any.
func (s *stopSignal) serve(n int) {
	s.served = min(s.served+n, s.claims[claimOpen]+s.claims[claimListening])
}

// wanted returns how many nils there have to be, put or on offer.
func (s *stopSignal) wanted() int {
	return s.claims[claimOpen] + s.claims[claimListening] - s.served
}

// unread and taken return how many of the nils that were put are in the channel's buffer, and how
// many are not.
func (s *stopSignal) unread() int { return min(len(s.stopChan), s.put) }
func (s *stopSignal) taken() int  { return s.put - s.unread() }

// offer sees to it that as many nils as are wanted were put or are on offer, not counting what may have
// been taken by jobs whose claims were withdrawn.
func (s *stopSignal) offer() {
	if s.stopChan == nil || s.closed {
		return
	}
	there := s.put - min(s.taken(), s.claims[claimWithdrawn])
	for there+len(s.offers) < s.wanted() {
		o := &offer{withdrawn: make(chan struct{}), over: make(chan struct{})}
		s.offers = append(s.offers, o)
		// Ends when the nil is put, or at halt.
		go o.run(s.stopChan)
	}
}

// halt ends all offers, and accounts for those that found a taker.
func (s *stopSignal) halt() {
	for _, o := range s.offers {
		close(o.withdrawn)
		<-o.over // at once: nothing of the user's is waited for
		if o.put {
			s.put++
		}
		s.closed = s.closed || o.closed
	}
	s.offers = nil
}

// trim takes nils that are not wanted out of the channel's buffer, and off the account.
func (s *stopSignal) trim() {
	for looks := len(s.stopChan); looks > 0 && s.put > s.wanted(); looks-- {
		select {
		case value := <-s.stopChan:
			if value == nil {
				s.put--
			} else {
				giveBack(s.stopChan, value)
			}
		default: // somebody was faster
		}
	}
	s.strike(s.put - s.wanted() - s.claims[claimWithdrawn])
}

// strike takes nils that were taken by somebody who is no job of ours off the account; or by one of those
// executing, who then counts as told, too.
func (s *stopSignal) strike(n int) {
	if n > 0 {
		s.put -= n
		s.doubted = s.begun
	}
}

// giveBack puts a value of somebody else's back on the channel it was taken from. That there is no room
// any more is all but impossible: somebody has filled it in the meantime.
func giveBack(stopChan chan<- interface{}, value interface{}) {
	defer func() { _ = recover() }() // a send on a closed channel panics: then nobody is to get it
	select {
	case stopChan <- value:
	default:
		// Ends as soon as whoever filled the channel, or a job, makes room.
		go func() {
			defer func() { _ = recover() }()
			stopChan <- value
		}()
	}
}
