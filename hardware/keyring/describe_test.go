package keyring_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"relais/hardware/keyring"
)

// A keyring is told without being opened, and looking changes nothing.
func TestDescribe(t *testing.T) {
	dir, m := existing(t)
	current, previous := filepath.Join(dir, "keyring.json"), filepath.Join(dir, "keyring.previous.json")
	describe := func() keyring.Description {
		t.Helper()
		before := contents(t, dir)
		d, err := keyring.Describe(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := keyring.Try(dir, m); err != nil {
			t.Errorf("Try: %v", err)
		}
		if contents(t, dir) != before {
			t.Error("looking changed the folder")
		}
		return d
	}
	whole := describe()
	if whole.Provider != keyring.KindTPM || !slices.Equal(whole.Slots, []keyring.Kind{keyring.KindTPM, keyring.KindRecovery}) ||
		len(whole.Identity) == 0 || !whole.Same || whole.Current != nil || whole.Previous != nil {
		t.Errorf("whole: %+v", whole)
	}
	if err := os.Truncate(current, 40); err != nil {
		t.Fatal(err)
	}
	if d := describe(); d.Current == nil || d.Previous != nil || d.Same {
		t.Errorf("the current one torn: %+v", d)
	}
	good, err := os.ReadFile(previous)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(current, good, 0o600), os.Truncate(previous, 40)); err != nil {
		t.Fatal(err)
	}
	if d := describe(); d.Current != nil || d.Previous == nil || d.Same {
		t.Errorf("the previous one torn: %+v", d)
	}
}

func TestDescribeInterruptedRecovery(t *testing.T) {
	dir, _ := existing(t)
	other, _ := existing(t)
	m := newMachine(keyring.KindTPM)
	k, err := keyring.Recover(other, m, made().code)
	if err != nil {
		t.Fatal(err)
	}
	k.Close()
	newer, err := os.ReadFile(filepath.Join(other, "keyring.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keyring.previous.json"), newer, 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := keyring.Describe(dir); err != nil || d.Same || d.Current != nil || d.Previous != nil {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestDescribeRefuses(t *testing.T) {
	t.Run("ErrNone", func(t *testing.T) {
		if _, err := keyring.Describe(t.TempDir()); !errors.Is(err, keyring.ErrNone) {
			t.Errorf("Describe = %v", err)
		}
	})
	t.Run("ErrTorn", func(t *testing.T) {
		dir, m := existing(t)
		for _, name := range []string{"keyring.json", "keyring.previous.json"} {
			if err := os.Truncate(filepath.Join(dir, name), 40); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := keyring.Describe(dir); !errors.Is(err, keyring.ErrTorn) {
			t.Errorf("Describe = %v", err)
		}
		if err := keyring.Try(dir, m); !errors.Is(err, keyring.ErrTorn) {
			t.Errorf("Try = %v", err)
		}
	})
	t.Run("ErrLocked", func(t *testing.T) {
		dir, _ := existing(t)
		if err := keyring.Try(dir, newMachine(keyring.KindTPM)); !errors.Is(err, keyring.ErrLocked) {
			t.Errorf("Try on another machine = %v", err)
		}
		err := keyring.Try(dir, newMachine(keyring.KindSoftware))
		if !errors.Is(err, keyring.ErrLocked) || keyring.Why(err) != keyring.ErrOtherProvider {
			t.Errorf("Try with the other provider = %v", err)
		}
	})
}
