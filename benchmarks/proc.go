package main

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// machineBusy returns how much CPU time all processes, and the host's other guests, have used on this machine
// since it started, or false where there is no /proc/stat to tell.
func machineBusy() (time.Duration, bool) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	return parseStat(string(data))
}

// parseStat adds up the first line of /proc/stat but for the time in which nothing happened. It is in hundredths of seconds.
func parseStat(stat string) (time.Duration, bool) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal guest guest_nice
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, false
	}
	var ticks int64
	for i, field := range fields[:9] {
		if i == 0 || i == 4 || i == 5 {
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, false
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, true
}

// resident returns how much memory this process has, in bytes, or 0 where there is no /proc/self/statm to tell.
func resident() float64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data)) // size resident …
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	if err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize())
}
