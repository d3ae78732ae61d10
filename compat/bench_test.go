package compat_test

import (
	"errors"
	"testing"
	"time"

	"github.com/adhocore/gronx"
	"github.com/reugn/go-quartz/quartz"
	"github.com/robfig/cron/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// libraries are in the order in which they are measured, with what parses for each and, from what was parsed,
// what finds the next occurrence.
var libraries = []struct {
	name  string
	parse parser
}{
	{"jobs", parseJobs},
	{"cronexpr", parseCronexpr},
	{"robfig", func(text string) (next, error) { return robfigParser.Parse(text) }},
	{"gronx", parseGronx},
	{"go-quartz", parseQuartz},
}

// robfigParser reads seconds too if there are six fields.
var robfigParser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// parseGronx does what gronx has for parsing, which is to check: it keeps nothing, and each search for
// the next occurrence reads the text again.
func parseGronx(text string) (next, error) {
	if !gronx.IsValid(text) {
		return nil, errors.New("gronx finds it invalid")
	}
	return nextFunc(func(t time.Time) time.Time {
		at, err := gronx.NextTickAfter(text, t, false)
		if err != nil {
			return time.Time{}
		}
		return at
	}), nil
}

func parseQuartz(text string) (next, error) {
	trigger, err := quartz.NewCronTrigger(text)
	return nextFunc(func(t time.Time) time.Time {
		at, err := trigger.NextFireTime(t.UnixNano())
		if err != nil {
			return time.Time{}
		}
		return time.Unix(0, at).UTC()
	}), err
}

// everyday are expressions as agents have them, in the form of each library. One that a library
// cannot express, or gets wrong, it does not have; TestFormsMeanTheSame holds that the others are the same.
var everyday = []struct {
	name  string
	forms map[string]string
}{
	{"fixed hours", map[string]string{
		"jobs": "0 0 1,5,9,15,21 * * * *", "cronexpr": "0 0 1,5,9,15,21 * * * *", "robfig": "0 0 1,5,9,15,21 * * *",
		"gronx": "0 0 1,5,9,15,21 * * *", "go-quartz": "0 0 1,5,9,15,21 * * ?",
	}},
	{"every 5 minutes", map[string]string{
		"jobs": "*/5 * * * *", "cronexpr": "*/5 * * * *", "robfig": "*/5 * * * *", "gronx": "*/5 * * * *",
		"go-quartz": "0 */5 * * * ?",
	}},
	{"hourly", map[string]string{
		"jobs": "@hourly", "cronexpr": "@hourly", "robfig": "@hourly", "gronx": "@hourly", "go-quartz": "@hourly",
	}},
	{"daily", map[string]string{
		"jobs": "@daily", "cronexpr": "@daily", "robfig": "@daily", "gronx": "@daily", "go-quartz": "@daily",
	}},
	{"weekdays", map[string]string{
		"jobs": "30 2 * * MON-FRI", "cronexpr": "30 2 * * MON-FRI", "robfig": "30 2 * * MON-FRI", "gronx": "30 2 * * MON-FRI",
		"go-quartz": "0 30 2 ? * MON-FRI",
	}},
	{"last workday", map[string]string{ // robfig and gronx have no LW
		"jobs": "0 0 LW * *", "cronexpr": "0 0 LW * *", "go-quartz": "0 0 0 LW * ?",
	}},
	{"first Monday", map[string]string{ // robfig has no #
		"jobs": "0 9 * * MON#1", "cronexpr": "0 9 * * MON#1", "gronx": "0 9 * * MON#1", "go-quartz": "0 0 9 ? * MON#1",
	}},
	{"some years", map[string]string{ // robfig has no years
		"jobs": "0 */2 1 1,7 * 2020-2030", "cronexpr": "0 */2 1 1,7 * 2020-2030", "gronx": "0 */2 1 1,7 * 2020-2030",
		"go-quartz": "0 0 */2 1 1,7 ? 2020-2030",
	}},
}

// benchmarkStart is not the time of the run, so that runs can be compared.
var benchmarkStart = time.Date(2026, 5, 20, 12, 34, 56, 789, time.UTC)

// TestFormsMeanTheSame holds that the benchmarks compare the same work.
func TestFormsMeanTheSame(t *testing.T) {
	for _, expression := range everyday {
		ours := ask(parseJobs, expression.forms["jobs"], benchmarkStart)
		for _, library := range libraries {
			if form, found := expression.forms[library.name]; found {
				theirs := ask(library.parse, form, benchmarkStart)
				assert.True(t, agree(ours, theirs), "%s: ours %v\n%s %v", expression.name, ours, library.name, theirs)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, expression := range everyday {
		for _, library := range libraries {
			form, found := expression.forms[library.name]
			if !found {
				continue
			}
			b.Run(expression.name+"/"+library.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := library.parse(form); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkNext goes from occurrence to occurrence, as a job does, and after some years begins again.
func BenchmarkNext(b *testing.B) {
	end := benchmarkStart.AddDate(3, 0, 0)
	for _, expression := range everyday {
		for _, library := range libraries {
			form, found := expression.forms[library.name]
			if !found {
				continue
			}
			b.Run(expression.name+"/"+library.name, func(b *testing.B) {
				schedule, err := library.parse(form)
				require.NoError(b, err)
				b.ReportAllocs()
				at := benchmarkStart
				for b.Loop() {
					if at = schedule.Next(at); at.IsZero() || at.After(end) {
						at = benchmarkStart
					}
				}
			})
		}
	}
}
