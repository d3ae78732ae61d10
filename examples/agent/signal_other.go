//go:build !unix

package main

import "os"

// steeringSignals are none, since there is none for users here. (Notify of none would be of all.)
var steeringSignals = []os.Signal{noSignal{}}

type noSignal struct{}

func (noSignal) Signal()        {}
func (noSignal) String() string { return "none" }
