package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"relais/hardware/agent"
	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
	"relais/node/fault"
)

// lockReasons are all that a page may have to say.
func lockReasons() []*keyring.Reason {
	all := []*keyring.Reason{
		keyring.ErrOtherProvider, keyring.ErrTorn, keyring.ErrForeign, keyring.ErrNewer, keyring.Why(nil), errUnfinished, errPutBack,
		soft.ErrLost, soft.ErrExposed, soft.ErrOtherKey,
		agent.ErrUnreachable, agent.ErrRefused, agent.ErrFull, agent.ErrSilent, agent.ErrPaused, agent.ErrMalformed, agent.ErrClosed,
	}
	for _, err := range tpm.Reasons() {
		all = append(all, keyring.Why(err))
	}
	return all
}

// Every reason has a name, an English text, and two French sentences of its own,
// in words that a screen may show.
func TestReasonsAreSaid(t *testing.T) {
	sentence := regexp.MustCompile(`^[A-ZÀÉ].*[^ ]\.$`)
	bare := regexp.MustCompile(`[^\x{a0}][;?!]|[^\x{a0}0-9]: |«[^\x{a0} ]|TPM`)
	keys, messages := map[string]bool{}, map[string]bool{}
	for _, r := range lockReasons() {
		if r.Key == "" || r.Text == "" || keys[r.Key] || messages[r.Message] {
			t.Errorf("%+v: something is missing, or another's", r)
		}
		keys[r.Key], messages[r.Message] = true, true
		for _, s := range []string{r.Message, r.Remedy} {
			if !sentence.MatchString(s) || bare.MatchString(s) {
				t.Errorf("%s: %q", r.Key, s)
			}
		}
		page := fault.Of(keyring.Locked(fmt.Errorf("slot 0 (tpm): %w", r))).Message
		if !strings.Contains(page, r.Message) || !strings.Contains(page, r.Remedy) || strings.Contains(page, r.Text) {
			t.Errorf("%s: the page says %q", r.Key, page)
		}
	}
	if len(keys) < 28 {
		t.Errorf("the search finds %d reasons", len(keys))
	}
}

// TestLockedSaysWhy locks a hub in each way that can be made here. The page, relais
// status and relais doctor, while it runs and while it does not, name that reason
// and its remedy.
func TestLockedSaysWhy(t *testing.T) {
	process, second := startTPM(t), startTPM(t)
	whole := newSealedHub(t, process.Device())
	onFile := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	for _, c := range []struct {
		reason *keyring.Reason
		hub    *sealedHub
		spoil  func(c *Config)
	}{
		{keyring.ErrOtherProvider, whole, func(c *Config) { c.Keys.Provider = "software" }},
		{tpm.ErrRawDevice, whole, func(c *Config) { c.Keys.Device = "/dev/tpm0" }},
		{agent.ErrUnreachable, whole, func(c *Config) { c.Keys.Agent = "/nowhere/seal.sock" }},
		{tpm.ErrLockout, whole, func(c *Config) { c.Keys.Device = tpmThatSays(t, 0x921) }},
		{tpm.ErrFull, whole, func(c *Config) { c.Keys.Device = tpmThatSays(t, 0x902) }},
		{tpm.ErrNotStarted, whole, func(c *Config) { c.Keys.Device = tpmThatSays(t, 0x100) }},
		{keyring.ErrTorn, whole, func(c *Config) { tear(t, c, "keyring.json", "keyring.previous.json") }},
		{tpm.ErrReplaced, whole, func(c *Config) { c.Keys.Device = second.Device() }},
		{errUnfinished, whole, func(c *Config) {
			c.Keys.Device = second.Device()
			keys, _, err := recoverKeys(*c, with(whole.code))
			if err != nil {
				t.Fatal(err)
			}
			keys.Close()
		}},
		{errPutBack, onFile, func(c *Config) {
			before := databaseOf(t, c.Hub.DataDir)
			os.Remove(filepath.Join(c.Hub.DataDir, "software.key"))
			if _, err := recoverHub(t.Context(), *c, with(onFile.code)); err != nil {
				t.Fatal(err)
			}
			putBack(t, c.Hub.DataDir, before)
		}},
		{soft.ErrLost, onFile, func(c *Config) { os.Remove(filepath.Join(c.Hub.DataDir, "software.key")) }},
		{soft.ErrExposed, onFile, func(c *Config) { os.Chmod(filepath.Join(c.Hub.DataDir, "software.key"), 0o644) }},
		{soft.ErrOtherKey, onFile, func(c *Config) { tear(t, c, "software.key") }},
		{tpm.ErrOwnerAuth, whole, func(*Config) { ownTPM(t, process) }},
		{tpm.ErrCleared, whole, func(*Config) { clearTPM(t, process) }},
		{tpm.ErrSilent, whole, func(*Config) { process.Kill() }},
		{tpm.ErrNoDevice, whole, func(*Config) { os.Remove(process.Socket()) }},
	} {
		t.Run(c.reason.Key, func(t *testing.T) {
			config := c.hub.config
			config.Hub.DataDir = filepath.Join(t.TempDir(), "data")
			copyFolder(t, c.hub.config.Hub.DataDir, config.Hub.DataDir)
			config.Web.Listen, config.Health.Listen = freeAddress(), freeAddress()
			c.spoil(&config)
			saysWhy(t, config, c.reason)
		})
	}
}

