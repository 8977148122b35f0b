package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"relais/hardware/keyring"
	"relais/hardware/tpm/swtpm"
	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
)

// A sealedHub is a hub whose keys are in a TPM, with something sealed in it.
type sealedHub struct {
	config      Config
	born        born
	code        keyring.RecoveryCode
	departement keyring.DepartementKey
	root        territory.Root
}

const plantedSecret = "ce que le relais garde"

func startTPM(t testing.TB) *swtpm.Process {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm")
	if err != nil {
		t.Fatal(err)
	}
	p, err := swtpm.Start(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(); os.RemoveAll(dir) })
	return p
}

func newSealedHub(t *testing.T, device string, set ...func(*Config)) *sealedHub {
	t.Helper()
	secret, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	h := &sealedHub{config: configDefaults()}
	h.config.Hub = HubConfig{Name: "Valbrume", Territory: "demo", DataDir: filepath.Join(t.TempDir(), "data")}
	h.config.Web = WebConfig{Listen: freeAddress(), Names: []string{"valbrume.localhost"}}
	h.config.Link.Listen, h.config.Link.Advertise = "127.0.0.1:0", []string{"127.0.0.1:7443"}
	h.config.Keys = KeysConfig{Provider: "tpm", Device: device, Departement: secret.Recipient().String()}
	h.config.Health.Listen = ""
	for _, change := range set {
		change(&h.config)
	}
	if h.departement, err = keyring.ParseDepartementKey([]byte(secret.String())); err != nil {
		t.Fatal(err)
	}
	if h.root, err = territory.NewRoot("demo", "Territoire d’essai", time.Now()); err != nil {
		t.Fatal(err)
	}
	m, err := createHub(t.Context(), h.config, h.root.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.writeRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.born, err = m.born(); err != nil {
		t.Fatal(err)
	}
	m.keys.Close()
	if h.code, err = keyring.ParseRecoveryCode(h.born.RecoveryCode); err != nil {
		t.Fatal(err)
	}
	if err := withNode(t.Context(), h.config, func(n *node.Node) error {
		return n.Secrets().Store(t.Context(), "essai", []byte(plantedSecret))
	}); err != nil {
		t.Fatal(err)
	}
	return h
}

// mustRead opens the hub as a start does, and reads what was sealed.
func (h *sealedHub) mustRead(t *testing.T) {
	t.Helper()
	err := withNode(t.Context(), h.config, func(n *node.Node) error {
		got, err := n.Secrets().Load(t.Context(), "essai")
		if err == nil && string(got) != plantedSecret {
			err = errors.New("it reads " + string(got))
		}
		return err
	})
	if err != nil {
		t.Errorf("the data cannot be read: %v", err)
	}
}

func (h *sealedHub) mustSlots(t *testing.T, want ...keyring.Kind) {
	t.Helper()
	if got, err := keyring.Slots(h.config.Hub.DataDir); err != nil || !slices.Equal(got, want) {
		t.Errorf("slots %v, %v; want %v", got, err, want)
	}
}

func (h *sealedHub) request(t *testing.T) territory.Request {
	t.Helper()
	e, err := readRequest(filepath.Join(h.config.Hub.DataDir, requestFile), "demo")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func with(s keyring.Spare) func() (keyring.Spare, error) {
	return func() (keyring.Spare, error) { return s, nil }
}

// clearTPM is TPM2_Clear, as a firmware menu does it.
func clearTPM(t testing.TB, p *swtpm.Process) {
	t.Helper()
	conn, err := net.Dial("unix", p.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "\x80\x02\x00\x00\x00\x1b\x00\x00\x01\x26\x40\x00\x00\x0a\x00\x00\x00\x09\x40\x00\x00\x09\x00\x00\x00\x00\x00")
	reply := make([]byte, 64)
	if n, err := conn.Read(reply); err != nil || n < 10 || string(reply[6:10]) != "\x00\x00\x00\x00" {
		t.Fatalf("TPM2_Clear: % x, %v", reply[:n], err)
	}
}

// TestLockedThenRecovered: the TPM was cleared. The hub starts and says so on one
// page, whatever is asked; the code opens it again, as another hub.
func TestLockedThenRecovered(t *testing.T) {
	process := startTPM(t)
	h := newSealedHub(t, process.Device())
	clearTPM(t, process)
	_, why := openHub(t.Context(), h.config, slog.New(slog.DiscardHandler))
	if !fault.Is(why, fault.Locked) || !errors.Is(why, keyring.ErrLocked) || statusOf(why) != exitLocked {
		t.Fatalf("openHub with a cleared TPM: %v", why)
	}
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", manager.LocalAddr().String())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveLocked(ctx, h.config, slog.New(slog.DiscardHandler), why) }()
	h.lookAtLocked(t)
	stop()
	if again := <-ended; !errors.Is(again, why) {
		t.Errorf("told to end: %v", again)
	}
	for _, want := range []string{"READY=1\nSTATUS=le relais de Valbrume est verrouillé", "STOPPING=1"} {
		manager.SetReadDeadline(time.Now().Add(5 * time.Second))
		told := make([]byte, 200)
		if n, err := manager.Read(told); err != nil || string(told[:n]) != want {
			t.Errorf("the service manager was told %q, %v; want %q", told[:n], err, want)
		}
	}
	t.Setenv("NOTIFY_SOCKET", "")
	if _, err := os.Stat(filepath.Join(h.config.Hub.DataDir, controlName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the control socket stays: %v", err)
	}

	wrong := h.code
	wrong[0] ^= 1
	if _, err := recoverHub(t.Context(), h.config, with(wrong)); statusOf(err) != exitLocked {
		t.Errorf("the wrong code: %v", err)
	}
	go func() { ended <- serveLocked(t.Context(), h.config, slog.New(slog.DiscardHandler), why) }()
	r, err := recoverHub(t.Context(), h.config, with(h.code))
	if err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("a locked hub did not open by itself: %v", err)
	}
	h.mustRead(t)
	h.mustSlots(t, keyring.KindRecovery, keyring.KindDepartement, keyring.KindTPM)
	if e := h.request(t); e.Hub.ID != r.Keys.Hub || e.Hub.ID == h.born.Hub || e.Replaces == nil || e.Replaces.Hub != h.born.Hub {
		t.Errorf("the request says %+v, replacing %+v", e.Hub.ID, e.Replaces)
	}
	if report, err := node.VerifyFolder(t.Context(), h.config.Hub.DataDir); err != nil || !report.OK {
		t.Errorf("the journal: %+v, %v", report, err)
	}
}

func (h *sealedHub) lookAtLocked(t *testing.T) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	var s status
	for deadline := time.Now().Add(10 * time.Second); askHub(t.Context(), h.config.Hub.DataDir, http.MethodGet, "/status", nil, &s) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("a locked hub does not answer")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !s.Locked || s.Name != "Valbrume" || len(s.Slots) != 3 || !strings.Contains(s.Reason, "no key slot opens") {
		t.Errorf("status %+v", s)
	}
	if err := askHub(t.Context(), h.config.Hub.DataDir, http.MethodPost, "/checkpoint", nil, &s); statusOf(err) != exitLocked {
		t.Errorf("an act on a locked hub: %v", err)
	}
	for _, path := range []string{"/", "/bureau", "/kiosque/arreter", "/nulle/part"} {
		response, err := client.Get("https://" + h.config.Web.Listen + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		page := string(body)
		if err != nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: status %d, %v", path, response.StatusCode, err)
		}
		for _, want := range []string{"le relais de Valbrume", "verrouillé", "code de récupération", "toute autre borne"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q", path, want)
			}
		}
		if strings.Contains(page, "<form") || strings.Contains(page, "TPM") || strings.Contains(page, h.born.Hub.String()) {
			t.Errorf("%s: the page says more than it should:\n%s", path, page)
		}
	}
}

