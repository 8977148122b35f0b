package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
	"relais/node"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/territory"
)

// A savedLand is a territory whose hubs keep their keys and counters where they
// really do, and whose clock the test sets.
type savedLand struct {
	root    note.Signer
	rootKey string
	office  territory.StructureID
	hubs    []*savedHub

	mu  sync.Mutex
	now time.Time // guarded by mu
}

func (l *savedLand) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *savedLand) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

// A savedHub is a hub whose folder and TPM can be copied and put back.
type savedHub struct {
	*node.Node
	land    *savedLand
	name    string
	folder  string
	machine *swtpm.Process // nil: software keys
	keys    *keyring.Keyring
	code    keyring.RecoveryCode
	helper  node.Enrolment
	stopped func()
}

func newSavedLand(t testing.TB) *savedLand {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, "relais-demo")
	if err != nil {
		t.Fatal(err)
	}
	root, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return &savedLand{root: root, rootKey: public, office: id.Random[territory.StructureID](), now: time.Now().UTC()}
}

func (h *savedHub) provider(t testing.TB) keyring.Provider {
	t.Helper()
	if h.machine == nil {
		return soft.New(h.folder)
	}
	p, err := tpm.New(h.machine.Device())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newHub makes a hub, not in the roster yet.
func (l *savedLand) newHub(t testing.TB, name string, machine *swtpm.Process) *savedHub {
	t.Helper()
	h := &savedHub{land: l, name: name, folder: filepath.Join(t.TempDir(), "data"), machine: machine}
	keys, code, err := keyring.Create(h.folder, h.provider(t))
	if err != nil {
		t.Fatal(err)
	}
	h.keys, h.code = keys, code
	if _, err := node.Create(t.Context(), h.options(), node.Birth{Territory: "demo", RootKey: l.rootKey, Name: name}); err != nil {
		t.Fatal(err)
	}
	h.keys.Close()
	h.start(t)
	l.hubs = append(l.hubs, h)
	return h
}

func (h *savedHub) options() node.Options {
	return node.Options{
		Dir: h.folder, Sealer: h.keys, Signer: h.keys.Identity(), Now: h.land.Now, Counter: machineCounter{h.keys.Counter(h.folder)},
	}
}

// start opens the hub and runs it, as relais serve does.
func (h *savedHub) start(t testing.TB) {
	t.Helper()
	var err error
	if h.keys, err = keyring.Open(h.folder, h.provider(t)); err != nil {
		t.Fatal(err)
	}
	if h.Node, err = node.Open(t.Context(), h.options()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	n, keys := h.Node, h.keys
	go func() { ended <- n.Run(ctx) }()
	h.stopped = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) { // as hub.wait has it
			t.Errorf("%s: %v", h.name, err)
		}
		keys.Close()
		n.Close()
	})
	t.Cleanup(h.stopped)
}

