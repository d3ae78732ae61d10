package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// alias is the name by which a perturbed file knows package points.
const alias = "points_"

// A rewriter puts points into one file. It inserts text and moves no line, so that stack traces tell of lines of the
// original.
type rewriter struct {
	files   *token.FileSet
	info    *types.Info
	source  []byte
	points  *[]point // of all files so far
	edits   []edit
	inCase  map[ast.Node]bool // sends and receives of a select, which cannot be replaced
	closing map[ast.Node]int  // how many parentheses are to be closed after it
}

// A point is a place in the library at which goroutines may be perturbed. Its number is its index.
type point struct {
	position token.Position
	what     string
}

func (p point) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.position.Filename, p.position.Line, p.position.Column, p.what)
}

type edit struct {
	start, end int // what is replaced
	text       string
}

// rewrite returns the file with points in it, or the source as it is if there is nothing to perturb in it.
func (r *rewriter) rewrite(file *ast.File, pointsPath string) []byte {
	r.inCase, r.closing = map[ast.Node]bool{}, map[ast.Node]int{}
	var path []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n != nil {
			path = append(path, n)
			r.enter(n)
			return true
		}
		r.leave(path[len(path)-1])
		path = path[:len(path)-1]
		return true
	})
	if len(r.edits) == 0 {
		return r.source
	}
	r.insert(file.Name.End(), fmt.Sprintf("; import %s %q", alias, pointsPath))
	// Of those at the same place the outer one stands first if it opens, and last if it closes: as they were made.
	slices.SortStableFunc(r.edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var out []byte
	at := 0
	for _, e := range r.edits {
		out = append(append(out, r.source[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, r.source[at:]...)
}

// add adds points, and returns the number of the first.
func (r *rewriter) add(n ast.Node, whats ...string) int {
	first := len(*r.points)
	for _, what := range whats {
		*r.points = append(*r.points, point{r.files.Position(n.Pos()), what + " " + r.text(n)})
	}
	return first
}

func (r *rewriter) around(n ast.Node) int { return r.add(n, "before", "after") }

// text returns the beginning of a part of the source, on one line.
func (r *rewriter) text(n ast.Node) string {
	text := strings.Join(strings.Fields(string(r.source[r.offset(n.Pos()):r.offset(n.End())])), " ")
	if len(text) > 40 {
		text = text[:40] + "…"
	}
	return text
}

func (r *rewriter) offset(at token.Pos) int { return r.files.Position(at).Offset }

func (r *rewriter) insert(at token.Pos, text string) { r.replace(at, at, text) }

func (r *rewriter) replace(from, to token.Pos, text string) {
	r.edits = append(r.edits, edit{r.offset(from), r.offset(to), text})
}

// wrap makes n an argument of a helper of package points.
func (r *rewriter) wrap(n ast.Node, helper string, point int) {
	r.insert(n.Pos(), call(helper, point))
	r.closing[n]++
}

func call(helper string, point int) string { return fmt.Sprintf("%s.%s(%d, ", alias, helper, point) }

// at inserts a point of its own.
func (r *rewriter) at(position token.Pos, n ast.Node, what string) {
	r.insert(position, fmt.Sprintf(" %s.At(%d); ", alias, r.add(n, what)))
}

// enter makes the edits that come before those of what n consists of.
func (r *rewriter) enter(n ast.Node) {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if r.isOperation(n) {
			r.wrap(n, formOf(r.info.TypeOf(n)), r.around(n))
		}
	case *ast.CallExpr:
		if r.isClose(n) {
			r.replace(n.Fun.Pos(), n.Lparen+1, call("Close", r.around(n)))
		}
		if f := r.startedBy(n); f != nil {
			r.begin(f)
		}
	case *ast.UnaryExpr:
		if n.Op == token.ARROW && !r.inCase[n] {
			helper := "Receive"
			if _, two := r.info.TypeOf(n).(*types.Tuple); two {
				helper = "ReceiveOK"
			}
			r.replace(n.OpPos, n.OpPos+2, call(helper, r.around(n)))
			r.closing[n]++
		}
	case *ast.SendStmt:
		if !r.inCase[n] {
			r.wrap(n, "Send", r.around(n))
			r.replace(n.Arrow, n.Arrow+2, ")(")
		}
	case *ast.RangeStmt:
		if _, is := r.info.TypeOf(n.X).Underlying().(*types.Chan); is {
			r.wrap(n.X, "Range", r.around(n.X))
		}
	case *ast.GoStmt:
		r.at(n.Pos(), n, "before")
		r.begin(n.Call.Fun)
	case *ast.SelectStmt:
		r.choose(n)
	}
}

// leave makes the edits that come after those of what n consists of.
func (r *rewriter) leave(n ast.Node) {
	for range r.closing[n] {
		r.insert(n.End(), ")")
	}
}

// choose puts a point before a select, where its last channel is evaluated, and one into each of its cases.
func (r *rewriter) choose(n *ast.SelectStmt) {
	var last ast.Expr
	for _, clause := range n.Body.List {
		clause := clause.(*ast.CommClause)
		r.at(clause.Colon+1, clause, "after select of")
		switch comm := clause.Comm.(type) {
		case *ast.SendStmt:
			r.inCase[comm], last = true, comm.Chan
		case *ast.ExprStmt:
			last = r.receiveOf(comm.X)
		case *ast.AssignStmt:
			last = r.receiveOf(comm.Rhs[0])
		}
	}
	if last != nil {
		r.wrap(last, "Before", r.add(n, "before"))
	}
}

// receiveOf returns the channel of a receive that is a case's own.
func (r *rewriter) receiveOf(e ast.Expr) ast.Expr {
	receive := ast.Unparen(e).(*ast.UnaryExpr)
	r.inCase[receive] = true
	return receive.X
}

// begin puts a point at the begin of a function that is what a goroutine does.
func (r *rewriter) begin(f ast.Expr) {
	f = ast.Unparen(f)
	if literal, is := f.(*ast.FuncLit); is {
		r.at(literal.Body.Lbrace+1, f, "begin of")
		return
	}
	if r.isOperation(f) || !r.info.Types[f].IsValue() || r.isGeneric(f) {
		return
	}
	if form := formOf(r.info.TypeOf(f)); form != "" {
		r.wrap(f, form, r.add(f, "begin of", "end of"))
	}
}
