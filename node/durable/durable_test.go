package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"relais/node/durable"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, content := range []string{"first", "second, longer", ""} {
		if err := durable.Write(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		entries, _ := os.ReadDir(dir)
		if got, err := os.ReadFile(path); err != nil || string(got) != content || len(entries) != 1 {
			t.Errorf("the folder holds %v, and %q (%v); want %q alone", entries, got, err, content)
		}
	}
}

// A write that fails leaves the old file and no temporary one.
func TestWriteErrors(t *testing.T) {
	t.Run("ErrNoFolder", func(t *testing.T) {
		if err := durable.Write(filepath.Join(t.TempDir(), "none", "file"), nil, 0o600); err == nil {
			t.Error("it wrote where there is no folder")
		}
	})
	t.Run("ErrInTheWay", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "file", "inside"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := durable.Write(filepath.Join(dir, "file"), nil, 0o600); err == nil {
			t.Error("it replaced a folder")
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%d entries stay, want the folder alone", len(entries))
		}
	})
}
