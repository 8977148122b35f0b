package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"relais/hardware/keyring"
	"relais/node"
)

// states are a doctor's checks by key; of several, the worst.
func states(d *doctor) map[string]state {
	worse := map[state]int{stateOK: 0, stateAttention: 1, stateFailed: 2}
	found := map[string]state{}
	for _, c := range d.checks {
		if was, seen := found[c.Check]; !seen || worse[c.State] > worse[was] {
			found[c.Check] = c.State
		}
	}
	return found
}

func mustState(t *testing.T, d *doctor, key string, want state) {
	t.Helper()
	if got := states(d)[key]; got != want {
		t.Errorf("%s is %q, want %q: %+v", key, got, want, d.checks)
	}
}

// serving runs a hub in this process until the end of the test.
func serving(t *testing.T, c Config) {
	t.Helper()
	h, err := openHub(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		h.close()
	})
	var s status
	for deadline := time.Now().Add(20 * time.Second); askHub(t.Context(), c.Hub.DataDir, http.MethodGet, "/status", nil, &s) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the hub does not answer")
		}
	}
}

// A hub that is well, asleep then awake. Awake it holds the one connection that
// its TPM serves: a doctor that opened the TPM itself would wait for ever, as the
// twin does.
func TestDoctorOfAHubThatIsWell(t *testing.T) {
	process := startTPM(t)
	h := newSealedHub(t, process.Device(), func(c *Config) { c.Health.Listen = freeAddress() })
	asleep := examined(t, h.config)
	want := map[string]state{
		"config": stateOK, "folder": stateOK, "owner": stateOK, "modes": stateOK, "space": stateOK, "running": stateOK,
		"keyring": stateOK, "provider": stateOK, "slots": stateOK, "access": stateOK, "device": stateOK, "lockout": stateOK, "owner-password": stateOK,
		"opens": stateOK, "identity": stateOK, "request": stateOK, "no-roster": stateAttention, "national": stateOK, "clock": stateOK,
	}
	if got := states(asleep); !maps.Equal(got, want) || asleep.outcome() != nil {
		t.Errorf("asleep: %v, %v", got, asleep.outcome())
	}
	serving(t, h.config)
	begun := time.Now()
	awake := examined(t, h.config)
	want["alarms"] = stateOK
	if got := states(awake); !maps.Equal(got, want) || awake.outcome() != nil {
		t.Errorf("awake: %v, %v", got, awake.outcome())
	}
	took := time.Since(begun)
	m := metricsAt(t, "http://"+h.config.Health.Listen+"/metrics")
	if m["relais_locked"] != 0 || m[`relais_keys_assurance{assurance="tpm"}`] != 1 || m[`relais_alarms{key="no-roster"}`] != 1 || m["relais_tpm_commands_total"] < 5 {
		t.Errorf("its metrics: %v", m)
	}
	waits := make(chan error, 1)
	go func() {
		p, err := openProvider(keyring.KindTPM, h.config)
		if err == nil {
			_, err = p.(keyring.Examiner).Examine()
			p.Close()
		}
		waits <- err
	}()
	select {
	case err := <-waits:
		t.Errorf("the TPM serves two at a time (%v): this test could not fail", err)
	case <-time.After(took + time.Second):
	}
}

// Looking changes nothing in the folder, and takes no lock of it: with the lock
// held by a verb that does not answer, the doctor says so, and keeps off the keys.
func TestDoctorDisturbsNothing(t *testing.T) {
	process := startTPM(t)
	h := newSealedHub(t, process.Device())
	before := snapshot(t, h.config.Hub.DataDir)
	examined(t, h.config)
	if after := snapshot(t, h.config.Hub.DataDir); !maps.Equal(before, after) {
		t.Errorf("the folder was %v, is %v", before, after)
	}
	lock, err := node.LockFolder(h.config.Hub.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	process.Hang()
	defer process.Resume()
	d := examined(t, h.config)
	mustState(t, d, "running", stateAttention)
	for _, key := range []string{"device", "opens"} { // the TPM hangs: it was not asked
		mustState(t, d, key, "")
	}
}

func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filesIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil && !f.IsDir() {
			t.Fatal(err)
		}
		seen[f.Name()] = fmt.Sprint(f.Mode(), f.ModTime(), len(text), string(text) == "")
	}
	return seen
}

