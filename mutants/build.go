package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// errRefused is why a mutant that is no valid Go has no test binary.
var errRefused = errors.New("it does not compile")

// A builder makes test binaries in which the package at root has other contents in one of its files: its own
// tests, and those of packages that only test it. It compiles that package only: the tests see of it what the
// compiler exports, which is the same for nearly all mutants as nothing is inlined. The linker makes sure that it is.
type builder struct {
	root     string
	work     string // for files that come and go
	path     string // of the package
	language string // its version of Go
	suites   []*suite
	folders  []string // of the module's packages that are in the suites
}

// A suite is a package with tests.
type suite struct {
	number  int
	path    string // of the package
	folder  string
	files   []string // of the package at root, as these tests see it
	imports string   // for the compiler and the linker: where the packages are
	archive string   // of the package at root
	main    string   // the package that runs the tests
}

// A listed package is as go list tells of it.
type listed struct {
	ImportPath, Dir, Export, ForTest string
	GoFiles                          []string
	Module                           struct {
		Main      bool
		GoVersion string
	}
}

// path returns the import path of a package that may have been compiled for the tests.
func (p listed) path() string {
	path, _, _ := strings.Cut(p.ImportPath, " ")
	return path
}

// newBuilder prepares to build the tests of the package at root and, if there are such folders below, of
// those that match the patterns.
func newBuilder(ctx context.Context, root, work string, also ...string) (*builder, error) {
	b := &builder{root: root, work: work}
	patterns := []string{"."}
	for _, pattern := range also {
		if _, err := os.Stat(filepath.Join(root, strings.TrimSuffix(pattern, "..."))); err == nil {
			patterns = append(patterns, pattern)
		}
	}
	packages, err := b.list(ctx, patterns...)
	if err != nil {
		return nil, err
	}
	for _, p := range packages {
		if len(b.suites) == 0 {
			b.path, b.language = p.path(), "go"+p.Module.GoVersion
		}
		if slices.ContainsFunc(b.suites, func(s *suite) bool { return s.path == p.path() }) {
			continue
		}
		dependencies, err := b.list(ctx, "-gcflags=-l", "-test", "-deps", "-export", p.ImportPath)
		if err != nil {
			return nil, err
		}
		if err := b.use(p, dependencies); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *builder) list(ctx context.Context, args ...string) (packages []listed, err error) {
	output, err := b.command(ctx, "go", append([]string{"list", "-json=ImportPath,Dir,Export,ForTest,GoFiles,Module"}, args...)...)
	if err != nil {
		return nil, err
	}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// use takes what go list says of all that the tests of a package depend on, to build them with.
func (b *builder) use(tests listed, packages []listed) error {
	s := &suite{number: len(b.suites), path: tests.path(), folder: tests.Dir}
	where := map[string]string{}
	for _, p := range packages {
		if p.Module.Main && p.Dir != "" && !slices.Contains(b.folders, p.Dir) {
			b.folders = append(b.folders, p.Dir)
		}
		if p.path() == b.path && (p.ForTest == b.path || s.files == nil) { // with its tests of the inside, if it is itself tested
			s.files = p.GoFiles
		}
		switch {
		case strings.HasSuffix(p.ImportPath, ".test"):
			s.main = p.Export
			fallthrough
		case p.ForTest != "" || where[p.path()] == "":
			where[p.path()] = p.Export
		}
	}
	if s.files == nil || s.main == "" {
		return fmt.Errorf("%s has no tests of %s", s.path, b.path)
	}
	s.archive = b.file(fmt.Sprintf("mutant%d.a", s.number))
	where[b.path] = s.archive
	var config strings.Builder
	for path, export := range where {
		if export != "" {
			fmt.Fprintf(&config, "packagefile %s=%s\n", path, export)
		}
	}
	s.imports = b.file(fmt.Sprintf("imports%d", s.number))
	b.suites = append(b.suites, s)
	return os.WriteFile(s.imports, []byte(config.String()), 0o600)
}

func (b *builder) file(name string) string { return filepath.Join(b.work, name) }

// testBinary makes a test binary of the suite in which the file of the package at root has other contents.
func (b *builder) testBinary(ctx context.Context, s *suite, file string, contents []byte) (binary string, err error) {
	mutated := b.file("mutated.go")
	if err := os.WriteFile(mutated, contents, 0o600); err != nil {
		return "", err
	}
	compile := []string{"tool", "compile", "-o", s.archive, "-p", b.path, "-lang", b.language,
		"-importcfg", s.imports, "-pack", "-complete", "-l", "-trimpath", mutated + "=>" + filepath.Join(b.root, file)}
	for _, name := range s.files {
		if name == file {
			name = mutated
		}
		compile = append(compile, name)
	}
	if _, err := b.command(ctx, "go", compile...); err != nil {
		return "", err
	}
	binary = b.file(fmt.Sprintf("mutant%d.test", s.number))
	_, err = b.command(ctx, "go", "tool", "link", "-s", "-w", "-importcfg", s.imports, "-o", binary, s.main)
	if errors.Is(err, errRefused) {
		return binary, b.buildAll(ctx, s, file, mutated, binary)
	}
	return binary, err
}

// buildAll compiles the tests, too.
func (b *builder) buildAll(ctx context.Context, s *suite, file, mutated, binary string) error {
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(b.root, file): mutated}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.file("overlay.json"), replaced, 0o600); err != nil {
		return err
	}
	_, err = b.command(ctx, "go", "test", "-c", "-vet=off", "-overlay", b.file("overlay.json"), "-o", binary, s.path)
	return err
}

func (b *builder) command(ctx context.Context, name string, args ...string) (stdout []byte, err error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = b.root
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err = command.Output()
	var refused *exec.ExitError
	if errors.As(err, &refused) && refused.Exited() {
		return nil, fmt.Errorf("%w: %s%s", errRefused, stdout, stderr.Bytes())
	}
	return stdout, err
}
