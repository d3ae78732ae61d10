package main

import (
	"os"
	"testing"
)

// TestMain lets the test binary be the child that a plan starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-child" {
		main()
	}
	m.Run()
}
