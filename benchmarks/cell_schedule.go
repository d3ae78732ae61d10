package main

import (
	"errors"
	"time"
)

const scheduleFor = 100 * time.Millisecond

// schedule parses a cron expression that is due five times a day, and follows its occurrences.
func schedule(s subject, _ int) (metrics, error) {
	p, ok := s.(parser)
	if !ok {
		return nil, errNotApplicable
	}
	next, err := p.parse(p.expression())
	if err != nil {
		return nil, err
	}
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.Local)
	if got := next(start); !got.Equal(start.Add(time.Hour)) {
		return nil, errors.New("its first occurrence is " + got.String())
	}
	m := metrics{}
	m["parse_ns"], _ = perCall(scheduleFor, func(int) {
		if _, err := p.parse(p.expression()); err != nil {
			panic(err)
		}
	})
	t := start
	m["next_ns"], m["next_allocs"] = perCall(scheduleFor, func(i int) {
		if i%5000 == 0 { // some 1,000 days
			t = start
		}
		t = next(t)
	})
	return m, nil
}
