package schedule_test

import (
	"fmt"
	"time"

	"github.com/agentjobs/jobs/schedule"
)

func ExampleParse() {
	parsed, err := schedule.Parse("CRON_TZ=America/New_York 30 2 * * SUN")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(parsed)

	// On 10 March 2024 the clocks of New York went from 02:00 to 03:00.
	next := time.Date(2024, time.March, 1, 0, 0, 0, 0, time.UTC)
	for range 3 {
		next = parsed.Next(next)
		fmt.Println(next)
	}

	_, err = schedule.Parse("0 61 * * * * *")
	fmt.Println(err)
	// Output:
	// CRON_TZ=America/New_York 0 30 2 * * 0 *
	// 2024-03-03 02:30:00 -0500 EST
	// 2024-03-10 03:00:00 -0400 EDT
	// 2024-03-17 02:30:00 -0400 EDT
	// schedule "0 61 * * * * *": minute field, item "61": 61 is out of range; allowed are 0-59
}
