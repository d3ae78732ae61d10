package jobs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
)

// methodsOf returns the names of a type's exported methods.
func methodsOf(typ reflect.Type) (names []string) {
	for i := range typ.NumMethod() {
		if m := typ.Method(i); m.IsExported() {
			names = append(names, m.Name)
		}
	}
	return names
}

func TestEveryMethodIsInTheTablesOfCalls(t *testing.T) {
	covered := methodsOf(reflect.TypeFor[registrar]())      // by Register
	covered = append(covered, "GetID", "GetName", "GetJob") // the same in every state
	for _, text := range []string{jobTable, poolTable, insideJobTable, insidePoolTable} {
		for _, name := range readTable(t, text).calls {
			covered = append(covered, strings.Fields(name)[0])
		}
	}
	assert.Subset(t, covered, exportedFunctions(t, "Pool"))
	assert.Subset(t, covered, methodsOf(reflect.TypeFor[jobs.JobExecution]()))
}

func TestEveryPackageLevelFunctionIsInTheTablesOfCalls(t *testing.T) {
	covered := methodsOf(reflect.TypeFor[surface]())
	stateless := []string{"NewPool", "DefaultPool", "SetDefaultPool", "ParseSchedule", "Permanent"}
	for _, f := range exportedFunctions(t, "") {
		if !slices.Contains(stateless, f) {
			assert.Contains(t, covered, f)
		}
	}
}

// exportedFunctions returns the names of the package's exported functions, but for those that make a
// trigger or an option; or of the methods of a type. (Reflection also finds those that are for tests.)
func exportedFunctions(t *testing.T, receiver string) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Name.IsExported() && receiverOf(f) == receiver && !makesAPart(f) {
				names = append(names, f.Name.Name)
			}
		}
	}
	require.NotEmpty(t, names)
	return names
}

func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	return strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*")
}

func makesAPart(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	result := types.ExprString(f.Type.Results.List[0].Type)
	return slices.Contains([]string{"Trigger", "JobOption", "PoolOption"}, result)
}
