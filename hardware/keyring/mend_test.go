package keyring_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"relais/hardware/keyring"
)

// mustBeSame describes a folder whose generations should, or should not, agree.
func mustBeSame(t *testing.T, dir string, want bool) {
	t.Helper()
	if d, err := keyring.Describe(dir); err != nil || d.Same != want {
		t.Errorf("the generations are the same: %v, %v; want %v (%+v)", d.Same, err, want, d)
	}
}

// A rekey cut between its two files leaves them apart. The current one opens and
// is the truth; the next start writes the other anew, so that whichever is lost
// later, the same keys open.
func TestOpenMendsAfterACutRekey(t *testing.T) {
	dir, m := existing(t)
	k, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	c := sealed(t, k, "Camille")
	restore := keyring.CutPowerAfter(1)
	defer restore()
	if err := k.Rekey(keyring.NewRecoveryCode()); !errors.Is(err, keyring.ErrPowerCut) {
		t.Fatalf("Rekey = %v", err)
	}
	restore()
	mustBeSame(t, dir, false)
	if err := keyring.Try(dir, m); err != nil {
		t.Fatal(err)
	}
	mustBeSame(t, dir, false) // looking mends nothing: what follows could fail
	if k, err = keyring.Open(dir, m); err != nil || k.Mended() == nil {
		t.Fatalf("Open = %v, and it says nothing", err)
	}
	mustBeSame(t, dir, true)
	mustEpochs(t, k, 1)
	os.Remove(filepath.Join(dir, "keyring.json"))
	mustSurvive(t, dir, m, map[string][]byte{"Camille": c}, made().code, made().code)
}

func TestOpenMendsThePrevious(t *testing.T) {
	for _, lost := range []string{"missing", "torn"} {
		t.Run(lost, func(t *testing.T) {
			dir, m := existing(t)
			path := filepath.Join(dir, "keyring.previous.json")
			if lost == "missing" {
				os.Remove(path)
			} else {
				os.WriteFile(path, []byte("{"), 0o600)
			}
			first, err := keyring.Open(dir, m)
			if err != nil || first.Mended() == nil {
				t.Fatalf("Open = %v, and it says nothing", err)
			}
			mustBeSame(t, dir, true)
			if second, err := keyring.Open(dir, m); err != nil || second.Mended() != nil {
				t.Errorf("a mended keyring: %v, %v", err, second.Mended())
			}
		})
	}
	t.Run("ErrPowerCut", func(t *testing.T) { // a full disk: it opens all the same, and says it
		dir, m := existing(t)
		os.Remove(filepath.Join(dir, "keyring.previous.json"))
		restore := keyring.CutPowerAfter(0)
		defer restore()
		if k, err := keyring.Open(dir, m); err != nil || !errors.Is(k.Mended(), keyring.ErrPowerCut) {
			t.Errorf("Open = %v", err)
		}
	})
}

// A recovery cut between its two files: the machine that is back opens the folder
// and mends it; another one, which does not open it, writes nothing, and there
// relais recover goes on.
func TestOpenAfterACutRecovery(t *testing.T) {
	for name, back := range map[string]bool{"the machine is back": true, "ErrLocked": false} {
		t.Run(name, func(t *testing.T) {
			dir, m := existing(t)
			next := newMachine(keyring.KindTPM)
			restore := keyring.CutPowerAfter(1)
			defer restore()
			if _, err := keyring.Recover(dir, next, made().code); !errors.Is(err, keyring.ErrPowerCut) {
				t.Fatalf("Recover = %v", err)
			}
			restore()
			if !back {
				m = next
			}
			before := contents(t, dir)
			if _, err := keyring.Open(dir, m); back != (err == nil) || back == (contents(t, dir) == before) {
				t.Errorf("Open = %v", err)
			}
			mustBeSame(t, dir, back)
			if _, err := keyring.Recover(dir, next, made().code); err != nil {
				t.Error(err)
			}
			mustBeSame(t, dir, true)
		})
	}
}
