package jobs

import "time"

// Once executes a job once (a single run job), as soon as it is ready.
func Once() Trigger { return once{} }

type once struct{}

func (once) traits() *traits { return &singleTraits }

func (once) kind(_ Job, s *settings, _ time.Time) (kind, error) {
	return &singleJob{lingering: lingeringFor(s)}, nil
}

var singleTraits = traits{name: JobTypeSingleRun, options: optForget}

// A singleJob executes once.
type singleJob struct {
	basicKind
	lingering
}

func (*singleJob) trigger() string { return "Once()" }

func (s *singleJob) after(_ *job, o outcome) verdict {
	switch {
	case o.err == nil:
		return s.finish()
	case o.excuse == ErrCanceled:
		return s.fail()
	case o.excuse != nil: // it was retired, and is neither failed nor done
		return verdict{phase: phaseStarted, wait: forever}
	}
	return s.fail()
}
