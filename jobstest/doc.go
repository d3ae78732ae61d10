// Package jobstest tests jobs of package jobs: [Conform] does to one what a pool does, and says what is wrong with
// it; [Pool] is a pool under test whose hours pass in no time; [Clock] is a wall clock that can be set.
//
// # From a test that sleeps to one that does not
//
// A test that waits for real is slow, and fails when the machine is:
//
//	func TestSync(t *testing.T) {
//		id, _ := jobs.Register(newSync(), jobs.Every(50*time.Millisecond)) // not the interval of the program
//		time.Sleep(200 * time.Millisecond)                                 // long enough, it is hoped
//		info, _ := jobs.GetJobInfo(id)
//		if info.Executions < 3 { // 4, or 5, who knows
//			t.Error("too few")
//		}
//	}
//
// Five changes make it exact, and instant:
//
//  1. Put the body into synctest.Test: in a bubble, time passes only while all goroutines wait.
//  2. Begin with h := jobstest.Pool(t). It is the default pool, and shut down at the end.
//  3. Use the program's own intervals, and h.Advance(d) for each time.Sleep(d).
//  4. Expect exact numbers. Where you polled for something, call h.WaitFor.
//  5. Replace network connections by fakes or net.Pipe: a bubble's time stands still while a real read waits.
//
// Then it is:
//
//	func TestSync(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			h := jobstest.Pool(t)
//			id := h.Add(newSync(), jobs.Every(time.Hour))
//			h.Advance(3 * time.Hour)
//			h.ExpectExecutions(id, 4) // at once, and after each hour
//		})
//	}
//
// Channels, timers and contexts must be made in the bubble that waits for them, and what is due at the same instant
// happens in any order: expect nothing of it, or see [WithOrder].
package jobstest
