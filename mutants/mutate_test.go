package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

const sample = `package p

func f(a, b int, ok bool) int {
	if a < b && !ok {
		return 1
	}
	a += 2
	defer g()
	switch {
	case h(a):
		return 0
	}
	return a
}
`

func TestMutantsOfASample(t *testing.T) {
	mutants, err := mutantsOf("p.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mutants {
		got = append(got, m.String())
		mutated := m.apply([]byte(sample))
		if _, err := parser.ParseFile(token.NewFileSet(), "p.go", mutated, 0); err != nil {
			t.Errorf("%v is no Go: %v", m, err)
		}
		if got, want := bytes.Count(mutated, []byte("\n")), strings.Count(sample, "\n"); got != want {
			t.Errorf("%v moves lines: there are %d, want %d", m, got, want)
		}
	}
	want := []string{
		"p.go:4:2: remove if a < b && !ok { return 1 }",
		"p.go:4:7: < becomes <= in a < b",
		"p.go:4:7: < becomes >= in a < b",
		"p.go:4:11: && becomes || in a < b && !ok",
		"p.go:4:14: drop the ! of !ok",
		"p.go:5:10: 1 becomes 0",
		"p.go:7:2: remove a += 2",
		"p.go:7:4: += becomes -= in a += 2",
		"p.go:7:7: 2 becomes 3",
		"p.go:8:2: remove defer g()",
		"p.go:10:7: negate h(a)",
		"p.go:11:10: 0 becomes 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
