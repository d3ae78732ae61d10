package lessons

import (
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// What clocks that change did to the users of go-co-op/gocron and robfig/cron, thread by thread.

// runs returns when a job executes, by its schedule's local clock, on the day before a change, on its day
// and on the day after. A bubble begins in the year 2000.
func runs(t *testing.T, zone, expr string, changes time.Time) (moments []string) {
	location, err := time.LoadLocation(zone)
	require.NoError(t, err)
	changes = time.Date(2000, changes.Month(), changes.Day(), 0, 0, 0, 0, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		p := jobs.NewPool(jobstest.Quiet)
		first := changes.AddDate(0, 0, -1)
		begin := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, location)
		time.Sleep(time.Until(begin) - time.Nanosecond)
		jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: func() error {
			moments = append(moments, time.Now().In(location).Format("Jan _2 15:04"))
			return nil
		}}, jobs.Cron("CRON_TZ="+zone+" "+expr))
		end := begin.AddDate(0, 0, 3)
		jobstest.Advance(time.Until(end) - time.Second)
		require.NoError(t, p.Shutdown(t.Context()))
	})
	return moments
}

func on(month time.Month, day int) time.Time {
	return time.Date(2000, month, day, 0, 0, 0, 0, time.UTC)
}

func TestGocron69_ADailyJobRunsOnceAndNotAnHourEarlyWhenSummerTimeEnds(t *testing.T) {
	assert.Equal(t, []string{"Oct 28 00:01", "Oct 29 00:01", "Oct 30 00:01"}, runs(t, "Europe/Berlin", "1 0 * * *", on(time.October, 29)))
}

func TestGocron318_ADailyJobKeepsItsHourWhenSummerTimeBegins(t *testing.T) {
	assert.Equal(t, []string{"Mar 25 09:00", "Mar 26 09:00", "Mar 27 09:00"}, runs(t, "Europe/Berlin", "0 9 * * *", on(time.March, 26)))
}

func TestGocron435_AnEveningJobKeepsItsHourOnTheDayOfTheChange(t *testing.T) {
	assert.Equal(t, []string{"Apr  1 20:00", "Apr  2 20:00", "Apr  3 20:00"}, runs(t, "America/New_York", "0 20 * * *", on(time.April, 2)))
}

func TestGocron911_AnHourThatIsSkippedLosesNoRunAndOneThatIsRepeatedDoublesNone(t *testing.T) {
	assert.Equal(t, []string{"Apr  1 02:30", "Apr  2 03:00", "Apr  3 02:30"}, runs(t, "America/New_York", "30 2 * * *", on(time.April, 2)))
	assert.Equal(t, []string{"Oct 28 01:30", "Oct 29 01:30", "Oct 30 01:30"}, runs(t, "America/New_York", "30 1 * * *", on(time.October, 29)))
}

func TestCron157_AMidnightThatDoesNotExistIsNotMissed(t *testing.T) {
	assert.Equal(t, []string{"Oct  7 00:00", "Oct  8 01:00", "Oct  9 00:00"}, runs(t, "America/Sao_Paulo", "0 0 * * *", on(time.October, 8)))
}

func TestCron541_TheRunAtTwoIsNotSkippedInSpring(t *testing.T) {
	assert.Equal(t, []string{"Mar 25 02:00", "Mar 26 03:00", "Mar 27 02:00"}, runs(t, "Europe/Berlin", "0 2 * * *", on(time.March, 26)))
}
