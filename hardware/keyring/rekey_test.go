package keyring_test

import (
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/node/seal"
)

// rekeyed replaces the KEK of a keyring, and returns the code of the new one.
func rekeyed(t testing.TB, k *keyring.Keyring, recipients ...keyring.Recipient) keyring.RecoveryCode {
	t.Helper()
	code := keyring.NewRecoveryCode()
	if err := k.Rekey(code, recipients...); err != nil {
		t.Fatal(err)
	}
	return code
}

func mustEpochs(t testing.TB, k *keyring.Keyring, want ...uint32) {
	t.Helper()
	if got := k.Epochs(); !slices.Equal(got, want) {
		t.Errorf("Epochs() = %v, want %v", got, want)
	}
}

// mustKey checks the key id in a ciphertext's header.
func mustKey(t testing.TB, c []byte, want uint32) {
	t.Helper()
	if got, err := seal.KeyID(c); err != nil || got != want {
		t.Errorf("sealed under key %d, %v; want %d", got, err, want)
	}
}

// TestRekey: after it everything opens as before, on this machine and by the new
// spare keys; the former ones open nothing any more.
func TestRekey(t *testing.T) {
	_, recipient, key := office(t)
	m := newMachine(keyring.KindTPM)
	dir := filepath.Join(t.TempDir(), "hub")
	k, former, err := keyring.Create(dir, m, recipient)
	if err != nil {
		t.Fatal(err)
	}
	before := sealed(t, k, "Camille")
	code := rekeyed(t, k, recipient)
	after := sealed(t, k, "Sacha")
	mustKey(t, before, 1)
	mustKey(t, after, 2)
	again, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*keyring.Keyring{k, again} {
		mustEpochs(t, k, 1, 2)
		mustOpen(t, k, before, "Camille")
		mustOpen(t, k, after, "Sacha")
		mustSign(t, k.Identity())
	}
	if !again.Identity().Public().(*ecdsa.PublicKey).Equal(k.Identity().Public()) {
		t.Error("a rekey changed the identity")
	}
	mustSlots(t, dir, keyring.KindTPM, keyring.KindRecovery, keyring.KindDepartement)
	if got := again.Recipients(); !slices.Equal(got, []string{recipient.String()}) {
		t.Errorf("Recipients() = %v", got)
	}
	if _, err := keyring.Recover(dir, newMachine(keyring.KindTPM), former); !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("the former code: %v, want ErrLocked", err)
	}
	next := newMachine(keyring.KindTPM)
	for _, spare := range []keyring.Spare{code, key} { // in the middle of it: both KEKs survive
		recovered, err := keyring.Recover(dir, next, spare)
		if err != nil {
			t.Fatal(err)
		}
		mustEpochs(t, recovered, 1, 2)
		mustOpen(t, recovered, before, "Camille")
		mustOpen(t, recovered, after, "Sacha")
	}
}

// TestForget: the former KEK is in neither generation, nor in memory, and what the
// old files open to opens nothing that was sealed since.
func TestForget(t *testing.T) {
	dir, m := existing(t)
	old := filepath.Join(t.TempDir(), "backup")
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	k, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	before := sealed(t, k, "Camille")
	rekeyed(t, k)
	after := sealed(t, k, "Camille")
	if err := k.Forget(); err != nil {
		t.Fatal(err)
	}
	again, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*keyring.Keyring{k, again} {
		mustEpochs(t, k, 2)
		mustOpen(t, k, after, "Camille")
		if _, err := k.Open(seal.PurposeHelper, place, before); !errors.Is(err, seal.ErrOtherKey) || !strings.Contains(err.Error(), "key 1") {
			t.Errorf("what the former KEK sealed: %v, want ErrOtherKey that names it", err)
		}
	}
	if text := contents(t, dir); strings.Contains(text, "retired") || strings.Count(text, `"epoch": 2`) != 2 {
		t.Errorf("the two generations still keep the former KEK:\n%s", text)
	}
	copied, err := keyring.Open(old, m) // a backup of the folder, on this machine
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, copied, before, "Camille") // rows copied before are his who has both
	forged := slices.Clone(after)
	forged[4] = 1 // the header is no secret: let it name the former key
	for _, c := range [][]byte{after, forged} {
		if _, err := copied.Open(seal.PurposeHelper, place, c); err == nil {
			t.Error("the former KEK opens what was sealed since")
		}
	}
	if err := k.Forget(); err != nil {
		t.Errorf("Forget twice: %v", err)
	}
}