// enrol gives every hub the roster that lists them all, and each a helper.
func (l *savedLand) enrol(t testing.TB) {
	t.Helper()
	scopes, err := findScopes(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &territory.Roster{
		Territory: "demo", Name: "Territoire d’essai", Zone: "Europe/Paris", Version: 1,
		IssuedAt: l.now.Truncate(time.Second), ExpiresAt: l.now.Truncate(time.Second).AddDate(1, 0, 0),
		Structures: []territory.Structure{{ID: l.office, Name: "Maison d’essai", State: territory.StructureOpen, Scopes: scopes}},
	}
	for _, h := range l.hubs {
		keys := h.Keys()
		r.Enrol(territory.Hub{
			ID: keys.Hub, Name: h.name, Identity: keys.Identity, Witness: keys.Witness, Recipient: keys.Recipient, Assurance: h.keys.Assurance(),
		})
		r.Structures[0].Serving = append(r.Structures[0].Serving, keys.Hub)
	}
	signed, err := r.Sign(l.root)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range l.hubs {
		if err := h.InstallRoster(t.Context(), signed); err != nil {
			t.Fatal(err)
		}
		h.helper, err = h.EnrolHelper(t.Context(), nil, node.NewHelper{
			Login: "accueil", Name: people.Name{Given: "Camille", Family: "Exemple"}, Structure: l.office, Role: people.RoleHelper,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// grant draws a mandate up, and says what the helper is told when it is refused.
func (h *savedHub) grant(t testing.TB) (mandate.ID, error) {
	t.Helper()
	h.land.pass(30 * time.Second) // each code once
	by, err := h.Actor(t.Context(), h.helper.Helper)
	if err != nil {
		t.Fatal(err)
	}
	visit := node.NewAccompaniment{ID: id.Random[mediation.AccompanimentID](), Posture: mediation.PostureDo, Theme: "argent"}
	if _, err := h.OpenAccompaniment(t.Context(), by, visit); err != nil {
		t.Fatal(err)
	}
	_, err = h.SaveDraft(t.Context(), by, node.Draft{
		Accompaniment: visit.ID,
		Person: people.Beneficiary{
			Name: people.Name{Given: "Denise", Family: "Le Goff"}, BirthDate: "12/03/1948", BirthPlace: "Quimper", Contact: "06 12 34 56 78",
		},
		Declarations: mandate.Declarations{Adult: true, Unprotected: true, Willing: true}, Evidence: mandate.EvidenceDocument,
		Lines: []mandate.Line{{Scope: mandate.Argent, Service: "impots.gouv.fr", Acts: []string{"consulter l’avis d’impôt"}}}, Term: mandate.Month,
	})
	if err != nil {
		t.Fatal(err)
	}
	recap, err := h.Recap(t.Context(), by, visit.ID)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := people.ParseURI(h.helper.TOTP)
	if err != nil {
		t.Fatal(err)
	}
	return h.Grant(t.Context(), by, visit.ID, node.Approval{Recap: recap.Hash, Code: seed.Code(people.Step(h.land.Now()))})
}

func (h *savedHub) mustGrant(t testing.TB) mandate.ID {
	t.Helper()
	m, err := h.grant(t)
	if err != nil {
		t.Fatal(err)
	}
	h.published(t)
	return m
}

// stopAtDesk stops a mandate, and returns the number of the receipt: the place of
// what was said.
func (h *savedHub) stopAtDesk(t testing.TB, m mandate.ID) string {
	t.Helper()
	by, err := h.Actor(t.Context(), h.helper.Helper)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := h.StopAtDesk(t.Context(), by, node.DeskStop{Mandate: m, Reason: 1})
	if err != nil {
		t.Fatal(err)
	}
	h.published(t)
	return receipt.Number
}

// published waits until nothing waits to be signed.
func (h *savedHub) published(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		v, err := h.Territory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if v.Waiting == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d records wait", h.name, v.Waiting)
		}
	}
}

// meet has two hubs exchange all they know, as the exchange does.
func (h *savedHub) meet(t testing.TB, other *savedHub) {
	t.Helper()
	for range 50 {
		if h.pull(t, other)+other.pull(t, h) == 0 {
			h.PeerCompared(other.Self(), h.land.Now())
			other.PeerCompared(h.Self(), h.land.Now())
			return
		}
	}
	t.Fatal("two hubs never have enough of each other")
}

func (h *savedHub) pull(t testing.TB, from *savedHub) int {
	t.Helper()
	v, err := h.Vector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page, _, err := from.Missing(t.Context(), v, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	applied, err := h.Apply(t.Context(), page, from.Self())
	if err != nil {
		t.Fatal(err)
	}
	return applied.New
}

func (h *savedHub) state(t testing.TB, m mandate.ID) string {
	t.Helper()
	v, err := h.Notice(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return string(v.State)
}

// alarm is what a screen says; "" when nothing. It waits for what a start finds
// out behind the room's back.
func (h *savedHub) alarm(t testing.TB, key string) string {
	t.Helper()
	v, err := h.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(v.Alarms, func(a node.Alarm) bool { return a.Key == key })
	if i < 0 {
		return ""
	}
	return v.Alarms[i].Message
}

func (h *savedHub) mustAlarm(t testing.TB, key string, words ...string) {
	t.Helper()
	said := ""
	for deadline := time.Now().Add(10 * time.Second); said == "" && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		said = h.alarm(t, key)
	}
	for _, want := range append(words, "\u00a0:") {
		if !strings.Contains(said, want) {
			t.Errorf("%s: alarm %s says %q, not %q", h.name, key, said, want)
		}
	}
}

func shell(t testing.TB, script string, args ...string) {
	t.Helper()
	if out, err := exec.Command("sh", append([]string{"-ec", script, "sh"}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// backup copies the folder as a person does.
func (h *savedHub) backup(t testing.TB) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "backup")
	shell(t, `cp -a "$1" "$2"`, h.folder, to)
	return to
}

// shortDir is a folder whose sockets fit in an address.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func startTPMIn(t testing.TB, dir string) *swtpm.Process {
	t.Helper()
	p, err := swtpm.Start(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}
