package agent_test

import (
	"testing"

	"relais/hardware/agent"
	"relais/hardware/keyring"
)

var _ keyring.Examiner = (*agent.Client)(nil)

// The device tells the same through the agent as directly.
func TestExamine(t *testing.T) {
	_, p := startTPM(t)
	c := serve(t, p).dial()
	got, err := c.Examine()
	want, directly := p.Examine()
	if err != nil || directly != nil || got != want || got.Family != "2.0" {
		t.Errorf("through the agent %+v, %v; directly %+v, %v", got, err, want, directly)
	}
	wrap(t, c) // and goes on
}

func TestExamineErrNoDevice(t *testing.T) {
	c := onFile(t).dial()
	if k, err := c.Examine(); err == nil {
		t.Errorf("a file has a condition: %+v", k)
	}
	wrap(t, c)
}
