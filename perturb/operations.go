package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// operations are the functions and methods by which goroutines meet: all of these packages, and of these types.
var operations = map[string]bool{
	"sync/atomic": true, "sync": true, "time.Timer": true, "time.Ticker": true,
}

// starters say which of a function's arguments is one that a goroutine of its own will call.
var starters = map[string]int{"time.AfterFunc": 1, "context.AfterFunc": 1, "(*sync.WaitGroup).Go": 0}

// forms are those of the functions that package points can stand in for: the numbers of arguments and results.
const forms = " F0x0 F1x0 F2x0 F3x0 F0x1 F1x1 F2x1 F3x1 F1x2 F2x2 "

// formOf returns the form of a function, or "" if there is no stand-in for it.
func formOf(function types.Type) string {
	signature, is := function.Underlying().(*types.Signature)
	if !is || signature.Variadic() {
		return ""
	}
	form := fmt.Sprintf("F%dx%d", signature.Params().Len(), signature.Results().Len())
	if !strings.Contains(forms, " "+form+" ") {
		return ""
	}
	return form
}

// isOperation reports whether an expression is a function, or a method of something, by which goroutines meet.
func (r *rewriter) isOperation(e ast.Expr) bool {
	selector, is := e.(*ast.SelectorExpr)
	if !is {
		return false
	}
	f, is := r.info.Uses[selector.Sel].(*types.Func)
	if !is || f.Pkg() == nil || formOf(r.info.TypeOf(e)) == "" || r.isGeneric(e) {
		return false
	}
	path := f.Pkg().Path()
	receiver := f.Signature().Recv()
	if receiver == nil {
		return path == "sync/atomic"
	}
	return operations[path] || operations[strings.TrimPrefix(receiver.Type().String(), "*")]
}

// isGeneric reports whether f is a generic function of which only a call says for what types.
func (r *rewriter) isGeneric(f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.Ident:
		return r.info.Instances[f].Type != nil
	case *ast.SelectorExpr:
		return r.info.Instances[f.Sel].Type != nil
	}
	return false
}

func (r *rewriter) isClose(n *ast.CallExpr) bool {
	name, is := ast.Unparen(n.Fun).(*ast.Ident)
	if !is {
		return false
	}
	_, is = r.info.Uses[name].(*types.Builtin)
	return is && name.Name == "close"
}

// startedBy returns the function that the call has called on a goroutine of its own, or nil.
func (r *rewriter) startedBy(n *ast.CallExpr) ast.Expr {
	selector, is := ast.Unparen(n.Fun).(*ast.SelectorExpr)
	if !is {
		return nil
	}
	f, is := r.info.Uses[selector.Sel].(*types.Func)
	if !is {
		return nil
	}
	if argument, is := starters[f.FullName()]; is {
		return n.Args[argument]
	}
	return nil
}
