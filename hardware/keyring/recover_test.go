package keyring_test

import (
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"relais/hardware/keyring"
	"relais/node/fault"
)

// office is a département's age key.
func office(t testing.TB) (*age.X25519Identity, keyring.Recipient, keyring.DepartementKey) {
	t.Helper()
	secret, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	recipient, err := keyring.ParseRecipient(secret.Recipient().String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	key, err := keyring.ParseDepartementKey([]byte("# created: 2026-11-21\n" + secret.String() + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return secret, recipient, key
}

func mustSlots(t testing.TB, dir string, want ...keyring.Kind) {
	t.Helper()
	if got, err := keyring.Slots(dir); err != nil || !slices.Equal(got, want) {
		t.Errorf("Slots() = %v, %v; want %v", got, err, want)
	}
}

// TestRecover: what one spare key mends, the other still opens afterwards, and
// the machine that was lost no longer does.
func TestRecover(t *testing.T) {
	_, recipient, key := office(t)
	first := newMachine(keyring.KindTPM)
	dir := filepath.Join(t.TempDir(), "hub")
	k, code, err := keyring.Create(dir, first, recipient)
	if err != nil {
		t.Fatal(err)
	}
	c := sealed(t, k, "Camille")
	mustSlots(t, dir, keyring.KindTPM, keyring.KindRecovery, keyring.KindDepartement)
	typed, err := keyring.ParseRecoveryCode(strings.ToLower(code.Reveal()))
	if err != nil {
		t.Fatal(err)
	}

	before := k
	last := first
	for _, step := range []struct {
		kind  keyring.Kind
		spare keyring.Spare
	}{{keyring.KindTPM, typed}, {keyring.KindTPM, key}, {keyring.KindSoftware, typed}, {keyring.KindTPM, key}} {
		next := newMachine(step.kind)
		again, err := keyring.Recover(dir, next, step.spare)
		if err != nil {
			t.Fatal(err)
		}
		mustOpen(t, again, c, "Camille")
		mustSign(t, again.Identity())
		if before.Identity().Public().(*ecdsa.PublicKey).Equal(again.Identity().Public()) {
			t.Error("a recovery kept the identity")
		}
		mustSlots(t, dir, keyring.KindRecovery, keyring.KindDepartement, step.kind)
		opened, err := keyring.Open(dir, next)
		if err != nil {
			t.Fatal(err)
		}
		mustOpen(t, opened, c, "Camille")
		if opened.Mended() != nil || opened.Assurance() != again.Assurance() {
			t.Errorf("Mended() = %v, Assurance() = %v", opened.Mended(), opened.Assurance())
		}
		if _, err := keyring.Open(dir, last); !errors.Is(err, keyring.ErrLocked) {
			t.Errorf("the machine that was lost: %v, want ErrLocked", err)
		}
		before, last = again, next
	}
}

func TestRecoverRefuses(t *testing.T) {
	dir, m := existing(t)
	_, _, other := office(t)
	wrong := made().code
	wrong[3] ^= 1
	unusable := newMachine(keyring.KindTPM)
	unusable.fails = errors.New("TPM is in lockout")
	liar := newMachine(keyring.KindTPM)
	liar.lies = true
	untouched := contents(t, dir)
	for name, c := range map[string]struct {
		machine *machine
		spare   keyring.Spare
		locked  bool
		reason  string
	}{
		"ErrLocked wrong code":      {newMachine(keyring.KindTPM), wrong, true, "not the recovery code"},
		"ErrLocked no such slot":    {newMachine(keyring.KindTPM), other, true, "no departement slot"},
		"provider that refuses":     {unusable, made().code, false, "TPM is in lockout"},
		"slot that does not reopen": {liar, made().code, false, "does not open"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := keyring.Recover(dir, c.machine, c.spare)
			if err == nil || !strings.Contains(err.Error(), c.reason) || errors.Is(err, keyring.ErrLocked) != c.locked {
				t.Errorf("Recover = %v, want %q", err, c.reason)
			}
			if c.locked && !strings.Contains(fault.Of(err).Message, "Rien n’a été changé") {
				t.Errorf("the person reads %q", fault.Of(err).Message)
			}
			if contents(t, dir) != untouched {
				t.Error("a refusal changed the folder")
			}
		})
	}
	if _, err := keyring.Recover(t.TempDir(), m, made().code); !errors.Is(err, keyring.ErrNone) {
		t.Errorf("Recover of an empty folder = %v, want ErrNone", err)
	}
	t.Run("ErrLocked other département", func(t *testing.T) {
		_, recipient, _ := office(t)
		dir := filepath.Join(t.TempDir(), "hub")
		if _, _, err := keyring.Create(dir, m, recipient); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Recover(dir, m, other); !errors.Is(err, keyring.ErrLocked) || !strings.Contains(err.Error(), "not the département key") {
			t.Errorf("Recover = %v, want ErrLocked that says so", err)
		}
	})
}

func contents(t *testing.T, dir string) (all string) {
	t.Helper()
	for _, name := range []string{"keyring.json", "keyring.previous.json"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	return all
}

// TestRecoverInterrupted cuts the power before, between and after the writes: the
// spare key opens what is left, and so does the new machine once all is written.
func TestRecoverInterrupted(t *testing.T) {
	for writes := range 3 {
		t.Run(fmt.Sprint(writes), func(t *testing.T) {
			dir, _ := existing(t)
			c := sealed(t, made().k, "Camille")
			next := newMachine(keyring.KindTPM)
			restore := keyring.CutPowerAfter(writes)
			_, err := keyring.Recover(dir, next, made().code)
			restore()
			if whole := writes == 2; whole != (err == nil) || !whole && !errors.Is(err, keyring.ErrPowerCut) {
				t.Fatalf("Recover with %d writes = %v", writes, err)
			}
			k, err := keyring.Open(dir, next)
			if whole := writes == 2; whole != (err == nil) {
				t.Fatalf("Open after %d writes = %v", writes, err)
			}
			if err != nil {
				if k, err = keyring.Recover(dir, next, made().code); err != nil {
					t.Fatal(err)
				}
			}
			mustOpen(t, k, c, "Camille")
			mustSign(t, k.Identity())
		})
	}
}

func TestParseRecipientRefuses(t *testing.T) {
	secret, _, _ := office(t)
	for name, text := range map[string]string{
		"empty": "", "noise": "age1", "secret half": secret.String(), "file name": "departement.pub",
		"one letter wrong": secret.Recipient().String()[:61] + "b",
	} {
		_, err := keyring.ParseRecipient(text)
		if err == nil || !strings.Contains(err.Error(), "age1…") || strings.Contains(err.Error(), secret.String()[20:40]) {
			t.Errorf("%s: %v, want an error that asks for age1… and repeats no secret", name, err)
		}
	}
}

func TestDepartementKeyHides(t *testing.T) {
	secret, recipient, key := office(t)
	if out := fmt.Sprintf("%v %s %+v %#v", key, key, key, key); strings.Contains(out, secret.String()[16:]) || !strings.Contains(out, "hidden") {
		t.Errorf("%q shows the key", out)
	}
	for _, text := range []string{"", "age1", fmt.Sprint(recipient), secret.String()[:40]} {
		if _, err := keyring.ParseDepartementKey([]byte(text)); err == nil || strings.Contains(err.Error(), secret.String()[20:40]) {
			t.Errorf("ParseDepartementKey(%q) = %v", text, err)
		}
	}
}

// later is a machine that makes another identity than it did before.
type later struct {
	*machine
	key *machine
}

func (l later) LoadIdentity(blob []byte) (crypto.Signer, error) { return l.key.LoadIdentity(blob) }

// TestNewIdentity: the identity is another, and everything else as it was: slots,
// what is sealed, both generations. Keys that do not open make none.
func TestNewIdentity(t *testing.T) {
	_, recipient, key := office(t)
	machine := newMachine(keyring.KindTPM)
	dir := filepath.Join(t.TempDir(), "hub")
	k, code, err := keyring.Create(dir, machine, recipient)
	if err != nil {
		t.Fatal(err)
	}
	c := sealed(t, k, "Camille")
	now := later{machine, newMachine(keyring.KindTPM)}
	again, err := keyring.NewIdentity(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, again, c, "Camille")
	mustSign(t, again.Identity())
	if k.Identity().Public().(*ecdsa.PublicKey).Equal(again.Identity().Public()) {
		t.Error("the identity is the former one")
	}
	mustSlots(t, dir, keyring.KindTPM, keyring.KindRecovery, keyring.KindDepartement)
	opened, err := keyring.Open(dir, now)
	if err != nil || !opened.Identity().Public().(*ecdsa.PublicKey).Equal(again.Identity().Public()) || opened.Mended() != nil {
		t.Errorf("opened again: %v, mended %v", err, opened.Mended())
	}
	for name, p := range map[string]keyring.Provider{"another machine": newMachine(keyring.KindTPM), "another kind": newMachine(keyring.KindSoftware)} {
		before, err := os.ReadFile(filepath.Join(dir, "keyring.json"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.NewIdentity(dir, p); !errors.Is(err, keyring.ErrLocked) || !fault.Is(err, fault.Locked) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(filepath.Join(dir, "keyring.json")); err != nil || string(after) != string(before) {
			t.Errorf("%s: the keyring changed (%v)", name, err)
		}
	}
	for _, spare := range []keyring.Spare{code, key} { // both still open it, elsewhere
		next := newMachine(keyring.KindTPM)
		recovered, err := keyring.Recover(dir, next, spare)
		if err != nil {
			t.Fatal(err)
		}
		mustOpen(t, recovered, c, "Camille")
	}
}

// TestUsed: an identity is used once its folder has it, and for ever: after a rekey
// too, and in both generations. Cut before that was written, it is not.
func TestUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hub")
	first, code, err := keyring.Create(dir, newMachine(keyring.KindTPM))
	if err != nil || !first.Used() {
		t.Fatalf("of a hub that was made: used %v, %v", first.Used(), err)
	}
	machine := newMachine(keyring.KindTPM)
	k, err := keyring.Recover(dir, machine, code)
	if err != nil || k.Used() {
		t.Fatalf("recovered: used %v, %v", k.Used(), err)
	}
	restore := keyring.CutPowerAfter(0)
	err = k.Use()
	restore()
	if !errors.Is(err, keyring.ErrPowerCut) || k.Used() {
		t.Errorf("cut: used %v, %v", k.Used(), err)
	}
	if err := k.Use(); err != nil || !k.Used() {
		t.Fatalf("used %v, %v", k.Used(), err)
	}
	restore = keyring.CutPowerAfter(0) // and nothing is written again
	err = k.Use()
	restore()
	if err != nil {
		t.Errorf("twice: %v", err)
	}
	for _, generation := range []string{"keyring.json", "keyring.previous.json"} {
		if err := os.Remove(filepath.Join(dir, generation)); err != nil {
			t.Fatal(err)
		}
		k, err := keyring.Open(dir, machine)
		if err != nil || !k.Used() {
			t.Errorf("without %s: used %v, %v", generation, k.Used(), err)
		}
	}
	if err := k.Rekey(code); err != nil || !k.Used() {
		t.Errorf("rekeyed: used %v, %v", k.Used(), err)
	}
	if d, err := keyring.Describe(dir); err != nil || !d.Used {
		t.Errorf("described: %+v, %v", d, err)
	}
	if again, err := keyring.NewIdentity(dir, machine); err != nil || again.Used() {
		t.Errorf("another identity: used %v, %v", again.Used(), err)
	}
}
