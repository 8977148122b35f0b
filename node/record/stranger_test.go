package record_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// stranger reads vectors with a program that knows the format from DESIGN.md
// alone: JavaScript, another CBOR library, Web Crypto.
func stranger(t *testing.T, dir string, v vectors) (said string, err error) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "vectors.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	labels, err := filepath.Abs("../label/testdata/labels.json")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("node", filepath.Join(dir, "check.mjs"), file, labels).CombinedOutput()
	return string(out), err
}

// TestStranger: each vector is decoded, understood and written again octet for
// octet by another program; and what differs, it names.
func TestStranger(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/stranger")); err != nil {
		t.Fatal(err)
	}
	install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	v, _, _ := readVectors(t)
	said, err := stranger(t, dir, v)
	if err != nil || !strings.HasPrefix(said, "12 records, 5 kinds, ") {
		t.Errorf("%v: %s", err, said)
	}
	for name, spoil := range map[string]func(v *vectors){
		"author":     func(v *vectors) { v.Hub = flipped(t, v.Hub) },
		"chain hash": func(v *vectors) { v.Records[0].ChainHash = flipped(t, v.Records[0].ChainHash) },
		"signature":  func(v *vectors) { v.Records[0].Wire = flipped(t, v.Records[0].Wire) },
		"territory":  func(v *vectors) { v.Territory = "autre" },
		"stop code":  func(v *vectors) { v.StopCode = flipped(t, v.StopCode) },
		"vector":     func(v *vectors) { v.VectorEntry = flipped(t, v.VectorEntry) },
		"forked log": func(v *vectors) { v.ForkedLog = flipped(t, v.ForkedLog) },
	} {
		other, _, _ := readVectors(t)
		spoil(&other)
		if said, err := stranger(t, dir, other); err == nil || !strings.HasPrefix(said, "check: ") {
			t.Errorf("%s changed: %v, %s", name, err, said)
		}
	}
}

// flipped is hexadecimal text with the last bit changed.
func flipped(t *testing.T, s string) string {
	t.Helper()
	octets := unhex(t, s)
	octets[len(octets)-1] ^= 1
	return hex.EncodeToString(octets)
}
