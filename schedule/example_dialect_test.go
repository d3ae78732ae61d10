package schedule_test

import (
	"fmt"
	"time"

	"github.com/agentjobs/jobs/schedule"
)

func ExampleParseQuartz() {
	parsed, err := schedule.ParseQuartz("0 0/15 22-2 ? * FRI-SUN")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(schedule.Describe(parsed))
	fmt.Println(parsed)

	_, err = schedule.ParseQuartz("0 0 12 * * MON")
	fmt.Println(err)
	// Output:
	// Every 15 minutes of hours 0 to 2, 22 and 23 on Fridays, Saturdays and Sundays
	// 0 */15 0-2,22-23 * * 0,5-6 *
	// Quartz schedule "0 0 12 * * MON": day of month "*" and day of week "MON"; one of them must be ?
}

func ExampleParseSpring() {
	parsed, err := schedule.ParseSpring("0 0 9 13 * FRI")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(schedule.Describe(parsed))
	fmt.Println(parsed)
	fmt.Println(parsed.Next(time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC)))
	// Output:
	// At 09:00 on the 13th of every month if it is a Friday
	// 0 0 9 13 * +5 *
	// 2026-11-13 09:00:00 +0000 UTC
}

func ExampleParseEventBridge() {
	parsed, err := schedule.ParseEventBridge("CRON_TZ=Europe/Paris cron(15 10 ? * 6L *)")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(schedule.Describe(parsed))
	// Output: At 10:15 on the last Friday of every month, in time zone Europe/Paris
}

func ExampleParseUnix() {
	for _, line := range []string{"0 0 1-7 * MON", "0 0 */2 * MON", "@reboot"} {
		parsed, err := schedule.ParseUnix(line)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(schedule.Describe(parsed))
	}
	// Output:
	// At 00:00 on the 1st to the 7th of every month and also on Mondays
	// At 00:00 on every 2nd day from the 1st to the 31st of every month if it is a Monday
	// cron schedule "@reboot": @reboot names no time; a job that is registered with jobs.Once executes once after each start
}
