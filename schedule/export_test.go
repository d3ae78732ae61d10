package schedule

import (
	_ "embed"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var ZoneHint = zoneHint

// WithoutDoubts returns a copy of a schedule that has no warnings.
func WithoutDoubts(s *Schedule) *Schedule {
	sure := *s
	sure.doubts = nil
	return &sure
}

// WithoutStarAndZone returns a copy of a schedule that forgets what its description does not tell or what it tells last.
func WithoutStarAndZone(s *Schedule) *Schedule {
	plain := *s
	plain.star, plain.location = false, nil
	return &plain
}

// RequireDescribed requires that the description of a schedule tells what it matches.
func RequireDescribed(t *testing.T, s *Schedule) {
	t.Helper()
	require.Equal(t, meaningOf(s), readDescription(Describe(s)), "%q of %s", Describe(s), s)
}

// A Found is an expression from the corpus: expressions that are written in public repositories, with the dialect in which
// they are written. Some are wrong there, too.
type Found struct{ Dialect, Source, Expr string }

//go:embed testdata/corpus.tsv
var corpus string

func Corpus() (found []Found) {
	for line := range strings.Lines(corpus) {
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		found = append(found, Found{column[0], column[1], strings.ReplaceAll(column[2], `\n`, "\n")})
	}
	return found
}
