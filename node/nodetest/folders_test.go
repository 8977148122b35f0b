package nodetest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"relais/node/nodetest"
)

// TestSweep: what tests that were killed left is removed by the next, and what
// those that run have is not.
func TestSweep(t *testing.T) {
	root := t.TempDir()
	ours, held := nodetest.Claim(root)
	left, killed := nodetest.Claim(root)
	if held == nil || killed == nil {
		t.Fatal("nothing is held")
	}
	defer held.Close()
	if err := os.WriteFile(filepath.Join(left, "relais.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	nodetest.Sweep(root)
	if _, err := os.Stat(left); err != nil {
		t.Errorf("it was running: %v", err)
	}
	killed.Close() // as the kernel does
	nodetest.Sweep(root)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := os.Stat(ours); err != nil {
		t.Errorf("ours is gone: %v", err)
	}
}