// copyFolder copies a closed hub's folder, modes included.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files { // CopyFS gives modes of its own
		info, err := f.Info()
		if err == nil {
			err = os.Chmod(filepath.Join(to, f.Name()), info.Mode().Perm())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func saysWhy(t *testing.T, c Config, reason *keyring.Reason) {
	t.Helper()
	doctorSays(t, c, reason)
	_, why := openHub(t.Context(), c, slog.New(slog.DiscardHandler))
	if !fault.Is(why, fault.Locked) || keyring.Why(why) != reason || statusOf(why) != exitLocked {
		t.Fatalf("openHub: %v (%s), want %s", why, keyring.Why(why).Key, reason.Key)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveLocked(ctx, c, slog.New(slog.DiscardHandler), why) }()
	defer func() { stop(); <-ended }()
	var s status
	for deadline := time.Now().Add(20 * time.Second); askHub(t.Context(), c.Hub.DataDir, http.MethodGet, "/status", nil, &s) != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a locked hub does not answer")
		}
	}
	if m := metricsAt(t, "http://"+c.Health.Listen+"/metrics"); m["relais_locked"] != 1 {
		t.Errorf("its metrics: %v", m)
	}
	var printed bytes.Buffer
	if err := printStatus(stdio{out: &printed}, s); err != nil {
		t.Fatal(err)
	}
	for door, text := range map[string]string{"relais status": printed.String(), "the page": lockedPage(t, c.Web.Listen)} {
		if !strings.Contains(text, reason.Message) || !strings.Contains(text, reason.Remedy) {
			t.Errorf("%s says %q, want %q and %q", door, text, reason.Message, reason.Remedy)
		}
	}
	doctorSays(t, c, reason)
}

func lockedPage(t *testing.T, address string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Get("https://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the page: %d, %v", response.StatusCode, err)
	}
	return html.UnescapeString(string(body))
}

// doctorSays checks that one check at least failed for the reason.
func doctorSays(t *testing.T, c Config, reason *keyring.Reason) {
	t.Helper()
	d := examined(t, c)
	if err := d.outcome(); statusOf(err) != exitLocked {
		t.Errorf("relais doctor ends with %v", err)
	}
	if !slices.ContainsFunc(d.checks, func(c check) bool {
		return c.State == stateFailed && strings.Contains(c.Message, reason.Message) && c.Remedy == reason.Remedy
	}) {
		t.Errorf("relais doctor does not say %s: %+v", reason.Key, d.checks)
	}
}

