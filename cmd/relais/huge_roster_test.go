package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relais/node/nodetest"
	"relais/node/territory"
)

// TestHugeRosterFile: a file with ten thousand hubs is not read, whoever signed
// it, and one that is read and is over the bound is not taken, by a hub that
// sleeps or runs.
func TestHugeRosterFile(t *testing.T) {
	t.Parallel()
	l := newSavedLand(t)
	h := newTypedHub(t, l, "Valbrume", nil)
	dir := t.TempDir()
	rootKey := filepath.Join(dir, "root.pub")
	write := func(path string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(rootKey, []byte(l.rootKey+"\n"))
	says(t, "init", "--config", h.file, "--root-key", rootKey)
	now := time.Now().UTC().Truncate(time.Second)
	r := &territory.Roster{Territory: "demo", Name: "Territoire d’essai", Zone: "Europe/Paris", Version: 1, IssuedAt: now, ExpiresAt: now.AddDate(1, 0, 0)}
	signed, err := r.Sign(l.root)
	if err != nil {
		t.Fatal(err)
	}
	huge := nodetest.Huge(t, r)
	whole := nodetest.SignHuge(t, huge, l.root)
	huge.Hubs = huge.Hubs[:len(huge.Hubs)/2]
	files := map[string]string{}
	for name, content := range map[string][]byte{"roster.note": signed, "whole.note": whole, "part.note": nodetest.SignHuge(t, huge, l.root)} {
		files[name] = filepath.Join(dir, name)
		write(files[name], content)
	}
	says(t, "territory", "install", "--config", h.file, files["roster.note"])
	refuses := func(want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if status := run(t.Context(), stdio{strings.NewReader(""), &out, &out}, args); status == exitOK || !strings.Contains(out.String(), want) {
			t.Errorf("relais %s: status %d, %s", strings.Join(args, " "), status, &out)
		}
	}
	look := func() {
		t.Helper()
		refuses("larger than 4194304 octets", "territory", "install", "--config", h.file, files["whole.note"])
		refuses("larger than 4194304 octets", "territory", "show", "--root-key", rootKey, files["whole.note"])
		refuses("the limit is 1048576", "territory", "install", "--config", h.file, files["part.note"])
		refuses("the limit is 1048576", "territory", "show", "--root-key", rootKey, files["part.note"])
		if out := says(t, "territory", "roster", "--config", h.file); !strings.Contains(out, "version 1") {
			t.Errorf("the roster that it had: %s", out)
		}
	}
	look()
	end := h.serve(t)
	defer end()
	look()
}
