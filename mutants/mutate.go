package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// A mutant is a source file with one small mistake in it.
type mutant struct {
	position    token.Position
	start, end  int // the part of the source that is replaced
	replacement string
	what        string
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", m.position.Filename, m.position.Line, m.position.Column, m.what)
}

// apply returns the source with the mistake in it, and all else on the line on which it was.
func (m mutant) apply(source []byte) []byte {
	lines := bytes.Count(source[m.start:m.end], []byte("\n")) - strings.Count(m.replacement, "\n")
	return slices.Concat(source[:m.start], []byte(m.replacement), bytes.Repeat([]byte("\n"), lines), source[m.end:])
}

// operators says what stands in for an operator.
var operators = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.LEQ, token.GEQ}, token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ}, token.GEQ: {token.GTR, token.LSS},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD}, token.MUL: {token.QUO}, token.QUO: {token.MUL},
	token.AND: {token.OR}, token.OR: {token.AND}, token.AND_NOT: {token.AND},
	token.SHL: {token.SHR}, token.SHR: {token.SHL},
	token.INC: {token.DEC}, token.DEC: {token.INC},
	token.ADD_ASSIGN: {token.SUB_ASSIGN}, token.SUB_ASSIGN: {token.ADD_ASSIGN},
	token.OR_ASSIGN: {token.AND_ASSIGN}, token.AND_ASSIGN: {token.OR_ASSIGN},
}

// A mutator finds the mutants of a file.
type mutator struct {
	files   *token.FileSet
	source  []byte
	mutants []mutant
}

// mutantsOf returns the mutants of a source file, in the order in which they stand there.
func mutantsOf(name string, source []byte) ([]mutant, error) {
	m := &mutator{files: token.NewFileSet(), source: source}
	file, err := parser.ParseFile(m.files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, m.visit)
	slices.SortStableFunc(m.mutants, func(a, b mutant) int { return cmp.Compare(a.start, b.start) })
	return m.mutants, nil
}

func (m *mutator) replace(from, to token.Pos, with, what string) {
	start := m.files.Position(from)
	m.mutants = append(m.mutants, mutant{start, start.Offset, m.files.Position(to).Offset, with, what})
}

func (m *mutator) whole(n ast.Node) string {
	return string(m.source[m.files.Position(n.Pos()).Offset:m.files.Position(n.End()).Offset])
}

// text returns a part of the source, on one line.
func (m *mutator) text(n ast.Node) string {
	text := strings.Join(strings.Fields(m.whole(n)), " ")
	if len(text) > 60 {
		text = text[:60] + "…"
	}
	return text
}

func (m *mutator) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.BinaryExpr:
		m.swap(n.OpPos, n.Op, m.text(n))
	case *ast.IncDecStmt:
		m.swap(n.TokPos, n.Tok, m.text(n))
	case *ast.AssignStmt:
		m.swap(n.TokPos, n.Tok, m.text(n))
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			m.replace(n.OpPos, n.OpPos+1, "", "drop the ! of "+m.text(n))
		}
	case *ast.IfStmt:
		m.negate(n.Cond)
	case *ast.CaseClause:
		for _, cond := range n.List {
			m.negate(cond)
		}
	case *ast.Ident:
		if other := map[string]string{"true": "false", "false": "true"}[n.Name]; other != "" {
			m.replace(n.Pos(), n.End(), other, n.Name+" becomes "+other)
		}
	case *ast.BasicLit:
		m.count(n)
	}
	for _, statement := range statements(n) {
		m.remove(statement)
	}
	return true
}

func (m *mutator) swap(at token.Pos, operator token.Token, where string) {
	for _, other := range operators[operator] {
		m.replace(at, at+token.Pos(len(operator.String())), other.String(),
			fmt.Sprintf("%s becomes %s in %s", operator, other, where))
	}
}

// negate negates a condition, unless another mutant does so. (What is no condition does not compile.)
func (m *mutator) negate(cond ast.Expr) {
	switch cond := cond.(type) {
	case *ast.CallExpr, *ast.Ident, *ast.SelectorExpr:
		m.replace(cond.Pos(), cond.End(), "!("+m.whole(cond)+")", "negate "+m.text(cond))
	}
}

func (m *mutator) count(n *ast.BasicLit) {
	if value, err := strconv.Atoi(n.Value); err == nil && n.Kind == token.INT {
		other := strconv.Itoa(value + 1)
		if value == 1 {
			other = "0"
		}
		m.replace(n.Pos(), n.End(), other, n.Value+" becomes "+other)
	}
}

// statements returns what stands directly in a block or a case.
func statements(n ast.Node) []ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return n.List
	case *ast.CaseClause:
		return n.Body
	case *ast.CommClause:
		return n.Body
	}
	return nil
}

// remove removes a statement, if the rest has a chance to compile.
func (m *mutator) remove(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			return
		}
	case *ast.ReturnStmt:
		if len(s.Results) > 0 {
			return
		}
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.GoStmt, *ast.DeferStmt, *ast.BranchStmt, *ast.IfStmt:
	default:
		return
	}
	m.replace(s.Pos(), s.End(), "", "remove "+m.text(s))
}
