package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// copyOf returns a perturbed copy of a module of testdata.
func copyOf(t *testing.T, module string) *perturbed {
	t.Helper()
	root := t.TempDir()
	if err := copyModule(filepath.Join("testdata", module), root); err != nil {
		t.Fatal(err)
	}
	copied, err := perturb(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// notPassed is added to the tests of a copy. It prints which of so many points they have not passed.
const notPassed = `package constructs

import (
	"fmt"
	"os"
	"testing"

	"example.com/constructs/internal/points"
)

func TestMain(m *testing.M) {
	result := m.Run()
	for point := range %d {
		if !points.Passed(point) {
			fmt.Println("not passed:", point)
		}
	}
	os.Exit(result)
}
`

// mustRun runs a command, which must not fail, and returns what it prints.
func mustRun(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	output, err := run(context.Background(), folder, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(output)
}

func TestEachConstructBehavesAsBeforeAndPassesItsPoints(t *testing.T) {
	mustRun(t, "testdata/constructs", "go", "test", ".")
	copied := copyOf(t, "constructs")
	main := filepath.Join(copied.root, "main_test.go")
	if err := os.WriteFile(main, fmt.Appendf(nil, notPassed, len(copied.points)), 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("testdata/constructs/constructs.go")
	if err != nil {
		t.Fatal(err)
	}
	mustRun(t, copied.root, "go", "test", "-c", "-race", "-vet=off", "-o", "constructs.test", ".")
	tests := filepath.Join(copied.root, "constructs.test")
	lines, output := strings.Split(string(source), "\n"), mustRun(t, copied.root, tests)
	for number, p := range copied.points {
		never := strings.Contains(lines[p.position.Line-1], "// never") && strings.HasPrefix(p.what, "after")
		if passed := !strings.Contains(output, fmt.Sprintf("not passed: %d\n", number)); passed == never {
			t.Errorf("%v: passed is %v", p, passed)
		}
	}
	for seed := range 50 {
		t.Setenv("PERTURB_SEED", fmt.Sprint(seed))
		mustRun(t, copied.root, tests)
	}
}

// filesOf returns the text of each file of a package.
func filesOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatal("no files in", folder, err)
	}
	files := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(text)
	}
	return files
}

func TestACopyIsTheSameEachTimeAndItsLinesAreTheOriginals(t *testing.T) {
	once, again := copyOf(t, "constructs"), copyOf(t, "constructs")
	original, files := filesOf(t, "testdata/constructs"), filesOf(t, once.root)
	if !reflect.DeepEqual(files, filesOf(t, again.root)) || !reflect.DeepEqual(once.points, again.points) {
		t.Error("two copies differ")
	}
	for name, text := range original {
		if before, after := strings.Count(text, "\n"), strings.Count(files[name], "\n"); before != after {
			t.Errorf("%s has %d lines, and had %d", name, after, before)
		}
	}
	if files["constructs.go"] == original["constructs.go"] || files["constructs_test.go"] != original["constructs_test.go"] {
		t.Error("what is not a test is perturbed, and what is one is not")
	}
}

// late returns a session of testdata/late.
func late(only string) *session {
	return &session{root: "testdata/late", only: only, rounds: 2000, last: time.Hour, beside: 2}
}

func TestWhatIsRightOnlyIfNobodyIsLateIsFound(t *testing.T) {
	s := late("TestPerturbedLose")
	if err := s.start(context.Background()); err == nil || s.failed == nil {
		t.Fatalf("it was not found in %d rounds: %v", s.begun, err)
	}
	if !strings.Contains(s.failure, "lost 1") {
		t.Error(s.failure)
	}
	again := late("TestPerturbedLose")
	again.seed = s.failed.seed
	if err := again.start(context.Background()); err == nil || again.failed == nil {
		t.Errorf("its seed has not found it again in %d rounds: %v", again.begun, err)
	}
}

func TestPointsHideNoRace(t *testing.T) {
	s := late("TestRace")
	if err := s.start(context.Background()); err == nil || !strings.Contains(s.failure, "DATA RACE") {
		t.Errorf("it was not found in %d rounds: %v", s.begun, err)
	}
}

func TestARoundFollowsFromItsSeed(t *testing.T) {
	names := func(n int) (tests []string) {
		for i := range n {
			tests = append(tests, fmt.Sprint("Test", i))
		}
		return tests
	}
	suspects := []*suspect{
		{listed: listed{ImportPath: "small"}, tests: map[kind][]string{suite: names(10)}},
		{listed: listed{ImportPath: "large"}, tests: map[kind][]string{suite: names(100), model: names(2), realTime: names(3)}},
	}
	tested, packages, kinds := map[string]int{}, map[string]int{}, map[string]bool{}
	for seed := range uint64(200) {
		r, again := roundOf(seed, suspects), roundOf(seed, suspects)
		if !reflect.DeepEqual(r, again) {
			t.Fatalf("%v is %v the next time", r, again)
		}
		packages[r.of.ImportPath]++
		kinds[fmt.Sprint(r.kind, r.race, r.procs)] = true
		for _, test := range r.tests {
			tested[fmt.Sprint(r.of.ImportPath, r.kind, test)]++
		}
	}
	if len(kinds) != 3*2*4 || len(tested) != 115 || packages["small"] == 0 || packages["large"] < 10*packages["small"] {
		t.Errorf("%d kinds of rounds, of %v, with %d tests", len(kinds), packages, len(tested))
	}
}

// testsOfTheLibrary returns the names of the functions of its test files.
func testsOfTheLibrary(t *testing.T) string {
	packages, err := list(context.Background(), "..")
	if err != nil {
		t.Fatal(err)
	}
	var names strings.Builder
	for _, p := range packages {
		if p.DepOnly {
			continue
		}
		for _, text := range filesOf(t, p.Dir) {
			for _, match := range regexp.MustCompile(`(?m)^func ((Test|Example)\w*)`).FindAllStringSubmatch(text, -1) {
				names.WriteString(match[1] + "\n")
			}
		}
	}
	return names.String()
}

func TestEachChoiceOfTestsChoosesSome(t *testing.T) {
	names := testsOfTheLibrary(t)
	all := []string{patterns[realTime].String(), patterns[model].String()}
	for _, some := range leftOut {
		all = append(all, some.patterns...)
	}
	for _, pattern := range all {
		if !regexp.MustCompile("(?m)" + pattern).MatchString(names) {
			t.Errorf("no test of the library matches %s", pattern)
		}
	}
}

func TestTheFaultsCanBePutBackIntoTheLibrary(t *testing.T) {
	entries, err := faults.ReadDir("testdata/faults")
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	for _, entry := range entries {
		root := t.TempDir()
		for name, text := range filesOf(t, "..") {
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := breakModule(root, strings.TrimSuffix(entry.Name(), ".txt")); err != nil {
			t.Error(err)
		}
	}
	if err := breakModule(t.TempDir(), "nonsense"); err == nil {
		t.Error("an unknown fault is none")
	}
}

func TestAFaultIsPutWhereTheRightTextStands(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.go")
	edits, err := editsOf("What goes wrong.\n\n-- a.go --\nright\nand good\n-- instead --\nwrong\n-- a.go --\nyes\n-- instead --\nno\n")
	if err != nil || len(edits) != 2 {
		t.Fatal(edits, err)
	}
	for _, c := range []struct {
		text, want string
		ok         bool
	}{
		{"a right\nand good b yes c", "a wrong b no c", true},
		{"a wrong b no c", "a wrong b no c", true}, // the fault is there
		{"a right\nand good b", "a wrong b", false},
		{"yes right\nand good yes", "yes wrong yes", false},
	} {
		if err := os.WriteFile(name, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		ok := true
		for _, e := range edits {
			ok = e.apply(filepath.Dir(name)) == nil && ok
		}
		if text, err := os.ReadFile(name); ok != c.ok || !bytes.Equal(text, []byte(c.want)) || err != nil {
			t.Errorf("%q becomes %q, and that is said to be good: %v", c.text, text, ok)
		}
	}
	for _, bad := range []string{"", "\n-- a.go --\nright\n", "\n-- a.go --\nright\n-- b.go --\nwrong\n"} {
		if edits, err := editsOf(bad); err == nil {
			t.Errorf("%q makes %v", bad, edits)
		}
	}
}
