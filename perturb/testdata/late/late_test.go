package late

import "testing"

func TestPerturbedLose(t *testing.T) {
	if n := Lose(); n != 2 {
		t.Error("lost", 2-n)
	}
}

func TestRace(t *testing.T) {
	if Race() == 0 {
		t.Error("nothing was written")
	}
}