// What it prints holds no secret: neither the recovery code nor what opens the
// keys, however written.
func TestDoctorRevealsNoSecret(t *testing.T) {
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	secret, err := os.ReadFile(filepath.Join(h.config.Hub.DataDir, "software.key"))
	if err != nil {
		t.Fatal(err)
	}
	d := examined(t, h.config)
	text, err := json.Marshal(d.checks)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	d.print(stdio{out: &out})
	all := out.String() + string(text)
	for _, planted := range []string{h.born.RecoveryCode, hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret), string(secret), plantedSecret} {
		if strings.Contains(all, planted) {
			t.Errorf("it prints %q", planted)
		}
	}
	mustState(t, d, "provider", stateAttention)
	if !strings.Contains(all, "software.key") && !strings.Contains(all, "fichier") {
		t.Error("it says nothing of what guards the keys")
	}
}

// What another program did to the TPM is named, and harms nothing of ours.
func TestDoctorOfATPM(t *testing.T) {
	t.Run("owner password", func(t *testing.T) {
		process := startTPM(t)
		h := newSealedHub(t, process.Device())
		passwordTPM(t, process)
		d := examined(t, h.config)
		mustState(t, d, "owner-password", stateAttention)
		mustState(t, d, "opens", stateOK)
		if err := d.outcome(); err != nil {
			t.Error(err)
		}
	})
	for name, c := range map[string]struct {
		condition keyring.Condition
		key       string
		want      state
		says      string
	}{
		"lockout":          {keyring.Condition{Family: "2.0", Lockout: true, RecoversIn: 7200 * time.Second}, "lockout", stateAttention, "7200\u00a0secondes"},
		"lockout for ever": {keyring.Condition{Family: "2.0", Lockout: true}, "lockout", stateAttention, "tpm2_dictionarylockout"},
		"TPM 1.2":          {keyring.Condition{Family: "1.2"}, "device", stateFailed, "ancienne génération"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &doctor{}
			d.tellDevice(c.condition)
			mustState(t, d, c.key, c.want)
			if said := fmt.Sprintf("%+v", d.checks); !strings.Contains(said, c.says) {
				t.Errorf("%s", said)
			}
		})
	}
}

// heirloom is a file with another owner.
type heirloom struct{ fs.FileInfo }

func (heirloom) Name() string { return "relais.db" }
func (heirloom) Sys() any     { return &syscall.Stat_t{Uid: 4242} }

func TestDoctorOfAFolder(t *testing.T) {
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	dir := h.config.Hub.DataDir
	t.Run("modes", func(t *testing.T) {
		if err := os.Chmod(filepath.Join(dir, "relais.db"), 0o640); err != nil {
			t.Fatal(err)
		}
		d := examined(t, h.config)
		mustState(t, d, "modes", stateAttention)
		if err := os.Chmod(filepath.Join(dir, "relais.db"), 0o600); err != nil {
			t.Fatal(err)
		}
		mustState(t, examined(t, h.config), "modes", stateOK)
	})
	t.Run("owner", func(t *testing.T) {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		d := &doctor{config: h.config}
		d.checkOwner(info, []fs.FileInfo{info, heirloom{info}})
		mustState(t, d, "owner", stateFailed)
		if !strings.Contains(d.checks[0].Remedy, "chown -R --reference="+dir) || d.checks[0].Detail != "relais.db" {
			t.Errorf("%+v", d.checks)
		}
	})
	t.Run("none", func(t *testing.T) {
		c := h.config
		c.Hub.DataDir = filepath.Join(t.TempDir(), "nowhere")
		d := examined(t, c)
		mustState(t, d, "folder", stateFailed)
		if statusOf(d.outcome()) != exitFailed || len(d.checks) != 2 {
			t.Errorf("%v, %+v", d.outcome(), d.checks)
		}
	})
	t.Run("generations", func(t *testing.T) {
		c := h.config
		c.Hub.DataDir = filepath.Join(t.TempDir(), "data")
		copyFolder(t, dir, c.Hub.DataDir)
		tear(t, &c, "keyring.json")
		d := examined(t, c)
		mustState(t, d, "keyring", stateAttention)
		mustState(t, d, "opens", stateOK)
		if text, err := os.ReadFile(filepath.Join(c.Hub.DataDir, "keyring.json")); err != nil || len(text) != 20 {
			t.Errorf("it was mended by looking: %d octets, %v", len(text), err)
		}
	})
}

