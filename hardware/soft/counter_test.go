package soft_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"relais/hardware/keyring"
	"relais/hardware/soft"
)

var _ keyring.Counting = (*soft.Provider)(nil)

func counted(t *testing.T, dir string, blob []byte) keyring.Count {
	t.Helper()
	c, err := soft.New(dir).ReadCounter(blob)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newCounter(t *testing.T, dir string) []byte {
	t.Helper()
	blob, err := soft.New(dir).NewCounter()
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func TestCounter(t *testing.T) {
	dir := t.TempDir()
	p, blob := soft.New(dir), newCounter(t, dir)
	for _, to := range []uint64{2, 2, 1, 9, 3} { // asked twice, to less, by too much
		if _, err := p.RaiseCounter(blob, to); err != nil {
			t.Fatal(err)
		}
	}
	c := counted(t, dir, blob)
	if c.Value != 3 {
		t.Errorf("it stands at %d, want 3", c.Value)
	}
	if again := counted(t, dir, blob); !bytes.Equal(again.Place, c.Place) || !again.At.Equal(c.At) {
		t.Errorf("read again, %+v and then %+v", c, again)
	}
}

// However a folder is copied, and put back beside or over the other, its counter
// does not stand where it stood. The twin: one that was left alone does.
func TestCounterKnowsACopy(t *testing.T) {
	for name, way := range map[string]func(from, to string) *exec.Cmd{
		"cp -a":  func(from, to string) *exec.Cmd { return exec.Command("cp", "-a", from+"/.", to) },
		"cp -al": func(from, to string) *exec.Cmd { return exec.Command("cp", "-al", from+"/.", to) },
		"tar": func(from, to string) *exec.Cmd {
			return exec.Command("sh", "-c", `tar -C "$0" -cf - . | tar -C "$1" -xpf -`, from, to)
		},
		"mv over": func(from, to string) *exec.Cmd {
			return exec.Command("sh", "-c", `cp -a "$0/." "$1.tmp" && mv "$1.tmp/software.counter" "$1/"`, from, to)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, backup := t.TempDir(), t.TempDir()
			blob := newCounter(t, dir)
			before := counted(t, dir, blob)
			run(t, way(dir, backup))
			if c := counted(t, backup, blob); c.Value != before.Value || bytes.Equal(c.Place, before.Place) {
				t.Errorf("a copy stands where the other stood: %+v", c)
			}
			run(t, way(backup, dir)) // over the file that is there
			if c := counted(t, dir, blob); bytes.Equal(c.Place, before.Place) {
				t.Error("put back, it stands where it stood")
			}
		})
	}
	t.Run("alone", func(t *testing.T) {
		dir := t.TempDir()
		blob := newCounter(t, dir)
		before := counted(t, dir, blob)
		if _, err := os.ReadFile(filepath.Join(dir, "software.counter")); err != nil {
			t.Fatal(err)
		}
		if c := counted(t, dir, blob); !bytes.Equal(c.Place, before.Place) {
			t.Error("it moved by itself")
		}
	})
}

func run(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", c, err, out)
	}
}

func TestReadCounterRefuses(t *testing.T) {
	dir := t.TempDir()
	blob := newCounter(t, dir)
	path := filepath.Join(dir, "software.counter")
	refused := func(want error) {
		t.Helper()
		for range 2 {
			if _, err := soft.New(dir).ReadCounter(blob); !errors.Is(err, want) {
				t.Errorf("ReadCounter = %v, want %v", err, want)
			}
		}
		if _, err := soft.New(dir).RaiseCounter(blob, 2); !errors.Is(err, want) {
			t.Errorf("RaiseCounter = %v, want %v", err, want)
		}
	}
	for name, content := range map[string]string{"torn": `{"id":"AA`, "empty": "", "another's": `{"id":"AAAA","value":7}`} {
		t.Run("ErrCounterChanged "+name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(keyring.ErrCounterChanged)
		})
	}
	t.Run("ErrCounterMissing", func(t *testing.T) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		refused(keyring.ErrCounterMissing)
	})
}
