package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"relais/hardware/tpm/swtpm"
	"relais/node"
)

// A doomedHub is a hub on a TPM whose program is killed again and again.
type doomedHub struct {
	*stageHub
	relais  string // the program
	machine *swtpm.Process
	bus     *executioner
	shown   string // the recovery code that the last rekey showed, "" for none
	mandate string // one of many lines; "" for none yet
	asked   int    // lines of it that somebody stopped
	stopped int    // those of which she was told so
}

// newDoomedHub is not made yet.
func newDoomedHub(t *testing.T) *doomedHub {
	t.Helper()
	relais, err := exec.LookPath("relais") // testscript.Main put it there
	if err != nil {
		t.Fatal(err)
	}
	h := &doomedHub{stageHub: &stageHub{name: "Valbrume", folder: shortDir(t)}, relais: relais, machine: startTPM(t)}
	h.bus = newExecutioner(t, h.machine)
	h.config = Config{
		Hub:  HubConfig{Name: h.name, Territory: stageTerritory, DataDir: filepath.Join(h.folder, "data")},
		Web:  WebConfig{Listen: freeAddress(), Names: []string{"valbrume.localhost"}, KioskName: "borne.localhost"},
		Link: LinkConfig{Listen: freeAddress(), Advertise: []string{"127.0.0.1:7443"}},
		Keys: KeysConfig{Provider: "tpm", Device: h.bus.device()}, National: NationalConfig{Adapter: "none"},
	}
	if err := os.WriteFile(h.configFile(), []byte(h.config.text()), 0o644); err != nil {
		t.Fatal(err)
	}
	return h
}

// verb runs one to its end. That it was killed is told, any other failure too.
func (h *doomedHub) verb(t *testing.T, args ...string) (out []byte, killed bool, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.relais, append(args, "--config", h.configFile())...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h.bus.victim.Store(cmd.Process)
	if err = cmd.Wait(); err != nil {
		err = fmt.Errorf("relais %s: %w: %s", args[0], err, stderr.Bytes())
	}
	return stdout.Bytes(), !cmd.ProcessState.Exited() && ctx.Err() == nil, err
}

// start runs the program that serves, and waits until it does and its TPM is asked
// nothing more, or it is dead.
func (h *doomedHub) start(t *testing.T) (killed bool) {
	t.Helper()
	var err error
	if h.process, err = startChild(h.name, h.log(), h.relais, "serve", "--config", h.configFile()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.process.stop() })
	h.bus.victim.Store(h.process.cmd.Process)
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(10 * time.Millisecond) {
		if gone, _ := h.process.ended(); gone {
			return h.died(t)
		}
		s, err := h.status(t.Context())
		if err == nil && !s.Locked && !s.Rekeying.UnderWay {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not serve: %v, %+v\n%s", err, s, tail(h.log(), 2000))
		}
	}
	return h.diesOrRests(t)
}

// diesOrRests waits until the program is dead, if somebody aims at it, or else until
// its TPM is asked nothing more.
func (h *doomedHub) diesOrRests(t *testing.T) (killed bool) {
	t.Helper()
	if h.bus.at.Load().command == 0 {
		h.bus.quiet(h.process)
	} else {
		select {
		case <-h.process.done:
		case <-time.After(readyTimeout):
		}
	}
	if gone, _ := h.process.ended(); gone {
		return h.died(t)
	}
	return false
}

// died tells whether the program that serves was killed; that it ended is a failure.
func (h *doomedHub) died(t *testing.T) bool {
	t.Helper()
	_, err := h.process.ended()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.Exited() {
		t.Fatalf("it ended by itself: %v\n%s", err, tail(h.log(), 2000))
	}
	return true
}

// serves starts the hub as any other day, and stops it: nothing waits for a signature,
// the journal holds, and the TPM is left as it was found.
func (h *doomedHub) serves(t *testing.T) {
	t.Helper()
	h.bus.aim(moment{})
	if h.start(t) {
		t.Fatal("nobody was to kill it")
	}
	s := h.untilSigned(t)
	if listed := !slices.Contains(s.Alarms, "not-listed"); listed && len(s.Alarms) > 0 {
		t.Errorf("alarms %v", s.Alarms)
	}
	if s.Stops < h.stopped || s.Stops > h.asked {
		t.Errorf("%d lines are stopped, %d were said to be, of %d", s.Stops, h.stopped, h.asked)
	}
	h.stop(t)
	if report, err := node.VerifyFolder(t.Context(), h.config.Hub.DataDir); err != nil || !report.OK {
		t.Errorf("the journal: %+v, %v", report, err)
	}
	if held := tpmHolds(t, h.machine, tpmObjects, tpmLoaded); held != 0 {
		t.Errorf("%d objects and sessions stay in the TPM", held)
	}
}

// untilSigned waits until nothing waits for a signature; a hub in no roster signs
// nothing.
func (h *doomedHub) untilSigned(t *testing.T) (s status) {
	t.Helper()
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(10 * time.Millisecond) {
		s, err := h.status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Waiting == 0 || slices.Contains(s.Alarms, "not-listed") {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d records wait", s.Waiting)
		}
	}
}

func (h *doomedHub) stop(t *testing.T) {
	t.Helper()
	if err := h.process.stop(); err != nil {
		t.Errorf("told to end: %v\n%s", err, tail(h.log(), 2000))
	}
}