// TestRekeyCut cuts the power at each write of a rekey, then of the forgetting.
// What is left opens with this machine and with one of the two codes, and all that
// was sealed opens, whichever generation is then lost.
func TestRekeyCut(t *testing.T) {
	for writes := range 5 {
		for _, lost := range []string{"", "keyring.json", "keyring.previous.json"} {
			t.Run(fmt.Sprint(writes, lost), func(t *testing.T) {
				dir, m := existing(t)
				k, err := keyring.Open(dir, m)
				if err != nil {
					t.Fatal(err)
				}
				plain := map[string][]byte{"Camille": sealed(t, k, "Camille")}
				code := keyring.NewRecoveryCode()
				restore := keyring.CutPowerAfter(writes)
				defer restore()
				if err := k.Rekey(code); err == nil {
					plain["Sacha"] = sealed(t, k, "Sacha")
					if writes > 2 { // it is never begun before all is re-sealed
						delete(plain, "Camille")
					}
					err = k.Forget()
					if whole := writes == 4; whole != (err == nil) {
						t.Fatalf("Forget = %v", err)
					}
				} else if writes >= 2 || !errors.Is(err, keyring.ErrPowerCut) {
					t.Fatalf("Rekey = %v", err)
				}
				restore()
				if lost != "" {
					os.Remove(filepath.Join(dir, lost))
				}
				mustSurvive(t, dir, m, plain, made().code, code)
			})
		}
	}
}

// mustSurvive opens a folder with its machine, then with one of two codes.
func mustSurvive(t *testing.T, dir string, m *machine, plain map[string][]byte, former, code keyring.RecoveryCode) {
	t.Helper()
	k, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range plain {
		mustOpen(t, k, c, want)
	}
	spare := code
	if k.Epochs()[len(k.Epochs())-1] == 1 {
		spare = former
	}
	if k, err = keyring.Recover(dir, newMachine(keyring.KindTPM), spare); err != nil {
		t.Fatal(err)
	}
	for want, c := range plain {
		mustOpen(t, k, c, want)
	}
}

// TestMendingKeepsEveryKey: a previous generation that lacked the newest KEK would
// mend a torn file into a hub that cannot read its rows. The twin is such a one.
func TestMendingKeepsEveryKey(t *testing.T) {
	for _, c := range []struct {
		name    string
		restore bool
	}{{"as it is written", false}, {"with a previous generation of before", true}} {
		t.Run(c.name, func(t *testing.T) {
			dir, m := existing(t)
			was := files(t, dir)["keyring.previous.json"]
			k, err := keyring.Open(dir, m)
			if err != nil {
				t.Fatal(err)
			}
			rekeyed(t, k)
			after := sealed(t, k, "Camille")
			if c.restore {
				os.WriteFile(filepath.Join(dir, "keyring.previous.json"), []byte(was), 0o600)
			}
			os.WriteFile(filepath.Join(dir, "keyring.json"), nil, 0o600)
			if k, err = keyring.Open(dir, m); err != nil {
				t.Fatal(err)
			}
			if _, err := k.Open(seal.PurposeHelper, place, after); c.restore != errors.Is(err, seal.ErrOtherKey) {
				t.Errorf("what the new KEK sealed: %v", err)
			}
		})
	}
}