// TestRecoverReplacedTPM: another TPM, then none at all. The département's key
// opens the hub each time, and weaker keys only because the configuration says so.
func TestRecoverReplacedTPM(t *testing.T) {
	first, second := startTPM(t), startTPM(t)
	h := newSealedHub(t, first.Device())
	first.Kill()
	h.config.Keys.Device = second.Device()
	if _, err := openKeys(h.config, keyring.KindTPM); !errors.Is(err, keyring.ErrLocked) {
		t.Fatalf("another TPM: %v", err)
	}
	if _, err := recoverHub(t.Context(), h.config, with(h.departement)); err != nil {
		t.Fatal(err)
	}
	h.mustRead(t)
	h.mustSlots(t, keyring.KindRecovery, keyring.KindDepartement, keyring.KindTPM)
	tpmHub := h.request(t).Hub

	second.Kill()
	h.config.Keys.Provider = "auto"
	if _, err := recoverHub(t.Context(), h.config, with(h.departement)); err == nil {
		t.Error("a hub without its TPM went on with software keys, unasked")
	}
	h.mustSlots(t, keyring.KindRecovery, keyring.KindDepartement, keyring.KindTPM)
	h.config.Keys.Provider = "software"
	if _, err := recoverHub(t.Context(), h.config, with(h.departement)); err != nil {
		t.Fatal(err)
	}
	h.mustRead(t)
	h.mustSlots(t, keyring.KindRecovery, keyring.KindDepartement, keyring.KindSoftware)
	if e := h.request(t); e.Hub.Assurance != "software" || e.Replaces.Hub != tpmHub.ID {
		t.Errorf("the request says %+v", e)
	}
}

