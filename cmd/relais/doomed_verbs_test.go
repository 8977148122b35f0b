package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"relais/hardware/keyring"
	"relais/hardware/soft"
)

// init makes the hub.
func (h *doomedHub) init(t *testing.T) (killed bool, err error) {
	t.Helper()
	out, killed, err := h.verb(t, "init", "--solo", "--json")
	if err != nil {
		return killed, err
	}
	var b soloBorn
	if err := json.Unmarshal(out, &b); err != nil {
		t.Fatal(err)
	}
	h.account = b.Account
	if h.codes, err = newAuthenticator(b.Account.TOTP); err != nil {
		t.Fatal(err)
	}
	return false, os.WriteFile(h.codeFile(), []byte(b.RecoveryCode), 0o600)
}

func (h *doomedHub) codeFile() string { return filepath.Join(h.folder, "code") }

func (h *doomedHub) mustInit(t *testing.T) {
	t.Helper()
	if _, err := h.init(t); err != nil {
		t.Fatal(err)
	}
}

// makesAgain has a person whose init was cut short do what the program tells her.
func (h *doomedHub) makesAgain(t *testing.T) {
	t.Helper()
	h.bus.aim(moment{})
	_, err := h.init(t)
	if err == nil {
		return
	}
	if !strings.Contains(err.Error(), "remove the folder and start again") {
		t.Fatal(err)
	}
	keys, err := openKeys(h.config, keyring.KindTPM)
	if err != nil {
		t.Fatalf("there is a keyring, and it does not open: %v", err)
	}
	keys.Close()
	if err := os.RemoveAll(h.config.Hub.DataDir); err != nil {
		t.Fatal(err)
	}
	h.mustInit(t)
}

// recover gives a hub whose TPM was cleared to this machine.
func (h *doomedHub) recover(t *testing.T) (killed bool, err error) {
	t.Helper()
	_, killed, err = h.verb(t, "recover", "--code-file", h.codeFile())
	return killed, err
}

// recoversAgain has a person whose recover was cut short run it again.
func (h *doomedHub) recoversAgain(t *testing.T) {
	t.Helper()
	h.bus.aim(moment{})
	if _, err := h.recover(t); err != nil && !strings.Contains(err.Error(), "there is nothing to recover") {
		t.Fatal(err)
	}
}

// newIdentity gives a hub whose keys open another identity.
func (h *doomedHub) newIdentity(t *testing.T) (killed bool, err error) {
	t.Helper()
	_, killed, err = h.verb(t, "recover", "--new-identity")
	return killed, err
}

// newIdentityAgain has a person who was cut short run it again.
func (h *doomedHub) newIdentityAgain(t *testing.T) {
	t.Helper()
	h.bus.aim(moment{})
	if _, err := h.newIdentity(t); err != nil {
		t.Fatal(err)
	}
}

// rekey replaces the hub's key, and keeps the code that it shows.
func (h *doomedHub) rekey(t *testing.T) (killed bool, err error) {
	t.Helper()
	out, killed, err := h.verb(t, "rekey")
	h.shown = ""
	if _, after, found := strings.Cut(string(out), "recovery code "); found {
		h.shown = strings.Fields(after)[0]
	}
	if err != nil {
		return killed, err
	}
	return false, os.WriteFile(h.codeFile(), []byte(h.shown), 0o600)
}

// hasACode checks, on copies of the folder for a machine without TPM, that either the
// former recovery code or the one that was shown opens it, and keeps the one that does.
func (h *doomedHub) hasACode(t *testing.T) {
	t.Helper()
	former, err := os.ReadFile(h.codeFile())
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, text := range []string{string(former), h.shown} {
		code, err := keyring.ParseRecoveryCode(text)
		if err != nil {
			continue // none was shown
		}
		elsewhere := filepath.Join(t.TempDir(), "data")
		copyFolder(t, h.config.Hub.DataDir, elsewhere)
		if k, err := keyring.Recover(elsewhere, soft.New(elsewhere), code); err == nil {
			open = append(open, text)
			k.Close()
		}
	}
	if len(open) != 1 {
		t.Fatalf("%d recovery codes open the hub", len(open))
	}
	if err := os.WriteFile(h.codeFile(), []byte(open[0]), 0o600); err != nil {
		t.Fatal(err)
	}
}

// drawsUp makes a mandate of many lines, the first time.
func (h *doomedHub) drawsUp(t *testing.T) {
	t.Helper()
	signedIn := h.desk
	if err := h.openDoors(); err != nil {
		t.Fatal(err)
	}
	if signedIn != nil {
		h.desk = signedIn
		return
	}
	many := oneLine
	many.lines = slices.Repeat(many.lines, 20)
	err := h.signIn(t.Context())
	if err == nil {
		h.mandate, _, err = h.create(t.Context(), many)
	}
	if err != nil {
		t.Fatal(err)
	}
	h.bus.quiet(h.process)
}

// stopsALine stops one more line at the desk: a record, which is counted and signed.
func (h *doomedHub) stopsALine(t *testing.T) {
	t.Helper()
	h.asked++
	_, err := h.desk.fill(t.Context(), "/bureau/mandats/"+h.mandate+"/arreter", "reason", map[string]string{
		"lines": strconv.Itoa(h.asked), "reason": "person",
	})
	if err == nil {
		h.stopped++ // it may be killed before she is told
	}
	if h.bus.at.Load().command == 0 {
		h.untilSigned(t)
	}
}
