package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/node"
	"relais/node/internal/store"
	"relais/node/territory"
)

func TestCreate(t *testing.T) {
	l := newLand(t)
	valbrume := l.newHub(t, "Valbrume")
	birth := node.Birth{Territory: "demo", RootKey: l.rootKey, Name: "Valbrume"}

	t.Run("keys", func(t *testing.T) {
		keys := valbrume.Keys()
		if keys.Hub != territory.HubIDOf(keys.Identity) || keys.Hub != valbrume.Self() {
			t.Errorf("hub %s", keys.Hub)
		}
		if len(keys.Witness) != 32 || !strings.HasPrefix(keys.Recipient, "age1") {
			t.Errorf("witness of %d octets, recipient %s", len(keys.Witness), keys.Recipient)
		}
		before := valbrume.Keys()
		valbrume.reopen(t)
		if after := valbrume.Keys(); after.Recipient != before.Recipient || string(after.Witness) != string(before.Witness) {
			t.Error("other keys after a restart")
		}
	})
	t.Run("ErrInUse", func(t *testing.T) {
		if _, err := node.Create(t.Context(), valbrume.Options, birth); !errors.Is(err, store.ErrInUse) {
			t.Errorf("Create: %v", err)
		}
		if _, err := node.Open(t.Context(), valbrume.Options); !errors.Is(err, store.ErrInUse) {
			t.Errorf("Open: %v", err)
		}
	})
	t.Run("ErrFolderTaken", func(t *testing.T) {
		valbrume.Close()
		defer valbrume.open(t)
		if _, err := node.Create(t.Context(), valbrume.Options, birth); !errors.Is(err, node.ErrFolderTaken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrHalfWritten", func(t *testing.T) {
		o := valbrume.Options
		o.Dir = t.TempDir()
		// As far as the schema, and then the power went.
		db, err := store.Open(t.Context(), filepath.Join(o.Dir, "relais.db"), store.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		for name, err := range map[string]error{
			"Open":   second(node.Open(t.Context(), o)),
			"Create": second(node.Create(t.Context(), o, birth)),
			"Verify": second(node.VerifyFolder(t.Context(), o.Dir)),
		} {
			if !errors.Is(err, node.ErrHalfWritten) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("ErrHalfWritten, empty file", func(t *testing.T) {
		o := valbrume.Options
		o.Dir = t.TempDir()
		if err := os.WriteFile(filepath.Join(o.Dir, "relais.db"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := node.VerifyFolder(t.Context(), o.Dir); !errors.Is(err, node.ErrHalfWritten) {
			t.Errorf("Verify: %v", err)
		}
		if _, err := node.Open(t.Context(), o); !errors.Is(err, node.ErrHalfWritten) {
			t.Errorf("Open: %v", err)
		}
	})
	t.Run("ErrNoFolder", func(t *testing.T) {
		o := valbrume.Options
		for _, o.Dir = range []string{t.TempDir(), filepath.Join(t.TempDir(), "nowhere")} {
			if _, err := node.Open(t.Context(), o); !errors.Is(err, node.ErrNoFolder) {
				t.Errorf("Open: %v", err)
			}
			if _, err := node.VerifyFolder(t.Context(), o.Dir); !errors.Is(err, node.ErrNoFolder) {
				t.Errorf("Verify: %v", err)
			}
		}
	})
	t.Run("ErrOtherIdentity", func(t *testing.T) {
		valbrume.Close()
		defer valbrume.open(t)
		o := valbrume.Options
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		o.Signer = key
		if _, err := node.Open(t.Context(), o); !errors.Is(err, node.ErrOtherIdentity) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("bad birth", func(t *testing.T) {
		o := valbrume.Options
		o.Dir = filepath.Join(t.TempDir(), "new")
		for _, b := range []node.Birth{
			{Territory: "Demo", RootKey: l.rootKey, Name: "Valbrume"},
			{Territory: "demo", RootKey: "not a key", Name: "Valbrume"},
			{Territory: "demo", RootKey: l.rootKey, Name: " "},
		} {
			if _, err := node.Create(t.Context(), o, b); err == nil {
				t.Errorf("took %+v", b)
			}
		}
		if _, err := os.Stat(o.Dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a refused birth left a folder: %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestSecretsAreOnNoDisk(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	const planted = "planted-in-a-certificate-key"
	if err := h.Secrets().Store(t.Context(), "certificates/key", []byte(planted)); err != nil {
		t.Fatal(err)
	}
	if err := h.Sessions().CommitCtx(t.Context(), "planted-token", []byte("planted-session"), l.clock.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(h.Options.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(h.Options.Dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"planted", "AGE-SECRET-KEY"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%q is in %s", secret, entry.Name())
			}
		}
	}
}

func TestInstallRoster(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	if h.Roster() != nil || h.RosterNote() != nil || h.Name() != "Valbrume" {
		t.Error("a roster before the first")
	}
	var told []uint32
	h.OnRoster(func(r *territory.Roster) { told = append(told, r.Version) })
	first := l.sign(t, l.roster())
	second := l.sign(t, l.roster())
	install := func(signed []byte) error { return h.InstallRoster(t.Context(), signed) }

	t.Run("newer", func(t *testing.T) {
		for _, signed := range [][]byte{first, second} {
			if err := install(signed); err != nil {
				t.Fatal(err)
			}
			if copied, err := os.ReadFile(filepath.Join(h.Options.Dir, "roster.note")); err != nil || string(copied) != string(signed) {
				t.Errorf("the copy is not what was installed: %v", err)
			}
		}
	})
	t.Run("versions only rise", func(t *testing.T) {
		for _, signed := range [][]byte{first, second} {
			if err := install(signed); err != nil {
				t.Errorf("an older or equal roster is no error, got %v", err)
			}
		}
		h.reopen(t)
		if err := install(first); err != nil || h.Roster().Version != 2 {
			t.Errorf("version %d after a restart, %v", h.Roster().Version, err)
		}
	})
	t.Run("ErrRosterConflict", func(t *testing.T) {
		other := l.roster()
		other.Version, other.Name = 2, "Autre"
		if err := install(l.sign(t, other)); !errors.Is(err, node.ErrRosterConflict) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrForged", func(t *testing.T) {
		forger := newLand(t)
		forged := l.roster()
		if err := install(forger.sign(t, forged)); !errors.Is(err, territory.ErrForged) {
			t.Errorf("got %v", err)
		}
		signed := []byte(strings.Replace(string(l.sign(t, l.roster())), "Valbrume", "Valbrune", 1))
		if err := install(signed); !errors.Is(err, territory.ErrForged) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrOtherTerritory", func(t *testing.T) {
		other := l.roster()
		other.Territory = "autre"
		if err := install(l.sign(t, other)); !errors.Is(err, node.ErrOtherTerritory) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrNotSuccessor", func(t *testing.T) {
		for name, change := range map[string]func(*territory.Roster){
			"dropped":        func(r *territory.Roster) { r.Hubs, r.Structures = nil, nil },
			"numbered again": func(r *territory.Roster) { r.Hubs[0].Index = 9 },
		} {
			next := l.roster()
			change(next)
			if err := install(l.sign(t, next)); !errors.Is(err, territory.ErrNotSuccessor) || h.Roster().Version != 2 {
				t.Errorf("%s: %v, roster %d", name, err, h.Roster().Version)
			}
		}
	})
	t.Run("a lost copy is mended", func(t *testing.T) {
		path := filepath.Join(h.Options.Dir, "roster.note")
		if err := os.WriteFile(path, []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.reopen(t)
		if copied, err := os.ReadFile(path); err != nil || string(copied) != string(second) {
			t.Errorf("%v", err)
		}
	})
	if len(told) != 2 || told[0] != 1 || told[1] != 2 {
		t.Errorf("told of %v", told)
	}
}
