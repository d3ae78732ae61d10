package jobshttp

import (
	"fmt"
	"time"

	"github.com/agentjobs/jobs"
)

const (
	barWidth   = 8
	plotHeight = 60
	mostBars   = 80
)

// A plot is a picture of how long executions took, and how they ended. All of it is in the table below it, too.
type plot struct {
	Width, Height int
	Says          string
	Bars          []bar
}

type bar struct {
	X, Y, Height int
	Bad          bool // neither a success nor told to end
	Title        string
}

// plotOf returns the plot of the last executions of a history, which has the last one at its end.
func plotOf(history []jobs.Execution) plot {
	history = history[max(0, len(history)-mostBars):]
	longest, bad := time.Duration(1), 0
	for _, e := range history {
		longest = max(longest, e.Took)
	}
	p := plot{Width: barWidth * len(history), Height: plotHeight}
	for i, e := range history {
		height := 2 + int(float64(plotHeight-3)*float64(max(0, e.Took))/float64(longest))
		b := bar{X: barWidth * i, Y: plotHeight - height, Height: height, Bad: e.Outcome != jobs.OutcomeSuccess && e.Outcome != jobs.OutcomeTold}
		b.Title = fmt.Sprintf("%d: %s, %v", e.Number, e.Outcome, e.Took)
		if b.Bad {
			bad++
		}
		p.Bars = append(p.Bars, b)
	}
	p.Says = fmt.Sprintf("Durations of the last %d executions; the longest took %v, and %d went wrong", len(history), longest, bad)
	return p
}