// examined is what the doctor finds of a configuration.
func examined(t *testing.T, c Config) *doctor {
	t.Helper()
	file := filepath.Join(t.TempDir(), "relais.toml")
	text := c.text()
	if c.Keys.Agent != "" {
		text = strings.Replace(text, "\ndevice = ", fmt.Sprintf("\nagent = %q\ndevice = ", c.Keys.Agent), 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &doctor{file: file, now: time.Now()}
	d.examine(t.Context())
	return d
}

// tear cuts files short.
func tear(t *testing.T, c *Config, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Truncate(filepath.Join(c.Hub.DataDir, name), 20); err != nil {
			t.Fatal(err)
		}
	}
}

// tpmThatSays is a device that answers every command with one code.
func tpmThatSays(t *testing.T, code uint32) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "answering")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "tpm.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	reply := binary.BigEndian.AppendUint32([]byte{0x80, 0x01, 0, 0, 0, 10}, code)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				command := make([]byte, 4096)
				for {
					if _, err := conn.Read(command); err != nil {
						return
					}
					conn.Write(reply)
				}
			}()
		}
	}()
	return "unix:" + l.Addr().String()
}

// commandTPM sends one command that needs the authorisation of a hierarchy without
// password, as another program would.
func commandTPM(t *testing.T, p *swtpm.Process, code uint32, handles []uint32, parameters string) {
	t.Helper()
	conn, err := net.Dial("unix", p.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	body := binary.BigEndian.AppendUint32(nil, code)
	for _, h := range handles {
		body = binary.BigEndian.AppendUint32(body, h)
	}
	body = append(body, "\x00\x00\x00\x09\x40\x00\x00\x09\x00\x00\x00\x00\x00"+parameters...)
	conn.Write(append(binary.BigEndian.AppendUint32([]byte{0x80, 0x02}, uint32(6+len(body))), body...))
	reply := make([]byte, 64)
	if n, err := conn.Read(reply); err != nil || n < 10 || binary.BigEndian.Uint32(reply[6:]) != 0 {
		t.Fatalf("command %#x: % x, %v", code, reply[:n], err)
	}
}

const (
	tpmOwner       = 0x40000001
	tpmRootHandle  = 0x81000001
	tpmEvict       = 0x120
	tpmChangeOwner = 0x129
)

// ownTPM sets a password for the owner, and removes the storage root key, which a
// hub cannot make again without it.
func ownTPM(t *testing.T, p *swtpm.Process) {
	t.Helper()
	commandTPM(t, p, tpmEvict, []uint32{tpmOwner, tpmRootHandle}, string(binary.BigEndian.AppendUint32(nil, tpmRootHandle)))
	passwordTPM(t, p)
}

func passwordTPM(t *testing.T, p *swtpm.Process) {
	t.Helper()
	commandTPM(t, p, tpmChangeOwner, []uint32{tpmOwner}, "\x00\x0cproprietaire")
}

// A hub that is locked says so anew when the reason changes.
func TestLockedForAnotherReason(t *testing.T) {
	t.Parallel()
	process := startTPM(t)
	h := newSealedHub(t, process.Device())
	process.Kill()
	_, why := openHub(t.Context(), h.config, slog.New(slog.DiscardHandler))
	if keyring.Why(why) != tpm.ErrSilent {
		t.Fatalf("openHub: %v", why)
	}
	ended := make(chan error, 1)
	go func() { ended <- serveLocked(t.Context(), h.config, slog.New(slog.DiscardHandler), why) }()
	if err := os.Remove(process.Socket()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("serveLocked: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on to give the first reason")
	}
	if _, why := openHub(t.Context(), h.config, slog.New(slog.DiscardHandler)); keyring.Why(why) != tpm.ErrNoDevice {
		t.Errorf("then: %v", why)
	}
}
