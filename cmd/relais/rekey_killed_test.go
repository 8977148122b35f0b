package main

import (
	"strings"
	"testing"
	"time"
)

// TestRekeyKilled rekeys a hub whose TPM the seal agent holds, kills
// it at once, and starts it again, twice. The helper who was signed in works on in
// her session; the keys have their end.
func TestRekeyKilled(t *testing.T) {
	t.Parallel()
	h := newAgentHub(t)
	ctx := t.Context()
	if err := h.signIn(ctx); err != nil {
		t.Fatal(err)
	}
	for key := uint32(2); key <= 3; key++ {
		out, err := capture(ctx, h.stage.programs.relais, "rekey", "--config", h.configFile())
		if err != nil || !strings.Contains(string(out), "opened by tpm, recovery") {
			t.Fatalf("%v\n%s", err, out)
		}
		h.process.cmd.Process.Kill()
		<-h.process.done
		signedIn := h.desk
		if err := h.stage.startHub(h.stageHub); err != nil {
			t.Fatal(err)
		}
		if err := h.ready(ctx); err != nil {
			t.Fatal(err)
		}
		h.desk = signedIn
		if _, _, err := h.create(ctx, oneLine); err != nil {
			t.Errorf("in her session of before: %v", err)
		}
		h.untilRekeyed(t, key)
		if _, _, err := h.create(ctx, oneLine); err != nil {
			t.Errorf("once it is over: %v", err)
		}
	}
	h.untilSigned(t)
	if out, err := capture(ctx, h.stage.programs.relais, "verify", "--config", h.configFile()); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// untilRekeyed waits until nothing is left under an earlier key.
func (h *agentHub) untilRekeyed(t *testing.T, key uint32) {
	t.Helper()
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(20 * time.Millisecond) {
		s, err := h.status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Rekeying.Key == key && !s.Rekeying.UnderWay {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v after %v\n%s", s.Rekeying, readyTimeout, tail(h.log(), 2000))
		}
	}
}