// A hub that was brought over to software keys is in no roster yet: its pages say in
// red what guards its keys all the same. The twin is in it: with its TPM they did not.
func TestRecoveredToSoftwareIsSaid(t *testing.T) {
	process := startTPM(t)
	h := newSealedHub(t, process.Device())
	if h.showsStrip(t) {
		t.Error("a hub with its TPM says that it keeps its keys in software")
	}
	process.Kill()
	h.config.Keys.Provider = "software"
	if _, err := recoverHub(t.Context(), h.config, with(h.code)); err != nil {
		t.Fatal(err)
	}
	if !h.showsStrip(t) {
		t.Error("nothing on the page says that the keys are in software now")
	}
}

// showsStrip opens the hub, and looks at the page to sign in.
func (h *sealedHub) showsStrip(t *testing.T) bool {
	t.Helper()
	running, err := openHub(t.Context(), h.config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	running.web.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "https://"+h.config.Web.Names[0]+"/connexion", nil))
	if answer.Code != http.StatusOK {
		t.Errorf("the page: %d\n%s", answer.Code, answer.Body)
	}
	if err := running.close(); err != nil {
		t.Error(err)
	}
	return strings.Contains(answer.Body.String(), `class="alarm-strip"`)
}

// TestRecoverInterrupted cuts the power after each durable step: the keyring, the
// folder, the request. What is left is locked and says so, or is whole; running
// recover again ends it, without the spare key.
func TestRecoverInterrupted(t *testing.T) {
	process := startTPM(t)
	h := newSealedHub(t, process.Device())
	old, err := os.ReadFile(filepath.Join(h.config.Hub.DataDir, requestFile))
	if err != nil {
		t.Fatal(err)
	}
	clearTPM(t, process)
	keys, lost, err := recoverKeys(h.config, with(h.code))
	if err != nil || !errors.Is(lost, keyring.ErrLocked) {
		t.Fatalf("lost %v, %v", lost, err)
	}
	keys.Close()
	unasked := func() (keyring.Spare, error) { t.Error("the spare key was asked for again"); return h.code, nil }

	_, err = openHub(t.Context(), h.config, slog.New(slog.DiscardHandler))
	if !fault.Is(err, fault.Locked) || !strings.Contains(err.Error(), "run relais recover again") || !strings.Contains(fault.Of(err).Message, "reprendre") {
		t.Errorf("between keyring and folder: %v", err)
	}
	if opens(t.Context(), h.config) == nil {
		t.Error("a recovery that is not finished is taken for done")
	}
	r, err := recoverHub(t.Context(), h.config, unasked)
	if err != nil || !r.Done {
		t.Fatalf("going on: done %v, %v", r.Done, err)
	}
	h.mustRead(t)

	if err := os.WriteFile(filepath.Join(h.config.Hub.DataDir, requestFile), old, 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := recoverHub(t.Context(), h.config, unasked)
	if e := h.request(t); err != nil || again.Done || e.Hub.ID != r.Keys.Hub || e.Replaces.Hub != h.born.Hub {
		t.Errorf("the request was not written again: %+v, %v", e, err)
	}
	if _, err := recoverHub(t.Context(), h.config, unasked); err == nil || !strings.Contains(err.Error(), "nothing to recover") {
		t.Errorf("once it is whole: %v", err)
	}
}
