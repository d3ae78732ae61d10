package schedule

import (
	_ "embed"
	"strings"
)

var ZoneHint = zoneHint

// WithoutDoubts returns a copy of a schedule that has no warnings.
func WithoutDoubts(s *Schedule) *Schedule {
	sure := *s
	sure.doubts = nil
	return &sure
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
