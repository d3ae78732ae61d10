package jobs

import "testing"

func TestGetStatus(t *testing.T) {
	if GetStatus() != globalPool.status() {
		t.Error("it sees what is not exported")
	}
}

func (p *Pool) status() string { return "Running" }
