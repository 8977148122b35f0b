package keyring_test

import (
	"os"
	"path/filepath"
	"testing"

	"relais/hardware/keyring"
)

func TestWriteDurable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, content := range []string{"first", "second, longer", ""} {
		if err := keyring.WriteDurable(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got := files(t, dir); len(got) != 1 || got["file"] != content {
			t.Errorf("the folder holds %q, want %q alone", got, content)
		}
	}
}

// A write that fails leaves the old file and no temporary one.
func TestWriteDurableErrors(t *testing.T) {
	t.Run("ErrNoFolder", func(t *testing.T) {
		if err := keyring.WriteDurable(filepath.Join(t.TempDir(), "none", "file"), nil); err == nil {
			t.Error("it wrote where there is no folder")
		}
	})
	t.Run("ErrInTheWay", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "file", "inside"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := keyring.WriteDurable(filepath.Join(dir, "file"), nil); err == nil {
			t.Error("it replaced a folder")
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%d entries stay, want the folder alone", len(entries))
		}
	})
}
