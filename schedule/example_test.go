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

func ExampleSchedule_Next() {
	schedule, err := schedule.Parse("0 9 LW * *")
	if err != nil {
		fmt.Println(err)
		return
	}
	next := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	for range 3 {
		next = schedule.Next(next)
		fmt.Println(next.Format("Mon 2 Jan 15:04"))
	}
	// Output:
	// Fri 30 Jan 09:00
	// Fri 27 Feb 09:00
	// Tue 31 Mar 09:00
}

func ExampleSchedule_Next_never() {
	schedule, err := schedule.Parse("0 0 30 FEB *")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(schedule.Next(time.Now()).IsZero())
	// Output: true
}

func ExampleDescribe() {
	for _, expr := range []string{
		"*/15 8-17 * * MON-FRI",
		"0 0 1,5,9,15,21 * * * *",
		"CRON_TZ=Europe/Paris 0 2 L * FRI",
		"0 9 15W 1,7 * 2026",
	} {
		parsed, err := schedule.Parse(expr)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(schedule.Describe(parsed))
	}
	// Output:
	// Every 15 minutes from 08:00 to 17:45, from Monday to Friday
	// At 01:00, 05:00, 09:00, 15:00 and 21:00 every day
	// At 02:00 on the last day of every month and also on Fridays, in time zone Europe/Paris
	// At 09:00 on the weekday nearest to the 15th of January and July, in 2026
}

func ExampleUpcoming() {
	parsed, err := schedule.Parse("0 9 LW * *")
	if err != nil {
		fmt.Println(err)
		return
	}
	from := time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)
	for at := range schedule.Upcoming(parsed, from) {
		if at.Year() > 2026 {
			break
		}
		fmt.Println(at.Format("Mon 2 Jan 15:04"))
	}
	// Output:
	// Fri 30 Oct 09:00
	// Mon 30 Nov 09:00
	// Thu 31 Dec 09:00
}

func ExampleWarnings() {
	parsed, err := schedule.Parse("0 9 ? * 2-6 2027")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, warning := range schedule.Warnings(parsed, time.Now()) {
		fmt.Println(warning)
	}
	// Output:
	// day of week "2-6" means TUE-SAT, since 0 is Sunday; write it by name, or write MON-FRI if 1 is meant to be Sunday, as in Quartz and EventBridge
}
