package node_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
)

// keyed is a desk whose keys are in its folder, with something in every sealed
// column.
type keyed struct {
	*desk
	keys    *keyring.Keyring
	mandate mandate.ID
	visit   mediation.AccompanimentID // whose draft is not finished
}

const (
	session  = "le jeton d’une session"
	kept     = "ce qu’une session garde"
	password = "plantation secrete de sauge"
)

func newKeyed(t testing.TB) *keyed {
	t.Helper()
	l := newLand(t)
	dir := t.TempDir()
	keys := newRing(t, dir)
	h := &hub{site: "Valbrume", Options: node.Options{Dir: dir, Sealer: keys, Signer: keys.Identity(), Now: l.clock.Now}}
	if _, err := node.Create(t.Context(), h.Options, node.Birth{Territory: "demo", RootKey: l.rootKey, Name: h.site}); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	t.Cleanup(func() { h.Close() })
	l.hubs = append(l.hubs, h)
	l.enrol(t)
	k := &keyed{desk: l.keyedDesk(t, h), keys: keys}
	k.mandate, k.visit = k.signed(t), k.drafted(t)
	if err := k.Secrets().Store(t.Context(), "essai/clé", []byte(kept)); err != nil {
		t.Fatal(err)
	}
	if err := k.Sessions().CommitCtx(t.Context(), session, []byte(kept), l.clock.Now().Add(8*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return k
}

func (l *land) keyedDesk(t testing.TB, h *hub) *desk {
	t.Helper()
	e, err := h.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "camille", Passphrase: password, Structure: l.office, Name: people.Name{Given: "Camille", Family: "Exemple"},
	})
	if err != nil {
		t.Fatal(err)
	}
	by, err := h.Actor(t.Context(), e.Helper)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{hub: h, land: l, by: by, enrol: e}
}

// rekey replaces the key under the running hub.
func (k *keyed) rekey(t testing.TB) {
	t.Helper()
	if err := k.keys.Rekey(keyring.NewRecoveryCode()); err != nil {
		t.Fatal(err)
	}
}

// rekeyed replaces the key of newKeyed while the hub is stopped, and starts it.
func (k *keyed) rekeyed(t testing.TB) {
	t.Helper()
	k.stop(t)
	k.start(t, rekeyRing(t, k.Options.Dir))
}

// restart closes all and opens it from the disk, keys included.
func (k *keyed) restart(t testing.TB) {
	t.Helper()
	k.stop(t)
	k.start(t, openRing(t, k.Options.Dir))
}

func (k *keyed) stop(t testing.TB) {
	t.Helper()
	if err := errors.Join(k.Close(), k.keys.Close()); err != nil {
		t.Fatal(err)
	}
}

func (k *keyed) start(t testing.TB, keys *keyring.Keyring) {
	t.Helper()
	k.keys, k.Options.Sealer, k.Options.Signer = keys, keys, keys.Identity()
	k.open(t)
}

// elsewhere is the hub in a copy of its folder.
func (k *keyed) elsewhere(t testing.TB) *keyed {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copie")
	if err := os.CopyFS(dir, os.DirFS(k.Options.Dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"software.key", "software.next.key"} {
		os.Chmod(filepath.Join(dir, name), 0o600)
	}
	d := *k.desk
	h := *k.hub
	d.hub, h.Options.Dir = &h, dir
	c := &keyed{desk: &d, mandate: k.mandate, visit: k.visit}
	c.start(t, openRing(t, dir))
	t.Cleanup(func() { c.Close() })
	return c
}

// finish seals all again.
func (k *keyed) finish(t testing.TB) {
	t.Helper()
	for range 10 {
		done, err := k.Reseal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
	}
	t.Fatal("it has no end")
}

// mustWork uses every sealed column: nobody notices a thing.
func (k *keyed) mustWork(t testing.TB) {
	t.Helper()
	if err := k.works(t); err != nil {
		t.Error(err)
	}
	if _, err := k.SignIn(t.Context(), "camille", password, k.code(t), "203.0.113.7"); err != nil {
		t.Errorf("sign-in: %v", err)
	}
	if _, err := k.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "camille", Structure: k.land.office, Name: people.Name{Given: "Camille", Family: "Autre"},
	}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a login that is taken: %v, want Conflict", err)
	}
	if _, err := k.Checkpoint(t.Context()); err != nil {
		t.Errorf("checkpoint: %v", err)
	}
}

// works is what a helper who is signed in does, all the time.
func (k *keyed) works(t testing.TB) error {
	data, found, err := k.Sessions().FindCtx(t.Context(), session)
	if err != nil || !found || string(data) != kept {
		return fmt.Errorf("session: %q, %v, %w", data, found, err)
	}
	secret, err := k.Secrets().Load(t.Context(), "essai/clé")
	if err != nil || string(secret) != kept {
		return fmt.Errorf("secret: %q, %w", secret, err)
	}
	by, err := k.Actor(t.Context(), k.by.Helper)
	if err != nil || by.Name.Given != "Camille" {
		return fmt.Errorf("actor: %v, %w", by.Name, err)
	}
	view, err := k.Mandate(t.Context(), by, k.mandate)
	if err != nil || view.Mandate.Beneficiary.Name.Family != "Le Goff" {
		return fmt.Errorf("mandate: %w", err)
	}
	draft, err := k.Draft(t.Context(), by, k.visit)
	if err != nil || draft.Person.Name.Family != "Le Goff" {
		return fmt.Errorf("draft: %w", err)
	}
	return nil
}
