package main

// A cell is one measurement of one subject with n jobs. It has a process to itself and need not clean up.
type cell func(s subject, n int) (metrics, error)

var cells = map[string]cell{
	"life":     life,
	"poll":     poll,
	"rate":     rate,
	"spread":   spread,
	"lookup":   lookUp,
	"outage":   outage,
	"overload": overload,
	"schedule": schedule,
	"uuid":     oneUUID,
}

// A place is a cell and the number of jobs it is given.
type place struct {
	Cell string `json:"cell"`
	N    int    `json:"n"`
}

// places are what is measured, in order.
var places = []place{
	{"uuid", 1},
	{"life", 1_000},
	{"life", 10_000},
	{"life", 100_000},
	{"life", 1_000_000},
	{"poll", 100_000},
	{"rate", 1_000},
	{"spread", 1_000},
	{"spread", 10_000},
	{"spread", 100_000},
	{"lookup", 10_000},
	{"outage", 10_000},
	{"overload", 10_000},
	{"schedule", 1},
}
