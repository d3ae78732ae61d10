package main

import (
	"time"

	"github.com/gorhill/cronexpr"
)

// The originalSubject stands for the agent SDK's jobs package. The module proxy does not serve the agent
// SDK; its parser of cron expressions can be had.
type originalSubject struct{}

func (originalSubject) expression() string { return "0 0 1,5,9,15,21 * * * *" }

func (originalSubject) parse(expression string) (func(time.Time) time.Time, error) {
	schedule, err := cronexpr.Parse(expression)
	if err != nil {
		return nil, err
	}
	return schedule.Next, nil
}
