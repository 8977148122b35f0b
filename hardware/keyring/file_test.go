package keyring_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"relais/hardware/keyring"
)

// A power cut may leave any prefix of the current file: the previous one opens,
// and mends it.
func TestTruncatedAtEveryOctet(t *testing.T) {
	dir, m := existing(t)
	c := sealed(t, made().k, "Camille")
	current := filepath.Join(dir, "keyring.json")
	whole := []byte(files(t, dir)["keyring.json"])
	defer keyring.WithoutSync()()
	for n := range whole {
		if err := os.WriteFile(current, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := keyring.Open(dir, m)
		if err != nil {
			t.Fatalf("cut at %d of %d octets: %v", n, len(whole), err)
		}
		mustOpen(t, again, c, "Camille")
		if torn := n < len(whole)-1; torn != (again.Mended() != nil) { // the last octet is a newline
			t.Fatalf("cut at %d of %d octets: Mended() = %v", n, len(whole), again.Mended())
		}
	}
}

// The twin: with the previous generation gone too, a cut is fatal. So it is the
// second generation that saves the first.
func TestTruncatedWithoutPrevious(t *testing.T) {
	dir, m := existing(t)
	whole := []byte(files(t, dir)["keyring.json"])
	os.Remove(filepath.Join(dir, "keyring.previous.json"))
	os.WriteFile(filepath.Join(dir, "keyring.json"), whole[:len(whole)/2], 0o600)
	if _, err := keyring.Open(dir, m); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("Open = %v, want an error that names the remedy", err)
	}
}

func TestMendedOnce(t *testing.T) {
	for _, lost := range []string{"missing", "torn"} {
		t.Run(lost, func(t *testing.T) {
			dir, m := existing(t)
			path := filepath.Join(dir, "keyring.json")
			whole := files(t, dir)["keyring.json"]
			if lost == "missing" {
				os.Remove(path)
			} else {
				os.WriteFile(path, []byte("{"), 0o600)
			}
			first, err := keyring.Open(dir, m)
			if err != nil || first.Mended() == nil {
				t.Fatalf("Open = %v, Mended = nil; want it mended", err)
			}
			if lost == "missing" && !errors.Is(first.Mended(), fs.ErrNotExist) {
				t.Errorf("Mended() = %v, want what was wrong", first.Mended())
			}
			if files(t, dir)["keyring.json"] != whole {
				t.Error("the current file was not written anew")
			}
			second, err := keyring.Open(dir, m)
			if err != nil || second.Mended() != nil {
				t.Errorf("a mended keyring: %v, %v", err, second.Mended())
			}
		})
	}
}

// Whoever holds the disk can make the checksum right; the check value, under
// the KEK, still tells.
func TestAltered(t *testing.T) {
	for name, alter := range map[string]func(k map[string]any){
		"provider": func(k map[string]any) { k["provider"] = "software" },
		"store":    func(k map[string]any) { k["store"] = "AAAAAAAAAAAAAAAAAAAAAA==" },
		"epoch":    func(k map[string]any) { k["epoch"] = 2 },
		"identity": func(k map[string]any) { k["identity"].(map[string]any)["public"] = "AAAA" },
		"check":    func(k map[string]any) { k["check"] = "AAAA" },
	} {
		t.Run("ErrLocked "+name, func(t *testing.T) {
			dir, m := existing(t)
			rewrite(t, dir, alter)
			if name == "provider" {
				m.kind = keyring.KindSoftware
				rewrite(t, dir, func(k map[string]any) { k["slots"].([]any)[0].(map[string]any)["kind"] = "software" })
			}
			mustBeLocked(t, dir, m, "the file was altered")
		})
	}
}

