package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/hardware/keyring"
	"relais/hardware/tpm"
	"relais/node/fault"
)

// "auto" is decided once. A TPM that vanishes locks the hub, and nothing weaker
// takes its place. The twin is the same question asked as if anew: it would be
// answered by software keys, so that it is the pin that keeps them out.
func TestAutoIsDecidedOnce(t *testing.T) {
	process := startTPM(t)
	h := newSealedHub(t, process.Device(), func(c *Config) { c.Keys.Provider = "auto" })
	if pinned, err := keyring.Pinned(h.config.Hub.DataDir); err != nil || pinned != keyring.KindTPM {
		t.Fatalf("auto with a TPM: %s, %v", pinned, err)
	}
	process.Kill()
	if err := os.Remove(process.Socket()); err != nil {
		t.Fatal(err)
	}
	_, err := openHub(t.Context(), h.config, slog.New(slog.DiscardHandler))
	if !fault.Is(err, fault.Locked) || !errors.Is(err, tpm.ErrNoDevice) {
		t.Errorf("the TPM vanished: %v", err)
	}
	h.mustSlots(t, keyring.KindTPM, keyring.KindRecovery, keyring.KindDepartement)
	if _, err := os.Stat(filepath.Join(h.config.Hub.DataDir, "software.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("software keys were made: %v", err)
	}
	p, err := chooseProvider(h.config)
	if err != nil || p.Kind() != keyring.KindSoftware {
		t.Errorf("asked anew: %v, %v; this test could not fail", p, err)
	}
}

// The other way: a TPM that appears changes nothing.
func TestAutoWithoutTPM(t *testing.T) {
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "auto" })
	process := startTPM(t)
	h.config.Keys.Device = process.Device()
	h.mustRead(t)
	h.mustSlots(t, keyring.KindSoftware, keyring.KindRecovery, keyring.KindDepartement)
	if p, err := chooseProvider(h.config); err != nil || p.Kind() != keyring.KindTPM {
		t.Errorf("asked anew: %v, %v; this test could not fail", p, err)
	}
}

// Software keys are said at each start; a TPM's are not.
func TestSoftwareKeysAreLogged(t *testing.T) {
	process := startTPM(t)
	for device, want := range map[string]bool{"unix:/nowhere/tpm.sock": true, process.Device(): false} {
		h := newSealedHub(t, device, func(c *Config) { c.Keys.Provider = "auto" })
		for range 2 {
			var log bytes.Buffer
			hub, err := openHub(t.Context(), h.config, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			if err := hub.close(); err != nil {
				t.Error(err)
			}
			if said := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), "assurance=software"); said != want {
				t.Errorf("%s: the log says %q", device, log.String())
			}
		}
	}
}
