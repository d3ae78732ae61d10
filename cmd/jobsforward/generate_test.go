package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:generate go test -run=TestTheForwardingPackageIsWhatTheMirroredAPIAsksFor . -update

var update = flag.Bool("update", false, "write the forwarding package anew")

// library is the folder of package jobs.
var library = filepath.Join("..", "..")

// mirrored returns the package-level names that mirror_test.go of package jobs lists.
func mirrored(t *testing.T) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(library, "mirror_test.go"), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	names := map[string]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			if from, ok := selector.X.(*ast.Ident); ok && from.Name == "jobs" {
				names[selector.Sel.Name] = true
			}
		}
		return true
	})
	return names
}

// declared returns the declarations of package jobs, in the order of files and lines.
func declared(t *testing.T) []ast.Decl {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(library, "*.go"))
	require.NoError(t, err)
	var decls []ast.Decl
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		decls = append(decls, file.Decls...)
	}
	return decls
}

// generate returns the forwarding package for the names in wanted, and marks those that it found.
func generate(t *testing.T, wanted map[string]bool) []byte {
	t.Helper()
	var consts, vars, types, funcs strings.Builder
	specs := map[token.Token]*strings.Builder{token.CONST: &consts, token.VAR: &vars, token.TYPE: &types}
	found := map[string]bool{}
	add := func(to *strings.Builder, name *ast.Ident) {
		if wanted[name.Name] {
			found[name.Name] = true
			fmt.Fprintf(to, "\t%s = jobs.%[1]s\n", name)
		}
	}
	for _, decl := range declared(t) {
		switch decl := decl.(type) {
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(&types, spec.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						add(specs[decl.Tok], name)
					}
				}
			}
		case *ast.FuncDecl:
			if name := decl.Name.Name; decl.Recv == nil && wanted[name] {
				found[name] = true
				fmt.Fprintf(&funcs, "\n// %s is [jobs.%[1]s].\n%s {\n\t%s\n}\n", name, signature(t, decl), call(decl))
			}
		}
	}
	assert.Equal(t, wanted, found, "names that package jobs does not declare")
	text := forwardingHeader + `
// Package jobs forwards to [github.com/agentjobs/jobs], so that the agent SDK and an agent share one pool. The files of
// the SDK's own package are beside this one, named *.go.original; jobsforward -undo restores them.
package jobs

import (
	"time"

	"github.com/agentjobs/jobs"
)

type (
` + types.String() + ")\n\nconst (\n" + consts.String() + ")\n\n// They are the same values, so that errors.Is finds them. To assign to one changes nothing.\nvar (\n" +
		vars.String() + ")\n" + funcs.String()
	formatted, err := format.Source([]byte(text))
	require.NoError(t, err)
	return formatted
}

// signature returns a function's declaration without its body.
func signature(t *testing.T, decl *ast.FuncDecl) string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, printer.Fprint(&text, token.NewFileSet(), &ast.FuncDecl{Name: decl.Name, Type: decl.Type}))
	return text.String()
}

// call returns the statement that calls the function of package jobs with the parameters of the one that forwards.
func call(decl *ast.FuncDecl) string {
	var args []string
	for _, field := range decl.Type.Params.List {
		dots := ""
		if _, variadic := field.Type.(*ast.Ellipsis); variadic {
			dots = "..."
		}
		for _, name := range field.Names {
			args = append(args, name.Name+dots)
		}
	}
	statement := fmt.Sprintf("jobs.%s(%s)", decl.Name, strings.Join(args, ", "))
	if decl.Type.Results != nil {
		statement = "return " + statement
	}
	return statement
}

func TestTheForwardingPackageIsWhatTheMirroredAPIAsksFor(t *testing.T) {
	generated := generate(t, mirrored(t))
	if *update {
		require.NoError(t, os.WriteFile("forwarding.txt", generated, 0o644))
		return
	}
	assert.Equal(t, string(generated), forwarding, "run: go generate ./cmd/jobsforward")
}

func TestTheForwardingPackageDeclaresEachMirroredName(t *testing.T) {
	names := exported(t, forwarding)
	for name := range mirrored(t) {
		assert.Contains(t, names, name)
	}
	assert.Len(t, names, len(mirrored(t)), "and no other")
	assert.Equal(t, slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(forwardedNames())), "the command knows them, too")
}

// exported returns the exported package-level names of a file.
func exported(t *testing.T, source string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "forwarding.go", source, parser.SkipObjectResolution)
	require.NoError(t, err)
	return exportedNames(file)
}

func TestTheMirroredAPIHasEachFunctionThatOnlyTheSDKsNamesAreFor(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(library, "sdk.go"), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	names := exportedNames(file)
	require.NotEmpty(t, names)
	listed := mirrored(t)
	for _, name := range names {
		assert.True(t, listed[name], "mirror_test.go does not list %s of sdk.go", name)
	}
}

func TestTheMirroredAPIHasNamesOfEachSortAndNoneThatTheSDKLacks(t *testing.T) {
	wanted := mirrored(t)
	assert.NotContains(t, wanted, "Register", "which is not the SDK's")
	assert.Contains(t, wanted, "RegisterRetryJob")
	assert.Contains(t, wanted, "PoolStatusStopped")
	assert.Contains(t, wanted, "ErrExecutingRetryJob")
	assert.Contains(t, wanted, "JobOption")
}