// A file that is whole and makes no sense is refused before any slot is tried.
func TestSenseless(t *testing.T) {
	slot := map[string]any{"kind": "tpm", "blob": "AAAA"}
	for name, c := range map[string]struct {
		alter func(k map[string]any)
		want  string
	}{
		"ErrVersion":  {func(k map[string]any) { k["version"] = 0 }, "version is 0"},
		"ErrStore":    {func(k map[string]any) { k["store"] = "AAAA" }, "store id"},
		"ErrEpoch":    {func(k map[string]any) { k["epoch"] = 0 }, "no epoch"},
		"ErrProvider": {func(k map[string]any) { k["provider"] = "recovery" }, `"recovery", not tpm or software`},
		"ErrNoSlot":   {func(k map[string]any) { k["slots"] = nil }, "0 slots"},
		"ErrSlots":    {func(k map[string]any) { k["slots"] = slices.Repeat([]any{slot}, 17) }, "17 slots"},
		"ErrUnknown":  {func(k map[string]any) { k["novelty"] = true }, "novelty"},
		"ErrTooLong":  {func(k map[string]any) { k["check"] = strings.Repeat("A", 64<<10) }, "over 65536 octets"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, m := existing(t)
			rewrite(t, dir, c.alter)
			os.Remove(filepath.Join(dir, "keyring.previous.json"))
			if _, err := keyring.Open(dir, m); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q in it", err, c.want)
			}
			if _, err := keyring.Pinned(dir); err == nil {
				t.Error("Pinned took it")
			}
		})
	}
}

func TestLaterFile(t *testing.T) {
	t.Run("ErrNewer", func(t *testing.T) {
		dir, m := existing(t)
		rewrite(t, dir, func(k map[string]any) { k["version"], k["novelty"] = 3, true })
		if _, err := keyring.Open(dir, m); !errors.Is(err, keyring.ErrNewer) {
			t.Errorf("Open = %v, want ErrNewer and no falling back", err)
		}
	})
	t.Run("unknown slot", func(t *testing.T) {
		dir, m := existing(t)
		rewrite(t, dir, func(k map[string]any) {
			later := map[string]any{"kind": "departement", "blob": "AAAA"}
			k["slots"] = append([]any{later}, k["slots"].([]any)...)
		})
		if _, err := keyring.Open(dir, m); err != nil {
			t.Errorf("a slot of a later kind stops the others: %v", err)
		}
	})
}

// Every slot of the kind is tried: a broken one before a good one does not lock.
func TestEverySlotIsTried(t *testing.T) {
	dir, m := existing(t)
	rewrite(t, dir, func(k map[string]any) {
		broken := map[string]any{"kind": "tpm", "blob": "AAAA"}
		k["slots"] = append([]any{broken}, k["slots"].([]any)...)
	})
	if _, err := keyring.Open(dir, m); err != nil {
		t.Error(err)
	}
}

// rewrite changes the current file as whoever holds the disk could, with a right
// checksum.
func rewrite(t *testing.T, dir string, change func(k map[string]any)) {
	t.Helper()
	var e struct{ Keyring map[string]any }
	if err := json.Unmarshal([]byte(files(t, dir)["keyring.json"]), &e); err != nil {
		t.Fatal(err)
	}
	change(e.Keyring)
	raw, err := json.Marshal(e.Keyring)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keyring.json"), keyring.Envelope(raw), 0o600); err != nil {
		t.Fatal(err)
	}
}

// FuzzFile: no file makes Open panic, hang or open to something that is not the
// keyring it was.
func FuzzFile(f *testing.F) {
	dir, m := existing(f)
	whole := []byte(files(f, dir)["keyring.json"])
	f.Add(whole, false)
	f.Add(whole[:len(whole)/2], false)
	f.Add([]byte(`{"version":1,"store":"AAAAAAAAAAAAAAAAAAAAAA==","epoch":1,"provider":"tpm","slots":[{"kind":"tpm"}]}`), true)
	f.Add([]byte(`{"version":9}`), true)
	f.Fuzz(func(t *testing.T, data []byte, enveloped bool) {
		if enveloped {
			data = keyring.Envelope(data)
		}
		again := t.TempDir()
		if err := os.WriteFile(filepath.Join(again, "keyring.json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Open(again, m); err == nil && !sameJSON(data, whole) {
			t.Errorf("opened %q", data)
		}
	})
}

// sameJSON compares but for spaces and the case of names, which JSON in Go
// leaves free.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && strings.EqualFold(x.String(), y.String())
}
