package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func FuzzParseQuartz(f *testing.F)      { fuzzDialect(f, engines[0]) }
func FuzzParseSpring(f *testing.F)      { fuzzDialect(f, engines[1]) }
func FuzzParseUnix(f *testing.F)        { fuzzDialect(f, engines[2]) }
func FuzzParseEventBridge(f *testing.F) { fuzzDialect(f, engines[3]) }

// fuzzDialect checks that no input panics or takes long, that errors name the dialect and quote the input, that Parse reads what
// the schedule prints as the same schedule, and that its Next is later than its argument or zero, and quick.
func fuzzDialect(f *testing.F, e engine) {
	rows := strings.Split(strings.TrimSpace(e.table), "\n")
	for i := 0; i < len(rows); i += 10 {
		expr, _, _ := strings.Cut(rows[i], "\t")
		f.Add(expr, int64(1_700_000_000))
	}
	for _, expr := range []string{
		"", "@", "TZ=", "TZ=UTC", "CRON_TZ=Europe/Paris 0 0 1 * * ?", "cron(", "cron()", ")", "x(0 0 * * ? *)", "@every", "\xff", "\u0130 0 0 * * ?",
		"0 0 0 L-,LW,W,-L,l-0w * #", "-/- ,/ #L L# ?? ++", "99999999999999999999/99999999999999999999-5 * * * ? *",
	} {
		f.Add(expr, int64(-1))
	}
	f.Fuzz(func(t *testing.T, expr string, unix int64) {
		parsed, err := e.parse(expr)
		took := fastest(func() { _, _ = e.parse(expr) })
		assert.Less(t, took, 10*time.Millisecond+time.Duration(len(expr))*time.Microsecond, "it may have to read the file of a zone")
		if err != nil {
			assert.Nil(t, parsed)
			assert.ErrorContains(t, err, fmt.Sprintf("%s schedule %q: ", e.name, expr))
			return
		}
		checkPrintedDialect(t, expr, parsed)
		start := time.Unix(unix, 0).UTC()
		next := parsed.Next(start)
		assert.True(t, next.IsZero() || next.After(start), "Next of %q from %v: %v", expr, start, next)
		assert.Less(t, fastest(func() { parsed.Next(start) }), time.Millisecond, "Next of %q from %v", expr, start)
	})
}
