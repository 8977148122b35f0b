package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm/swtpm"
	"relais/node"
	"relais/node/mandate"
	"relais/node/people"
)

// says runs a command as a person types it, and returns what it prints.
func says(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if status := run(t.Context(), stdio{strings.NewReader(""), &out, &out}, args); status != exitOK {
		t.Fatalf("relais %s: status %d\n%s", strings.Join(args, " "), status, &out)
	}
	return out.String()
}

// A typedHub is a hub that was made by commands.
type typedHub struct {
	*savedHub
	file   string // of its configuration
	config Config
}

// newTypedHub is not made yet; machine is nil for software keys.
func newTypedHub(t *testing.T, l *savedLand, name string, machine *swtpm.Process) *typedHub {
	t.Helper()
	dir := t.TempDir()
	h := &typedHub{
		savedHub: &savedHub{land: l, name: name, folder: filepath.Join(dir, "data"), machine: machine},
		file:     filepath.Join(dir, "relais.toml"), config: configDefaults(),
	}
	h.config.Hub = HubConfig{Name: name, Territory: "demo", DataDir: h.folder}
	h.config.Web = WebConfig{Listen: "127.0.0.1:0", Names: []string{strings.ToLower(name) + ".localhost"}}
	h.config.Link.Listen = freeAddress()
	h.config.Link.Advertise = []string{h.config.Link.Listen}
	h.config.Keys.Provider, h.config.Health.Listen = "software", ""
	if machine != nil {
		h.config.Keys.Provider, h.config.Keys.Device = "tpm", machine.Device()
	}
	if err := os.WriteFile(h.file, []byte(h.config.text()), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// founds makes a territory of one hub, which keeps the root.
func (h *typedHub) founds(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	phrase, folder := filepath.Join(dir, "phrase"), filepath.Join(dir, "t")
	if err := os.WriteFile(phrase, []byte("une phrase d’essai assez longue\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, "territory", "init", "--code", "demo", "--name", "Territoire d’essai", "--passphrase-file", phrase, folder)
	says(t, "init", "--config", h.file, "--root-key", filepath.Join(folder, "root.pub"))
	says(t, "territory", "add-hub", folder, filepath.Join(h.folder, "hub.json"))
	says(t, "territory", "structure", "add", "--name", "Maison d’essai", folder)
	says(t, "territory", "found", "--config", h.file, "--keep-root", "--passphrase-file", phrase, folder)
}

// serve runs it, and returns how to end that.
func (h *typedHub) serve(t *testing.T) (end func()) {
	t.Helper()
	running, err := openHub(t.Context(), h.config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h.Node = running.node
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- running.run(ctx) }()
	return func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		running.close()
	}
}

// join asks for its place, and has it given by the hub that keeps the root.
func (h *typedHub) join(t *testing.T, keeper *typedHub, approve ...string) {
	t.Helper()
	var invited struct{ Code string }
	if err := json.Unmarshal([]byte(says(t, "territory", "invite", "--config", keeper.file, "--json")), &invited); err != nil {
		t.Fatal(err)
	}
	join := []string{"join", "--config", h.file, "--wait", "0", invited.Code}
	read := regexp.MustCompile(`fingerprint +(.*)\n`).FindStringSubmatch(says(t, join...))
	if read == nil {
		t.Fatal("join reads no fingerprint")
	}
	says(t, append([]string{"territory", "approve", "--config", keeper.file, "--fingerprint", read[1]}, approve...)...)
	if out := says(t, join...); !strings.Contains(out, "approved") {
		t.Fatal(out)
	}
}

// twin copies the machine whole, its TPM too, and switches both on.
func (h *savedHub) twin(t *testing.T) *savedHub {
	t.Helper()
	h.stopped()
	h.machine.Stop()
	state, copied := filepath.Dir(h.machine.Socket()), shortDir(t)
	shell(t, `cp -a "$1"/. "$2"; rm -f "$2"/tpm.sock "$2"/.lock`, state, copied)
	two := &savedHub{land: h.land, name: h.name, folder: h.backup(t), helper: h.helper, machine: startTPMIn(t, copied)}
	h.machine = startTPMIn(t, state)
	h.start(t)
	two.start(t)
	return two
}

// idle does something on the folder of a hub that does not run: nothing is signed.
func (h *savedHub) idle(t *testing.T, do func()) {
	t.Helper()
	h.stopped()
	var err error
	if h.keys, err = keyring.Open(h.folder, h.provider(t)); err != nil {
		t.Fatal(err)
	}
	if h.Node, err = node.Open(t.Context(), h.options()); err != nil {
		t.Fatal(err)
	}
	do()
	h.keys.Close()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestNewIdentity: a hub has a twin, and the screens say so. What the alarm names is
// done, command by command: the copy is switched off, the hub gets a new identity
// and joins again in the place of the former. No alarm is left anywhere, mandates
// are made again, and every stop that was recorded before holds everywhere: sent,
// signed and kept back, or not signed yet.
func TestNewIdentity(t *testing.T) {
	l := newSavedLand(t)
	l.pass(-5 * time.Minute) // each mandate takes half a minute, for its code
	keeper, one := newTypedHub(t, l, "Port", nil), newTypedHub(t, l, "Valbrume", startTPMIn(t, shortDir(t)))
	keeper.founds(t)
	defer keeper.serve(t)()
	one.join(t, keeper, "--structures", "Maison d’essai")
	one.start(t)
	l.office = one.Roster().Structures[0].ID
	var err error
	one.helper, err = one.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "accueil", Name: people.Name{Given: "Camille", Family: "Exemple"}, Structure: l.office, Role: people.RoleHelper,
	})
	if err != nil {
		t.Fatal(err)
	}
	var stops []mandate.ID
	for range 4 {
		stops = append(stops, one.mustGrant(t))
	}
	one.meet(t, keeper.savedHub)

	two := one.twin(t)
	one.stopAtDesk(t, stops[0])
	two.stopAtDesk(t, stops[1])
	fork := func() {
		one.meet(t, keeper.savedHub)
		two.meet(t, keeper.savedHub)
		one.meet(t, keeper.savedHub)
	}
	fork()
	one.mustGrant(t) // each believes the other to be in the past
	two.mustGrant(t)
	fork()
	one.mustAlarm(t, "twin", "Deux machines", "relais recover --new-identity")
	keeper.mustAlarm(t, "forked", "Valbrume")
	if !strings.Contains(remedy("twin"), "relais recover --new-identity") {
		t.Errorf("relais status says %q", remedy("twin"))
	}
	two.stopped() // the copy is switched off
	one.stopAtDesk(t, stops[2])
	one.idle(t, func() {
		by, err := one.Actor(t.Context(), one.helper.Helper)
		if err == nil {
			_, err = one.StopAtDesk(t.Context(), by, node.DeskStop{Mandate: stops[3], Reason: 1})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	for _, m := range stops[2:] {
		if keeper.state(t, m) == string(mandate.StateStopped) {
			t.Fatal("the other hub knows every stop already: this test shows nothing")
		}
	}

	before := one.Self()
	out := says(t, "recover", "--config", one.file, "--new-identity")
	for _, want := range []string{"a new identity", "replaces       " + before.String(), "waiting        1 records", "territory approve --replace", "stop them at another"} {
		if !strings.Contains(out, want) {
			t.Errorf("recover --new-identity says %q, want %q", out, want)
		}
	}
	if again := says(t, "recover", "--config", one.file, "--new-identity"); again != out {
		t.Errorf("twice is once: %s", again)
	}
	one.join(t, keeper, "--replace")
	one.start(t)
	if one.Self() == before {
		t.Fatal("the identity is the former one")
	}
	one.published(t)
	one.meet(t, keeper.savedHub)
	for _, h := range []*savedHub{one.savedHub, keeper.savedHub} {
		for i, m := range stops {
			if s := h.state(t, m); s != string(mandate.StateStopped) {
				t.Errorf("%s: mandate %d, stopped before, is %s", h.name, i, s)
			}
		}
		for _, key := range []string{"twin", "forked", "not-listed", "expelled", "restored", "counter"} {
			if said := h.alarm(t, key); said != "" {
				t.Errorf("%s: alarm %s: %s", h.name, key, said)
			}
		}
	}
	m := one.mustGrant(t)
	one.meet(t, keeper.savedHub)
	if s := keeper.state(t, m); s != string(mandate.StateActive) {
		t.Errorf("a mandate made under the new identity is %s", s)
	}
	if report, err := node.VerifyFolder(t.Context(), one.folder); err != nil || !report.OK {
		t.Errorf("the journal: %+v, %v", report, err)
	}
}

// Interrupted between keyring and folder, a new identity is gone on with: another
// one would leave the territory without the name of the first.
func TestNewIdentityInterrupted(t *testing.T) {
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	keys, err := keyring.NewIdentity(h.config.Hub.DataDir, soft.New(h.config.Hub.DataDir))
	if err != nil {
		t.Fatal(err)
	}
	keys.Close()
	if _, err := openHub(t.Context(), h.config, slog.New(slog.DiscardHandler)); keyring.Why(err) != errUnfinished {
		t.Errorf("between keyring and folder: %v", err)
	}
	r, err := renewIdentity(t.Context(), h.config)
	if err != nil || !r.Done || r.Before != h.born.Hub {
		t.Fatalf("going on: %+v, %v", r.Adoption, err)
	}
	if public, err := x509.MarshalPKIXPublicKey(keys.Identity().Public()); err != nil || !bytes.Equal(public, r.Keys.Identity) {
		t.Errorf("it made another identity (%v)", err)
	}
	h.mustRead(t)
	if e := h.request(t); e.Hub.ID != r.Keys.Hub || e.Replaces == nil || e.Replaces.Hub != h.born.Hub {
		t.Errorf("the request says %v, replacing %+v", e.Hub.ID, e.Replaces)
	}
}

// databaseOf copies the database of a hub that does not run.
func databaseOf(t *testing.T, folder string) (files map[string][]byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, databaseFile+"*"))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, name := range names {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func putBack(t *testing.T, folder string, files map[string][]byte) {
	t.Helper()
	for name := range databaseOf(t, folder) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A database from before a recovery is put back beside the keyring: the identity
// that a later one had is not begun anew, for its log has places that this one does
// not know. The hub says so, and comes back as another.
func TestDatabaseOfBeforeARecovery(t *testing.T) {
	for name, again := range map[string]func(*sealedHub) (recovered, error){
		"recover": func(h *sealedHub) (recovered, error) {
			return recoverHub(t.Context(), h.config, func() (keyring.Spare, error) { return nil, errors.New("a spare key was asked for") })
		},
		"recover --new-identity": func(h *sealedHub) (recovered, error) { return renewIdentity(t.Context(), h.config) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
			folder := h.config.Hub.DataDir
			before := databaseOf(t, folder)
			if err := os.Remove(filepath.Join(folder, "software.key")); err != nil {
				t.Fatal(err)
			}
			first, err := recoverHub(t.Context(), h.config, with(h.code))
			if err != nil || !first.Done || !first.left.IsZero() {
				t.Fatalf("%+v, %v", first, err)
			}
			h.mustRead(t)
			putBack(t, folder, before)
			if _, err := openHub(t.Context(), h.config, slog.New(slog.DiscardHandler)); keyring.Why(err) != errPutBack {
				t.Errorf("with the database of before: %v", err)
			}
			second, err := again(h)
			if err != nil || !second.Done || second.Keys.Hub == first.Keys.Hub || second.left != first.Keys.Hub || second.Before != h.born.Hub {
				t.Fatalf("%+v, %v: the first was %s", second, err, first.Keys.Hub)
			}
			h.mustRead(t)
			if e := h.request(t); e.Hub.ID != second.Keys.Hub {
				t.Errorf("the request is of %s", e.Hub.ID)
			}
		})
	}
}
