package lessons

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentjobs/jobs"
	"github.com/agentjobs/jobs/internal/jobstest"
)

// A week is what a pool has come to after seven days.
type week struct{ restarts, daily, lines int }

func (w week) String() string {
	return fmt.Sprintf("| %d | %d | %d |", w.restarts, w.daily, w.lines)
}

// live plays a week of a pool with a daily job and another one each minute, and what else is registered.
func live(t *testing.T, others func(t *testing.T, p *jobs.Pool)) (w week) {
	log := new(jobstest.Journal)
	jobstest.InPool(t, func(t *testing.T, p *jobs.Pool) {
		daily := jobstest.Register(t, p, jobstest.Lasting(time.Second, nil), jobs.Every(24*time.Hour), jobs.WithName("daily"))
		jobstest.Register(t, p, jobstest.Stub{}, jobs.Cron("* * * * *"), jobs.WithName("each minute"))
		others(t, p)
		jobstest.Advance(7 * 24 * time.Hour)
		w = week{p.Info().Restarts, int(jobstest.InfoOf(t, p, daily).Executions), len(log.AtLeast(slog.LevelInfo))}
	}, log.Option())
	return w
}

func everyFifth(f func() error) func() error {
	calls := 0
	return func() error {
		if calls++; calls%5 == 0 {
			return f()
		}
		return nil
	}
}

// The table of docs/OPERATIONS.md, of which it prints the rows: go test -v -run AFakeWeek ./internal/tests/lessons
func TestAFakeWeekIsAsDocumented(t *testing.T) {
	fails := func() error { jobstest.Take(time.Second); return jobstest.ErrBroken }
	text, err := os.ReadFile("../../../docs/OPERATIONS.md")
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		others func(t *testing.T, p *jobs.Pool)
	}{
		{"nothing is wrong", func(*testing.T, *jobs.Pool) {}},
		{"an hourly job always fails", func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: fails}, jobs.Every(time.Hour))
		}},
		{"an hourly job fails every fifth time", func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: everyFifth(fails)}, jobs.Every(time.Hour))
		}},
		{"the same, with `WithFailureThreshold(2)`", func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: everyFifth(fails)}, jobs.Every(time.Hour), jobs.WithFailureThreshold(2))
		}},
		{"a `Status` always fails, and `Ready` does not", func(t *testing.T, p *jobs.Pool) {
			jobstest.Register(t, p, jobstest.Stub{StatusFunc: fails}, jobs.Every(time.Hour))
		}},
		{"20 detached jobs fail each minute", func(t *testing.T, p *jobs.Pool) {
			for range 20 {
				jobstest.Register(t, p, jobstest.Stub{ExecuteFunc: fails}, jobs.Every(time.Minute), jobs.Detached())
			}
		}},
	} {
		w := live(t, c.others)
		t.Logf("%s %v", c.name, w)
		found := false
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "| "+c.name+" |") {
				found = true
				cells := strings.Split(line, "|")
				require.Len(t, cells, 9, line)
				after := fmt.Sprintf("|%s|%s|%s|", cells[5], cells[6], cells[7])
				assert.Equal(t, w.String(), after, c.name)
			}
		}
		assert.True(t, found, "%s is in no row of the table", c.name)
	}
}
