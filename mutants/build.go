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
	"strings"
)

// errRefused is why a mutant that is no valid Go has no test binary.
var errRefused = errors.New("it does not compile")

// A builder makes test binaries of the package at root, each with other contents in one of its files. It compiles
// that package only: the tests see of it what the compiler exports, which is the same for nearly all mutants as
// nothing is inlined. The linker makes sure that it is.
type builder struct {
	root     string
	work     string // for files that come and go
	path     string // of the package
	language string // its version of Go
	files    []string
	imports  string // for the compiler and the linker: where the packages are
	main     string // the package that runs the tests
}

// A listed package is as go list tells of it.
type listed struct {
	ImportPath, Export, ForTest string
	GoFiles                     []string
	Module                      struct{ GoVersion string }
}

// path returns the import path of a package that may have been compiled for the tests.
func (p listed) path() string {
	path, _, _ := strings.Cut(p.ImportPath, " ")
	return path
}

func newBuilder(ctx context.Context, root, work string) (*builder, error) {
	b := &builder{root: root, work: work}
	output, err := b.command(ctx, "go", "list", "-gcflags=-l", "-test", "-deps", "-export",
		"-json=ImportPath,Export,ForTest,GoFiles,Module", ".")
	if err != nil {
		return nil, err
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	return b, b.use(packages)
}

// use takes what go list says to build the package with.
func (b *builder) use(packages []listed) error {
	where := map[string]string{}
	for _, p := range packages {
		switch {
		case p.ForTest == p.path(): // with its tests of the inside
			b.path, b.files, b.language = p.path(), p.GoFiles, "go"+p.Module.GoVersion
		case strings.HasSuffix(p.ImportPath, ".test"):
			b.main = p.Export
			fallthrough
		case p.ForTest != "" || where[p.path()] == "":
			where[p.path()] = p.Export
		}
	}
	if b.path == "" || b.main == "" {
		return fmt.Errorf("%s has no package with tests of the inside", b.root)
	}
	where[b.path] = b.file("mutant.a")
	var config strings.Builder
	for path, export := range where {
		if export != "" {
			fmt.Fprintf(&config, "packagefile %s=%s\n", path, export)
		}
	}
	b.imports = b.file("imports")
	return os.WriteFile(b.imports, []byte(config.String()), 0o600)
}

func (b *builder) file(name string) string { return filepath.Join(b.work, name) }

// testBinary makes a test binary in which the file has other contents.
func (b *builder) testBinary(ctx context.Context, file string, contents []byte) (binary string, err error) {
	mutated := b.file("mutated.go")
	if err := os.WriteFile(mutated, contents, 0o600); err != nil {
		return "", err
	}
	compile := []string{"tool", "compile", "-o", b.file("mutant.a"), "-p", b.path, "-lang", b.language,
		"-importcfg", b.imports, "-pack", "-complete", "-l", "-trimpath", mutated + "=>" + filepath.Join(b.root, file)}
	for _, name := range b.files {
		if name == file {
			name = mutated
		}
		compile = append(compile, name)
	}
	if _, err := b.command(ctx, "go", compile...); err != nil {
		return "", err
	}
	binary = b.file("mutant.test")
	_, err = b.command(ctx, "go", "tool", "link", "-s", "-w", "-importcfg", b.imports, "-o", binary, b.main)
	if errors.Is(err, errRefused) {
		return binary, b.buildAll(ctx, file, mutated, binary)
	}
	return binary, err
}

// buildAll compiles the tests, too.
func (b *builder) buildAll(ctx context.Context, file, mutated, binary string) error {
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(b.root, file): mutated}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.file("overlay.json"), replaced, 0o600); err != nil {
		return err
	}
	_, err = b.command(ctx, "go", "test", "-c", "-vet=off", "-overlay", b.file("overlay.json"), "-o", binary, ".")
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