// What was lost of a hub that was whole is never told to be begun again: its
// remedy is a backup. What init left half-made is.
func TestDoctorOfWhatIsLost(t *testing.T) {
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	for name, c := range map[string]struct {
		lost  []string
		check string
		says  string
	}{
		"database":  {[]string{"relais.db"}, "identity", "N’effacez rien"},
		"keyring":   {[]string{"keyring.json", "keyring.previous.json"}, "keyring", "N’effacez rien"},
		"half-made": {[]string{"relais.db", requestFile}, "identity", "relancez relais init"},
		"nothing":   {[]string{"relais.db", requestFile, "keyring.json", "keyring.previous.json"}, "keyring", "relais init"},
	} {
		t.Run(name, func(t *testing.T) {
			config := h.config
			config.Hub.DataDir = filepath.Join(t.TempDir(), "data")
			copyFolder(t, h.config.Hub.DataDir, config.Hub.DataDir)
			for _, file := range c.lost {
				if err := os.Remove(filepath.Join(config.Hub.DataDir, file)); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := openFolder(t.Context(), config, slog.New(slog.DiscardHandler))
			if lost := name == "database"; err == nil || lost != errors.Is(err, errDatabaseLost) || lost == errors.Is(err, node.ErrHalfWritten) && c.check == "identity" {
				t.Errorf("serve says %v", err)
			}
			d := examined(t, config)
			mustState(t, d, c.check, stateFailed)
			for _, found := range d.checks {
				if found.Check == c.check && !strings.Contains(found.Remedy, c.says) {
					t.Errorf("%+v", found)
				}
			}
		})
	}
}

// deviceNode is a device's entry in /dev.
type deviceNode struct {
	fs.FileInfo
	mode     fs.FileMode
	uid, gid uint32
}

func (n deviceNode) Mode() fs.FileMode { return n.mode }
func (n deviceNode) Sys() any          { return &syscall.Stat_t{Uid: n.uid, Gid: n.gid} }

// The group tss, by which a TPM is shared on Debian, is what lets a hub in.
func TestDoctorOfAccess(t *testing.T) {
	const tss = 109
	device := deviceNode{mode: 0o660, uid: 108, gid: tss}
	for name, c := range map[string]struct {
		node   deviceNode
		uid    uint32
		groups []string
		want   bool
	}{
		"in the group":       {device, 1000, []string{"1000", "109"}, true},
		"ErrNotInTheGroup":   {device, 1000, []string{"1000"}, false},
		"its owner":          {device, 108, nil, true},
		"root":               {device, 0, nil, true},
		"ErrGroupReadsAlone": {deviceNode{mode: 0o640, uid: 108, gid: tss}, 1000, []string{"109"}, false},
		"ErrOwnerAlone":      {deviceNode{mode: 0o600, gid: tss}, 1000, []string{"109"}, false},
		"everybody":          {deviceNode{mode: 0o666}, 1000, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mayOpen(c.node, c.uid, c.groups); got != c.want {
				t.Errorf("may open: %v", got)
			}
		})
	}
}
