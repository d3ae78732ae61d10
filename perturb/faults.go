package main

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Faults that the library once had, to be put back into a copy: they show what perturbation finds. A file of them
// begins with what goes wrong. Then it has, for each edit, the name of a source file and what stands there now, and
// what is to stand there instead:
//
//	-- locks.go --
//	what is right
//	-- instead --
//	what is wrong
//
//go:embed testdata/faults/*.txt
var faults embed.FS

// breakModule puts a fault into the module at root.
func breakModule(root, fault string) error {
	text, err := faults.ReadFile("testdata/faults/" + fault + ".txt")
	if err != nil {
		known, _ := faults.ReadDir("testdata/faults")
		return fmt.Errorf("there is no fault %q; known are %v", fault, known)
	}
	edits, err := editsOf(string(text))
	if err != nil {
		return fmt.Errorf("fault %s: %w", fault, err)
	}
	for _, e := range edits {
		if err := e.apply(root); err != nil {
			return fmt.Errorf("fault %s: %w", fault, err)
		}
	}
	return nil
}

// A replacement is an edit of a file that holds one of the two texts once.
type replacement struct{ file, right, wrong string }

func editsOf(fault string) (edits []replacement, err error) {
	var names, texts []string
	for i, section := range strings.Split(fault, "\n-- ") {
		if name, text, ok := strings.Cut(section, " --\n"); i > 0 && ok {
			names, texts = append(names, name), append(texts, strings.TrimSuffix(text, "\n"))
		}
	}
	for i := 0; i+1 < len(names) && names[i+1] == "instead"; i += 2 {
		edits = append(edits, replacement{names[i], texts[i], texts[i+1]})
	}
	if len(edits) == 0 || 2*len(edits) != len(names) {
		return nil, fmt.Errorf("what stands there and what is to stand there instead do not make pairs: %q", names)
	}
	return edits, nil
}

func (e replacement) apply(root string) error {
	name := filepath.Join(root, filepath.FromSlash(e.file))
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	switch right, wrong := bytes.Count(source, []byte(e.right)), bytes.Count(source, []byte(e.wrong)); {
	case right == 1:
		return os.WriteFile(name, bytes.Replace(source, []byte(e.right), []byte(e.wrong), 1), 0o600)
	case right == 0 && wrong == 1:
		return nil // the library has the fault itself
	}
	return fmt.Errorf("%s does not have this once; has it changed?\n%s", e.file, e.right)
}
