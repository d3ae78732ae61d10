package main
import "io"
func drawGrowth(r results, w io.Writer) error { return nil }
