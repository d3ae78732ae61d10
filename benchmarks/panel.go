package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/template"
)

// The sizes of the picture, in pixels. Both axes are logarithmic.
const (
	panelWidth  = 430
	plotWidth   = 270
	plotHeight  = 270
	plotLeft    = 62
	plotTop     = 52
	labelHeight = 15
)

// A panel is a chart as it is drawn.
type panel struct {
	Left, PlotLeft, PlotTop, PlotRight, PlotBottom float64
	Title, Unit                                    string
	Across, Up                                     []tick
	Lines                                          []line
}

type tick struct {
	At   float64
	Text string
}

type line struct {
	Class, Path, Name string
	Dots              []dot
	EndX, EndY        float64 // where it ends
	NameY             float64 // where its name stands, beside the plot
}

type dot struct{ X, Y float64 }

// An axis turns a number into a place.
type axis struct{ low, high, from, to float64 }

func (a axis) at(x float64) float64 {
	share := (math.Log10(x) - math.Log10(a.low)) / (math.Log10(a.high) - math.Log10(a.low))
	return a.from + share*(a.to-a.from)
}

// ticks are at the powers of ten.
func (a axis) ticks() (ticks []tick) {
	for x := a.low; x <= a.high*1.01; x *= 10 {
		ticks = append(ticks, tick{a.at(x), number(math.Round(x))})
	}
	return ticks
}

// decades returns the powers of ten that enclose the values of some curves.
func decades(curves []curve) (low, high float64) {
	low, high = math.Inf(1), 0
	for _, c := range curves {
		for _, p := range c.points {
			low, high = min(low, p.value), max(high, p.value)
		}
	}
	if high == 0 { // nothing was measured
		return 1, 10
	}
	low, high = math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	return math.Pow(10, low), math.Pow(10, max(high, low+1))
}

func newPanel(c chart, curves []curve, index int) panel {
	left := float64(index * panelWidth)
	p := panel{
		Left: left, PlotLeft: left + plotLeft, PlotTop: plotTop,
		PlotRight: left + plotLeft + plotWidth, PlotBottom: plotTop + plotHeight,
		Title: c.title, Unit: c.unit,
	}
	low, high := decades(curves)
	across := axis{float64(c.places[0].N), float64(c.places[len(c.places)-1].N), p.PlotLeft, p.PlotRight}
	up := axis{low, high, p.PlotBottom, p.PlotTop}
	p.Across, p.Up = across.ticks(), up.ticks()
	for _, curve := range slices.Backward(curves) { // ours comes first, and is to lie on top
		p.Lines = append(p.Lines, newLine(curve, across, up))
	}
	placeNames(p.Lines)
	return p
}

func newLine(c curve, across, up axis) line {
	l := line{Class: c.name, Name: c.name}
	var path []string
	for _, p := range c.points {
		d := dot{across.at(p.n), up.at(p.value)}
		l.Dots = append(l.Dots, d)
		path = append(path, fmt.Sprintf("%.1f,%.1f", d.X, d.Y))
		l.EndX, l.EndY = d.X, d.Y
	}
	l.Path = strings.Join(path, " ")
	l.NameY = l.EndY
	if l.EndX < across.to {
		l.Name += " †"
	}
	return l
}

// placeNames moves the names apart, as little as it takes, around where the lines end.
func placeNames(lines []line) {
	order := make([]*line, len(lines))
	for i := range lines {
		order[i] = &lines[i]
	}
	slices.SortFunc(order, func(a, b *line) int { return cmp.Compare(a.EndY, b.EndY) })
	for range 100 {
		for i := 1; i < len(order); i++ {
			if overlap := order[i-1].NameY + labelHeight - order[i].NameY; overlap > 0 {
				order[i-1].NameY -= overlap / 2
				order[i].NameY += overlap / 2
			}
		}
	}
}

var picture = template.Must(template.New("picture").Funcs(template.FuncMap{
	"px":  func(x float64) string { return fmt.Sprintf("%.1f", x) },
	"add": func(x, y float64) float64 { return x + y },
}).Parse(pictureText))

const pictureText = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 390" width="860" height="390" role="img"
	aria-label="Memory of an idle job and CPU of an execution, over the number of jobs">
<style>
	svg { font: 12px system-ui, "DejaVu Sans", sans-serif }
	.paper { fill: #ffffff } text { fill: #59636e } .title { fill: #1f2328; font-size: 14px; font-weight: 600 }
	.rule { stroke: #d9dee3 } .end { text-anchor: end } .middle { text-anchor: middle }
	.jobs { color: #0969da } .timer { color: #59636e } .goroutine { color: #8250df } .suture { color: #bf3989 }
	.robfig { color: #1a7f37 } .gocron { color: #bc4c00 } .quartz { color: #9a6700 }
	polyline { fill: none; stroke: currentColor; stroke-width: 1.6 } circle, .name { fill: currentColor }
	.lead { stroke: currentColor; stroke-opacity: .45; stroke-dasharray: 2 3 }
	.jobs polyline { stroke-width: 3.2 } .jobs .name { font-weight: 700 }
	@media (prefers-color-scheme: dark) {
		.paper { fill: #0d1117 } text { fill: #9198a1 } .title { fill: #f0f6fc } .rule { stroke: #2b3138 }
		.jobs { color: #58a6ff } .timer { color: #9198a1 } .goroutine { color: #bc8cff } .suture { color: #f778ba }
		.robfig { color: #3fb950 } .gocron { color: #f0883e } .quartz { color: #d29922 }
		circle, .name { fill: currentColor }
	}
</style>
<rect class="paper" width="860" height="390"/>
{{range $p := .}}<g>
<text class="title" x="{{px .PlotLeft}}" y="24">{{.Title}}</text>
<text x="{{px .PlotLeft}}" y="41">{{.Unit}}</text>
{{range .Up}}<line class="rule" x1="{{px $p.PlotLeft}}" x2="{{px $p.PlotRight}}" y1="{{px .At}}" y2="{{px .At}}"/><text class="end" x="{{px (add $p.PlotLeft -8)}}" y="{{px (add .At 4)}}">{{.Text}}</text>
{{end}}{{range .Across}}<line class="rule" x1="{{px .At}}" x2="{{px .At}}" y1="{{px $p.PlotBottom}}" y2="{{px (add $p.PlotBottom 5)}}"/><text class="middle" x="{{px .At}}" y="{{px (add $p.PlotBottom 20)}}">{{.Text}}</text>
{{end}}<text class="middle" x="{{px (add $p.PlotLeft 135)}}" y="{{px (add $p.PlotBottom 40)}}">jobs</text>
{{range .Lines}}<g class="{{.Class}}"><line class="lead" x1="{{px .EndX}}" y1="{{px .EndY}}" x2="{{px (add $p.PlotRight 12)}}" y2="{{px .NameY}}"/><polyline points="{{.Path}}"/>{{range .Dots}}<circle cx="{{px .X}}" cy="{{px .Y}}" r="3"/>{{end}}<text class="name" x="{{px (add $p.PlotRight 16)}}" y="{{px (add .NameY 4)}}">{{.Name}}</text></g>
{{end}}</g>
{{end}}<text class="end" x="850" y="380">† no more jobs within the time limit</text>
</svg>
`
