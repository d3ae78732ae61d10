package main

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// An outcome says how a measurement went.
type outcome string

const (
	measured      outcome = "measured"
	notApplicable outcome = "n/a"
	overLimit     outcome = "> limit"
	crashed       outcome = "crashed"
	notMeasured   outcome = "-" // it was not asked for
)

// An answer is what a child prints.
type answer struct {
	Outcome outcome `json:"outcome"`
	Metrics metrics `json:"metrics,omitempty"`
}

// A sample is one measurement.
type sample struct {
	Subject string `json:"subject"`
	place
	Round   int     `json:"round"`
	Outcome outcome `json:"outcome"`
	Error   string  `json:"error,omitempty"`
	Metrics metrics `json:"metrics,omitempty"`
	Seconds float64 `json:"seconds"` // how long it took
	Foreign float64 `json:"foreign"` // share of the machine's CPU time that others used, or -1
	SpinNS  float64 `json:"spinNs"`  // how long the same piece of work took just before
}

// The results are all that a run has measured.
type results struct {
	Machine machine           `json:"machine"`
	Peers   map[string]string `json:"peers"`            // the versions
	Before  string            `json:"before,omitempty"` // the commit of the library that is the subject of that name
	Samples []sample          `json:"samples"`
}

type machine struct {
	Go         string `json:"go"`
	Platform   string `json:"platform"`
	CPU        string `json:"cpu"`
	GOMAXPROCS int    `json:"gomaxprocs"`
}

func thisMachine() machine {
	return machine{
		Go:         runtime.Version(),
		Platform:   runtime.GOOS + "/" + runtime.GOARCH,
		CPU:        cpuModel(),
		GOMAXPROCS: runtime.GOMAXPROCS(0),
	}
}

func cpuModel() string {
	data, _ := os.ReadFile("/proc/cpuinfo") // elsewhere: unknown
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func peerVersions() map[string]string {
	versions := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Replace == nil {
				versions[module.Path] = module.Version
			}
		}
	}
	return versions
}

func (r results) save(file string) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

func load(file string) (r results, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	err = json.Unmarshal(data, &r)
	return r, err
}

// showFile reads results and shows them.
func showFile(file string, show func(results, io.Writer) error) error {
	r, err := load(file)
	if err != nil {
		return err
	}
	return show(r, os.Stdout)
}

// A figure is what the samples of one metric of one subject come to.
type figure struct {
	outcome outcome
	value   float64 // the median
	shaky   bool    // the machine was too busy, or the samples too far apart
}

// figure sums up the samples of a metric. A subject that once could not do it cannot do it.
func (r results) figure(subject string, at place, metric string) figure {
	f := figure{outcome: notMeasured}
	var values, foreigns, spins []float64
	for _, s := range r.Samples {
		if s.Subject != subject || s.place != at {
			continue
		}
		if s.Outcome != measured {
			return figure{outcome: s.Outcome, shaky: s.Foreign > foreignLimit}
		}
		f.outcome = notApplicable
		if value, ok := s.Metrics[metric]; ok {
			values = append(values, value)
			foreigns = append(foreigns, s.Foreign)
			spins = append(spins, s.SpinNS/r.fastestSpin())
		}
	}
	if len(values) == 0 {
		return f
	}
	return figure{
		outcome: measured,
		value:   median(values),
		shaky:   median(foreigns) > foreignLimit || median(spins) > spinLimit || tooFarApart(values),
	}
}

func (r results) fastestSpin() float64 {
	fastest := r.Samples[0].SpinNS
	for _, s := range r.Samples {
		fastest = min(fastest, s.SpinNS)
	}
	return fastest
}

// tooFarApart tells whether the largest of some samples is more than twice the smallest. Differences
// that are next to nothing in any unit used here do not count.
func tooFarApart(values []float64) bool {
	smallest, largest := slices.Min(values), slices.Max(values)
	return largest > 2*smallest && largest-smallest > 0.1
}

// median returns the middle one of some values, or what lies half-way between the middle two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
