package main

import (
	"io"
)

// A chart shows how a metric of each subject grows with the number of jobs.
type chart struct {
	title, unit string
	metric      string
	places      []place
}

var charts = []chart{
	{"Memory of an idle job", "bytes", "bytes", []place{thousand, tenK, hundredK}},
	{"CPU of an execution, 100,000 a second", "ns", "cpu_ns", []place{spread1K, spreadTK, spreadHK}},
}

// A curve is one subject's line in a chart.
type curve struct {
	name   string
	points []point
}

type point struct{ n, value float64 }

// drawGrowth draws memory and CPU over the number of jobs.
func drawGrowth(r results, w io.Writer) error {
	var panels []panel
	for i, c := range charts {
		panels = append(panels, newPanel(c, c.curves(r), i))
	}
	return picture.Execute(w, panels)
}

// curves returns a curve for each subject that was measured anywhere, be it a single point.
func (c chart) curves(r results) []curve {
	var curves []curve
	for _, name := range subjectNames {
		line := curve{name: name}
		for _, at := range c.places {
			if f := r.figure(name, at, c.metric); f.outcome == measured && f.value > 0 {
				line.points = append(line.points, point{float64(at.N), f.value})
			}
		}
		if len(line.points) > 0 {
			curves = append(curves, line)
		}
	}
	return curves
}
