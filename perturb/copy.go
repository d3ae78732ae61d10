package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed points/points.go points/operations.go
var pointsSource embed.FS

// pointsFolder is where package points is in a copy.
const pointsFolder = "internal/points"

// A listed package is as go list tells of it.
type listed struct {
	ImportPath, Dir, Export   string
	DepOnly                   bool
	GoFiles, Imports          []string
	TestGoFiles, XTestGoFiles []string
	Module                    struct{ Path, GoVersion string }
}

// A perturbed module is a copy with points in it.
type perturbed struct {
	root   string
	points []point
	tested []listed // the packages that have tests, and points or no code but tests
}

// copyModule copies a module's files, but not the modules inside it.
func copyModule(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		switch {
		case entry.IsDir():
			if _, err := os.Stat(filepath.Join(path, "go.mod")); name == ".git" || err == nil && path != from {
				return filepath.SkipDir
			}
			return os.MkdirAll(target, 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		contents, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, contents, 0o600)
	})
}

// isOfTests reports whether a package has nothing but tests, or what tests share. Goroutines are not late there.
func (p listed) isOfTests() bool { return len(p.GoFiles) == 0 || slices.Contains(p.Imports, "testing") }

// perturb puts points into the packages of a module, but for those of its examples and of its tests.
func perturb(ctx context.Context, root string) (*perturbed, error) {
	packages, err := list(ctx, root)
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	copied := &perturbed{root: root}
	for _, p := range packages {
		if p.DepOnly || strings.HasPrefix(p.ImportPath, p.Module.Path+"/examples/") {
			continue
		}
		before := len(copied.points)
		if !p.isOfTests() {
			if err := copied.perturbPackage(p, exports); err != nil {
				return nil, err
			}
		}
		if (len(copied.points) > before || p.isOfTests()) && len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 {
			copied.tested = append(copied.tested, p)
		}
	}
	return copied, copied.addPoints()
}

func (c *perturbed) perturbPackage(p listed, exports map[string]string) error {
	files := token.NewFileSet()
	var parsed []*ast.File
	var sources [][]byte
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inModule, err := filepath.Rel(c.root, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, inModule, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed, sources = append(parsed, file), append(sources, source)
	}
	info := &types.Info{
		Types:     map[ast.Expr]types.TypeAndValue{},
		Uses:      map[*ast.Ident]types.Object{},
		Instances: map[*ast.Ident]types.Instance{},
	}
	checker := types.Config{
		GoVersion: "go" + p.Module.GoVersion,
		Importer: importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) {
			return os.Open(exports[path])
		}),
	}
	if _, err := checker.Check(p.ImportPath, files, parsed, info); err != nil {
		return err
	}
	for i, file := range parsed {
		r := &rewriter{files: files, info: info, source: sources[i], points: &c.points}
		rewritten := r.rewrite(file, p.Module.Path+"/"+pointsFolder)
		if err := os.WriteFile(filepath.Join(p.Dir, p.GoFiles[i]), rewritten, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// addPoints adds package points.
func (c *perturbed) addPoints() error {
	folder := filepath.Join(c.root, filepath.FromSlash(pointsFolder))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return fs.WalkDir(pointsSource, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := pointsSource.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, filepath.Base(path)), source, 0o600)
	})
}

// list returns the packages of a module and all that they import, compiled.
func list(ctx context.Context, root string) (packages []listed, err error) {
	output, err := run(ctx, root, "go", "list", "-deps", "-export",
		"-json=ImportPath,Dir,Export,DepOnly,GoFiles,Imports,TestGoFiles,XTestGoFiles,Module", "./...")
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

// run runs a command, and returns what it prints.
func run(ctx context.Context, folder, name string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = folder
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", strings.Join(append([]string{name}, args...), " "), err, output, stderr.Bytes())
	}
	return output, nil
}