func TestRekeyRefuses(t *testing.T) {
	dir, m := existing(t)
	k, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	untouched := contents(t, dir)
	for name, c := range map[string]struct {
		fails  error
		lies   bool
		reason string
	}{
		"provider that refuses":     {fails: errors.New("TPM is in lockout"), reason: "TPM is in lockout"},
		"slot that does not reopen": {lies: true, reason: "does not open"},
	} {
		t.Run(name, func(t *testing.T) {
			m.fails, m.lies = c.fails, c.lies
			defer func() { m.fails, m.lies = nil, false }()
			if err := k.Rekey(keyring.NewRecoveryCode()); err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("Rekey = %v, want %q", err, c.reason)
			}
			if contents(t, dir) != untouched {
				t.Error("a refusal changed the folder")
			}
			mustEpochs(t, k, 1)
		})
	}
	t.Run("ErrUnfinished", func(t *testing.T) {
		rekeyed(t, k)
		untouched := contents(t, dir)
		if err := k.Rekey(keyring.NewRecoveryCode()); !errors.Is(err, keyring.ErrUnfinished) || contents(t, dir) != untouched {
			t.Errorf("a second rekey: %v, want ErrUnfinished and nothing changed", err)
		}
	})
	t.Run("ErrUnfinished after a restart", func(t *testing.T) {
		again, err := keyring.Open(dir, m)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Rekey(keyring.NewRecoveryCode()); !errors.Is(err, keyring.ErrUnfinished) {
			t.Errorf("a second rekey: %v, want ErrUnfinished", err)
		}
	})
}

// TestTags: a tag kept before a rekey is found after it, is brought up without its
// text to the tag of now, and stays findable over every later rekey.
func TestTags(t *testing.T) {
	dir, m := existing(t)
	k, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	text, other := []byte("login\x00camille"), []byte("login\x00sacha")
	kept := k.Tags(seal.PurposeCredential, text)[0]
	for epoch := uint32(2); epoch < 5; epoch++ {
		rekeyed(t, k)
		tags := k.Tags(seal.PurposeCredential, text)
		if len(tags) != 2 || tags[0].Key != epoch || tags[1] != kept || tags[0].Sum != k.Tag(seal.PurposeCredential, text) {
			t.Fatalf("epoch %d: tags %v, the row has %v", epoch, tags, kept)
		}
		if kept, err = k.Retag(seal.PurposeCredential, kept); err != nil || kept != tags[0] {
			t.Errorf("epoch %d: Retag = %v, %v; want %v", epoch, kept, err, tags[0])
		}
		if err := k.Forget(); err != nil {
			t.Fatal(err)
		}
		if k, err = keyring.Open(dir, m); err != nil {
			t.Fatal(err)
		}
		if tags := k.Tags(seal.PurposeCredential, text); len(tags) != 1 || tags[0] != kept {
			t.Errorf("epoch %d, over: tags %v, the row has %v", epoch, tags, kept)
		}
		if k.Tag(seal.PurposeCredential, other) == kept.Sum || k.Tag(seal.PurposeHelper, text) == kept.Sum {
			t.Error("another text, or another purpose, has the same tag")
		}
	}
	if _, err := k.Retag(seal.PurposeCredential, seal.Tag{Key: 9}); !errors.Is(err, seal.ErrOtherKey) {
		t.Errorf("the tag of a key that never was: %v, want ErrOtherKey", err)
	}
	if k.Tag("novelty", text) == k.Tag("novelty", other) {
		t.Error("a purpose that earlier epochs did not know has no tags")
	}
}

