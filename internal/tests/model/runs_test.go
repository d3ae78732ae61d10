package model

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/agentjobs/jobs/internal/jobstest"
)

var (
	modelSeed    = flag.Int("model.seed", 0, "the seed of the only script that the model tests are to play")
	modelScripts = flag.Int("model.scripts", 0, "how many scripts the model tests play, if it is not to be as many as usual")
)

// usualScripts is how many scripts are played each time; their seeds are 1 to that.
const usualScripts = 2000

// scripts returns how many scripts are to be played, and the seed of the first.
func scripts() (first, n int) {
	switch {
	case *modelSeed != 0:
		return *modelSeed, 1
	case *modelScripts != 0:
		return 1, *modelScripts
	}
	return 1, jobstest.Rounds(usualScripts, 100000)
}

func TestThePoolDoesWhatTheModelPredicts(t *testing.T) { playAll(t, false) }

func TestNoPromiseIsBrokenWhenMuchHappensAtTheSameTime(t *testing.T) { playAll(t, true) }

func playAll(t *testing.T, ties bool) {
	first, n := scripts()
	for seed := first; seed < first+n; seed++ {
		s := write(uint64(seed), ties)
		if history, err := inBubble(t, s); err != nil {
			s, history, err = shorten(t, s, history, err)
			t.Fatalf("%v\n\nThe shortest script that fails (of seed %d):\n%s\nWhat happened:\n%s\n\nTo repeat it, but for the jitters and what the runtime schedules first: go test ./internal/tests/model -run='^%s$' -model.seed=%d",
				err, seed, s, history, t.Name(), seed)
		}
	}
}

// inBubble plays the script in a bubble, which fails too if it leaves a goroutine.
func inBubble(t *testing.T, s *script) (history string, err error) {
	var r *run
	defer func() {
		if failed := recover(); failed != nil {
			err = fmt.Errorf("%v", failed)
		}
		if r != nil && err != nil {
			history = r.story()
		}
	}()
	synctest.Test(t, func(*testing.T) {
		r = newRun(s)
		err = r.play()
	})
	return history, err
}

// shorten leaves out of a script that fails what it fails without.
func shorten(t *testing.T, s *script, history string, err error) (*script, string, error) {
	for size := len(s.commands) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(s.commands); {
			less := *s
			less.commands = append(append([]command{}, s.commands[:i]...), s.commands[i+size:]...)
			if h, e := inBubble(t, &less); e != nil {
				s, history, err = &less, h, e
			} else {
				i += size
			}
		}
	}
	return s, history, err
}
