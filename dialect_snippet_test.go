package jobs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/schedule"
)

func registerNightly(report func(ctx context.Context) error) error {
	nightly, err := schedule.ParseQuartz("0 0 2 ? * MON-FRI")
	if err != nil {
		return err // names the dialect, the field, the item, and what is allowed there
	}
	_, err = jobs.Register(jobs.JobFunc(report), jobs.On(nightly), jobs.WithName("report"))
	return err
}

func TestAnExpressionOfQuartzSchedulesAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs.SetDefaultPool(nil)
		defer func() { require.NoError(t, jobs.Shutdown(context.Background())) }()

		var days []time.Weekday
		require.NoError(t, registerNightly(func(context.Context) error {
			days = append(days, time.Now().Weekday())
			return nil
		}))
		time.Sleep(7 * 24 * time.Hour) // from Saturday, 1 January 2000, in UTC
		synctest.Wait()
		assert.Equal(t, []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}, days)
	})
}