// TestRetiredIsChecked: what the file keeps of earlier epochs is proved by the KEK
// like the rest, and so are the département's recipients.
func TestRetiredIsChecked(t *testing.T) {
	_, recipient, _ := office(t)
	_, stranger, _ := office(t)
	whole, m := existing(t)
	k, err := keyring.Open(whole, m)
	if err != nil {
		t.Fatal(err)
	}
	rekeyed(t, k, recipient)
	for name, alter := range map[string]func(f map[string]any){
		"retired left out":    func(f map[string]any) { delete(f, "retired") },
		"tags left out":       func(f map[string]any) { delete(f, "tags") },
		"another recipient":   func(f map[string]any) { f["recipients"] = []string{stranger.String()} },
		"version set back":    func(f map[string]any) { f["version"] = 1 },
		"epoch of the future": func(f map[string]any) { f["retired"].([]any)[0].(map[string]any)["epoch"] = 2 },
		"epoch set back":      func(f map[string]any) { f["epoch"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "hub")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			rewrite(t, dir, alter)
			os.Remove(filepath.Join(dir, "keyring.previous.json"))
			if _, err := keyring.Open(dir, m); err == nil {
				t.Error("it opens")
			}
		})
	}
}

// TestVersion1 opens a keyring that the first version of Relais wrote, rekeys it,
// and sees it written in the earliest version that can say what it says.
func TestVersion1(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"keyring.json", "software.key"} {
		data, err := os.ReadFile(filepath.Join("testdata/v1", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := hex.DecodeString("010000000129c6a587ac245713ed7891bf8aacf983b822f6fc0c021778abedff2fa79e4076aba9f2a0e99419ba39dbb7d045441b")
	if err != nil {
		t.Fatal(err)
	}
	k, err := keyring.Open(dir, soft.New(dir))
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, k, c, "Camille")
	tag := k.Tag(seal.PurposeCredential, []byte("camille"))
	if hex.EncodeToString(tag[:]) != "7c0563051542b1d049417c17e9d2cccc9b98d3d6c3999bb877be1a79f652cb86" {
		t.Errorf("its tags changed: %x", tag)
	}
	rekeyed(t, k)
	if k, err = keyring.Open(dir, soft.New(dir)); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, k, c, "Camille")
	if text := files(t, dir)["keyring.json"]; !strings.Contains(text, `"version": 2`) {
		t.Errorf("a version of before would read, and not understand:\n%s", text)
	}
	if text := files(t, made().dir)["keyring.json"]; !strings.Contains(text, `"version": 1`) {
		t.Errorf("a version of before could read this, and is told that it cannot:\n%s", text)
	}
}

// TestRekeySoftware: software.key is renewed with the KEK. Whatever write the power
// is cut at, what is left opens; at the end the file of before opens no slot.
func TestRekeySoftware(t *testing.T) {
	whole := t.TempDir()
	if _, _, err := keyring.Create(whole, soft.New(whole)); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(filepath.Join(whole, "software.key"))
	if err != nil {
		t.Fatal(err)
	}
	for writes := range 5 {
		t.Run(fmt.Sprint(writes), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "hub")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			os.Chmod(filepath.Join(dir, "software.key"), 0o600)
			k, err := keyring.Open(dir, soft.New(dir))
			if err != nil {
				t.Fatal(err)
			}
			restore := keyring.CutPowerAfter(writes)
			defer restore()
			if err := k.Rekey(keyring.NewRecoveryCode()); err == nil {
				err = k.Forget()
				if whole := writes == 4; whole != (err == nil) {
					t.Fatalf("Forget = %v", err)
				}
			}
			restore()
			if k, err = keyring.Open(dir, soft.New(dir)); err != nil {
				t.Fatal(err)
			}
			if len(k.Epochs()) == 1 && k.Epochs()[0] == 1 { // cut before: again, over what it left
				rekeyed(t, k)
			}
			if err := k.Forget(); err != nil {
				t.Fatal(err)
			}
			if k, err = keyring.Open(dir, soft.New(dir)); err != nil {
				t.Fatal(err)
			}
			mustEpochs(t, k, 2)
			if _, err := os.Stat(filepath.Join(dir, "software.next.key")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("two keys are left: %v", err)
			}
			os.WriteFile(filepath.Join(dir, "software.key"), old, 0o600)
			if _, err := keyring.Open(dir, soft.New(dir)); !errors.Is(err, keyring.ErrLocked) {
				t.Errorf("the former software.key: %v, want ErrLocked", err)
			}
		})
	}
}
