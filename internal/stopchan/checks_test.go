package stopchan

import (
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
)

// checkOffers receives all that there is, and says whether as many nils are there as were owed. It is the end of the
// scene.
func (s *scene) checkOffers() (received []interface{}) {
	told := s.count(func(p *player) bool { return p.executing && p.told })
	untaken := s.count(func(p *player) bool { return p.executing && p.told && p.took == 0 })
	maybe := s.count(func(p *player) bool { return p.executing && p.spared && p.took == 0 })
	nils := 0
	for {
		synctest.Wait()
		select {
		case value, ok := <-s.stop:
			if !ok {
				return received
			}
			if received = append(received, value); value == nil {
				nils++
			}
			continue
		default:
		}
		break
	}
	switch least := untaken + s.listening() - s.heard; {
	case s.closed || s.hidden():
	case nils > told+s.listening():
		s.fail("%d nils are there for %d that are told and %d that listen", nils, told, s.listening())
	case !s.murky && (nils < least || nils > least+min(maybe+s.parted, told-untaken+s.loose)):
		s.fail("%d nils are there, but %d are owed", nils, least)
	case untaken > 0 && nils == 0 && s.held() == 0 && !s.strays && s.robs <= len(s.players)-told:
		s.fail("one is told, but gets no nil")
	}
	return received
}

// checkEnd lets all end, and says whether anything is left then.
func (s *scene) checkEnd() {
	c := s.players[0].channel
	for _, p := range s.players {
		p.Retire(p.executing)
	}
	for _, p := range s.players {
		if p.executing {
			p.End(p.took == 0, false)
		}
	}
	for _, p := range s.players {
		if p.Retire(false); p.claim != claimNone {
			s.fail("a claim is left: %v", p.claim)
		}
		if !p.left {
			s.set.Leave(&p.Sharer)
		}
	}
	synctest.Wait()
	if c.offering != nil {
		select {
		case <-c.offering.over:
		default:
			s.fail("an offering is left")
			c.halt()
		}
	}
	if len(s.set.channels) > 0 || c.sharers != [claimKinds]int{} {
		s.fail("the set is not empty")
	}
	var left []interface{}
	values := 0
	for len(s.stop) > 0 {
		value := <-s.stop
		left = append(left, value)
		if value != nil {
			values++
		}
	}
	switch {
	case s.nils && len(left) < s.given-s.stolen:
		s.fail("%d nils of others are left of %d, though only %d were received", len(left), s.given, s.stolen)
	case !s.nils && s.closed && values < len(s.foreign)-1: // one may be lost as it is found closed
		s.fail("%d values of others are left of %d", values, len(s.foreign))
	case !s.nils && !s.closed && !slices.Equal(left, s.foreign):
		s.fail("left are %v, not %v", left, s.foreign)
	}
}

// String tells scenes apart from which different things may follow; but for what is on the channel.
func (s *scene) String() string {
	c := s.players[0].channel
	var players []string
	for _, p := range s.players {
		players = append(players, fmt.Sprint(p.claim, p.doubts < c.doubts, p.retired,
			p.executing, p.told, p.spared, min(p.took, 2), p.listens, p.calm, p.robbed, p.closed, p.left))
	}
	slices.Sort(players)
	left := -1
	if c.offering != nil {
		left = int(c.offering.left.Load())
	}
	return fmt.Sprint(strings.Join(players, "; "), c.sharers, c.offered, c.unread, c.taken, c.renewed, c.closed, left,
		s.heard, s.loose, s.parted, s.murky, s.strays, s.masked, min(s.robs, len(s.players)), s.closed, len(s.foreign))
}
