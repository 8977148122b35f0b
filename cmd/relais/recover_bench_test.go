package main

import (
	"testing"
	"time"

	"relais/hardware/keyring/recoverywork"
	"relais/node"
	"relais/node/mandate"
)

// What a hub that lost its TPM holds, and how long it may stay away, in seconds.
const (
	recoverMandates = 10_000
	recoverGoal     = 60
)

// BenchmarkGoalRecover: the TPM of a hub was cleared. One command makes the hub this
// machine's again; from it to a hub that is open, with every mandate as it was.
func BenchmarkGoalRecover(b *testing.B) {
	light := recoverywork.MemoryKiB
	recoverywork.MemoryKiB = recoveryAsItShips
	defer func() { recoverywork.MemoryKiB = light }()
	l := newSavedLand(b)
	l.pass(-(recoverMandates + 100) * 30 * time.Second) // each code once
	machine := startTPM(b)
	h := l.newHub(b, "Valbrume", machine)
	l.enrol(b)
	held := map[mandate.ID]string{}
	for range recoverMandates {
		m, err := h.grant(b)
		if err != nil {
			b.Fatal(err)
		}
		held[m] = ""
	}
	h.published(b)
	for m := range held {
		held[m] = h.state(b, m)
	}
	h.stopped()
	clearTPM(b, machine)
	c := h.config()
	for b.Loop() {
		began := time.Now()
		if _, err := recoverHub(b.Context(), c, with(h.code)); err != nil {
			b.Fatal(err)
		}
		h.start(b)
		b.ReportMetric(time.Since(began).Seconds(), "ours:s")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(recoverGoal, "goal:max")
	h.mustHold(b, held)
	h.stopped()
	if report, err := node.VerifyFolder(b.Context(), h.folder); err != nil || !report.OK {
		b.Errorf("the journal: %+v, %v", report, err)
	}
	b.Logf("note: %d mandates, none lost; keyring, folder, request and the start after them", len(held))
}

// mustHold fails unless every mandate is as it was; the content of one in a hundred is
// opened too.
func (h *savedHub) mustHold(b *testing.B, held map[mandate.ID]string) {
	b.Helper()
	by, err := h.Actor(b.Context(), h.helper.Helper)
	if err != nil {
		b.Fatal(err)
	}
	looked := 0
	for m, state := range held {
		if now := h.state(b, m); now != state {
			b.Fatalf("mandate %s was %s, and is %s", m, state, now)
		}
		if looked++; looked%100 > 0 {
			continue
		}
		if _, err := h.Mandate(b.Context(), by, m); err != nil {
			b.Fatal(err)
		}
	}
}

// config is what relais recover reads of this hub.
func (h *savedHub) config() Config {
	c := configDefaults()
	c.Hub = HubConfig{Name: h.name, Territory: "demo", DataDir: h.folder}
	c.Web = WebConfig{Listen: freeAddress(), Names: []string{"valbrume.localhost"}}
	c.Link.Listen, c.Link.Advertise = "127.0.0.1:0", []string{"127.0.0.1:7443"}
	c.Keys = KeysConfig{Provider: "tpm", Device: h.machine.Device()}
	return c
}
