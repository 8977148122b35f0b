package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"relais/hardware/tpm/swtpm"
	"relais/node"
	"relais/node/people"
)

// A deviceHub is a hub alone in its territory, in this process, with all that relais
// serve runs; between it and its software TPM stands a tally.
type deviceHub struct {
	*stageHub
	*hub
	bus  *tally
	stop func()
}

func newDeviceHub(t testing.TB) *deviceHub {
	t.Helper()
	process, err := swtpm.Start(context.Background(), shortDir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Stop)
	h := &deviceHub{stageHub: &stageHub{name: "Valbrume", folder: shortDir(t)}, bus: newTally(t, process)}
	h.stageHub.config = Config{
		Hub:      HubConfig{Name: h.name, Territory: stageTerritory, DataDir: filepath.Join(h.folder, "data")},
		Web:      WebConfig{Listen: freeAddress(), Names: []string{"valbrume.localhost"}, KioskName: "borne.localhost"},
		Link:     LinkConfig{Listen: freeAddress(), Advertise: []string{"127.0.0.1:7443"}},
		Keys:     KeysConfig{Provider: "tpm", Device: h.bus.device()},
		National: NationalConfig{Adapter: "relais"},
	}
	if err := os.WriteFile(h.configFile(), []byte(h.stageHub.config.text()), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := initSolo(t.Context(), stdio{out: &out, err: &out}, h.configFile(), true); err != nil {
		t.Fatal(err)
	}
	var b soloBorn
	if err := json.Unmarshal(out.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	h.openAccount(t, b.Account)
	return h
}

// openAccount makes a helper's account the one that signs in.
func (h *deviceHub) openAccount(t testing.TB, account node.Enrolment) {
	t.Helper()
	h.account = account
	var err error
	if h.codes, err = newAuthenticator(account.TOTP); err != nil {
		t.Fatal(err)
	}
}

// start opens and runs the hub, and opens its doors.
func (h *deviceHub) start(t testing.TB) {
	t.Helper()
	var err error
	if h.hub, err = openHub(t.Context(), h.stageHub.config, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	running := h.hub
	go func() { ended <- running.run(ctx) }()
	h.stop = func() {
		if cancel(); running == nil {
			return
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := running.close(); err != nil {
			t.Error(err)
		}
		running = nil
	}
	t.Cleanup(func() { h.stop() })
	if err := h.openDoors(); err != nil {
		t.Fatal(err)
	}
}

// idle waits until nothing waits for a signature and the TPM has not been asked
// anything for a while.
func (h *deviceHub) idle(t testing.TB) {
	t.Helper()
	const quiet = 500 * time.Millisecond
	since, last := time.Now(), int64(-1)
	for deadline := time.Now().Add(30 * time.Second); time.Since(since) < quiet; time.Sleep(10 * time.Millisecond) {
		v, err := h.node.Territory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if now := h.bus.asked.Load(); v.Waiting > 0 || now != last {
			since, last = time.Now(), now
		}
		if time.Now().After(deadline) {
			t.Fatalf("the TPM is asked for ever; %d records wait", v.Waiting)
		}
	}
}

// enrol opens one more account.
func (h *deviceHub) enrol(t testing.TB, login string) node.Enrolment {
	t.Helper()
	e, err := h.node.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: login, Name: people.Name{Given: "Camille", Family: "EXEMPLE"},
		Structure: h.node.Roster().Structures[0].ID, Role: people.RoleHelper,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
